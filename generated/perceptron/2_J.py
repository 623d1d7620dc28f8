"""J, and its gradient with respect to w, b.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           513*n/128 add, 2*n mul, 1 dot, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    forward         513*n/128 add, 2*n mul, 1 dot, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
    backward        none
    value_and_grad  513*n/128 add, 2*n mul, 1 dot, n/256 fold_sum, n/256 sum_error, 1 sum_with_error
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
def value(X, w, b, y):
    """The function value.

    Takes   X f64[n, 2], w f64[2], b f64, y f64[n]
    Gives   J
    """
    n = X.shape[0]
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t0 = v0[start + i] + b
            t1 = select(t0 > 0.0, 1.0, 0.0) - select(t0 < 0.0, 1.0, 0.0)
            t2 = select(t0 == t0, 0.5 * t1 + 0.5, t0)
            t3 = t2 - y[start + i]
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    J = sum_with_error(total, rest)
    return J


@jit
def forward(X, w, b, y):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 2], w f64[2], b f64, y f64[n]
    Gives   J, ()
    """
    n = X.shape[0]
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t0 = v0[start + i] + b
            t1 = select(t0 > 0.0, 1.0, 0.0) - select(t0 < 0.0, 1.0, 0.0)
            t2 = select(t0 == t0, 0.5 * t1 + 0.5, t0)
            t3 = t2 - y[start + i]
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    J = sum_with_error(total, rest)
    return J, ()


@jit
def backward(J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   J_bar f64
    Gives   v0, 0.0
    """
    v0 = np.empty(2, f64)
    for i in range(2):
        v0[i] = 0.0
    return v0, 0.0


@jit
def value_and_grad(X, w, b, y):
    """The value and its gradients.

    Takes   X f64[n, 2], w f64[2], b f64, y f64[n]
    Gives   J, (v1, 0.0)
    """
    n = X.shape[0]
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    v1 = np.empty(2, f64)
    for i in range(2):
        v1[i] = 0.0
    terms = np.empty(256, f64)
    total = f64(0.0)
    rest = f64(0.0)
    for block in range((n + 255) // 256):
        start = block * 256
        count = select(n - start < 256, n - start, 256)
        for i in range(count):
            t0 = v0[start + i] + b
            t1 = select(t0 > 0.0, 1.0, 0.0) - select(t0 < 0.0, 1.0, 0.0)
            t2 = select(t0 == t0, 0.5 * t1 + 0.5, t0)
            t3 = t2 - y[start + i]
            terms[i] = t3 * t3
        part = fold_sum(terms, count)
        rest += sum_error(total, part)
        total += part
    J = sum_with_error(total, rest)
    return J, (v1, 0.0)
