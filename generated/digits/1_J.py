"""J, and its gradient with respect to W1, b1.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           52*n add, 10*n fma, 1 div, 1 dot, 10*n exp, n log, 1 same, n sum_error,
                    1 sum_with_error
    forward         82*n add, 10*n fma, 10*n+1 div, 1 dot, 10*n exp, n log, n sum_error,
                    1 sum_with_error
    backward        20*n add, 20*n mul, 10*n fma, 1 div, 1 dot
    value_and_grad  102*n add, 20*n mul, 20*n fma, 10*n+2 div, 2 dot, 10*n exp, n log, n sum_error,
                    1 sum_with_error
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
def value(X, Y, W1, b1):
    """The function value.

    Takes   X f64[n, 64], Y f64[n, 10], W1 f64[64, 10], b1 f64[10]
    Gives   J
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 10), f64)
    matmul(X, W1, v0)
    v2 = np.empty((n, 10), f64)
    for i in range(n):
        top = f64(-math.inf)
        for j in range(10):
            z2 = v0[i, j] + b1[j]
            top = select((z2 > top) | (z2 != z2), z2, top)
        t2 = select(abs(top) < math.inf, top, 0.0)
        for j in range(10):
            v2[i, j] = v0[i, j] + b1[j] - t2
    # in the memory of v0, which is read no more
    v3 = v0
    v2_flat = v2.reshape(-1)
    v3_flat = v3.reshape(-1)
    for i in range(n * 10):
        v3_flat[i] = exp(v2_flat[i])
    total1 = f64(0.0)
    rest = f64(0.0)
    for i in range(n):
        total = f64(0.0)
        for j in range(10):
            total += v3[i, j]
        part = f64(0.0)
        t3 = log(total)
        for j in range(10):
            part = fma(Y[i, j], v2[i, j] - t3, part)
        rest += sum_error(total1, part)
        total1 += part
    t4 = sum_with_error(total1, rest)
    J = -(t4 / t0)
    return J


@jit
def forward(X, Y, W1, b1):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 64], Y f64[n, 10], W1 f64[64, 10], b1 f64[10]
    Gives   J, (r0,)
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty((n, 10), f64)
    matmul(X, W1, v0)
    v1 = np.empty(n, f64)
    v2 = np.empty((n, 10), f64)
    for i in range(n):
        top = f64(-math.inf)
        for j in range(10):
            z2 = v0[i, j] + b1[j]
            top = select((z2 > top) | (z2 != z2), z2, top)
        v1[i] = top
        t1 = v1[i]
        t2 = select(abs(t1) < math.inf, t1, 0.0)
        for j in range(10):
            v2[i, j] = v0[i, j] + b1[j] - t2
    v3 = np.empty((n, 10), f64)
    v2_flat = v2.reshape(-1)
    v3_flat = v3.reshape(-1)
    for i in range(n * 10):
        v3_flat[i] = exp(v2_flat[i])
    r0 = np.empty((n, 10), f64)
    total2 = f64(0.0)
    rest = f64(0.0)
    for i in range(n):
        total = f64(0.0)
        total1 = f64(0.0)
        t4 = v1[i]
        t5 = abs(t4) == math.inf
        t6 = select(t4 > 0.0, 1.0, 0.0)
        for j in range(10):
            t3 = v3[i, j]
            t7 = select(v0[i, j] + b1[j] == t4, t6, 0.0)
            total += t3
            total1 += select(t5, t7, t3)
        part = f64(0.0)
        t8 = v1[i]
        t9 = abs(t8) == math.inf
        t10 = select(t8 > 0.0, 1.0, 0.0)
        t14 = log(total)
        for j in range(10):
            t11 = select(v0[i, j] + b1[j] == t8, t10, 0.0)
            t13 = select(t9, t11, v3[i, j])
            r0[i, j] = select(t13 == 0.0, t13, t13 / total1)
            part = fma(Y[i, j], v2[i, j] - t14, part)
        rest += sum_error(total2, part)
        total2 += part
    t15 = sum_with_error(total2, rest)
    J = -(t15 / t0)
    return J, (r0,)


