"""f, and its gradient with respect to x, y, z, w.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 2 mul
    forward         3 add, 2 mul
    backward        5 mul
    value_and_grad  3 add, 6 mul
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
def value(x, y, z, w):
    """The function value.

    Takes   x f64, y f64, z f64, w f64
    Gives   f
    """
    t0 = x * y + select((z > w) | (z != z), z, w)
    f = 2.0 * t0
    return f


@jit
def forward(x, y, z, w):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, y f64, z f64, w f64
    Gives   f, (r0, r1)
    """
    t0 = x * y + select((z > w) | (z != z), z, w)
    f = 2.0 * t0
    r0 = select(z > w, 1.0, select(z < w, 0.0, select(z == w, 0.5, z + w)))
    r1 = select(w > z, 1.0, select(w < z, 0.0, select(w == z, 0.5, w + z)))
    return f, (r0, r1)


@jit
def backward(y, x, r0, r1, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   y f64, x f64, r0 f64, r1 f64, f_bar f64
    Gives   x_bar, y_bar, z_bar, w_bar
    """
    t0 = f_bar * 2.0
    x_bar = t0 * y
    y_bar = t0 * x
    z_bar = select((t0 == 0.0) | (r0 == 0.0), 0.0, t0 * r0)
    w_bar = select((t0 == 0.0) | (r1 == 0.0), 0.0, t0 * r1)
    return x_bar, y_bar, z_bar, w_bar


@jit
def value_and_grad(x, y, z, w):
    """The value and its gradients.

    Takes   x f64, y f64, z f64, w f64
    Gives   f, (x_bar, y_bar, z_bar, w_bar)
    """
    t0 = x * y + select((z > w) | (z != z), z, w)
    f = 2.0 * t0
    x_bar = 2.0 * y
    y_bar = 2.0 * x
    r0 = select(z > w, 1.0, select(z < w, 0.0, select(z == w, 0.5, z + w)))
    z_bar = 2.0 * r0
    r1 = select(w > z, 1.0, select(w < z, 0.0, select(w == z, 0.5, w + z)))
    w_bar = 2.0 * r1
    return f, (x_bar, y_bar, z_bar, w_bar)
