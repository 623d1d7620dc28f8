"""J, and its gradient with respect to W1, W2, W3, W4.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1153*n/128 add, n mul, 1 div, 4 dot, n/256 fold_sum, 6 same, 32*n sigmoid,
                    n/256 sum_error, 1 sum_with_error
    forward         1153*n/128 add, n mul, 1 div, 4 dot, n/256 fold_sum, 3 same, 32*n sigmoid,
                    32*n sigmoid_slope, n/256 sum_error, 1 sum_with_error
    backward        34*n mul, 1 div, 7 dot, 5 same
    value_and_grad  1281*n/128 add, 34*n mul, n+1 div, 11 dot, n/256 fold_sum, 10 same,
                    32*n sigmoid, 32*n sigmoid_slope, n/256 sum_error, 1 sum_with_error
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
def value(X, y, W1, W2, W3, W4):
    """The function value.

    Takes   X f64[n, 8], y f64[n, 1], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   J
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 8), f64)
    matmul(X, W1, v0)
    a1 = np.empty((n, 8), f64)
    v0_flat = v0.reshape(-1)
    a1_flat = a1.reshape(-1)
    for i in range(n * 8):
        a1_flat[i] = sigmoid(v0_flat[i])
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(a1, W2, v1)
    # in the memory of a1, which is read no more
    a2 = a1
    v1_flat = v1.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        a2_flat[i] = sigmoid(v1_flat[i])
    # in the memory of v1, which is read no more
    v2 = v1
    matmul(a2, W3, v2)
    # in the memory of a2, which is read no more
    a3 = a2
    v2_flat = v2.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        a3_flat[i] = sigmoid(v2_flat[i])
    # in the memory of v2, which is read no more
    v3 = v2
    matmul(a3, W4, v3)
    # in the memory of a3, which is read no more
    a4 = a3
    v3_flat = v3.reshape(-1)
    a4_flat = a4.reshape(-1)
    for i in range(n * 8):
        a4_flat[i] = sigmoid(v3_flat[i])
    v4 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            total += a4[i, j]
        v4[i] = total
    y_flat = y.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            r3 = v4[start + i] - y_flat[start + i]
            terms[i] = r3 * r3
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t1 = sum_with_error(total1, rest)
    J = t1 / t0
    return J


@jit
def forward(X, y, W1, W2, W3, W4):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 8], y f64[n, 1], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   J, (a1, a2, a3, r3, r4, r5, r6, r7)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 8), f64)
    matmul(X, W1, v0)
    a1 = np.empty((n, 8), f64)
    r7 = np.empty((n, 8), f64)
    v0_flat = v0.reshape(-1)
    a1_flat = a1.reshape(-1)
    r7_flat = r7.reshape(-1)
    for i in range(n * 8):
        t1 = v0_flat[i]
        a1_flat[i] = sigmoid(t1)
        r7_flat[i] = sigmoid_slope(t1)
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(a1, W2, v1)
    a2 = np.empty((n, 8), f64)
    r6 = np.empty((n, 8), f64)
    v1_flat = v1.reshape(-1)
    a2_flat = a2.reshape(-1)
    r6_flat = r6.reshape(-1)
    for i in range(n * 8):
        t2 = v1_flat[i]
        a2_flat[i] = sigmoid(t2)
        r6_flat[i] = sigmoid_slope(t2)
    # in the memory of v1, which is read no more
    v2 = v1
    matmul(a2, W3, v2)
    a3 = np.empty((n, 8), f64)
    r5 = np.empty((n, 8), f64)
    v2_flat = v2.reshape(-1)
    a3_flat = a3.reshape(-1)
    r5_flat = r5.reshape(-1)
    for i in range(n * 8):
        t3 = v2_flat[i]
        a3_flat[i] = sigmoid(t3)
        r5_flat[i] = sigmoid_slope(t3)
    # in the memory of v2, which is read no more
    v3 = v2
    matmul(a3, W4, v3)
    a4 = np.empty((n, 8), f64)
    r4 = np.empty((n, 8), f64)
    v3_flat = v3.reshape(-1)
    a4_flat = a4.reshape(-1)
    r4_flat = r4.reshape(-1)
    for i in range(n * 8):
        t4 = v3_flat[i]
        a4_flat[i] = sigmoid(t4)
        r4_flat[i] = sigmoid_slope(t4)
    v4 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            total += a4[i, j]
        v4[i] = total
    r3 = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    r3_flat = r3.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t5 = v4[start + i] - y_flat[start + i]
            r3_flat[start + i] = t5
            terms[i] = t5 * t5
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t6 = sum_with_error(total1, rest)
    J = t6 / t0
    return J, (a1, a2, a3, r3, r4, r5, r6, r7)


