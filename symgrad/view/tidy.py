"""Local formulas in the form that a person writes, before they are printed.

In: nodes of one step. Out: old -> new. The compiler's rules, save that a sum keeps the order in which it was written
(-y/a + (1-y)/(1-a)), and with guards taken off and quotients gathered: g (1/x) is g/x, (a/b)/b is a/b^2. What
is printed needs no guard; the rules here change no value where that is finite.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, build, constant
from symgrad.ops.leaf import cast
from symgrad.ops.shape import broadcast, transpose
from symgrad.passes.rewrite import Rule, Rules, rewrite, value
from symgrad.passes.simplify import RULES as COMPILER
from symgrad.view import diagonals, factors, matrices, terms
from symgrad.view.monomials import forget

_LEFT_OUT = (
    *("a + (-b) = a - b", "a - (-b) = a + b"),  # signs stay where they are
    "x^c",  # x^3 stays a power
    "transpose of transpose",
)


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


def _nan_case(node: Node) -> Node | None:
    """What holds of every number, x = x, is said for NaN only."""
    c, a, _ = node.args
    return a if c.op.name == "equal" and c.args[0] is c.args[1] else None


def _share_last(node: Node) -> Node | None:
    """(a/b) c = (a c)/b."""
    a, b = node.args
    if a.op.name == "div":
        return build("div", a.args[0] * b, a.args[1])
    plain = value(a) is not None and b.op.name == "div" and value(b.args[1]) is not None
    return build("div", a * b.args[0], b.args[1]) if b.op.name == "div" and not plain else None


def _scaled(node: Node) -> Node | None:
    """A contraction with a scalar is a product."""
    a, b = node.args
    return None if a.shape and b.shape else a * b


def _power(node: Node) -> Node | None:
    base, exponent = node.args
    if exponent.op.name != "constant" or exponent.shape:
        return None
    forms = {0.5: "sqrt", 2.0: "square", -1.0: "reciprocal"}
    if exponent["value"] in (0.0, 1.0):
        return base if exponent["value"] else constant(1.0)
    name = forms.get(exponent["value"])
    return build(name, base) if name else None


def _slope_of_power(node: Node) -> Node:
    """y x^(y - 1) and x^y ln x."""
    x, y = node.args
    return y * x ** (y - 1.0) if node.op.name == "dpower_dx" else x**y * build("log", x)


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


def _turned_twice(node: Node) -> Node | None:
    """(x^T)^T = x; a contraction keeps its operands, so that what has a name is read by its name."""
    (x,), perm = node.args, node["perm"]
    if perm == tuple(range(len(perm))):
        return x
    if x.op.name == "transpose":
        return transpose(x.args[0], tuple(x["perm"][i] for i in perm))
    return broadcast(x.args[0], node.shape) if x.op.name == "broadcast" and not x.args[0].shape else None


def _named(*names: str) -> list[Rule]:
    """Rules of the compiler, by name."""
    found = [r for r in COMPILER if r.name in names]
    assert len(found) == len(names), names
    return found


_GUARDS = [
    Rule("no guard", ("zmul", "zdiv", "dxlogy"), _unguarded, "a guard is a matter of code"),
    Rule("ln' = 1/x", ("dlog",), lambda node: build("reciprocal", node.args[0]), "its domain is a matter of code"),
]
_ALWAYS = [
    Rule("s A", ("einsum",), _scaled, "s a scalar"),
    Rule("x^c", ("power",), _power, "roots, squares, 1/x"),
    Rule("transpose of transpose", ("transpose",), _turned_twice),
    Rule("sum of sum", ("sum",), sum_of_sum),
    Rule("a if x = x", ("where",), _nan_case, "how NaN travels is a matter of code"),
    *terms.RULES,
    *diagonals.RULES,
    *matrices.RULES,
    *factors.SUMS,
]
# All that is changed in what the user wrote: noise goes, like terms come together, the structure stays
WRITTEN = Rules(
    [
        *_GUARDS,
        *_named(
            *("reshape of reshape", "broadcast of broadcast", "cast of cast", "a constant's kind is known", "numbers"),
            *("functions of numbers", "-(c)", "x + 0 = x", "x 1 = x", "x - 0 = x", "x/1 = x", "0 - x = -x"),
            *("-(-x) = x", "x (-1) = -x", "where of a constant", "not not c = c", "einsum of transpose"),
        ),
        Rule("a - (-b)", ("sub",), _added),
        Rule("a + (-b)", ("add",), _subtracted),
        *_ALWAYS,
    ]
)
RULES = [
    *_GUARDS,
    Rule("a + (-b)", ("add",), _subtracted, "a leading minus stays"),
    Rule("a - (-b)", ("sub",), _added),
    Rule("-(-a + b)", ("neg",), _leading_minus),
    Rule("a/c + b/c", ("add", "sub"), _common_denominator),
    Rule("where(c, a, 0) = 1[c] a", ("where",), _indicator),
    Rule("not (a < b)", ("logical_not",), lambda node: factors.opposite(node.args[0])),
    Rule("(a/b) c", ("mul",), _share_last),
    Rule("sqrt' = 1/(2 sqrt)", ("dsqrt",), lambda node: build("reciprocal", 2.0 * node.args[0])),
    Rule("(a/b)/c", ("div",), _quotient_over),
    Rule("a/(b/c)", ("div",), terms.no_fraction_below),
    Rule("(c a) (d b)", ("mul",), _constants_together),
    Rule("(x^y)'", ("dpower_dx", "dpower_dy"), _slope_of_power),
    Rule("darctan2", ("darctan2",), _angle),
    Rule("(1/x)^2", ("square",), _square_of_quotient),
    *(r for r in COMPILER if r.name not in _LEFT_OUT),
    *_ALWAYS,
    *factors.RULES,
]


_TABLE = Rules(RULES)


_UPSTREAM_FIRST = Rules([*RULES, factors.UPSTREAM])


def upstream_first(node: Node) -> Node:
    """The node with a cotangent that all its terms have in common in front of them."""
    return _rewritten([node], _UPSTREAM_FIRST)[node]


def as_written(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for what the user wrote: without noise, like terms together."""
    return _rewritten(nodes, WRITTEN)


def _rewritten(nodes: Sequence[Node], rules: Rules) -> dict[Node, Node]:
    try:
        return rewrite(nodes, rules)
    finally:
        forget()


def tidy(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for every node reached.

    >>> from symgrad.emit.latex import latex
    >>> from symgrad.frontend.declare import symbols
    >>> x, y = (t.node for t in symbols("x y"))
    >>> latex(tidy([(x / y) / y])[(x / y) / y])
    '\\\\frac{x}{y^{2}}'
    """
    return _rewritten(nodes, _TABLE)
