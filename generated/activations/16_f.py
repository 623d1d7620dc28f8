"""x, 1, where(equal(x, x), 0.5 * ... + 0.5, x), 0, sign(x), 0, clip(x + 0.5, 0, 1), dclip(x + 0.5, 0, 1).

Regenerate: symgrad.compile(...).save_source(...)

Operations
    value  14 add, 19 mul, 2 fma, 2 div, 2 exp, 1 expm1, 1 normal_cdf, 1 sigmoid, 1 sigmoid_slope,
           1 softplus, 1 tanh, 1 tanh_slope
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
def softplus(x):
    v = exp(-abs(x))
    upper = v > 0.41421356237309515
    f = select(upper, 0.5 * (v - 1.0), v)
    e = select(upper, 1.0, 0.0)
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
    return y + select(x > 0.0, x, 0.0)


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
def value(v0):
    """The function value.

    Takes   v0 f64
    Gives   v0, 1.0, f2, 0.0, f4, 0.0, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
            f18, f19, f20, f21, f22, f8, f24, f25, f26, f27, f28, f29
    """
    t0 = v0 > 0.0
    t1 = select(t0, 1.0, 0.0) - select(v0 < 0.0, 1.0, 0.0)
    f2 = select(v0 == v0, 0.5 * t1 + 0.5, v0)
    f4 = select(v0 > 0.0, 1.0, select(v0 < 0.0, -1.0, select(v0 == 0.0, 0.0, v0)))
    t2 = v0 + 0.5
    t3 = select(t2 < 0.0, 0.0, t2)
    f6 = select(t3 > 1.0, 1.0, t3)
    f7 = select(t2 == t2, select((0.0 < t2) & (t2 < 1.0), 1.0, 0.0), t2)
    f8 = sigmoid(v0)
    f9 = sigmoid_slope(v0)
    f10 = tanh(v0)
    f11 = tanh_slope(v0)
    f12 = select(v0 > 0.0, v0, select(v0 <= 0.0, 0.0, v0))
    f13 = select(v0 > 0.0, 1.0, select(v0 <= 0.0, 0.0, v0))
    f14 = select(v0 > 0.0, v0, 0.01 * v0)
    t4 = v0 <= 0.0
    f15 = select(t0, 1.0, select(t4, 0.01, v0))
    f16 = select(v0 > 0.0, v0, 0.1 * v0)
    f17 = select(t0, 1.0, select(t4, 0.1, v0))
    f18 = select(v0 > 0.0, v0, 0.25 * v0)
    f19 = select(t0, 1.0, select(t4, 0.25, v0))
    f20 = select(t0, v0, expm1(v0))
    t5 = exp(v0)
    t6 = select(t0, 0.0, 1.0)
    t7 = select((t6 == 0.0) | (t5 == 0.0), 0.0, t6 * t5)
    f21 = select(t0, 1.0, 0.0) + t7
    f22 = softplus(v0)
    t8 = normal_cdf(v0)
    f24 = select((v0 == 0.0) | (t8 == 0.0), 0.0, v0 * t8)
    t9 = abs(v0)
    t10 = select(t9 > 40.0, 40.0, t9)
    t11 = t10 * t10
    t12 = exp(-0.5 * t11)
    t13 = 0.3989422804014327 * fma(t12 * -0.5, fma(t10, t10, -t11), t12)
    t14 = select((v0 == 0.0) | (t13 == 0.0), 0.0, v0 * t13)
    f25 = t8 + t14
    f26 = select((v0 == 0.0) | (f8 == 0.0), 0.0, v0 * f8)
    t15 = select((v0 == 0.0) | (f9 == 0.0), 0.0, v0 * f9)
    f27 = f8 + t15
    t16 = -v0
    t17 = v0 / 2.0
    t18 = select((t16 > t17) | (t16 != t16), t16, t17)
    t19 = 2.0 * v0 - 2.0
    f28 = select((t18 > t19) | (t18 != t18), t18, t19)
    t20 = select(t17 > t16, 1.0, select(t17 < t16, 0.0, select(t17 == t16, 0.0, t17 + t16)))
    t21 = select(t16 > t17, 1.0, select(t16 < t17, 0.0, select(t16 == t17, 0.0, t16 + t17)))
    t22 = t20 * 0.5 - t21
    t23 = t22 * 2.0 < 0.0
    t24 = abs(t22) < 2.0
    t25 = select(
        t18 > t19, 1.0, select(t18 < t19, 0.0,
        select(t18 == t19, select(t23, 0.0, select(t24, 1.0, 0.0)), t18 + t19))
    )
    t26 = select(
        t19 > t18, 1.0, select(t19 < t18, 0.0,
        select(t19 == t18, select(t23, 0.0, select(t24, 0.0, 1.0)), t19 + t18))
    )
    t27 = select((t25 == 0.0) | (t20 == 0.0), 0.0, t25 * t20)
    t28 = select((t25 == 0.0) | (t21 == 0.0), 0.0, t25 * t21)
    f29 = t26 * 2.0 + t27 / 2.0 - t28
    return (
        v0, 1.0, f2, 0.0, f4, 0.0, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17, f18, f19,
        f20, f21, f22, f8, f24, f25, f26, f27, f28, f29
    )
