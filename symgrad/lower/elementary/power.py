"""Powers: pow by a logarithm in two parts, the cube root by Newton's method, the hypotenuse, the remainder."""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, apply, const, fma, select
from symgrad.ir.program import If, Return
from symgrad.lower.elementary.draft import (
    Coefficients,
    Draft,
    Row,
    at_least,
    at_most,
    bits,
    copysign,
    equal,
    from_bits,
    power_of_two,
)
from symgrad.lower.elementary.exponential import exp_core, scaled
from symgrad.lower.elementary.logarithm import split

_LN2_EXACT, _LN2_REST = 0.6931471805592082, 7.371002565167799e-13  # 40 bits: its product with an exponent is exact
_TWO_THIRDS, _TWO_THIRDS_LO = 2.0 / 3.0, 3.700743415417188e-17

# Remez on 0 <= s^2 <= 0.02945 for (log((1+s)/(1-s)) - 2s - 2s^3/3)/s^5: error of log 2^-65.5, relative.
_LOG: Coefficients = {
    "f64": (
        0.4000000000000038, 0.28571428570999063, 0.2222222236353337, 0.1818179746815971, 0.15386185667392255,
        0.13269344440353895, 0.13087359998494374,
    ),
}  # fmt: skip
# Remez on sqrt(1/2) <= m <= sqrt(2) for m^(-1/3), relative: 2^-14.7.
_INVERSE_CBRT: Coefficients = {
    "f64": (1.8745191580367488, -1.8618311753354009, 1.56130556077658, -0.7023862930342091, 0.12836933488411512),
}


def _log_of_mantissa(d: Draft, f: Expr) -> tuple[Expr, Expr]:
    """log(1 + f) = 2s + s^3 (2/3 + s^2 R) as a sum of two, s = f/(2 + f) to twice the precision."""
    u = d.let("u", 2.0 + f)
    inverse = d.let("inverse", 1.0 / u)
    s = d.let("s", f * inverse)
    ds = d.let("ds", fma(-s, f - (u - 2.0), fma(-s, u, f)) * inverse)
    z = d.let("z", s * s)
    dz = d.let("dz", fma(s, s, -z) + 2.0 * s * ds)
    t = d.let("t", z * d.horner("w", z, _LOG))
    c = d.let("c", _TWO_THIRDS + t)
    dc = d.let("dc", (t - (c - _TWO_THIRDS)) + _TWO_THIRDS_LO)
    cube = d.let("cube", s * z)
    dcube = d.let("dcube", fma(s, z, -cube) + fma(s, dz, ds * z))
    v = d.let("v", cube * c)
    dv = d.let("dv", fma(cube, c, -v) + fma(cube, dc, dcube * c))
    top = d.let("top", (s + s) + v)
    return top, d.let("low", (v - (top - (s + s))) + (dv + (ds + ds)))


def _log(d: Draft, a: Expr) -> tuple[Expr, Expr]:
    """log(a) as a sum of two, -inf at 0 and inf at inf."""
    e, f = split(d, a)
    top, low = _log_of_mantissa(d, f)
    whole = d.let("whole", e * _LN2_EXACT)
    total = d.let("total", whole + top)
    rest = d.let("rest", (top - (total - whole)) + fma(e, _LN2_REST, low))
    total = select(equal(a, 0.0), d.real(-math.inf), select(a < math.inf, total, a))
    return d.let("total", total), rest


def _exp(d: Draft, p: Expr, low: Expr) -> Expr:
    """e^(p + low)"""
    low = d.let("low", select(abs(p) < 800.0, low, d.real(0.0)))
    p = d.let("p", at_least(p, -800.0))
    p = d.let("p", at_most(p, 800.0))
    s = d.let("s", fma(p, d.real(1.4426950408889634), d.real(d.format.rounder)))
    k = d.let("k", s - d.format.rounder)
    r = d.let("r", fma(k, d.real(-0.6931471805599453), p))
    r = d.let("r", r + fma(k, d.real(-2.3190468138462996e-17), low))
    return d.let("y", scaled(d, exp_core(d, r), bits(s)))


