"""How well rounding lets a graph be known: Monte Carlo arithmetic on the references of the ops.

Every node's value is moved by a random relative amount far above the rounding unit, and the outputs are watched.
Their largest movement over some draws, scaled back to the unit, is the conditioning times the unit: what any
faithful computation of the same graph may be off by. No rule of differentiation is used. Where a draw crosses a jump
the movement is large, and rightly so.
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
    "reshape transpose broadcast slice pad constant_like diagonal diagonal_matrix concatenate gather cast named "
    "stop_gradient iota size max_reduce min_reduce neg abs sign floor ceil round trunc relu relu_slope maximum minimum "
    "dmaximum dminimum clip dclip where".split()
)
# Computed to a few units of max(|f|, 1), not of |f|: near a zero of f nothing more is promised.
SPECIAL = frozenset("lgamma digamma polygamma sinc sinc_derivative".split())
UNIT = 2.0**-53
MOVED = 2.0**-36
DRAWS = 6


def spread(outputs: Sequence[Node], values: Mapping[Node, Any], seed: int = 0) -> list[np.ndarray]:
    """For each output, element by element, how far one rounding a node moves it; infinite where that is not finite."""
    rng = np.random.default_rng(seed)
    base = evaluate(outputs, values)
    furthest = [np.zeros(np.shape(b)) for b in base]
    for _ in range(DRAWS):
        for far, moved, b in zip(furthest, _perturbed(outputs, values, rng), base, strict=True):
            with np.errstate(all="ignore"):
                away = np.abs(np.asarray(moved, float) - np.asarray(b, float)) * (UNIT / MOVED)
                same = (moved == b) | (np.isnan(moved) & np.isnan(b))
            np.maximum(far, np.where(same, 0.0, np.where(np.isfinite(away), away, np.inf)), out=far)
    return furthest


def _perturbed(outputs: Sequence[Node], values: Mapping[Node, Any], rng: np.random.Generator) -> list[Any]:
    sizes = bound_sizes(values)
    done = {node: _moved(node, np.asarray(value), rng) for node, value in values.items()}
    for node in topological(outputs):
        if node not in done:
            known = {a: done[a] for a in node.args}
            done[node] = _moved(node, evaluate([node], known, sizes)[0], rng)
    return [done[f] for f in outputs]


def _moved(node: Node, value: Any, rng: np.random.Generator) -> Any:
    """Integers that stand in a formula (exponents above all) are exact."""
    exact = node.op.name in EXACT or (node.op.name == "constant" and np.all(value == np.round(value)))
    if node.dtype != "real" or exact:
        return value
    size = np.copysign(np.maximum(np.abs(value), 1.0), value) if node.op.name in SPECIAL else value
    return value + MOVED * size * rng.uniform(-1.0, 1.0, np.shape(value))
