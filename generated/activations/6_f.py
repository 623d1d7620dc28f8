"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 tanh
    forward         1 tanh, 1 tanh_slope
    backward        1 mul
    value_and_grad  1 tanh, 1 tanh_slope
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
def tanh(x):
    t = -2.0 * abs(x)
    t2 = select(t < -44.0, -44.0, t)
    s = fma(t2, 1.4426950408889634, 6755399441055744.0)
    k = s - 6755399441055744.0
    r = fma(k, -0.6931471805599453, t2)
    r2 = fma(k, -2.3190468138462996e-17, r)
    square = r2 * r2
    q = fma(
        fma(fma(fma(2.5109035672994995e-08, square, 2.7557244206195976e-06), square,
        0.0001984126988613678), square, 0.008333333333321624), square, 0.16666666666666677
    )
    q2 = fma(
        fma(fma(fma(2.0924431166094492e-09, square, 2.755724279721953e-07), square,
        2.480158736051524e-05), square, 0.0013888888888866856), square, 0.0416666666666667
    )
    q3 = fma(fma(q2, r2, q), r2, 0.5)
    p = fma(r2 * r2, q3, r2)
    h = i64((f64(s).view(i64) << 52) + 4607182418800017408).view(f64)
    far = t2 < -1.09862
    y = select(far, -2.0 * fma(h, p, h), -fma(h, p, h - 1.0)) / fma(h, p, h + 1.0)
    return np.copysign(select(far, 1.0 + y, y), x)


@inline
def tanh_slope(x):
    t = -2.0 * abs(x)
    t2 = select(t < -749.0, -749.0, t)
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
    w = (
        p * i64((h << 52) + 4616189618054758400).view(f64)
        * i64(((n - h) << 52) + 4607182418800017408).view(f64)
    )
    v = 0.25 * w
    b = v + 2.0
    u2 = fma(v, b, 1.0)
    inverse = 1.0 / u2
    y = w * inverse
    lost = fma(-y, fma(v, b, 1.0 - u2), fma(-y, u2, w))
    return fma(lost, inverse, y)


@jit
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    f = tanh(x)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (x_slope,)
    """
    f = tanh(x)
    x_slope = tanh_slope(x)
    return f, (x_slope,)


@jit
def backward(x_slope, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x_slope f64, f_bar f64
    Gives   x_bar
    """
    x_bar = f_bar * x_slope
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, x_slope
    """
    f = tanh(x)
    x_slope = tanh_slope(x)
    return f, x_slope
