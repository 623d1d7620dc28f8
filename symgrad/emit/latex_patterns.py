"""Patterns that a reader knows by name: diagonal and triangular masks, one-hot arrays, repeated vectors.

In: nodes. Out: what they are. Nothing is printed here.
"""

from __future__ import annotations

from symgrad.emit.latex_naming import Naming
from symgrad.ir.node import Node

_TRANSPARENT = ("broadcast", "reshape", "cast", "named", "neg")
_MASKS = {"equal": "diag", "greater_equal": "tril", "less_equal": "triu"}


def masked(condition: Node) -> str:
    """Which of "diag", "tril", "triu" a condition on row i, column j is: i = j, i + k >= j, i + k <= j; "" if none.

    A diagonal k other than 0 is written behind: "tril_{1}".
    """
    name = _MASKS.get(condition.op.name)
    if name is None or condition.type.rank != 2:
        return ""
    row, column = condition.args
    offset = 0
    if row.op.name == "add" and row.args[1].op.name == "constant" and not row.args[1].shape:
        row, offset = row.args[0], row.args[1]["value"]
    sources = [p.args[0] if p.op.name == "reshape" else p for p in (row, column)]
    if any(p.op.name != "iota" for p in sources) or row.shape[-1] != 1 or column.shape[0] != 1:
        return ""
    square = row.shape[0] == column.shape[-1]
    if len(row.shape) != 2 or len(column.shape) != 2 or (name == "diag" and (offset or not square)):
        return ""
    return f"{name}_{{{int(offset)}}}" if offset else name


def labels(node: Node) -> Node | None:
    """t, where a node is the one-hot array of t: the comparison of labels with the positions along an axis."""
    if node.op.name != "cast" or node.args[0].op.name != "equal" or masked(node.args[0]):
        return None
    spread, positions = node.args[0].args
    bare = positions.args[0] if positions.op.name == "reshape" else positions
    axis = [i for i, n in enumerate(positions.shape) if n != 1]
    fits = bare.op.name == "iota" and len(axis) == 1 and positions.type.rank == spread.type.rank
    return spread if fits and spread.shape[axis[0]] == 1 else None


def label_axis(node: Node) -> int | None:
    """The axis along which each row of a one-hot array holds its 1; None for anything else."""
    if labels(node) is None:
        return None
    return next(i for i, n in enumerate(node.args[0].args[1].shape) if n != 1)


def parts(node: Node, naming: Naming) -> tuple[Node, ...]:
    """What is printed inside the formula of a node: its arguments, or the labels of a one-hot array."""
    if naming.by_element or node.op.name != "cast":
        return node.args
    spread = labels(node)
    return node.args if spread is None or label_axis(node) != node.type.rank - 1 else (spread,)


def vector_like(node: Node) -> bool:
    """Whether a matrix of this element-wise product is a vector that is repeated."""
    return sum(n != 1 for n in node.shape) == 1


def rank(node: Node) -> int:
    """The rank of what is printed: a scalar that is only repeated is a scalar."""
    while node.op.name in _TRANSPARENT and node.shape:
        node = node.args[0]
    return node.type.rank


def is_column(node: Node, naming: Naming) -> bool:
    """Whether a vector stands beside a matrix as a column: each row times its element."""
    while node.op.name in ("neg", "cast"):
        (node,) = node.args
    column = node.op.name == "reshape" and naming.of(node) is None and node.type.rank == 2 and node.shape[1] == 1
    return column and node.args[0].type.rank == 1 and node.shape[0] != 1
