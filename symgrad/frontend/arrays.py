"""Functions that move, join and cut whole arrays, under NumPy's names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, ShapeError
from symgrad.frontend import reductions
from symgrad.frontend.declare import declared_size
from symgrad.frontend.indexing import check_range, index_node
from symgrad.frontend.tensor import HOOKS, Tensor, as_node, named_errors, unify
from symgrad.ir.node import Node, build, constant
from symgrad.ir.show import described
from symgrad.ir.types import AnySize, size_product
from symgrad.ops import shape as shapes
from symgrad.ops.leaf import cast


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Axes reversed, or in the given order."""
    node = as_node(x)
    rank = node.type.rank
    given = tuple(reversed(range(rank))) if axes is None else tuple(axes) if np.iterable(axes) else (axes,)
    order = tuple(int(a) % rank for a in given) if all(reductions.is_axis(a, rank) for a in given) else ()
    if sorted(order) != list(range(rank)):
        raise ShapeError(
            f"transpose: {axes} is not an order of {rank} axes",
            ("tensor", described(node)),
            fix="name each axis once",
        )
    return Tensor(shapes.transpose(node, order))


def reshape(x: Any, shape: Any) -> Tensor:
    """Another shape of as many elements, C order; one size may be -1."""
    node = as_node(x)
    wanted = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if wanted.count(-1) > 1:
        raise ShapeError("reshape: only one size may be -1", ("tensor", described(node)))
    sizes = tuple(None if n == -1 else declared_size("reshape", n) for n in wanted)
    return named_errors(lambda n: shapes.reshape(n, _solved(n, sizes)), node)


def _solved(node: Node, sizes: tuple[AnySize | None, ...]) -> tuple[AnySize, ...]:
    """The sizes with None worked out."""
    if None not in sizes:
        return sizes  # type: ignore[return-value]
    known = size_product(tuple(n for n in sizes if n is not None))
    missing = _ratio(size_product(node.shape), known, node)
    return tuple(missing if n is None else n for n in sizes)


def _ratio(total: AnySize, known: AnySize, node: Node) -> AnySize:
    if isinstance(known, int) and known > 0:
        ratio = total // known
        if ratio * known == total:
            return ratio
    if not isinstance(known, int):
        rank = node.type.rank
        for first, last in itertools.combinations(range(rank + 1), 2):  # a run of axes
            if size_product(node.shape[first:last]) * known == total:
                return size_product(node.shape[first:last])
    raise ShapeError(
        "reshape: -1 cannot be worked out", ("from", str(node.type)), ("known part", str(known)), fix="give the size"
    )


