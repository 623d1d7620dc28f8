"""TABLE: f(b + h) - f(b) for each function with an addition theorem, and where the theorem holds its digits.

In: a, b and h = a - b, known without rounding. Out: the difference without cancellation; where the theorem
overflows, or is 0/0, or an argument is infinite, the difference as it was written. DLMF 4.21, 4.24; the conjugates
of roots and the quotients of powers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from symgrad.ir.node import Node, build, constant
from symgrad.passes.rewrite import value

HUGE = 1e30  # a ratio below it is no infinity, also in float32


@dataclass(frozen=True, slots=True)
class Step:
    """h = a - b. ``bounded``: a number, or what a root grows by when its argument grows by a number."""

    h: Node
    bounded: bool

    def reversed(self) -> Step:
        """b - a."""
        number = value(self.h)
        return Step(-self.h if number is None else constant(-number), self.bounded)


def _f(name: str, *xs: Node) -> Node:
    return build(name, *xs)


def is_finite(x: Node) -> Node:
    return _f("abs", x) < constant(math.inf)


def is_below_half(h: Node, b: Node) -> Node:
    """|h| < |b|/2: f(b + h) - f(b) cancels for the functions 1/x, and b + h is not near 0."""
    return _f("abs", h) < constant(0.5) * _f("abs", b)


def is_positive(total: Node) -> Node:
    """Whether a quotient by a sum of roots is neither 0/0 nor inf/inf."""
    return _f("logical_and", constant(0.0) < total, total < constant(math.inf))


def _middle(b: Node, h: Node) -> Node:
    """(a + b)/2, which does not overflow in this form."""
    return b + constant(0.5) * h


def _sin(a: Node, b: Node, h: Node) -> Node:
    """2 cos((a+b)/2) sin(h/2)."""
    return constant(2.0) * (_f("cos", _middle(b, h)) * _f("sin", constant(0.5) * h))


def _cos(a: Node, b: Node, h: Node) -> Node:
    """-2 sin((a+b)/2) sin(h/2)."""
    return constant(-2.0) * (_f("sin", _middle(b, h)) * _f("sin", constant(0.5) * h))


def _tan(a: Node, b: Node, h: Node) -> Node:
    return _f("sin", h) / (_f("cos", a) * _f("cos", b))


def _arctan(a: Node, b: Node, h: Node) -> Node:
    """The angle between (1, a) and (1, b), exact on all four quadrants."""
    return _f("arctan2", h, constant(1.0) + a * b)


def root_sum(a: Node, b: Node) -> Node:
    return _f("sqrt", a) + _f("sqrt", b)


def _sqrt(a: Node, b: Node, h: Node) -> Node:
    return h / root_sum(a, b)


def mixed_squares(p: Node, q: Node) -> Node:
    """(p^3 - q^3)/(p - q)."""
    return (_f("square", p) + p * q) + _f("square", q)


def _cbrt_squares(a: Node, b: Node) -> Node:
    return mixed_squares(_f("cbrt", a), _f("cbrt", b))


def _cbrt(a: Node, b: Node, h: Node) -> Node:
    return h / _cbrt_squares(a, b)


def _log(a: Node, b: Node, h: Node) -> Node:
    return _f("log1p", h / b)


def is_near_ratio(a: Node, b: Node, h: Node) -> Node:
    """-1/2 < h/b < HUGE and 0 < b < inf: log1p(h/b) keeps its digits and does not overflow."""
    return _f("logical_and", constant(0.5) * b < a, h < constant(HUGE) * b)


def _exp(a: Node, b: Node, h: Node) -> Node:
    return _f("exp", b) * _f("expm1", h)


def _reciprocal(a: Node, b: Node, h: Node) -> Node:
    return -quotient(h, a, b)


def quotient(h: Node, a: Node, b: Node) -> Node:
    """h/(a b); a number above 1 comes last, since 1/a and 1/b are finite where their difference is."""
    number = value(h)
    return h * (_f("reciprocal", a) / b) if number is not None and abs(number) > 1 else h / a / b


def _square(a: Node, b: Node, h: Node) -> Node:
    return h * (a + b)


def _dsqrt(a: Node, b: Node, h: Node) -> Node:
    """1/(2a) - 1/(2b) of roots a, b >= 0."""
    return constant(-2.0) * (h * _f("dsqrt", a) * _f("dsqrt", b))


def _dlog(a: Node, b: Node, h: Node) -> Node:
    """1/a - 1/b where both are positive, NaN elsewhere as dlog is."""
    return -(h * _f("dlog", a) * _f("dlog", b))


@dataclass(frozen=True, slots=True)
class Theorem:
    """``form(a, b, h)``, and ``near(a, b, h)`` where it may be used; None is everywhere.

    ``order`` 1 or -1: a number h is brought to that sign, where the form needs no condition.
    """

    form: Callable[[Node, Node, Node], Node]
    near: Callable[[Node, Node, Node], Node] | None = None
    order: int = 0


THEOREMS: dict[str, Theorem] = {
    "sin": Theorem(_sin),
    "cos": Theorem(_cos),
    "tan": Theorem(_tan),
    "square": Theorem(_square),
    "arctan": Theorem(_arctan, lambda a, b, h: is_finite(a * b)),
    "sqrt": Theorem(_sqrt, lambda a, b, h: is_positive(root_sum(a, b))),
    "cbrt": Theorem(_cbrt, lambda a, b, h: is_positive(_cbrt_squares(a, b))),
    "log": Theorem(_log, is_near_ratio, 1),
    "exp": Theorem(_exp, lambda a, b, h: _f("abs", h) < constant(1.0), -1),
    "reciprocal": Theorem(_reciprocal, lambda a, b, h: is_below_half(h, b)),
    "dsqrt": Theorem(_dsqrt, lambda a, b, h: is_below_half(h, b)),
    "dlog": Theorem(_dlog, lambda a, b, h: is_below_half(h, b), 1),
}


def increment(left: Node, right: Node, pair: tuple[Node, Node], step: Step) -> Node:
    """left - right = f(a) - f(b), by the theorem of f where it keeps its digits, else as written."""
    name = "log" if left.op.name == "log1p" else left.op.name
    theorem, (a, b), h = THEOREMS[name], pair, step.h
    number = value(h)
    if number is not None and number * theorem.order < 0:
        return -increment(right, left, (b, a), step.reversed())
    new = theorem.form(a, b, h)
    if number is not None and name == "log":  # below it a is h
        near = h < constant(HUGE) * b
        return _f("where", near, new, -right if number == 1 else _f("log", h) - right)
    if theorem.near is None or number is not None or (step.bounded and not theorem.order):
        return new
    return chosen(theorem.near(a, b, h), new, left, right)


def chosen(near: Node, new: Node, left: Node, right: Node) -> Node:
    """``new`` where ``near``, elsewhere left - right, in which no rule sees the difference again."""
    return _f("where", near, new, _f("where", near, constant(0.0), left) - right)
