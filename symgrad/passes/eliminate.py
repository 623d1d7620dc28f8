"""a+b and b+a, a*b and b*a become one node: whichever the graph computes first, so that the order in which a
formula was written stays. Everything else that is common is shared by interning."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node
from symgrad.ir.walk import transform

_LOGIC = ["equal", "not_equal", "logical_and", "logical_or"]
COMMUTATIVE = frozenset(["add", "mul", "zmul", "maximum", "minimum", "hypot", "logaddexp", *_LOGIC])


def eliminate(outputs: Sequence[Node]) -> dict[Node, Node]:
    """Old -> new for every node reached; values are the same to the bit (a payload of NaN apart).

    >>> from symgrad.ir.node import constant
    >>> a, b = constant(2.0), constant(3.0)
    >>> new = eliminate([(a + b) * (b + a)])
    >>> new[b + a] is new[a + b]
    True
    """
    seen: dict[tuple, Node] = {}

    def first(node: Node) -> Node:
        if node.op.name not in COMMUTATIVE:
            return node
        pair = tuple(sorted(a.serial for a in node.args))
        return seen.setdefault((node.op.name, pair), node)

    return transform(outputs, first)
