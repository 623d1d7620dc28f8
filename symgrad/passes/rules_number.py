"""Simplification of numbers: folding where nothing is rounded, and one constant in place of two."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.passes.rewrite import Rule, either, value

_LARGEST = 2.0**53
_DEEP = 4  # factors of a product that are searched for a constant
_MODEST = 2.0**20  # a factor up to it, or down to its inverse, may move past another one: only the range's ends differ


def number(like: Node, x: float) -> Node:
    """A constant of the kind of ``like``."""
    return constant(x, like.dtype)


def is_power_of_two(x: float) -> bool:
    """Whether products with x are exact (short of overflow)."""
    return x != 0 and math.isfinite(x) and abs(math.frexp(x)[0]) == 0.5


def is_plain(x: float) -> bool:
    """A number that a reader writes out: folding it hides nothing (pi or 0.3 stay as they are)."""
    return math.isfinite(x) and abs(x) < _LARGEST and float(x) * 1024 == int(float(x) * 1024)


_EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}


def exactly(op: str, a: float, b: float) -> float | None:
    """a op b where no rounding is needed; None otherwise."""
    if not (math.isfinite(a) and math.isfinite(b)) or (op == "div" and b == 0):
        return None
    exact = _EXACT[op](Fraction(a), Fraction(b))
    if abs(exact) >= 2**1000 or (exact and abs(exact) < Fraction(1, 2**1000)) or Fraction(float(exact)) != exact:
        return None
    return float(exact)


def _fold(node: Node) -> Node | None:
    if node.type.rank or not all(is_constant(a) for a in node.args):
        return None
    a, b = (n["value"] for n in node.args)
    if not (is_plain(a) and is_plain(b)):
        return None
    folded = exactly(node.op.name, a, b)
    return None if folded is None else number(node, folded)


def _fold_unary(node: Node) -> Node | None:
    (x,) = node.args
    if not is_constant(x) or not is_plain(x["value"]):
        return None
    if node.op.name in ("sqrt", "reciprocal"):
        return _fold_inverse(node, x["value"])
    after = number(node, {"neg": lambda v: -v, "abs": abs, "square": lambda v: v * v}[node.op.name](x["value"]))
    return after if is_plain(after["value"]) else None


def _fold_inverse(node: Node, x: float) -> Node | None:
    if node.op.name == "sqrt":
        root = math.sqrt(x) if x >= 0 else math.nan
        return number(node, root) if root * root == x and is_plain(root) else None
    return number(node, 1.0 / x) if is_power_of_two(x) else None


def _negate_constant(node: Node) -> Node | None:
    (x,) = node.args
    return number(node, -x["value"]) if is_constant(x) and math.isfinite(x["value"]) else None


def _merge(node: Node) -> Node | None:
    """c (d x), (x/d) c, (d x)/c: one constant where the product or quotient of the two is exact."""
    op = node.op.name
    found = (node.args[1], node.args[0]) if op == "div" else either(node, lambda a: value(a) is not None)
    c = value(found[0]) if found else None
    if found is None or c is None or not math.isfinite(c) or c == 0 or node.dtype != "real":
        return None
    return _absorb(found[1], c, op, _DEEP)


def _absorb(x: Node, c: float, op: str, depth: int) -> Node | None:
    """x with its constant factor changed by c, where there is one and the result is exact."""
    name = x.op.name
    if name == "neg":
        inner = _absorb(x.args[0], c, op, depth)
        return None if inner is None else -inner
    if name not in ("mul", "div") or depth == 0 or not (depth == _DEEP or _is_modest(c)):
        return None
    a, b = x.args
    for i, (factor, other) in enumerate(((a, b), (b, a))):
        d = value(factor)
        if d is None:
            continue
        if depth < _DEEP and not _is_modest(d):
            return None
        return _combine(other, (c, d), op, "factor" if name == "mul" else "above" if i == 0 else "below")
    inner = _absorb(a, c, op, depth - 1)
    if inner is not None:
        return build(name, inner, b)
    inner = _absorb(b, c, op, depth - 1) if name == "mul" else None
    return None if inner is None else a * inner


def _is_modest(c: float) -> bool:
    return 1 / _MODEST <= abs(c) <= _MODEST


def _combine(other: Node, numbers: tuple[float, float], op: str, place: str) -> Node | None:
    """c op' d on ``other``: d was a factor, a numerator ("above") or a divisor ("below")."""
    c, d = numbers
    if place == "below" and d == 0.0:  # the sign of an infinity hangs on it
        return None
    if place == "below":
        ratio = exactly("mul" if op == "div" else "div", c, d)
        if ratio is not None:
            return other / ratio if op == "div" else ratio * other
        inverse = exactly("div", d, c) if op == "mul" else None
        return None if inverse is None else other / inverse
    inverse = exactly("div", c, d) if op == "div" and place == "factor" else None
    if inverse is not None and inverse.is_integer():
        return other / inverse
    merged = exactly(op, d, c)
    if merged is None:
        return None
    return build("div", constant(merged), other) if place == "above" else merged * other


def _coefficient_first(node: Node) -> Node | None:
    """a (c b) = c (a b) for c a power of two."""
    a, b = node.args
    if value(a) is not None or value(b) is not None:
        return None
    for x, other, left in ((b, a, False), (a, b, True)):
        if x.op.name == "mul" and not left:
            c = value(x.args[0])
            if c is not None and is_power_of_two(c) and 1 <= abs(c) <= _MODEST:
                return x.args[0] * (other * x.args[1])
    return None


RULES = [
    Rule("numbers", ("add", "sub", "mul", "div"), _fold, "of plain numbers, where no rounding is needed"),
    Rule(
        "functions of numbers",
        ("neg", "abs", "square", "sqrt", "reciprocal"),
        _fold_unary,
        "where no rounding is needed",
    ),
    Rule("-(c)", ("neg",), _negate_constant),
    Rule("c (d x) = (c d) x", ("mul", "div"), _merge, "where c d or c/d is exact; one rounding less"),
    Rule("a (c b) = c (a b)", ("mul",), _coefficient_first, "c a power of two"),
]
