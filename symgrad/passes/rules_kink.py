"""Spellings of functions with a kink, so that each has the one derivative there: max(x, -x) = |x|, x + |x| = 2 relu(x).

In: sums, extremes and clips of arguments that depend on each other. Out: the function of one argument where it is
known, else nested maxima and minima, whose ties are weighed by ``ops.tie``.
"""

from __future__ import annotations

import itertools

from symgrad.ir.node import Node, build, constant
from symgrad.ops.shape import reshape
from symgrad.ops.tie import are_dependent
from symgrad.passes.rewrite import Rule, either, split, value
from symgrad.passes.simplify import simplify

_MOST_PIECES = 4


def _are_opposite(a: Node, b: Node) -> bool:
    """b = -a, as far as it shows."""
    if a.op.name == "sub" and b.op.name == "sub":
        return a.args == b.args[::-1]
    if a.op.name == b.op.name == "mul" and a.args[1] is b.args[1]:
        p, q = value(a.args[0]), value(b.args[0])
        return p is not None and q is not None and p == -q
    return a in split(b, "neg") or b in split(a, "neg")


def _extreme_of_opposites(node: Node) -> Node | None:
    a, b = node.args
    if node.dtype != "real" or not _are_opposite(a, b):
        return None
    magnitude = build("abs", a)
    return magnitude if node.op.name == "maximum" else -magnitude


def _halves(node: Node) -> tuple[Node, float, float]:
    """(x, p, q), where the node is p max(x, 0) + q max(-x, 0); any x is itself with p = 1, q = -1."""
    scale = 1.0
    while node.op.name in ("neg", "mul", "div"):
        factor = -1.0 if node.op.name == "neg" else value(node.args[0 if node.op.name == "mul" else 1])
        if factor is None or factor == 0:
            break
        scale = scale / factor if node.op.name == "div" else scale * factor
        node = node.args[1 if node.op.name == "mul" else 0]
    found = either(node, lambda a: value(a) == 0) if node.op.name == "minimum" else None
    if node.op.name in ("abs", "relu"):
        (x,), p, q = node.args, scale, scale if node.op.name == "abs" else 0.0
    elif found:
        x, p, q = found[1], 0.0, -scale
    else:
        return node, scale, -scale
    return (x.args[0], q, p) if x.op.name == "neg" else (x, p, q)


def _two_halves(node: Node) -> Node | None:
    """A sum of two of x, |x|, max(x, 0), min(x, 0), where it is one of them."""
    (x, p, q), (other, r, s) = (_halves(a) for a in node.args)
    if (p == -q and r == -s) or not (x is other or _are_opposite(x, other)):
        return None
    if x is not other:
        r, s = s, r
    sign = 1.0 if node.op.name == "add" else -1.0
    p, q = p + sign * r, q + sign * s
    if p == q == 0.0:
        return None
    if p == -q:
        return _scaled(p, x)
    if p == q:
        return _scaled(p, build("abs", x))
    return _scaled(p, build("relu", x)) if q == 0 else _scaled(q, build("relu", -x)) if p == 0 else None


def _scaled(c: float, x: Node) -> Node:
    return x if c == 1.0 else constant(c) * x


def _both_extremes(node: Node) -> Node | None:
    """max(a, b) + min(a, b) = a + b."""
    p, q = node.args
    if {p.op.name, q.op.name} != {"maximum", "minimum"} or set(p.args) != set(q.args) or node.dtype != "real":
        return None
    return p.args[0] + p.args[1]


def _dependent_clip(node: Node) -> Node | None:
    """A clip at bounds that depend on what is clipped."""
    x, lo, hi = node.args
    if not (are_dependent(x, lo) or are_dependent(x, hi)):
        return None
    return build("minimum", build("maximum", x, lo), hi)


def _extreme_of_pieces(node: Node) -> Node | None:
    """The largest of a few joined pieces that depend on each other: nested maxima."""
    (joined,), axes = node.args, node["axes"]
    if joined.op.name != "concatenate" or axes != (joined["axis"],) or len(joined.args) > _MOST_PIECES:
        return None
    if any(p.shape[axes[0]] != 1 for p in joined.args):
        return None
    narrow = [reshape(p, node.shape) for p in joined.args]
    simple = simplify(narrow)
    pieces = [simple[p] for p in narrow]
    if not any(are_dependent(p, q) for p, q in itertools.combinations(pieces, 2)):
        return None
    result = pieces[0]
    for piece in pieces[1:]:
        result = build("maximum" if node.op.name == "max_reduce" else "minimum", result, piece)
    return result


RULES = [
    Rule("max(x, -x) = |x|", ("maximum", "minimum"), _extreme_of_opposites),
    Rule("x + |x| = 2 max(x, 0)", ("add", "sub"), _two_halves, "and so on; 0 also where x is -inf"),
    Rule("max(a, b) + min(a, b) = a + b", ("add",), _both_extremes),
    Rule("clip at dependent bounds", ("clip",), _dependent_clip, "min(max(x, lo), hi)"),
    Rule("max of dependent pieces", ("max_reduce", "min_reduce"), _extreme_of_pieces, "nested maxima"),
]
