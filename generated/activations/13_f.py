"""f, and its gradient with respect to x.

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value           1 mul, 1 normal_cdf
    forward         5 mul, 2 fma, 1 exp, 1 normal_cdf
    backward        1 add, 3 mul
    value_and_grad  1 add, 6 mul, 2 fma, 1 exp, 1 normal_cdf
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
def normal_cdf(x):
    a = abs(x)
    a2 = select(a > 39.5, 39.5, a)
    b = a2 * 0.7071067811865476
    u = 3.0 + b
    inverse = 1.0 / u
    t = (u - 2.0 * 3.0) * inverse
    du = 3.0 - u + b
    dt = fma(2.0 * 3.0 * inverse, du, fma(-t, u, u - 2.0 * 3.0)) * inverse
    inverse2 = fma(inverse, fma(-du, inverse, fma(-u, inverse, 1.0)), inverse)
    g = fma(
        fma(fma(fma(3.4405858840023205e-10, t, -8.085420388534955e-10), t, -7.091744234544392e-09),
        t, -3.1892776289138776e-10), t, 4.889204390671812e-08
    )
    g2 = fma(
        fma(fma(fma(g, t, 4.429629519539682e-08), t, -2.3212259286315402e-07), t,
        -4.060359048208755e-07), t, 9.981168956596553e-07
    )
    g3 = fma(
        fma(fma(fma(g2, t, 2.764200623662833e-06), t, -4.748920238456042e-06), t,
        -1.7470121035622992e-05), t, 3.039807781228287e-05
    )
    g4 = fma(
        fma(fma(fma(g3, t, 0.00010756138470311991), t, -0.0002767778297158416), t,
        -0.0005483096778764934), t, 0.003034061999113653
    )
    g5 = fma(
        fma(fma(fma(g4, t, -0.001212416628257623), t, -0.026827234624329236), t,
        0.11952776128732877), t, -0.31046726190057244
    )
    g6 = fma(fma(fma(g5, t, 0.5902283571041013), t, -0.8833944531698836), t, 1.0740069070883398)
    g7 = fma(fma(fma(-0.9314017857017174, t, 1.1804567142082025), t, -0.8833944531698836), dt, g6)
    half = 0.5 * inverse2
    h = a2 * a2
    l = fma(a2, -a2, h)
    v = exp(-0.5 * h)
    g8 = g7 * half
    rest = fma(0.5 * l, g8, fma(g7, half, -g8))
    q = fma(rest, v, g8 * v)
    return select(x < 0.0, q, 1.0 - q)


@jit
def value(x):
    """The function value.

    Takes   x f64
    Gives   f
    """
    r0 = normal_cdf(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    return f


@jit
def forward(x):
    """The outputs, and the residuals that backward reads.

    Takes   x f64
    Gives   f, (r0, r1)
    """
    r0 = normal_cdf(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    t0 = abs(x)
    t1 = select(t0 > 40.0, 40.0, t0)
    t2 = t1 * t1
    t3 = exp(-0.5 * t2)
    r1 = 0.3989422804014327 * fma(t3 * -0.5, fma(t1, t1, -t2), t3)
    return f, (r0, r1)


@jit
def backward(x, r0, r1, f_bar):
    """The gradients, from the residuals and the cotangents of the outputs.

    Takes   x f64, r0 f64, r1 f64, f_bar f64
    Gives   x_bar
    """
    t0 = f_bar * x
    t1 = select((t0 == 0.0) | (r1 == 0.0), 0.0, t0 * r1)
    x_bar = f_bar * r0 + t1
    return x_bar


@jit
def value_and_grad(x):
    """The value and its gradients.

    Takes   x f64
    Gives   f, x_bar
    """
    r0 = normal_cdf(x)
    f = select((x == 0.0) | (r0 == 0.0), 0.0, x * r0)
    t0 = abs(x)
    t1 = select(t0 > 40.0, 40.0, t0)
    t2 = t1 * t1
    t3 = exp(-0.5 * t2)
    r1 = 0.3989422804014327 * fma(t3 * -0.5, fma(t1, t1, -t2), t3)
    t4 = select((x == 0.0) | (r1 == 0.0), 0.0, x * r1)
    x_bar = r0 + t4
    return f, x_bar
