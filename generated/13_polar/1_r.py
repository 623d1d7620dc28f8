"""r, and its gradient with respect to x, y.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 hypot
    forward         2 div, 1 hypot
    backward        2 mul
    value_and_grad  2 div, 1 hypot
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
    Gives   r
    """
    r = hypot(x, y)
    return r


@jit
def forward(x, y):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64
    Gives   r, (r0, r1)
    """
    r = hypot(x, y)
    r0 = select(x == 0.0, x, x / r)
    r1 = select(y == 0.0, y, y / r)
    return r, (r0, r1)


@jit
def backward(r0, r1, r_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, r1 f64, r_bar f64
    Gives   x_bar, y_bar
    """
    x_bar = r_bar * r0
    y_bar = r_bar * r1
    return x_bar, y_bar


@jit
def value_and_grad(x, y):
    """The value and its gradients.

    Takes   x f64, y f64
    Gives   r, (r0, r1)
    """
    r = hypot(x, y)
    r0 = select(x == 0.0, x, x / r)
    r1 = select(y == 0.0, y, y / r)
    return r, (r0, r1)
