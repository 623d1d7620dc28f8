"""Windows that slide along axes, and their transpose, which adds overlapping windows up.

    y[.., o, .., k, ..] = x[.., o*stride + k*dilation, ..]

The axes of the offsets k stand behind the last windowed axis, in the order of the windowed ones: images (n, h, w, c)
become (n, oh, ow, kh, kw, c), of which a view is the matrix (n*oh*ow, kh*kw*c). Only whole windows count.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from symgrad.errors import IndexRangeError, ShapeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import AnySize, ArrayType, Shape
from symgrad.ops import elements
from symgrad.ops.shape import lead, reshape

Ints = tuple[int, ...]


def span(size: int, dilation: int) -> int:
    """How many positions a window reaches over."""
    return (size - 1) * dilation + 1


def count(n: AnySize, size: int, stride: int, dilation: int) -> AnySize:
    """How many whole windows an axis of n positions holds."""
    return (n - span(size, dilation)) // stride + 1


def window(x: Node, axes: Ints, sizes: Ints, strides: Ints, dilations: Ints) -> Node:
    """Every window of x, its offsets on axes of their own behind the last windowed axis; ``axes`` ascend."""
    if set(sizes) == set(strides) == {1}:
        return reshape(x, _shape(x.shape, (axes[-1],), (x.shape[axes[-1]],), sizes))
    return build("window", x, axes=axes, sizes=sizes, strides=strides, dilations=dilations)


def overlap_add(v: Node, axes: Ints, lengths: Shape, strides: Ints, dilations: Ints) -> Node:
    """Zeros of ``lengths`` positions along the axes, with every window of v added where it was read."""
    return build("overlap_add", v, axes=axes, lengths=lengths, strides=strides, dilations=dilations)


def offset_axes(axes: Ints) -> Ints:
    """Where the offsets stand in the windows' array."""
    return tuple(axes[-1] + 1 + i for i in range(len(axes)))


def _shape(shape: Shape, axes: Ints, lengths: Shape, sizes: Shape) -> Shape:
    """``shape`` with other lengths along the axes, and ``sizes`` behind the last of them."""
    new = dict(zip(axes, lengths, strict=True))
    changed = tuple(new.get(i, n) for i, n in enumerate(shape))
    return changed[: axes[-1] + 1] + sizes + changed[axes[-1] + 1 :]


def _window_infer(t: ArrayType, axes: Ints, sizes: Ints, strides: Ints, dilations: Ints) -> ArrayType:
    for axis, size, dilation in zip(axes, sizes, dilations, strict=True):
        n, reach = t.shape[axis], span(size, dilation)
        if isinstance(n, int) and n < reach:
            facts = [("operand", str(t)), ("window", f"{size} positions" + (f", {dilation} apart" * (dilation > 1)))]
            raise ShapeError(f"window: {reach} positions do not fit into axis {axis} of size {n}", *facts)
    counts = tuple(count(t.shape[a], *rest) for a, *rest in zip(axes, sizes, strides, dilations, strict=True))
    return ArrayType(_shape(t.shape, axes, counts, sizes), t.dtype)


def _indices(n: int, size: int, stride: int, dilation: int) -> np.ndarray:
    """The position of offset k of window o, as a matrix."""
    windows = int(count(n, size, stride, dilation))  # type: ignore[arg-type]
    return stride * np.arange(windows)[:, None] + dilation * np.arange(size)


def _window_reference(x: Any, axes: Ints, sizes: Ints, strides: Ints, dilations: Ints) -> Any:
    y = np.asarray(x)
    for i, (axis, size, stride, dilation) in enumerate(zip(axes, sizes, strides, dilations, strict=True)):
        n = y.shape[axis + i]
        if n < span(size, dilation):
            raise IndexRangeError(f"a window of {span(size, dilation)} positions over axis {axis} of size {n}")
        y = np.take(y, _indices(n, size, stride, dilation), axis + i)
    own = [axis + i for i, axis in enumerate(axes)]  # each with its offsets right behind it
    return np.moveaxis(y, [a + 1 for a in own], offset_axes(axes))


def _window_vjp(y_bar: Node, y: Node, x: Node, axes: Ints, sizes: Ints, strides: Ints, dilations: Ints) -> tuple[Node]:
    return (overlap_add(y_bar, axes, tuple(x.shape[a] for a in axes), strides, dilations),)


