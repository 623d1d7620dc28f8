"""f, and its gradient with respect to x, y.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 1 mul
    forward         1 add, 1 mul
    backward        1 add, 2 mul
    value_and_grad  2 add, 1 mul
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
def value(x, y):
    """The function value.

    Takes   x f64, y f64
    Gives   f
    """
    f = x * y + x
    return f


@jit
def forward(x, y):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64
    Gives   f, ()
    """
    f = x * y + x
    return f, ()


@jit
def backward(y, x, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   y f64, x f64, f_bar f64
    Gives   x_bar, y_bar
    """
    x_bar = f_bar + f_bar * y
    y_bar = f_bar * x
    return x_bar, y_bar


@jit
def value_and_grad(x, y):
    """The value and its gradients.

    Takes   x f64, y f64
    Gives   f, (x_bar, x)
    """
    f = x * y + x
    x_bar = 1.0 + y
    return f, (x_bar, x)
