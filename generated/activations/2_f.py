"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           2 add, 1 mul
    forward         2 add, 1 mul
    backward        none
    value_and_grad  2 add, 1 mul
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
def value(v0):
    """The function value.

    Takes   v0 f64
    Gives   f
    """
    t0 = select(v0 > 0.0, 1.0, 0.0) - select(v0 < 0.0, 1.0, 0.0)
    f = select(v0 == v0, 0.5 * t0 + 0.5, v0)
    return f


@jit
def forward(v0):
    """The outputs, and the residuals that backward reads.

    Takes   v0 f64
    Gives   f, ()
    """
    t0 = select(v0 > 0.0, 1.0, 0.0) - select(v0 < 0.0, 1.0, 0.0)
    f = select(v0 == v0, 0.5 * t0 + 0.5, v0)
    return f, ()


@jit
def backward(f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   f_bar f64
    Gives   0.0
    """
    return 0.0


@jit
def value_and_grad(v0):
    """The value and its gradients.

    Takes   v0 f64
    Gives   f, 0.0
    """
    t0 = select(v0 > 0.0, 1.0, 0.0) - select(v0 < 0.0, 1.0, 0.0)
    f = select(v0 == v0, 0.5 * t0 + 0.5, v0)
    return f, 0.0
