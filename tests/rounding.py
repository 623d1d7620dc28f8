"""How well rounding lets a graph be known: Monte Carlo arithmetic on the references of the ops.

Every node's value is moved by a random relative amount above the rounding unit, and the outputs are watched. Their
largest movement over some draws, scaled back to the unit, is the conditioning times the unit: what any faithful
computation of the same graph may be off by. No rule of differentiation is used. The amounts differ from draw to draw:
large ones stand clear of the references' own rounding, small ones are those at which sin(1e6 x) is still linear. Where
a draw crosses a jump the movement is large, and rightly so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.ir.evaluate import bound_sizes, evaluate
from symgrad.ir.node import Node
from symgrad.ir.walk import topological

# These only choose, move or negate numbers.
EXACT = frozenset(
    "reshape transpose broadcast slice pad window constant_like diagonal diagonal_matrix concatenate gather cast named "
    "stop_gradient iota size max_reduce min_reduce neg abs sign floor ceil round trunc relu relu_slope maximum minimum "
    "dmaximum dminimum clip dclip where".split()
)
# Computed to a few units of max(|f|, 1), not of |f|: near a zero of f nothing more is promised. References to 32.
SPECIAL = frozenset("lgamma digamma polygamma sinc sinc_derivative".split())
# Sums: every partial sum is rounded, so that what counts is the sum of the absolute values, some times over.
SUMS = frozenset("sum einsum cumsum scatter_add overlap_add".split())
UNIT = 2.0**-53
MOVED = [2.0**-36, 2.0**-40, 2.0**-44] * 2


def spread(outputs: Sequence[Node], values: Mapping[Node, Any], seed: int = 0) -> list[np.ndarray]:
    """For each output, element by element, how far one rounding a node moves it; infinite where that is not finite."""
    rng = np.random.default_rng(seed)
    base = evaluate(outputs, values)
    furthest = [np.zeros(np.shape(b)) for b in base]
    for amount in MOVED:
        for far, moved, b in zip(furthest, _perturbed(outputs, values, amount, rng), base, strict=True):
            with np.errstate(all="ignore"):
                away = np.abs(np.asarray(moved, float) - np.asarray(b, float)) * (UNIT / amount)
                same = (moved == b) | (np.isnan(moved) & np.isnan(b))
            np.maximum(far, np.where(same, 0.0, np.where(np.isfinite(away), away, np.inf)), out=far)
    return furthest


def _perturbed(
    outputs: Sequence[Node], values: Mapping[Node, Any], amount: float, rng: np.random.Generator
) -> list[Any]:
    sizes = bound_sizes(values)
    done = {}
    for node in topological([*values, *outputs]):
        given = {a: done[a] for a in node.args}
        value = np.asarray(values[node]) if node in values else evaluate([node], given, sizes)[0]
        with np.errstate(all="ignore"):
            done[node] = value + amount * _size(node, value, given, sizes) * rng.uniform(-1.0, 1.0, np.shape(value))
        if node.dtype != "real":
            done[node] = value
    return [done[f] for f in outputs]


def _size(node: Node, value: Any, given: Mapping[Node, Any], sizes: Mapping[str, int]) -> Any:
    """What one rounding is relative to. Integers that stand in a formula (exponents above all) are exact."""
    name = node.op.name
    if node.dtype != "real" or name in EXACT or (name == "constant" and np.all(value == np.round(value))):
        return 0.0
    if name in SUMS:
        terms = max(np.size(v) for v in given.values()) / max(1, np.size(value))
        return np.sqrt(max(1.0, terms)) * evaluate([node], {a: _absolute(v) for a, v in given.items()}, sizes)[0]
    return 8 * np.maximum(np.abs(value), 1.0) if name in SPECIAL else value


def _absolute(value: Any) -> Any:
    """Sizes of reals; positions stay what they are."""
    return np.abs(value) if np.asarray(value).dtype.kind == "f" else value
