"""H, CE, KL.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  3 add, 3 mul, 6 fma, 3 div, 9 log
"""

import math
from functools import wraps

import numpy as np

from symgrad.runtime.kernels import fma, select

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
i64 = np.int64


@inline
def log(x):
    tiny = x < 2.2250738585072014e-308
    c = select(tiny, 6755399441055798.0, 6755399441055744.0)
    u = select(tiny, x * 1.8014398509481984e+16, x)
    b = f64(u).view(i64) - 4604544271217802189
    k = b >> 52
    m = i64((b & 4503599627370495) + 4604544271217802189).view(f64)
    f = m - 1.0
    e = i64(k + 4843621399236968448).view(f64) - c
    h = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = fma(
        fma(fma(fma(0.14810522174900667, z, 0.15313166555274463), z, 0.18183571337941415), z,
        0.2222219909771344), z, 0.2857142872918098
    )
    w2 = fma(fma(w, z, 0.3999999999952053), z, 0.666666666666671)
    low = fma(s, fma(z, w2, h), e * 2.3190468138462996e-17)
    y = fma(e, 0.6931471805599453, f - (h - low))
    y2 = select(x < math.inf, y, x)
    below = select(x == 0.0, -math.inf, math.nan)
    return select(x > 0.0, y2, below)


@jit
def value(p, q):
    """The function value.

    Takes   p f64[3], q f64[3]
    Gives   H, CE, KL
    """
    total = f64(0.0)
    total1 = f64(0.0)
    KL = f64(0.0)
    for i in range(3):
        t0 = p[i]
        t1 = q[i]
        total += select((t0 == 0.0) & (t0 == t0), 0.0, t0 * log(t0))
        total1 = fma(t0, log(t1), total1)
        KL = fma(t0, log(t0 / t1), KL)
    H = -total
    CE = -total1
    return H, CE, KL
