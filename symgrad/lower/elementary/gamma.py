"""The gamma family: recurrences to where a short series holds, reflection for negative arguments.

These have branches and loops, and are accurate to 4 ulp of max(|f|, 1), not relative to their zeros.
"""

from __future__ import annotations

import math

from symgrad.ir.program import Accumulate, Assign, Expr, If, Loop, Return, apply, call, const, fma, select, var
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, equal

_HALF_LOG_2PI, _LOG_PI = 0.9189385332046727, 1.1447298858494002

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


def sin_cos_pi(d: Draft, x: Expr) -> tuple[Expr, Expr]:
    """sin(pi x) and cos(pi x), the argument reduced exactly."""
    turn = d.let("turn", x - 2.0 * apply("rint", 0.5 * x))
    angle = d.let("angle", math.pi * turn)
    return d.let("sine", d.call("sin", angle)), d.let("cosine", d.call("cos", angle))


def _stirling(d: Draft, x: Expr) -> Expr:
    """(x - 1/2) (log x - 1) + (log(2 pi) - 1)/2 + series in 1/x, for x >= 8."""
    inverse = d.let("inverse", 1.0 / x)
    w = d.horner("w", inverse * inverse, STIRLING)
    log = d.let("log", d.call("log", x))
    return fma(x - 0.5, log - 1.0, fma(w, inverse, d.real(_HALF_LOG_2PI - 0.5)))


def _small(d: Draft, x: Expr) -> Expr:
    """log Gamma(2 + t) and the logarithm of the factors down to 2 + t, for 0 < x < 8."""
    n = d.let("n", apply("to_int", x))
    d.body.append(Assign("down", d.real(1.0)))
    down, i = var("down", "f64"), var("i", "i64")
    factor = x - 1.0 - apply("to_real", i)
    d.body.append(Loop("i", const(0, "i64"), n - 2, (Accumulate("down", None, "mul", factor),)))
    up = d.let("up", select(x < 1.0, x * (x + 1.0), select(x < 2.0, x, d.real(1.0))))
    t = d.let("t", x - apply("to_real", n))
    return fma(t, d.horner("w", t, LGAMMA), d.call("log", down) - d.call("log", up))


def lgamma(d: Draft, x: Expr) -> Expr:
    """log|Gamma(x)|; for x < 0 log(pi/|x sin(pi x)|) - log Gamma(-x), inf at 0, -1, -2, ..."""
    a = d.let("a", abs(x))
    far, near = d.fork(), d.fork()
    d.body.append(Assign("value", d.real(0.0)))
    value = var("value", "f64")
    far.body.append(Accumulate("value", None, "add", _stirling(far, a)))
    near.body.append(Accumulate("value", None, "add", _small(near, a)))
    d.body.append(If(a >= 8.0, tuple(far.body), (If(a > 0.0, tuple(near.body)),)))
    mirrored = d.fork()
    sine, _ = sin_cos_pi(mirrored, a)
    pole = equal(apply("floor", a), a)
    reflected = _LOG_PI - mirrored.call("log", a * abs(sine)) - value
    mirrored.body.append(Return((select(pole, d.real(math.inf), reflected),)))
    d.body.append(If(x < 0.0, tuple(mirrored.body)))
    return select(equal(x, 0.0) | equal(a, math.inf), d.real(math.inf), select(equal(x, x), value, x))
