"""Values to fifty digits, and how many digits of two values agree.

In: nodes and a Point. Out: object arrays of SymPy numbers, or None where SymPy cannot spell a node.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import IndexRangeError, ShapeError, UnsupportedError
from symgrad.ir.evaluate import bound_sizes, concrete
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.types import ArrayType
from symgrad.ir.walk import topological, transform
from symgrad.ops.formula import to_exprs
from symgrad.ops.leaf import variable
from symgrad.ops.symbolic import expand_row
from symgrad.view.points import Point

MOST_DIGITS = 50
_PRECISION = 60  # decimal digits that are carried
_LARGEST = 6000  # elements of all nodes together that are worth computing to so many digits


def sized(nodes: Sequence[Node], sizes: Mapping[str, int]) -> list[Node]:
    """The nodes with every named size replaced by its number."""
    if not sizes:
        return list(nodes)
    swap: dict[Node, Node] = {}
    for node in topological(nodes):
        if node.op.name == "variable":
            swap[node] = _resized(node, sizes)
        elif node.op.name == "size":
            swap[node] = constant(int(concrete(node["size"], sizes)), "int")
        elif not node.args:
            swap[node] = node if node.op.name == "constant" else build(node.op.name, **_params(node, sizes))
        else:
            swap[node] = build(node.op.name, *(swap[a] for a in node.args), **_params(node, sizes))
    return [swap[n] for n in nodes]


def _resized(node: Node, sizes: Mapping[str, int]) -> Node:
    shape = concrete(node.shape, sizes)
    if shape == node.shape:
        return node
    old = node["variable"]
    return variable(
        Variable(old.name, old.kind, old.latex, order=old.order, uid=(*old.uid, shape)), ArrayType(shape, node.dtype)
    )


def _params(node: Node, sizes: Mapping[str, int]) -> dict[str, Any]:
    return {key: concrete(value, sizes) for key, value in node.params.items()}


def referenced(nodes: Sequence[Node]) -> list[Node]:
    """Rows that only SymPy can spell, spelled; so that every node has a value by reference."""

    def change(node: Node) -> Node:
        row = node.op.row
        return expand_row(node) if row is not None and row.reference is None else node

    new = transform(nodes, change)
    return [new[n] for n in nodes]


def exact_values(nodes: Sequence[Node], point: Point, precision: int = _PRECISION) -> list[np.ndarray] | None:
    """The values as object arrays of SymPy numbers; None where SymPy cannot, or where they are too many."""
    given = [n for n in point if n.op.name == "variable"]
    try:
        wanted = sized([*nodes, *given], bound_sizes(point))
        if sum(int(np.prod(n.shape)) if n.shape else 1 for n in topological(wanted)) > _LARGEST:
            return None
        known = {new: _exact(point[v], precision) for new, v in zip(wanted[len(nodes) :], given, strict=True)}
        found = to_exprs(wanted[: len(nodes)], known)
        return [np.frompyfunc(lambda e: _number(e, precision), 1, 1)(np.asarray(v, object)) for v in found]
    except (UnsupportedError, IndexRangeError, ShapeError, TypeError, ValueError, ArithmeticError):
        return None


def _exact(value: np.ndarray, precision: int) -> Any:
    convert = {
        "f": lambda v: sp.Float(v, precision),
        "i": sp.Integer,
        "b": lambda v: sp.true if v else sp.false,
    }[value.dtype.kind]
    if value.ndim == 0:
        return convert(value.item())
    return np.frompyfunc(lambda v: convert(v.item() if isinstance(v, np.generic) else v), 1, 1)(value)


def _number(expr: Any, precision: int) -> Any:
    number = sp.N(expr, precision)
    if not (number.is_Number and number.is_finite):
        raise ValueError("not a finite real number")
    return number


def mismatch(a: Any, b: Any) -> float:
    """The largest difference of two arrays, beside the largest element of both."""
    apart = distance(a, b)
    scale = max(np.max(np.abs(np.asarray(a)), initial=0), np.max(np.abs(np.asarray(b)), initial=0))
    return 0.0 if apart == 0 else float(apart / scale)


def distance(a: Any, b: Any) -> Any:
    """The largest difference of two arrays."""
    return np.max(np.abs(np.asarray(a) - np.asarray(b)), initial=0)


def exact_mismatch(nodes: Sequence[Node], point: Point) -> float | None:
    """How far two nodes are apart to fifty digits; None where that cannot be told.

    What twice the digits make vanish was rounding: of two formulas that cancel to 0, all digits that are left are.
    """
    pair = exact_values(nodes, point)
    if pair is None:
        return None
    apart = mismatch(*pair)
    if apart > 10.0 ** (10 - MOST_DIGITS):
        finer = exact_values(nodes, point, 3 * _PRECISION)
        if finer is not None and distance(*finer) <= distance(*pair) * sp.Float(10) ** -_PRECISION:
            return 0.0
    return apart


def count(apart: float) -> int:
    """The digits that agree."""
    return MOST_DIGITS if apart == 0.0 else min(MOST_DIGITS, max(0, math.floor(-math.log10(apart))))
