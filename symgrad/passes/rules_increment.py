"""Differences f(a) - f(b) where a - b is known without rounding: x + 1 and x, n and n + h.

The right sides hold no cancellation but that of h = a - b, which is taken symbolically.
"""

from __future__ import annotations

import math

from symgrad.ir.node import Node, build, constant
from symgrad.passes.increments import (
    HUGE,
    THEOREMS,
    Step,
    chosen,
    increment,
    is_below_half,
    is_finite,
    mixed_squares,
)
from symgrad.passes.polynomial import difference, polynomial
from symgrad.passes.rewrite import Rule, either, minus, value
from symgrad.passes.rules_exponential import negated


def _f(name: str, *xs: Node) -> Node:
    return build(name, *xs)


_ROOTS = ("sqrt", "cbrt")
_NESTED = (*_ROOTS, "reciprocal", "square", "log")  # these may be the inner function too: 1/sqrt(a) - 1/sqrt(b)


def known_step(a: Node, b: Node) -> Step | None:
    """a - b without cancellation, not 0: of polynomials, and of one function of two of them."""
    h = difference(a, b)
    if h is not None:
        return None if value(h) == 0 else Step(h, value(h) is not None)
    if a.op is not b.op or a.op.name not in _NESTED:
        return None
    x, y = a.args[0], b.args[0]
    inner = difference(x, y)
    if inner is None or value(inner) == 0:
        return None
    fixed = value(inner) is not None
    return Step(increment(a, b, (x, y), Step(inner, fixed)), fixed and a.op.name in _ROOTS)


def _difference(node: Node) -> Node | None:
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if "log1p" in (a.op.name, b.op.name):
        return _logs(a, b)
    if a.op is not b.op:
        return None
    if a.op.name in _PAIRS:
        return _PAIRS[a.op.name](a, b)
    if a.op.name not in THEOREMS or (a.op.name == "dsqrt" and not _of_roots(a, b)):
        return None
    inner = a.args[0], b.args[0]
    step = known_step(*inner)
    return None if step is None else increment(a, b, inner, step)


def _of_roots(a: Node, b: Node) -> bool:
    return a.args[0].op.name == b.args[0].op.name == "sqrt"


def _logs(a: Node, b: Node) -> Node | None:
    """ln(1 + u) - ln v, where ln(1 + u) already is log1p(u)."""
    inner = [
        x.args[0] if x.op.name == "log" else constant(1.0) + x.args[0] for x in (a, b) if x.op.name in ("log", "log1p")
    ]
    step = known_step(*inner) if len(inner) == 2 else None
    return None if step is None else increment(a, b, (inner[0], inner[1]), step)


def _quotients(a: Node, b: Node) -> Node | None:
    """c/x - c/y = c (y - x)/x/y."""
    (c, x), (d, y) = a.args, b.args
    step = known_step(y, x) if c is d else None
    if step is None:
        return None
    if step.bounded and (value(c) is not None or value(step.h) in (1.0, -1.0)):
        return c * step.h / x / y
    return chosen(is_below_half(step.h, y), c * (step.h / y) / x, a, b)


def _common_factor(a: Node, b: Node) -> Node | None:
    """c f(x) - c f(y) with f(x) - f(y) known; also the cubes x x^2 - y y^2."""
    if a.args[0] is b.args[0] and a.args[1].op is b.args[1].op and value(a.args[0]) is not None:
        inner = _difference(a.args[1] - b.args[1])
        return None if inner is None else a.args[0] * inner
    x, y = a.args[0], b.args[0]
    step = known_step(x, y) if a.args[1] is _f("square", x) and b.args[1] is _f("square", y) else None
    if step is None:
        return None
    total = mixed_squares(x, y)
    new = step.h * total
    return new if step.bounded else chosen(total < constant(math.inf), new, a, b)


def _powers(a: Node, b: Node) -> Node | None:
    """x^c - y^c = y^c expm1(c log1p(h/y)) where the two powers are near, and h/y has a slope."""
    (x, c), (y, d) = a.args, b.args
    step = known_step(x, y) if c is d else None
    if step is None:
        return None
    exponent = c * _f("log1p", step.h / y)
    close, small = _f("abs", exponent) < constant(1.0), _f("abs", step.h) < constant(HUGE) * _f("abs", y)
    near, zero = _f("logical_and", close, small), constant(0.0)
    grown = b * _f("expm1", build("where", near, exponent, zero))
    return chosen(near, grown, a, b)


_PAIRS = {"power": _powers, "div": _quotients, "mul": _common_factor}


def _collapse(node: Node) -> Node | None:
    """(1 + x) - x = 1 + 0 x, ((x + y) + z) - (x + y) = z + 0 (x + y): one term is left of a sum that holds others.

    0 x is 0, but NaN where x is infinite or NaN, as the difference is.
    """
    pair = minus(node)
    if pair is None or value(pair[1]) is not None:
        return None
    left = difference(*pair)
    if left is None or left.op.name in ("add", "sub") or value(left) == 0:
        return None
    shared = min(reversed(pair), key=lambda x: len(polynomial(x)))
    return left + constant(0.0) * shared


def _conjugate(node: Node) -> Node | None:
    """u + sqrt(w), u - sqrt(w), sqrt(w) - u."""
    if node.op.name == "add":
        found = either(node, _is_root)
        return _meet(found[1], found[0]) if found else None
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if _is_root(b):
        met = _meet(negated(a), b)
        return None if met is None else -met
    return _meet(negated(b), a) if _is_root(a) else None


def _is_root(x: Node) -> bool:
    return x.op.name in ("sqrt", "hypot")


def _meet(u: Node, root: Node) -> Node | None:
    """u + root where u >= 0, else (root^2 - u^2)/(root - u), if root^2 - u^2 is shorter than root^2.

    Where the root overflows, or the difference of the squares is 0, nothing is gained; it stays as it stands.
    """
    q = _other_leg(u, root) if root.op.name == "hypot" else None
    rest = q if root.op.name == "hypot" else difference(root.args[0], _f("square", u))
    number = value(u)
    if rest is None or rest.op.name in ("add", "sub") or value(root.args[0]) is not None:
        return None

    def over(total: Node) -> Node:
        return rest / total if q is None else q * (q / total)

    if number is not None:
        return build("where", is_finite(rest), over(negated(u) + root), root) if number < 0 else None
    opposed, zero = u < constant(0.0), constant(0.0)
    total = build("where", opposed, negated(u), u) + root
    usable = build("logical_and", opposed, total < constant(math.inf))
    if q is None and value(rest) is None:
        usable = build("logical_and", usable, _f("not_equal", rest, zero))
    return build("where", usable, over(total), build("where", usable, zero, u) + root)


def _other_leg(u: Node, root: Node) -> Node | None:
    """q, where the root is hypot(u, q)."""
    for p, q in (root.args, root.args[::-1]):
        if p is u or p is negated(u):
            return q
    return None


RULES = [
    Rule("f(b + h) - f(b)", ("sub",), _difference, "addition theorems; h is exact"),
    Rule("u + sqrt(u^2 + h)", ("add", "sub"), _conjugate, "the conjugate h/(sqrt - u) where the signs differ"),
    Rule("(x + h) - x = h", ("sub",), _collapse, "with 0 x, which is NaN where x is no number"),
]
