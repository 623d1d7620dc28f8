"""Carry rounding errors beside values where a sum may cancel: for code only, never for a derivation.

A value that feeds a sum of unknown sign, or a function that magnifies its argument's error, is accompanied by
the error of its rounding (exact for + - * and, to first order, / and sqrt); sums and functions put it back. What
a formula loses by cancellation of rounded terms is so regained, as if its arithmetic had twice the digits. A
sum of inputs alone is correctly rounded anyway and stays as it is.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import sympy as sp

from symgrad.ir.node import Node, build, constant, rebuild
from symgrad.ir.walk import topological
from symgrad.ops import errorfree
from symgrad.ops.numerals import from_double
from symgrad.ops.registry import partial
from symgrad.passes.rewrite import rewrite, value
from symgrad.passes.rules_number import is_power_of_two
from symgrad.passes.rules_removable import VALUE_RULES

# Functions that are not smooth, or that keep what errors there are: all others magnify their argument's error.
_KINKS = ["sign", "floor", "ceil", "round", "trunc", "mod", "maximum", "minimum", "clip", "relu", "prelu", "gate"]
_STEPS = ["relu_slope", "dmaximum", "dminimum", "dclip"]
FLAT = frozenset([*_KINKS, *_STEPS, *(row.name for row in errorfree.TABLE)])
# Arithmetic whose error is known.
_EXACT_OPS = ["add", "sub", "mul", "neg", "square", "zmul", "abs", "where"]
ARITHMETIC = frozenset([*_EXACT_OPS, "div", "reciprocal", "zdiv", "sqrt", "dsqrt", "hypot", "sigmoid"])
_SLOPES = ["sigmoid_slope", "tanh_slope"]
_POSITIVE = frozenset(
    ["exp", "exp2", "square", "sqrt", "abs", "cosh", "hypot", "sigmoid", "softplus", "gaussian", "relu", *_SLOPES]
)
_LARGEST = 500  # nodes; beyond it speed and length count more than the last digits


def compensate(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for every node reached, where the graph is a formula of scalars; else nothing changes."""
    given = topological(outputs)
    if len(given) > _LARGEST or not _is_formula(given):
        return {node: node for node in given}
    better = rewrite(outputs, VALUE_RULES)
    order = topological(better[n] for n in outputs)
    wanted = _wanted(order)
    values: dict[Node, Node] = {}
    errors: dict[Node, Node | None] = {}
    for node in order:
        values[node], errors[node] = _with_error(node, values, errors, node in wanted)
    return {node: values[better[node]] for node in given if better[node] in values}


def _is_formula(order: list[Node]) -> bool:
    """Whether everything is a scalar, or an element of one and the same shape."""
    element_wise = all(n.op.kind in ("leaf", "elementwise", "identity") or n.op.name == "broadcast" for n in order)
    return element_wise and len({n.shape for n in order if n.shape}) <= 1


def _wanted(order: list[Node]) -> set[Node]:
    """The nodes whose error somebody uses."""
    signs = _signs(order)
    wanted: set[Node] = set()
    for node in reversed(order):
        name = node.op.name
        cancels = name in ("add", "sub") and _may_cancel(node, signs)
        if _magnifies(node) or cancels or (node in wanted and name in ARITHMETIC):
            wanted.update(a for a in node.args if a.op.name in ARITHMETIC)
    return wanted


def _signs(order: list[Node]) -> dict[Node, int]:
    """1 for what cannot be negative, -1 for what cannot be positive, 0 where nothing is known."""
    signs: dict[Node, int] = {}
    for node in order:
        given = [signs[a] for a in node.args]
        name, number = node.op.name, value(node)
        if number is not None:
            signs[node] = (number > 0) - (number < 0)
        elif name in _POSITIVE:
            signs[node] = 1
        elif name in ("mul", "div"):
            signs[node] = given[0] * given[1]
        elif name == "add":
            signs[node] = given[0] if given[0] == given[1] else 0
        elif name == "sub":
            signs[node] = given[0] if given[0] == -given[1] else 0
        elif name in ("neg", "reciprocal"):
            signs[node] = -given[0] if name == "neg" else given[0]
        else:
            signs[node] = 0
    return signs


def _may_cancel(node: Node, signs: dict[Node, int]) -> bool:
    a, b = (signs[x] for x in node.args)
    return a == 0 or a != (b if node.op.name == "add" else -b)


def _with_error(node: Node, values: dict, errors: dict, wanted: bool) -> tuple[Node, Node | None]:
    """(the value with what its arguments left behind put back, what it leaves behind itself)."""
    args = tuple(values[a] for a in node.args)
    tails = tuple(errors[a] for a in node.args)
    plain = rebuild(node, args)
    rule = _RULES.get(node.op.name)
    if rule is None or node.dtype != "real":
        return _through_slope(plain, args, tails), None
    if not wanted and not any(tails):
        return plain, None
    own, inherited = rule(plain, args, tails)
    if inherited is None:
        return plain, own if wanted else None
    total = inherited if own is None else own + inherited
    if not wanted:
        return build("corrected", plain, total), None
    return build("corrected", plain, total), build("correction_error", plain, total)


