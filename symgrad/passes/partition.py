"""Split a gradient into two halves that share residuals.

The forward half computes outputs and residuals from the inputs; the backward half reads residuals, the
inputs it names, and cotangents. What is cheap and computable from what backward already reads is
computed again rather than stored.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, build
from symgrad.ir.types import Size, named
from symgrad.ir.walk import depends, topological

# Cheaper to compute again than to store and load.
_CHEAP = frozenset("add sub mul neg abs square less less_equal greater greater_equal where cast constant_like".split())


def residuals(gradients: Sequence[Node], cotangents: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """(inputs that backward reads, residuals that forward must compute), in a deterministic order."""
    late = depends(gradients, cotangents)
    frontier: dict[Node, None] = {}
    for node in topological(gradients):
        if node in late:
            frontier.update(dict.fromkeys(a for a in node.args if a not in late))
    frontier.update(dict.fromkeys(g for g in gradients if g not in late))
    settled = _settle(list(frontier))
    variables = [n for n in settled if n.op.name == "variable"]
    stored = _without_cheap([n for n in settled if n.op.name != "variable"], variables)
    read, seeds = set(topological(gradients, stop=stored)), set(cotangents)
    variables = [n for n in topological(gradients) if n.op.name == "variable" and n in read and n not in seeds]
    return variables, stored + _sizes(gradients, [*variables, *stored, *cotangents])


def _settle(frontier: list[Node]) -> list[Node]:
    """Index changes, constants and sizes are not stored: what they read is."""
    found: dict[Node, None] = {}
    stack = list(reversed(frontier))
    while stack:
        node = stack.pop()
        if node.op.name in ("constant", "size", "iota"):
            continue
        if node.op.kind in ("index", "identity"):
            stack.extend(reversed(node.args))
            continue
        found[node] = None
    return list(found)


def _without_cheap(stored: list[Node], variables: list[Node]) -> list[Node]:
    fixed = set(variables)
    kept = set(stored) | fixed
    result = []
    for node in reversed(topological(stored)):
        if node not in kept or node in fixed:
            continue
        free = {"variable", "constant", "size", "iota"}
        if node.op.name in _CHEAP and node.args and all(a in kept or a.op.name in free for a in node.args):
            kept.discard(node)
            continue
        result.append(node)
    return list(reversed(result))


def _sizes(gradients: Sequence[Node], given: Sequence[Node]) -> list[Node]:
    """Named sizes that no given array shows as an axis travel as numbers."""
    shown = {str(n) for node in given for n in node.shape if isinstance(n, Size)}
    needed: dict[str, None] = {}
    leaves = set(given)
    for node in topological(gradients, stop=leaves):
        if node in leaves:
            continue
        for value in (*node.shape, *_flat(node.params.values())):
            if isinstance(value, Size):
                needed.update(dict.fromkeys(value.names()))
    return [build("size", size=named(name)) for name in sorted(needed) if name not in shown]


def _flat(values: object) -> list:
    result: list = []
    stack = list(values)  # type: ignore[call-overload]
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack.extend(value)
        else:
            result.append(value)
    return result
