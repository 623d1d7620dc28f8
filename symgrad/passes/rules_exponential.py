"""Stable forms around exp and log: log-sum-exp and its family, expm1, log1p, the logistic functions.

Each rule is an identity of real functions on the whole domain of the original; where the two sides differ in
floating point, the right one keeps digits, or a finite value, that the left one loses.
"""

from __future__ import annotations

import math

from symgrad.ir.node import Node, build, constant
from symgrad.ops.reduce import kept
from symgrad.passes.rewrite import Rule, either, has_value, minus, value


def exp_of(x: Node) -> Node | None:
    """u, where x is e^u (1/e^u is e^-u)."""
    if x.op.name == "exp":
        return x.args[0]
    if x.op.name == "reciprocal" and x.args[0].op.name == "exp":
        return negated(x.args[0].args[0])
    return None


def negated(x: Node) -> Node:
    """-x; two signs cancel."""
    number = value(x)
    if number is not None:
        return constant(-number)
    if x.op.name == "sub":
        return x.args[1] - x.args[0]
    if x.op.name in ("mul", "div") and value(x.args[0]) is not None:
        return build(x.op.name, negated(x.args[0]), x.args[1])
    return x.args[0] if x.op.name == "neg" else -x


def opposite(a: Node, b: Node) -> bool:
    """Whether b is written as -a."""
    return negated(a) is b or negated(b) is a


def plus_one(x: Node) -> Node | None:
    """u, where x is 1 + u."""
    found = either(x, lambda a: has_value(a, 1.0)) if x.op.name == "add" else None
    return found[1] if found else None


def one_minus(x: Node) -> Node | None:
    """u, where x is 1 - u."""
    pair = minus(x)
    return pair[1] if pair and has_value(pair[0], 1.0) else None


def _e_to_the(node: Node) -> Node | None:
    base, exponent = node.args
    return build("exp", exponent) if has_value(base, math.e) else None


def _log_of_sum(node: Node) -> Node | None:
    (x,) = node.args
    if x.op.name != "add":
        return None
    exponents = [exp_of(a) for a in x.args]
    if all(e is not None for e in exponents):
        return build("logaddexp", *exponents)  # type: ignore[arg-type]
    u = plus_one(x)
    if u is None:
        return None
    inner = exp_of(u)
    return build("softplus", inner) if inner is not None else build("log1p", u)


def _log_of_difference(node: Node) -> Node | None:
    (x,) = node.args
    u = one_minus(x)
    if u is None:
        return None
    inner = exp_of(u)
    return build("log1mexp", negated(inner)) if inner is not None else build("log1p", negated(u))


def _log1p_of(node: Node) -> Node | None:
    (x,) = node.args
    inner = exp_of(x)
    if inner is not None:
        return build("softplus", inner)
    inner = exp_of(x.args[0]) if x.op.name == "neg" else None
    return build("log1mexp", negated(inner)) if inner is not None else None


def _log_of_known(node: Node) -> Node | None:
    (x,) = node.args
    names = {"sigmoid": "log_sigmoid", "cosh": "logcosh", "softmax": "log_softmax"}
    if x.op.name in names:
        return build(names[x.op.name], *x.args, **x.params)
    if x.op.name == "sum" and x.args[0].op.name == "exp":
        return build("logsumexp", x.args[0].args[0], axes=x["axes"])
    return x.args[0] if x.op.name == "exp" else None


def _log_of_expm1(node: Node) -> Node | None:
    """log(1 - e^-u), where 1 - e^-u already is -expm1(-u)."""
    (x,) = node.args
    inner = x.args[0] if x.op.name == "neg" and x.args[0].op.name == "expm1" else None
    return build("log1mexp", negated(inner.args[0])) if inner is not None else None


def _log_of_quotient(node: Node) -> Node | None:
    """log((1 + u)/(1 - u)) = 2 artanh(u): both sides are real for |u| < 1 only."""
    (x,) = node.args
    if x.op.name != "div":
        return None
    above, below = x.args
    for top, bottom, sign in ((above, below, 2.0), (below, above, -2.0)):
        u = plus_one(top)
        if u is not None and one_minus(bottom) is u:
            return constant(sign) * build("arctanh", u)
    return None


def _exp_of_log(node: Node) -> Node | None:
    (x,) = node.args
    if x.op.name == "log_softmax":
        return build("softmax", *x.args, **x.params)
    return build("sigmoid", *x.args) if x.op.name == "log_sigmoid" else None


def _softmax(node: Node) -> Node | None:
    """exp(x)/sum(exp(x)) along axes that stay as length 1."""
    above, below = node.args
    total = below.args[0] if below.op.name in ("reshape", "broadcast") else below
    if above.op.name != "exp" or total.op.name != "sum" or total.args[0] is not above:
        return None
    spread = below.args[0].shape if below.op.name == "broadcast" else below.shape
    if kept(above.shape, total["axes"]) != spread and total.shape:
        return None
    return build("softmax", above.args[0], axes=total["axes"])


