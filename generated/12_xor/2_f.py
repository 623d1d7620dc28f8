"""relu(x1 + x2) - 2 * relu(...), and its gradient with respect to x1, x2.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           3 add, 1 mul
    forward         3 add, 1 mul
    backward        3 add, 1 mul
    value_and_grad  4 add, 1 mul
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
def value(x1, x2):
    """The function value.

    Takes   x1 f64, x2 f64
    Gives   f
    """
    t0 = x1 + x2
    t1 = select(t0 > 0.0, t0, select(t0 <= 0.0, 0.0, t0))
    t2 = t0 - 1.0
    t3 = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    f = t1 - 2.0 * t3
    return f


@jit
def forward(x1, x2):
    """The outputs, and the residuals that backward reads.

    Takes   x1 f64, x2 f64
    Gives   f, ()
    """
    t0 = x1 + x2
    t1 = select(t0 > 0.0, t0, select(t0 <= 0.0, 0.0, t0))
    t2 = t0 - 1.0
    t3 = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    f = t1 - 2.0 * t3
    return f, ()


@jit
def backward(x1, x2, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x1 f64, x2 f64, f_bar f64
    Gives   x2_bar, x2_bar
    """
    t0 = x1 + x2
    t1 = select(t0 > 0.0, f_bar, select((t0 <= 0.0) | (f_bar == 0.0), 0.0, t0))
    t2 = t0 - 1.0
    t3 = f_bar * 2.0
    t4 = select(t2 > 0.0, t3, select((t2 <= 0.0) | (t3 == 0.0), 0.0, t2))
    x2_bar = t1 - t4
    return x2_bar, x2_bar


@jit
def value_and_grad(x1, x2):
    """The value and its gradients.

    Takes   x1 f64, x2 f64
    Gives   f, (x2_bar, x2_bar)
    """
    t0 = x1 + x2
    t1 = t0 - 1.0
    t2 = select(t0 > 0.0, t0, select(t0 <= 0.0, 0.0, t0))
    t3 = select(t1 > 0.0, t1, select(t1 <= 0.0, 0.0, t1))
    f = t2 - 2.0 * t3
    t4 = select(t1 > 0.0, -2.0, select((t1 <= 0.0) | (-2.0 == 0.0), 0.0, t1))
    t5 = select(t0 > 0.0, 1.0, select(t0 <= 0.0, 0.0, t0))
    x2_bar = t4 + t5
    return f, (x2_bar, x2_bar)