def concatenate(tensors: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Tensors joined along an axis (None: flattened first)."""
    if not len(tensors):
        raise ShapeError("concatenate needs at least one tensor")
    nodes = unify(*tensors)
    if axis is None:
        nodes, axis = [shapes.reshape(n, (size_product(n.shape),)) for n in nodes], 0
    if not nodes[0].shape:
        raise ShapeError("concatenate: scalars have no axes", ("operand 1", described(nodes[0])), fix="use sg.stack")
    (at,) = reductions.axes_of(nodes[0], axis)
    return named_errors(lambda *ns: build("concatenate", *ns, axis=at), *nodes)


def stack(tensors: Sequence[Any], axis: int = 0) -> Tensor:
    """Tensors of one shape joined along a new axis."""
    if not len(tensors):
        raise ShapeError("stack needs at least one tensor")
    nodes = unify(*tensors)
    if any(n.shape != nodes[0].shape for n in nodes):
        raise ShapeError("stack: shapes differ", *((f"operand {i + 1}", described(n)) for i, n in enumerate(nodes[:8])))
    return concatenate([expand_dims(Tensor(n), axis) for n in nodes], axis)


def expand_dims(x: Any, axis: Any) -> Tensor:
    """New axes of length 1 at these places of the result."""
    node = as_node(x)
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    rank = node.type.rank + len(given)
    if not all(reductions.is_axis(a, rank) for a in given):
        raise ShapeError(
            f"expand_dims: axis {axis} is not an axis of the result",
            ("tensor", described(node)),
            fix=f"use {-rank} to {rank - 1}",
        )
    at = {a % rank for a in given}
    if len(at) < len(given):
        raise ShapeError(f"axis {axis} names an axis twice", ("tensor", described(node)), fix="name each axis once")
    sizes = iter(node.shape)
    return Tensor(shapes.reshape(node, tuple(1 if i in at else next(sizes) for i in range(rank))))


def squeeze(x: Any, axis: Any = None) -> Tensor:
    """Without the axes of length 1 (all of them, or the given ones)."""
    node = as_node(x)
    axes = tuple(i for i, n in enumerate(node.shape) if n == 1) if axis is None else reductions.axes_of(node, axis)
    for i in axes:
        if node.shape[i] != 1:
            raise ShapeError(f"squeeze: axis {i} has size {node.shape[i]}", ("tensor", described(node)))
    return Tensor(shapes.reshape(node, tuple(n for i, n in enumerate(node.shape) if i not in axes)))


def broadcast_to(x: Any, shape: Any) -> Tensor:
    """x repeated to a larger shape by NumPy's rule."""
    node = as_node(x)
    given = shape if isinstance(shape, (tuple, list)) else (shape,)
    wanted = tuple(declared_size("broadcast_to", n) for n in given)
    from_right = zip(reversed(node.shape), reversed(wanted), strict=False)
    if len(wanted) < node.type.rank or any(m not in (1, n) for m, n in from_right):
        raise ShapeError("broadcast_to: the shape does not fit", ("tensor", described(node)), ("shape", str(wanted)))
    return Tensor(shapes.broadcast(node, wanted))


def diag(x: Any, k: int = 0) -> Tensor:
    """The k-th diagonal of a matrix (0 the main one, positive ones above it), or the matrix with that diagonal."""
    node, k = as_node(x), _whole("diag", k)
    if node.type.rank == 1:
        square = shapes.embed_diagonal(node, (0, 1))
        size = node.shape[0] + abs(k)
        start = (max(-k, 0), max(k, 0))
        return Tensor(build("pad", square, shape=(size, size), start=start, step=(1, 1)) if k else square)
    if node.type.rank != 2:
        raise ShapeError("diag takes a vector or a matrix", ("tensor", described(node)))
    return named_errors(lambda n: _diagonal(n, k, (0, 1)), node)


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Sum of a diagonal of a matrix, or of each matrix that two axes of an array hold."""
    node, offset = as_node(x), _whole("trace", offset)
    if node.type.rank < 2:
        raise ShapeError("trace takes a matrix", ("tensor", described(node)))
    (i,), (j,) = reductions.axes_of(node, axis1), reductions.axes_of(node, axis2)
    if i == j:
        raise ShapeError("trace: the two axes are one", ("axes", f"{axis1}, {axis2}"), ("tensor", described(node)))
    return named_errors(lambda n: build("sum", _diagonal(n, offset, (i, j)), axes=(node.type.rank - 2,)), node)


def _diagonal(node: Node, k: int, axes: tuple[int, int]) -> Node:
    """The k-th diagonal along two axes, as the last axis: the main one of the largest square that starts there."""
    first = max(-k, 0), max(k, 0)
    left = [node.shape[axis] - at for axis, at in zip(axes, first, strict=True)]
    if all(isinstance(n, int) for n in left):
        length: AnySize = max(min(left), 0)
    elif node.shape[axes[0]] == node.shape[axes[1]]:
        length = node.shape[axes[0]] - abs(k)
    else:
        raise ShapeError(
            "diagonal: the two axes differ in size",
            ("operand", str(node.type)),
            fix="the matrix must be square, or its sizes be numbers",
        )
    start, size = [0] * node.type.rank, list(node.shape)
    for axis, at in zip(axes, first, strict=True):
        start[axis], size[axis] = at if length != 0 else 0, length
    part = shapes.take_slice(node, tuple(start), tuple(size), (1,) * node.type.rank)
    return build("diagonal", part, axes=axes)


def _whole(name: str, k: Any) -> int:
    if not isinstance(k, (int, np.integer)):
        raise DtypeError(f"{name}: the diagonal's number must be an integer", ("given", type(k).__name__))
    return int(k)


def _triangle(x: Any, k: int, keep: str) -> Tensor:
    node, k = as_node(x), _whole("tril and triu", k)
    if node.type.rank < 2:
        raise ShapeError("tril and triu take a matrix", ("tensor", described(node)))
    rows, columns = node.shape[-2:]
    i = build("add", shapes.reshape(build("iota", size=rows), (rows, 1)), constant(k, "int"))
    j = shapes.reshape(build("iota", size=columns), (1, columns))
    return Tensor(build("where", build(keep, i, j), node, build("constant_like", node, value=0)))


def tril(x: Any, k: int = 0) -> Tensor:
    """The lower triangle (up to the k-th diagonal), 0 above."""
    return _triangle(x, k, "greater_equal")


def triu(x: Any, k: int = 0) -> Tensor:
    """The upper triangle (from the k-th diagonal), 0 below."""
    return _triangle(x, k, "less_equal")


def one_hot(labels: Any, depth: AnySize, axis: int = -1) -> Tensor:
    """1 at the label, 0 elsewhere, along a new axis of length ``depth``."""
    node = as_node(labels, "int")
    if node.dtype != "int":
        raise ShapeError(
            "one_hot takes integer labels", ("labels", described(node)), fix='declare them with dtype="int"'
        )
    depth = declared_size("one_hot", depth)
    spread = expand_dims(Tensor(node), axis).node
    at = axis % spread.type.rank
    positions = shapes.reshape(
        build("iota", size=depth), tuple(depth if i == at else 1 for i in range(spread.type.rank))
    )
    return Tensor(cast(build("equal", spread, positions), "real"))


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Elements at integer positions along an axis (of the flattened tensor by default)."""
    node = as_node(x)
    index = index_node(indices)
    if axis is None:
        node, axis = shapes.reshape(node, (size_product(node.shape),)), 0
    (at,) = reductions.axes_of(node, axis)
    check_range(node, index, at)
    return named_errors(lambda n, i: build("gather", n, i, axis=at), node, index)


def arange(n: AnySize) -> Tensor:
    """0, 1, ..., n-1 as an integer tensor; n may be a named size."""
    return Tensor(build("iota", size=declared_size("arange", n)))


HOOKS.update({"reshape": reshape, "stack": stack})
_NUMPY = (broadcast_to, concatenate, diag, expand_dims, reshape, squeeze, stack, take, trace)
HOOKS.update({f"numpy.{f.__name__}": f for f in (*_NUMPY, transpose, tril, triu)})

__all__ = [
    "arange", "broadcast_to", "concatenate", "diag", "expand_dims", "one_hot", "reshape", "squeeze", "stack", "take",
    "trace", "transpose", "tril", "triu",
]  # fmt: skip
