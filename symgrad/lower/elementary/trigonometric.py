"""Sine, cosine and tangent: x = k pi/2 + r + low, two polynomials on |r| <= pi/4, the quadrant by bits.

The subtraction of k times the first part of pi/2 is exact (fused, on the grid of the ulps of both), of the
second too (33 and 11 bits, |k| < 2^20 and 2^13); what r then rounds off is kept as ``low``. Beyond the limit the
C library reduces. Sine and cosine of one argument share all but the last line once they are inlined.
"""

from __future__ import annotations

from symgrad.ir.expression import Expr, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, bits, copysign, equal, from_bits

_TWO_OVER_PI = (0.6366197723675814, 0.6366197466850281)
_HALF_PI = (
    (1.5707963267948966, 1.570796251296997),
    (6.12323399538461e-17, 7.549533620476723e-08),
    (3.5215598651832e-27, 2.5633440682570896e-12),
)
LIMIT = {"f64": 2.0**20, "f32": 2.0**13}

# Remez on 0 <= z <= (pi/4)^2 for (sqrt(z) - sin(sqrt z))/z^(3/2), weight z: 2^-58.0 (f64), 2^-37.6 (f32).
SIN: Coefficients = {
    "f64": (
        0.16666666666666632, -0.008333333333322413, 0.00019841269829807813, -2.7557313691920163e-06,
        2.5050758115644303e-08, -1.5896795677126807e-10,
    ),
    "f32": (0.16666667, -0.008333329, 0.00019839335, -2.7183041e-06),
}  # fmt: skip
# The same for (cos(sqrt z) - 1 + z/2)/z^2, weight z^2: 2^-64.2 (f64), 2^-43.2 (f32).
COS: Coefficients = {
    "f64": (
        0.0416666666666666, -0.0013888888888874125, 2.4801587289482154e-05, -2.755731435232393e-07,
        2.0875723272020458e-09, -1.1359647740447563e-11,
    ),
    "f32": (0.041666668, -0.0013888883, 2.479952e-05, -2.721017e-07),
}  # fmt: skip


def reduce(d: Draft, x: Expr) -> tuple[Expr, Expr, Expr]:
    """The quadrant in the low bits of an integer, r, and -low."""
    s = d.let("s", fma(x, d.pick(*_TWO_OVER_PI), d.real(d.format.rounder)))
    k = d.let("k", s - d.format.rounder)
    one, two, three = (d.pick(*part) for part in _HALF_PI)
    r1 = d.let("r", fma(k, -one, x))
    r = d.let("r", fma(k, -two, r1))
    return bits(s), r, d.let("low", fma(k, three, fma(k, two, r - r1)))


def sin_core(d: Draft, r: Expr, z: Expr, low: Expr) -> tuple[Expr, Expr]:
    """sin(r - low) = r - (low + r z S(z)) as a difference; with the signs so that -0 stays -0."""
    return r, d.let("a", fma(r * z, d.horner("a", z, SIN), low))


def cos_core(d: Draft, r: Expr, z: Expr, low: Expr) -> tuple[Expr, Expr]:
    """cos(r - low) = 1 - z/2 + z^2 C(z) + r low as a sum."""
    b = d.horner("b", z, COS)
    half = d.let("half", 0.5 * z)
    one = d.let("one", 1.0 - half)
    return one, d.let("b", ((1.0 - one) - half) + fma(z * z, b, r * low))


def _quadrants(d: Draft, x: Expr, shift: int) -> Expr:
    """sin(x + shift pi/2)"""
    n, r, low = reduce(d, x)
    z = d.let("z", r * r)
    (a, da), (b, db) = sin_core(d, r, z, low), cos_core(d, r, z, low)
    n = d.let("n", n + shift) if shift else d.let("n", n)
    y = d.let("y", select(equal(n & 1, 0), a - da, b + db))
    return from_bits(bits(y) ^ ((n & 2) << d.format.sign))


def sin(d: Draft, x: Expr) -> Expr:
    return _quadrants(d, x, 0)


def cos(d: Draft, x: Expr) -> Expr:
    return _quadrants(d, x, 1)


def tan(d: Draft, x: Expr) -> Expr:
    """sin/cos in even quadrants, -cos/sin in odd ones, corrected by what both lost."""
    n, r, low = reduce(d, x)
    z = d.let("z", r * r)
    (a, da), (b, db) = sin_core(d, r, z, low), cos_core(d, r, z, low)
    even = d.let("even", equal(n & 1, 0))
    sine, cosine = d.let("sine", a - da), d.let("cosine", b + db)
    da, db = d.let("da", (a - sine) - da), d.let("db", (b - cosine) + db)
    top, dtop = d.let("top", select(even, sine, cosine)), d.let("dtop", select(even, da, db))
    low = d.let("low", select(even, cosine, sine))
    inverse = d.let("inverse", 1.0 / low)
    y = d.let("y", top * inverse)
    lost = d.let("lost", fma(-y, low, top) + fma(-y, select(even, db, da), dtop))
    y = d.let("y", copysign(fma(lost, inverse, y), y))
    return select(even, y, -y)


C99 = "C99 / IEEE 754-2019, 9.2"
ROWS = (
    Row("sin", sin, C99, limit=LIMIT),
    Row("cos", cos, C99, limit=LIMIT),
    Row("tan", tan, C99, limit=LIMIT),
)
