"""J, and its gradient with respect to W1, W2, W3, W4.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1153*n/128 add, n mul, 1 div, 4 dot, n/256 fold_sum, 5 same, n/256 sum_error,
                    1 sum_with_error
    forward         1153*n/128 add, n mul, 1 div, 4 dot, n/256 fold_sum, n/256 sum_error,
                    1 sum_with_error
    backward        2*n mul, 1 div, 7 dot, 5 same
    value_and_grad  1281*n/128 add, 2*n mul, n+1 div, 11 dot, n/256 fold_sum, 6 same,
                    n/256 sum_error, 1 sum_with_error
"""

from functools import wraps

import numpy as np

from symgrad.runtime.chains import matmul
from symgrad.runtime.kernels import select

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


@jit
def value(X, y, W1, W2, W3, W4):
    """The function value.

    Takes   X f64[n, 8], y f64[n, 1], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   J
    """
    n = X.shape[0]
    t0 = f64(n)
    r0 = np.empty((n, 8), f64)
    matmul(X, W1, r0)
    a1 = np.empty((n, 8), f64)
    r0_flat = r0.reshape(-1)
    a1_flat = a1.reshape(-1)
    for i in range(n * 8):
        t1 = r0_flat[i]
        a1_flat[i] = select(t1 > 0.0, t1, select(t1 <= 0.0, 0.0, t1))
    # in the memory of r0, which is read no more
    r2 = r0
    matmul(a1, W2, r2)
    # in the memory of a1, which is read no more
    a2 = a1
    r2_flat = r2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        t2 = r2_flat[i]
        a2_flat[i] = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    # in the memory of r2, which is read no more
    r4 = r2
    matmul(a2, W3, r4)
    # in the memory of a2, which is read no more
    a3 = a2
    r4_flat = r4.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        t3 = r4_flat[i]
        a3_flat[i] = select(t3 > 0.0, t3, select(t3 <= 0.0, 0.0, t3))
    # in the memory of r4, which is read no more
    r6 = r4
    matmul(a3, W4, r6)
    v0 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            t4 = r6[i, j]
            a4 = select(t4 > 0.0, t4, select(t4 <= 0.0, 0.0, t4))
            total += a4
        v0[i] = total
    y_flat = y.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            r7 = v0[start + i] - y_flat[start + i]
            terms[i] = r7 * r7
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t5 = sum_with_error(total1, rest)
    J = t5 / t0
    return J


