"""J, and its gradient with respect to w1, w0.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           8 add, 5 mul, 1 div
    forward         10 add, 5 mul, 1 div
    backward        2 add, 5 mul, 2 div
    value_and_grad  12 add, 6 mul, 4 div
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
def value(w1, w0):
    """The function value.

    Takes   w1 f64, w0 f64
    Gives   J
    """
    r2 = w1 + w0 - 2.0
    r1 = w1 * 2.0 + w0 - 3.0
    r0 = w1 * 3.0 + w0 - 5.0
    t0 = r2 * r2 + r1 * r1 + r0 * r0
    J = t0 / 3.0
    return J


@jit
def forward(w1, w0):
    """The outputs, and the residuals that backward reads.

    Takes   w1 f64, w0 f64
    Gives   J, (r0, r1, r2, r3)
    """
    r2 = w1 + w0 - 2.0
    r1 = w1 * 2.0 + w0 - 3.0
    r0 = w1 * 3.0 + w0 - 5.0
    t0 = r2 * r2 + r1 * r1 + r0 * r0
    J = t0 / 3.0
    r3 = r0 + r1 + r2
    return J, (r0, r1, r2, r3)


@jit
def backward(r0, r1, r2, r3, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, r1 f64, r2 f64, r3 f64, J_bar f64
    Gives   w1_bar, w0_bar
    """
    t0 = J_bar / 1.5
    t1 = 2.0 * J_bar * r0 + J_bar / 0.75 * r1
    w1_bar = t1 + t0 * r2
    w0_bar = t0 * r3
    return w1_bar, w0_bar


@jit
def value_and_grad(w1, w0):
    """The value and its gradients.

    Takes   w1 f64, w0 f64
    Gives   J, (w1_bar, w0_bar)
    """
    r2 = w1 + w0 - 2.0
    r1 = w1 * 2.0 + w0 - 3.0
    r0 = w1 * 3.0 + w0 - 5.0
    t0 = r2 * r2 + r1 * r1 + r0 * r0
    J = t0 / 3.0
    w1_bar = 2.0 * r0 + r1 / 0.75 + r2 / 1.5
    r3 = r0 + r1 + r2
    w0_bar = r3 / 1.5
    return J, (w1_bar, w0_bar)
