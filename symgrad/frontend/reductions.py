"""Reductions over axes, under NumPy's names: sum, mean, var, ..., softmax, norm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symgrad.errors import ShapeError, UnsupportedError
from symgrad.frontend.tensor import HOOKS, Tensor, as_node, named_errors
from symgrad.ir.node import Node, build, constant
from symgrad.ir.show import described
from symgrad.ir.types import size_product
from symgrad.ops.leaf import cast, size
from symgrad.ops.reduce import kept
from symgrad.ops.shape import reshape


def axes_of(node: Node, axis: Any) -> tuple[int, ...]:
    """An axis, several or None (all) as sorted non-negative integers."""
    rank = node.type.rank
    if axis is None:
        return tuple(range(rank))
    given = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    for a in given:
        if not is_axis(a, rank):
            raise ShapeError(
                f"axis {a} is not an axis",
                ("tensor", described(node)),
                fix=f"use {-rank} to {rank - 1}" if rank else "a scalar has no axes",
            )
    axes = tuple(sorted(int(a) % rank for a in given))
    if len(set(axes)) < len(axes):
        raise ShapeError(f"axis {axis} names an axis twice", ("tensor", described(node)), fix="name each axis once")
    return axes


def is_axis(a: Any, rank: int) -> bool:
    """Whether a value names one of so many axes, counted from the front or (negative) from the back."""
    return isinstance(a, (int, np.integer)) and not isinstance(a, bool) and -rank <= int(a) < rank


def _reduce(op: str, node: Node, axis: Any, keepdims: bool) -> Node:
    axes = axes_of(node, axis)
    y = build(op, node, axes=axes) if axes else node
    return reshape(y, kept(node.shape, axes)) if keepdims else y


def _public(op: str, kind: str | None, doc: str) -> Callable[..., Tensor]:
    def reduction(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        node = as_node(x)
        node = cast(node, kind) if kind else cast(node, "int") if node.dtype == "bool" else node
        return named_errors(lambda n: _reduce(op, n, axis, keepdims), node)

    reduction.__name__ = reduction.__qualname__ = op.removesuffix("_reduce")
    reduction.__doc__ = doc
    return reduction


sum = _public("sum", None, "Sum of the elements over one axis, several or all (0 of none).")
prod = _public("prod", "real", "Product of the elements; the gradient is right at zeros.")
max = _public("max_reduce", None, "Largest element; NaN if there is one; ties share the gradient.")
min = _public("min_reduce", None, "Smallest element; NaN if there is one; ties share the gradient.")
any = _public("any_reduce", "bool", "Whether any element is true.")
all = _public("all_reduce", "bool", "Whether all elements are true.")
logsumexp = _public("logsumexp", "real", "log(sum(exp(x))) without overflow; gradient softmax(x).")


def _count(node: Node, axes: tuple[int, ...]) -> Node:
    return size(size_product(tuple(node.shape[i] for i in axes)))


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Mean of the elements (NaN of none)."""
    node = cast(as_node(x), "real")
    axes = axes_of(node, axis)
    return named_errors(lambda n: _reduce("sum", n, axes, keepdims) / _count(n, axes), node)


def _deviation(node: Node, axes: tuple[int, ...]) -> Node:
    return node - _reduce("sum", node, axes, True) / _count(node, axes)