@jit
def forward(X, y, W1, W2, W3, W4):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 8], y f64[n, 1], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   J, (r0, a1, r2, a2, r4, a3, r6, r7)
    """
    n = X.shape[0]
    t0 = f64(n)
    r0 = np.empty((n, 8), f64)
    matmul(X, W1, r0)
    a1 = np.empty((n, 8), f64)
    r0_flat = r0.reshape(-1)
    a1_flat = a1.reshape(-1)
    for i in range(n * 8):
        t1 = r0_flat[i]
        a1_flat[i] = select(t1 > 0.0, t1, select(t1 <= 0.0, 0.0, t1))
    r2 = np.empty((n, 8), f64)
    matmul(a1, W2, r2)
    a2 = np.empty((n, 8), f64)
    r2_flat = r2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        t2 = r2_flat[i]
        a2_flat[i] = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    r4 = np.empty((n, 8), f64)
    matmul(a2, W3, r4)
    a3 = np.empty((n, 8), f64)
    r4_flat = r4.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        t3 = r4_flat[i]
        a3_flat[i] = select(t3 > 0.0, t3, select(t3 <= 0.0, 0.0, t3))
    r6 = np.empty((n, 8), f64)
    matmul(a3, W4, r6)
    v0 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            t4 = r6[i, j]
            a4 = select(t4 > 0.0, t4, select(t4 <= 0.0, 0.0, t4))
            total += a4
        v0[i] = total
    r7 = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    r7_flat = r7.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t5 = v0[start + i] - y_flat[start + i]
            r7_flat[start + i] = t5
            terms[i] = t5 * t5
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t6 = sum_with_error(total1, rest)
    J = t6 / t0
    return J, (r0, a1, r2, a2, r4, a3, r6, r7)


@jit
def backward(X, W2, W3, W4, r0, a1, r2, a2, r4, a3, r6, r7, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8], r0 f64[n, 8], a1 f64[n, 8],
            r2 f64[n, 8], a2 f64[n, 8], r4 f64[n, 8], a3 f64[n, 8], r6 f64[n, 8], r7 f64[n, 1],
            J_bar f64
    Gives   W1_bar, W2_bar, W3_bar, W4_bar
    """
    n = X.shape[0]
    t0 = J_bar / f64(n)
    v0 = np.empty((n, 8), f64)
    for i in range(n):
        t1 = 2.0 * (t0 * r7[i, 0])
        for j in range(8):
            t2 = r6[i, j]
            v0[i, j] = select(t2 > 0.0, t1, select((t2 <= 0.0) | (t1 == 0.0), 0.0, t2))
    a3_bar = np.empty((n, 8), f64)
    # a3 = relu(a2 @ W3)
    matmul(v0, W4.T, a3_bar)
    W4_bar = np.empty((8, 8), f64)
    matmul(a3.T, v0, W4_bar)
    # in the memory of v0, which is read no more
    v1 = v0
    a3_bar_flat = a3_bar.reshape(-1)
    r4_flat = r4.reshape(-1)
    v1_flat = v1.reshape(-1)
    for i in range(n * 8):
        t3 = r4_flat[i]
        t4 = a3_bar_flat[i]
        v1_flat[i] = select(t3 > 0.0, t4, select((t3 <= 0.0) | (t4 == 0.0), 0.0, t3))
    # in the memory of a3_bar, which is read no more
    a2_bar = a3_bar
    # a2 = relu(a1 @ W2)
    matmul(v1, W3.T, a2_bar)
    W3_bar = np.empty((8, 8), f64)
    matmul(a2.T, v1, W3_bar)
    # in the memory of v1, which is read no more
    v2 = v1
    a2_bar_flat = a2_bar.reshape(-1)
    r2_flat = r2.reshape(-1)
    v2_flat = v2.reshape(-1)
    for i in range(n * 8):
        t5 = r2_flat[i]
        t6 = a2_bar_flat[i]
        v2_flat[i] = select(t5 > 0.0, t6, select((t5 <= 0.0) | (t6 == 0.0), 0.0, t5))
    # in the memory of a2_bar, which is read no more
    a1_bar = a2_bar
    # a1 = relu(X @ W1)
    matmul(v2, W2.T, a1_bar)
    W2_bar = np.empty((8, 8), f64)
    matmul(a1.T, v2, W2_bar)
    # in the memory of v2, which is read no more
    v3 = v2
    a1_bar_flat = a1_bar.reshape(-1)
    r0_flat = r0.reshape(-1)
    v3_flat = v3.reshape(-1)
    for i in range(n * 8):
        t7 = r0_flat[i]
        t8 = a1_bar_flat[i]
        v3_flat[i] = select(t7 > 0.0, t8, select((t7 <= 0.0) | (t8 == 0.0), 0.0, t7))
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
    r0 = np.empty((n, 8), f64)
    matmul(X, W1, r0)
    a1 = np.empty((n, 8), f64)
    r0_flat = r0.reshape(-1)
    a1_flat = a1.reshape(-1)
    for i in range(n * 8):
        t1 = r0_flat[i]
        a1_flat[i] = select(t1 > 0.0, t1, select(t1 <= 0.0, 0.0, t1))
    r2 = np.empty((n, 8), f64)
    matmul(a1, W2, r2)
    a2 = np.empty((n, 8), f64)
    r2_flat = r2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        t2 = r2_flat[i]
        a2_flat[i] = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    r4 = np.empty((n, 8), f64)
    matmul(a2, W3, r4)
    a3 = np.empty((n, 8), f64)
    r4_flat = r4.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        t3 = r4_flat[i]
        a3_flat[i] = select(t3 > 0.0, t3, select(t3 <= 0.0, 0.0, t3))
    r6 = np.empty((n, 8), f64)
    matmul(a3, W4, r6)
    v0 = np.empty(n, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(8):
            t4 = r6[i, j]
            a4 = select(t4 > 0.0, t4, select(t4 <= 0.0, 0.0, t4))
            total += a4
        v0[i] = total
    y_flat = y.reshape(-1)
    terms = np.empty(256, f64)
    total1 = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            r7 = v0[start + i] - y_flat[start + i]
            terms[i] = r7 * r7
        part = fold_sum(terms, count)
        rest += sum_error(total1, part)
        total1 += part
    t5 = sum_with_error(total1, rest)
    v1 = np.empty((n, 8), f64)
    for i in range(n):
        t6 = 2.0 * ((v0[i] - y[i, 0]) / t0)
        for j in range(8):
            t7 = r6[i, j]
            v1[i, j] = select(t7 > 0.0, t6, select((t7 <= 0.0) | (t6 == 0.0), 0.0, t7))
    J = t5 / t0
    # in the memory of r6, which is read no more
    a3_bar = r6
    # a3 = relu(a2 @ W3)
    matmul(v1, W4.T, a3_bar)
    W4_bar = np.empty((8, 8), f64)
    matmul(a3.T, v1, W4_bar)
    # in the memory of v1, which is read no more
    v2 = v1
    a3_bar_flat = a3_bar.reshape(-1)
    v2_flat = v2.reshape(-1)
    for i in range(n * 8):
        t8 = r4_flat[i]
        t9 = a3_bar_flat[i]
        v2_flat[i] = select(t8 > 0.0, t9, select((t8 <= 0.0) | (t9 == 0.0), 0.0, t8))
    # in the memory of r4, which is read no more
    a2_bar = r4
    # a2 = relu(a1 @ W2)
    matmul(v2, W3.T, a2_bar)
    W3_bar = np.empty((8, 8), f64)
    matmul(a2.T, v2, W3_bar)
    # in the memory of v2, which is read no more
    v3 = v2
    a2_bar_flat = a2_bar.reshape(-1)
    v3_flat = v3.reshape(-1)
    for i in range(n * 8):
        t10 = r2_flat[i]
        t11 = a2_bar_flat[i]
        v3_flat[i] = select(t10 > 0.0, t11, select((t10 <= 0.0) | (t11 == 0.0), 0.0, t10))
    # in the memory of r2, which is read no more
    a1_bar = r2
    # a1 = relu(X @ W1)
    matmul(v3, W2.T, a1_bar)
    W2_bar = np.empty((8, 8), f64)
    matmul(a1.T, v3, W2_bar)
    # in the memory of v3, which is read no more
    v4 = v3
    a1_bar_flat = a1_bar.reshape(-1)
    v4_flat = v4.reshape(-1)
    for i in range(n * 8):
        t12 = r0_flat[i]
        t13 = a1_bar_flat[i]
        v4_flat[i] = select(t12 > 0.0, t13, select((t12 <= 0.0) | (t13 == 0.0), 0.0, t12))
    W1_bar = np.empty((8, 8), f64)
    matmul(X.T, v4, W1_bar)
    return J, (W1_bar, W2_bar, W3_bar, W4_bar)
