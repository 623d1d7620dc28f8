"""J, and its gradient with respect to W1, W2, W3, b1, b2, b3.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1281*m/128 add, m mul, 1 div, 3 dot, m/256 fold_sum, 2 same, 8*m sigmoid,
                    m/256 sum_error, 1 sum_with_error
    forward         1281*m/128 add, m mul, 1 div, 3 dot, m/256 fold_sum, 1 same, 8*m sigmoid,
                    8*m sigmoid_slope, m/256 sum_error, 1 sum_with_error
    backward        9*m/128 add, 9*m mul, 5 dot, 9*m/256 fold_sum, 2 same, 9*m/256 sum_error,
                    9 sum_with_error
    value_and_grad  1157*m/64 add, 9*m mul, 1 div, 8 dot, 5*m/128 fold_sum, 3 same, 8*m sigmoid,
                    8*m sigmoid_slope, 5*m/128 sum_error, 10 sum_with_error
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
def value(X, Y, W1, W2, W3, b1, b2, b3):
    """The function value.

    Takes   X f64[3, m], Y f64[1, m], W1 f64[4, 3], W2 f64[4, 4], W3 f64[1, 4], b1 f64[4, 1],
            b2 f64[4, 1], b3 f64[1, 1]
    Gives   J
    """
    m = X.shape[1]
    v0 = np.empty((4, m), f64)
    matmul(W1, X, v0)
    a1 = np.empty((4, m), f64)
    for i in range(4):
        t0 = b1[i, 0]
        for j in range(m):
            z1 = v0[i, j] + t0
            a1[i, j] = sigmoid(z1)
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(W2, a1, v1)
    # in the memory of a1, which is read no more
    a2 = a1
    for i in range(4):
        t1 = b2[i, 0]
        for j in range(m):
            z2 = v1[i, j] + t1
            a2[i, j] = sigmoid(z2)
    v2 = np.empty((1, m), f64)
    matmul(W3, a2, v2)
    v2_flat = v2.reshape(-1)
    Y_flat = Y.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t2 = b3[0, 0]
    for block in range((m + 255) // 256):
        start = block * 256
        count = select(m - start < 256, m - start, 256)
        for i in range(count):
            z3 = v2_flat[start + i] + t2
            r2 = z3 - Y_flat[start + i]
            terms[i] = r2 * r2
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    J = t3 / 2.0
    return J


@jit
def forward(X, Y, W1, W2, W3, b1, b2, b3):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[3, m], Y f64[1, m], W1 f64[4, 3], W2 f64[4, 4], W3 f64[1, 4], b1 f64[4, 1],
            b2 f64[4, 1], b3 f64[1, 1]
    Gives   J, (a1, a2, r2, z2_slope, z1_slope)
    """
    m = X.shape[1]
    v0 = np.empty((4, m), f64)
    matmul(W1, X, v0)
    a1 = np.empty((4, m), f64)
    z1_slope = np.empty((4, m), f64)
    for i in range(4):
        t0 = b1[i, 0]
        for j in range(m):
            z1 = v0[i, j] + t0
            a1[i, j] = sigmoid(z1)
            z1_slope[i, j] = sigmoid_slope(z1)
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(W2, a1, v1)
    a2 = np.empty((4, m), f64)
    z2_slope = np.empty((4, m), f64)
    for i in range(4):
        t1 = b2[i, 0]
        for j in range(m):
            z2 = v1[i, j] + t1
            a2[i, j] = sigmoid(z2)
            z2_slope[i, j] = sigmoid_slope(z2)
    v2 = np.empty((1, m), f64)
    matmul(W3, a2, v2)
    r2 = np.empty((1, m), f64)
    v2_flat = v2.reshape(-1)
    Y_flat = Y.reshape(-1)
    r2_flat = r2.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t2 = b3[0, 0]
    for block in range((m + 255) // 256):
        start = block * 256
        count = select(m - start < 256, m - start, 256)
        for i in range(count):
            z3 = v2_flat[start + i] + t2
            t3 = z3 - Y_flat[start + i]
            r2_flat[start + i] = t3
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t4 = sum_with_error(total, rest)
    J = t4 / 2.0
    return J, (a1, a2, r2, z2_slope, z1_slope)


@jit
def backward(W2, W3, X, a1, a2, r2, z2_slope, z1_slope, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   W2 f64[4, 4], W3 f64[1, 4], X f64[3, m], a1 f64[4, m], a2 f64[4, m], r2 f64[1, m],
            z2_slope f64[4, m], z1_slope f64[4, m], J_bar f64
    Gives   W1_bar, W2_bar, W3_bar, b1_bar, b2_bar, b3_bar
    """
    m = X.shape[1]
    z3_bar = np.empty((1, m), f64)
    v0 = np.empty(1, f64)
    r2_flat = r2.reshape(-1)
    z3_bar_flat = z3_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((m + 255) // 256):
        start = block * 256
        count = select(m - start < 256, m - start, 256)
        for i in range(count):
            t0 = J_bar * r2_flat[start + i]
            # z3 = W3 @ a2 + b3
            z3_bar_flat[start + i] = t0
            terms[i] = t0
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    v0[0] = sum_with_error(total, rest)
    a2_bar = np.empty((4, m), f64)
    # a2 = sigmoid(z2)
    matmul(W3.T, z3_bar, a2_bar)
    W3_bar = np.empty((1, 4), f64)
    matmul(z3_bar, a2.T, W3_bar)
    b3_bar = np.empty((1, 1), f64)
    b3_bar[0, 0] = v0[0]
    z2_bar = np.empty((4, m), f64)
    v1 = np.empty(4, f64)
    for i in range(4):
        total1 = f64(0.0)
        rest1 = f64(0.0)
        for block1 in range((m + 255) // 256):
            start1 = block1 * 256
            count1 = select(m - start1 < 256, m - start1, 256)
            for j in range(count1):
                t1 = a2_bar[i, start1 + j] * z2_slope[i, start1 + j]
                # z2 = W2 @ a1 + b2
                z2_bar[i, start1 + j] = t1
                terms[j] = t1
            part1 = fold_sum(terms, count1)
            rest1 += sum_error(total1, part1)
            total1 += part1
        v1[i] = sum_with_error(total1, rest1)
    # in the memory of a2_bar, which is read no more
    a1_bar = a2_bar
    # a1 = sigmoid(z1)
    matmul(W2.T, z2_bar, a1_bar)
    W2_bar = np.empty((4, 4), f64)
    matmul(z2_bar, a1.T, W2_bar)
    b2_bar = np.empty((4, 1), f64)
    b2_bar_flat = b2_bar.reshape(-1)
    for i in range(4):
        b2_bar_flat[i] = v1[i]
    # in the memory of z2_bar, which is read no more
    z1_bar = z2_bar
    v2 = np.empty(4, f64)
    for i in range(4):
        total2 = f64(0.0)
        rest2 = f64(0.0)
        for block2 in range((m + 255) // 256):
            start2 = block2 * 256
            count2 = select(m - start2 < 256, m - start2, 256)
            for j in range(count2):
                t2 = a1_bar[i, start2 + j] * z1_slope[i, start2 + j]
                # z1 = W1 @ X + b1
                z1_bar[i, start2 + j] = t2
                terms[j] = t2
            part2 = fold_sum(terms, count2)
            rest2 += sum_error(total2, part2)
            total2 += part2
        v2[i] = sum_with_error(total2, rest2)
    W1_bar = np.empty((4, 3), f64)
    matmul(z1_bar, X.T, W1_bar)
    b1_bar = np.empty((4, 1), f64)
    b1_bar_flat = b1_bar.reshape(-1)
    for i in range(4):
        b1_bar_flat[i] = v2[i]
    return W1_bar, W2_bar, W3_bar, b1_bar, b2_bar, b3_bar


@jit
def value_and_grad(X, Y, W1, W2, W3, b1, b2, b3):
    """The value and its gradients.

    Takes   X f64[3, m], Y f64[1, m], W1 f64[4, 3], W2 f64[4, 4], W3 f64[1, 4], b1 f64[4, 1],
            b2 f64[4, 1], b3 f64[1, 1]
    Gives   J, (W1_bar, W2_bar, W3_bar, b1_bar, b2_bar, b3_bar)
    """
    m = X.shape[1]
    v0 = np.empty((4, m), f64)
    matmul(W1, X, v0)
    a1 = np.empty((4, m), f64)
    for i in range(4):
        t0 = b1[i, 0]
        for j in range(m):
            z1 = v0[i, j] + t0
            a1[i, j] = sigmoid(z1)
    v1 = np.empty((4, m), f64)
    matmul(W2, a1, v1)
    a2 = np.empty((4, m), f64)
    for i in range(4):
        t1 = b2[i, 0]
        for j in range(m):
            z2 = v1[i, j] + t1
            a2[i, j] = sigmoid(z2)
    v2 = np.empty((1, m), f64)
    matmul(W3, a2, v2)
    r2 = np.empty((1, m), f64)
    v3 = np.empty(1, f64)
    v2_flat = v2.reshape(-1)
    Y_flat = Y.reshape(-1)
    r2_flat = r2.reshape(-1)
    terms = np.empty(256, f64)
    terms1 = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    total1 = f64(0.0)
    rest1 = f64(0.0)
    t2 = b3[0, 0]
    for block in range((m + 255) // 256):
        start = block * 256
        count = select(m - start < 256, m - start, 256)
        for i in range(count):
            z3 = v2_flat[start + i] + t2
            t3 = z3 - Y_flat[start + i]
            # z3 = W3 @ a2 + b3
            r2_flat[start + i] = t3
            terms[i] = t3 * t3
            terms1[i] = t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
        part1 = fold_sum(terms1, count)
        rest1 += sum_error(total1, part1)
        total1 += part1
    v3[0] = sum_with_error(total1, rest1)
    t4 = sum_with_error(total, rest)
    J = t4 / 2.0
    a2_bar = np.empty((4, m), f64)
    # a2 = sigmoid(z2)
    matmul(W3.T, r2, a2_bar)
    W3_bar = np.empty((1, 4), f64)
    matmul(r2, a2.T, W3_bar)
    b3_bar = np.empty((1, 1), f64)
    b3_bar[0, 0] = v3[0]
    # in the memory of a2, which is read no more
    z2_bar = a2
    v4 = np.empty(4, f64)
    for i in range(4):
        total2 = f64(0.0)
        rest2 = f64(0.0)
        t5 = b2[i, 0]
        for block1 in range((m + 255) // 256):
            start1 = block1 * 256
            count1 = select(m - start1 < 256, m - start1, 256)
            for j in range(count1):
                z2_slope = sigmoid_slope(v1[i, start1 + j] + t5)
                t6 = a2_bar[i, start1 + j] * z2_slope
                # z2 = W2 @ a1 + b2
                z2_bar[i, start1 + j] = t6
                terms[j] = t6
            part2 = fold_sum(terms, count1)
            rest2 += sum_error(total2, part2)
            total2 += part2
        v4[i] = sum_with_error(total2, rest2)
    # in the memory of v1, which is read no more
    a1_bar = v1
    # a1 = sigmoid(z1)
    matmul(W2.T, z2_bar, a1_bar)
    W2_bar = np.empty((4, 4), f64)
    matmul(z2_bar, a1.T, W2_bar)
    b2_bar = np.empty((4, 1), f64)
    b2_bar_flat = b2_bar.reshape(-1)
    for i in range(4):
        b2_bar_flat[i] = v4[i]
    # in the memory of z2_bar, which is read no more
    z1_bar = z2_bar
    v5 = np.empty(4, f64)
    for i in range(4):
        total3 = f64(0.0)
        rest3 = f64(0.0)
        t7 = b1[i, 0]
        for block2 in range((m + 255) // 256):
            start2 = block2 * 256
            count2 = select(m - start2 < 256, m - start2, 256)
            for j in range(count2):
                z1_slope = sigmoid_slope(v0[i, start2 + j] + t7)
                t8 = a1_bar[i, start2 + j] * z1_slope
                # z1 = W1 @ X + b1
                z1_bar[i, start2 + j] = t8
                terms[j] = t8
            part3 = fold_sum(terms, count2)
            rest3 += sum_error(total3, part3)
            total3 += part3
        v5[i] = sum_with_error(total3, rest3)
    W1_bar = np.empty((4, 3), f64)
    matmul(z1_bar, X.T, W1_bar)
    b1_bar = np.empty((4, 1), f64)
    b1_bar_flat = b1_bar.reshape(-1)
    for i in range(4):
        b1_bar_flat[i] = v5[i]
    return J, (W1_bar, W2_bar, W3_bar, b1_bar, b2_bar, b3_bar)
