"""h, and its gradient with respect to b, a, x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 2 mul
    forward         1 add, 2 mul
    backward        1 add, 3 mul
    value_and_grad  1 add, 4 mul
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
def value(x):
    """The function value.

    Takes   x f64
    Gives   h
    """
    a = x + 1.0
    b = 2.0 * a
    h = b * b
    return h


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   h, ()
    """
    a = x + 1.0
    b = 2.0 * a
    h = b * b
    return h, ()


@jit
def backward(x, h_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x f64, h_bar f64
    Gives   b_bar, a_bar, a_bar
    """
    a = x + 1.0
    t0 = h_bar * a
    # b = 2 * a
    b_bar = 4.0 * t0
    # a = x + 1
    a_bar = 8.0 * t0
    return b_bar, a_bar, a_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   h, (b_bar, a_bar, a_bar)
    """
    a = x + 1.0
    b = 2.0 * a
    h = b * b
    # b = 2 * a
    b_bar = 4.0 * a
    # a = x + 1
    a_bar = 8.0 * a
    return h, (b_bar, a_bar, a_bar)
