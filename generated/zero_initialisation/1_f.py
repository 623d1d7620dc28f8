"""sum(logistic_loss(..., y)) / n, and its gradient with respect to hidden_kernel, hidden_bias, out_kernel, out_bias.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           897*n/128 add, 2*n mul, 1 div, 2 dot, n/256 fold_sum, 1 same, n softplus,
                    n/256 sum_error, 1 sum_with_error, 4*n tanh
    forward         1281*n/128 add, 2*n mul, 1 div, 2 dot, n/256 fold_sum, 1 same, n sigmoid,
                    n softplus, n/256 sum_error, 1 sum_with_error, 4*n tanh, 4*n tanh_slope
    backward        513*n/128 add, 5*n mul, 1 div, 3 dot, n/256 fold_sum, n/256 sum_error,
                    1 sum_with_error
    value_and_grad  897*n/64 add, 6*n mul, n+1 div, 5 dot, n/128 fold_sum, 3 same, n sigmoid,
                    n softplus, n/128 sum_error, 2 sum_with_error, 4*n tanh, 4*n tanh_slope
"""

from functools import wraps

import numpy as np

from symgrad.runtime.chains import matmul
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


@helper
def fold_sum(terms, count):
    """Fold ``count`` terms (at most 256) pairwise, in place."""
    for i in range(count, 256):
        terms[i] = -0.0
    if count > 128:
        for i in range(128):
            terms[i] += terms[i + 128]
    if count > 64:
        for i in range(64):
            terms[i] += terms[i + 64]
    if count > 32:
        for i in range(32):
            terms[i] += terms[i + 32]
    if count > 16:
        for i in range(16):
            terms[i] += terms[i + 16]
    for i in range(8):
        terms[i] += terms[i + 8]
    for i in range(4):
        terms[i] += terms[i + 4]
    for i in range(2):
        terms[i] += terms[i + 2]
    for i in range(1):
        terms[i] += terms[i + 1]
    return terms[0]


@inline
def sum_error(a, b):
    """a + b minus its rounded value (TwoSum, Knuth)."""
    s = a + b
    t = s - a
    return a - (s - t) + (b - t)


@inline
def sum_with_error(total, rest):
    """total + rest; an overflowing total stays as it is."""
    return select(rest == rest, total + rest, total)


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
def sigmoid(x):
    v = exp(-abs(x))
    w = v / (1.0 + v)
    return select(x < 0.0, fma(-w, v, v), 1.0 - w)


@jit
def value(X, hidden_kernel, hidden_bias, out_kernel, out_bias, y):
    """The function value.

    Takes   X f64[n, 2], hidden_kernel f64[2, 4], hidden_bias f64[4], out_kernel f64[4, 1],
            out_bias f64[1], y f64[n, 1]
    Gives   f
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 4), f64)
    matmul(X, hidden_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + hidden_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 4):
        a2_flat[i] = tanh(z2_flat[i])
    v1 = np.empty((n, 1), f64)
    matmul(a2, out_kernel, v1)
    v1_flat = v1.reshape(-1)
    y_flat = y.reshape(-1)
    terms = np.empty(256, f64)
    held = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t1 = out_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v1_flat[start + i] + t1
            t2 = y_flat[start + i]
            held[i] = z
        for i in range(count):
            t2 = y_flat[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t2), -(z * t2)) + softplus(-abs(z))
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    f = t3 / t0
    return f


@jit
def forward(X, hidden_kernel, hidden_bias, out_kernel, out_bias, y):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 2], hidden_kernel f64[2, 4], hidden_bias f64[4], out_kernel f64[4, 1],
            out_bias f64[1], y f64[n, 1]
    Gives   f, (a2, r1, z2_slope)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 4), f64)
    matmul(X, hidden_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + hidden_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_slope = np.empty((n, 4), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 4):
        t1 = z2_flat[i]
        a2_flat[i] = tanh(t1)
        z2_slope_flat[i] = tanh_slope(t1)
    v1 = np.empty((n, 1), f64)
    matmul(a2, out_kernel, v1)
    r1 = np.empty((n, 1), f64)
    v1_flat = v1.reshape(-1)
    y_flat = y.reshape(-1)
    r1_flat = r1.reshape(-1)
    terms = np.empty(256, f64)
    held = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t2 = out_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v1_flat[start + i] + t2
            t3 = y_flat[start + i]
            t4 = sigmoid(-abs(z))
            r1_flat[start + i] = select(z >= 0.0, 1.0 - t3 - t4, t4 - t3)
            held[i] = z
        for i in range(count):
            t3 = y_flat[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t3), -(z * t3)) + softplus(-abs(z))
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t5 = sum_with_error(total, rest)
    f = t5 / t0
    return f, (a2, r1, z2_slope)


@jit
def backward(X, out_kernel, a2, r1, z2_slope, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 2], out_kernel f64[4, 1], a2 f64[n, 4], r1 f64[n, 1], z2_slope f64[n, 4],
            f_bar f64
    Gives   hidden_kernel_bar, hidden_bias_bar, out_kernel_bar, out_bias_bar
    """
    n = X.shape[0]
    t0 = f_bar / f64(n)
    z_bar = np.empty((n, 1), f64)
    out_bias_bar = np.empty(1, f64)
    r1_flat = r1.reshape(-1)
    z_bar_flat = z_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = t0 * r1_flat[start + i]
            # z = a2 @ out_kernel + out_bias
            z_bar_flat[start + i] = t1
            terms[i] = t1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    out_bias_bar[0] = sum_with_error(total, rest)
    a2_bar = np.empty((n, 4), f64)
    # a2 = tanh(z2)
    matmul(z_bar, out_kernel.T, a2_bar)
    out_kernel_bar = np.empty((4, 1), f64)
    matmul(a2.T, z_bar, out_kernel_bar)
    z2_bar = np.empty((n, 4), f64)
    hidden_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t2 = a2_bar[i, j] * z2_slope[i, j]
            # z2 = X @ hidden_kernel + hidden_bias
            z2_bar[i, j] = t2
            hidden_bias_bar[j] += t2
    hidden_kernel_bar = np.empty((2, 4), f64)
    matmul(X.T, z2_bar, hidden_kernel_bar)
    return hidden_kernel_bar, hidden_bias_bar, out_kernel_bar, out_bias_bar


