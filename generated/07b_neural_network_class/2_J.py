"""J, and its gradient with respect to W1, W2.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           129*n/128 add, n mul, 1 div, 2 dot, n/256 fold_sum, 4*n sigmoid,
                    n/256 sum_error, 1 sum_with_error
    forward         129*n/128 add, n mul, 1 div, 2 dot, n/256 fold_sum, 4*n sigmoid,
                    4*n sigmoid_slope, n/256 sum_error, 1 sum_with_error
    backward        5*n mul, 3 dot
    value_and_grad  129*n/128 add, 5*n mul, 1 div, 5 dot, n/256 fold_sum, 2 same, 4*n sigmoid,
                    4*n sigmoid_slope, n/256 sum_error, 1 sum_with_error
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
def value(X, y, W1, W2):
    """The function value.

    Takes   X f64[n, 2], y f64[n, 1], W1 f64[2, 3], W2 f64[3, 1]
    Gives   J
    """
    n = X.shape[0]
    z2 = np.empty((n, 3), f64)
    matmul(X, W1, z2)
    a2 = np.empty((n, 3), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 3):
        a2_flat[i] = sigmoid(z2_flat[i])
    z3 = np.empty((n, 1), f64)
    matmul(a2, W2, z3)
    y_flat = y.reshape(-1)
    z3_flat = z3.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            yhat = sigmoid(z3_flat[start + i])
            r1 = y_flat[start + i] - yhat
            terms[i] = r1 * r1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t0 = sum_with_error(total, rest)
    J = t0 / 2.0
    return J


@jit
def forward(X, y, W1, W2):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 2], y f64[n, 1], W1 f64[2, 3], W2 f64[3, 1]
    Gives   J, (a2, r1, z3_slope, z2_slope)
    """
    n = X.shape[0]
    z2 = np.empty((n, 3), f64)
    matmul(X, W1, z2)
    a2 = np.empty((n, 3), f64)
    z2_slope = np.empty((n, 3), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 3):
        t0 = z2_flat[i]
        a2_flat[i] = sigmoid(t0)
        z2_slope_flat[i] = sigmoid_slope(t0)
    z3 = np.empty((n, 1), f64)
    matmul(a2, W2, z3)
    r1 = np.empty((n, 1), f64)
    z3_slope = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    z3_flat = z3.reshape(-1)
    r1_flat = r1.reshape(-1)
    z3_slope_flat = z3_slope.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = z3_flat[start + i]
            yhat = sigmoid(t1)
            t2 = y_flat[start + i] - yhat
            r1_flat[start + i] = t2
            z3_slope_flat[start + i] = sigmoid_slope(t1)
            terms[i] = t2 * t2
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    J = t3 / 2.0
    return J, (a2, r1, z3_slope, z2_slope)


@jit
def backward(X, W2, a2, r1, z3_slope, z2_slope, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 2], W2 f64[3, 1], a2 f64[n, 3], r1 f64[n, 1], z3_slope f64[n, 1],
            z2_slope f64[n, 3], J_bar f64
    Gives   W1_bar, W2_bar
    """
    n = X.shape[0]
    z3_bar = np.empty((n, 1), f64)
    r1_flat = r1.reshape(-1)
    z3_slope_flat = z3_slope.reshape(-1)
    z3_bar_flat = z3_bar.reshape(-1)
    for i in range(n):
        # z3 = a2 @ W2
        z3_bar_flat[i] = -(J_bar * r1_flat[i] * z3_slope_flat[i])
    a2_bar = np.empty((n, 3), f64)
    # a2 = sigmoid(z2)
    matmul(z3_bar, W2.T, a2_bar)
    W2_bar = np.empty((3, 1), f64)
    matmul(a2.T, z3_bar, W2_bar)
    z2_bar = np.empty((n, 3), f64)
    a2_bar_flat = a2_bar.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    z2_bar_flat = z2_bar.reshape(-1)
    for i in range(n * 3):
        # z2 = X @ W1
        z2_bar_flat[i] = a2_bar_flat[i] * z2_slope_flat[i]
    W1_bar = np.empty((2, 3), f64)
    matmul(X.T, z2_bar, W1_bar)
    return W1_bar, W2_bar


@jit
def value_and_grad(X, y, W1, W2):
    """The value and its gradients.

    Takes   X f64[n, 2], y f64[n, 1], W1 f64[2, 3], W2 f64[3, 1]
    Gives   J, (W1_bar, W2_bar)
    """
    n = X.shape[0]
    z2 = np.empty((n, 3), f64)
    matmul(X, W1, z2)
    a2 = np.empty((n, 3), f64)
    z2_slope = np.empty((n, 3), f64)
    z2_flat = z2.reshape(-1)
    a2_flat = a2.reshape(-1)
    z2_slope_flat = z2_slope.reshape(-1)
    for i in range(n * 3):
        t0 = z2_flat[i]
        a2_flat[i] = sigmoid(t0)
        z2_slope_flat[i] = sigmoid_slope(t0)
    z3 = np.empty((n, 1), f64)
    matmul(a2, W2, z3)
    z3_bar = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    z3_flat = z3.reshape(-1)
    z3_bar_flat = z3_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = z3_flat[start + i]
            yhat = sigmoid(t1)
            r1 = y_flat[start + i] - yhat
            z3_slope = sigmoid_slope(t1)
            # z3 = a2 @ W2
            z3_bar_flat[start + i] = -(r1 * z3_slope)
            terms[i] = r1 * r1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t2 = sum_with_error(total, rest)
    J = t2 / 2.0
    # in the memory of z2, which is read no more
    a2_bar = z2
    # a2 = sigmoid(z2)
    matmul(z3_bar, W2.T, a2_bar)
    W2_bar = np.empty((3, 1), f64)
    matmul(a2.T, z3_bar, W2_bar)
    # in the memory of a2, which is read no more
    z2_bar = a2
    a2_bar_flat = a2_bar.reshape(-1)
    z2_bar_flat = z2_bar.reshape(-1)
    for i in range(n * 3):
        # z2 = X @ W1
        z2_bar_flat[i] = a2_bar_flat[i] * z2_slope_flat[i]
    W1_bar = np.empty((2, 3), f64)
    matmul(X.T, z2_bar, W1_bar)
    return J, (W1_bar, W2_bar)
