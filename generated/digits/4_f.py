"""argmax(... @ W2 + b2), and its gradient with respect to W1, b1, W2, b2.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value     74*n add, 2 dot
    forward   74*n add, 2 dot
    backward  none
"""

import math
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
i64 = np.int64


@jit
def value(X, W1, b1, W2, b2):
    """The function value.

    Takes   X f64[n, 64], W1 f64[64, 64], b1 f64[64], W2 f64[64, 10], b2 f64[10]
    Gives   f
    """
    n = X.shape[0]
    v0 = np.empty((n, 64), f64)
    matmul(X, W1, v0)
    a2 = np.empty((n, 64), f64)
    for i in range(n):
        for j in range(64):
            z2 = v0[i, j] + b1[j]
            a2[i, j] = select(z2 > 0.0, z2, select(z2 <= 0.0, 0.0, z2))
    v1 = np.empty((n, 10), f64)
    matmul(a2, W2, v1)
    f = np.empty(n, i64)
    for i in range(n):
        best = f64(-math.inf)
        at = 0
        for j in range(10):
            z3 = v1[i, j] + b2[j]
            t0 = z3
            wins = (t0 > best) | ((t0 != t0) & (best == best))
            at = select(wins, j, at)
            best = select(wins, t0, best)
        f[i] = at
    return f


@jit
def forward(X, W1, b1, W2, b2):
    """The outputs, and the residuals that backward reads.

    Takes   X f64[n, 64], W1 f64[64, 64], b1 f64[64], W2 f64[64, 10], b2 f64[10]
    Gives   f, ()
    """
    n = X.shape[0]
    v0 = np.empty((n, 64), f64)
    matmul(X, W1, v0)
    a2 = np.empty((n, 64), f64)
    for i in range(n):
        for j in range(64):
            z2 = v0[i, j] + b1[j]
            a2[i, j] = select(z2 > 0.0, z2, select(z2 <= 0.0, 0.0, z2))
    v1 = np.empty((n, 10), f64)
    matmul(a2, W2, v1)
    f = np.empty(n, i64)
    for i in range(n):
        best = f64(-math.inf)
        at = 0
        for j in range(10):
            z3 = v1[i, j] + b2[j]
            t0 = z3
            wins = (t0 > best) | ((t0 != t0) & (best == best))
            at = select(wins, j, at)
            best = select(wins, t0, best)
        f[i] = at
    return f, ()


@jit
def backward(f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   f_bar i64[n]
    Gives   v0, v1, v2, v3
    """
    v0 = np.empty((64, 64), f64)
    v0_flat = v0.reshape(-1)
    for i in range(4096):
        v0_flat[i] = 0.0
    v1 = np.empty(64, f64)
    for i in range(64):
        v1[i] = 0.0
    v2 = np.empty((64, 10), f64)
    v2_flat = v2.reshape(-1)
    for i in range(640):
        v2_flat[i] = 0.0
    v3 = np.empty(10, f64)
    for i in range(10):
        v3[i] = 0.0
    return v0, v1, v2, v3
