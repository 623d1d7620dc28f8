"""What is to be computed: the border between the DAG and the loop program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.ir.node import Node

MANY = 64  # more scalars than this travel as one vector


@dataclass(frozen=True, slots=True)
class Target:
    """One entry function: ``results`` (a node, or nested tuples of nodes) computed from ``inputs``.

    Inputs are nodes that are given (variables, or residuals): nothing below them is computed. ``notes`` are
    comments printed above a node's line (the primal line that a cotangent reverses).
    """

    name: str
    inputs: tuple[Node, ...]
    results: Any
    notes: Mapping[Node, str] = field(default_factory=dict)
    doc: str = ""


def is_packed(group: tuple) -> bool:
    """Whether a tuple of nodes travels as one vector: more than MANY members, all real scalars."""
    return len(group) > MANY and all(isinstance(n, Node) and not n.shape and n.dtype == "real" for n in group)
