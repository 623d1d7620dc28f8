"""Exponentials: x = k ln 2 + r with |r| <= ln(2)/2, a polynomial in r, the exponent k by its bits.

k comes from adding 1.5 * 2^52 (2^23), whose low bits then hold it: no conversion to an integer. The
first fused subtraction of k ln 2 is exact, the second rounds once.
"""

from __future__ import annotations

from symgrad.ir.expression import Expr, fma, select
from symgrad.lower.elementary.draft import (
    Coefficients,
    Draft,
    Row,
    at_least,
    at_most,
    bits,
    copysign,
    equal,
    power_of_two,
)

_LOG2E = (1.4426950408889634, 1.4426950216293335)
_LN2_HI = (0.6931471805599453, 0.6931471824645996)
_LN2_LO = (2.3190468138462996e-17, -1.9046542121259336e-09)

# Remez on |r| <= 0.34658 for (e^r - 1 - r)/r^2, weight r^2: error of e^r 2^-57.1 (f64), 2^-28.2 (f32).
EXP: Coefficients = {
    "f64": (
        0.500000000000001, 0.16666666666666674, 0.041666666666522086, 0.008333333333322215,
        0.0013888888947792063, 0.0001984126988656883, 2.4801487358626297e-05, 2.7557242361759715e-06,
        2.7632643465014625e-07, 2.5110040441845758e-08,
    ),
    "f32": (0.5, 0.16666518, 0.041666206, 0.008368883, 0.0013950482),
}  # fmt: skip
# The same with weight |r|, so that e^r - 1 keeps its relative error: 2^-61.7 (f64), 2^-31.0 (f32).
EXPM1: Coefficients = {
    "f64": (
        0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321624, 0.0013888888888866856,
        0.0001984126988613678, 2.480158736051524e-05, 2.7557244206195976e-06, 2.755724279721953e-07,
        2.5109035672994995e-08, 2.0924431166094492e-09,
    ),
    "f32": (0.5, 0.16666667, 0.04166624, 0.008333286, 0.0013948583, 0.00019907574),
}  # fmt: skip


def split(d: Draft, t: Expr) -> tuple[Expr, Expr, Expr]:
    """k as a real, the integer whose low bits are k, and r = t - k ln 2."""
    s = d.let("s", fma(t, d.pick(*_LOG2E), d.real(d.format.rounder)))
    k = d.let("k", s - d.format.rounder)
    r = d.let("r", fma(k, d.pick(-_LN2_HI[0], -_LN2_HI[1]), t))
    return k, bits(s), d.let("r", fma(k, d.pick(-_LN2_LO[0], -_LN2_LO[1]), r))


def expm1_core(d: Draft, r: Expr) -> Expr:
    """e^r - 1 = r + r^2 q(r) on the reduced range."""
    q = d.horner("q", r, EXPM1)
    return d.let("p", fma(r * r, q, r))


def exp_core(d: Draft, r: Expr) -> Expr:
    """e^r = (1 + r) + r^2 q(r), with what the first sum lost."""
    q = d.horner("q", r, EXP)
    u = d.let("u", 1.0 + r)
    return d.let("p", u + fma(r * r, q, r - (u - 1.0)))


def scaled(d: Draft, p: Expr, n: Expr, offset: int = 0) -> Expr:
    """p 2^(n + offset) in two steps, so that only the last product can round, overflow or become subnormal."""
    n = d.let("n", n)
    half = d.let("h", n >> 1)
    return p * power_of_two(d, half, offset) * power_of_two(d, n - half)


def clamp(d: Draft, x: Expr, low: tuple[float, float], high: tuple[float, float]) -> Expr:
    """x between bounds beyond which the result no longer changes; NaN kept."""
    t = d.let("t", at_least(x, d.pick(*low)))
    return d.let("t", at_most(t, d.pick(*high)))


def exp(d: Draft, x: Expr) -> Expr:
    t = clamp(d, x, (-746.0, -104.0), (710.0, 89.0))
    _, n, r = split(d, t)
    return scaled(d, exp_core(d, r), n)


def exp2(d: Draft, x: Expr) -> Expr:
    """2^x = 2^k e^((x - k) ln 2); x - k is exact."""
    t = clamp(d, x, (-1076.0, -151.0), (1025.0, 129.0))
    s = d.let("s", t + d.format.rounder)
    r = d.let("r", (t - (s - d.format.rounder)) * d.pick(*_LN2_HI))
    return scaled(d, exp_core(d, r), bits(s))


def expm1(d: Draft, x: Expr) -> Expr:
    """2 (2^(k-1) (e^r - 1) + (2^(k-1) - 1/2)); at k = 0 as it stands, for subnormal x."""
    t = clamp(d, x, (-40.0, -20.0), (710.0, 89.0))
    k, n, r = split(d, t)
    p = expm1_core(d, r)
    h = d.let("h", power_of_two(d, n, -1))
    y = d.let("y", 2.0 * fma(h, p, h - 0.5))
    return copysign(select(equal(k, 0.0), p, y), x)


def exprel(d: Draft, x: Expr) -> Expr:
    """(e^x - 1)/x, 1 at 0, 0 at -inf; 2^-18 (e^x - 1) first, since e^x overflows before the quotient."""
    x = d.let("t", at_most(x, d.pick(720.0, 96.0)))
    t = d.let("t", at_least(x, d.pick(-40.0, -20.0)))
    _, n, r = split(d, t)
    p = expm1_core(d, r)
    h = d.let("h", power_of_two(d, n, -18))
    y = d.let("y", fma(h, p, h - 2.0**-18) / x * 2.0**18)
    return select(abs(x) < 2.0 ** -(d.format.shift + 2), d.real(1.0), y)


C99 = "C99 / IEEE 754-2019, 9.2"
ROWS = (
    Row("exp", exp, C99),
    Row("exp2", exp2, C99),
    Row("expm1", expm1, C99),
    Row("exprel", exprel, "relative exponential (e^x - 1)/x"),
)
