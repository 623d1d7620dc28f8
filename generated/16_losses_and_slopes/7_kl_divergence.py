"""kl_divergence, and its gradient with respect to z.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           18 add, 6 mul, 3 exp, 4 log
    forward         21 add, 6 mul, 3 div, 3 exp, 4 log
    backward        3 add, 6 mul, 3 fma
    value_and_grad  27 add, 9 mul, 3 div, 3 exp, 4 log
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
def value(z, p):
    """The function value.

    Takes   z f64[1, 3], p f64[1, 3]
    Gives   kl_divergence
    """
    v0 = np.empty(1, f64)
    z_flat = z.reshape(-1)
    top = f64(-math.inf)
    for i in range(3):
        t0 = z_flat[i]
        top = select((t0 > top) | (t0 != t0), t0, top)
    v0[0] = top
    v1 = np.empty(1, f64)
    total = f64(0.0)
    t1 = v0[0]
    t2 = select(abs(t1) < math.inf, t1, 0.0)
    for i in range(3):
        total += exp(z_flat[i] - t2)
    v1[0] = total
    v2 = np.empty(1, f64)
    p_flat = p.reshape(-1)
    total1 = f64(0.0)
    t5 = v0[0]
    t6 = select(abs(t5) < math.inf, t5, 0.0)
    t7 = log(v1[0])
    for i in range(3):
        t3 = p_flat[i]
        t4 = select((t3 == 0.0) & (t3 == t3), 0.0, t3 * log(t3))
        total1 += t4 - t3 * (z_flat[i] - t6 - t7)
    v2[0] = total1
    kl_divergence = v2[0]
    return kl_divergence


@jit
def forward(z, p):
    """The outputs, and the residuals that backward reads.

    Takes   z f64[1, 3], p f64[1, 3]
    Gives   kl_divergence, (r0,)
    """
    v0 = np.empty(1, f64)
    z_flat = z.reshape(-1)
    top = f64(-math.inf)
    for i in range(3):
        t0 = z_flat[i]
        top = select((t0 > top) | (t0 != t0), t0, top)
    v0[0] = top
    v1 = np.empty((1, 3), f64)
    v2 = np.empty(1, f64)
    v3 = np.empty(1, f64)
    v1_flat = v1.reshape(-1)
    total = f64(0.0)
    total1 = f64(0.0)
    t1 = v0[0]
    t2 = abs(t1)
    t3 = t2 == math.inf
    t5 = select(t1 > 0.0, 1.0, 0.0)
    t6 = select(t2 < math.inf, t1, 0.0)
    for i in range(3):
        t4 = z_flat[i]
        t7 = exp(t4 - t6)
        t8 = select(t3, select(t4 == t1, t5, 0.0), t7)
        v1_flat[i] = t8
        total += t7
        total1 += t8
    v2[0] = total
    v3[0] = total1
    r0 = np.empty((1, 3), f64)
    v4 = np.empty(1, f64)
    p_flat = p.reshape(-1)
    r0_flat = r0.reshape(-1)
    total2 = f64(0.0)
    t9 = v3[0]
    t13 = v0[0]
    t14 = select(abs(t13) < math.inf, t13, 0.0)
    t15 = log(v2[0])
    for i in range(3):
        t10 = v1_flat[i]
        t11 = p_flat[i]
        t12 = select((t11 == 0.0) & (t11 == t11), 0.0, t11 * log(t11))
        r0_flat[i] = select(t10 == 0.0, t10, t10 / t9)
        total2 += t12 - t11 * (z_flat[i] - t14 - t15)
    v4[0] = total2
    kl_divergence = v4[0]
    return kl_divergence, (r0,)


@jit
def backward(p, r0, kl_divergence_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   p f64[1, 3], r0 f64[1, 3], kl_divergence_bar f64
    Gives   z_bar
    """
    v0 = np.empty(1, f64)
    p_flat = p.reshape(-1)
    total = f64(0.0)
    for i in range(3):
        total = fma(kl_divergence_bar, p_flat[i], total)
    v0[0] = total
    z_bar = np.empty((1, 3), f64)
    r0_flat = r0.reshape(-1)
    z_bar_flat = z_bar.reshape(-1)
    t0 = v0[0]
    for i in range(3):
        z_bar_flat[i] = r0_flat[i] * t0 - kl_divergence_bar * p_flat[i]
    return z_bar


@jit
def value_and_grad(z, p):
    """The value and its gradients.

    Takes   z f64[1, 3], p f64[1, 3]
    Gives   kl_divergence, z_bar
    """
    v0 = np.empty(1, f64)
    v1 = np.empty(1, f64)
    z_flat = z.reshape(-1)
    p_flat = p.reshape(-1)
    top = f64(-math.inf)
    total = f64(0.0)
    for i in range(3):
        t0 = z_flat[i]
        top = select((t0 > top) | (t0 != t0), t0, top)
        total += p_flat[i]
    v0[0] = top
    v1[0] = total
    v2 = np.empty((1, 3), f64)
    v3 = np.empty(1, f64)
    v4 = np.empty(1, f64)
    v2_flat = v2.reshape(-1)
    total1 = f64(0.0)
    total2 = f64(0.0)
    t1 = v0[0]
    t2 = abs(t1)
    t3 = t2 == math.inf
    t5 = select(t1 > 0.0, 1.0, 0.0)
    t6 = select(t2 < math.inf, t1, 0.0)
    for i in range(3):
        t4 = z_flat[i]
        t7 = exp(t4 - t6)
        t8 = select(t3, select(t4 == t1, t5, 0.0), t7)
        v2_flat[i] = t8
        total1 += t7
        total2 += t8
    v3[0] = total1
    v4[0] = total2
    z_bar = np.empty((1, 3), f64)
    v5 = np.empty(1, f64)
    z_bar_flat = z_bar.reshape(-1)
    total3 = f64(0.0)
    t9 = v4[0]
    t11 = v1[0]
    t14 = v0[0]
    t15 = select(abs(t14) < math.inf, t14, 0.0)
    t16 = log(v3[0])
    for i in range(3):
        t10 = v2_flat[i]
        r0 = select(t10 == 0.0, t10, t10 / t9)
        t12 = p_flat[i]
        t13 = select((t12 == 0.0) & (t12 == t12), 0.0, t12 * log(t12))
        z_bar_flat[i] = r0 * t11 - t12
        total3 += t13 - t12 * (z_flat[i] - t15 - t16)
    v5[0] = total3
    kl_divergence = v5[0]
    return kl_divergence, z_bar
