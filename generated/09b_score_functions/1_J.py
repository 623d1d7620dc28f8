"""J, and its gradient with respect to W.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1539*m/128 add, 3*m mul, 1 div, 1 dot, 3*m exp, 3*m/256 fold_sum, m log,
                    3*m/256 sum_error, 1 sum_with_error
    forward         1923*m/128 add, 3*m mul, 3*m+1 div, 1 dot, 3*m exp, 3*m/256 fold_sum, m log,
                    3*m/256 sum_error, 1 sum_with_error
    backward        3*m add, 6*m mul, 3*m fma, 1 div, 1 dot
    value_and_grad  2307*m/128 add, 9*m mul, 3*m fma, 3*m+2 div, 2 dot, 3*m exp, 3*m/256 fold_sum,
                    m log, 3*m/256 sum_error, 1 sum_with_error
"""

import math
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
def value(x, Y, W):
    """The function value.

    Takes   x f64[3, m], Y f64[3, m], W f64[3, 3]
    Gives   J
    """
    m = x.shape[1]
    t0 = f64(m)
    s = np.empty((3, m), f64)
    matmul(W, x, s)
    v0 = np.full(m, -math.inf, f64)
    for i in range(3):
        for j in range(m):
            t1 = s[i, j]
            v0[j] = select((t1 > v0[j]) | (t1 != t1), t1, v0[j])
    v1 = np.zeros(m, f64)
    for i in range(3):
        for j in range(m):
            t2 = v0[j]
            t3 = s[i, j] - select(abs(t2) < math.inf, t2, 0.0)
            v1[j] += exp(t3)
    v2 = np.empty((1, m), f64)
    v2_flat = v2.reshape(-1)
    for i in range(m):
        v2_flat[i] = log(v1[i])
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for i in range(3):
        for block in range((m + 255) // 256):
            start = block * 256
            count = select(m - start < 256, m - start, 256)
            for j in range(count):
                t4 = v0[start + j]
                t5 = s[i, start + j] - select(abs(t4) < math.inf, t4, 0.0)
                terms[j] = Y[i, start + j] * (t5 - v2[0, start + j])
            part = fold_sum(terms, count)
            rest += sum_error(total, part)
            total += part
    t6 = sum_with_error(total, rest)
    J = -(t6 / t0)
    return J


@jit
def forward(x, Y, W):
    """The outputs, and the residuals that backward reads.

    Takes   x f64[3, m], Y f64[3, m], W f64[3, 3]
    Gives   J, (r0,)
    """
    m = x.shape[1]
    t0 = f64(m)
    s = np.empty((3, m), f64)
    matmul(W, x, s)
    v0 = np.full(m, -math.inf, f64)
    for i in range(3):
        for j in range(m):
            t1 = s[i, j]
            v0[j] = select((t1 > v0[j]) | (t1 != t1), t1, v0[j])
    v1 = np.empty((3, m), f64)
    v2 = np.zeros(m, f64)
    v3 = np.zeros(m, f64)
    for i in range(3):
        for j in range(m):
            t2 = v0[j]
            t3 = abs(t2)
            t4 = s[i, j]
            t5 = select(t4 == t2, select(t2 > 0.0, 1.0, 0.0), 0.0)
            t6 = exp(t4 - select(t3 < math.inf, t2, 0.0))
            t7 = select(t3 == math.inf, t5, t6)
            v1[i, j] = t7
            v2[j] += t6
            v3[j] += t7
    v4 = np.empty((1, m), f64)
    v4_flat = v4.reshape(-1)
    for i in range(m):
        v4_flat[i] = log(v2[i])
    r0 = np.empty((3, m), f64)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for i in range(3):
        for j in range(m):
            t8 = v1[i, j]
            r0[i, j] = select(t8 == 0.0, t8, t8 / v3[j])
        for block in range((m + 255) // 256):
            start = block * 256
            count = select(m - start < 256, m - start, 256)
            for j in range(count):
                t9 = v0[start + j]
                t10 = s[i, start + j] - select(abs(t9) < math.inf, t9, 0.0)
                terms[j] = Y[i, start + j] * (t10 - v4[0, start + j])
            part = fold_sum(terms, count)
            rest += sum_error(total, part)
            total += part
    t11 = sum_with_error(total, rest)
    J = -(t11 / t0)
    return J, (r0,)


@jit
def backward(x, Y, r0, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x f64[3, m], Y f64[3, m], r0 f64[3, m], J_bar f64
    Gives   W_bar
    """
    m = x.shape[1]
    t0 = J_bar / f64(m)
    v0 = np.zeros(m, f64)
    for i in range(3):
        for j in range(m):
            v0[j] = fma(t0, Y[i, j], v0[j])
    s_bar = np.empty((3, m), f64)
    for i in range(3):
        for j in range(m):
            # s = W @ x
            s_bar[i, j] = r0[i, j] * v0[j] - t0 * Y[i, j]
    W_bar = np.empty((3, 3), f64)
    matmul(s_bar, x.T, W_bar)
    return W_bar


@jit
def value_and_grad(x, Y, W):
    """The value and its gradients.

    Takes   x f64[3, m], Y f64[3, m], W f64[3, 3]
    Gives   J, W_bar
    """
    m = x.shape[1]
    t0 = f64(m)
    t1 = -1.0 / t0
    s = np.empty((3, m), f64)
    matmul(W, x, s)
    v0 = np.zeros(m, f64)
    v1 = np.full(m, -math.inf, f64)
    for i in range(3):
        for j in range(m):
            v0[j] = fma(t1, Y[i, j], v0[j])
        for j in range(m):
            t2 = s[i, j]
            v1[j] = select((t2 > v1[j]) | (t2 != t2), t2, v1[j])
    v2 = np.empty((3, m), f64)
    v3 = np.zeros(m, f64)
    v4 = np.zeros(m, f64)
    for i in range(3):
        for j in range(m):
            t3 = v1[j]
            t4 = abs(t3)
            t5 = s[i, j]
            t6 = select(t5 == t3, select(t3 > 0.0, 1.0, 0.0), 0.0)
            t7 = exp(t5 - select(t4 < math.inf, t3, 0.0))
            t8 = select(t4 == math.inf, t6, t7)
            v2[i, j] = t8
            v3[j] += t7
            v4[j] += t8
    v5 = np.empty((1, m), f64)
    v5_flat = v5.reshape(-1)
    for i in range(m):
        v5_flat[i] = log(v3[i])
    s_bar = np.empty((3, m), f64)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for i in range(3):
        for j in range(m):
            t9 = v2[i, j]
            r0 = select(t9 == 0.0, t9, t9 / v4[j])
            # s = W @ x
            s_bar[i, j] = t1 * Y[i, j] - r0 * v0[j]
        for block in range((m + 255) // 256):
            start = block * 256
            count = select(m - start < 256, m - start, 256)
            for j in range(count):
                t10 = v1[start + j]
                t11 = s[i, start + j] - select(abs(t10) < math.inf, t10, 0.0)
                terms[j] = Y[i, start + j] * (t11 - v5[0, start + j])
            part = fold_sum(terms, count)
            rest += sum_error(total, part)
            total += part
    t12 = sum_with_error(total, rest)
    W_bar = np.empty((3, 3), f64)
    matmul(s_bar, x.T, W_bar)
    J = -(t12 / t0)
    return J, W_bar
