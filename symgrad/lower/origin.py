"""Where the nodes that lower makes come from, so that a line of code leads back to the formula."""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.ir.node import Node


@dataclass(frozen=True, slots=True)
class Origin:
    """Of new nodes: ``same`` is the old node of that value, ``part_of`` the old node that it helps to compute."""

    same: dict[Node, Node]
    part_of: dict[Node, Node]
