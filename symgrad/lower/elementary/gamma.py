"""The gamma family: recurrences to where a short series holds, reflection for negative arguments.

These have branches and loops, and are accurate to 4 ulp of max(|f|, 1), not relative to their zeros.
"""

from __future__ import annotations

import math
from fractions import Fraction

from symgrad.ir.expression import Expr, apply, const, fma, select, var
from symgrad.ir.program import Accumulate, Assign, If, Loop, Return
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, equal
from symgrad.lower.elementary.sinc import sin_cos_pi

_HALF_LOG_2PI, _LOG_PI = 0.9189385332046727, 1.1447298858494002
_TINY = 2.0**-60  # below, the pole at 0 is all there is

# Remez on 0 <= t <= 1 for log Gamma(2 + t)/t, weight t: 2^-59.2, absolute.
LGAMMA: Coefficients = {
    "f64": (
        0.4227843350984677, 0.3224670334240466, -0.06735230105039333, 0.020580808367713508,
        -0.007385550258127878, 0.0028905038435311043, -0.001192715947132879, 0.0005095091021317485,
        -0.00022265257565840514, 9.82727812462727e-05, -4.279637392557963e-05, 1.7569033812678983e-05,
        -6.312753415596087e-06, 1.7875168388605136e-06, -3.418961442156603e-07, 3.224695475741809e-08,
    ),
}  # fmt: skip
# Remez on 0 <= z <= 1/64 for sqrt(1/z) times the remainder of Stirling's formula at 1/sqrt(z): 2^-60.6.
STIRLING: Coefficients = {
    "f64": (
        0.08333333333333333, -0.002777777777774099, 0.0007936507898348934, -0.0005952366069746263,
        0.000841472853494756, -0.001890540250588566, 0.005069256262910214,
    ),
}  # fmt: skip
# Remez on 0 <= z <= 1/100 for (log x - 1/(2x) - psi(x))/z at x = 1/sqrt(z), weight z: 2^-63.3.
DIGAMMA: Coefficients = {
    "f64": (
        0.08333333333333276, -0.008333333332217946, 0.003968253239688632, -0.004166447170905094,
        0.007542091482460515, -0.0185066929363129,
    ),
}  # fmt: skip
# B_2, B_4, ..., B_20
_BERNOULLI = [
    Fraction(1, 6), Fraction(-1, 30), Fraction(1, 42), Fraction(-1, 30), Fraction(5, 66), Fraction(-691, 2730),
    Fraction(7, 6), Fraction(-3617, 510), Fraction(43867, 798), Fraction(-174611, 330),
]  # fmt: skip


def _is_pole(x: Expr) -> Expr:
    """0, -1, -2, ..."""
    return (x <= 0.0) & equal(apply("floor", x), x)


def lgamma_positive(d: Draft, x: Expr) -> Expr:
    """Below 8 log Gamma(2 + t) and the logarithm of the factors between; from 8 on Stirling's formula."""
    small = d.fork()
    n = small.let("n", apply("to_int", x))
    small.body.append(Assign("down", d.real(1.0)))
    factor = x - 1.0 - apply("to_real", var("i", "i64"))
    small.body.append(Loop("i", const(0, "i64"), n - 2, (Accumulate("down", None, "mul", factor),)))
    up = small.let("up", select(x < 1.0, x * (x + 1.0), select(x < 2.0, x, d.real(1.0))))
    t = small.let("t", select(x < 1.0, x, x - apply("to_real", n)))
    series = small.horner("w", t, LGAMMA)
    rest = small.let("rest", small.call("log", var("down", "f64")) - small.call("log", up))
    small.body.append(Return((fma(t, series, rest),)))
    d.body.append(If(x < 8.0, tuple(small.body)))

    inverse = d.let("inverse", 1.0 / x)
    w = d.horner("w", d.let("z", inverse * inverse), STIRLING)
    y = d.let("y", d.call("log", x))
    return fma(x - 0.5, y - 1.0, fma(w, inverse, d.real(_HALF_LOG_2PI - 0.5)))


def lgamma(d: Draft, x: Expr) -> Expr:
    """log|Gamma(x)|; for x < 0 log(pi/|x sin(pi x)|) - log Gamma(-x), inf at 0, -1, -2, ..."""
    a = d.let("a", abs(x))
    value = d.let("value", d.call("lgamma_positive", a))
    mirrored = d.fork()
    sine, _ = sin_cos_pi(mirrored, a)
    below = mirrored.let("y", _LOG_PI - d.call("log", a * abs(sine)) - value)
    below = mirrored.let("y", select(a < _TINY, value, below))
    mirrored.body.append(Return((select(_is_pole(x) | equal(a, math.inf), d.real(math.inf), below),)))
    d.body.append(If(x < 0.0, tuple(mirrored.body)))
    return value


def _steps(d: Draft, x: Expr, start: int) -> Expr:
    """How many times to add 1 until x >= start; 0 for NaN."""
    short = select(x < float(start), start - apply("floor", x), d.real(0.0))
    return d.let("n", apply("to_int", short))


