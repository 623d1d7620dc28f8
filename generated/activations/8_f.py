"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 mul
    forward         1 mul
    backward        1 mul
    value_and_grad  1 mul
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
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    f = select(x > 0.0, x, 0.01 * x)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0,)
    """
    f = select(x > 0.0, x, 0.01 * x)
    r0 = select(x > 0.0, 1.0, select(x <= 0.0, 0.01, x))
    return f, (r0,)


@jit
def backward(r0, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, f_bar f64
    Gives   x_bar
    """
    x_bar = f_bar * r0
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, r0
    """
    f = select(x > 0.0, x, 0.01 * x)
    r0 = select(x > 0.0, 1.0, select(x <= 0.0, 0.01, x))
    return f, r0
