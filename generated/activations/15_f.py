"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 add, 1 mul, 1 div
    forward         6 add, 3 mul, 1 div
    backward        2 add, 5 mul, 1 div
    value_and_grad  8 add, 6 mul, 2 div
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
    t0 = x / 2.0
    t1 = -x
    t2 = select((t1 > t0) | (t1 != t1), t1, t0)
    t3 = 2.0 * x - 2.0
    f = select((t2 > t3) | (t2 != t2), t2, t3)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0, r1, r2, r3)
    """
    t0 = -x
    t1 = x / 2.0
    t2 = select((t0 > t1) | (t0 != t0), t0, t1)
    t3 = 2.0 * x - 2.0
    f = select((t2 > t3) | (t2 != t2), t2, t3)
    r0 = select(t1 > t0, 1.0, select(t1 < t0, 0.0, select(t1 == t0, 0.0, t1 + t0)))
    r1 = select(t0 > t1, 1.0, select(t0 < t1, 0.0, select(t0 == t1, 0.0, t0 + t1)))
    t4 = r0 * 0.5 - r1
    t5 = t4 * 2.0 < 0.0
    t6 = abs(t4) < 2.0
    r2 = select(
        t3 > t2, 1.0, select(t3 < t2, 0.0,
        select(t3 == t2, select(t5, 0.0, select(t6, 0.0, 1.0)), t3 + t2))
    )
    r3 = select(
        t2 > t3, 1.0, select(t2 < t3, 0.0,
        select(t2 == t3, select(t5, 0.0, select(t6, 1.0, 0.0)), t2 + t3))
    )
    return f, (r0, r1, r2, r3)


@jit
def backward(r0, r1, r2, r3, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   r0 f64, r1 f64, r2 f64, r3 f64, f_bar f64
    Gives   x_bar
    """
    t0 = select((f_bar == 0.0) | (r3 == 0.0), 0.0, f_bar * r3)
    t1 = select((f_bar == 0.0) | (r2 == 0.0), 0.0, f_bar * r2)
    t2 = select((t0 == 0.0) | (r0 == 0.0), 0.0, t0 * r0)
    t3 = select((t0 == 0.0) | (r1 == 0.0), 0.0, t0 * r1)
    x_bar = t1 * 2.0 + t2 / 2.0 - t3
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, x_bar
    """
    t0 = -x
    t1 = x / 2.0
    t2 = select((t0 > t1) | (t0 != t0), t0, t1)
    t3 = 2.0 * x - 2.0
    f = select((t2 > t3) | (t2 != t2), t2, t3)
    r0 = select(t1 > t0, 1.0, select(t1 < t0, 0.0, select(t1 == t0, 0.0, t1 + t0)))
    r1 = select(t0 > t1, 1.0, select(t0 < t1, 0.0, select(t0 == t1, 0.0, t0 + t1)))
    t4 = r0 * 0.5 - r1
    t5 = t4 * 2.0 < 0.0
    t6 = abs(t4) < 2.0
    r3 = select(
        t2 > t3, 1.0, select(t2 < t3, 0.0,
        select(t2 == t3, select(t5, 0.0, select(t6, 1.0, 0.0)), t2 + t3))
    )
    r2 = select(
        t3 > t2, 1.0, select(t3 < t2, 0.0,
        select(t3 == t2, select(t5, 0.0, select(t6, 0.0, 1.0)), t3 + t2))
    )
    t7 = select((r3 == 0.0) | (r0 == 0.0), 0.0, r3 * r0)
    t8 = select((r3 == 0.0) | (r1 == 0.0), 0.0, r3 * r1)
    x_bar = r2 * 2.0 + t7 / 2.0 - t8
    return f, x_bar
