"""Where a function is not smooth: read off the guards that its graph knows.

In: the graph's outputs and the variables that move. Out: a function of a point that gives its *cells*, one number
for each element of each guard: the side on which a comparison, a maximum or an absolute value stands, the integer
below a floor, which element is the largest. Between two points of equal cells no guard was crossed (or was
crossed twice).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, build, constant
from symgrad.ir.walk import depends, topological
from symgrad.ops.reduce import spread

Cells = Callable[[Sequence[Any]], np.ndarray]
Rule = Callable[[Node], list[tuple[Node, str]]]


@dataclass(frozen=True, slots=True)
class Guard:
    """``value`` in its ``kind``: "sign" (a kink at 0), "floor" (a jump at each integer), "set" (a jump at a change)."""

    node: Node
    value: Node
    kind: str


def _sign(value: Callable[..., Node]) -> Rule:
    return lambda node: [(value(*node.args), "sign")]


def _floor(value: Callable[..., Node]) -> Rule:
    return lambda node: [(value(*node.args), "floor")]


def _first(x: Node, *_: Node) -> Node:
    return x


def _difference(a: Node, b: Node, *_: Node) -> Node:
    return a - b


def _power(node: Node) -> list[tuple[Node, str]]:
    """x**y is smooth in x for the exponents 0, 1, 2, ...; else 0 is a pole, a kink or the end of the domain."""
    x, y = node.args
    held = y["value"] if y.op.name == "constant" and not y.shape else None
    smooth = held is not None and held >= 0 and held == int(held)
    return [] if smooth else [(x, "sign")]


def _extreme(node: Node) -> list[tuple[Node, str]]:
    (x,) = node.args
    return [(build("equal", x, spread(node, x, node["axes"])), "set")]


def _clip(node: Node) -> list[tuple[Node, str]]:
    x, lo, hi = node.args
    return [(x - lo, "sign"), (x - hi, "sign"), (lo - hi, "sign")]


def _cast(node: Node) -> list[tuple[Node, str]]:
    (x,) = node.args
    return [(x, "sign"), (x, "floor")] if x.dtype == "real" else []


def _unit(node: Node) -> list[tuple[Node, str]]:
    """Functions of [-1, 1] or [1, inf) end at 1."""
    (x,) = node.args
    return [(x - constant(1.0), "sign"), (x + constant(1.0), "sign")]


def _angle(node: Node) -> list[tuple[Node, str]]:
    """arctan2(y, x) jumps where y changes its sign beside a negative x; the origin is part of that ray."""
    y, x = node.args
    negative = build("logical_and", build("greater_equal", y, constant(0.0)), build("less_equal", x, constant(0.0)))
    return [(negative, "set"), (build("hypot", y, x), "sign")]


def _each(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


_ITSELF = lambda node: [(node, "sign")]  # noqa: E731
_ORDER = _sign(_difference)
_POLES = _floor(lambda x: build("minimum", x, constant(0.5)))
GUARDS: dict[str, Rule] = {
    **_each("abs sign relu relu_slope prelu sqrt cbrt dsqrt log log2 log10 dlog reciprocal xlogy", _sign(_first)),
    **_each("less less_equal greater greater_equal equal not_equal", _ORDER),
    **_each("maximum minimum dmaximum dminimum", _ORDER),
    **_each("floor ceil trunc", _floor(_first)),
    **_each("hypot norm", _ITSELF),
    **_each("max_reduce min_reduce", _extreme),
    **_each("arcsin arccos arccosh arctanh", _unit),
    **_each("argmax argmin any_reduce all_reduce", lambda node: [(node, "set")]),
    **_each("div zdiv", _sign(lambda a, b: b)),
    **_each("lgamma digamma polygamma", _POLES),
    "gate": _sign(lambda g, z: z),
    "log1p": _sign(lambda x: x + constant(1.0)),
    "round": _floor(lambda x: x + constant(0.5)),
    "mod": lambda node: [(build("div", *node.args), "floor")] if node.dtype == "real" else [],
    "power": _power,
    "clip": _clip,
    "dclip": _clip,
    "cast": _cast,
    "arctan2": _angle,
}


def guards(outputs: Sequence[Node], moving: Sequence[Node]) -> list[Guard]:
    """The guards between the moving variables and the outputs, each value once."""
    reached = depends(outputs, moving)
    found: dict[tuple[Node, str], Guard] = {}
    for node in topological(outputs):
        rule = GUARDS.get(node.op.name)
        if rule is None or not any(a in reached and a.dtype == "real" for a in node.args):
            continue
        for value, kind in rule(node):
            found.setdefault((value, kind), Guard(node, value, kind))
    return list(found.values())


def watch(outputs: Sequence[Node], inputs: Sequence[Node], moving: Sequence[Node]) -> Cells | None:
    """The cells of a point (arrays in the order of ``inputs``); None where nothing can be crossed."""
    found = guards(outputs, moving)
    if not found:
        return None
    values = [g.value for g in found]

    def cells(point: Sequence[Any]) -> np.ndarray:
        known = evaluate(values, dict(zip(inputs, point, strict=True)))
        return np.concatenate([_cell(g.kind, v).ravel() for g, v in zip(found, known, strict=True)])

    return cells


def _cell(kind: str, value: Any) -> np.ndarray:
    """The side as a number; on the border itself its own number, so that nothing equals it."""
    value = np.asarray(value, float)
    with np.errstate(all="ignore"):
        if kind == "sign":
            return np.sign(value)
        if kind == "floor":
            return np.where(value == np.floor(value), value, np.floor(value) + 0.5)
    return value