def pow_(d: Draft, x: Expr, y: Expr) -> Expr:
    """e^(y log|x|), negative for negative x and odd y. Special cases: C99 F.9.4.4."""
    a = d.let("a", abs(x))
    total, rest = _log(d, a)
    p = d.let("p", y * total)
    value = _exp(d, p, fma(y, total, -p) + y * rest)
    value = d.let("y", select(equal(a, 1.0), select(equal(y, y), 1.0, y), value))
    half = d.let("half", 0.5 * y)
    whole = d.let("whole", equal(apply("floor", y), y))
    odd = d.let("odd", whole & apply("ne", apply("floor", half), half))
    value = d.let("y", select(odd, copysign(value, x), value))
    undefined = d.let("undefined", (x < 0.0) & (a < math.inf) & ~whole)
    value = d.let("y", select(undefined | apply("ne", x, x), d.real(math.nan), value))
    return select(equal(y, 0.0) | equal(x, 1.0), d.real(1.0), value)


def cbrt(d: Draft, x: Expr) -> Expr:
    """2^q y of |x| = 2^(3q) m: Newton on m^(-1/3), then one step on y = m m^(-2/3) with an exact residual."""
    a = d.let("a", abs(x))
    e, f = split(d, a)
    s = d.let("s", fma(e, d.real(1.0 / 3.0), d.real(d.format.rounder)))
    j = d.let("j", e - 3.0 * (s - d.format.rounder))
    high, low = d.let("high", j > 0.5), d.let("low", j < -0.5)
    m = d.let("m", 1.0 + f)
    r = d.horner("r", m, _INVERSE_CBRT)
    r = d.let("r", r * select(high, 0.5 ** (1 / 3), select(low, 2.0 ** (1 / 3), d.real(1.0))))
    m = d.let("m", m * select(high, 2.0, select(low, 0.5, d.real(1.0))))
    for _ in range(2):
        r = d.let("r", fma(r * (1.0 / 3.0), fma(-m * r, r * r, d.real(1.0)), r))
    y = d.let("y", m * r * r)
    z = d.let("z", y * y)
    residual = d.let("residual", fma(z, y, -m) - fma(y, -y, z) * y)
    y = d.let("y", fma(residual * (-1.0 / 3.0), r * r, y) * power_of_two(d, bits(s)))
    return select(equal(a, 0.0) | ~(a < math.inf), x, copysign(y, x))


def hypot(d: Draft, x: Expr, y: Expr) -> Expr:
    """sqrt(a^2 + b^2) with a power of two taken out, so that no square overflows or vanishes."""
    a, b = d.let("a", abs(x)), d.let("b", abs(y))
    big, small = d.let("big", select(a < b, b, a)), d.let("small", select(a < b, a, b))
    exponent = d.let("exponent", bits(big) & (0x7FF << 52))
    scale = d.let("scale", from_bits(select(exponent > (2045 << 52), const(1 << 52, "i64"), (2046 << 52) - exponent)))
    u, v = d.let("u", big * scale), d.let("v", small * scale)
    length = d.let("length", apply("sqrt", fma(u, u, v * v)) / scale)
    return select(equal(a, math.inf) | equal(b, math.inf), d.real(math.inf), length)


def mod(d: Draft, x: Expr, y: Expr) -> Expr:
    """x - y floor(x/y), the quotient being at most 1 too large; beyond 2^53 the remainder of C."""
    q = d.let("q", apply("floor", x / y))
    r = d.let("r", fma(-q, y, x))
    other = d.let("other", apply("ne", r, 0.0) & ((r < 0.0) ^ (y < 0.0)))
    r = d.let("r", select(other, r + y, r))
    r = d.let("r", select(equal(r, 0.0), copysign(d.real(0.0), y), r))
    d.body.append(If((abs(q) < 2.0**53) & (abs(y) < math.inf), (Return((r,)),)))
    return apply("mod", x, y)


C99 = "C99 / IEEE 754-2019, 9.2"
ROWS = (
    Row("pow", pow_, C99, 2, through=True),
    Row("cbrt", cbrt, C99, through=True),
    Row("hypot", hypot, C99, 2, through=True),
    Row("mod", mod, "Python's and NumPy's remainder, the sign of the divisor", 2, through=True),
)
