"""SymPy's sums, products and powers as nodes, in the form that a person writes.

In: an expression, and the nodes of its parts. Out: ``x - 2*y`` as a difference, ``a*x/(b*y)`` as one quotient,
``x**2``, ``1/x`` and ``sqrt(x)`` as their own rows, SymPy's real cube root as ``cbrt``. A part comes with a flag:
whether its negative is wanted (a term that is written with a minus sign).
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ops.numerals import as_fraction, check_budget, nearest_double
from symgrad.ops.registry import ROWS

Part = tuple[Any, bool]
_EXACT = 2**53  # integers below it are doubles


def _is_negative(expr: Any) -> bool:
    """Whether a term is written with a minus sign."""
    if isinstance(expr, sp.Mul):
        return sum(map(_is_minus, expr.args)) % 2 == 1
    return _is_minus(expr)


def _is_minus(expr: Any) -> bool:
    """A negative number, read off its parts: SymPy's ``is_negative`` asks all its rules of deduction."""
    if isinstance(expr, sp.Rational):
        return expr.p < 0
    return isinstance(expr, sp.Float) and expr._mpf_[0] == 1


def sum_parts(expr: sp.Add) -> list[Part]:
    """Terms in SymPy's order, save that a leading minus gives way to the first plus: e**x - 1, not -1 + e**x."""
    terms = [(t, _is_negative(t)) for t in expr.args]
    first = next((i for i, (_, negative) in enumerate(terms) if not negative), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]


def sum_node(expr: sp.Add, negated: bool, nodes: list[Node]) -> Node:
    signs = [negative for _, negative in sum_parts(expr)]
    total = _negative(nodes[0]) if signs[0] else nodes[0]
    for negative, node in zip(signs[1:], nodes[1:], strict=True):
        total = _fold("sub" if negative else "add", total, node)
    return total


def _fold(name: str, a: Node, b: Node) -> Node:
    """The node, or its value where both are integers (SymPy leaves them only when told not to evaluate)."""
    if is_integral(a) and is_integral(b):
        value = float(ROWS[name].reference(a["value"], b["value"]))
        if abs(value) < _EXACT:
            return constant(value)
    return build(name, a, b)


def is_integral(node: Node) -> bool:
    """Whether the node is an integer constant."""
    return (
        is_constant(node)
        and node.dtype == "real"
        and math.isfinite(node["value"])
        and node["value"] == int(node["value"])
    )


def _is_divisor(factor: Any) -> bool:
    return isinstance(factor, sp.Pow) and isinstance(factor.exp, sp.Rational) and factor.exp.p < 0


def _factors(expr: sp.Mul) -> list[Any]:
    return [a for a in expr.args if not isinstance(a, sp.Rational)]


def _coefficient(expr: sp.Mul) -> Fraction:
    """The product of the rational factors, with the sign of all numbers."""
    total = Fraction(1)
    for a in expr.args:
        if isinstance(a, sp.Float) and _is_minus(a):
            total = -total
        if isinstance(a, sp.Rational):
            total *= as_fraction(a)
            check_budget(max(total.numerator.bit_length(), total.denominator.bit_length()))
    return total


def product_parts(expr: sp.Mul) -> list[Part]:
    return [(a.base, False) if _is_divisor(a) else (a, _is_minus(a)) for a in _factors(expr)]


def product_node(expr: sp.Mul, negated: bool, nodes: list[Node]) -> Node:
    """coefficient * factors / (divisors), each from left to right."""
    factors = _factors(expr)
    coefficient = -_coefficient(expr) if negated else _coefficient(expr)
    above: list[Node] = []
    below: list[Node] = []
    for factor, node in zip(factors, nodes, strict=True):
        if _is_divisor(factor):
            below.append(_power_by(node, -as_fraction(factor.exp)))
        else:
            above.append(node)
    above = _odd_root(above)
    if coefficient == -1 and factors and isinstance(factors[0], sp.Float):
        coefficient, above = -coefficient, [_negative(above[0]), *above[1:]]
    minus = coefficient == -1 or (coefficient < 0 and abs(coefficient.numerator) == 1 and bool(above))
    lead, divisor = _split(abs(coefficient) if minus else coefficient)
    above = ([constant(lead)] if lead != 1.0 or not above else []) + above
    below = ([constant(divisor)] if divisor != 1.0 else []) + below
    top = _times(above)
    result = _over(top, _times(below)) if below else top
    return _negative(result) if minus else result


