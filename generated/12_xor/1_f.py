"""sum(logistic_loss(..., y)) / n, and its gradient with respect to w, b.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           385*n/128 add, 2*n mul, 1 div, 1 dot, n/256 fold_sum, n softplus,
                    n/256 sum_error, 1 sum_with_error
    forward         769*n/128 add, 2*n mul, 1 div, 1 dot, n/256 fold_sum, n sigmoid, n softplus,
                    n/256 sum_error, 1 sum_with_error
    backward        n/128 add, n mul, 1 div, 1 dot, n/256 fold_sum, n/256 sum_error,
                    1 sum_with_error
    value_and_grad  385*n/64 add, 2*n mul, n+1 div, 2 dot, n/128 fold_sum, n sigmoid, n softplus,
                    n/128 sum_error, 2 sum_with_error
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
def sigmoid(x):
    v = exp(-abs(x))
    w = v / (1.0 + v)
    return select(x < 0.0, fma(-w, v, v), 1.0 - w)


@jit
def value(X, y, w, b):
    """The function value.

    Takes   X f64[n, 2], y f64[n], w f64[2], b f64
    Gives   f
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    terms = np.empty(256, f64)
    held = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v0[start + i] + b
            t1 = y[start + i]
            held[i] = z
        for i in range(count):
            t1 = y[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t1), -(z * t1)) + softplus(-abs(z))
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t2 = sum_with_error(total, rest)
    f = t2 / t0
    return f


@jit
def forward(X, y, w, b):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 2], y f64[n], w f64[2], b f64
    Gives   f, (r0,)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    r0 = np.empty(n, f64)
    terms = np.empty(256, f64)
    held = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v0[start + i] + b
            t1 = y[start + i]
            t2 = sigmoid(-abs(z))
            r0[start + i] = select(z >= 0.0, 1.0 - t1 - t2, t2 - t1)
            held[i] = z
        for i in range(count):
            t1 = y[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t1), -(z * t1)) + softplus(-abs(z))
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    f = t3 / t0
    return f, (r0,)


@jit
def backward(X, r0, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 2], r0 f64[n], f_bar f64
    Gives   w_bar, b_bar
    """
    n = X.shape[0]
    t0 = f_bar / f64(n)
    z_bar = np.empty(n, f64)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = t0 * r0[start + i]
            # z = X @ w + b
            z_bar[start + i] = t1
            terms[i] = t1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    b_bar = sum_with_error(total, rest)
    w_bar = np.empty(2, f64)
    matmul(X.T, z_bar, w_bar)
    return w_bar, b_bar


@jit
def value_and_grad(X, y, w, b):
    """The value and its gradients.

    Takes   X f64[n, 2], y f64[n], w f64[2], b f64
    Gives   f, (w_bar, b_bar)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    z_bar = np.empty(n, f64)
    terms = np.empty(256, f64)
    terms1 = np.empty(256, f64)
    held = np.empty(256, f64)
    held1 = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    total1 = f64(0.0)
    rest1 = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            z = v0[start + i] + b
            t1 = y[start + i]
            t2 = sigmoid(-abs(z))
            r0 = select(z >= 0.0, 1.0 - t1 - t2, t2 - t1)
            held[i] = z
            held1[i] = r0
        for i in range(count):
            r0 = held1[i]
            t3 = r0 / t0
            # z = X @ w + b
            z_bar[start + i] = t3
        for i in range(count):
            t1 = y[start + i]
            t3 = z_bar[start + i]
            z = held[i]
            terms[i] = select(z > 0.0, z * (1.0 - t1), -(z * t1)) + softplus(-abs(z))
            terms1[i] = t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
        part1 = fold_sum(terms1, count)
        rest1 += sum_error(total1, part1)
        total1 += part1
    t4 = sum_with_error(total, rest)
    b_bar = sum_with_error(total1, rest1)
    f = t4 / t0
    w_bar = np.empty(2, f64)
    matmul(X.T, z_bar, w_bar)
    return f, (w_bar, b_bar)
