"""J, and its gradient with respect to W, b, V, c, slope.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value     282*n add, 280*n mul, 221*n fma, 13 div, 16*n expm1, 16*n sigmoid, 16*n softplus,
              16*n tanh
    forward   314*n add, 280*n mul, 221*n fma, 13 div, 16*n exp, 16*n expm1, 32*n sigmoid,
              16*n sigmoid_slope, 16*n softplus, 16*n tanh, 16*n tanh_slope
    backward  2536*n add, 597*n mul, 237*n fma, 26*n+11 div
"""

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
def tanh(x):
    t = -2.0 * abs(x)
    t2 = select(t < -44.0, -44.0, t)
    s = fma(t2, 1.4426950408889634, 6755399441055744.0)
    k = s - 6755399441055744.0
    r = fma(k, -0.6931471805599453, t2)
    r2 = fma(k, -2.3190468138462996e-17, r)
    square = r2 * r2
    q = fma(
        fma(fma(fma(2.5109035672994995e-08, square, 2.7557244206195976e-06), square,
        0.0001984126988613678), square, 0.008333333333321624), square, 0.16666666666666677
    )
    q2 = fma(
        fma(fma(fma(2.0924431166094492e-09, square, 2.755724279721953e-07), square,
        2.480158736051524e-05), square, 0.0013888888888866856), square, 0.0416666666666667
    )
    q3 = fma(fma(q2, r2, q), r2, 0.5)
    p = fma(r2 * r2, q3, r2)
    h = i64((f64(s).view(i64) << 52) + 4607182418800017408).view(f64)
    far = t2 < -1.09862
    y = select(far, -2.0 * fma(h, p, h), -fma(h, p, h - 1.0)) / fma(h, p, h + 1.0)
    return np.copysign(select(far, 1.0 + y, y), x)


@inline
def expm1(x):
    t = select(x < -40.0, -40.0, x)
    t2 = select(t > 710.0, 710.0, t)
    s = fma(t2, 1.4426950408889634, 6755399441055744.0)
    k = s - 6755399441055744.0
    r = fma(k, -0.6931471805599453, t2)
    r2 = fma(k, -2.3190468138462996e-17, r)
    square = r2 * r2
    q = fma(
        fma(fma(fma(2.5109035672994995e-08, square, 2.7557244206195976e-06), square,
        0.0001984126988613678), square, 0.008333333333321624), square, 0.16666666666666677
    )
    q2 = fma(
        fma(fma(fma(2.0924431166094492e-09, square, 2.755724279721953e-07), square,
        2.480158736051524e-05), square, 0.0013888888888866856), square, 0.0416666666666667
    )
    q3 = fma(fma(q2, r2, q), r2, 0.5)
    p = fma(r2 * r2, q3, r2)
    h = i64((f64(s).view(i64) << 52) + 4602678819172646912).view(f64)
    y = 2.0 * fma(h, p, h - 0.5)
    return np.copysign(select(k == 0.0, p, y), x)


@inline
def softplus(x):
    v = exp(-abs(x))
    upper = v > 0.41421356237309515
    f = select(upper, 0.5 * (v - 1.0), v)
    e = select(upper, 1.0, 0.0)
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
    return y + select(x > 0.0, x, 0.0)