def _magnifies(node: Node) -> bool:
    """Whether the function's relative error may be its argument's times a large factor."""
    row = node.op.row
    return (
        row is not None
        and row.partials is not None
        and row.result == "real"
        and node.op.name not in FLAT
        and (node.op.name not in ARITHMETIC or node.op.name == "sigmoid")
    )


def _through_slope(plain: Node, args: tuple[Node, ...], tails: tuple) -> Node:
    """f(x + e) = f(x) + f'(x) e."""
    if not _magnifies(plain) or not (any(tails) or plain.op.name == "power"):
        return plain
    total = None
    if plain.op.name == "power":
        tails = (tails[0], _literal_error(args[1], tails[1]))
    for i, e in enumerate(tails):
        slope = partial(plain, i) if e is not None else None
        if slope is not None:
            term = slope * e
            total = term if total is None else total + term
    return plain if total is None else build("corrected", plain, total)


Parts = tuple[Node | None, Node | None]  # the rounding error of the operation itself, and what comes from its arguments


def _plus(x: Node | None, y: Node | None) -> Node | None:
    return y if x is None else x if y is None else x + y


def _times(x: Node, e: Node | None) -> Node | None:
    return None if e is None else x * e


def _minus(e: Node | None) -> Node | None:
    return None if e is None else -e


def _add(y: Node, args: tuple, tails: tuple) -> Parts:
    return build("sum_error", *args), _plus(*tails)


def _sub(y: Node, args: tuple, tails: tuple) -> Parts:
    return build("sum_error", args[0], -args[1]), _plus(tails[0], _minus(tails[1]))


def _exact(x: Node) -> bool:
    number = value(x)
    return number is not None and is_power_of_two(number)


@functools.cache
def _beyond(number: float) -> float:
    """What a literal means minus its double: of pi, 1/3 or 0.1 as they are written."""
    if not math.isfinite(number) or number == int(number):
        return 0.0
    meant = from_double(number)
    if isinstance(meant, sp.Float):
        return float(Fraction(repr(number)) - Fraction(number))
    return float(sp.N(meant - sp.Rational(*number.as_integer_ratio()), 20))


def _literal_error(x: Node, known: Node | None) -> Node | None:
    """The error of a factor that is a literal: scales (pi/180, 1/3, 0.1) are meant exactly."""
    number = value(x)
    if known is not None or number is None:
        return known
    rest = _beyond(number)
    return constant(rest) if rest else None


def _mul(y: Node, args: tuple, tails: tuple) -> Parts:
    a, b = args
    own = None if _exact(a) or _exact(b) else build("product_error", a, b)
    return own, _plus(_times(b, _literal_error(a, tails[0])), _times(a, _literal_error(b, tails[1])))


def _square(y: Node, args: tuple, tails: tuple) -> Parts:
    (a,) = args
    return build("product_error", a, a), _times(constant(2.0) * a, tails[0])


def _div(y: Node, args: tuple, tails: tuple) -> Parts:
    a, b = args
    own = None if _exact(b) else build("quotient_error", a, b, y)
    inherited = _plus(_literal_error(a, tails[0]), _minus(_times(y, _literal_error(b, tails[1]))))
    return own, None if inherited is None else inherited / b


def _reciprocal(y: Node, args: tuple, tails: tuple) -> Parts:
    return _div(y, (constant(1.0), *args), (None, *tails))


def _sqrt(y: Node, args: tuple, tails: tuple) -> Parts:
    inherited = None if tails[0] is None else tails[0] / (constant(2.0) * y)
    return build("sqrt_error", args[0], y), inherited


def _hypot(y: Node, args: tuple, tails: tuple) -> Parts:
    a, b = args
    own = build("hypot_error", a, b, y)
    inherited = _plus(_times(a, tails[0]), _times(b, tails[1]))
    return own, None if inherited is None else inherited / y


def _sigmoid(y: Node, args: tuple, tails: tuple) -> Parts:
    return build("sigmoid_error", args[0], y), _times(build("sigmoid_slope", args[0]), tails[0])


def _dsqrt(y: Node, args: tuple, tails: tuple) -> Parts:
    """1/(2 r) of a root r > 0."""
    return _div(y, (constant(0.5), build("abs", args[0])), (None, _times(build("sign", args[0]), tails[0])))


def _neg(y: Node, args: tuple, tails: tuple) -> Parts:
    return None, _minus(tails[0])


def _abs(y: Node, args: tuple, tails: tuple) -> Parts:
    return None, _times(build("sign", args[0]), tails[0])


def _where(y: Node, args: tuple, tails: tuple) -> Parts:
    zero = constant(0.0)
    if tails[1] is None and tails[2] is None:
        return None, None
    return None, build("where", args[0], zero if tails[1] is None else tails[1], zero if tails[2] is None else tails[2])


_RULES: dict[str, Callable[[Node, tuple, tuple], Parts]] = {
    "add": _add, "sub": _sub, "mul": _mul, "square": _square, "div": _div, "reciprocal": _reciprocal, "sqrt": _sqrt,
    "dsqrt": _dsqrt, "zmul": _mul, "zdiv": _div, "hypot": _hypot, "sigmoid": _sigmoid, "neg": _neg, "abs": _abs,
    "where": _where,
}  # fmt: skip
