"""J, and its gradient with respect to Z.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           257*n/128 add, n mul, n+1 div, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    forward         257*n/128 add, 2*n mul, n+1 div, n/256 fold_sum, n/256 sum_error,
                    1 sum_with_error
    backward        n add, 2*n mul, n+1 div
    value_and_grad  385*n/128 add, 4*n mul, 2*n+2 div, n/256 fold_sum, n/256 sum_error,
                    1 sum_with_error
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
def value(Y, Z):
    """The function value.

    Takes   Y f64[n, 1], Z f64[n, 1]
    Gives   J
    """
    n = Y.shape[0]
    t0 = f64(n)
    Z_flat = Z.reshape(-1)
    Y_flat = Y.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = Z_flat[start + i] - Y_flat[start + i]
            t2 = abs(t1)
            r0 = t2 <= 1.0
            terms[i] = select(r0, t1 * t1 / 2.0, t2 - 0.5)
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t3 = sum_with_error(total, rest)
    J = t3 / t0
    return J


@jit
def forward(Y, Z):
    """The outputs, and the residuals that backward reads.

    Takes   Y f64[n, 1], Z f64[n, 1]
    Gives   J, (r0, r1, r2)
    """
    n = Y.shape[0]
    t0 = f64(n)
    r0 = np.empty((n, 1), np.bool_)
    r1 = np.empty((n, 1), f64)
    r2 = np.empty((n, 1), f64)
    Z_flat = Z.reshape(-1)
    Y_flat = Y.reshape(-1)
    r0_flat = r0.reshape(-1)
    r1_flat = r1.reshape(-1)
    r2_flat = r2.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t1 = Z_flat[start + i] - Y_flat[start + i]
            t2 = abs(t1)
            t3 = t2 <= 1.0
            r0_flat[start + i] = t3
            r1_flat[start + i] = 2.0 * t1
            r2_flat[start + i] = select(
                t1 > 0.0, 1.0, select(t1 < 0.0, -1.0, select(t1 == 0.0, 0.0, t1))
            )
            terms[i] = select(t3, t1 * t1 / 2.0, t2 - 0.5)
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t4 = sum_with_error(total, rest)
    J = t4 / t0
    return J, (r0, r1, r2)


@jit
def backward(r0, r1, r2, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 bool[n, 1], r1 f64[n, 1], r2 f64[n, 1], J_bar f64
    Gives   Z_bar
    """
    n = r0.shape[0]
    t0 = J_bar / f64(n)
    Z_bar = np.empty((n, 1), f64)
    r0_flat = r0.reshape(-1)
    r1_flat = r1.reshape(-1)
    r2_flat = r2.reshape(-1)
    Z_bar_flat = Z_bar.reshape(-1)
    for i in range(n):
        t1 = r0_flat[i]
        t2 = r1_flat[i]
        t3 = select(t1, t0, 0.0) / 2.0
        t4 = select((t3 == 0.0) | (t2 == 0.0), 0.0, t3 * t2)
        t5 = r2_flat[i]
        t6 = select(t1, 0.0, t0)
        t7 = select((t6 == 0.0) | (t5 == 0.0), 0.0, t6 * t5)
        Z_bar_flat[i] = t4 + t7
    return Z_bar


@jit
def value_and_grad(Y, Z):
    """The value and its gradients.

    Takes   Y f64[n, 1], Z f64[n, 1]
    Gives   J, Z_bar
    """
    n = Y.shape[0]
    t0 = f64(n)
    t1 = 1.0 / t0
    Z_bar = np.empty((n, 1), f64)
    Z_flat = Z.reshape(-1)
    Y_flat = Y.reshape(-1)
    Z_bar_flat = Z_bar.reshape(-1)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t2 = Z_flat[start + i] - Y_flat[start + i]
            t3 = abs(t2)
            r0 = t3 <= 1.0
            r1 = 2.0 * t2
            t4 = select(r0, t1, 0.0) / 2.0
            t5 = select((t4 == 0.0) | (r1 == 0.0), 0.0, t4 * r1)
            r2 = select(t2 > 0.0, 1.0, select(t2 < 0.0, -1.0, select(t2 == 0.0, 0.0, t2)))
            t6 = select(r0, 0.0, t1)
            t7 = select((t6 == 0.0) | (r2 == 0.0), 0.0, t6 * r2)
            Z_bar_flat[start + i] = t5 + t7
            terms[i] = select(r0, t2 * t2 / 2.0, t3 - 0.5)
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    t8 = sum_with_error(total, rest)
    J = t8 / t0
    return J, Z_bar
