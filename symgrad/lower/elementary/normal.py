"""The error function and the normal distribution, from erfcx(a) = e^(a^2) erfc(a), which varies slowly.

erfcx(a) (a + c) is a polynomial in t = (a - c)/(a + c); the other factor e^(-a^2) takes the square split in two.
Source: Shepherd and Laframboise 1981, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x.
"""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, at_most, copysign
from symgrad.lower.elementary.logarithm import log_of, split

# Remez on 0 <= a <= 28 (f64, c = 3) and 11 (f32, c = 2), relative: 2^-58.2 (f64), 2^-27.9 (f32).
ERFCX: Coefficients = {
    "f64": (
        1.0740069070883398, -0.8833944531698836, 0.5902283571041013, -0.31046726190057244,
        0.11952776128732877, -0.026827234624329236, -0.001212416628257623, 0.003034061999113653,
        -0.0005483096778764934, -0.0002767778297158416, 0.00010756138470311991, 3.039807781228287e-05,
        -1.7470121035622992e-05, -4.748920238456042e-06, 2.764200623662833e-06, 9.981168956596553e-07,
        -4.060359048208755e-07, -2.3212259286315402e-07, 4.429629519539682e-08, 4.889204390671812e-08,
        -3.1892776289138776e-10, -7.091744234544392e-09, -8.085420388534955e-10, 3.4405858840023205e-10,
    ),
    "f32": (
        1.0215827, -0.6871607, 0.27947173, -0.036441978, -0.021505283, 0.006477526,
        0.003061434, -0.00083731825, -0.0005930235, 5.2575095e-05, 7.255471e-05,
    ),
}  # fmt: skip
# The same on 1 <= a <= 6 (f64, c = 3) and 4 (f32, c = 2), weight erfc: 2^-59.5 (f64), 2^-29.6 (f32) of erf.
TAIL: Coefficients = {
    "f64": (
        1.0740069070883984, -0.8833944531671739, 0.5902283571173981, -0.31046726277789777, 0.1195277424658055,
        -0.026827416657404766, -0.0012134460342640224, 0.0030304437543171928, -0.0005560159337574317,
        -0.00028492728105661936, 0.00010938032998189265, 4.6677950606392357e-05,
    ),
    "f32": (1.021583, -0.68716085, 0.27938208, -0.037407767, -0.025412377),
}  # fmt: skip
# Remez on 0 <= z <= 1 for erf(sqrt z)/sqrt(z), absolute, here less 1: 2^-57.0 (f64), 2^-29.7 (f32).
ERF: Coefficients = {
    "f64": (
        0.1283791670955126, -0.3761263890318355, 0.11283791670945252, -0.02686617064327602,
        0.005223977607422183, -0.0008548325989649077, 0.0001205529531942221, -1.4924744648515851e-05,
        1.6447517555638454e-06, -1.620917537157393e-07, 1.3722975394538398e-08, -7.801189594630272e-10,
    ),
    "f32": (
        0.12837917, -0.37612626, 0.112836, -0.026854444, 0.0051895354, -0.0008020842, 7.889122e-05,
    ),
}  # fmt: skip


def _erfcx(d: Draft, a: Expr) -> tuple[Expr, Expr]:
    """erfcx(a) as a product of two, with what a + c, its inverse and t have lost, since e^(-a^2) loses more."""
    c = d.pick(3.0, 2.0)
    u = d.let("u", c + a)
    inverse = d.let("inverse", 1.0 / u)
    t = d.let("t", (u - 2.0 * c) * inverse)
    du = d.let("du", (c - u) + a)
    dt = d.let("dt", fma(2.0 * c * inverse, du, fma(-t, u, u - 2.0 * c)) * inverse)
    inverse = d.let("inverse", fma(inverse, fma(-du, inverse, fma(-u, inverse, d.real(1.0))), inverse))
    _, one, two, three = ERFCX[d.dtype][:4]
    # Not even and odd apart: both sums exceed erfcx for large a.
    slope = fma(fma(d.real(3.0 * three), t, 2.0 * two), t, one)
    return d.let("g", fma(slope, dt, d.chain("g", t, ERFCX[d.dtype]))), inverse


