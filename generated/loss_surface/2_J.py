"""J, and its gradient with respect to w, b.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           6 add, 3 mul, 3 fma, 1 div
    forward         6 add, 3 mul, 3 fma, 1 div
    backward        3 add, 3 mul, 3 fma, 1 div
    value_and_grad  9 add, 3 mul, 6 fma, 4 div
"""

from functools import wraps

import numpy as np

from symgrad.runtime.kernels import fma

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
constants = np.array([2.0, 3.0, 5.0], f64)
constants1 = np.array([1.0, 2.0, 3.0], f64)


@jit
def value(w, b):
    """The function value.

    Takes   w f64, b f64
    Gives   J
    """
    total = f64(0.0)
    for i in range(3):
        r0 = constants[i] - (w * constants1[i] + b)
        total = fma(r0, r0, total)
    J = total / 3.0
    return J


@jit
def forward(w, b):
    """The outputs, and the residuals that backward reads.

    Takes   w f64, b f64
    Gives   J, (r0,)
    """
    r0 = np.empty(3, f64)
    total = f64(0.0)
    for i in range(3):
        t0 = constants[i] - (w * constants1[i] + b)
        r0[i] = t0
        total = fma(t0, t0, total)
    J = total / 3.0
    return J, (r0,)


@jit
def backward(r0, J_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64[3], J_bar f64
    Gives   w_bar, b_bar
    """
    t0 = J_bar / 1.5
    total = f64(0.0)
    total1 = f64(0.0)
    for i in range(3):
        t1 = t0 * r0[i]
        total = fma(t1, constants1[i], total)
        total1 += t1
    w_bar = -total
    b_bar = -total1
    return w_bar, b_bar


@jit
def value_and_grad(w, b):
    """The value and its gradients.

    Takes   w f64, b f64
    Gives   J, (w_bar, b_bar)
    """
    total = f64(0.0)
    total1 = f64(0.0)
    total2 = f64(0.0)
    for i in range(3):
        t0 = constants1[i]
        r0 = constants[i] - (w * t0 + b)
        t1 = r0 / 1.5
        total = fma(r0, r0, total)
        total1 = fma(t1, t0, total1)
        total2 += t1
    J = total / 3.0
    w_bar = -total1
    b_bar = -total2
    return J, (w_bar, b_bar)
