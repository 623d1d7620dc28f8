"""a.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  3*n add, n mul, 1 dot
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
def value(X, w, b):
    """The function value.

    Takes   X f64[n, 2], w f64[2], b f64
    Gives   a
    """
    n = X.shape[0]
    v0 = np.empty(n, f64)
    matmul(X, w, v0)
    a = np.empty(n, f64)
    for i in range(n):
        t0 = v0[i] + b
        t1 = select(t0 > 0.0, 1.0, 0.0) - select(t0 < 0.0, 1.0, 0.0)
        a[i] = select(t0 == t0, 0.5 * t1 + 0.5, t0)
    return a
