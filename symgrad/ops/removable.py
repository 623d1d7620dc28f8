"""TABLE: functions with a removable 0/0 at the origin, and how they leave it.

sin(x)/x, sinh(x)/x, x - sin x, tan x - x, 1/x - 1/tan x, (e^x - 1)/x and their slopes: near 0 a power series (Horner,
coefficients from the series of sin and exp, DLMF 4.19, 4.33), elsewhere the formula itself. The cut is where the
formula's cancellation and the series' remainder are both below an ulp or two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import sympy as sp

from symgrad.ir.expression import Expr, call, const, fma, select
from symgrad.ir.node import Node, build
from symgrad.ops.registry import Elementwise, register_row

_LINE = (-1.7, -0.3, 0.4, 2.1)
_SMALL = (-1.1, -0.3, 0.4, 1.2)
_FACTORIAL = [math.factorial(n) for n in range(66)]


def _f(name: str) -> Callable[[Expr], Expr]:
    return lambda x: call(name, (x,), x.dtype)


def _horner(t: Expr, table: list[float]) -> Expr:
    total = const(table[-1], t.dtype)
    for c in reversed(table[:-1]):
        total = fma(total, t, const(c, t.dtype))
    return total


class Near(NamedTuple):
    """lead(x) * polynomial (in x^2 where ``even``) for |x| < cut; elsewhere ``far``, as code and on arrays."""

    table: list[float]
    lead: Callable[[Any], Any]
    even: bool
    cut: float
    far: tuple[Callable[[Expr], Expr], Callable[[Any], Any]]

    def code(self, x: Expr) -> Expr:
        inside = select(abs(x) < self.cut, x, const(0.0, x.dtype))
        near = self.lead(inside) * _horner(inside * inside if self.even else inside, self.table)
        return select(abs(x) < self.cut, near, self.far[0](x))

    def reference(self, x: Any) -> Any:
        x = np.asarray(x, float)
        near = self.lead(x) * np.polynomial.polynomial.polyval(x * x if self.even else x, self.table)
        with np.errstate(all="ignore"):
            return np.where(np.abs(x) < self.cut, near, self.far[1](x))


def _row(name: str, symbolic: Any, slope: Any, latex: str, near: tuple, **more: Any) -> Elementwise:
    """``near``: the fields of ``Near``."""
    partials = None if slope is None else (slope,)
    form, domain = Near(*near), more.pop("domain", _LINE)
    source = "power series near 0; DLMF 4.19, 4.33"
    return Elementwise(name, 1, symbolic, partials, form.code, form.reference, latex, domain, source=source, **more)


def _to(name: str) -> Callable[[Node, Node], Node]:
    return lambda y, x: build(name, x)


def _one(x: Any) -> Any:
    return 1.0


def _x(x: Any) -> Any:
    return x


def _cube(x: Any) -> Any:
    return x * x * x


def _sin_ratio_slope(x: sp.Expr) -> sp.Expr:
    return (x * sp.cos(x) - sp.sin(x)) / x**2


def _sinh_ratio_slope(x: sp.Expr) -> sp.Expr:
    return (x * sp.cosh(x) - sp.sinh(x)) / x**2


def _exprel_slope(x: sp.Expr) -> sp.Expr:
    return (x * sp.exp(x) - sp.exp(x) + 1) / x**2


_N = range(14)


def _bernoulli_over_factorial(count: int) -> list[Fraction]:
    """B_2n/(2n)! for n < count, from x coth x sinh x = x cosh x (DLMF 24.2, 4.33)."""
    found: list[Fraction] = []
    for n in range(count):
        known = sum((4**k * b / _FACTORIAL[2 * (n - k) + 1] for k, b in enumerate(found)), Fraction(0))
        found.append((Fraction(1, _FACTORIAL[2 * n]) - known) / 4**n)
    return found


_B = _bernoulli_over_factorial(32)
_TAN = [float((-1) ** (n - 1) * 4**n * (4**n - 1) * _B[n]) for n in range(2, 32)]
_COT = [float((-1) ** (n - 1) * 4**n * _B[n]) for n in range(1, 32)]
_COTH = [float(4**n * b) for n, b in enumerate(_B)]
_CSCH = [float((2 - 4**n) * b) for n, b in enumerate(_B)]
_sin, _cos, _tan, _exp, _expm1, _sinh, _cosh = map(_f, ("sin", "cos", "tan", "exp", "expm1", "sinh", "cosh"))
_tanh = _f("tanh")


def _slopes(table: list[float]) -> list[float]:
    """Of a series in x^2 without its first term: the derivative's, divided by x."""
    return [2 * n * c for n, c in enumerate(table)][1:]


