"""Logarithms: x = 2^k m with sqrt(1/2) <= m < sqrt(2), and log m = 2 artanh(s), s = f/(2 + f), f = m - 1.

With h = f^2/2 and R(s^2) the odd series without its first term, log m = f - (h - s (h + R)), which is
exact where f is. Source: Tang 1990, Table-driven implementation of the logarithm function.
"""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, apply, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, bits, copysign, equal, from_bits

_LN2_HI = (0.6931471805599453, 0.6931471824645996)
_LN2_LO = (2.3190468138462996e-17, -1.9046542121259336e-09)
_LOG10_2 = (0.3010299956639812, 0.3010300099849701)
_LOG10_2_LO = (-2.8037281277851704e-18, -1.432098883924482e-08)
_LOG10_E = (0.4342944819032518, 0.4342944920063019)
_LOG10_E_LO = (1.098319650216765e-17, -1.0103049952192578e-08)
_LOG2_E = (1.4426950408889634, 1.4426950216293335)
_LOG2_E_LO = (2.0355273740931033e-17, 1.925963033500011e-08)

# Remez on 0 <= s^2 <= 0.02945 for (log((1+s)/(1-s)) - 2s)/s^3: error of log 2^-58.6 (f64), 2^-29.4 (f32).
LOG: Coefficients = {
    "f64": (
        0.666666666666671, 0.3999999999952053, 0.2857142872918098, 0.2222219909771344,
        0.18183571337941415, 0.15313166555274463, 0.14810522174900667,
    ),
    "f32": (0.66666776, 0.39976078, 0.29925594),
}  # fmt: skip


def _cut(d: Draft, x: Expr) -> tuple[Expr, Expr]:
    """The exponent k of x as an integer, and its mantissa m, for positive normal x."""
    b = d.let("b", bits(x) - d.format.sqrt_half)
    k = d.let("k", b >> d.format.shift)
    m = from_bits((b & ((1 << d.format.shift) - 1)) + d.format.sqrt_half)
    return k, d.let("m", m)


def _as_real(d: Draft, k: Expr, rounder: Expr) -> Expr:
    """A small integer as a real by its bits, less ``rounder``: cheaper than a conversion without AVX-512."""
    exponent = ((d.format.bias + d.format.shift) << d.format.shift) + (1 << (d.format.shift - 1))
    return d.let("e", from_bits(k + exponent) - rounder)


def split(d: Draft, x: Expr, lost: Expr | None = None) -> tuple[Expr, Expr]:
    """e and f of x + lost = 2^e (1 + f); a subnormal x is scaled up first."""
    up = d.format.shift + 2
    tiny = d.let("tiny", x < d.format.tiny)
    rounder = d.let("c", select(tiny, d.real(d.format.rounder + up), d.real(d.format.rounder)))
    k, m = _cut(d, d.let("u", select(tiny, x * 2.0**up, x)))
    f = d.let("f", m - 1.0)
    return _as_real(d, k, rounder), f if lost is None else d.let("f", f + lost * _inverse(d, k))


def _inverse(d: Draft, k: Expr) -> Expr:
    """2^-k"""
    return from_bits((d.format.bias << d.format.shift) - (k << d.format.shift))


def log_core(d: Draft, f: Expr) -> tuple[Expr, Expr, Expr]:
    """h, s and h + R for log(1 + f)."""
    h = d.let("h", 0.5 * f * f)
    s = d.let("s", f / (2.0 + f))
    z = d.let("z", s * s)
    return h, s, fma(z, d.horner("w", z, LOG), h)


def log_of(d: Draft, e: Expr, f: Expr) -> Expr:
    """e ln 2 + log(1 + f)."""
    h, s, w = log_core(d, f)
    low = d.let("low", fma(s, w, e * d.pick(*_LN2_LO)))
    return d.let("y", fma(e, d.pick(*_LN2_HI), f - (h - low)))


def log1p_of_unit(d: Draft, v: Expr) -> Expr:
    """log(1 + v) for 0 <= v <= 1."""
    upper = d.let("upper", v > math.sqrt(2.0) - 1.0)
    f = d.let("f", select(upper, 0.5 * (v - 1.0), v))
    return log_of(d, d.let("e", select(upper, d.real(1.0), d.real(0.0))), f)


