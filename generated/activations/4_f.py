"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add
    forward         1 add
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
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    t0 = x + 0.5
    t1 = select(t0 < 0.0, 0.0, t0)
    f = select(t1 > 1.0, 1.0, t1)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0,)
    """
    t0 = x + 0.5
    t1 = select(t0 < 0.0, 0.0, t0)
    f = select(t1 > 1.0, 1.0, t1)
    r0 = select(t0 == t0, select((0.0 < t0) & (t0 < 1.0), 1.0, 0.0), t0)
    return f, (r0,)


@jit
def backward(r0, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, f_bar f64
    Gives   x_bar
    """
    x_bar = select((f_bar == 0.0) | (r0 == 0.0), 0.0, f_bar * r0)
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, r0
    """
    t0 = x + 0.5
    t1 = select(t0 < 0.0, 0.0, t0)
    f = select(t1 > 1.0, 1.0, t1)
    r0 = select(t0 == t0, select((0.0 < t0) & (t0 < 1.0), 1.0, 0.0), t0)
    return f, r0
