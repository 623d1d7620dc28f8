"""Where a node stands among those that are stored: what a document says instead of the node.

In: nodes. Out: integers, and for reading the nodes again, of the kinds that are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.ir.node import Node
from symgrad.ir.walk import variables


class Places:
    """Numbers for nodes, in the order of asking; the same node has one number.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = (v.node for v in symbols("x y"))
    >>> place = Places()
    >>> place(x), place(y), place(x), place.all([y, x])
    (0, 1, 0, [1, 0])
    """

    def __init__(self) -> None:
        self.numbers: dict[Node, int] = {}

    def __call__(self, node: Node) -> int:
        return self.numbers.setdefault(node, len(self.numbers))

    def all(self, nodes: Sequence[Node]) -> list[int]:
        """The numbers of some nodes."""
        return [self(n) for n in nodes]

    @property
    def nodes(self) -> list[Node]:
        """The nodes by number."""
        return list(self.numbers)


class Placed:
    """Nodes by number; a ValueError where there is none of that number or kind."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes

    def __call__(self, number: Any, dtype: str | None = None, shape: tuple | None = None) -> Node:
        if type(number) is not int or not 0 <= number < len(self.nodes):
            raise ValueError("it names a node that is not there")
        node = self.nodes[number]
        if (dtype is not None and node.dtype != dtype) or (shape is not None and node.shape != shape):
            raise ValueError(f"a {node.type} stands where another kind must")
        return node

    def all(self, numbers: Any, **kind: Any) -> tuple[Node, ...]:
        """Some nodes."""
        if not isinstance(numbers, list):
            raise ValueError("nodes are listed by their numbers")
        return tuple(self(n, **kind) for n in numbers)

    def variable(self, number: Any, kind: str) -> Node:
        """A variable that was declared as an input, a parameter or a state."""
        node = self(number)
        if node.op.name != "variable" or node["variable"].kind != kind:
            raise ValueError(f"it names something else where {kind}s must stand")
        return node


def fields(data: Any, *names: str) -> list[Any]:
    """The values of a record that has these fields and no others.

    >>> fields({"a": 1, "b": 2}, "b", "a")
    [2, 1]
    """
    if not isinstance(data, dict):
        raise ValueError(f"a record with the fields {', '.join(names)} is missing")
    other = [*(n for n in names if n not in data), *(n for n in data if n not in names)]
    if other:
        what = "has no field" if other[0] in names else "has the unknown field"
        raise ValueError(f"it {what} {other[0]!r}"[:200])
    return [data[n] for n in names]


def closed(outputs: Sequence[Node], known: Sequence[Node]) -> None:
    """Complain about variables that nobody gives."""
    missing = [v for v in variables(outputs) if v not in set(known)]
    if missing:
        raise ValueError(f"nothing gives the variable {missing[0]['variable'].name!r}"[:200])


__all__ = ["Placed", "Places", "closed", "fields"]
