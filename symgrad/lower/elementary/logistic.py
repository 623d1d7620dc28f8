"""The logistic function, its slope and its integrals, each from one e^-|x|, which cannot overflow."""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, fma, select
from symgrad.lower.elementary.draft import Coefficients, Draft, Row, quotient
from symgrad.lower.elementary.logarithm import log1p_of_unit

# Remez on 0 <= z <= 1 for (cosh(sqrt z) - 1 - z/2)/z^2, weight z: 2^-56.1 (f64), 2^-26.8 (f32) of cosh - 1.
COSH: Coefficients = {
    "f64": (
        0.04166666666666627, 0.0013888888888966796, 2.4801587251183417e-05, 2.7557334213010725e-07,
        2.0874504494950215e-09, 1.1637063628770921e-11,
    ),
    "f32": (0.04166672, 0.001388557, 2.5358645e-05),
}  # fmt: skip


def _tail(d: Draft, x: Expr) -> Expr:
    return d.let("v", d.call("exp", -abs(x)))


def sigmoid(d: Draft, x: Expr) -> Expr:
    """v - v w or 1 - w with v = e^-|x|, w = v/(1 + v): the sum's rounding is scaled down by w or v."""
    v = _tail(d, x)
    w = d.let("w", v / (1.0 + v))
    return select(x < 0.0, fma(-w, v, v), 1.0 - w)


def sigmoid_slope(d: Draft, x: Expr) -> Expr:
    """s(x) s(-x) = v/(1 + v)^2, from the exponential of ``sigmoid``."""
    v = _tail(d, x)
    return quotient(d, v, v, v + 2.0)


def softplus(d: Draft, x: Expr) -> Expr:
    """log(1 + e^x) = max(x, 0) + log(1 + v)."""
    return log1p_of_unit(d, _tail(d, x)) + select(x > 0.0, x, d.real(0.0))


def log_sigmoid(d: Draft, x: Expr) -> Expr:
    """log s(x) = min(x, 0) - log(1 + v)."""
    return select(x < 0.0, x, d.real(0.0)) - log1p_of_unit(d, _tail(d, x))


def logcosh(d: Draft, x: Expr) -> Expr:
    """log1p(cosh x - 1) up to 1, beyond |x| - log 2 + log1p(e^-2|x|)."""
    a = d.let("a", abs(x))
    near = d.let("near", a < 1.0)
    z = d.let("z", a * a)
    lost = d.let("lost", 0.5 * fma(a, a, -z))
    v = d.let("v", 0.5 * z + fma(z * z, d.horner("w", z, COSH), lost))
    v = d.let("v", select(near, v, d.call("exp", -2.0 * a)))
    y = log1p_of_unit(d, v)
    return select(near, y, (a - math.log(2.0)) + y)


ROWS = (
    Row("sigmoid", sigmoid, "logistic function"),
    Row("sigmoid_slope", sigmoid_slope, "derivative of the logistic function"),
    Row("softplus", softplus, "integral of the logistic function"),
    Row("log_sigmoid", log_sigmoid, "logarithm of the logistic function"),
    Row("logcosh", logcosh, "integral of tanh"),
)