def _add(d: Draft, first: Expr, n: Expr, term: Expr) -> Expr:
    """first + the terms for i = 0, 1, ..., n - 1."""
    d.body.append(Assign("total", first))
    d.body.append(Loop("i", const(0, "i64"), n, (Accumulate("total", None, "add", term),)))
    return var("total", "f64")


def _power(x: Expr, n: int) -> Expr:
    """x^n by squaring, n >= 1."""
    result, square = None, x
    while n:
        if n & 1:
            result = square if result is None else result * square
        n >>= 1
        square = square * square if n else square
    assert result is not None
    return result


def digamma_positive(d: Draft, x: Expr) -> Expr:
    """log y - 1/(2y) - series at y = x + 2n >= 10, less 1/b + 1/(b + 1), b = x + 2n - 2, ..., x. DLMF 5.11.2"""
    n = d.let("n", (_steps(d, x, 10) + 1) >> 1)
    far = d.let("far", x + apply("to_real", n + n))
    inverse = d.let("inverse", 1.0 / far)
    z = d.let("z", inverse * inverse)
    series = fma(z, d.horner("w", z, DIGAMMA), 0.5 * inverse)
    b = x + apply("to_real", 2 * (n - 1 - var("i", "i64")))
    return _add(d, d.call("log", far) - series, n, -(b + b + 1.0) / (b * (b + 1.0)))


def digamma(d: Draft, x: Expr) -> Expr:
    """For x < 0 psi(1 - x) - pi cot(pi x); -1/x at the zeros, NaN at -1, -2, ..."""
    a = d.let("a", abs(x))
    d.body.append(If(a < _TINY, (Return((-1.0 / x,)),)))
    value = d.let("value", d.call("digamma_positive", select(x < 0.0, 1.0 + a, a)))
    mirrored = d.fork()
    sine, cosine = sin_cos_pi(mirrored, a)
    below = mirrored.let("y", value + math.pi * cosine / sine)
    mirrored.body.append(Return((select(_is_pole(x), d.real(math.nan), below),)))
    d.body.append(If(x < 0.0, tuple(mirrored.body)))
    return value


def _zeta(d: Draft, n: int, x: Expr) -> Expr:
    """zeta(n + 1, x) for x > 0 by Euler and Maclaurin's summation from n + n/4 + 10 on. DLMF 25.11.28"""
    steps = _steps(d, x, n + n // 4 + 10)
    far = d.let("far", x + apply("to_real", steps))
    inverse = d.let("inverse", 1.0 / far)
    z = d.let("z", inverse * inverse)
    series, rising = [], Fraction(1)
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        rising *= Fraction((n + 2 * k - 2) * (n + 2 * k - 1) if k > 1 else n + 1, 2 * k * (2 * k - 1))
        series.append(float(bernoulli * rising))
    tail = fma(z, d.horner("w", z, {"f64": tuple(series)}), fma(0.5, inverse, d.real(1.0 / n)))
    term = 1.0 / _power(x + apply("to_real", steps - 1 - var("i", "i64")), n + 1)
    return _add(d, tail / _power(far, n), steps, term)


def polygamma_positive(d: Draft, order: int, x: Expr) -> Expr:
    """(-1)^(n+1) n! zeta(n + 1, x). DLMF 25.11.12"""
    return (-1.0) ** (order + 1) * float(math.factorial(order)) * _zeta(d, order, x)


def _cotangent_derivative(n: int) -> list[int]:
    """Coefficients in c = cot u of d^n cot u/du^n: q -> -(1 + c^2) q'."""
    q = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(q)][1:]
        q = [-a - b for a, b in zip([*slope, 0, 0], [0, 0, *slope], strict=True)]
    return q


def polygamma(d: Draft, order: int, x: Expr) -> Expr:
    """For x < 0 by reflection: psi_n(1 - x) - (-1)^n psi_n(x) = (-1)^n pi d^n cot(pi x)/dx^n. DLMF 5.15.6"""
    n, sign = order, (-1.0) ** order
    mirrored = d.fork()
    a = mirrored.let("a", -x)
    sine, cosine = sin_cos_pi(mirrored, a)
    c = mirrored.let("c", -cosine / sine)
    slopes = mirrored.horner("q", c, {"f64": tuple(float(q) for q in _cotangent_derivative(n))})
    far = d.call(f"polygamma_positive_{n}", 1.0 + a)
    below = mirrored.let("y", (far if sign > 0 else -far) - math.pi ** (n + 1) * slopes)
    mirrored.body.append(Return((select(_is_pole(x), d.real(-sign * math.inf), below),)))
    d.body.append(If(x < 0.0, tuple(mirrored.body)))
    return d.call(f"polygamma_positive_{n}", x)


GAMMA = "DLMF 5.2.1, 5.5.3, 5.11.1"
ROWS = (
    Row("lgamma_positive", lgamma_positive, GAMMA, through=True),
    Row("lgamma", lgamma, GAMMA, through=True),
    Row("digamma_positive", digamma_positive, "DLMF 5.11.2", through=True),
    Row("digamma", digamma, "DLMF 5.5.4, 5.11.2", through=True),
    Row("polygamma_positive", polygamma_positive, "DLMF 25.11.12", order=True, through=True),
    Row("polygamma", polygamma, "DLMF 5.15.1, 5.15.6", order=True, through=True),
)
