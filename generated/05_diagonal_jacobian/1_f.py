"""diagonal_matrix(gate(1, x)).

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  none
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

    Takes   x f64[4096]
    Gives   v0
    """
    v0 = np.empty(4096, f64)
    for i in range(4096):
        t0 = x[i]
        v0[i] = select(t0 > 0.0, 1.0, select((t0 <= 0.0) | (1.0 == 0.0), 0.0, t0))
    return v0
