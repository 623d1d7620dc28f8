"""Local formulas in the form that a person writes, before they are printed.

In: nodes of one step. Out: old -> new. The compiler's rules, save that a sum keeps the order in which it was written
(-y/a + (1-y)/(1-a)), and with guards taken off and quotients gathered: g (1/x) is g/x, (a/b)/b is a/b^2. What
is printed needs no guard; the rules here change no value where that is finite.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, build
from symgrad.ops.leaf import cast
from symgrad.passes.rewrite import Rule, Rules, rewrite, value
from symgrad.passes.simplify import RULES as COMPILER

_OPPOSITES = {"less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less"}
_LEFT_OUT = ("a + (-b) = a - b", "a - (-b) = a + b", "x^c")  # signs stay where they are, x^3 stays a power


def _unguarded(node: Node) -> Node:
    return build({"zmul": "mul", "zdiv": "div", "dxlogy": "div"}[node.op.name], *node.args)


def _subtracted(node: Node) -> Node | None:
    a, b = node.args
    return a - b.args[0] if b.op.name == "neg" else None


def _added(node: Node) -> Node | None:
    a, b = node.args
    return a + b.args[0] if b.op.name == "neg" else None


def _leading_minus(node: Node) -> Node | None:
    """-(-a + b) = a - b, -(-a - b) = a + b; -(a - b) stays."""
    (x,) = node.args
    if x.op.name not in ("add", "sub") or x.args[0].op.name != "neg":
        return None
    a, b = x.args[0].args[0], x.args[1]
    return a - b if x.op.name == "add" else a + b


def _common_denominator(node: Node) -> Node | None:
    """a/c + b/c = (a + b)/c, -a/c + b/c = (b - a)/c."""
    (a, negative), (b, _) = (_bare(n) for n in node.args)
    if a.op.name != "div" or b.op.name != "div" or a.args[1] is not b.args[1] or node.args[1].op.name == "neg":
        return None
    p, q = a.args[0], b.args[0]
    if negative and node.op.name == "sub":
        return -((p + q) / a.args[1])
    above = q - p if negative else build(node.op.name, p, q)
    return above / a.args[1]


def _bare(node: Node) -> tuple[Node, bool]:
    return (node.args[0], True) if node.op.name == "neg" else (node, False)


def _indicator(node: Node) -> Node | None:
    """What is 0 unless a condition holds, as a product with its indicator."""
    c, a, b = node.args
    if node.dtype != "real" or (value(a) == 0.0) == (value(b) == 0.0):
        return None
    held, other = (c, a) if value(b) == 0.0 else (build("logical_not", c), b)
    return cast(held, "real") * other


def _opposite(node: Node) -> Node | None:
    (c,) = node.args
    return build(_OPPOSITES[c.op.name], *c.args) if c.op.name in _OPPOSITES else None


def _share_last(node: Node) -> Node | None:
    """(a/b) c = (a c)/b."""
    a, b = node.args
    if a.op.name == "div":
        return build("div", a.args[0] * b, a.args[1])
    return build("div", a * b.args[0], b.args[1]) if b.op.name == "div" and value(a) is None else None


def _scaled(node: Node) -> Node | None:
    """A contraction with a scalar is a product."""
    a, b = node.args
    return None if a.shape and b.shape else a * b


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


def _constants_together(node: Node) -> Node | None:
    """(c a) (d b) = (c d) (a b)."""
    a, b = node.args
    if a.op.name != "mul" or b.op.name != "mul" or value(a.args[0]) is None or value(b.args[0]) is None:
        return None
    return (a.args[0] * b.args[0]) * (a.args[1] * b.args[1])


def _angle(node: Node) -> Node | None:
    """a/r^2 with r^2 = x^2 + y^2 written out."""
    a, r = node.args
    if r.op.name != "hypot":
        return None
    x, y = (build("square", n) for n in r.args)
    return a / (y + x)


def sum_of_sum(node: Node) -> Node | None:
    """One sum over the axes of both."""
    (x,) = node.args
    if x.op.name != "sum":
        return None
    left = [i for i in range(x.args[0].type.rank) if i not in x["axes"]]
    return build("sum", x.args[0], axes=tuple(sorted((*x["axes"], *(left[i] for i in node["axes"])))))


# All that is changed in what the user wrote
WRITTEN = Rules([Rule("sum of sum", ("sum",), sum_of_sum), *(r for r in COMPILER if r.name == "functions of numbers")])
RULES = [
    Rule("no guard", ("zmul", "zdiv", "dxlogy"), _unguarded, "a guard is a matter of code"),
    Rule("ln' = 1/x", ("dlog",), lambda node: build("reciprocal", node.args[0]), "its domain is a matter of code"),
    Rule("a + (-b)", ("add",), _subtracted, "a leading minus stays"),
    Rule("a - (-b)", ("sub",), _added),
    Rule("-(-a + b)", ("neg",), _leading_minus),
    Rule("a/c + b/c", ("add", "sub"), _common_denominator),
    Rule("where(c, a, 0) = 1[c] a", ("where",), _indicator),
    Rule("not (a < b)", ("logical_not",), _opposite),
    Rule("(a/b) c", ("mul",), _share_last),
    Rule("s A", ("einsum",), _scaled, "s a scalar"),
    Rule("sqrt' = 1/(2 sqrt)", ("dsqrt",), lambda node: build("reciprocal", 2.0 * node.args[0])),
    Rule("x^c", ("power",), _power, "roots, squares, 1/x"),
    Rule("(a/b)/c", ("div",), _quotient_over),
    Rule("(c a) (d b)", ("mul",), _constants_together),
    Rule("darctan2", ("darctan2",), _angle),
    Rule("(1/x)^2", ("square",), _square_of_quotient),
    *(r for r in COMPILER if r.name not in _LEFT_OUT),
]


_TABLE = Rules(RULES)


def tidy(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for every node reached.

    >>> from symgrad.emit.latex import latex
    >>> from symgrad.frontend.declare import symbols
    >>> x, y = (t.node for t in symbols("x y"))
    >>> latex(tidy([(x / y) / y])[(x / y) / y])
    '\\\\frac{x}{y^{2}}'
    """
    return rewrite(nodes, _TABLE)
