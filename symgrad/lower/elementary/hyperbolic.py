"""Hyperbolic functions and their inverses, from e^r - 1 and log(1 + v) without cancellation."""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, apply, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, at_least, at_most, copysign, power_of_two, quotient
from symgrad.lower.elementary.exponential import exp_core, expm1_core, scaled, split

# Remez on 0 <= z <= 1 for (sinh(sqrt z) - sqrt z)/z^(3/2), weight z: 2^-62.3 (f64), 2^-34.0 (f32).
SINH: Coefficients = {
    "f64": (
        0.16666666666666669, 0.008333333333333174, 0.0001984126984142525, 2.7557319156715946e-06,
        2.5052123475580113e-08, 1.6057217135470855e-10, 7.760411635154264e-13,
    ),
    "f32": (0.16666667, 0.0083333505, 0.00019836066, 2.8174395e-06),
}  # fmt: skip


def tanh(d: Draft, x: Expr) -> Expr:
    """-p/(2 + p) with p = e^(-2|x|) - 1, from 1/2 on 1 - 2 (p + 1)/(2 + p), which rounds less; 1 at the bound."""
    t = d.let("t", -2.0 * abs(x))
    t = d.let("t", at_least(t, d.pick(-44.0, -22.0)))
    _, n, r = split(d, t)
    p = expm1_core(d, r)
    h = d.let("h", power_of_two(d, n))
    far = d.let("far", t < -1.09862)
    top = select(far, -2.0 * fma(h, p, h), -fma(h, p, h - 1.0))
    y = d.let("y", top / fma(h, p, h + 1.0))
    return copysign(select(far, 1.0 + y, y), x)


def _exp_below(d: Draft, t: Expr, offset: int) -> Expr:
    """2^offset e^t for t <= 0, not subnormal before the product is."""
    t = d.let("t", t)
    t = d.let("t", at_least(t, d.pick(-749.0, -107.0)))
    _, n, r = split(d, t)
    return d.let("w", scaled(d, exp_core(d, r), n, offset))


def tanh_slope(d: Draft, x: Expr) -> Expr:
    """1/cosh(x)^2 = 4 v/(1 + v)^2 with v = e^(-2|x|): 1 - tanh(x)^2 has no correct digit beyond 19."""
    w = _exp_below(d, -2.0 * abs(x), 2)
    v = d.let("v", 0.25 * w)
    return quotient(d, w, v, v + 2.0)


def sech(d: Draft, x: Expr) -> Expr:
    """2 v/(1 + v^2) with v = e^-|x|."""
    w = _exp_below(d, -abs(x), 1)
    v = d.let("v", 0.5 * w)
    return quotient(d, w, v, v)


def _half_exp(d: Draft, a: Expr) -> Expr:
    """e^a/2 for a >= 0, in two steps, so that it overflows last."""
    t = d.let("t", at_most(a, d.pick(711.0, 90.0)))
    _, n, r = split(d, t)
    return d.let("q", scaled(d, exp_core(d, r), n, -1))


def sinh(d: Draft, x: Expr) -> Expr:
    """x + x^3 S(x^2) up to 1, beyond q - 1/(4q) with q = e^|x|/2."""
    a = d.let("a", abs(x))
    q = _half_exp(d, a)
    z = d.let("z", a * a)
    near = d.let("near", fma(z * a, d.horner("w", z, SINH), a))
    return copysign(select(a < 1.0, near, q - 0.25 / q), x)


def cosh(d: Draft, x: Expr) -> Expr:
    """q + 1/(4q) with q = e^|x|/2."""
    q = _half_exp(d, abs(x))
    return q + 0.25 / q


def _log_or_double(d: Draft, a: Expr, v: Expr) -> Expr:
    """log(1 + v), or log(2a) where a exceeds 2^60."""
    big = d.let("big", a > 2.0**60)
    y = d.let("y", d.call("log1p", select(big, a, v)))
    return select(big, y + math.log(2.0), y)


def arcsinh(d: Draft, x: Expr) -> Expr:
    """log1p(a + a^2/(1 + sqrt(1 + a^2))), a = |x|."""
    a = d.let("a", abs(x))
    b = d.let("b", at_most(a, 2.0**61))
    z = d.let("z", b * b)
    v = d.let("v", b + z / (1.0 + apply("sqrt", 1.0 + z)))
    return copysign(_log_or_double(d, a, v), x)


def arccosh(d: Draft, x: Expr) -> Expr:
    """log1p(t + sqrt(t^2 + 2t)), t = x - 1; NaN below 1."""
    t = d.let("t", at_most(x, 2.0**61) - 1.0)
    v = d.let("v", t + apply("sqrt", fma(t, t, t + t)))
    return select(x < 1.0, d.real(math.nan), _log_or_double(d, x, v))


def arctanh(d: Draft, x: Expr) -> Expr:
    """log1p(2a/(1 - a))/2, a = |x|; NaN beyond 1."""
    a = d.let("a", abs(x))
    y = d.let("y", 0.5 * d.call("log1p", (a + a) / (1.0 - a)))
    return copysign(select(a > 1.0, d.real(math.nan), y), x)


ROWS = (
    Row("tanh", tanh, "C99 / IEEE 754-2019, 9.2"),
    Row("tanh_slope", tanh_slope, "derivative of tanh"),
    Row("sech", sech, "1/cosh"),
    Row("sinh", sinh, "C99 / IEEE 754-2019, 9.2"),
    Row("cosh", cosh, "C99 / IEEE 754-2019, 9.2"),
    Row("arcsinh", arcsinh, "C99 / IEEE 754-2019, 9.2"),
    Row("arccosh", arccosh, "C99 / IEEE 754-2019, 9.2"),
    Row("arctanh", arctanh, "C99 / IEEE 754-2019, 9.2"),
)
