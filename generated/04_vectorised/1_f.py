"""f, and its gradient with respect to q, W, x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           6 fma
    forward         6 fma
    backward        8 mul, 4 fma
    value_and_grad  6 mul, 10 fma
"""

from functools import wraps

import numpy as np

from symgrad.runtime.kernels import fma

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


@jit
def value(W, x):
    """The function value.

    Takes   W f64[2, 2], x f64[2]
    Gives   f
    """
    q = np.empty(2, f64)
    for i in range(2):
        total = f64(0.0)
        for j in range(2):
            total = fma(W[i, j], x[j], total)
        q[i] = total
    f = f64(0.0)
    for i in range(2):
        t0 = q[i]
        f = fma(t0, t0, f)
    return f


@jit
def forward(W, x):
    """The outputs, and the residuals that backward reads.

    Takes   W f64[2, 2], x f64[2]
    Gives   f, (q,)
    """
    q = np.empty(2, f64)
    for i in range(2):
        total = f64(0.0)
        for j in range(2):
            total = fma(W[i, j], x[j], total)
        q[i] = total
    f = f64(0.0)
    for i in range(2):
        t0 = q[i]
        f = fma(t0, t0, f)
    return f, (q,)


@jit
def backward(W, x, q, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   W f64[2, 2], x f64[2], q f64[2], f_bar f64
    Gives   q_bar, W_bar, x_bar
    """
    q_bar = np.empty(2, f64)
    for i in range(2):
        # q = W @ x
        q_bar[i] = 2.0 * (f_bar * q[i])
    W_bar = np.empty((2, 2), f64)
    x_bar = np.empty(2, f64)
    for i in range(2):
        total = f64(0.0)
        t0 = q_bar[i]
        for j in range(2):
            W_bar[i, j] = t0 * x[j]
            total = fma(W[j, i], q_bar[j], total)
        x_bar[i] = total
    return q_bar, W_bar, x_bar


@jit
def value_and_grad(W, x):
    """The value and its gradients.

    Takes   W f64[2, 2], x f64[2]
    Gives   f, (q_bar, W_bar, x_bar)
    """
    q = np.empty(2, f64)
    for i in range(2):
        total = f64(0.0)
        for j in range(2):
            total = fma(W[i, j], x[j], total)
        q[i] = total
    q_bar = np.empty(2, f64)
    f = f64(0.0)
    for i in range(2):
        t0 = q[i]
        # q = W @ x
        q_bar[i] = 2.0 * t0
        f = fma(t0, t0, f)
    W_bar = np.empty((2, 2), f64)
    x_bar = np.empty(2, f64)
    for i in range(2):
        total1 = f64(0.0)
        t1 = q_bar[i]
        for j in range(2):
            W_bar[i, j] = t1 * x[j]
            total1 = fma(W[j, i], q_bar[j], total1)
        x_bar[i] = total1
    return f, (q_bar, W_bar, x_bar)