@jit
def value_and_grad(X, hidden_kernel, hidden_bias, out_kernel, out_bias, y):
    """The value and its gradients.

    Takes   X f64[n, 2], hidden_kernel f64[2, 4], hidden_bias f64[4], out_kernel f64[4, 1],
            out_bias f64[1], y f64[n, 1]
    Gives   f, (hidden_kernel_bar, hidden_bias_bar, out_kernel_bar, out_bias_bar)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 4), f64)
    matmul(X, hidden_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + hidden_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_slope = np.empty((n, 4), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 4):
        t1 = z2_flat[i]
        a2_flat[i] = tanh(t1)
        z2_slope_flat[i] = tanh_slope(t1)
    v1 = np.empty((n, 1), f64)
    matmul(a2, out_kernel, v1)
    z_bar = np.empty((n, 1), f64)
    out_bias_bar = np.empty(1, f64)
    v1_flat = v1.reshape(-1)
    y_flat = y.reshape(-1)
    z_bar_flat = z_bar.reshape(-1)
    terms = np.empty(256, f64)
    terms1 = np.empty(256, f64)
    held = np.empty(256, f64)
    held1 = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    total1 = f64(0.0)
    rest1 = f64(0.0)
    t2 = out_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v1_flat[start + i] + t2
            t3 = y_flat[start + i]
            t4 = sigmoid(-abs(z))
            r1 = select(z >= 0.0, 1.0 - t3 - t4, t4 - t3)
            held[i] = z
            held1[i] = r1
        for i in range(count):
            r1 = held1[i]
            t5 = r1 / t0
            # z = a2 @ out_kernel + out_bias
            z_bar_flat[start + i] = t5
        for i in range(count):
            t3 = y_flat[start + i]
            t5 = z_bar_flat[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t3), -(z * t3)) + softplus(-abs(z))
            terms1[i] = t5
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
        part1 = fold_sum(terms1, count)
        rest1 += sum_error(total1, part1)
        total1 += part1
    out_bias_bar[0] = sum_with_error(total1, rest1)
    t6 = sum_with_error(total, rest)
    f = t6 / t0
    # in the memory of z2, which is read no more
    a2_bar = z2
    # a2 = tanh(z2)
    matmul(z_bar, out_kernel.T, a2_bar)
    out_kernel_bar = np.empty((4, 1), f64)
    matmul(a2.T, z_bar, out_kernel_bar)
    # in the memory of a2, which is read no more
    z2_bar = a2
    hidden_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t7 = a2_bar[i, j] * z2_slope[i, j]
            # z2 = X @ hidden_kernel + hidden_bias
            z2_bar[i, j] = t7
            hidden_bias_bar[j] += t7
    hidden_kernel_bar = np.empty((2, 4), f64)
    matmul(X.T, z2_bar, hidden_kernel_bar)
    return f, (hidden_kernel_bar, hidden_bias_bar, out_kernel_bar, out_bias_bar)
