"""Quotients and differences that are 0/0, or lose every digit, where the value is ordinary; powers near 1."""

from __future__ import annotations

import math

from symgrad.ir.node import Node, build, constant
from symgrad.ops.registry import zmul
from symgrad.passes.polynomial import as_node, polynomial, without_one
from symgrad.passes.rewrite import Rule, either, has_value, minus, value
from symgrad.passes.rules_exponential import negated

_RATIOS = {"sin": "sin_ratio", "sinh": "sinh_ratio"}


def _ratio(node: Node) -> Node | None:
    """sin(x)/x and sinh(x)/x, also with a factor beside the function."""
    above, below = node.args
    if above.op.name in _RATIOS and above.args[0] is below:
        return build(_RATIOS[above.op.name], below)
    if above.op.name != "mul":
        return None
    found = either(above, lambda a: a.op.name in _RATIOS and a.args[0] is below)
    return None if found is None else build(_RATIOS[found[0].op.name], below) * found[1]


def _factors(x: Node) -> list[Node]:
    """The factors of a product, squares twice, to a small depth; a divisor is no factor."""
    found, stack = [], [(x, 4)]
    while stack:
        node, depth = stack.pop()
        if depth and node.op.name == "mul":
            stack.extend((a, depth - 1) for a in reversed(node.args))
        elif depth and node.op.name == "square":
            stack.extend([(node.args[0], depth - 1)] * 2)
        elif depth and node.op.name == "neg":
            found.append(constant(-1.0))
            stack.append((node.args[0], depth - 1))
        else:
            found.append(node)
    return found


def _hyperbolic_ratio(node: Node) -> Node | None:
    """a/tanh(v), a/sinh(v) and a/sinh(v)^2, where a and v share factors: (a/v) v/tanh(v), and a/v cancels.

    Where v has other factors this is for small v; beyond it, v may overflow where v/tanh(v) does not.
    """
    above, below = node.args
    squared = below.op.name == "square"
    function = below.args[0] if squared else below
    ratio = {"tanh": "coth_ratio", "sinh": "csch_ratio"}.get(function.op.name)
    if ratio is None:
        return None
    over, under = _factors(above), _factors(function.args[0]) * (2 if squared else 1)
    shared = [x for x in dict.fromkeys(under) if x in over and value(x) is None]
    if not shared:
        return None
    for x in shared:
        for _ in range(min(over.count(x), under.count(x))):
            over.remove(x)
            under.remove(x)
    known = build(ratio, *function.args)
    known = build("square", known) if squared else known
    if not under:
        return _times(over) * known
    near = build("abs", *function.args) < constant(1.0)
    far = build("where", near, constant(0.0), above) / below
    return build("where", near, _times(over) / _times(under) * known, far)


def _times(factors: list[Node]) -> Node:
    total = factors[0] if factors else constant(1.0)
    for x in factors[1:]:
        total = total * x
    return total


def _log_near_one(node: Node) -> Node | None:
    """ln of a polynomial in e^u that is 1 where e^u is 1: log1p(q expm1 u)."""
    p = polynomial(node.args[0])
    for atom in dict.fromkeys(a for m in p for a, power in m if a.op.name == "exp" and power == 1):
        q = without_one(p, atom)
        rest = None if q is None else as_node(q)
        if rest is not None:
            return build("log1p", rest * build("expm1", *atom.args))
    return None


def _half_angle_ratio(node: Node) -> Node | None:
    """2 sin(x/2)^2 / x^2 = sin_ratio(x/2)^2 / 2."""
    above, below = node.args
    if above.op.name != "mul" or below.op.name != "square" or not has_value(above.args[0], 2.0):
        return None
    half = constant(0.5) * below.args[0]
    if above.args[1] is not build("square", build("sin", half)):
        return None
    return constant(0.5) * build("square", build("sin_ratio", half))


def _deficit(node: Node) -> Node | None:
    """x - sin x, tan x - x, 1/x - 1/tan x, and their negatives."""
    pair = minus(node)
    if pair is None:
        return None
    for a, b, sign in ((*pair, 1), (pair[1], pair[0], -1)):
        name, x = None, a
        if b.op.name == "sin" and b.args[0] is a:
            name = "sin_deficit"
        elif a.op.name == "tan" and a.args[0] is b:
            name, x = "tan_excess", b
        elif b.op.name == "reciprocal" and b.args[0].op.name == "tan" and a is build("reciprocal", b.args[0].args[0]):
            name, x = "cot_deficit", a.args[0]
        if name is not None:
            found = build(name, x)
            return found if sign == 1 else -found
    return None


def number(node: Node) -> float | None:
    """The value of a constant, also written as a product, quotient or negative of constants."""
    plain = value(node)
    if plain is not None:
        return plain
    if node.op.name in ("mul", "div") and all(value(a) is not None for a in node.args):
        a, b = (value(x) for x in node.args)
        return a * b if node.op.name == "mul" else a / b if b else None  # type: ignore[operator]
    return -value(node.args[0]) if node.op.name == "neg" and value(node.args[0]) is not None else None  # type: ignore[operator]


def _is_quarter_turn(node: Node) -> bool:
    return number(node) == math.pi / 4


def _log_tan(node: Node) -> Node | None:
    """ln tan(pi/4 + x/2) = arsinh(tan x), the inverse Gudermannian, where the tangent is positive."""
    (tangent,) = node.args
    if tangent.op.name != "tan":
        return None
    angle, half = tangent.args[0], None
    if angle.op.name == "add":
        found = either(angle, _is_quarter_turn)
        half = found[1] if found else None
    elif angle.op.name == "sub" and _is_quarter_turn(angle.args[0]):
        half = negated(angle.args[1])
    if half is None:
        return None
    exact = build("arcsinh", build("tan", constant(2.0) * half))
    return build("where", tangent > constant(0.0), exact, constant(math.nan))


