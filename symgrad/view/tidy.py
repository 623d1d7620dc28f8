"""Local formulas in the form that a person writes, before they are printed.

In: nodes of one step. Out: old -> new. The compiler's rules, save that a sum keeps the order in which it was written
(-y/a + (1-y)/(1-a)), and with guards taken off and quotients gathered: g (1/x) is g/x, (a/b)/b is a/b^2. What
is printed needs no guard; the rules here change no value where that is finite.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, build
from symgrad.passes.rewrite import Rule, rewrite
from symgrad.passes.simplify import RULES as COMPILER

_LEFT_OUT = ("a + (-b) = a - b", "x^c")  # x^3 stays a power


def _unguarded(node: Node) -> Node:
    return build({"zmul": "mul", "zdiv": "div", "dxlogy": "div"}[node.op.name], *node.args)


def _subtracted(node: Node) -> Node | None:
    a, b = node.args
    return a - b.args[0] if b.op.name == "neg" else None


def _power(node: Node) -> Node | None:
    base, exponent = node.args
    if exponent.op.name != "constant" or exponent.shape:
        return None
    forms = {0.5: "sqrt", 2.0: "square", -1.0: "reciprocal"}
    if exponent["value"] == 1.0:
        return base
    name = forms.get(exponent["value"])
    return build(name, base) if name else None


def _over(a: Node, b: Node) -> Node:
    return build("square", a) if a is b else a * b


def _quotient_over(node: Node) -> Node | None:
    """(a/b)/c = a/(b c)."""
    top, c = node.args
    if top.op.name == "reciprocal":
        return build("reciprocal", _over(top.args[0], c))
    if top.op.name == "div":
        return build("div", top.args[0], _over(top.args[1], c))
    return None


def _square_of_quotient(node: Node) -> Node | None:
    (x,) = node.args
    return build("reciprocal", build("square", x.args[0])) if x.op.name == "reciprocal" else None


RULES = [
    Rule("no guard", ("zmul", "zdiv", "dxlogy"), _unguarded, "a guard is a matter of code"),
    Rule("ln' = 1/x", ("dlog",), lambda node: build("reciprocal", node.args[0]), "its domain is a matter of code"),
    Rule("a + (-b)", ("add",), _subtracted, "a leading minus stays"),
    Rule("x^c", ("power",), _power, "roots, squares, 1/x"),
    Rule("(a/b)/c", ("div",), _quotient_over),
    Rule("(1/x)^2", ("square",), _square_of_quotient),
    *(r for r in COMPILER if r.name not in _LEFT_OUT),
]


def tidy(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for every node reached.

    >>> from symgrad.emit.latex import latex
    >>> from symgrad.frontend.declare import symbols
    >>> x, y = (t.node for t in symbols("x y"))
    >>> latex(tidy([(x / y) / y])[(x / y) / y])
    '\\\\frac{x}{y^{2}}'
    """
    return rewrite(nodes, RULES)
