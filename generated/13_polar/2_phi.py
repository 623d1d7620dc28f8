"""phi, and its gradient with respect to x, y.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 arctan2
    forward         4 div, 1 arctan2, 1 hypot
    backward        2 mul
    value_and_grad  4 div, 1 arctan2, 1 hypot
"""

import math
from functools import wraps

import numpy as np

from symgrad.runtime.kernels import fma, select

try:
    from numba import njit
    from numba.extending import register_jitable
except ImportError:  # the same text runs, slowly, as plain Python
    SCALARS = {float: np.float64, int: np.int64, bool: np.bool_}

    def jit(function):
        @wraps(function)
        def plain(*args):
            with np.errstate(all="ignore"):
                return function(*(SCALARS[type(a)](a) if type(a) in SCALARS else a for a in args))

        return plain

    helper = inline = jit
else:
    FLAGS = {"error_model": "numpy", "nogil": True, "boundscheck": False, "no_cfunc_wrapper": True}
    jit = njit(**FLAGS)
    helper = register_jitable(**FLAGS)
    inline = register_jitable(forceinline=True, **FLAGS)  # so that loops around it are vectorised

f64 = np.float64
i64 = np.int64


@inline
def arctan2(x, y):
    a = abs(x)
    b = abs(y)
    far = (a == math.inf) & (b == math.inf)
    origin = (a == 0.0) & (b == 0.0)
    scale = select((a > 1.0715086071862673e+301) | (b > 1.0715086071862673e+301), 0.25, 1.0)
    a2 = select(far, 1.0, a * scale)
    b2 = select(far | origin, 1.0, b * scale)
    high = a2 > 2.414213562373095 * b2
    middle = a2 > 0.41421356237309515 * b2
    top = select(high, -b2, select(middle, a2 - b2, a2))
    bottom = select(high, a2, select(middle, a2 + b2, b2))
    t = top / bottom
    z = t * t
    base = select(high, 1.5707963267948966, select(middle, 0.7853981633974483, 0.0))
    low = 3.8981718325193755e-17 * base
    square = z * z
    w = fma(
        fma(fma(fma(0.037989105175290645, square, 0.05847750058139845), square, 0.0769206748711949),
        square, 0.11111110823047966), square, 0.1999999999996887
    )
    w2 = fma(
        fma(fma(fma(-0.01779944949680342, square, -0.050374049733418864), square,
        -0.06663131222217844), square, -0.09090898496840684), square, -0.14285714281325468
    )
    w3 = fma(fma(w2, z, w), z, -0.33333333333333265)
    angle = base + (fma(z * t, w3, low) + t)
    turned = 3.141592653589793 - (angle - 1.2246467991473532e-16)
    return np.copysign(select(f64(y).view(i64) < 0, turned, angle), x)


@inline
def hypot(x, y):
    a = abs(x)
    b = abs(y)
    big = select(a < b, b, a)
    small = select(a < b, a, b)
    exponent = f64(big).view(i64) & 9218868437227405312
    scale = (
        i64(select(exponent > 9209861237972664320, 4503599627370496,
        9214364837600034816 - exponent)).view(f64)
    )
    u = big * scale
    v = small * scale
    length = np.sqrt(fma(u, u, v * v)) / scale
    return select((a == math.inf) | (b == math.inf), math.inf, length)


@jit
def value(x, y):
    """The function value.

    Takes   x f64, y f64
    Gives   phi
    """
    phi = arctan2(y, x)
    return phi


@jit
def forward(x, y):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64
    Gives   phi, (r0, r1)
    """
    phi = arctan2(y, x)
    t0 = hypot(y, x)
    r0 = select(y == 0.0, y, y / t0 / t0)
    r1 = select(x == 0.0, x, x / t0 / t0)
    return phi, (r0, r1)


@jit
def backward(r0, r1, phi_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, r1 f64, phi_bar f64
    Gives   x_bar, y_bar
    """
    x_bar = -(phi_bar * r0)
    y_bar = phi_bar * r1
    return x_bar, y_bar


@jit
def value_and_grad(x, y):
    """The value and its gradients.

    Takes   x f64, y f64
    Gives   phi, (x_bar, r1)
    """
    phi = arctan2(y, x)
    t0 = hypot(y, x)
    r0 = select(y == 0.0, y, y / t0 / t0)
    x_bar = -r0
    r1 = select(x == 0.0, x, x / t0 / t0)
    return phi, (x_bar, r1)
