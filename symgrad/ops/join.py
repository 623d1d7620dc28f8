"""Concatenate: tensors one behind the other along an axis. Each part of a cotangent is a slice of it."""

from __future__ import annotations

import numpy as np

from symgrad.errors import DtypeError, ShapeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import AnySize, ArrayType
from symgrad.ops.elements import joined
from symgrad.ops.shape import broadcast, lead, take_slice


def _concatenate_infer(*types: ArrayType, axis: int) -> ArrayType:
    first = types[0]
    for t in types[1:]:
        fits = t.rank == first.rank and all(
            m == n for i, (m, n) in enumerate(zip(t.shape, first.shape, strict=False)) if i != axis
        )
        facts = [(f"operand {i + 1}", str(u)) for i, u in enumerate(types)]
        if fits and t.dtype != first.dtype:
            raise DtypeError("concatenate: kinds differ", *facts, fix="give operands of one kind")
        if not fits:
            raise ShapeError(f"concatenate: shapes differ outside axis {axis}", *facts, fix="reshape one operand")
    total: AnySize = 0
    for t in types:
        total = total + t.shape[axis]
    return ArrayType((*first.shape[:axis], total, *first.shape[axis + 1 :]), first.dtype)


def _concatenate_vjp(y_bar: Node, y: Node, *xs: Node, axis: int) -> tuple:
    parts, offset = [], 0
    for x in xs:
        start = tuple(offset if i == axis else 0 for i in range(x.type.rank))
        parts.append(take_slice(y_bar, start, x.shape, (1,) * x.type.rank))
        offset = offset + x.shape[axis]
    return tuple(parts)


def _concatenate_jvp(xs_dot: tuple, y: Node, *xs: Node, axis: int) -> Node:
    front = next(lead(d, x) for d, x in zip(xs_dot, xs, strict=True) if d is not None)
    zeros = build("constant_like", xs[0], value=0.0)
    parts = [broadcast(zeros, front + x.shape) if d is None else d for d, x in zip(xs_dot, xs, strict=True)]
    return build("concatenate", *parts, axis=axis + len(front))


register(
    Op(
        "concatenate",
        "gather",
        _concatenate_infer,
        vjp=_concatenate_vjp,
        jvp=_concatenate_jvp,
        reference=lambda *xs, axis: np.concatenate(xs, axis),
        latex=lambda *xs, axis: r"\left[" + r",\ ".join(xs) + r"\right]",
        samples=((((2, 3), (4, 3)), {"axis": 0}),),
        source="numpy.concatenate",
        element=joined,
        word="the concatenation",
        rule="each part gets its part of the gradient",
    )
)