def _split(coefficient: Fraction) -> tuple[float, float]:
    """A coefficient as factor and divisor: 2*x/3 rounds no worse than 0.666...*x and reads better; 1.5*x is exact."""
    p, q = coefficient.numerator, coefficient.denominator
    exact = abs(p) < _EXACT and q < _EXACT
    if exact and (abs(p) == 1 or q & (q - 1)):
        return float(p), float(q)
    return nearest_double(coefficient), 1.0


def _times(factors: list[Node]) -> Node:
    return functools.reduce(functools.partial(_fold, "mul"), factors)


def _over(top: Node, bottom: Node) -> Node:
    return build("reciprocal", bottom) if is_constant(top, 1.0) else build("div", top, bottom)


def _negative(node: Node) -> Node:
    return constant(-node["value"]) if is_constant(node) else -node


def _odd_root(factors: list[Node]) -> list[Node]:
    """sign(x) * |x|**(1/3), SymPy's real cube root, is cbrt(x)."""
    roots = [
        (i, n.args[0].args[0]) for i, n in enumerate(factors) if n.op.name == "cbrt" and n.args[0].op.name == "abs"
    ]
    for i, x in roots:
        signs = [j for j, n in enumerate(factors) if n.op.name == "sign" and n.args[0] is x]
        if signs:
            rest = [n for j, n in enumerate(factors) if j not in (i, signs[0])]
            return [*rest, build("cbrt", x)]
    return factors


_ROOTS: dict[Fraction, tuple[str, ...]] = {
    Fraction(1): (),
    Fraction(2): ("square",),
    Fraction(1, 2): ("sqrt",),
    Fraction(-1): ("reciprocal",),
    Fraction(-2): ("square", "reciprocal"),
    Fraction(-1, 2): ("sqrt", "reciprocal"),
}


def _power_by(base: Node, exponent: Fraction) -> Node:
    """base ** exponent; a fractional power of a negative number is NaN, as SymPy's root is complex."""
    if is_integral(base) and exponent.denominator == 1:
        return _integer_power(base, exponent.numerator)
    if exponent == Fraction(1, 3) and base.op.name == "abs":
        return build("cbrt", base)
    if exponent in _ROOTS:
        return functools.reduce(lambda node, name: build(name, node), _ROOTS[exponent], base)
    return build("power", base, constant(nearest_double(exponent)))


def _integer_power(base: Node, exponent: int) -> Node:
    """A power of integers, refused before it is computed where it has more bits than the budget."""
    magnitude = abs(base["value"])
    if magnitude > 1.0:
        check_budget(math.log2(magnitude) * abs(exponent) if abs(exponent) < 2.0**60 else math.inf)
        return constant(nearest_double(Fraction(int(base["value"])) ** exponent))
    return build("power", base, constant(nearest_double(Fraction(exponent))))


def power_parts(expr: sp.Pow) -> list[Part]:
    if isinstance(expr.exp, sp.Rational):
        return [(expr.base, False)]
    return [(expr.exp, False)] if expr.base is sp.E else [(expr.base, False), (expr.exp, False)]


def power_node(expr: sp.Pow, negated: bool, nodes: list[Node]) -> Node:
    if isinstance(expr.exp, sp.Rational):
        return _power_by(nodes[0], as_fraction(expr.exp))
    if expr.base is sp.E:
        return build("exp", nodes[0])
    base, exponent = nodes
    if is_integral(base) and is_integral(exponent):
        return _integer_power(base, int(exponent["value"]))
    return build("exp2", exponent) if is_constant(base, 2.0) else build("power", base, exponent)