@jit
def backward(X, Y, r0, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   X f64[n, 64], Y f64[n, 10], r0 f64[n, 10], J_bar f64
    Gives   W1_bar, b1_bar
    """
    n = X.shape[0]
    t0 = J_bar / f64(n)
    z2_bar = np.empty((n, 10), f64)
    b1_bar = np.zeros(10, f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(10):
            total = fma(t0, Y[i, j], total)
        for j in range(10):
            t2 = r0[i, j] * total - t0 * Y[i, j]
            # z2 = X @ W1 + b1
            z2_bar[i, j] = t2
            b1_bar[j] += t2
    W1_bar = np.empty((64, 10), f64)
    matmul(X.T, z2_bar, W1_bar)
    return W1_bar, b1_bar


@jit
def value_and_grad(X, Y, W1, b1):
    """The value and its gradients.

    Takes   X f64[n, 64], Y f64[n, 10], W1 f64[64, 10], b1 f64[10]
    Gives   J, (W1_bar, b1_bar)
    """
    n = X.shape[0]
    t0 = f64(n)
    t1 = -1.0 / t0
    v0 = np.empty((n, 10), f64)
    matmul(X, W1, v0)
    v1 = np.empty(n, f64)
    v2 = np.empty(n, f64)
    v3 = np.empty((n, 10), f64)
    for i in range(n):
        total = f64(0.0)
        for j in range(10):
            total = fma(t1, Y[i, j], total)
        v1[i] = total
        top = f64(-math.inf)
        for j in range(10):
            z2 = v0[i, j] + b1[j]
            top = select((z2 > top) | (z2 != z2), z2, top)
        v2[i] = top
        t2 = v2[i]
        t3 = select(abs(t2) < math.inf, t2, 0.0)
        for j in range(10):
            v3[i, j] = v0[i, j] + b1[j] - t3
    v4 = np.empty((n, 10), f64)
    v3_flat = v3.reshape(-1)
    v4_flat = v4.reshape(-1)
    for i in range(n * 10):
        v4_flat[i] = exp(v3_flat[i])
    z2_bar = np.empty((n, 10), f64)
    b1_bar = np.zeros(10, f64)
    total3 = f64(0.0)
    rest = f64(0.0)
    for i in range(n):
        total1 = f64(0.0)
        total2 = f64(0.0)
        t5 = v2[i]
        t6 = abs(t5) == math.inf
        t7 = select(t5 > 0.0, 1.0, 0.0)
        for j in range(10):
            t4 = v4[i, j]
            t8 = select(v0[i, j] + b1[j] == t5, t7, 0.0)
            total1 += t4
            total2 += select(t6, t8, t4)
        part = f64(0.0)
        t10 = v2[i]
        t11 = abs(t10) == math.inf
        t12 = select(t10 > 0.0, 1.0, 0.0)
        t16 = v1[i]
        t18 = log(total1)
        for j in range(10):
            t9 = Y[i, j]
            t13 = select(v0[i, j] + b1[j] == t10, t12, 0.0)
            t15 = select(t11, t13, v4[i, j])
            r0 = select(t15 == 0.0, t15, t15 / total2)
            t17 = t1 * t9 - r0 * t16
            # z2 = X @ W1 + b1
            z2_bar[i, j] = t17
            part = fma(t9, v3[i, j] - t18, part)
            b1_bar[j] += t17
        rest += sum_error(total3, part)
        total3 += part
    t19 = sum_with_error(total3, rest)
    J = -(t19 / t0)
    W1_bar = np.empty((64, 10), f64)
    matmul(X.T, z2_bar, W1_bar)
    return J, (W1_bar, b1_bar)
