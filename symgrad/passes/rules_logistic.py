"""Stable forms of the logistic functions: sigmoid, softplus, tanh and what is 1 minus them."""

from __future__ import annotations

from symgrad.ir.node import Node, build, constant
from symgrad.passes.rewrite import Rule, split, value
from symgrad.passes.rules_exponential import exp_of, negated, one_minus, opposite, plus_one


def _sigmoid(node: Node) -> Node | None:
    """1/(1 + e^-x)."""
    u = plus_one(node.args[0])
    x = exp_of(u) if u is not None else None
    return None if x is None else build("sigmoid", negated(x))


def _scaled_sigmoid(node: Node) -> Node | None:
    """c/(1 + e^-x), e^x/(1 + e^x), e^x/(e^x - 1), (e^x - 1)/(e^x + 1) = tanh(x/2), (e^x - 1)/x."""
    above, below = node.args
    x = exp_of(above)
    u = plus_one(below)
    y = exp_of(u) if u is not None else None
    if y is not None and above.op.name == "expm1" and above.args[0] is y:
        return build("tanh", constant(0.5) * y)
    if y is not None:
        return build("sigmoid", y) if x is y else above * build("sigmoid", negated(y))
    if x is not None and below.op.name == "expm1" and below.args[0] is x:
        return build("geometric", x)
    if above.op.name == "expm1" and above.args[0] is below:
        return build("exprel", below)
    return None


def _tanh(node: Node) -> Node | None:
    """sinh/cosh, also (2 sinh)/(2 cosh)."""
    above, below = node.args
    if above.op.name == below.op.name == "mul" and above.args[0] is below.args[0] and value(above.args[0]) is not None:
        above, below = above.args[1], below.args[1]
    if above.op.name == "sinh" and below.op.name == "cosh" and above.args == below.args:
        return build("tanh", *above.args)
    return None


def _one_minus_known(node: Node) -> Node | None:
    """1 - sigmoid(x) = sigmoid(-x), 1 - tanh x = 2 sigmoid(-2x), 1 - erf = erfc, 1 - tanh(x)^2 = 1/cosh(x)^2."""
    u = one_minus(node)
    if u is None:
        return None
    if u.op.name == "sigmoid":
        return build("sigmoid", negated(u.args[0]))
    if u.op.name == "tanh":
        return constant(2.0) * build("sigmoid", constant(-2.0) * u.args[0])
    if u.op.name in ("erf", "erfc"):
        return build("erfc" if u.op.name == "erf" else "erf", *u.args)
    inner = split(u, "square")
    return build("tanh_slope", *inner[0].args) if inner and inner[0].op.name == "tanh" else None


def _sigmoid_slope(node: Node) -> Node | None:
    """s(x) s(-x)."""
    a, b = node.args
    both = a.op.name == "sigmoid" and b.op.name == "sigmoid"
    if not both or not opposite(a.args[0], b.args[0]):
        return None
    return build("sigmoid_slope", b.args[0] if a.args[0].op.name == "neg" else a.args[0])


def _softplus_in_parts(node: Node) -> Node | None:
    """max(0, x) + log1p(e^-|x|), also with something taken from max(0, x) first."""
    for a, b in (node.args, node.args[::-1]):
        if b.op.name != "softplus" or b.args[0].op.name != "neg" or b.args[0].args[0].op.name != "abs":
            continue
        (x,) = b.args[0].args[0].args
        rest = a.args[1] if a.op.name == "sub" else None
        first = a.args[0] if rest is not None else a
        if first.op.name == "relu" and first.args[0] is x:
            whole = build("softplus", x)
            return whole if rest is None else whole - rest
    return None


def _logistic_loss(node: Node) -> Node | None:
    """softplus(x) - x t."""
    a, b = node.args
    if a.op.name != "softplus" or b.op.name != "mul" or a.args[0] not in b.args:
        return None
    (x,) = a.args
    return build("logistic_loss", x, b.args[1] if b.args[0] is x else b.args[0])


RULES = [
    Rule("ln(1 + e^x) - x t", ("sub",), _logistic_loss, "binary cross-entropy of a logit: no digits lost where t is 1"),
    Rule("max(0, x) + ln(1 + e^-|x|)", ("add",), _softplus_in_parts, "softplus: smooth at 0, as the parts are not"),
    Rule("1/(1 + e^-x)", ("reciprocal",), _sigmoid, "no overflow in the slope"),
    Rule(
        "e^x/(1 + e^x)",
        ("div",),
        _scaled_sigmoid,
        "sigmoid; e^x/(e^x - 1) = 1/(1 - e^-x); tanh x/2; (e^x - 1)/x = exprel x",
    ),
    Rule("sinh x/cosh x", ("div",), _tanh, "tanh x"),
    Rule("1 - sigmoid, tanh, tanh^2, erf", ("sub", "neg"), _one_minus_known, "no digits lost where the function is 1"),
    Rule("sigmoid(x) sigmoid(-x)", ("mul",), _sigmoid_slope),
]
