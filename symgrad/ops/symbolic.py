"""Scalar SymPy expressions as nodes, and the partial derivatives that SymPy derives for a row.

In: a SymPy expression and the nodes of its symbols. Out: a node built of element-wise rows. Which SymPy
function is which row is read off the table (``row.sympy``); what is not one function of its arguments
(sums, powers, cases) is in ``_RULES``, and what is a formula of rows is in ``_REWRITES``. All
symbols stand for real numbers. The walk keeps its own stack, visits each SymPy object once and never asks SymPy
to sort, compare or print: 10,000 nested functions are no deeper for it than one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.codegen import cfunctions
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import UnsupportedError
from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ops.numerals import as_double, as_fraction, check_budget, nearest_double
from symgrad.ops.registry import ROWS, Elementwise
from symgrad.ops.shape import broadcast

LEAVES = (sp.Symbol, MatrixElement, sp.Indexed, AppliedUndef)
_NUMBERS = (sp.Number, sp.NumberSymbol, type(sp.I), type(sp.zoo))
Part = tuple[Any, bool]  # an expression, and whether its negative is wanted
_EXACT = 2**53  # integers below it are doubles


def to_node(expr: sp.Basic, env: Mapping[Any, Node]) -> Node:
    """The node of a scalar SymPy expression; ``env`` gives the nodes of its symbols.

    Raises:  UnsupportedError for a function without a row, a complex number, an unknown symbol;
             ExpressionError for an integer beyond ``numerals.BIT_BUDGET``.
    """
    done: dict[tuple[int, bool], Node] = {}
    stack: list[Part] = [(expr, False)]
    while stack:
        part, negated = stack[-1]
        if (id(part), negated) in done:
            stack.pop()
            continue
        needed = _parts(part)
        missing = [(p, n) for p, n in needed if (id(p), n) not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        stack.pop()
        done[id(part), negated] = _assemble(part, negated, [done[id(p), n] for p, n in needed], env)
    return done[id(expr), False]


def _parts(expr: Any) -> list[Part]:
    """What must be built before ``expr`` can be."""
    if isinstance(expr, (*LEAVES, *_NUMBERS)):
        return []
    rule = _RULES.get(type(expr))
    if rule is not None:
        return rule[0](expr)
    return [(a, False) for a in _row_of(expr)[1]]


def _assemble(expr: Any, negated: bool, nodes: list[Node], env: Mapping[Any, Node]) -> Node:
    if isinstance(expr, LEAVES):
        return _leaf(expr, env)
    if isinstance(expr, _NUMBERS):
        value = as_double(expr)
        return constant(-value if negated else value)
    rule = _RULES.get(type(expr))
    if rule is not None:
        return rule[1](expr, negated, nodes)
    return _row_of(expr)[0](*nodes)


def _leaf(expr: Any, env: Mapping[Any, Node]) -> Node:
    try:
        return env[expr]
    except KeyError:
        pass
    if isinstance(expr, AppliedUndef):
        raise _no_rule(expr)
    raise UnsupportedError(f"the expression holds the unknown symbol {str(expr)[:80]!r}", fix="declare it, or substitute a value")


def _no_rule(expr: Any) -> UnsupportedError:
    kind = type(expr)
    name = str(getattr(kind, "name", None) or kind.__name__) if isinstance(expr, AppliedUndef) else kind.__name__
    return UnsupportedError(
        f"the SymPy function {name[:80]} has no numeric rule",
        fix="write it in functions that symgrad has, or add a row to the table of element-wise functions",
    )


# Sums, products, powers


def _is_negative(expr: Any) -> bool:
    """Whether a term is written with a minus sign."""
    if isinstance(expr, sp.Mul):
        return sum(isinstance(a, sp.Rational) and a.p < 0 for a in expr.args) % 2 == 1
    return isinstance(expr, (sp.Rational, sp.Float)) and bool(expr.is_negative)


def _sum_parts(expr: sp.Add) -> list[Part]:
    """Terms in SymPy's order, save that a leading minus gives way to the first plus: e**x - 1, not -1 + e**x."""
    terms = [(t, _is_negative(t)) for t in expr.args]
    first = next((i for i, (_, negative) in enumerate(terms) if not negative), 0)
    return [terms[first], *terms[:first], *terms[first + 1 :]]


def _sum(expr: sp.Add, negated: bool, nodes: list[Node]) -> Node:
    total = None
    for (_, negative), node in zip(_sum_parts(expr), nodes, strict=True):
        if total is None:
            total = -node if negative else node
        else:
            total = _fold("sub" if negative else "add", total, node)
    assert total is not None
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
    return is_constant(node) and node.dtype == "real" and math.isfinite(node["value"]) and node["value"] == int(node["value"])