def _power_of_exp(node: Node) -> Node | None:
    """(e^u)^p = e^(u p), where 0 times anything is 0, as any number to the 0 and 1 to any number are 1 (C99)."""
    base, p = node.args
    return build("exp", zmul(base.args[0], p)) if base.op.name == "exp" else None


def _power_minus_one(node: Node) -> Node | None:
    """(1 + u)^p - 1 = expm1(p log1p(u)) while the exponent is below 1, and 1 - (1 + u)^p."""
    pair = minus(node)
    if pair is None:
        return None
    if has_value(pair[0], 1.0):
        turned = _power_minus_one(pair[1] - pair[0])
        return None if turned is None else -turned
    if pair[0].op.name != "power" or not has_value(pair[1], 1.0):
        return None
    base, p = pair[0].args
    found = either(base, lambda a: has_value(a, 1.0)) if base.op.name == "add" else None
    if found is None:
        return None
    exponent = p * build("log1p", found[1])
    near, zero = build("abs", exponent) < constant(1.0), constant(0.0)
    far = build("where", near, constant(1.0), pair[0]) - constant(1.0)
    return build("where", near, build("expm1", build("where", near, exponent, zero)), far)


RULES = [
    Rule("sin(x)/x, sinh(x)/x", ("div",), _ratio, "1 at 0, with a slope that does not cancel"),
    Rule("a/tanh(v), a/sinh(v)", ("div",), _hyperbolic_ratio, "v/tanh v is 1 at 0; what a and v share cancels"),
    Rule("ln(1 + q (e^u - 1))", ("log",), _log_near_one, "log1p(q expm1 u), whichever way it is multiplied out"),
    Rule("(1 - cos x)/x^2", ("div",), _half_angle_ratio, "1/2 at 0"),
    Rule("x - sin x, tan x - x, 1/x - 1/tan x", ("sub",), _deficit, "power series near 0"),
    Rule("ln tan(pi/4 + x/2)", ("log",), _log_tan, "arsinh(tan x) where the tangent is positive"),
    Rule("(e^u)^p", ("power",), _power_of_exp, "no overflow of e^u"),
    Rule("(1 + u)^p - 1", ("add", "sub"), _power_minus_one, "expm1(p log1p u) where it is small"),
]


def _arctan_minus_quarter(node: Node) -> Node | None:
    """arctan u - pi/4 = atan2(u - 1, u + 1)."""
    pair = minus(node)
    if pair is None or pair[0].op.name != "arctan" or not _is_quarter_turn(pair[1]):
        return None
    (u,), one = pair[0].args, constant(1.0)
    above = build("expm1", *u.args) if u.op.name == "exp" else u - one
    return build("arctan2", above, u + one)


def _exp_difference(node: Node) -> Node | None:
    """e^a - e^b = e^b expm1(a - b) where the two are near."""
    a, b = node.args
    if a.op.name != "exp" or b.op.name != "exp":
        return None
    h = a.args[0] - b.args[0]
    near, zero = build("abs", h) < constant(1.0), constant(0.0)
    return build("where", near, b * build("expm1", h), build("where", near, zero, a) - b)


_LARGEST_EXPONENT = 700  # e^700 is finite, and so is any product of factors whose exponents have this sum


def _exp_of_logs(node: Node) -> Node | None:
    """e^(r + p ln q) = q^p e^r while no factor overflows: a power keeps what p ln q rounds away."""
    terms = _terms(node.args[0])
    powers = [(t, *parts) for t in terms if (parts := _p_log_q(t)) is not None][:3]
    if not powers or len(terms) == len(powers) == 1:
        return None
    logs = [t for t, _, _ in powers]
    rest = [t for t in terms if t not in logs]
    total = rest[0] if rest else constant(0.0)
    for t in rest[1:]:
        total = total + t
    limit = constant(float(_LARGEST_EXPONENT // (len(powers) + 1)))
    product, safe = build("exp", total), build("abs", total) < limit
    for t, p, q in powers:
        product, safe = build("power", q, p) * product, build("logical_and", safe, build("abs", t) < limit)
    return build("where", safe, product, build("exp", build("where", safe, constant(0.0), node.args[0])))


def _terms(x: Node) -> list[Node]:
    """The terms of a sum, signs in the terms, to a small depth."""
    found, stack = [], [(x, False, 5)]
    while stack:
        node, negative, depth = stack.pop()
        if depth and node.op.name in ("add", "sub"):
            a, b = node.args
            stack.extend([(b, negative != (node.op.name == "sub"), depth - 1), (a, negative, depth - 1)])
        elif depth and node.op.name == "neg":
            stack.append((node.args[0], not negative, depth - 1))
        else:
            found.append(-node if negative else node)
    return found


def _p_log_q(term: Node) -> tuple[Node, Node] | None:
    """(p, q), where the term is p ln q."""
    if term.op.name == "neg":
        inner = _p_log_q(term.args[0])
        return None if inner is None else (-inner[0], inner[1])
    if term.op.name == "log":
        return constant(1.0), term.args[0]
    if term.op.name == "xlogy":
        return term.args[0], term.args[1]
    found = either(term, lambda a: a.op.name == "log") if term.op.name == "mul" else None
    return (found[1], found[0].args[0]) if found else None


# For values only, once everything is differentiated: the left side has the better derivative.
VALUE_RULES = [
    Rule("arctan u - pi/4", ("sub",), _arctan_minus_quarter, "atan2(u - 1, u + 1)"),
    Rule("e^(r + p ln q)", ("exp",), _exp_of_logs, "q^p e^r"),
    Rule("e^a - e^b", ("sub",), _exp_difference, "e^b expm1(a - b) where the two are near"),
]
