"""mae, and its gradient with respect to yhat.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add
    forward         2 add
    backward        1 mul
    value_and_grad  1 add
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
    Gives   mae
    """
    mae = abs(y - yhat)
    return mae


@jit
def forward(y, yhat):
    """The outputs, and the residuals that backward reads.

    Takes   y f64, yhat f64
    Gives   mae, (r0,)
    """
    mae = abs(y - yhat)
    r0 = np.empty((1, 1), f64)
    t0 = y - yhat
    r0[0, 0] = select(t0 > 0.0, 1.0, select(t0 < 0.0, -1.0, select(t0 == 0.0, 0.0, t0)))
    return mae, (r0,)


@jit
def backward(r0, mae_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64[1, 1], mae_bar f64
    Gives   yhat_bar
    """
    t0 = r0[0, 0]
    t1 = select((mae_bar == 0.0) | (t0 == 0.0), 0.0, mae_bar * t0)
    yhat_bar = -t1
    return yhat_bar


@jit
def value_and_grad(y, yhat):
    """The value and its gradients.

    Takes   y f64, yhat f64
    Gives   mae, yhat_bar
    """
    t0 = y - yhat
    mae = abs(t0)
    r0 = select(t0 > 0.0, 1.0, select(t0 < 0.0, -1.0, select(t0 == 0.0, 0.0, t0)))
    yhat_bar = -r0
    return mae, yhat_bar
