"""Nodes as flat lists, so that everything users hold copies and pickles, however deep the graph."""

from __future__ import annotations

import copyreg
from collections.abc import Sequence
from typing import Any

from symgrad.frontend.tensor import HOOKS, Tensor
from symgrad.ir.node import OPS, Node, intern
from symgrad.ir.walk import topological


def store(outputs: Sequence[Node]) -> tuple[list[tuple], list[int]]:
    """(rows, outputs): a row is (op, places of arguments, params, type)."""
    order = topological(outputs)
    place = {node: i for i, node in enumerate(order)}
    rows = [(n.op.name, tuple(place[a] for a in n.args), dict(n.params), n.type) for n in order]
    return rows, [place[n] for n in outputs]


def restore_nodes(rows: list[tuple], outputs: list[int]) -> list[Node]:
    """The same nodes again, interned."""
    made: list[Node] = []
    for name, places, params, kind in rows:
        made.append(intern(OPS[name], tuple(made[i] for i in places), params, kind))
    return [made[i] for i in outputs]


def restore(rows: Any, outputs: Any) -> Tensor:
    """The tensor again."""
    return Tensor(restore_nodes(rows, outputs)[0])


def _restored_node(rows: Any, outputs: Any) -> Node:
    return restore_nodes(rows, outputs)[0]


copyreg.pickle(Node, lambda node: (_restored_node, store((node,))))  # type: ignore[arg-type]
HOOKS.update({"store": store, "restore": restore})
