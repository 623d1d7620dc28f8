"""Strip ``named`` nodes into a table, so that names never defeat interning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symgrad.ir.node import Node, build, rebuild
from symgrad.ir.walk import topological

Names = dict[Node, tuple[str, str | None]]


def strip(outputs: Sequence[Node], keep: frozenset[Node] = frozenset()) -> tuple[list[Node], Names, dict[Node, Node]]:
    """(outputs without names, node -> (name, latex), old -> new); a node's first name wins.

    Names in ``keep`` stay as nodes: the variables of a derivative that are not inputs.
    """
    kept = set(keep)
    names: Names = {}
    new: dict[Node, Node] = {}

    for old in topological(outputs):
        node = rebuild(old, (new[a] for a in old.args))
        if old.op.name == "named" and old not in kept:
            inner = node.args[0]
            if inner.op.name not in ("variable", "constant"):
                names.setdefault(inner, (node["name"], node["latex"]))
            node = inner
        new[old] = node
    return [new[n] for n in outputs], names, new


def carried(names: Names, new: dict[Node, Node]) -> Names:
    """The table after a pass: names follow their nodes."""
    return {new.get(node, node): name for node, name in names.items()}


def renamed(outputs: Sequence[Node], names: Names) -> list[Node]:
    """The outputs with names as nodes again: what ``strip`` took away."""
    new: dict[Node, Node] = {}
    for old in topological(outputs):
        node = rebuild(old, (new[a] for a in old.args))
        name = None if old.op.kind == "leaf" else names.get(old)
        new[old] = build("named", node, name=name[0], latex=name[1]) if name is not None else node
    return [new[n] for n in outputs]


def display(node: Node, names: Names) -> Any:
    """(name, latex) of a variable or a named node, or None."""
    if node.op.name == "variable":
        return node["variable"].name, node["variable"].latex
    return names.get(node)
