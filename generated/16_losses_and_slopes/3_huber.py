"""huber, and its gradient with respect to yhat.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           2 add, 1 mul, 1 div
    forward         3 add, 2 mul, 1 div
    backward        1 add, 2 mul, 1 div
    value_and_grad  3 add, 4 mul, 2 div
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


@jit
def value(y, yhat):
    """The function value.

    Takes   y f64, yhat f64
    Gives   huber
    """
    t0 = yhat - y
    t1 = abs(t0)
    r0 = t1 <= 1.0
    t2 = select(r0, t0 * t0 / 2.0, t1 - 0.5)
    huber = t2
    return huber


@jit
def forward(y, yhat):
    """The outputs, and the residuals that backward reads.

    Takes   y f64, yhat f64
    Gives   huber, (r0, r1, r2)
    """
    r0 = np.empty((1, 1), np.bool_)
    r1 = np.empty((1, 1), f64)
    r2 = np.empty((1, 1), f64)
    t0 = yhat - y
    r0[0, 0] = abs(t0) <= 1.0
    r1[0, 0] = 2.0 * t0
    r2[0, 0] = select(t0 > 0.0, 1.0, select(t0 < 0.0, -1.0, select(t0 == 0.0, 0.0, t0)))
    t1 = yhat - y
    t2 = select(r0[0, 0], t1 * t1 / 2.0, abs(t1) - 0.5)
    huber = t2
    return huber, (r0, r1, r2)


@jit
def backward(r0, r1, r2, huber_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 bool[1, 1], r1 f64[1, 1], r2 f64[1, 1], huber_bar f64
    Gives   yhat_bar
    """
    t0 = r0[0, 0]
    t1 = r1[0, 0]
    t2 = select(t0, huber_bar, 0.0) / 2.0
    t3 = select((t2 == 0.0) | (t1 == 0.0), 0.0, t2 * t1)
    t4 = r2[0, 0]
    t5 = select(t0, 0.0, huber_bar)
    t6 = select((t5 == 0.0) | (t4 == 0.0), 0.0, t5 * t4)
    yhat_bar = t3 + t6
    return yhat_bar


@jit
def value_and_grad(y, yhat):
    """The value and its gradients.

    Takes   y f64, yhat f64
    Gives   huber, yhat_bar
    """
    t0 = yhat - y
    t1 = abs(t0)
    r0 = t1 <= 1.0
    t2 = select(r0, t0 * t0 / 2.0, t1 - 0.5)
    huber = t2
    r1 = 2.0 * t0
    t3 = select(r0, 1.0, 0.0) / 2.0
    t4 = select((t3 == 0.0) | (r1 == 0.0), 0.0, t3 * r1)
    r2 = select(t0 > 0.0, 1.0, select(t0 < 0.0, -1.0, select(t0 == 0.0, 0.0, t0)))
    t5 = select(r0, 0.0, 1.0)
    t6 = select((t5 == 0.0) | (r2 == 0.0), 0.0, t5 * r2)
    yhat_bar = t4 + t6
    return huber, yhat_bar