TABLE = [
    _row("sin_ratio", lambda x: sp.sin(x) / x, _to("sin_ratio_slope"), r"\frac{{\sin {0}}}{{{0}}}",
         ([(-1.0) ** n / _FACTORIAL[2 * n + 1] for n in _N], _one, True, 0.25, (lambda x: _sin(x) / x, lambda x: np.sin(x) / x)), precedence="atom"),
    _row("sin_ratio_slope", _sin_ratio_slope, None, r"\left(\frac{{\sin {0}}}{{{0}}}\right)'",
         ([(-1.0) ** (n + 1) * (2 * n + 2) / _FACTORIAL[2 * n + 3] for n in _N], _x, True, 1.5,
         (lambda x: (_cos(x) - _sin(x) / x) / x, lambda x: (np.cos(x) - np.sin(x) / x) / x)), precedence="atom"),
    _row("sinh_ratio", lambda x: sp.sinh(x) / x, _to("sinh_ratio_slope"), r"\frac{{\sinh {0}}}{{{0}}}",
         ([1.0 / _FACTORIAL[2 * n + 1] for n in _N], _one, True, 0.25, (lambda x: _sinh(x) / x, lambda x: np.sinh(x) / x)), precedence="atom"),
    _row("sinh_ratio_slope", _sinh_ratio_slope, None, r"\left(\frac{{\sinh {0}}}{{{0}}}\right)'",
         ([(2 * n + 2) / _FACTORIAL[2 * n + 3] for n in _N], _x, True, 1.5,
         (lambda x: (_cosh(x) - _sinh(x) / x) / x, lambda x: (np.cosh(x) - np.sinh(x) / x) / x)), precedence="atom"),
    _row("exprel_slope", _exprel_slope, None, r"\left(\frac{{e^{{{0}}} - 1}}{{{0}}}\right)'",
         ([(n + 1) / _FACTORIAL[n + 2] for n in range(20)], _one, False, 1.5,
         (lambda x: (_exp(x) * (1.0 - 1.0 / x) + 1.0 / x) / x, lambda x: (np.exp(x) * (1 - 1 / x) + 1 / x) / x)), precedence="atom"),
    _row("sin_deficit", lambda x: x - sp.sin(x), lambda y, x: 2.0 * build("square", build("sin", 0.5 * x)), r"{0} - \sin {0}",
         ([(-1.0) ** n / _FACTORIAL[2 * n + 3] for n in _N], _cube, True, 1.5, (lambda x: x - _sin(x), lambda x: x - np.sin(x))), precedence="add"),
    _row("tan_excess", lambda x: sp.tan(x) - x, lambda y, x: build("square", build("tan", x)), r"\tan {0} - {0}",
         (_TAN, _cube, True, 0.8, (lambda x: _tan(x) - x, lambda x: np.tan(x) - x)), precedence="add", domain=_SMALL),
    _row("cot_deficit", lambda x: 1 / x - 1 / sp.tan(x), _to("cot_deficit_slope"), r"\frac{{1}}{{{0}}} - \cot {0}",
         (_COT, _x, True, 1.2, (lambda x: 1.0 / x - 1.0 / _tan(x), lambda x: 1 / x - 1 / np.tan(x))), precedence="add", domain=_SMALL),
    _row("cot_deficit_slope", lambda x: 1 / sp.sin(x) ** 2 - 1 / x**2, None, r"\frac{{1}}{{\sin^2 {0}}} - \frac{{1}}{{{0}^2}}",
         ([(2 * n + 1) * c for n, c in enumerate(_COT)], _one, True, 1.2,
         (lambda x: 1.0 / (_sin(x) * _sin(x)) - 1.0 / (x * x), lambda x: 1 / np.sin(x) ** 2 - 1 / x**2)), precedence="add", domain=_SMALL),
    _row("coth_ratio", lambda x: x / sp.tanh(x), _to("coth_ratio_slope"), r"{0} \coth {0}", (_COTH, _one, True, 1.0,
         (lambda x: x / _tanh(x), lambda x: x / np.tanh(x))), precedence="mul"),
    _row("coth_ratio_slope", lambda x: 1 / sp.tanh(x) - x / sp.sinh(x) ** 2, None, r"\left({0} \coth {0}\right)'", (_slopes(_COTH), _x, True, 1.5,
         (lambda x: 1.0 / _tanh(x) - x / _sinh(x) / _sinh(x), lambda x: 1 / np.tanh(x) - x / np.sinh(x) / np.sinh(x))), precedence="atom"),
    _row("csch_ratio", lambda x: x / sp.sinh(x), _to("csch_ratio_slope"), r"\frac{{{0}}}{{\sinh {0}}}", (_CSCH, _one, True, 1.0,
         (lambda x: x / _sinh(x), lambda x: x / np.sinh(x))), precedence="atom"),
    _row("csch_ratio_slope", lambda x: (1 - x / sp.tanh(x)) / sp.sinh(x), None, r"\left(\frac{{{0}}}{{\sinh {0}}}\right)'", (_slopes(_CSCH), _x, True, 1.5,
         (lambda x: (1.0 - x / _tanh(x)) / _sinh(x), lambda x: (1 - x / np.tanh(x)) / np.sinh(x))), precedence="atom"),
]  # fmt: skip
for _entry in TABLE:
    register_row(_entry)
