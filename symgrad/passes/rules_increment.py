"""Differences f(a) - f(b) where a - b is known without rounding: x + 1 and x, n and n + h.

The right sides hold no cancellation but that of h = a - b, which is taken symbolically. They are the addition
theorems (DLMF 4.21, 4.24), the conjugates of roots and the quotients of powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from symgrad.ir.node import Node, build, constant
from symgrad.passes.polynomial import difference
from symgrad.passes.rewrite import Rule, either, minus, value
from symgrad.passes.rules_exponential import negated

Increment = Callable[[Node, Node, Node], Node]  # (a, b, h) with h = a - b


def _f(name: str, *xs: Node) -> Node:
    return build(name, *xs)


def _half_sum(a: Node, b: Node, h: Node) -> Node:
    """(a + b)/2 = b + h/2."""
    return constant(0.5) * (a + b)


def _sin(a: Node, b: Node, h: Node) -> Node:
    """2 cos((a+b)/2) sin(h/2)."""
    return constant(2.0) * (_f("cos", _half_sum(a, b, h)) * _f("sin", constant(0.5) * h))


def _cos(a: Node, b: Node, h: Node) -> Node:
    """-2 sin((a+b)/2) sin(h/2)."""
    return constant(-2.0) * (_f("sin", _half_sum(a, b, h)) * _f("sin", constant(0.5) * h))


def _tan(a: Node, b: Node, h: Node) -> Node:
    return _f("sin", h) / (_f("cos", a) * _f("cos", b))


def _arctan(a: Node, b: Node, h: Node) -> Node:
    """The angle between (1, a) and (1, b), exact on all four quadrants."""
    return _f("arctan2", h, constant(1.0) + a * b)


def _sqrt(a: Node, b: Node, h: Node) -> Node:
    return h / (_f("sqrt", a) + _f("sqrt", b))


def _cbrt(a: Node, b: Node, h: Node) -> Node:
    p, q = _f("cbrt", a), _f("cbrt", b)
    return h / ((_f("square", p) + p * q) + _f("square", q))


def _log(a: Node, b: Node, h: Node) -> Node:
    """log1p(h/b) where b >= 0; elsewhere ln b is NaN."""
    return build("where", b >= constant(0.0), _f("log1p", h / b), constant(math.nan))


def _exp(a: Node, b: Node, h: Node) -> Node:
    return _f("exp", b) * _f("expm1", h)


def _reciprocal(a: Node, b: Node, h: Node) -> Node:
    return -(h / a / b)


def _square(a: Node, b: Node, h: Node) -> Node:
    return h * (a + b)


def _dsqrt(a: Node, b: Node, h: Node) -> Node:
    """1/(2a) - 1/(2b) of roots a, b >= 0."""
    return -(constant(0.5) * h / a / b)


def _dlog(a: Node, b: Node, h: Node) -> Node:
    """1/a - 1/b where both are positive, NaN elsewhere as dlog is."""
    return -(h * _f("dlog", a) * _f("dlog", b))


INCREMENTS: dict[str, Increment] = {
    "sin": _sin, "cos": _cos, "tan": _tan, "arctan": _arctan, "sqrt": _sqrt, "cbrt": _cbrt, "log": _log, "exp": _exp,
    "reciprocal": _reciprocal, "square": _square, "dsqrt": _dsqrt, "dlog": _dlog,
}  # fmt: skip
_NESTED = ("sqrt", "cbrt", "reciprocal", "square", "log")  # these may be the inner function too: 1/sqrt(a) - 1/sqrt(b)


def known_difference(a: Node, b: Node) -> Node | None:
    """a - b without cancellation: of polynomials, and of one function of two of them."""
    h = difference(a, b)
    if h is not None or a.op is not b.op:
        return h
    if a.op.name in _NESTED:
        inner = difference(a.args[0], b.args[0])
        return None if inner is None or value(inner) == 0 else INCREMENTS[a.op.name](a.args[0], b.args[0], inner)
    return None


def _difference(node: Node) -> Node | None:
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if "log1p" in (a.op.name, b.op.name):
        return _logs(a, b)
    if a.op is not b.op:
        return None
    if a.op.name == "power":
        return _powers(a, b)
    if a.op.name == "div":
        return _quotients(a, b)
    if a.op.name == "mul":
        return _common_factor(a, b)
    if a.op.name not in INCREMENTS:
        return None
    h = known_difference(a.args[0], b.args[0])
    return None if h is None or value(h) == 0 else INCREMENTS[a.op.name](a.args[0], b.args[0], h)


def _logs(a: Node, b: Node) -> Node | None:
    """ln(1 + u) - ln v, where ln(1 + u) already is log1p(u)."""
    inner = [
        x.args[0] if x.op.name == "log" else constant(1.0) + x.args[0] for x in (a, b) if x.op.name in ("log", "log1p")
    ]
    h = known_difference(*inner) if len(inner) == 2 else None
    return None if h is None or value(h) == 0 else _log(inner[0], inner[1], h)


def _quotients(a: Node, b: Node) -> Node | None:
    """c/x - c/y = c (y - x)/x/y."""
    if a.args[0] is not b.args[0]:
        return None
    h = known_difference(b.args[1], a.args[1])
    return None if h is None or value(h) == 0 else a.args[0] * h / a.args[1] / b.args[1]


def _common_factor(a: Node, b: Node) -> Node | None:
    """c f(x) - c f(y) with f(x) - f(y) known; also the cubes x x^2 - y y^2."""
    if a.args[0] is b.args[0] and a.args[1].op is b.args[1].op and value(a.args[0]) is not None:
        inner = _difference(a.args[1] - b.args[1])
        return None if inner is None else a.args[0] * inner
    x, y = a.args[0], b.args[0]
    if a.args[1] is _f("square", x) and b.args[1] is _f("square", y):
        h = known_difference(x, y)
        return None if h is None or value(h) == 0 else h * ((_f("square", x) + x * y) + _f("square", y))
    return None


def _powers(a: Node, b: Node) -> Node | None:
    """x^c - y^c = y^c expm1(c log1p(h/y)) where the two are near."""
    (x, c), (y, d) = a.args, b.args
    h = known_difference(x, y) if c is d else None
    if h is None or value(h) == 0:
        return None
    exponent = c * _f("log1p", h / y)
    near, zero = _f("abs", exponent) < constant(1.0), constant(0.0)
    grown = b * _f("expm1", build("where", near, exponent, zero))
    return build("where", near, grown, build("where", near, zero, a) - build("where", near, zero, b))


def _collapse(node: Node) -> Node | None:
    """(1 + x) - x = 1, ((x + y) + z) - (x + y) = z: one term is left of a sum that holds others."""
    pair = minus(node)
    if pair is None or value(pair[1]) is not None:
        return None
    left = difference(*pair)
    return left if left is not None and left.op.name not in ("add", "sub") and value(left) != 0 else None


def _conjugate(node: Node) -> Node | None:
    """u + sqrt(w), u - sqrt(w), sqrt(w) - u."""
    if node.op.name == "add":
        found = either(node, lambda a: a.op.name == "sqrt")
        return _meet(found[1], found[0]) if found else None
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if b.op.name == "sqrt":
        met = _meet(negated(a), b)
        return None if met is None else -met
    return _meet(negated(b), a) if a.op.name == "sqrt" else None


def _meet(u: Node, root: Node) -> Node | None:
    """u + root as it stands where u >= 0, else (w - u^2)/(root - u), if w - u^2 is shorter than w."""
    (w,) = root.args
    rest = difference(w, _f("square", u))
    if rest is None or rest.op.name in ("add", "sub") or value(w) is not None:
        return None
    if value(u) is not None:
        return rest / (negated(u) + root) if value(u) < 0 else None  # type: ignore[operator]
    opposed = u < constant(0.0)
    total = build("where", opposed, negated(u), u) + root
    return build("where", opposed, rest / total, total)


SUMS = ("add", "sub", "neg")
RULES = [
    Rule("f(b + h) - f(b)", SUMS, _difference, "addition theorems; h is exact"),
    Rule("u + sqrt(u^2 + h)", ("add", "sub"), _conjugate, "the conjugate h/(sqrt - u) where the signs differ"),
    Rule("(x + h) - x = h", SUMS, _collapse),
]
