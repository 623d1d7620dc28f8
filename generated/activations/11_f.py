"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 expm1
    forward         1 exp, 1 expm1
    backward        1 add, 1 mul
    value_and_grad  1 add, 1 mul, 1 exp, 1 expm1
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
def expm1(x):
    t = select(x < -40.0, -40.0, x)
    t2 = select(t > 710.0, 710.0, t)
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
    h = i64((f64(s).view(i64) << 52) + 4602678819172646912).view(f64)
    y = 2.0 * fma(h, p, h - 0.5)
    return np.copysign(select(k == 0.0, p, y), x)


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


@jit
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    f = select(x > 0.0, x, expm1(x))
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0,)
    """
    f = select(x > 0.0, x, expm1(x))
    r0 = exp(x)
    return f, (r0,)


@jit
def backward(x, r0, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x f64, r0 f64, f_bar f64
    Gives   x_bar
    """
    t0 = x > 0.0
    t1 = select(t0, 0.0, f_bar)
    t2 = select((t1 == 0.0) | (r0 == 0.0), 0.0, t1 * r0)
    x_bar = select(t0, f_bar, 0.0) + t2
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, x_bar
    """
    t0 = x > 0.0
    f = select(t0, x, expm1(x))
    r0 = exp(x)
    t1 = select(t0, 0.0, 1.0)
    t2 = select((t1 == 0.0) | (r0 == 0.0), 0.0, t1 * r0)
    x_bar = select(t0, 1.0, 0.0) + t2
    return f, x_bar
