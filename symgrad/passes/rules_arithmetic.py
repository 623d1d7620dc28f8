"""Simplification of sums, products and powers.

Each rule keeps the value in IEEE arithmetic (the sign of a zero and the payload of a NaN apart) or rounds
once where the original rounds twice. x - x, 0*x and x/x stay: they are NaN where x is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from symgrad.ir.node import Node, build, constant, is_constant, rebuild
from symgrad.passes.rewrite import Rule, either, has_value, value
from symgrad.passes.rules_number import exactly, is_plain, number


def _neutral(op: str) -> Callable[[Node], Node | None]:
    """x + 0, 0 + x; x * 1, 1 * x."""
    neutral = 0.0 if op == "add" else 1.0

    def change(node: Node) -> Node | None:
        found = either(node, lambda a: has_value(a, neutral))
        return found[1] if found else None

    return change


def _right_neutral(op: str) -> Callable[[Node], Node | None]:
    neutral = 0.0 if op == "sub" else 1.0
    return lambda node: node.args[0] if has_value(node.args[1], neutral) else None


def _minus_from_zero(node: Node) -> Node | None:
    return -node.args[1] if has_value(node.args[0], 0.0) else None


def _double(node: Node) -> Node | None:
    a, b = node.args
    return number(node, 2.0) * a if a is b and not is_constant(a) else None


def _add_negative(node: Node) -> Node | None:
    a, b = node.args
    if b.op.name == "neg":
        return a - b.args[0]
    if a.op.name == "neg":
        return b - a.args[0]
    return None


def _subtract_negative(node: Node) -> Node | None:
    a, b = node.args
    if b.op.name == "neg":
        return a + b.args[0]
    if a.op.name == "neg":
        return -(a.args[0] + b)
    return None


def _times_minus_one(node: Node) -> Node | None:
    found = either(node, lambda a: has_value(a, -1.0))
    return -found[1] if found else None


def _sign_out(node: Node) -> Node | None:
    """(-a) b, a (-b), (-a)/b, a/(-b), and the same through ops that are odd in an argument."""
    for i in node.op.odd:
        if node.args[i].op.name == "neg":
            inner = [a.args[0] if j == i else a for j, a in enumerate(node.args)]
            return -rebuild(node, inner)
    return None


# Not through a contraction: z_bar = -(y - yhat) s stays the one thing that W_bar = a^T z_bar is made of.


def _sign_away(node: Node) -> Node | None:
    """f(-x) = f(x) for even f; f(|x|) = f(x) too."""
    (x,) = node.args
    if x.op.name == "neg" or (x.op.name == "abs" and node.op.name != "sinc"):
        return rebuild(node, x.args)
    return None


def _twice_negated(node: Node) -> Node | None:
    (x,) = node.args
    return x.args[0] if x.op.name == "neg" else None


def _square_of_square(node: Node) -> Node | None:
    (x,) = node.args
    return x if x.op.name == "square" else None


def _equal_factors(node: Node) -> Node | None:
    """x x is x^2, one node for both spellings."""
    a, b = node.args
    return build("square", a) if a is b and not is_constant(a) else None


def _three_factors(node: Node) -> Node | None:
    """x^2 x = x x^2, x (x x^2) = x^4: the spellings of a power are one node."""
    for a, b in (node.args, node.args[::-1]):
        if b.op.name == "mul" and b.args[0] is a and b.args[1] is build("square", a):
            return build("square", b.args[1])
    a, b = node.args
    return b * a if a.op.name == "square" and a.args[0] is b else None


def _like_terms(node: Node) -> Node | None:
    """c x + d x = (c + d) x for numbers of one sign whose sum is exact; x stands for 1 x."""
    (c, x), (d, y) = (_term(a) for a in node.args)
    if x is not y or is_constant(x) or node.dtype != "real" or not (c > 0 < d or c < 0 > d):
        return None
    total = exactly("add", c, d)
    return None if total is None else total * x


def _term(x: Node) -> tuple[float, Node]:
    """(c, x), where a node is c x and c a number that a reader writes out."""
    c = value(x.args[0]) if x.op.name == "mul" else None
    return (1.0, x) if c is None or not is_plain(c) else (c, x.args[1])


def _times_reciprocal(node: Node) -> Node | None:
    found = either(node, lambda a: a.op.name == "reciprocal")
    if found is None or value(found[1]) in (1.0, -1.0):
        return None
    return found[1] / found[0].args[0]


def _one_over(node: Node) -> Node | None:
    a, b = node.args
    return build("reciprocal", b) if has_value(a, 1.0) else None


def _over_reciprocal(node: Node) -> Node | None:
    a, b = node.args
    return a * b.args[0] if b.op.name == "reciprocal" else None


def _reciprocal_of_quotient(node: Node) -> Node | None:
    (x,) = node.args
    if x.op.name == "reciprocal":
        return x.args[0]
    return x.args[1] / x.args[0] if x.op.name == "div" else None


def _guarded_by_constant(node: Node) -> Node | None:
    """zmul(g, c) = c g and zdiv(g, c) = g/c for a finite c other than 0: nothing is left to guard."""
    a, b = node.args
    c = value(b)
    if c is not None and math.isfinite(c) and c != 0:
        return b * a if node.op.name == "zmul" else a / b
    c = value(a)
    if c is not None and math.isfinite(c) and c != 0:
        return a * b if node.op.name == "zmul" else a / b
    return None


def _square(x: Node) -> Node:
    return build("square", x)


_FORMS: dict[float, Callable[[Node], Node]] = {
    0.0: lambda x: constant(1.0),
    1.0: lambda x: x,
    2.0: _square,
    3.0: lambda x: x * _square(x),
    4.0: lambda x: _square(_square(x)),
    0.5: lambda x: build("sqrt", x),
    -0.5: lambda x: build("reciprocal", build("sqrt", x)),
}


def _constant_power(node: Node) -> Node | None:
    """x^c as products and roots; of 1/x where c < 0, since 1/x^2 loses what x^2 overflows, and its slope at 0."""
    base, exponent = node.args
    n = value(exponent)
    if n in _FORMS:
        return _FORMS[n](base)
    return _FORMS[-n](build("reciprocal", base)) if n is not None and -n in _FORMS else None


def _constant_power_slope(node: Node) -> Node | None:
    """d(x^c)/dx = c x^(c-1)."""
    base, exponent = node.args
    c = value(exponent)
    if c is None or not math.isfinite(c):
        return None
    if c == 0:
        return constant(0.0)
    return constant(c) * base ** constant(c - 1.0)


RULES = [
    Rule("x + 0 = x", ("add",), _neutral("add"), "the sign of 0 apart"),
    Rule("x 1 = x", ("mul",), _neutral("mul")),
    Rule("x - 0 = x", ("sub",), _right_neutral("sub")),
    Rule("x/1 = x", ("div",), _right_neutral("div")),
    Rule("0 - x = -x", ("sub",), _minus_from_zero, "the sign of 0 apart"),
    Rule("-(-x) = x", ("neg",), _twice_negated),
    Rule("x (-1) = -x", ("mul",), _times_minus_one),
    Rule("x + x = 2 x", ("add",), _double),
    Rule("a + (-b) = a - b", ("add",), _add_negative),
    Rule("a - (-b) = a + b", ("sub",), _subtract_negative),
    Rule("a (-b) = -(a b)", lambda op: bool(op.odd), _sign_out, "odd functions and linear maps"),
    Rule("f(-x) = f(x)", lambda op: "even" in op.traits, _sign_away, "even functions"),
    Rule("|x^2| = x^2", ("abs",), _square_of_square),
    Rule("x x = x^2", ("mul",), _equal_factors),
    Rule("x x x = x x^2", ("mul",), _three_factors, "x x x x = (x^2)^2: one rounding less"),
    Rule("c x + d x = (c + d) x", ("add",), _like_terms, "one rounding less"),
    Rule("1/x", ("div",), _one_over, "one node for both spellings"),
    Rule("a (1/b) = a/b", ("mul",), _times_reciprocal, "one rounding less"),
    Rule("a/(1/b) = a b", ("div",), _over_reciprocal, "one rounding less"),
    Rule("1/(a/b) = b/a", ("reciprocal",), _reciprocal_of_quotient, "one rounding less"),
    Rule("guarded by a constant", ("zmul", "zdiv"), _guarded_by_constant),
    Rule("x^c", ("power",), _constant_power, "c in 0, 1/2, 1, 2, 3, 4 and their negatives; the sign of 0 apart"),
    Rule("d(x^c)/dx = c x^(c-1)", ("dpower_dx",), _constant_power_slope, "the sign of 0 apart"),
]