def _square(d: Draft, x: Expr) -> tuple[Expr, Expr]:
    """x^2 = h + l as h and -l."""
    h = d.let("h", x * x)
    return h, d.let("l", fma(x, -x, h))


def gaussian(d: Draft, x: Expr) -> Expr:
    """e^-h (1 - l)"""
    a = d.let("a", abs(x))
    h, low = _square(d, d.let("a", at_most(a, d.pick(28.0, 11.0))))
    y = d.let("y", d.call("exp", -h))
    return fma(low, y, y)


def _tail(d: Draft, a: Expr, p: Expr, inverse: Expr, half: float) -> Expr:
    """p inverse e^(-half a^2) with one rounding of the product and one of the exponential."""
    h, low = _square(d, a)
    y = d.let("v", d.call("exp", -h if half == 1.0 else -half * h))
    g = d.let("g", p * inverse)
    rest = d.let("rest", fma(low if half == 1.0 else half * low, g, fma(p, inverse, -g)))
    return d.let("q", fma(rest, y, g * y))


def erf(d: Draft, x: Expr) -> Expr:
    """x + x (erf(x)/x - 1) up to 1, beyond 1 - erfcx(a) e^(-a^2), a = |x|."""
    a = d.let("a", abs(x))
    z = d.let("z", a * a)
    near = d.let("near", fma(a, d.horner("w", z, ERF), a))
    b = d.let("b", at_most(a, d.pick(6.0, 4.0)))
    inverse = d.let("inverse", 1.0 / (b + d.pick(3.0, 2.0)))
    g = d.horner("g", (b - d.pick(3.0, 2.0)) * inverse, TAIL)
    far = d.let("far", 1.0 - g * inverse * d.call("exp", -b * b))
    return copysign(select(a < 1.0, near, far), x)


def erfc(d: Draft, x: Expr) -> Expr:
    """erfcx(a) e^(-a^2) for x >= 0, 2 less that below."""
    a = d.let("a", abs(x))
    a = d.let("a", at_most(a, d.pick(28.0, 11.0)))
    y = _tail(d, a, *_erfcx(d, a), 1.0)
    return select(x < 0.0, 2.0 - y, y)


def normal_cdf(d: Draft, x: Expr) -> Expr:
    """Q = erfcx(a/sqrt 2) e^(-a^2/2)/2 below 0, where it keeps its relative accuracy, 1 - Q above; a = |x|."""
    a = d.let("a", abs(x))
    a = d.let("a", at_most(a, d.pick(39.5, 15.5)))
    p, inverse = _erfcx(d, d.let("b", a * math.sqrt(0.5)))
    q = _tail(d, a, p, d.let("half", 0.5 * inverse), 0.5)
    return select(x < 0.0, q, 1.0 - q)


def log_normal_cdf(d: Draft, x: Expr) -> Expr:
    """log(erfcx(a/sqrt 2)/2) - a^2/2 below 0, log1p(-Q(a)) above; a = |x|."""
    a = d.let("a", abs(x))
    p, inverse = _erfcx(d, d.let("b", at_most(a, d.pick(1e150, 1e18)) * math.sqrt(0.5)))
    half = d.let("half", 0.5 * inverse)
    q = _tail(d, d.let("b", at_most(a, d.pick(39.5, 15.5))), p, half, 0.5)
    left = d.let("left", x < 0.0)
    upper = d.let("upper", 1.0 - q)
    lost = d.let("lost", select(left, d.real(0.0), (1.0 - upper) - q))
    y = log_of(d, *split(d, d.let("u", select(left, p * half, upper)), lost))
    return select(left, y - 0.5 * a * a, y)


ROWS = (
    Row("gaussian", gaussian, "DLMF 7.2.1, the integrand of erf"),
    Row("erf", erf, "DLMF 7.2.1"),
    Row("erfc", erfc, "DLMF 7.2.2"),
    Row("normal_cdf", normal_cdf, "DLMF 7.2.2: erfc(-x/sqrt 2)/2"),
    Row("log_normal_cdf", log_normal_cdf, "logarithm of the normal distribution function"),
)
