"""Gather along an axis, and its transpose.

Indices are checked when the function runs: one outside the axis is an IndexRangeError, never a read
out of bounds. Negative indices count from the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.errors import DtypeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import AnySize, ArrayType
from symgrad.ops.elements import gathered, scattered
from symgrad.ops.shape import lead


def _gather_infer(x: ArrayType, index: ArrayType, axis: int) -> ArrayType:
    if index.dtype != "int":
        raise DtypeError("take: indices must be integers", ("index", str(index)), fix='declare it with dtype="int"')
    return ArrayType(x.shape[:axis] + index.shape + x.shape[axis + 1 :], x.dtype)


def _gather_vjp(y_bar: Node, y: Node, x: Node, index: Node, axis: int) -> tuple:
    return build("scatter_add", index, y_bar, axis=axis, size=x.shape[axis]), None


def _gather_jvp(xs_dot: tuple, y: Node, x: Node, index: Node, axis: int) -> Node | None:
    return None if xs_dot[0] is None else build("gather", xs_dot[0], index, axis=axis + len(lead(xs_dot[0], x)))


register(
    Op(
        "gather",
        "gather",
        _gather_infer,
        vjp=_gather_vjp,
        jvp=_gather_jvp,
        reference=lambda x, index, axis: np.take(x, index, axis),
        latex=lambda x, index, axis: rf"{x}_{{[{index}]}}",
        source="numpy.take",
        element=gathered,
        word="the index",
        rule="what was picked gets its gradient back, added up where it was picked twice",
        traits=frozenset({"chooses"}),
    )
)


def _scatter_infer(index: ArrayType, v: ArrayType, axis: int, size: AnySize) -> ArrayType:
    return ArrayType((*v.shape[:axis], size, *v.shape[axis + index.rank :]), v.dtype)


def _scatter_reference(index: Any, v: Any, axis: int, size: int) -> Any:
    index, v = np.asarray(index), np.asarray(v)
    y = np.zeros((*v.shape[:axis], size, *v.shape[axis + index.ndim :]), v.dtype)
    np.add.at(y, (slice(None),) * axis + (index,), v)
    return y


def _scatter_jvp(xs_dot: tuple, y: Node, index: Node, v: Node, axis: int, size: AnySize) -> Node | None:
    v_dot = xs_dot[1]
    return None if v_dot is None else build("scatter_add", index, v_dot, axis=axis + len(lead(v_dot, v)), size=size)


register(
    Op(
        "scatter_add",
        "scatter",
        _scatter_infer,
        vjp=lambda y_bar, y, index, v, axis, size: (None, build("gather", y_bar, index, axis=axis)),
        jvp=_scatter_jvp,
        reference=_scatter_reference,
        latex=lambda index, v, axis, size: rf"\operatorname{{scatter}}\left({v}, {index}\right)",
        source="zeros, with v added at the indices: the transpose of gather",
        element=scattered,
    )
)
