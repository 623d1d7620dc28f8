"""What passes did: a row for each, for the table that a function reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.ir.node import Node
from symgrad.ir.walk import topological


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass did; operations are the nodes that compute, unlike leaves, names and changes of index."""

    name: str
    seconds: float
    nodes_before: int
    nodes_after: int
    operations_before: int
    operations_after: int


def counted(outputs: Sequence[Node]) -> tuple[int, int]:
    """How many nodes, and how many of them are operations."""
    order = topological(outputs)
    return len(order), sum(n.op.kind not in ("leaf", "identity", "index") for n in order)
