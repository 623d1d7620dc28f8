"""a1, a2, a3, a4.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  4 dot, 3 same, 32*n sigmoid
"""

from functools import wraps

import numpy as np

from symgrad.runtime.chains import matmul
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
def exp(x):
    t = select(x < -746.0, -746.0, x)
    t2 = select(t > 710.0, 710.0, t)
    s = fma(t2, 1.4426950408889634, 6755399441055744.0)
    k = s - 6755399441055744.0
    r = fma(k, -0.6931471805599453, t2)
    r2 = fma(k, -2.3190468138462996e-17, r)
    square = r2 * r2
    q = fma(
        fma(fma(fma(2.5110040441845758e-08, square, 2.7557242361759715e-06), square,
        0.0001984126988656883), square, 0.008333333333322215), square, 0.16666666666666674
    )
    q2 = fma(
        fma(fma(2.7632643465014625e-07, square, 2.4801487358626297e-05), square,
        0.0013888888947792063), square, 0.041666666666522086
    )
    q3 = fma(fma(q2, r2, q), r2, 0.500000000000001)
    u = 1.0 + r2
    p = u + fma(r2 * r2, q3, r2 - (u - 1.0))
    n = f64(s).view(i64)
    h = n >> 1
    return (
        p * i64((h << 52) + 4607182418800017408).view(f64)
        * i64(((n - h) << 52) + 4607182418800017408).view(f64)
    )


@inline
def sigmoid(x):
    v = exp(-abs(x))
    w = v / (1.0 + v)
    return select(x < 0.0, fma(-w, v, v), 1.0 - w)


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
        a1_flat[i] = sigmoid(v0_flat[i])
    # in the memory of v0, which is read no more
    v1 = v0
    matmul(a1, W2, v1)
    a2 = np.empty((n, 8), f64)
    v1_flat = v1.reshape(-1)
    a2_flat = a2.reshape(-1)
    for i in range(n * 8):
        a2_flat[i] = sigmoid(v1_flat[i])
    # in the memory of v1, which is read no more
    v2 = v1
    matmul(a2, W3, v2)
    a3 = np.empty((n, 8), f64)
    v2_flat = v2.reshape(-1)
    a3_flat = a3.reshape(-1)
    for i in range(n * 8):
        a3_flat[i] = sigmoid(v2_flat[i])
    # in the memory of v2, which is read no more
    v3 = v2
    matmul(a3, W4, v3)
    a4 = np.empty((n, 8), f64)
    v3_flat = v3.reshape(-1)
    a4_flat = a4.reshape(-1)
    for i in range(n * 8):
        a4_flat[i] = sigmoid(v3_flat[i])
    return a1, a2, a3, a4
