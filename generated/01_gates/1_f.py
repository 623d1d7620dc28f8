"""f, and its gradient with respect to q, x, y, z.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 1 mul
    forward         1 add, 1 mul
    backward        1 add, 2 mul
    value_and_grad  1 add, 1 mul
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
def value(x, y, z):
    """The function value.

    Takes   x f64, y f64, z f64
    Gives   f
    """
    q = x + y
    f = q * z
    return f


@jit
def forward(x, y, z):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64, z f64
    Gives   f, ()
    """
    q = x + y
    f = q * z
    return f, ()


@jit
def backward(z, x, y, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   z f64, x f64, y f64, f_bar f64
    Gives   q_bar, q_bar, q_bar, z_bar
    """
    # q = x + y
    q_bar = f_bar * z
    q = x + y
    z_bar = f_bar * q
    return q_bar, q_bar, q_bar, z_bar


@jit
def value_and_grad(x, y, z):
    """The value and its gradients.

    Takes   x f64, y f64, z f64
    Gives   f, (z, z, z, q)
    """
    q = x + y
    f = q * z
    return f, (z, z, z, q)
