"""L, and its gradient with respect to x, w, b.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           2 add, 2 mul
    forward         2 add, 2 mul
    backward        4 mul
    value_and_grad  2 add, 5 mul
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
def value(x, y, w, b):
    """The function value.

    Takes   x f64, y f64, w f64, b f64
    Gives   L
    """
    r0 = y - (w * x + b)
    L = r0 * r0
    return L


@jit
def forward(x, y, w, b):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64, w f64, b f64
    Gives   L, (r0,)
    """
    r0 = y - (w * x + b)
    L = r0 * r0
    return L, (r0,)


@jit
def backward(w, x, r0, L_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   w f64, x f64, r0 f64, L_bar f64
    Gives   x_bar, w_bar, b_bar
    """
    t0 = 2.0 * (L_bar * r0)
    x_bar = -(t0 * w)
    w_bar = -(t0 * x)
    b_bar = -t0
    return x_bar, w_bar, b_bar


@jit
def value_and_grad(x, y, w, b):
    """The value and its gradients.

    Takes   x f64, y f64, w f64, b f64
    Gives   L, (x_bar, w_bar, b_bar)
    """
    r0 = y - (w * x + b)
    L = r0 * r0
    t0 = 2.0 * r0
    x_bar = -(t0 * w)
    w_bar = -(t0 * x)
    b_bar = -t0
    return L, (x_bar, w_bar, b_bar)
