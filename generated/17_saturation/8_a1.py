"""a1, a2, a3, a4.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  4 dot, 3 same
"""

from functools import wraps

import numpy as np

from symgrad.runtime.chains import matmul
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
def value(X, W1, W2, W3, W4):
    """The function value.

    Takes   X f64[n, 8], W1 f64[8, 8], W2 f64[8, 8], W3 f64[8, 8], W4 f64[8, 8]
    Gives   a1, a2, a3, a4
    """
    n = X.shape[0]
    v0 = np.empty((n, 8), f64)
    matmul(X, W1, v0)
    a1 = np.empty((n, 8), f64)
    v0_flat = v0.reshape(-1)
    a1_flat = a1.reshape(-1)
    for i in range(n * 8):
        t0 = v0_flat[i]
        a1_flat[i] = select(t0 > 0.0, t0, select(t0 <= 0.0, 0.0, t0))
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(a1, W2, v1)
    a2 = np.empty((n, 8), f64)
    v1_flat = v1.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        t1 = v1_flat[i]
        a2_flat[i] = select(t1 > 0.0, t1, select(t1 <= 0.0, 0.0, t1))
    # in the memory of v1, which is read no more
    v2 = v1
    matmul(a2, W3, v2)
    a3 = np.empty((n, 8), f64)
    v2_flat = v2.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        t2 = v2_flat[i]
        a3_flat[i] = select(t2 > 0.0, t2, select(t2 <= 0.0, 0.0, t2))
    # in the memory of v2, which is read no more
    v3 = v2
    matmul(a3, W4, v3)
    a4 = np.empty((n, 8), f64)
    v3_flat = v3.reshape(-1)
    a4_flat = a4.reshape(-1)
    for i in range(n * 8):
        t3 = v3_flat[i]
        a4_flat[i] = select(t3 > 0.0, t3, select(t3 <= 0.0, 0.0, t3))
    return a1, a2, a3, a4
