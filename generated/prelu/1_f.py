"""sum(square(...)) / n, and its gradient with respect to bend_alpha.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           129*n/128 add, 2*n mul, 1 div, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    forward         129*n/128 add, 2*n mul, 1 div, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    backward        n/128 add, 3*n mul, 1 div, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    value_and_grad  65*n/64 add, 4*n mul, n+1 div, n/128 fold_sum, n/128 sum_error, 2 sum_with_error
"""

from functools import wraps

import numpy as np

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
def value(X, bend_alpha, y):
    """The function value.

    Takes   X f64[n, 1], bend_alpha f64[1], y f64[n, 1]
    Gives   f
    """
    n = X.shape[0]
    t0 = f64(n)
    y_flat = y.reshape(-1)
    X_flat = X.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t1 = bend_alpha[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t2 = X_flat[start + i]
            yhat = select(t2 > 0.0, t2, t1 * t2)
            r0 = y_flat[start + i] - yhat
            terms[i] = r0 * r0
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    f = t3 / t0
    return f


@jit
def forward(X, bend_alpha, y):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 1], bend_alpha f64[1], y f64[n, 1]
    Gives   f, (r0, r1)
    """
    n = X.shape[0]
    t0 = f64(n)
    r0 = np.empty((n, 1), f64)
    r1 = np.empty((n, 1), f64)
    y_flat = y.reshape(-1)
    X_flat = X.reshape(-1)
    r0_flat = r0.reshape(-1)
    r1_flat = r1.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    t2 = bend_alpha[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = X_flat[start + i]
            yhat = select(t1 > 0.0, t1, t2 * t1)
            t3 = y_flat[start + i] - yhat
            r0_flat[start + i] = t3
            r1_flat[start + i] = select(t1 > 0.0, 0.0, t1)
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t4 = sum_with_error(total, rest)
    f = t4 / t0
    return f, (r0, r1)


@jit
def backward(r0, r1, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64[n, 1], r1 f64[n, 1], f_bar f64
    Gives   bend_alpha_bar
    """
    n = r0.shape[0]
    t0 = f_bar / f64(n)
    v0 = np.empty(1, f64)
    r0_flat = r0.reshape(-1)
    r1_flat = r1.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            terms[i] = 2.0 * (t0 * r0_flat[start + i]) * r1_flat[start + i]
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    v0[0] = sum_with_error(total, rest)
    bend_alpha_bar = np.empty(1, f64)
    bend_alpha_bar[0] = -v0[0]
    return bend_alpha_bar


@jit
def value_and_grad(X, bend_alpha, y):
    """The value and its gradients.

    Takes   X f64[n, 1], bend_alpha f64[1], y f64[n, 1]
    Gives   f, bend_alpha_bar
    """
    n = X.shape[0]
    t0 = f64(n)
    v0 = np.empty(1, f64)
    y_flat = y.reshape(-1)
    X_flat = X.reshape(-1)
    terms = np.empty(256, f64)
    terms1 = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    total1 = f64(0.0)
    rest1 = f64(0.0)
    t2 = bend_alpha[0]
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = X_flat[start + i]
            yhat = select(t1 > 0.0, t1, t2 * t1)
            r0 = y_flat[start + i] - yhat
            r1 = select(t1 > 0.0, 0.0, t1)
            terms[i] = r0 * r0
            terms1[i] = 2.0 * (r0 / t0) * r1
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
        part1 = fold_sum(terms1, count)
        rest1 += sum_error(total1, part1)
        total1 += part1
    v0[0] = sum_with_error(total1, rest1)
    t3 = sum_with_error(total, rest)
    f = t3 / t0
    bend_alpha_bar = np.empty(1, f64)
    bend_alpha_bar[0] = -v0[0]
    return f, bend_alpha_bar
