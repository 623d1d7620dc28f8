"""binary_crossentropy, and its gradient with respect to yhat.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           3 add, 2 mul, 2 log
    forward         5 add, 2 mul, 2 div, 2 log
    backward        1 add, 2 mul
    value_and_grad  4 add, 2 mul, 2 div, 2 log
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
def log(x):
    tiny = x < 2.2250738585072014e-308
    c = select(tiny, 6755399441055798.0, 6755399441055744.0)
    u = select(tiny, x * 1.8014398509481984e+16, x)
    b = f64(u).view(i64) - 4604544271217802189
    k = b >> 52
    m = i64((b & 4503599627370495) + 4604544271217802189).view(f64)
    f = m - 1.0
    e = i64(k + 4843621399236968448).view(f64) - c
    h = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = fma(
        fma(fma(fma(0.14810522174900667, z, 0.15313166555274463), z, 0.18183571337941415), z,
        0.2222219909771344), z, 0.2857142872918098
    )
    w2 = fma(fma(w, z, 0.3999999999952053), z, 0.666666666666671)
    low = fma(s, fma(z, w2, h), e * 2.3190468138462996e-17)
    y = fma(e, 0.6931471805599453, f - (h - low))
    y2 = select(x < math.inf, y, x)
    below = select(x == 0.0, -math.inf, math.nan)
    return select(x > 0.0, y2, below)


@jit
def value(y, yhat):
    """The function value.

    Takes   y f64, yhat f64
    Gives   binary_crossentropy
    """
    t0 = select((y == 0.0) & (yhat == yhat), 0.0, y * log(yhat))
    t1 = 1.0 - yhat
    t2 = 1.0 - y
    t3 = select((t2 == 0.0) & (t1 == t1), 0.0, t2 * log(t1))
    binary_crossentropy = -(t0 + t3)
    return binary_crossentropy


@jit
def forward(y, yhat):
    """The outputs, and the residuals that backward reads.

    Takes   y f64, yhat f64
    Gives   binary_crossentropy, (r0, r1)
    """
    t0 = select((y == 0.0) & (yhat == yhat), 0.0, y * log(yhat))
    t1 = 1.0 - yhat
    t2 = 1.0 - y
    t3 = select((t2 == 0.0) & (t1 == t1), 0.0, t2 * log(t1))
    binary_crossentropy = -(t0 + t3)
    r0 = np.empty((1, 1), f64)
    r1 = np.empty((1, 1), f64)
    t4 = 1.0 - yhat
    t5 = 1.0 - y
    r0[0, 0] = select((t5 == 0.0) & (t4 == t4), 0.0, select(t4 < 0.0, math.nan, t5 / t4))
    r1[0, 0] = select((y == 0.0) & (yhat == yhat), 0.0, select(yhat < 0.0, math.nan, y / yhat))
    return binary_crossentropy, (r0, r1)


@jit
def backward(r0, r1, binary_crossentropy_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64[1, 1], r1 f64[1, 1], binary_crossentropy_bar f64
    Gives   yhat_bar
    """
    t0 = binary_crossentropy_bar * r0[0, 0] - binary_crossentropy_bar * r1[0, 0]
    yhat_bar = t0
    return yhat_bar


@jit
def value_and_grad(y, yhat):
    """The value and its gradients.

    Takes   y f64, yhat f64
    Gives   binary_crossentropy, yhat_bar
    """
    t0 = select((y == 0.0) & (yhat == yhat), 0.0, y * log(yhat))
    t1 = 1.0 - y
    t2 = 1.0 - yhat
    t3 = select((t1 == 0.0) & (t2 == t2), 0.0, t1 * log(t2))
    binary_crossentropy = -(t0 + t3)
    r0 = select((t1 == 0.0) & (t2 == t2), 0.0, select(t2 < 0.0, math.nan, t1 / t2))
    r1 = select((y == 0.0) & (yhat == yhat), 0.0, select(yhat < 0.0, math.nan, y / yhat))
    yhat_bar = r0 - r1
    return binary_crossentropy, yhat_bar
