"""The value of a graph by the references of its ops: NumPy, one node at a time, no compiling.

In: outputs and the values of the nodes that are given. Out: NumPy arrays, in float64. Named sizes are read
off the shapes of the given values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from symgrad.errors import IndexRangeError, ShapeError, UnsupportedError
from symgrad.ir.node import Frozen, Node
from symgrad.ir.show import described
from symgrad.ir.types import Quotient, Size, substitute
from symgrad.ir.walk import topological


def evaluate(outputs: Iterable[Node], values: Mapping[Node, Any], sizes: Mapping[str, int] | None = None) -> list:
    """The outputs' values, given those of the variables (or of any other nodes).

    ``sizes`` adds named sizes that no given value shows.
    """
    wanted = list(outputs)
    known = dict(bound_sizes(values), **(sizes or {}))
    done: dict[Node, Any] = {node: np.asarray(value) for node, value in values.items()}
    with np.errstate(all="ignore"):
        for node in topological(wanted, stop=done):
            if node not in done:
                done[node] = _value(node, [done[a] for a in node.args], known)
    return [done[node] for node in wanted]


def bound_sizes(values: Mapping[Node, Any]) -> dict[str, int]:
    """The named sizes that are given as nodes or that the shapes of the given values fix.

    Raises:  ShapeError where two values disagree
    """
    found: dict[str, int] = {}
    for node, value in values.items():
        shown = (
            [(node["size"], int(value))] if node.op.name == "size" else zip(node.shape, np.shape(value), strict=True)
        )
        for size, length in shown:
            solved = solve(size, length)
            if solved and found.setdefault(*solved) != solved[1]:
                raise ShapeError(f"size {solved[0]} is {found[solved[0]]} and {solved[1]}", ("operand", str(node.type)))
    return found


def solve(size: Any, length: int) -> tuple[str, int] | None:
    """The one named size in c*n + d = length; None for a literal or another form."""
    parts = linear(size)
    return None if parts is None else (parts[0], (length - parts[2]) // parts[1])


def linear(size: Any) -> tuple[str, int, int] | None:
    """(n, c, d) where the size is c*n + d for one named size n."""
    if isinstance(size, int):
        return None
    rest = 0
    found: tuple[str, int] | None = None
    for atoms, factor in size.terms:
        if not atoms:
            rest = factor
        elif found is None and len(atoms) == 1 and not isinstance(atoms[0], Quotient):
            found = (atoms[0], factor)
        else:
            return None
    return None if found is None else (*found, rest)


def concrete(param: Any, sizes: Mapping[str, int]) -> Any:
    """A parameter with its named sizes replaced by numbers."""
    if isinstance(param, tuple):
        return tuple(concrete(p, sizes) for p in param)
    return substitute(param, sizes) if isinstance(param, Size) else param


def _value(node: Node, args: list, sizes: Mapping[str, int]) -> Any:
    if node.op.name == "constant":
        held = node["value"]
        return held.array if isinstance(held, Frozen) else np.asarray(held)
    if node.op.name == "size":
        return np.asarray(concrete(node["size"], sizes))
    if node.op.name == "variable":
        raise ValueError(f"no value for {node['variable'].name}")
    if node.op.reference is None:
        raise UnsupportedError(f"{node.op.name} has no reference")
    _check_sizes(node, sizes)
    params = {k: concrete(v, sizes) for k, v in node.params.items()}
    try:
        return np.asarray(node.op.reference(*args, **params))
    except IndexError as error:  # of a reference; a complaint of symgrad's has more to say
        if isinstance(error, IndexRangeError):
            raise
        raise IndexRangeError(str(error), ("node", described(node))) from None


def _check_sizes(node: Node, sizes: Mapping[str, int]) -> None:
    """No array has a negative size; a slice says so in its own words."""
    if node.op.name == "slice":
        return
    for size in node.shape:
        if isinstance(size, Size) and concrete(size, sizes) < 0:
            given = [(name, str(sizes.get(name, "?"))) for name in size.names()]
            raise IndexRangeError(f"an array of size {size}: it would be {concrete(size, sizes)}", *given)
