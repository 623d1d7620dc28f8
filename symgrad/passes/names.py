"""Strip ``named`` nodes into a table, so that names never defeat interning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.ir.node import Node
from symgrad.ir.walk import transform

Names = dict[Node, tuple[str, str | None]]


def strip(outputs: Sequence[Node]) -> tuple[list[Node], Names, dict[Node, Node]]:
    """(outputs without names, node -> (name, latex), old -> new); a node's first name wins."""
    names: Names = {}
    new: dict[Node, Node] = {}

    def without(node: Node) -> Node:
        if node.op.name != "named":
            return node
        inner = node.args[0]
        if inner.op.name not in ("variable", "constant"):
            names.setdefault(inner, (node["name"], node["latex"]))
        return inner

    new = transform(outputs, without)
    return [new[n] for n in outputs], names, new


def carried(names: Names, new: dict[Node, Node]) -> Names:
    """The table after a pass: names follow their nodes."""
    return {new.get(node, node): name for node, name in names.items()}


def display(node: Node, names: Names) -> Any:
    """(name, latex) of a variable or a named node, or None."""
    if node.op.name == "variable":
        return node["variable"].name, node["variable"].latex
    return names.get(node)