@jit
def backward(X, W2, W3, W4, a1, a2, a3, r3, r4, r5, r6, r7, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8], a1 f64[n, 8], a2 f64[n, 8],
            a3 f64[n, 8], r3 f64[n, 1], r4 f64[n, 8], r5 f64[n, 8], r6 f64[n, 8], r7 f64[n, 8],
            J_bar f64
    Gives   W1_bar, W2_bar, W3_bar, W4_bar
    """
    n = X.shape[0]
    t0 = J_bar / f64(n)
    v0 = np.empty((n, 8), f64)
    for i in range(n):
        t1 = 2.0 * (t0 * r3[i, 0])
        for j in range(8):
            v0[i, j] = t1 * r4[i, j]
    a3_bar = np.empty((n, 8), f64)
    # a3 = sigmoid(a2 @ W3)
    matmul(v0, W4.T, a3_bar)
    W4_bar = np.empty((8, 8), f64)
    matmul(a3.T, v0, W4_bar)
    # in the memory of v0, which is read no more
    v1 = v0
    a3_bar_flat = a3_bar.reshape(-1)
    r5_flat = r5.reshape(-1)
    v1_flat = v1.reshape(-1)
    for i in range(n * 8):
        v1_flat[i] = a3_bar_flat[i] * r5_flat[i]
    # in the memory of a3_bar, which is read no more
    a2_bar = a3_bar
    # a2 = sigmoid(a1 @ W2)
    matmul(v1, W3.T, a2_bar)
    W3_bar = np.empty((8, 8), f64)
    matmul(a2.T, v1, W3_bar)
    # in the memory of v1, which is read no more
    v2 = v1
    a2_bar_flat = a2_bar.reshape(-1)
    r6_flat = r6.reshape(-1)
    v2_flat = v2.reshape(-1)
    for i in range(n * 8):
        v2_flat[i] = a2_bar_flat[i] * r6_flat[i]
    # in the memory of a2_bar, which is read no more
    a1_bar = a2_bar
    # a1 = sigmoid(X @ W1)
    matmul(v2, W2.T, a1_bar)
    W2_bar = np.empty((8, 8), f64)
    matmul(a1.T, v2, W2_bar)
    # in the memory of v2, which is read no more
    v3 = v2
    a1_bar_flat = a1_bar.reshape(-1)
    r7_flat = r7.reshape(-1)
    v3_flat = v3.reshape(-1)
    for i in range(n * 8):
        v3_flat[i] = a1_bar_flat[i] * r7_flat[i]
    W1_bar = np.empty((8, 8), f64)
    matmul(X.T, v3, W1_bar)
    return W1_bar, W2_bar, W3_bar, W4_bar


@jit
def value_and_grad(X, y, W1, W2, W3, W4):
    """The value and its gradients.

    Takes   X f64[n, 8], y f64[n, 1], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   J, (W1_bar, W2_bar, W3_bar, W4_bar)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 8), f64)
    matmul(X, W1, v0)
    a1 = np.empty((n, 8), f64)
    r7 = np.empty((n, 8), f64)
    v0_flat = v0.reshape(-1)
    a1_flat = a1.reshape(-1)
    r7_flat = r7.reshape(-1)
    for i in range(n * 8):
        t1 = v0_flat[i]
        a1_flat[i] = sigmoid(t1)
        r7_flat[i] = sigmoid_slope(t1)
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(a1, W2, v1)
    a2 = np.empty((n, 8), f64)
    r6 = np.empty((n, 8), f64)
    v1_flat = v1.reshape(-1)
    a2_flat = a2.reshape(-1)
    r6_flat = r6.reshape(-1)
    for i in range(n * 8):
        t2 = v1_flat[i]
        a2_flat[i] = sigmoid(t2)
        r6_flat[i] = sigmoid_slope(t2)
    # in the memory of v1, which is read no more
    v2 = v1
    matmul(a2, W3, v2)
    a3 = np.empty((n, 8), f64)
    r5 = np.empty((n, 8), f64)
    v2_flat = v2.reshape(-1)
    a3_flat = a3.reshape(-1)
    r5_flat = r5.reshape(-1)
    for i in range(n * 8):
        t3 = v2_flat[i]
        a3_flat[i] = sigmoid(t3)
        r5_flat[i] = sigmoid_slope(t3)
    # in the memory of v2, which is read no more
    v3 = v2
    matmul(a3, W4, v3)
    a4 = np.empty((n, 8), f64)
    r4 = np.empty((n, 8), f64)
    v3_flat = v3.reshape(-1)
    a4_flat = a4.reshape(-1)
    r4_flat = r4.reshape(-1)
    for i in range(n * 8):
        t4 = v3_flat[i]
        a4_flat[i] = sigmoid(t4)
        r4_flat[i] = sigmoid_slope(t4)
    v4 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            total += a4[i, j]
        v4[i] = total
    y_flat = y.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            r3 = v4[start + i] - y_flat[start + i]
            terms[i] = r3 * r3
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t5 = sum_with_error(total1, rest)
    # in the memory of a4, which is read no more
    v5 = a4
    for i in range(n):
        t6 = 2.0 * ((v4[i] - y[i, 0]) / t0)
        for j in range(8):
            v5[i, j] = t6 * r4[i, j]
    J = t5 / t0
    # in the memory of r4, which is read no more
    a3_bar = r4
    # a3 = sigmoid(a2 @ W3)
    matmul(v5, W4.T, a3_bar)
    W4_bar = np.empty((8, 8), f64)
    matmul(a3.T, v5, W4_bar)
    # in the memory of v5, which is read no more
    v6 = v5
    a3_bar_flat = a3_bar.reshape(-1)
    v6_flat = v6.reshape(-1)
    for i in range(n * 8):
        v6_flat[i] = a3_bar_flat[i] * r5_flat[i]
    # in the memory of r5, which is read no more
    a2_bar = r5
    # a2 = sigmoid(a1 @ W2)
    matmul(v6, W3.T, a2_bar)
    W3_bar = np.empty((8, 8), f64)
    matmul(a2.T, v6, W3_bar)
    # in the memory of v6, which is read no more
    v7 = v6
    a2_bar_flat = a2_bar.reshape(-1)
    v7_flat = v7.reshape(-1)
    for i in range(n * 8):
        v7_flat[i] = a2_bar_flat[i] * r6_flat[i]
    # in the memory of r6, which is read no more
    a1_bar = r6
    # a1 = sigmoid(X @ W1)
    matmul(v7, W2.T, a1_bar)
    W2_bar = np.empty((8, 8), f64)
    matmul(a1.T, v7, W2_bar)
    # in the memory of v7, which is read no more
    v8 = v7
    a1_bar_flat = a1_bar.reshape(-1)
    v8_flat = v8.reshape(-1)
    for i in range(n * 8):
        v8_flat[i] = a1_bar_flat[i] * r7_flat[i]
    W1_bar = np.empty((8, 8), f64)
    matmul(X.T, v8, W1_bar)
    return J, (W1_bar, W2_bar, W3_bar, W4_bar)
