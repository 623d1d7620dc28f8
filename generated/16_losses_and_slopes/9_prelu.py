"""prelu, and its gradient with respect to x, alpha.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 mul
    forward         1 mul
    backward        2 mul
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
def value(x, alpha):
    """The function value.

    Takes   x f64, alpha f64
    Gives   prelu
    """
    prelu = select(x > 0.0, x, alpha * x)
    return prelu


@jit
def forward(x, alpha):
    """The outputs, and the residuals that backward reads.

    Takes   x f64, alpha f64
    Gives   prelu, (r0, r1)
    """
    prelu = select(x > 0.0, x, alpha * x)
    t0 = x > 0.0
    r0 = select(t0, 1.0, select(x <= 0.0, alpha, x))
    r1 = select(t0, 0.0, x)
    return prelu, (r0, r1)


@jit
def backward(r0, r1, prelu_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, r1 f64, prelu_bar f64
    Gives   x_bar, alpha_bar
    """
    x_bar = prelu_bar * r0
    alpha_bar = prelu_bar * r1
    return x_bar, alpha_bar


@jit
def value_and_grad(x, alpha):
    """The value and its gradients.

    Takes   x f64, alpha f64
    Gives   prelu, (r0, r1)
    """
    prelu = select(x > 0.0, x, alpha * x)
    t0 = x > 0.0
    r0 = select(t0, 1.0, select(x <= 0.0, alpha, x))
    r1 = select(t0, 0.0, x)
    return prelu, (r0, r1)