def _is_divisor(factor: Any) -> bool:
    return isinstance(factor, sp.Pow) and isinstance(factor.exp, sp.Rational) and factor.exp.p < 0


def _factors(expr: sp.Mul) -> list[Any]:
    return [a for a in expr.args if not isinstance(a, sp.Rational)]


def _coefficient(expr: sp.Mul) -> Fraction:
    total = Fraction(1)
    for a in expr.args:
        if isinstance(a, sp.Rational):
            total *= as_fraction(a)
            check_budget(max(total.numerator.bit_length(), total.denominator.bit_length()))
    return total


def _product_parts(expr: sp.Mul) -> list[Part]:
    return [(a.base if _is_divisor(a) else a, False) for a in _factors(expr)]


def _product(expr: sp.Mul, negated: bool, nodes: list[Node]) -> Node:
    """coefficient * factors / (divisors), each from left to right."""
    coefficient = -_coefficient(expr) if negated else _coefficient(expr)
    above: list[Node] = []
    below: list[Node] = []
    for factor, node in zip(_factors(expr), nodes, strict=True):
        if _is_divisor(factor):
            below.append(_power_by(node, -as_fraction(factor.exp)))
        else:
            above.append(node)
    above = _odd_root(above)
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
    roots = [(i, n.args[0].args[0]) for i, n in enumerate(factors) if n.op.name == "cbrt" and n.args[0].op.name == "abs"]
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


def _power_parts(expr: sp.Pow) -> list[Part]:
    if isinstance(expr.exp, sp.Rational):
        return [(expr.base, False)]
    return [(expr.exp, False)] if expr.base is sp.E else [(expr.base, False), (expr.exp, False)]


def _power(expr: sp.Pow, negated: bool, nodes: list[Node]) -> Node:
    if isinstance(expr.exp, sp.Rational):
        return _power_by(nodes[0], as_fraction(expr.exp))
    if expr.base is sp.E:
        return build("exp", nodes[0])
    base, exponent = nodes
    if is_integral(base) and is_integral(exponent):
        return _integer_power(base, int(exponent["value"]))
    return build("exp2", exponent) if is_constant(base, 2.0) else build("power", base, exponent)


# Cases and functions


def _piecewise_parts(expr: sp.Piecewise) -> list[Part]:
    return [(e, False) for pair in expr.args for e in pair.args]


def _piecewise(expr: sp.Piecewise, negated: bool, nodes: list[Node]) -> Node:
    """The first case whose condition holds; NaN where none does."""
    result = constant(math.nan)
    for value, condition in reversed(list(zip(nodes[::2], nodes[1::2], strict=True))):
        if is_constant(condition):
            result = value if condition["value"] else result
        else:
            result = build("where", condition, value, result)
    return result


def _call(name: str) -> Callable[..., Node]:
    """Builds a row; a row of two arguments takes more from left to right, numbers last."""

    def apply(*nodes: Node) -> Node:
        row = ROWS[name]
        if row.result == "bool" and all(is_constant(n) for n in nodes):
            return functools.reduce(lambda a, b: constant(bool(row.reference(a["value"], b["value"]))), nodes) if row.arity == 2 else constant(not nodes[0]["value"])
        if name in ("maximum", "minimum"):
            nodes = tuple(sorted(nodes, key=is_constant))
        return build(name, *nodes) if row.arity != 2 else functools.reduce(lambda a, b: build(name, a, b), nodes)

    return apply


def _inverse(name: str) -> Callable[[Node], Node]:
    return lambda x: build("reciprocal", build(name, x))


def _at_inverse(name: str) -> Callable[[Node], Node]:
    return lambda x: build(name, build("reciprocal", x))


