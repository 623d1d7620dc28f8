"""mse, and its gradient with respect to yhat.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 1 mul
    forward         1 add, 1 mul
    backward        2 mul
    value_and_grad  1 add, 2 mul
"""

from functools import wraps

import numpy as np

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
    Gives   mse
    """
    r0 = y - yhat
    mse = r0 * r0
    return mse


@jit
def forward(y, yhat):
    """The outputs, and the residuals that backward reads.

    Takes   y f64, yhat f64
    Gives   mse, (r0,)
    """
    r0 = np.empty((1, 1), f64)
    r0[0, 0] = y - yhat
    t0 = r0[0, 0]
    mse = t0 * t0
    return mse, (r0,)


@jit
def backward(r0, mse_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64[1, 1], mse_bar f64
    Gives   yhat_bar
    """
    yhat_bar = -(2.0 * (mse_bar * r0[0, 0]))
    return yhat_bar


@jit
def value_and_grad(y, yhat):
    """The value and its gradients.

    Takes   y f64, yhat f64
    Gives   mse, yhat_bar
    """
    r0 = y - yhat
    mse = r0 * r0
    yhat_bar = -(2.0 * r0)
    return mse, yhat_bar