def var(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """Variance: mean of squared deviations, divided by count - ddof."""
    node = cast(as_node(x), "real")
    axes = axes_of(node, axis)
    return named_errors(
        lambda n: _reduce("sum", build("square", _deviation(n, axes)), axes, keepdims) / _degrees(n, axes, ddof), node
    )


def std(x: Any, axis: Any = None, keepdims: bool = False, ddof: float = 0) -> Tensor:
    """Standard deviation; its gradient at a constant sample is 0 (minimum norm)."""
    node = cast(as_node(x), "real")
    axes = axes_of(node, axis)
    return named_errors(
        lambda n: _reduce("norm", _deviation(n, axes), axes, keepdims) / build("sqrt", _degrees(n, axes, ddof)), node
    )


def _degrees(node: Node, axes: tuple[int, ...], ddof: float) -> Node:
    count = _count(node, axes)
    return count - float(ddof) if ddof else count


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """NumPy's norms: of all elements (ord None), of a vector (any number), of a matrix ("fro", 1, -1, inf, -inf).

    Maths:   (sum |x|^p)^(1/p);  max |x| for inf;  of a matrix, the largest sum of a column's (1) or a row's |x| (inf)

    The Euclidean norm does not overflow. At the origin, where norms have no slope, the gradient is 0 (minimum norm).

    Raises:  UnsupportedError for the norms of singular values (2 and "nuc" of a matrix)
    """
    node = cast(as_node(x), "real")
    axes = axes_of(node, axis)
    if not node.shape and ord is None:
        return named_errors(lambda n: build("abs", n), node)
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return named_errors(lambda n: _reduce("norm", n, axes, keepdims), node)
    if len(axes) == 2:
        return named_errors(lambda n: _matrix_norm(n, ord, axis, keepdims), node)
    if len(axes) == 1 and isinstance(ord, (int, float, np.number)) and not np.isnan(ord):
        return named_errors(lambda n: _vector_norm(n, float(ord), axes, keepdims), node)
    raise ShapeError(
        f"norm: ord {ord!r} is not known of {len(axes)} ax{'i' if len(axes) == 1 else 'e'}s",
        ("tensor", described(node)),
        fix="leave ord out for the root of the sum of squares, or name one axis",
    )


def _vector_norm(node: Node, p: float, axes: tuple[int, ...], keepdims: bool) -> Node:
    size = build("abs", node)
    if np.isinf(p):
        return _reduce("max_reduce" if p > 0 else "min_reduce", size, axes, keepdims)
    if p == 0:
        return _reduce("sum", cast(build("not_equal", node, constant(0.0)), "real"), axes, keepdims)
    if p == 1:
        return _reduce("sum", size, axes, keepdims)
    total = _reduce("sum", build("power", size, constant(p)), axes, keepdims)
    at_origin = build("equal", total, constant(0.0))
    root = build("power", build("where", at_origin, constant(1.0), total), constant(1.0 / p))
    return build("where", at_origin, total, root) if p > 0 else build("power", total, constant(1.0 / p))


def _matrix_norm(node: Node, ord: Any, axis: Any, keepdims: bool) -> Node:
    if ord not in (1, -1, np.inf, -np.inf):
        raise UnsupportedError(
            f"norm: ord {ord!r} of a matrix needs its singular values, which have no rule here",
            ("tensor", str(node.type)),
            fix='leave ord out (or "fro") for the root of the sum of squares; 1, -1, inf and -inf are sums',
        )
    rows, columns = (0, 1) if axis is None else (int(a) % node.type.rank for a in axis)
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = _reduce("sum", build("abs", node), summed, True)
    found = _reduce("max_reduce" if ord > 0 else "min_reduce", sums, other, True)
    axes = tuple(sorted((rows, columns)))
    return found if keepdims else reshape(found, tuple(n for i, n in enumerate(node.shape) if i not in axes))


def _argument(op: str) -> Callable[..., Tensor]:
    def position(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
        node = as_node(x)
        if axis is not None:
            return named_errors(lambda n: _reduce(op, n, axis, keepdims), node)
        flat = reshape(node, (size_product(node.shape),))
        return named_errors(lambda n: reshape(_reduce(op, n, 0, False), (1,) * (node.type.rank * keepdims)), flat)

    position.__name__ = position.__qualname__ = op
    position.__doc__ = (
        f"Position of the {'largest' if op == 'argmax' else 'smallest'} element (the first of ties); derivative 0."
    )
    return position


argmax = _argument("argmax")
argmin = _argument("argmin")


def _along(op: str, doc: str) -> Callable[..., Tensor]:
    def function(x: Any, axis: Any = -1) -> Tensor:
        node = cast(as_node(x), "real")
        return named_errors(lambda n: build(op, n, axes=axes_of(n, axis)), node)

    function.__name__ = function.__qualname__ = op
    function.__doc__ = doc
    return function


softmax = _along("softmax", "exp(x)/sum(exp(x)) along an axis, without overflow; Jacobian diag(p) - p p^T.")
log_softmax = _along("log_softmax", "x - logsumexp(x) along an axis; Jacobian I - 1 p^T.")


def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """Running sum along an axis (of the flattened tensor by default)."""
    node = as_node(x)
    node = cast(node, "int") if node.dtype == "bool" else node
    if axis is None:
        node, axis = reshape(node, (size_product(node.shape),)), 0
    return named_errors(lambda n: build("cumsum", n, axis=axes_of(n, axis)[0], reverse=False), node)


# All but sum, max, min, any and all, which ``from symgrad import *`` leaves to Python.
__all__ = ["argmax", "argmin", "cumsum", "log_softmax", "logsumexp", "mean", "norm", "prod", "softmax", "std", "var"]
HOOKS.update({"sum": sum, "mean": mean, "max": max, "min": min})
_NUMPY = (sum, prod, max, min, any, all, mean, var, std, norm, argmax, argmin, cumsum)
HOOKS.update({f"numpy.{f.__name__}": f for f in _NUMPY})