def _minus_one(node: Node) -> Node | None:
    """e^x - 1 and 1 - e^x."""
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if has_value(b, 1.0):
        x = exp_of(a)
        return None if x is None else build("expm1", x)
    x = exp_of(b) if has_value(a, 1.0) else None
    return None if x is None else -build("expm1", x)


def _sinh(node: Node) -> Node | None:
    """e^x - e^-x = 2 sinh x."""
    x, y = (exp_of(a) for a in node.args)
    if x is None or y is None or not opposite(x, y):
        return None
    if x.op.name == "neg":
        return -(constant(2.0) * build("sinh", y))
    return constant(2.0) * build("sinh", x)


def _cosh(node: Node) -> Node | None:
    """e^x + e^-x = 2 cosh x; with 2 taken away 4 sinh(x/2)^2."""
    x, y = (exp_of(a) for a in node.args)
    if x is None or y is None or not opposite(x, y):
        return None
    return constant(2.0) * build("cosh", y if x.op.name == "neg" else x)


def _cosh_minus_one(node: Node) -> Node | None:
    """(e^x - 2) + e^-x, cosh x - 1, 1 - cosh x and 2 cosh x - 2 through sinh(x/2)."""
    pair = minus(node)
    if pair is None:
        return None
    a, b = pair
    if b.op.name == "cosh" and has_value(a, 1.0):
        return constant(-2.0) * build("square", build("sinh", constant(0.5) * b.args[0]))
    for outer, c in ((4.0, 2.0), (2.0, 1.0)):
        inner = a if c == 1.0 else a.args[1] if a.op.name == "mul" and has_value(a.args[0], 2.0) else None
        if inner is not None and inner.op.name == "cosh" and has_value(b, c):
            return constant(outer) * build("square", build("sinh", constant(0.5) * inner.args[0]))
    return None


def _exp_around(node: Node) -> Node | None:
    """(e^x - c) + e^-x = (e^x + e^-x) - c: the exponentials meet."""
    for a, b in (node.args, tuple(reversed(node.args))):
        pair = minus(a)
        x, y = exp_of(b), exp_of(pair[0]) if pair else None
        if pair and x is not None and y is not None and value(pair[1]) is not None and opposite(x, y):
            return (pair[0] + b) - pair[1]
    return None


def _x_log_x(node: Node) -> Node | None:
    """x ln x, with its limit 0 at 0."""
    a, b = node.args
    for x, y in ((a, b), (b, a)):
        if y.op.name == "log" and y.args[0] is x:
            return build("xlogy", x, x)
    return None


def _times_log_of_known(node: Node) -> Node | None:
    """x ln y with y a sigmoid or a softmax: the logarithm is finite, so that 0 times it is 0 as well."""
    factor, y = node.args
    names = {"sigmoid": "log_sigmoid", "softmax": "log_softmax"}
    return factor * build(names[y.op.name], *y.args, **y.params) if y.op.name in names else None


SUMS = ("add", "sub")


RULES = [
    Rule("e^x", ("power",), _e_to_the, "the double nearest to e stands for e"),
    Rule(
        "ln(e^a + e^b)", ("log",), _log_of_sum, "logaddexp, softplus; ln(1 + x) = log1p(x): no digits lost in the sum"
    ),
    Rule("ln(1 - x)", ("log",), _log_of_difference, "log1p(-x); ln(1 - e^-x) = log1mexp(x)"),
    Rule("ln(1 - e^-x)", ("log",), _log_of_expm1),
    Rule("log1p(e^x)", ("log1p",), _log1p_of, "softplus: no overflow"),
    Rule("ln of a known function", ("log",), _log_of_known, "sigmoid, cosh, softmax, sum exp: no overflow, no ln 0"),
    Rule("ln((1+x)/(1-x))", ("log",), _log_of_quotient, "2 artanh x, real for |x| < 1 as is the original"),
    Rule("e^(ln f)", ("exp",), _exp_of_log),
    Rule("softmax", ("div",), _softmax, "e^x over its sum: no overflow"),
    Rule("e^x - 1", SUMS, _minus_one, "expm1"),
    Rule("e^x - e^-x", ("sub",), _sinh, "2 sinh x"),
    Rule("e^x - c + e^-x", ("add",), _exp_around, "the exponentials meet"),
    Rule("e^x + e^-x", ("add",), _cosh, "2 cosh x"),
    Rule("cosh x - 1", SUMS, _cosh_minus_one, "2 sinh(x/2)^2"),
    Rule("x ln x", ("mul",), _x_log_x, "0 at 0"),
    Rule("x ln of a sigmoid or softmax", ("xlogy",), _times_log_of_known, "finite where the function rounds to 0"),
]
