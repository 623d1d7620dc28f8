"""Stable forms of differences of trigonometric functions and of roots of squares."""

from __future__ import annotations

import math

from symgrad.ir.node import Node, build, constant
from symgrad.passes.rewrite import Rule, either, has_value, minus, value


def _one_minus_cos(node: Node) -> Node | None:
    """1 - cos x = 2 sin(x/2)^2, and cos x - 1."""
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if has_value(a, 1.0) and b.op.name == "cos":
        return constant(2.0) * _half(b)
    if has_value(b, 1.0) and a.op.name == "cos":
        return constant(-2.0) * _half(a)
    return None


def _half(cosine: Node) -> Node:
    return build("square", build("sin", constant(0.5) * cosine.args[0]))


def _doubled(node: Node) -> Node | None:
    """x, where the node is 2 sin(x/2)^2."""
    if node.op.name != "mul" or not has_value(node.args[0], 2.0) or node.args[1].op.name != "square":
        return None
    sine = node.args[1].args[0]
    if sine.op.name != "sin":
        return None
    half = sine.args[0]
    return half


def _tan_half(node: Node) -> Node | None:
    """(1 - cos x)/sin x = tan(x/2)."""
    above, below = node.args
    half = _doubled(above)
    if half is None or below.op.name != "sin" or constant(0.5) * below.args[0] is not half:
        return None
    return build("tan", half)


def _one_minus_square(node: Node) -> Node | None:
    """1 - sin^2 = cos^2 and 1 - cos^2 = sin^2."""
    pair = minus(node)
    if pair is None or not has_value(pair[0], 1.0) or pair[1].op.name != "square":
        return None
    inner = pair[1].args[0]
    other = {"sin": "cos", "cos": "sin"}.get(inner.op.name)
    return build("square", build(other, *inner.args)) if other else None


def _tan(node: Node) -> Node | None:
    """sin x/cos x."""
    above, below = node.args
    same = above.op.name == "sin" and below.op.name == "cos" and above.args == below.args
    return build("tan", *above.args) if same else None


def _root_of_squares(node: Node) -> Node | None:
    """sqrt(x^2 + y^2) = hypot(x, y), also with a square number; sqrt(x^2) = |x|."""
    (x,) = node.args
    if x.op.name == "square":
        return build("abs", *x.args)
    if x.op.name == "sum" and x.args[0].op.name == "square":
        return build("norm", *x.args[0].args, axes=x["axes"])
    if x.op.name != "add":
        return None
    a, b = x.args
    if a.op.name == "square" and b.op.name == "square":
        return build("hypot", *a.args, *b.args)
    found = either(x, lambda c: (value(c) or 0.0) > 0 and math.sqrt(value(c)).is_integer())  # type: ignore[arg-type]
    if found is None or found[1].op.name != "square":
        return None
    root = constant(math.sqrt(value(found[0])))  # type: ignore[arg-type]
    pair = (root, *found[1].args) if found[0] is a else (*found[1].args, root)
    return build("hypot", *pair)


RULES = [
    Rule("1 - cos x", ("add", "sub"), _one_minus_cos, "2 sin(x/2)^2"),
    Rule("(1 - cos x)/sin x", ("div",), _tan_half, "tan(x/2)"),
    Rule("1 - sin^2", ("sub", "neg"), _one_minus_square, "cos^2"),
    Rule("sin x/cos x", ("div",), _tan, "tan x"),
    Rule("sqrt(x^2 + y^2)", ("sqrt",), _root_of_squares, "hypot, norm: no overflow; sqrt(x^2) = |x|"),
]