@inline
def tanh_slope(x):
    t = -2.0 * abs(x)
    t2 = select(t < -749.0, -749.0, t)
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
    w = (
        p * i64((h << 52) + 4616189618054758400).view(f64)
        * i64(((n - h) << 52) + 4607182418800017408).view(f64)
    )
    v = 0.25 * w
    b = v + 2.0
    u2 = fma(v, b, 1.0)
    inverse = 1.0 / u2
    y = w * inverse
    lost = fma(-y, fma(v, b, 1.0 - u2), fma(-y, u2, w))
    return fma(lost, inverse, y)


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
def value(X, Y, W, b, V, c, slope):
    """The function value.

    Takes   X f64[n, 1], Y f64[n, 1], W f64[13, 16], b f64[13, 16], V f64[13, 16], c f64[13],
            slope f64[16]
    Gives   J
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 16), f64)
    v1 = np.empty((n, 16), f64)
    v2 = np.empty((n, 16), f64)
    v3 = np.empty((n, 16), f64)
    v4 = np.empty((n, 16), f64)
    for i in range(n):
        t1 = X[i, 0]
        for j in range(16):
            r0 = t1 * W[4, j] + b[4, j]
            v0[i, j] = r0
            v1[i, j] = t1 * W[5, j] + b[5, j]
            v2[i, j] = t1 * W[10, j] + b[10, j]
            v3[i, j] = t1 * W[11, j] + b[11, j]
        t2 = X[i, 0]
        for j in range(8):
            t3 = t2 * W[12, j + 8] + b[12, j + 8]
            t4 = t2 * W[12, j] + b[12, j]
            v4[i, j] = select((t4 > t3) | (t4 != t4), t4, t3)
            v4[i, j + 8] = 0.0 * t3
    v5 = np.empty((n, 16), f64)
    v6 = np.empty((n, 16), f64)
    v7 = np.empty((n, 16), f64)
    v8 = np.empty((n, 16), f64)
    v0_flat = v0.reshape(-1)
    v1_flat = v1.reshape(-1)
    v2_flat = v2.reshape(-1)
    v3_flat = v3.reshape(-1)
    v5_flat = v5.reshape(-1)
    v6_flat = v6.reshape(-1)
    v7_flat = v7.reshape(-1)
    v8_flat = v8.reshape(-1)
    for block in range((n * 16 + 255) // 256):
        start = block * 256
        count = select(n * 16 - start < 256, n * 16 - start, 256)
        for i in range(count):
            v5_flat[start + i] = sigmoid(v0_flat[start + i])
            v6_flat[start + i] = tanh(v1_flat[start + i])
            v7_flat[start + i] = expm1(v2_flat[start + i])
        for i in range(count):
            v8_flat[start + i] = softplus(v3_flat[start + i])
    r2 = np.empty((13, 16), f64)
    v9 = np.empty(13, f64)
    v10 = np.zeros(13, f64)
    for i in range(n):
        t5 = X[i, 0]
        for j in range(16):
            t6 = t5 * W[1, j] + b[1, j]
            t7 = select(t6 > 0.0, 1.0, 0.0) - select(t6 < 0.0, 1.0, 0.0)
            t8 = select(t6 == t6, 0.5 * t7 + 0.5, t6)
            t9 = t5 * W[2, j] + b[2, j]
            t10 = select(t9 > 0.0, 1.0, select(t9 < 0.0, -1.0, select(t9 == 0.0, 0.0, t9)))
            t11 = t5 * W[3, j] + b[3, j] + 0.5
            t12 = select(t11 < 0.0, 0.0, t11)
            t13 = t5 * W[6, j] + b[6, j]
            t14 = select(t13 > 0.0, t13, select(t13 <= 0.0, 0.0, t13))
            t15 = t5 * W[7, j] + b[7, j]
            t16 = t5 * W[8, j] + b[8, j]
            t17 = t5 * W[9, j] + b[9, j]
            t18 = v2[i, j]
            r1 = t18 > 0.0
            r2[0, j] = t5 * W[0, j] + b[0, j]
            r2[1, j] = t8
            r2[2, j] = t10
            r2[3, j] = select(t12 > 1.0, 1.0, t12)
            r2[4, j] = v5[i, j]
            r2[5, j] = v6[i, j]
            r2[6, j] = t14
            r2[7, j] = select(t15 > 0.0, t15, 0.01 * t15)
            r2[8, j] = select(t16 > 0.0, t16, 0.1 * t16)
            r2[9, j] = select(t17 > 0.0, t17, slope[j] * t17)
            r2[10, j] = select(r1, t18, v7[i, j])
            r2[11, j] = v8[i, j]
            r2[12, j] = v4[i, j]
        for j in range(13):
            total = f64(0.0)
            for k in range(16):
                total = fma(r2[j, k], V[j, k], total)
            v9[j] = total
        t19 = Y[i, 0]
        for j in range(13):
            yhat = v9[j] + c[j]
            r3 = yhat - t19
            v10[j] = fma(r3, r3, v10[j])
    J = np.empty(13, f64)
    for i in range(13):
        J[i] = v10[i] / t0
    return J


@jit
def forward(X, Y, W, b, V, c, slope):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 1], Y f64[n, 1], W f64[13, 16], b f64[13, 16], V f64[13, 16], c f64[13],
            slope f64[16]
    Gives   J, (r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14)
    """
    n = X.shape[0]
    t0 = f64(n)
    r0 = np.empty((n, 13, 16), f64)
    v0 = np.empty((n, 16), f64)
    v1 = np.empty((n, 16), f64)
    v2 = np.empty((n, 16), f64)
    r1 = np.empty((n, 16), np.bool_)
    v3 = np.empty((n, 16), f64)
    r8 = np.empty((n, 16), f64)
    r9 = np.empty((n, 16), f64)
    r10 = np.empty((n, 16), f64)
    r13 = np.empty((n, 16), f64)
    r14 = np.empty((n, 16), f64)
    v4 = np.empty((n, 16), f64)
    r4 = np.empty((n, 8), f64)
    r5 = np.empty((n, 8), f64)
    for i in range(n):
        t1 = X[i, 0]
        for j in range(13):
            for k in range(16):
                r0[i, j, k] = t1 * W[j, k] + b[j, k]
        for j in range(16):
            t2 = r0[i, 10, j]
            t3 = r0[i, 9, j]
            t4 = t3 > 0.0
            t5 = r0[i, 8, j]
            t6 = r0[i, 7, j]
            t7 = r0[i, 3, j] + 0.5
            v0[i, j] = r0[i, 4, j]
            v1[i, j] = r0[i, 5, j]
            v2[i, j] = t2
            r1[i, j] = t2 > 0.0
            v3[i, j] = r0[i, 11, j]
            r8[i, j] = select(t4, 1.0, select(t3 <= 0.0, slope[j], t3))
            r9[i, j] = select(t5 > 0.0, 1.0, select(t5 <= 0.0, 0.1, t5))
            r10[i, j] = select(t6 > 0.0, 1.0, select(t6 <= 0.0, 0.01, t6))
            r13[i, j] = select(t7 == t7, select((0.0 < t7) & (t7 < 1.0), 1.0, 0.0), t7)
            r14[i, j] = select(t4, 0.0, t3)
        for j in range(8):
            t8 = r0[i, 12, j]
            t9 = r0[i, 12, j + 8]
            v4[i, j] = select((t8 > t9) | (t8 != t8), t8, t9)
            v4[i, j + 8] = 0.0 * t9
            r4[i, j] = select(t9 > t8, 1.0, select(t9 < t8, 0.0, select(t9 == t8, 0.5, t9 + t8)))
            r5[i, j] = select(t8 > t9, 1.0, select(t8 < t9, 0.0, select(t8 == t9, 0.5, t8 + t9)))
    v5 = np.empty((n, 16), f64)
    v6 = np.empty((n, 16), f64)
    v7 = np.empty((n, 16), f64)
    v8 = np.empty((n, 16), f64)
    r6 = np.empty((n, 16), f64)
    r7 = np.empty((n, 16), f64)
    r11 = np.empty((n, 16), f64)
    r12 = np.empty((n, 16), f64)
    v0_flat = v0.reshape(-1)
    v1_flat = v1.reshape(-1)
    v2_flat = v2.reshape(-1)
    v3_flat = v3.reshape(-1)
    v5_flat = v5.reshape(-1)
    v6_flat = v6.reshape(-1)
    v7_flat = v7.reshape(-1)
    v8_flat = v8.reshape(-1)
    r6_flat = r6.reshape(-1)
    r7_flat = r7.reshape(-1)
    r11_flat = r11.reshape(-1)
    r12_flat = r12.reshape(-1)
    for block in range((n * 16 + 255) // 256):
        start = block * 256
        count = select(n * 16 - start < 256, n * 16 - start, 256)
        for i in range(count):
            t10 = v0_flat[start + i]
            t11 = v1_flat[start + i]
            t12 = v2_flat[start + i]
            t13 = v3_flat[start + i]
            v5_flat[start + i] = sigmoid(t10)
            v6_flat[start + i] = tanh(t11)
            v7_flat[start + i] = expm1(t12)
        for i in range(count):
            t10 = v0_flat[start + i]
            t11 = v1_flat[start + i]
            t12 = v2_flat[start + i]
            t13 = v3_flat[start + i]
            v8_flat[start + i] = softplus(t13)
            r6_flat[start + i] = sigmoid(t13)
            r7_flat[start + i] = exp(t12)
            r11_flat[start + i] = tanh_slope(t11)
            r12_flat[start + i] = sigmoid_slope(t10)
    r2 = np.empty((n, 13, 16), f64)
    v9 = np.empty(13, f64)
    r3 = np.empty((n, 13), f64)
    v10 = np.zeros(13, f64)
    for i in range(n):
        for j in range(16):
            t14 = r0[i, 1, j]
            t15 = select(t14 > 0.0, 1.0, 0.0) - select(t14 < 0.0, 1.0, 0.0)
            t16 = select(t14 == t14, 0.5 * t15 + 0.5, t14)
            t17 = r0[i, 2, j]
            t18 = select(t17 > 0.0, 1.0, select(t17 < 0.0, -1.0, select(t17 == 0.0, 0.0, t17)))
            t19 = r0[i, 3, j] + 0.5
            t20 = select(t19 < 0.0, 0.0, t19)
            t21 = r0[i, 6, j]
            t22 = select(t21 > 0.0, t21, select(t21 <= 0.0, 0.0, t21))
            t23 = r0[i, 7, j]
            t24 = r0[i, 8, j]
            t25 = r0[i, 9, j]
            r2[i, 0, j] = r0[i, 0, j]
            r2[i, 1, j] = t16
            r2[i, 2, j] = t18
            r2[i, 3, j] = select(t20 > 1.0, 1.0, t20)
            r2[i, 4, j] = v5[i, j]
            r2[i, 5, j] = v6[i, j]
            r2[i, 6, j] = t22
            r2[i, 7, j] = select(t23 > 0.0, t23, 0.01 * t23)
            r2[i, 8, j] = select(t24 > 0.0, t24, 0.1 * t24)
            r2[i, 9, j] = select(t25 > 0.0, t25, slope[j] * t25)
            r2[i, 10, j] = select(r1[i, j], v2[i, j], v7[i, j])
            r2[i, 11, j] = v8[i, j]
            r2[i, 12, j] = v4[i, j]
        for j in range(13):
            total = f64(0.0)
            for k in range(16):
                total = fma(r2[i, j, k], V[j, k], total)
            v9[j] = total
        t26 = Y[i, 0]
        for j in range(13):
            yhat = v9[j] + c[j]
            t27 = yhat - t26
            r3[i, j] = t27
            v10[j] = fma(t27, t27, v10[j])
    J = np.empty(13, f64)
    for i in range(13):
        J[i] = v10[i] / t0
    return J, (r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14)


@jit
def backward(X, V, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 1], V f64[13, 16], r0 f64[n, 13, 16], r1 bool[n, 16], r2 f64[n, 13, 16],
            r3 f64[n, 13], r4 f64[n, 8], r5 f64[n, 8], r6 f64[n, 16], r7 f64[n, 16],
            r8 f64[n, 16], r9 f64[n, 16], r10 f64[n, 16], r11 f64[n, 16], r12 f64[n, 16],
            r13 f64[n, 16], r14 f64[n, 16], J_bar f64[13]
    Gives   W_bar, b_bar, V_bar, c_bar, slope_bar
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.zeros((n, 16), f64)
    v1 = np.zeros((n, 16), f64)
    t1 = J_bar[12] / t0
    v2 = np.zeros((n, 13, 16), f64)
    v3 = np.zeros((n, 13, 16), f64)
    v4 = np.zeros((n, 13, 16), f64)
    v5 = np.zeros((n, 13, 16), f64)
    v6 = np.zeros((n, 13, 16), f64)
    v7 = np.zeros((n, 13, 16), f64)
    v8 = np.zeros((n, 13, 16), f64)
    v9 = np.zeros((n, 13, 16), f64)
    v10 = np.zeros((n, 13, 16), f64)
    v11 = np.zeros((n, 13, 16), f64)
    slope_bar = np.zeros(16, f64)
    t7 = J_bar[11] / t0
    t10 = J_bar[10] / t0
    t16 = J_bar[9] / t0
    t19 = J_bar[8] / t0
    t21 = J_bar[7] / t0
    t23 = J_bar[6] / t0
    t28 = J_bar[5] / t0
    t30 = J_bar[4] / t0
    t32 = J_bar[3] / t0
    t37 = J_bar[0] / t0
    V_bar = np.zeros((13, 16), f64)
    c_bar = np.zeros(13, f64)
    v12 = np.zeros((n, 13, 16), f64)
    W_bar = np.zeros((13, 16), f64)
    b_bar = np.zeros((13, 16), f64)
    for i in range(n):
        # yhat = sum(... * V) + c
        yhat_bar = 2.0 * (t1 * r3[i, 12])
        for j in range(8):
            t2 = yhat_bar * V[12, j + 8] * 0.0
            t3 = yhat_bar * V[12, j]
            t4 = r4[i, j]
            t5 = select((t3 == 0.0) | (t4 == 0.0), 0.0, t3 * t4)
            t6 = r5[i, j]
            v0[i, j + 8] = t2 + t5
            v1[i, j] = select((t3 == 0.0) | (t6 == 0.0), 0.0, t3 * t6)
        t8 = 2.0 * (t7 * r3[i, 11])
        t11 = 2.0 * (t10 * r3[i, 10])
        t17 = 2.0 * (t16 * r3[i, 9])
        t20 = 2.0 * (t19 * r3[i, 8])
        t22 = 2.0 * (t21 * r3[i, 7])
        t24 = 2.0 * (t23 * r3[i, 6])
        t29 = 2.0 * (t28 * r3[i, 5])
        t31 = 2.0 * (t30 * r3[i, 4])
        t33 = 2.0 * (t32 * r3[i, 3])
        t38 = 2.0 * (t37 * r3[i, 0])
        for j in range(16):
            t9 = r1[i, j]
            t12 = t11 * V[10, j]
            t13 = r7[i, j]
            t14 = select(t9, 0.0, t12)
            t15 = select((t14 == 0.0) | (t13 == 0.0), 0.0, t14 * t13)
            t18 = t17 * V[9, j]
            t25 = r0[i, 6, j]
            t26 = t24 * V[6, j]
            t27 = select(t25 > 0.0, t26, select((t25 <= 0.0) | (t26 == 0.0), 0.0, t25))
            t34 = r13[i, j]
            t35 = t33 * V[3, j]
            t36 = select((t35 == 0.0) | (t34 == 0.0), 0.0, t35 * t34)
            v2[i, 11, j] = t8 * V[11, j] * r6[i, j]
            v3[i, 10, j] = select(t9, t12, 0.0) + t15
            v4[i, 9, j] = t18 * r8[i, j]
            v5[i, 8, j] = t20 * V[8, j] * r9[i, j]
            v6[i, 7, j] = t22 * V[7, j] * r10[i, j]
            v7[i, 6, j] = t27
            v8[i, 5, j] = t29 * V[5, j] * r11[i, j]
            v9[i, 4, j] = t31 * V[4, j] * r12[i, j]
            v10[i, 3, j] = t36
            v11[i, 0, j] = t38 * V[0, j]
            slope_bar[j] = fma(t18, r14[i, j], slope_bar[j])
        for j in range(13):
            t39 = 2.0 * (J_bar[j] / t0 * r3[i, j])
            for k in range(16):
                V_bar[j, k] = fma(t39, r2[i, j, k], V_bar[j, k])
        for j in range(13):
            c_bar[j] = fma(2.0, J_bar[j] / t0 * r3[i, j], c_bar[j])
        for j in range(16):
            v12[i, 12, j] = v0[i, j] + v1[i, j]
        t44 = X[i, 0]
        for j in range(13):
            for k in range(16):
                t40 = v12[i, j, k] + v2[i, j, k] + v3[i, j, k] + v4[i, j, k]
                t41 = t40 + v5[i, j, k] + v6[i, j, k] + v7[i, j, k]
                t42 = t41 + v8[i, j, k] + v9[i, j, k] + v10[i, j, k]
                t43 = t42 + v11[i, j, k]
                W_bar[j, k] += select((t43 == 0.0) | (t44 == 0.0), 0.0, t43 * t44)
                b_bar[j, k] += t43
    return W_bar, b_bar, V_bar, c_bar, slope_bar
