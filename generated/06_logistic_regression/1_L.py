"""L, and its gradient with respect to a, z, w1, w2, b.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           4 add, 4 mul, 1 log, 1 log1p, 1 sigmoid
    forward         5 add, 4 mul, 2 div, 1 log, 1 log1p, 1 sigmoid, 1 sigmoid_slope
    backward        2 add, 7 mul
    value_and_grad  6 add, 9 mul, 2 div, 1 log, 1 log1p, 1 sigmoid, 1 sigmoid_slope
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
def exp(x):
    t = select(x < -746.0, -746.0, x)
    t2 = select(t > 710.0, 710.0, t)
    s = fma(t2, 1.4426950408889634, 6755399441055744.0)
    k = s - 6755399441055744.0
    r = fma(k, -0.6931471805599453, t2)
    r2 = fma(k, -2.3190468138462996e-17, r)
    square = r2 * r2
    q = fma(
        fma(fma(fma(2.5110040441845758e-08, square, 2.7557242361759715e-06), square,
        0.0001984126988656883), square, 0.008333333333322215), square, 0.16666666666666674
    )
    q2 = fma(
        fma(fma(2.7632643465014625e-07, square, 2.4801487358626297e-05), square,
        0.0013888888947792063), square, 0.041666666666522086
    )
    q3 = fma(fma(q2, r2, q), r2, 0.500000000000001)
    u = 1.0 + r2
    p = u + fma(r2 * r2, q3, r2 - (u - 1.0))
    n = f64(s).view(i64)
    h = n >> 1
    return (
        p * i64((h << 52) + 4607182418800017408).view(f64)
        * i64(((n - h) << 52) + 4607182418800017408).view(f64)
    )


@inline
def sigmoid(x):
    v = exp(-abs(x))
    w = v / (1.0 + v)
    return select(x < 0.0, fma(-w, v, v), 1.0 - w)


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


@inline
def log1p(x):
    u = 1.0 + x
    part = u - 1.0
    lost = 1.0 - (u - part) + (x - part)
    b = f64(u).view(i64) - 4604544271217802189
    k = b >> 52
    m = i64((b & 4503599627370495) + 4604544271217802189).view(f64)
    c = select(
        x < 1.8014398509481984e+16, lost * i64(4607182418800017408 - (k << 52)).view(f64), 0.0
    )
    f = m - 1.0 + c
    e = i64(k + 4843621399236968448).view(f64) - 6755399441055744.0
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
    y2 = np.copysign(y, x)
    y3 = select(x < math.inf, y2, x)
    below = select(x == -1.0, -math.inf, math.nan)
    return select(x <= -1.0, below, y3)


@inline
def sigmoid_slope(x):
    v = exp(-abs(x))
    b = v + 2.0
    u = fma(v, b, 1.0)
    inverse = 1.0 / u
    y = v * inverse
    lost = fma(-y, fma(v, b, 1.0 - u), fma(-y, u, v))
    return fma(lost, inverse, y)


@jit
def value(x1, x2, y, w1, w2, b):
    """The function value.

    Takes   x1 f64, x2 f64, y f64, w1 f64, w2 f64, b f64
    Gives   L
    """
    z = w1 * x1 + w2 * x2 + b
    a = sigmoid(z)
    t0 = y * log(a) + (1.0 - y) * log1p(-a)
    L = -t0
    return L


@jit
def forward(x1, x2, y, w1, w2, b):
    """The outputs, and the residuals that backward reads.

    Takes   x1 f64, x2 f64, y f64, w1 f64, w2 f64, b f64
    Gives   L, (r0, r1, z_slope)
    """
    z = w1 * x1 + w2 * x2 + b
    a = sigmoid(z)
    t0 = y * log(a) + (1.0 - y) * log1p(-a)
    L = -t0
    t1 = 1.0 - a
    r0 = select(t1 < 0.0, math.nan, 1.0 / abs(t1))
    r1 = select(a < 0.0, math.nan, 1.0 / abs(a))
    z_slope = sigmoid_slope(z)
    return L, (r0, r1, z_slope)


@jit
def backward(y, x1, x2, r0, r1, z_slope, L_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   y f64, x1 f64, x2 f64, r0 f64, r1 f64, z_slope f64, L_bar f64
    Gives   a_bar, z_bar, w1_bar, w2_bar, z_bar
    """
    # a = sigmoid(z)
    a_bar = L_bar * (1.0 - y) * r0 - L_bar * y * r1
    # z = w1 * x1 + w2 * x2 + b
    z_bar = a_bar * z_slope
    w1_bar = z_bar * x1
    w2_bar = z_bar * x2
    return a_bar, z_bar, w1_bar, w2_bar, z_bar


@jit
def value_and_grad(x1, x2, y, w1, w2, b):
    """The value and its gradients.

    Takes   x1 f64, x2 f64, y f64, w1 f64, w2 f64, b f64
    Gives   L, (a_bar, z_bar, w1_bar, w2_bar, z_bar)
    """
    z = w1 * x1 + w2 * x2 + b
    a = sigmoid(z)
    t0 = 1.0 - y
    t1 = y * log(a) + t0 * log1p(-a)
    L = -t1
    t2 = 1.0 - a
    r0 = select(t2 < 0.0, math.nan, 1.0 / abs(t2))
    r1 = select(a < 0.0, math.nan, 1.0 / abs(a))
    # a = sigmoid(z)
    a_bar = t0 * r0 - y * r1
    z_slope = sigmoid_slope(z)
    # z = w1 * x1 + w2 * x2 + b
    z_bar = a_bar * z_slope
    w1_bar = z_bar * x1
    w2_bar = z_bar * x2
    return L, (a_bar, z_bar, w1_bar, w2_bar, z_bar)
