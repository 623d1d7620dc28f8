"""The operations that Python lacks: a fused multiply-add, a choice without a branch, a matrix product into memory.

Compiled, ``fma`` is one hardware instruction (``llvm.fma``) and ``select`` one blend; interpreted,
both give the same bits, slowly. The text between the two marks is pasted into standalone files:
it needs only math, NumPy and, where it is there, Numba.
"""

# kernels: begin
import math

import numpy as np


def fma(a, b, c):
    """a*b + c, rounded once, for two float64 or two float32.

    Maths:   float64 as a quotient of integers (Python rounds int/int correctly, subnormals too);
             float32 in float64 rounded to odd, which the second rounding cannot disturb
    Source:  Boldo and Melquiond 2008, Emulation of FMA and correctly rounded sums
    """
    x, y, z = float(a), float(b), float(c)
    if isinstance(a, np.float32) or isinstance(b, np.float32) or isinstance(c, np.float32):
        return np.float32(_sum_to_odd(x * y, z))
    if not (math.isfinite(x) and math.isfinite(y)) or x == 0.0 or y == 0.0:
        return np.float64(x * y + z)
    if not math.isfinite(z):
        return np.float64(z)
    (p, d), (q, e), (r, f) = x.as_integer_ratio(), y.as_integer_ratio(), z.as_integer_ratio()
    top, bottom = p * q * f + r * d * e, d * e * f
    try:
        return np.float64(top / bottom)
    except OverflowError:
        return np.float64(math.inf if top > 0 else -math.inf)


def _sum_to_odd(p, c):
    """p + c in float64; where that is inexact, the neighbour whose last bit is odd."""
    s = p + c
    if not math.isfinite(s):
        return s
    part = s - p
    lost = (p - (s - part)) + (c - part)
    if lost != 0.0 and not int(np.float64(s).view(np.int64)) & 1:
        s = math.nextafter(s, math.copysign(math.inf, lost))
    return s


def select(condition, yes, no):
    """``yes`` where the condition holds, else ``no``; both are evaluated already."""
    chosen = yes if condition else no
    return np.float64(chosen) if type(chosen) is float else chosen


try:
    from numba.core import types
    from numba.extending import lower_builtin, type_callable
except ImportError:
    pass
else:

    @type_callable(fma)
    def _type_fma(context):
        def typer(a, b, c):
            return a if a == b == c and isinstance(a, types.Float) else None

        return typer

    @lower_builtin(fma, types.Float, types.Float, types.Float)
    def _lower_fma(context, builder, signature, args):
        return builder.fma(*args)

    @type_callable(select)
    def _type_select(context):
        def typer(condition, yes, no):
            yes, no = types.unliteral(yes), types.unliteral(no)
            return yes if isinstance(condition, types.Boolean) and yes == no else None

        return typer

    @lower_builtin(select, types.Boolean, types.Number, types.Number)
    @lower_builtin(select, types.Boolean, types.Boolean, types.Boolean)
    def _lower_select(context, builder, signature, args):
        return builder.select(*args)


# kernels: end
