"""Points inside the domain of some nodes, and the nodes' values there, in float64 or to fifty digits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import IndexRangeError, ShapeError, UnsupportedError
from symgrad.ir.evaluate import concrete, evaluate
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.types import ArrayType, Size
from symgrad.ir.walk import topological, transform
from symgrad.ops.formula import to_exprs
from symgrad.ops.leaf import variable
from symgrad.ops.symbolic import expand_row
from symgrad.runtime.kinks import Cells, watch
from symgrad.runtime.lines import same

Point = dict[Node, np.ndarray]

PRECISION = 60  # decimal digits that are carried; fifty are compared
_LARGEST = 6000  # elements of all nodes together that are worth computing to so many digits
_ATTEMPTS = 400
_NEAR = 1e-7  # of a number, beside its three decimals
_DRAWS = (
    lambda rng, shape: rng.normal(0.0, 1.0, shape),
    lambda rng, shape: 0.1 + np.abs(rng.normal(0.0, 1.0, shape)),
    lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    lambda rng, shape: rng.uniform(-0.95, 0.95, shape),
    lambda rng, shape: 1.05 + np.abs(rng.normal(0.0, 1.0, shape)),
    lambda rng, shape: rng.normal(0.0, 4.0, shape),
)


def sized(nodes: Sequence[Node]) -> list[Node]:
    """The nodes with every named size replaced by a small number: 2, 3, 4, ..., no two alike."""
    found = sorted({name for n in topological(nodes) for s in n.shape if isinstance(s, Size) for name in s.names()})
    sizes = {name: 2 + i for i, name in enumerate(found)}
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


def points(inside: Sequence[Node], variables: Sequence[Node], count: int, seed: int) -> Iterator[Point]:
    """Up to ``count`` points at which all of ``inside`` are finite, none on a kink: three decimals each, never 0."""
    rng = np.random.default_rng(seed)
    cells = watch(inside, variables, variables)
    found = 0
    for attempt in range(_ATTEMPTS):
        if found == count:
            return
        modes = (
            [attempt % len(_DRAWS)] * len(variables) if attempt < 60 else rng.integers(len(_DRAWS), size=len(variables))
        )
        point = {v: _drawn(rng, v, int(mode)) for v, mode in zip(variables, modes, strict=True)}
        if _is_inside(inside, point) and (cells is None or _is_smooth(cells, list(point.values()))):
            found += 1
            yield point


def _drawn(rng: np.random.Generator, node: Node, mode: int) -> np.ndarray:
    if node.dtype != "real":
        return np.asarray(
            rng.integers(0, 1 + mode % 3, node.shape) if node.dtype == "int" else rng.random(node.shape) < 0.5
        )
    drawn = np.round(_DRAWS[mode](rng, node.shape), 3)
    return np.where(drawn == 0.0, 0.5, drawn)


def _is_inside(inside: Sequence[Node], point: Point) -> bool:
    try:
        values = evaluate(inside, point)
    except (IndexError, IndexRangeError, ShapeError):
        return False
    return all(np.all(np.isfinite(v)) for v in values)


def _is_smooth(cells: Cells, point: Sequence[np.ndarray]) -> bool:
    """Whether the point and its neighbours on both sides lie in the same cells: on a kink, conventions differ."""
    rng = np.random.default_rng(0)
    moves = [_NEAR * rng.uniform(0.5, 1.5, np.shape(x)) for x in point]
    here = cells(point)
    for side in (-1.0, 1.0):
        near = [x * (1.0 + side * m) if x.dtype.kind == "f" else x for x, m in zip(point, moves, strict=True)]
        if not same(cells(near), here):
            return False
    return True


def is_small(nodes: Sequence[Node]) -> bool:
    """Whether fifty digits are affordable."""
    return sum(int(np.prod(n.shape)) if n.shape else 1 for n in topological(nodes)) <= _LARGEST


def exact_values(nodes: Sequence[Node], point: Point) -> list[np.ndarray] | None:
    """The values to fifty digits as object arrays of SymPy numbers; None where SymPy cannot."""
    given = {node: _exact(value) for node, value in point.items()}
    try:
        found = to_exprs(nodes, given)
        return [np.frompyfunc(_number, 1, 1)(np.asarray(v, object)) for v in found]
    except (UnsupportedError, TypeError, ValueError, ArithmeticError):
        return None


def _exact(value: np.ndarray) -> Any:
    convert = {"f": lambda v: sp.Float(v, PRECISION), "i": sp.Integer, "b": lambda v: sp.true if v else sp.false}[
        value.dtype.kind
    ]
    if value.ndim == 0:
        return convert(value.item())
    return np.frompyfunc(lambda v: convert(v.item() if isinstance(v, np.generic) else v), 1, 1)(value)


def _number(expr: Any) -> Any:
    number = sp.N(expr, PRECISION)
    if not (number.is_Number and number.is_finite):
        raise ValueError("not a finite real number")
    return number


def mismatch(a: Any, b: Any) -> float:
    """The largest difference of two arrays, beside the largest element of both."""
    difference = np.max(np.abs(np.asarray(a) - np.asarray(b)), initial=0)
    scale = max(np.max(np.abs(np.asarray(a)), initial=0), np.max(np.abs(np.asarray(b)), initial=0))
    return 0.0 if difference == 0 else float(difference / scale)
