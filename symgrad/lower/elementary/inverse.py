"""Inverse trigonometric functions: the argument is folded where the series is short, the angle added back."""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, apply, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, bits, copysign, equal

_PI_LO = (1.2246467991473532e-16, -8.742277657347586e-08)
_EIGHTH, _THREE_EIGHTHS = math.sqrt(2.0) - 1.0, math.sqrt(2.0) + 1.0  # tan(pi/8), tan(3 pi/8)

# Remez on 0 <= z <= tan(pi/8)^2 for (arctan(sqrt z) - sqrt z)/z^(3/2), weight z: 2^-58.5 (f64), 2^-29.7 (f32).
ARCTAN: Coefficients = {
    "f64": (
        -0.33333333333333265, 0.1999999999996887, -0.14285714281325468, 0.11111110823047966,
        -0.09090898496840684, 0.0769206748711949, -0.06663131222217844, 0.05847750058139845,
        -0.050374049733418864, 0.037989105175290645, -0.01779944949680342,
    ),
    "f32": (-0.3333332, 0.19998522, -0.14242746, 0.1057971, -0.060285766),
}  # fmt: skip
# Remez on 0 <= z <= 1/4 for (arcsin(sqrt z) - sqrt z)/z^(3/2), weight z: 2^-58.9 (f64), 2^-31.7 (f32).
ARCSIN: Coefficients = {
    "f64": (
        0.16666666666666702, 0.07499999999984491, 0.04464285716366347, 0.030381943143243245,
        0.02237220496734286, 0.01735175609956849, 0.013979476143609455, 0.01140712255709702,
        0.010748182201738635, 0.003780441998677283, 0.021630061120747827, -0.021020257086752033,
        0.03271556658442807,
    ),
    "f32": (0.1666666, 0.07500511, 0.04451572, 0.031817615, 0.0144025935, 0.03756522),
}  # fmt: skip


def _angle(d: Draft, a: Expr, b: Expr) -> Expr:
    """arctan(a/b) for a, b >= 0: 0, pi/4 or pi/2 and the arctan of a/b, (a - b)/(a + b) or -b/a."""
    high = d.let("high", a > _THREE_EIGHTHS * b)
    middle = d.let("middle", a > _EIGHTH * b)
    top = d.let("top", select(high, -b, select(middle, a - b, a)))
    bottom = d.let("bottom", select(high, a, select(middle, a + b, b)))
    t = d.let("t", top / bottom)
    z = d.let("z", t * t)
    base = d.let("base", select(high, d.real(math.pi / 2), select(middle, d.real(math.pi / 4), d.real(0.0))))
    low = d.let("low", d.pick(_PI_LO[0] / math.pi, _PI_LO[1] / math.pi) * base)
    return d.let("angle", base + (fma(z * t, d.horner("w", z, ARCTAN), low) + t))


def arctan(d: Draft, x: Expr) -> Expr:
    return copysign(_angle(d, d.let("a", abs(x)), d.let("b", d.real(1.0))), x)


def arctan2(d: Draft, x: Expr, y: Expr) -> Expr:
    """The angle of the point (y, x), first argument over second, as in C; scaled where a sum could overflow."""
    a, b = d.let("a", abs(x)), d.let("b", abs(y))
    far = d.let("far", equal(a, math.inf) & equal(b, math.inf))
    origin = d.let("origin", equal(a, 0.0) & equal(b, 0.0))
    bound = d.pick(2.0**1000, 2.0**100)
    scale = d.let("scale", select((a > bound) | (b > bound), 0.25, d.real(1.0)))
    a = d.let("a", select(far, 1.0, a * scale))
    b = d.let("b", select(far | origin, 1.0, b * scale))
    angle = _angle(d, a, b)
    turned = d.let("turned", math.pi - (angle - d.pick(*_PI_LO)))
    return copysign(select(bits(y) < 0, turned, angle), x)


def _fold(d: Draft, a: Expr) -> tuple[Expr, Expr, Expr]:
    """Whether a > 1/2; t = a or sqrt((1 - a)/2), whose arcsin is half the complement; arcsin(t) - t."""
    far = d.let("far", a > 0.5)
    z = d.let("z", select(far, 0.5 * (1.0 - a), a * a))
    t = d.let("t", select(far, apply("sqrt", z), a))
    return far, t, d.let("w", z * t * d.horner("w", z, ARCSIN))


def arcsin(d: Draft, x: Expr) -> Expr:
    """t + w, or pi/2 - 2 (t + w)."""
    far, t, w = _fold(d, d.let("a", abs(x)))
    low = d.pick(0.5 * _PI_LO[0], 0.5 * _PI_LO[1])
    turned = d.let("turned", (math.pi / 2 - (t + t)) - (w + w - low))
    return copysign(select(far, turned, t + w), x)


def arccos(d: Draft, x: Expr) -> Expr:
    """pi/2 - arcsin(x), or 2 (t + w) near 1, pi less that near -1."""
    far, t, w = _fold(d, d.let("a", abs(x)))
    low = d.pick(_PI_LO[0], _PI_LO[1])
    near = d.let("near", math.pi / 2 - (copysign(t, x) + (copysign(w, x) - 0.5 * low)))
    double = d.let("double", 2.0 * (t + w))
    return select(far, select(x < 0.0, math.pi - (double - low), double), near)


C99 = "C99 / IEEE 754-2019, 9.2"
ROWS = (
    Row("arcsin", arcsin, C99),
    Row("arccos", arccos, C99),
    Row("arctan", arctan, C99),
    Row("arctan2", arctan2, C99, 2),
)
