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
from typing import Any

import sympy as sp
from sympy.codegen import cfunctions
from sympy.core.function import AppliedUndef
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.matrices.expressions.matexpr import MatrixElement

from symgrad.errors import UnsupportedError
from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ops.arithmetic import Part, power_node, power_parts, product_node, product_parts, sum_node, sum_parts
from symgrad.ops.numerals import as_double
from symgrad.ops.registry import HOOKS, ROWS, Elementwise
from symgrad.ops.shape import broadcast

LEAVES = (sp.Symbol, MatrixElement, sp.Indexed, AppliedUndef)
_NUMBERS = (sp.Number, sp.NumberSymbol, type(sp.I), type(sp.zoo))


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
    raise UnsupportedError(
        f"the expression holds the unknown symbol {str(expr)[:80]!r}", fix="declare it, or substitute a value"
    )


def _no_rule(expr: Any) -> UnsupportedError:
    kind = type(expr)
    name = str(getattr(kind, "name", None) or kind.__name__) if isinstance(expr, AppliedUndef) else kind.__name__
    waits = isinstance(expr, (sp.Derivative, sp.Integral, sp.Sum, sp.Product, sp.Subs, sp.Limit, sp.MatrixExpr))
    return UnsupportedError(
        f"the SymPy function {name[:80]} has no numeric rule",
        fix=_INSTEAD.get(kind, "let SymPy work it out first: expr.doit()" if waits else _FUNCTIONS_FIX),
    )


_FUNCTIONS_FIX = "write it in functions that symgrad has"
_INSTEAD: dict[type, str] = {
    sp.gamma: "write exp(loggamma(x)), for x > 0",
    sp.factorial: "write exp(loggamma(x + 1)), for x > -1",
    sp.beta: "write exp(loggamma(x) + loggamma(y) - loggamma(x + y)), for x, y > 0",
}


# Cases and functions


def _piecewise_parts(expr: sp.Piecewise) -> list[Part]:
    return [(e, False) for pair in expr.args for e in pair.args]


def _piecewise(expr: sp.Piecewise, negated: bool, nodes: list[Node]) -> Node:
    """The first case whose condition holds; NaN where none does, and so are its slopes."""
    result = _undefined(nodes) if not is_constant(nodes[-1], True) else constant(math.nan)
    for value, condition in reversed(list(zip(nodes[::2], nodes[1::2], strict=True))):
        if is_constant(condition):
            result = value if condition["value"] else result
        else:
            result = build("where", condition, value, result)
    return result


def _undefined(nodes: list[Node]) -> Node:
    """NaN in all that values and comparisons are made of."""
    found: dict[Node, None] = {}
    stack = list(nodes)
    while stack:
        node = stack.pop(0)
        if node.dtype == "bool":
            stack.extend(node.args)
        elif not is_constant(node):
            found[node] = None
    nan = constant(math.nan)
    return nan * functools.reduce(lambda a, b: a + b, found) if found else nan


def _call(name: str) -> Callable[..., Node]:
    """Builds a row; a row of two arguments takes more from left to right, numbers of max and min last."""

    def apply(*nodes: Node) -> Node:
        if ROWS[name].arity != 2:
            return _known(build(name, *nodes))
        ordered = sorted(nodes, key=is_constant) if name in ("maximum", "minimum") else nodes
        return functools.reduce(lambda a, b: _known(build(name, a, b)), ordered)

    return apply


def _known(node: Node) -> Node:
    """A comparison of numbers, or logic of truths, is a truth: SymPy's real root asks whether im(x) is 0."""
    known = node.op.reference
    if known is not None and node.dtype == "bool" and all(is_constant(a) for a in node.args):
        return constant(bool(known(*(a["value"] for a in node.args))))
    return node


def _sinc(x: Node) -> Node:
    """SymPy's sinc is sin(x)/x, the row is sin(pi x)/(pi x)."""
    if x.op.name == "mul" and is_constant(x.args[0], math.pi):
        return build("sinc", x.args[1])
    return build("sinc", x / math.pi)


def _inverse(name: str) -> Callable[[Node], Node]:
    return lambda x: build("reciprocal", build(name, x))


def _at_inverse(name: str) -> Callable[[Node], Node]:
    return lambda x: build(name, build("reciprocal", x))


_REWRITES: dict[type, Callable[..., Node]] = {
    sp.sec: _inverse("cos"),
    sp.csc: _inverse("sin"),
    sp.cot: lambda x: build("cos", x) / build("sin", x),
    sp.sech: _inverse("cosh"),
    sp.csch: _inverse("sinh"),
    sp.coth: _inverse("tanh"),
    sp.asec: _at_inverse("arccos"),
    sp.acsc: _at_inverse("arcsin"),
    sp.acot: _at_inverse("arctan"),
    sp.asech: _at_inverse("arccosh"),
    sp.acsch: _at_inverse("arcsinh"),
    sp.acoth: _at_inverse("arctanh"),
    sp.sinc: _sinc,
    sp.Heaviside: lambda x, middle: build("dmaximum", x, constant(0.0), middle),
    sp.frac: lambda x: x - build("floor", x),
    sp.erf2: lambda a, b: build("erf", b) - build("erf", a),
    sp.re: lambda x: x,
    sp.conjugate: lambda x: x,
    sp.im: lambda x: constant(0.0),
    sp.ITE: lambda c, a, b: build("where", c, a, b),
    sp.Xor: lambda *cs: functools.reduce(lambda a, b: build("not_equal", a, b), cs),
    sp.Implies: lambda a, b: build("logical_or", build("logical_not", a), b),
    cfunctions.Cbrt: _call("cbrt"),
    cfunctions.Sqrt: _call("sqrt"),
    cfunctions.exp2: _call("exp2"),
    cfunctions.expm1: _call("expm1"),
    cfunctions.hypot: _call("hypot"),
    cfunctions.log10: _call("log10"),
    cfunctions.log1p: _call("log1p"),
    cfunctions.log2: _call("log2"),
}


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
    kind = row.takes[0] if len(row.takes) == 1 else "real"
    assumptions = {"bool": {}, "int": {"integer": True}, "real": {"real": True}}[kind]
    return tuple(sp.Dummy(f"x{i}", **assumptions) for i in range(row.arity))


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


@functools.cache
def heads() -> dict[str, type]:
    """The SymPy classes that have a numeric rule, with those that their arguments are made of, by name."""
    numbers = (sp.pi, sp.E, sp.GoldenRatio, sp.EulerGamma, sp.Catalan, sp.TribonacciConstant)
    found = {*_RULES, *_REWRITES, *_functions(len(ROWS)), sp.polygamma, ExprCondPair, *map(type, numbers)}
    return {kind.__name__: kind for kind in found}


def _nothing(expr: Any) -> list[Part]:
    return []


_RULES: dict[type, tuple[Callable[..., list[Part]], Callable[..., Node]]] = {
    sp.Add: (sum_parts, sum_node),
    sp.Mul: (product_parts, product_node),
    sp.Pow: (power_parts, power_node),
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
        raise UnsupportedError(
            f"SymPy leaves the derivative of {row.name} unevaluated", fix="state the partial in the row"
        )
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


HOOKS["derived_partial"] = derived_partial