def _edges(d: Draft, x: Expr, y: Expr, zero: float = 0.0) -> Expr:
    """-inf at ``zero``, NaN below, and x itself at inf and NaN."""
    y = d.let("y", select(x < math.inf, y, x))
    below = d.let("below", select(equal(x, zero), d.real(-math.inf), d.real(math.nan)))
    return select(x > zero, y, below) if zero == 0.0 else select(apply("le", x, zero), below, y)


def log(d: Draft, x: Expr) -> Expr:
    return _edges(d, x, log_of(d, *split(d, x)))


def log2(d: Draft, x: Expr) -> Expr:
    """e + log2(1 + f), exact at powers of two."""
    e, f = split(d, x)
    h, s, w = log_core(d, f)
    y = d.let("y", f - (h - s * w))
    return _edges(d, x, d.let("y", fma(y, d.pick(*_LOG2_E), fma(y, d.pick(*_LOG2_E_LO), e))))


def log10(d: Draft, x: Expr) -> Expr:
    e, f = split(d, x)
    h, s, w = log_core(d, f)
    y = d.let("y", f - (h - s * w))
    low = d.let("low", fma(y, d.pick(*_LOG10_E_LO), e * d.pick(*_LOG10_2_LO)))
    y = d.let("y", fma(y, d.pick(*_LOG10_E), low))
    return _edges(d, x, d.let("y", fma(e, d.pick(*_LOG10_2), y)))


def log1p(d: Draft, x: Expr) -> Expr:
    """log(u) of u = 1 + x, with what the sum lost added to f."""
    u = d.let("u", 1.0 + x)
    part = d.let("part", u - 1.0)
    lost = d.let("lost", (1.0 - (u - part)) + (x - part))
    k, m = _cut(d, u)
    c = d.let("c", select(x < 2.0 ** (d.format.shift + 2), lost * _inverse(d, k), d.real(0.0)))
    f = d.let("f", (m - 1.0) + c)
    y = d.let("y", copysign(log_of(d, _as_real(d, k, d.real(d.format.rounder)), f), x))
    return _edges(d, x, y, -1.0)


def log1mexp(d: Draft, x: Expr) -> Expr:
    """log(1 - e^-x), x > 0: of -expm1(-x) up to ln 2, of 1 - e^-x with what it lost beyond. Source: Maechler 2012."""
    near = d.let("near", x < math.log(2.0))
    v = d.let("v", d.call("exp", -x))
    far = d.let("far", 1.0 - v)
    lost = d.let("lost", select(near, d.real(0.0), (1.0 - far) - v))
    u = d.let("u", select(near, -d.call("expm1", -x), far))
    y = log_of(d, *split(d, u, lost))
    return select(x > 0.0, y, select(equal(x, 0.0), d.real(-math.inf), d.real(math.nan)))


def logaddexp(d: Draft, x: Expr, y: Expr) -> Expr:
    """max + log(1 + e^-|x - y|); equal infinities have no difference."""
    gap = d.let("gap", select(equal(x, y), d.real(0.0), -abs(x - y)))
    v = log1p_of_unit(d, d.let("v", d.call("exp", gap)))
    return v + select(x > y, x, y)


def xlogy(d: Draft, x: Expr, y: Expr) -> Expr:
    """x log y, 0 at x = 0 unless y is NaN."""
    return select(equal(x, 0.0) & equal(y, y), d.real(0.0), x * d.call("log", y))


C99 = "C99 / IEEE 754-2019, 9.2"
ROWS = (
    Row("log", log, C99),
    Row("log2", log2, C99),
    Row("log10", log10, C99),
    Row("log1p", log1p, C99),
    Row("log1mexp", log1mexp, "Maechler 2012, Accurately computing log(1 - exp(-|a|))"),
    Row("logaddexp", logaddexp, "log-sum-exp of two", 2),
    Row("xlogy", xlogy, "the entropy's x log y", 2),
)
