"""Simplification of choices: constant conditions, and the spellings of one function with a kink, so that all
spellings have one derivative there (relu'(0) = 0, leaky_relu'(0) = alpha, clip' = 0 at both bounds)."""

from __future__ import annotations

from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.passes.rewrite import Rule, either, has_value, value


def _where(node: Node) -> Node | None:
    c, a, b = node.args
    if is_constant(c):
        return a if c["value"] else b
    if a is b:
        return a
    return build("where", c.args[0], b, a) if c.op.name == "logical_not" else None


def _logic(node: Node) -> Node | None:
    found = either(node, lambda a: is_constant(a))
    if found is None:
        return node.args[0] if node.args[0] is node.args[1] else None
    truth = bool(found[0]["value"])
    return found[1] if truth == (node.op.name == "logical_and") else constant(truth)


def _not(node: Node) -> Node | None:
    (x,) = node.args
    if x.op.name == "logical_not":
        return x.args[0]
    return constant(not x["value"]) if is_constant(x) else None


def _compare(node: Node) -> Node | None:
    a, b = node.args
    if not (is_constant(a) and is_constant(b)):
        return None
    return constant(bool(node.op.row.reference(a["value"], b["value"])))


def _same(node: Node) -> Node | None:
    a, b = node.args
    return a if a is b else None


def _relu(node: Node) -> Node | None:
    found = either(node, lambda a: has_value(a, 0.0))
    return build("relu", found[1]) if found and node.dtype == "real" else None


def _leaky(node: Node) -> Node | None:
    """max(alpha x, x) for 0 < alpha < 1."""
    for x, scaled in (node.args, tuple(reversed(node.args))):
        if scaled.op.name == "mul" and x in scaled.args:
            alpha = scaled.args[0] if scaled.args[1] is x else scaled.args[1]
            a = value(alpha)
            if a is not None and 0 < a < 1:
                return build("prelu", x, constant(a))
        if scaled.op.name == "div" and scaled.args[0] is x:
            a = value(scaled.args[1])
            if a is not None and a > 1:
                return build("prelu", x, constant(1.0 / a))
    return None


def _clip(node: Node) -> Node | None:
    """min(max(x, lo), hi) and max(min(x, hi), lo) for numbers lo <= hi."""
    found = either(node, lambda a: value(a) is not None)
    if found is None or node.dtype != "real":
        return None
    outer, inner = found
    if inner.op.name == "relu" and node.op.name == "minimum":
        return _clipped(inner.args[0], constant(0.0), outer)
    other = "maximum" if node.op.name == "minimum" else "minimum"
    bound = either(inner, lambda a: value(a) is not None) if inner.op.name == other else None
    if bound is None:
        return None
    lo, hi = (bound[0], outer) if other == "maximum" else (outer, bound[0])
    return _clipped(bound[1], lo, hi)


def _clipped(x: Node, lo: Node, hi: Node) -> Node | None:
    a, b = value(lo), value(hi)
    assert a is not None
    assert b is not None
    return build("clip", x, lo, hi) if a <= b else None


def _idempotent(node: Node) -> Node | None:
    (x,) = node.args
    return x if x.op is node.op else None


RULES = [
    Rule("where of a constant", ("where",), _where),
    Rule("logic of constants", ("logical_and", "logical_or"), _logic),
    Rule("not not c = c", ("logical_not",), _not),
    Rule("comparison of numbers", ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal"), _compare),
    Rule("max(x, x) = x", ("maximum", "minimum"), _same),
    Rule("clip", ("minimum", "maximum"), _clip, "min(max(x, lo), hi)"),
    Rule("relu", ("maximum",), _relu, "max(x, 0)"),
    Rule("leaky relu", ("maximum",), _leaky, "max(alpha x, x)"),
    Rule("f(f(x)) = f(x)", ("relu", "floor", "ceil", "round", "trunc", "sign", "relu_slope"), _idempotent),
]