def _window_jvp(xs_dot: tuple, y: Node, x: Node, axes: Ints, **rest: Any) -> Node:
    k = len(lead(xs_dot[0], x))
    return build("window", xs_dot[0], axes=tuple(a + k for a in axes), **rest)


def _window_latex(x: str, axes: Ints, sizes: Ints, strides: Ints, dilations: Ints) -> str:
    size = r" \times ".join(map(str, sizes))
    return rf"\operatorname{{windows}}_{{{size}}}\left({x}\right)"


register(
    Op(
        "window",
        "index",
        _window_infer,
        vjp=_window_vjp,
        jvp=_window_jvp,
        reference=_window_reference,
        latex=_window_latex,
        samples=(
            (((7,),), {"axes": (0,), "sizes": (3,), "strides": (2,), "dilations": (1,)}),
            (((2, 6, 7, 2),), {"axes": (1, 2), "sizes": (2, 3), "strides": (1, 2), "dilations": (3, 2)}),
            (((5, 3, 8),), {"axes": (0, 2), "sizes": (1, 2), "strides": (3, 4), "dilations": (1, 1)}),
        ),
        source="numpy.lib.stride_tricks.sliding_window_view, with strides and dilations",
        element=elements.windows,
        word="the windows",
        traits=frozenset({"linear"}),
    )
)


def _overlap_infer(t: ArrayType, axes: Ints, lengths: Shape, strides: Ints, dilations: Ints) -> ArrayType:
    for a, k, n, stride, dilation in zip(axes, offset_axes(axes), lengths, strides, dilations, strict=True):
        size = t.shape[k]
        assert isinstance(size, int)
        assert t.shape[a] == count(n, size, stride, dilation), f"{t}: windows of {lengths} along {axes}"
    behind = t.shape[axes[-1] + 1 + len(axes) :]
    return ArrayType(_shape(t.shape[: axes[-1] + 1] + behind, axes, lengths, ()), t.dtype)


def _overlap_reference(v: Any, axes: Ints, lengths: Any, strides: Ints, dilations: Ints) -> Any:
    v = np.moveaxis(np.asarray(v), offset_axes(axes), range(len(axes)))  # v[k] is one element of every window
    sizes, counts = v.shape[: len(axes)], [v.shape[len(axes) + a] for a in axes]
    whole: Any = _shape(v.shape[len(axes) :], axes, tuple(lengths), ())
    y = np.zeros(whole, v.dtype)
    for k in itertools.product(*map(range, sizes)):
        spots: list[Any] = [slice(None)] * y.ndim
        for a, offset, m, stride, dilation in zip(axes, k, counts, strides, dilations, strict=True):
            first = offset * dilation
            spots[a] = slice(first, first + (m - 1) * stride + 1 if m else first, stride)
        y[tuple(spots)] += v[k]
    return y


def _overlap_vjp(y_bar: Node, y: Node, v: Node, axes: Ints, lengths: Shape, **rest: Any) -> tuple[Node]:
    return (build("window", y_bar, axes=axes, sizes=tuple(v.shape[a] for a in offset_axes(axes)), **rest),)


def _overlap_jvp(xs_dot: tuple, y: Node, v: Node, axes: Ints, **rest: Any) -> Node:
    k = len(lead(xs_dot[0], v))
    return build("overlap_add", xs_dot[0], axes=tuple(a + k for a in axes), **rest)


register(
    Op(
        "overlap_add",
        "scatter",
        _overlap_infer,
        vjp=_overlap_vjp,
        jvp=_overlap_jvp,
        reference=_overlap_reference,
        latex=lambda v, axes, lengths, strides, dilations: rf"\operatorname{{overlap}}\left({v}\right)",
        samples=(
            (((3, 3),), {"axes": (0,), "lengths": (8,), "strides": (2,), "dilations": (1,)}),
            (((2, 2, 3, 2, 2, 2),), {"axes": (1, 2), "lengths": (6, 7), "strides": (3, 2), "dilations": (2, 1)}),
        ),
        source="zeros, with windows added where they were read: the transpose of window",
        element=elements.overlapping,
    )
)