_REWRITES: dict[type, Callable[..., Node]] = {
    sp.sec: _inverse("cos"), sp.csc: _inverse("sin"), sp.sech: _inverse("cosh"), sp.csch: _inverse("sinh"), sp.coth: _inverse("tanh"),
    sp.cot: lambda x: build("cos", x) / build("sin", x),
    sp.asec: _at_inverse("arccos"), sp.acsc: _at_inverse("arcsin"), sp.acot: _at_inverse("arctan"),
    sp.asech: _at_inverse("arccosh"), sp.acsch: _at_inverse("arcsinh"), sp.acoth: _at_inverse("arctanh"),
    sp.sinc: lambda x: build("sinc", x / math.pi),  # SymPy's is sin(x)/x
    sp.Heaviside: lambda x, middle: build("dmaximum", x, constant(0.0), middle),
    sp.frac: lambda x: x - build("floor", x),
    sp.erf2: lambda a, b: build("erf", b) - build("erf", a),
    sp.re: lambda x: x, sp.conjugate: lambda x: x, sp.im: lambda x: constant(0.0),
    sp.ITE: lambda c, a, b: build("where", c, a, b),
    sp.Xor: lambda *cs: functools.reduce(lambda a, b: build("not_equal", a, b), cs),
    sp.Implies: lambda a, b: build("logical_or", build("logical_not", a), b),
    cfunctions.expm1: _call("expm1"), cfunctions.log1p: _call("log1p"), cfunctions.exp2: _call("exp2"), cfunctions.log2: _call("log2"),
    cfunctions.log10: _call("log10"), cfunctions.Cbrt: _call("cbrt"), cfunctions.Sqrt: _call("sqrt"), cfunctions.hypot: _call("hypot"),
}  # fmt: skip


@functools.lru_cache(maxsize=4)
def _functions(count: int) -> dict[type, str]:
    """SymPy function -> row, for the rows that are one function of exactly their arguments."""
    found: dict[type, str] = {}
    for row in ROWS.values():
        if row.sympy is None or row.code is None or row.params:
            continue
        symbols = dummies(row)
        expr = row.sympy(*symbols)
        if expr.args == symbols:
            found.setdefault(type(expr), row.name)
    return found


def dummies(row: Elementwise) -> tuple[sp.Dummy, ...]:
    """Fresh symbols of the kinds that a row takes."""
    if row.name == "where":
        return (sp.Dummy("c"), sp.Dummy("a", real=True), sp.Dummy("b", real=True))
    return tuple(sp.Dummy(f"x{i}", **({} if row.takes == ("bool",) else {"real": True})) for i in range(row.arity))


def _row_of(expr: Any) -> tuple[Callable[..., Node], Iterable[Any]]:
    """What builds a function's node, and the arguments it needs."""
    if isinstance(expr, sp.polygamma) and isinstance(expr.args[0], sp.Integer) and expr.args[0].p >= 0:
        order = int(expr.args[0])
        return (lambda x: build("polygamma", x, order=order) if order else build("digamma", x)), expr.args[1:]
    if type(expr) in _REWRITES:
        return _REWRITES[type(expr)], expr.args
    name = _functions(len(ROWS)).get(type(expr))
    if name is None:
        raise _no_rule(expr)
    return _call(name), expr.args


def _nothing(expr: Any) -> list[Part]:
    return []


_RULES: dict[type, tuple[Callable[..., list[Part]], Callable[..., Node]]] = {
    sp.Add: (_sum_parts, _sum),
    sp.Mul: (_product_parts, _product),
    sp.Pow: (_power_parts, _power),
    sp.Piecewise: (_piecewise_parts, _piecewise),
    type(sp.true): (_nothing, lambda e, n, nodes: constant(True)),
    type(sp.false): (_nothing, lambda e, n, nodes: constant(False)),
}


# What SymPy derives


@functools.lru_cache(maxsize=512)
def _derivative(row: Elementwise, i: int, params: tuple[tuple[str, Any], ...]) -> tuple[Any, tuple]:
    assert row.sympy is not None, f"{row.name} states neither partials nor a SymPy expression"
    symbols = dummies(row)
    derivative = sp.diff(row.sympy(*symbols, **dict(params)), symbols[i])
    if derivative.has(sp.Derivative, sp.Subs, sp.DiracDelta):
        raise UnsupportedError(f"SymPy leaves the derivative of {row.name} unevaluated", fix="state the partial in the row")
    return derivative, symbols


def derived_partial(row: Elementwise, i: int, node: Node) -> Node | None:
    """The derivative of a row by its i-th argument as SymPy finds it; None where it is 0."""
    derivative, symbols = _derivative(row, i, tuple(sorted(node.params.items())))
    return None if derivative == 0 else to_node(derivative, dict(zip(symbols, node.args, strict=True)))


def expand_row(node: Node) -> Node:
    """A node whose row states no code, as the rows that its SymPy expression is made of."""
    row = node.op.row
    assert row.sympy is not None, f"{row.name} states neither code nor a SymPy expression"
    symbols = dummies(row)
    body = to_node(row.sympy(*symbols, **node.params), dict(zip(symbols, node.args, strict=True)))
    return broadcast(body, node.shape)
