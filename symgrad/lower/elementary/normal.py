"""The error function and the normal distribution, from erfcx(a) = e^(a^2) erfc(a), which varies slowly.

erfcx(a) (a + c) is a polynomial in t = (a - c)/(a + c); the other factor e^(-a^2) takes the square split in two.
Source: Shepherd and Laframboise 1981, Chebyshev approximation of (1 + 2x) exp(x^2) erfc x.
"""

from __future__ import annotations

import math

from symgrad.ir.program import Expr, fma, select
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


def _slow_factor(d: Draft, a: Expr, table: Coefficients, centre: tuple[float, float]) -> Expr:
    """erfcx(a)"""
    c = d.pick(*centre)
    inverse = d.let("inverse", 1.0 / (a + c))
    t = d.let("t", (a - c) * inverse)
    return d.let("g", d.horner("g", t, table) * inverse)


def _gauss(d: Draft, x: Expr, half: float = 1.0) -> Expr:
    """e^(-half x^2) = e^(-h) (1 - l) with x^2 = h + l exactly; ``half`` is a power of two."""
    square = d.let("z", x * x)
    lost = fma(x, -x, square) if half == 1.0 else half * fma(x, -x, square)
    y = d.let("v", d.call("exp", -half * square))
    return d.let("v", fma(lost, y, y))


def gaussian(d: Draft, x: Expr) -> Expr:
    a = d.let("a", abs(x))
    return _gauss(d, d.let("a", at_most(a, d.pick(28.0, 11.0))))


def erf(d: Draft, x: Expr) -> Expr:
    """x + x (erf(x)/x - 1) up to 1, beyond 1 - erfcx(a) e^(-a^2), a = |x|."""
    a = d.let("a", abs(x))
    z = d.let("z", a * a)
    near = d.let("near", fma(a, d.horner("w", z, ERF), a))
    b = d.let("b", at_most(a, d.pick(6.0, 4.0)))
    g = _slow_factor(d, b, TAIL, (3.0, 2.0))
    far = d.let("far", 1.0 - g * d.call("exp", -b * b))
    return copysign(select(a < 1.0, near, far), x)


def erfc(d: Draft, x: Expr) -> Expr:
    """erfcx(a) e^(-a^2) for x >= 0, 2 less that below."""
    a = d.let("a", abs(x))
    a = d.let("a", at_most(a, d.pick(28.0, 11.0)))
    y = d.let("y", _slow_factor(d, a, ERFCX, (3.0, 2.0)) * _gauss(d, a))
    return select(x < 0.0, 2.0 - y, y)


def _upper_tail(d: Draft, x: Expr) -> tuple[Expr, Expr, Expr]:
    """a = |x| bounded, erfcx(a/sqrt 2)/2 and Q(a), the probability beyond a."""
    a = d.let("a", abs(x))
    a = d.let("a", at_most(a, d.pick(39.5, 15.5)))
    g = d.let("g", 0.5 * _slow_factor(d, d.let("u", a * math.sqrt(0.5)), ERFCX, (3.0, 2.0)))
    return a, g, d.let("q", g * _gauss(d, a, 0.5))


def normal_cdf(d: Draft, x: Expr) -> Expr:
    """Q(-x) below 0, where it keeps its relative accuracy, 1 - Q(x) above."""
    _, _, q = _upper_tail(d, x)
    return select(x < 0.0, q, 1.0 - q)


def log_normal_cdf(d: Draft, x: Expr) -> Expr:
    """log(erfcx(|x|/sqrt 2)/2) - x^2/2 below 0, log1p(-Q(x)) above."""
    a = d.let("a", abs(x))
    bounded = d.let("u", at_most(a, d.pick(1e150, 1e18)) * math.sqrt(0.5))
    g = d.let("g", 0.5 * _slow_factor(d, bounded, ERFCX, (3.0, 2.0)))
    q = d.let("q", g * _gauss(d, d.let("b", at_most(a, d.pick(39.5, 15.5))), 0.5))
    left = d.let("left", x < 0.0)
    upper = d.let("upper", 1.0 - q)
    lost = d.let("lost", select(left, d.real(0.0), (1.0 - upper) - q))
    y = log_of(d, *split(d, d.let("u", select(left, g, upper)), lost))
    return select(left, y - 0.5 * a * a, y)


ROWS = (
    Row("gaussian", gaussian, "DLMF 7.2.1, the integrand of erf"),
    Row("erf", erf, "DLMF 7.2.1"),
    Row("erfc", erfc, "DLMF 7.2.2"),
    Row("normal_cdf", normal_cdf, "DLMF 7.2.2: erfc(-x/sqrt 2)/2"),
    Row("log_normal_cdf", log_normal_cdf, "logarithm of the normal distribution function"),
)
