"""0.5 * sum(square(...)), and its gradient with respect to dense_kernel, dense_bias, dense_1_kernel, dense_1_bias, dense_2_kernel, dense_2_bias.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1281*n/128 add, n+1 mul, 3 dot, n/256 fold_sum, 4 same, 8*n sigmoid,
                    n/256 sum_error, 1 sum_with_error
    forward         1281*n/128 add, n+1 mul, 3 dot, n/256 fold_sum, 3 same, 8*n sigmoid,
                    8*n sigmoid_slope, n/256 sum_error, 1 sum_with_error
    backward        1025*n/128 add, 9*n mul, 5 dot, n/256 fold_sum, 2 same, n/256 sum_error,
                    1 sum_with_error
    value_and_grad  1153*n/64 add, 9*n+1 mul, 8 dot, n/128 fold_sum, 7 same, 8*n sigmoid,
                    8*n sigmoid_slope, n/128 sum_error, 2 sum_with_error
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
def sigmoid_slope(x):
    v = exp(-abs(x))
    b = v + 2.0
    u = fma(v, b, 1.0)
    inverse = 1.0 / u
    y = v * inverse
    lost = fma(-y, fma(v, b, 1.0 - u), fma(-y, u, v))
    return fma(lost, inverse, y)


@jit
def value(
    X, dense_kernel, dense_bias, dense_1_kernel, dense_1_bias, dense_2_kernel, dense_2_bias, y
):
    """The function value.

    Takes   X f64[n, 3], dense_kernel f64[3, 4], dense_bias f64[4], dense_1_kernel f64[4, 4],
            dense_1_bias f64[4], dense_2_kernel f64[4, 1], dense_2_bias f64[1], y f64[n, 1]
    Gives   f
    """
    n = X.shape[0]
    v0 = np.empty((n, 4), f64)
    matmul(X, dense_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + dense_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 4):
        a2_flat[i] = sigmoid(z2_flat[i])
    # in the memory of z2, which is read no more
    v1 = z2
    matmul(a2, dense_1_kernel, v1)
    # in the memory of a2, which is read no more
    z3 = a2
    for i in range(n):
        for j in range(4):
            z3[i, j] = v1[i, j] + dense_1_bias[j]
    # in the memory of v1, which is read no more
    a3 = v1
    z3_flat = z3.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 4):
        a3_flat[i] = sigmoid(z3_flat[i])
    v2 = np.empty((n, 1), f64)
    matmul(a3, dense_2_kernel, v2)
    y_flat = y.reshape(-1)
    v2_flat = v2.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t0 = dense_2_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            yhat = v2_flat[start + i] + t0
            r2 = y_flat[start + i] - yhat
            terms[i] = r2 * r2
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t1 = sum_with_error(total, rest)
    f = 0.5 * t1
    return f


@jit
def forward(
    X, dense_kernel, dense_bias, dense_1_kernel, dense_1_bias, dense_2_kernel, dense_2_bias, y
):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 3], dense_kernel f64[3, 4], dense_bias f64[4], dense_1_kernel f64[4, 4],
            dense_1_bias f64[4], dense_2_kernel f64[4, 1], dense_2_bias f64[1], y f64[n, 1]
    Gives   f, (a2, a3, r2, z3_slope, z2_slope)
    """
    n = X.shape[0]
    v0 = np.empty((n, 4), f64)
    matmul(X, dense_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + dense_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_slope = np.empty((n, 4), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 4):
        t0 = z2_flat[i]
        a2_flat[i] = sigmoid(t0)
        z2_slope_flat[i] = sigmoid_slope(t0)
    # in the memory of z2, which is read no more
    v1 = z2
    matmul(a2, dense_1_kernel, v1)
    z3 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z3[i, j] = v1[i, j] + dense_1_bias[j]
    # in the memory of v1, which is read no more
    a3 = v1
    z3_slope = np.empty((n, 4), f64)
    z3_flat = z3.reshape(-1)
    a3_flat = a3.reshape(-1)
    z3_slope_flat = z3_slope.reshape(-1)
    for i in range(n * 4):
        t1 = z3_flat[i]
        a3_flat[i] = sigmoid(t1)
        z3_slope_flat[i] = sigmoid_slope(t1)
    v2 = np.empty((n, 1), f64)
    matmul(a3, dense_2_kernel, v2)
    r2 = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    v2_flat = v2.reshape(-1)
    r2_flat = r2.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t2 = dense_2_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            yhat = v2_flat[start + i] + t2
            t3 = y_flat[start + i] - yhat
            r2_flat[start + i] = t3
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t4 = sum_with_error(total, rest)
    f = 0.5 * t4
    return f, (a2, a3, r2, z3_slope, z2_slope)


@jit
def backward(X, dense_1_kernel, dense_2_kernel, a2, a3, r2, z3_slope, z2_slope, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 3], dense_1_kernel f64[4, 4], dense_2_kernel f64[4, 1], a2 f64[n, 4],
            a3 f64[n, 4], r2 f64[n, 1], z3_slope f64[n, 4], z2_slope f64[n, 4], f_bar f64
    Gives   dense_kernel_bar, dense_bias_bar, dense_1_kernel_bar, dense_1_bias_bar,
            dense_2_kernel_bar, dense_2_bias_bar
    """
    n = X.shape[0]
    yhat_bar = np.empty((n, 1), f64)
    v0 = np.empty(1, f64)
    r2_flat = r2.reshape(-1)
    yhat_bar_flat = yhat_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t0 = f_bar * r2_flat[start + i]
            # yhat = a3 @ dense_2_kernel + dense_2_bias
            yhat_bar_flat[start + i] = -t0
            terms[i] = t0
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    v0[0] = sum_with_error(total, rest)
    a3_bar = np.empty((n, 4), f64)
    # a3 = sigmoid(z3)
    matmul(yhat_bar, dense_2_kernel.T, a3_bar)
    dense_2_kernel_bar = np.empty((4, 1), f64)
    matmul(a3.T, yhat_bar, dense_2_kernel_bar)
    dense_2_bias_bar = np.empty(1, f64)
    dense_2_bias_bar[0] = -v0[0]
    z3_bar = np.empty((n, 4), f64)
    dense_1_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t1 = a3_bar[i, j] * z3_slope[i, j]
            # z3 = a2 @ dense_1_kernel + dense_1_bias
            z3_bar[i, j] = t1
            dense_1_bias_bar[j] += t1
    # in the memory of a3_bar, which is read no more
    a2_bar = a3_bar
    # a2 = sigmoid(z2)
    matmul(z3_bar, dense_1_kernel.T, a2_bar)
    dense_1_kernel_bar = np.empty((4, 4), f64)
    matmul(a2.T, z3_bar, dense_1_kernel_bar)
    # in the memory of z3_bar, which is read no more
    z2_bar = z3_bar
    dense_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t2 = a2_bar[i, j] * z2_slope[i, j]
            # z2 = X @ dense_kernel + dense_bias
            z2_bar[i, j] = t2
            dense_bias_bar[j] += t2
    dense_kernel_bar = np.empty((3, 4), f64)
    matmul(X.T, z2_bar, dense_kernel_bar)
    return (
        dense_kernel_bar, dense_bias_bar, dense_1_kernel_bar, dense_1_bias_bar, dense_2_kernel_bar,
        dense_2_bias_bar
    )


@jit
def value_and_grad(
    X, dense_kernel, dense_bias, dense_1_kernel, dense_1_bias, dense_2_kernel, dense_2_bias, y
):
    """The value and its gradients.

    Takes   X f64[n, 3], dense_kernel f64[3, 4], dense_bias f64[4], dense_1_kernel f64[4, 4],
            dense_1_bias f64[4], dense_2_kernel f64[4, 1], dense_2_bias f64[1], y f64[n, 1]
    Gives   f, (dense_kernel_bar, dense_bias_bar, dense_1_kernel_bar, dense_1_bias_bar,
            dense_2_kernel_bar, dense_2_bias_bar)
    """
    n = X.shape[0]
    v0 = np.empty((n, 4), f64)
    matmul(X, dense_kernel, v0)
    z2 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z2[i, j] = v0[i, j] + dense_bias[j]
    # in the memory of v0, which is read no more
    a2 = v0
    z2_slope = np.empty((n, 4), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 4):
        t0 = z2_flat[i]
        a2_flat[i] = sigmoid(t0)
        z2_slope_flat[i] = sigmoid_slope(t0)
    # in the memory of z2, which is read no more
    v1 = z2
    matmul(a2, dense_1_kernel, v1)
    z3 = np.empty((n, 4), f64)
    for i in range(n):
        for j in range(4):
            z3[i, j] = v1[i, j] + dense_1_bias[j]
    # in the memory of v1, which is read no more
    a3 = v1
    z3_slope = np.empty((n, 4), f64)
    z3_flat = z3.reshape(-1)
    a3_flat = a3.reshape(-1)
    z3_slope_flat = z3_slope.reshape(-1)
    for i in range(n * 4):
        t1 = z3_flat[i]
        a3_flat[i] = sigmoid(t1)
        z3_slope_flat[i] = sigmoid_slope(t1)
    v2 = np.empty((n, 1), f64)
    matmul(a3, dense_2_kernel, v2)
    yhat_bar = np.empty((n, 1), f64)
    v3 = np.empty(1, f64)
    y_flat = y.reshape(-1)
    v2_flat = v2.reshape(-1)
    yhat_bar_flat = yhat_bar.reshape(-1)
    terms = np.empty(256, f64)
    terms1 = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    total1 = f64(0.0)
    rest1 = f64(0.0)
    t2 = dense_2_bias[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            yhat = v2_flat[start + i] + t2
            r2 = y_flat[start + i] - yhat
            # yhat = a3 @ dense_2_kernel + dense_2_bias
            yhat_bar_flat[start + i] = -r2
            terms[i] = r2 * r2
            terms1[i] = r2
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
        part1 = fold_sum(terms1, count)
        rest1 += sum_error(total1, part1)
        total1 += part1
    v3[0] = sum_with_error(total1, rest1)
    t3 = sum_with_error(total, rest)
    f = 0.5 * t3
    # in the memory of z3, which is read no more
    a3_bar = z3
    # a3 = sigmoid(z3)
    matmul(yhat_bar, dense_2_kernel.T, a3_bar)
    dense_2_kernel_bar = np.empty((4, 1), f64)
    matmul(a3.T, yhat_bar, dense_2_kernel_bar)
    dense_2_bias_bar = np.empty(1, f64)
    dense_2_bias_bar[0] = -v3[0]
    # in the memory of a3, which is read no more
    z3_bar = a3
    dense_1_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t4 = a3_bar[i, j] * z3_slope[i, j]
            # z3 = a2 @ dense_1_kernel + dense_1_bias
            z3_bar[i, j] = t4
            dense_1_bias_bar[j] += t4
    # in the memory of z3_slope, which is read no more
    a2_bar = z3_slope
    # a2 = sigmoid(z2)
    matmul(z3_bar, dense_1_kernel.T, a2_bar)
    dense_1_kernel_bar = np.empty((4, 4), f64)
    matmul(a2.T, z3_bar, dense_1_kernel_bar)
    # in the memory of z3_bar, which is read no more
    z2_bar = z3_bar
    dense_bias_bar = np.zeros(4, f64)
    for i in range(n):
        for j in range(4):
            t5 = a2_bar[i, j] * z2_slope[i, j]
            # z2 = X @ dense_kernel + dense_bias
            z2_bar[i, j] = t5
            dense_bias_bar[j] += t5
    dense_kernel_bar = np.empty((3, 4), f64)
    matmul(X.T, z2_bar, dense_kernel_bar)
    return (
        f, (dense_kernel_bar, dense_bias_bar, dense_1_kernel_bar, dense_1_bias_bar,
        dense_2_kernel_bar, dense_2_bias_bar)
    )
