"""loss, and its gradient with respect to W1, W2.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           645*n/64 add, 10*n mul, 2 dot, 5*n/128 fold_sum, 100*n sigmoid,
                    5*n/128 sum_error, 1 sum_with_error
    forward         645*n/64 add, 10*n mul, 2 dot, 5*n/128 fold_sum, 100*n sigmoid,
                    100*n sigmoid_slope, 5*n/128 sum_error, 1 sum_with_error
    backward        120*n mul, 3 dot
    value_and_grad  645*n/64 add, 120*n mul, 5 dot, 5*n/128 fold_sum, 1 same, 100*n sigmoid,
                    100*n sigmoid_slope, 5*n/128 sum_error, 1 sum_with_error
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
def value(X, Y, W1, W2):
    """The function value.

    Takes   X f64[n, 1000], Y f64[n, 10], W1 f64[1000, 100], W2 f64[100, 10]
    Gives   loss
    """
    n = X.shape[0]
    v0 = np.empty((n, 100), f64)
    matmul(X, W1, v0)
    h = np.empty((n, 100), f64)
    v0_flat = v0.reshape(-1)
    h_flat = h.reshape(-1)
    for i in range(n * 100):
        h_flat[i] = sigmoid(v0_flat[i])
    yp = np.empty((n, 10), f64)
    matmul(h, W2, yp)
    yp_flat = yp.reshape(-1)
    Y_flat = Y.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n * 10 + 255) // 256):
        start = block * 256
        count = select(n * 10 - start < 256, n * 10 - start, 256)
        for i in range(count):
            r1 = yp_flat[start + i] - Y_flat[start + i]
            terms[i] = r1 * r1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    loss = sum_with_error(total, rest)
    return loss


@jit
def forward(X, Y, W1, W2):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 1000], Y f64[n, 10], W1 f64[1000, 100], W2 f64[100, 10]
    Gives   loss, (h, r1, r2)
    """
    n = X.shape[0]
    v0 = np.empty((n, 100), f64)
    matmul(X, W1, v0)
    h = np.empty((n, 100), f64)
    r2 = np.empty((n, 100), f64)
    v0_flat = v0.reshape(-1)
    h_flat = h.reshape(-1)
    r2_flat = r2.reshape(-1)
    for i in range(n * 100):
        t0 = v0_flat[i]
        h_flat[i] = sigmoid(t0)
        r2_flat[i] = sigmoid_slope(t0)
    yp = np.empty((n, 10), f64)
    matmul(h, W2, yp)
    r1 = np.empty((n, 10), f64)
    yp_flat = yp.reshape(-1)
    Y_flat = Y.reshape(-1)
    r1_flat = r1.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n * 10 + 255) // 256):
        start = block * 256
        count = select(n * 10 - start < 256, n * 10 - start, 256)
        for i in range(count):
            t1 = yp_flat[start + i] - Y_flat[start + i]
            r1_flat[start + i] = t1
            terms[i] = t1 * t1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    loss = sum_with_error(total, rest)
    return loss, (h, r1, r2)


@jit
def backward(X, W2, h, r1, r2, loss_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 1000], W2 f64[100, 10], h f64[n, 100], r1 f64[n, 10], r2 f64[n, 100],
            loss_bar f64
    Gives   W1_bar, W2_bar
    """
    n = X.shape[0]
    yp_bar = np.empty((n, 10), f64)
    r1_flat = r1.reshape(-1)
    yp_bar_flat = yp_bar.reshape(-1)
    for i in range(n * 10):
        # yp = h @ W2
        yp_bar_flat[i] = 2.0 * (loss_bar * r1_flat[i])
    h_bar = np.empty((n, 100), f64)
    # h = sigmoid(X @ W1)
    matmul(yp_bar, W2.T, h_bar)
    W2_bar = np.empty((100, 10), f64)
    matmul(h.T, yp_bar, W2_bar)
    v0 = np.empty((n, 100), f64)
    h_bar_flat = h_bar.reshape(-1)
    r2_flat = r2.reshape(-1)
    v0_flat = v0.reshape(-1)
    for i in range(n * 100):
        v0_flat[i] = h_bar_flat[i] * r2_flat[i]
    W1_bar = np.empty((1000, 100), f64)
    matmul(X.T, v0, W1_bar)
    return W1_bar, W2_bar


@jit
def value_and_grad(X, Y, W1, W2):
    """The value and its gradients.

    Takes   X f64[n, 1000], Y f64[n, 10], W1 f64[1000, 100], W2 f64[100, 10]
    Gives   loss, (W1_bar, W2_bar)
    """
    n = X.shape[0]
    v0 = np.empty((n, 100), f64)
    matmul(X, W1, v0)
    h = np.empty((n, 100), f64)
    v0_flat = v0.reshape(-1)
    h_flat = h.reshape(-1)
    for i in range(n * 100):
        h_flat[i] = sigmoid(v0_flat[i])
    yp = np.empty((n, 10), f64)
    matmul(h, W2, yp)
    yp_bar = np.empty((n, 10), f64)
    yp_flat = yp.reshape(-1)
    Y_flat = Y.reshape(-1)
    yp_bar_flat = yp_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n * 10 + 255) // 256):
        start = block * 256
        count = select(n * 10 - start < 256, n * 10 - start, 256)
        for i in range(count):
            r1 = yp_flat[start + i] - Y_flat[start + i]
            # yp = h @ W2
            yp_bar_flat[start + i] = 2.0 * r1
            terms[i] = r1 * r1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    loss = sum_with_error(total, rest)
    h_bar = np.empty((n, 100), f64)
    # h = sigmoid(X @ W1)
    matmul(yp_bar, W2.T, h_bar)
    W2_bar = np.empty((100, 10), f64)
    matmul(h.T, yp_bar, W2_bar)
    # in the memory of h, which is read no more
    v1 = h
    h_bar_flat = h_bar.reshape(-1)
    v1_flat = v1.reshape(-1)
    for i in range(n * 100):
        r2 = sigmoid_slope(v0_flat[i])
        v1_flat[i] = h_bar_flat[i] * r2
    W1_bar = np.empty((1000, 100), f64)
    matmul(X.T, v1, W1_bar)
    return loss, (W1_bar, W2_bar)
