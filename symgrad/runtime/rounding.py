"""How far rounding alone moves the value of a function: what sums that cancel hide.

In: a graph and a point. Out: the largest movement of a total of its outputs over some runs of the references in which
every computed number is moved at random, scaled to one rounding (Monte Carlo arithmetic; Parker 1997).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.ir.evaluate import bound_sizes, evaluate
from symgrad.ir.node import Node
from symgrad.ir.walk import topological
from symgrad.runtime.differences import EPS

_AMOUNT = 2.0**-40  # stands clear of the references' own rounding
_DRAWS = 3
_ROUNDING = frozenset(["elementwise", "reduce", "contract", "composite"])  # the kinds of ops that round
_EXACT = frozenset(["chooses", "mask"])


def movement(outputs: Sequence[Node], values: Mapping[Node, Any], total: Callable[[Sequence[Any]], float]) -> float:
    """How far ``total`` of the outputs moves; 0 where a moved run is not finite."""
    rng = np.random.default_rng(0)
    here = total(evaluate(outputs, values))
    moved = [total(_moved(outputs, values, rng)) for _ in range(_DRAWS)]
    with np.errstate(all="ignore"):
        furthest = max(abs(m - here) for m in moved) * (EPS / _AMOUNT)
    return furthest if np.isfinite(furthest) else 0.0


def _moved(outputs: Sequence[Node], values: Mapping[Node, Any], rng: np.random.Generator) -> list[Any]:
    """The outputs of one run."""
    sizes = bound_sizes(values)
    done: dict[Node, Any] = dict(values)
    for node in topological(outputs, stop=done):
        if node in done:
            continue
        (value,) = evaluate([node], {a: done[a] for a in node.args}, sizes)
        if node.dtype == "real" and node.args and node.op.kind in _ROUNDING and not node.op.traits & _EXACT:
            with np.errstate(all="ignore"):
                value = value * (1.0 + _AMOUNT * rng.uniform(-1.0, 1.0, np.shape(value)))
        done[node] = value
    return [done[f] for f in outputs]
