"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 mul, 1 sigmoid
    forward         1 mul, 1 sigmoid, 1 sigmoid_slope
    backward        1 add, 3 mul
    value_and_grad  1 add, 2 mul, 1 sigmoid, 1 sigmoid_slope
"""

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


@inline
def sigmoid_slope(x):
    v = exp(-abs(x))
    b = v + 2.0
    u = fma(v, b, 1.0)
    inverse = 1.0 / u
    y = v * inverse
    lost = fma(-y, fma(v, b, 1.0 - u), fma(-y, u, v))
    return fma(lost, inverse, y)


@jit
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    r0 = sigmoid(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0, x_slope)
    """
    r0 = sigmoid(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    x_slope = sigmoid_slope(x)
    return f, (r0, x_slope)


@jit
def backward(x, r0, x_slope, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x f64, r0 f64, x_slope f64, f_bar f64
    Gives   x_bar
    """
    t0 = f_bar * x
    t1 = select((t0 == 0.0) | (x_slope == 0.0), 0.0, t0 * x_slope)
    x_bar = f_bar * r0 + t1
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, x_bar
    """
    r0 = sigmoid(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    x_slope = sigmoid_slope(x)
    t0 = select((x == 0.0) | (x_slope == 0.0), 0.0, x * x_slope)
    x_bar = r0 + t0
    return f, x_bar
