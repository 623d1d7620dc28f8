"""Convolutions and pooling of signals (batch, steps, channels) and images (batch, height, width, channels).

In: tensors, sizes of windows. Out: tensors made of ``window`` with one matrix product, a maximum or a sum. Names,
defaults and the meaning of "same" are those of Keras: as many outputs as there are strides in the input, rounded up;
what is missing is added half before and half behind, the odd one behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.frontend.tensor import Tensor, as_node
from symgrad.ir.node import Node, build, constant
from symgrad.ir.show import described
from symgrad.ir.types import AnySize
from symgrad.ops.contract import einsum
from symgrad.ops.leaf import cast
from symgrad.ops.shape import broadcast, reshape
from symgrad.ops.window import offset_axes, span, window

Ints = tuple[int, ...]
_SPATIAL = {1: ("steps",), 2: ("height", "width")}
_INPUT = {1: "signals (batch, steps, channels)", 2: "images (batch, height, width, channels)"}
_KERNEL = {1: "(size, channels, filters)", 2: "(height, width, channels, filters)"}


@dataclass(frozen=True, slots=True)
class Geometry:
    """The windows along the spatial axes 1, 2, ...: their sizes, strides and dilations, and the padding."""

    name: str
    sizes: Ints
    strides: Ints
    dilations: Ints
    same: bool

    @property
    def axes(self) -> Ints:
        """The spatial axes."""
        return tuple(range(1, 1 + len(self.sizes)))

    def missing(self, n: AnySize, i: int) -> AnySize:
        """How many elements "same" adds along an axis of size n.

        Maths:   max(0, a) with a = (ceil(n/s) - 1) s + reach - n, which lies between reach - s and reach - 1: for a
                 size that is not known yet and reach < s the sum over m = 1, ..., reach - 1 of [a >= m]
        """
        stride, reach = self.strides[i], span(self.sizes[i], self.dilations[i])
        added = ((n + stride - 1) // stride - 1) * stride + reach - n
        if isinstance(added, int):
            return max(added, 0)
        if reach >= stride:
            return added
        total: AnySize = 0
        for m in range(1, reach):
            total = total + (added - m + stride) // stride
        return total


def conv2d(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", dilation: Any = 1) -> Tensor:
    """Convolution of images with a kernel, as networks mean it: the kernel is not flipped.

    Maths:   y_nijf = sum_klc x_{n, i s + k d, j s + l d, c} K_klcf
    Shapes:  x (batch, height, width, channels), kernel (kh, kw, channels, filters); "valid" gives
             floor((height - (kh-1) d - 1)/s) + 1 rows, "same" ceil(height/s)
    Raises:  ShapeError where the axes, the channels or the sizes do not fit
    Source:  Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning

    >>> import symgrad as sg
    >>> sg.conv2d(sg.input("X", ("n", 28, 28, 1)), sg.parameter("K", (3, 3, 1, 8)), padding="same").shape
    (n, 28, 28, 8)
    """
    return _convolution(2, x, kernel, (strides, padding, dilation))


def conv1d(x: Any, kernel: Any, strides: Any = 1, padding: str = "valid", dilation: Any = 1) -> Tensor:
    """Convolution of signals with a kernel, as networks mean it: the kernel is not flipped.

    Maths:   y_nif = sum_kc x_{n, i s + k d, c} K_kcf
    Shapes:  x (batch, steps, channels), kernel (size, channels, filters)
    Raises:  ShapeError where the axes, the channels or the sizes do not fit
    Source:  Dumoulin and Visin 2016

    >>> import symgrad as sg
    >>> sg.conv1d(sg.input("X", ("n", "m", 2)), sg.parameter("K", (3, 2, 5)), strides=2).shape
    (n, (m+1)//2-1, 5)
    """
    return _convolution(1, x, kernel, (strides, padding, dilation))


def max_pool2d(x: Any, pool_size: Any = 2, strides: Any = None, padding: str = "valid") -> Tensor:
    """Largest element of every window of images; ties share the gradient; padding never wins.

    Shapes:  x (batch, height, width, channels); the stride is the size of the window if none is given
    Raises:  ShapeError where the axes or the sizes do not fit
    Source:  keras.layers.MaxPooling2D

    >>> import symgrad as sg
    >>> sg.max_pool2d(sg.input("X", ("n", 28, 28, 8))).shape
    (n, 14, 14, 8)
    """
    node, geometry = _pooling("max_pool2d", x, (pool_size, strides, padding))
    windows = _windows(node, geometry, -np.inf)
    return Tensor(build("max_reduce", windows, axes=offset_axes(geometry.axes)))


def average_pool2d(x: Any, pool_size: Any = 2, strides: Any = None, padding: str = "valid") -> Tensor:
    """Mean of every window of images, over the elements that are in the image.

    Shapes:  x (batch, height, width, channels); the stride is the size of the window if none is given
    Raises:  ShapeError where the axes or the sizes do not fit
    Source:  keras.layers.AveragePooling2D

    >>> import symgrad as sg
    >>> sg.average_pool2d(sg.input("X", ("n", 7, 7, 8)), pool_size=3, strides=2, padding="same").shape
    (n, 4, 4, 8)
    """
    node, geometry = _pooling("average_pool2d", x, (pool_size, strides, padding))
    total = build("sum", _windows(node, geometry, 0.0), axes=offset_axes(geometry.axes))
    if not geometry.same:
        return Tensor(total / float(np.prod(geometry.sizes)))
    ones = broadcast(constant(1.0), (1, *node.shape[1:-1], 1))
    present = build("sum", _windows(ones, geometry, 0.0), axes=offset_axes(geometry.axes))
    return Tensor(total / reshape(present, present.shape[1:]))


def _convolution(rank: int, x: Any, kernel: Any, options: tuple[Any, str, Any]) -> Tensor:
    """Windows times kernel, one product of matrices."""
    name = f"conv{rank}d"
    node, weights = (cast(as_node(v), "real") for v in (x, kernel))
    facts = (("input", described(node)), ("kernel", described(weights)))
    _check_rank(name, node, rank)
    if weights.type.rank != rank + 2:
        raise ShapeError(f"{name}: the kernel has {weights.type.rank} axes", *facts, fix=f"declare it {_KERNEL[rank]}")
    if not all(isinstance(n, int) and n > 0 for n in weights.shape[:rank]):
        raise ShapeError(f"{name}: the size of the kernel must be known", *facts, fix="declare it as numbers")
    if node.shape[-1] != weights.shape[-2]:
        text = f"{name}: the input has {node.shape[-1]} channels, the kernel takes {weights.shape[-2]}"
        raise ShapeError(text, *facts, fix=f"declare the kernel {_KERNEL[rank]} with channels = {node.shape[-1]}")
    strides, padding, dilation = options
    sizes: Any = weights.shape[:rank]
    steps = (_numbers(name, "strides", strides, rank), _numbers(name, "dilation", dilation, rank))
    geometry = Geometry(name, sizes, *steps, _is_same(name, padding))
    windows = _windows(node, geometry, 0.0)
    offsets = "klm"[:rank]
    positions = "abh"[: rank + 1]
    return Tensor(einsum(f"{positions}{offsets}c,{offsets}cf->{positions}f", windows, weights))


def _pooling(name: str, x: Any, options: tuple[Any, Any, str]) -> tuple[Node, Geometry]:
    node = cast(as_node(x), "real")
    pool_size, strides, padding = options
    _check_rank(name, node, 2)
    sizes = _numbers(name, "pool_size", pool_size, 2)
    steps = sizes if strides is None else _numbers(name, "strides", strides, 2)
    return node, Geometry(name, sizes, steps, (1, 1), _is_same(name, padding))


def _check_rank(name: str, node: Node, rank: int) -> None:
    if node.type.rank != rank + 2:
        fix = "reshape it; one more axis of length 1 for the channels may be missing"
        raise ShapeError(f"{name} takes {_INPUT[rank]}", ("input", described(node)), fix=fix)


def _numbers(name: str, what: str, value: Any, rank: int) -> Ints:
    """A positive integer for each spatial axis, from one or several."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n > 0 for n in given)
    if len(given) != rank or not whole:
        kind = "a positive integer" + (f", or {rank} of them" if rank > 1 else "")
        raise ShapeError(f"{name}: {what} must be {kind}", (what, repr(value)[:40]))
    return tuple(int(n) for n in given)


def _is_same(name: str, padding: Any) -> bool:
    known = str(padding).lower()
    if known not in ("valid", "same"):
        raise ShapeError(f"{name}: padding {str(padding)[:40]!r} is not known", fix='use "valid" or "same"')
    return known == "same"


def _windows(x: Node, geometry: Geometry, fill: float) -> Node:
    """The windows of the input, padded if need be."""
    axes, rest = geometry.axes, (geometry.sizes, geometry.strides, geometry.dilations)
    if geometry.same:
        x = _padded(x, geometry, fill)
    for axis, word, size, dilation in zip(axes, _SPATIAL[len(axes)], geometry.sizes, geometry.dilations, strict=True):
        n, reach = x.shape[axis], span(size, dilation)
        if isinstance(n, int) and n < reach:
            text = f"{geometry.name}: a window of {reach} does not fit into {word} {n}"
            raise ShapeError(text, ("input", described(x)), fix='use padding="same", or a smaller window')
    return window(x, axes, *rest)


def _padded(x: Node, geometry: Geometry, fill: float) -> Node:
    missing = {axis: geometry.missing(x.shape[axis], i) for i, axis in enumerate(geometry.axes)}
    if not any(missing.values()):
        return x
    shape = tuple(n + missing.get(axis, 0) for axis, n in enumerate(x.shape))
    start = tuple(missing[axis] // 2 if axis in missing else 0 for axis in range(x.type.rank))
    more = {"fill": fill} if fill else {}
    return build("pad", x, shape=shape, start=start, step=(1,) * x.type.rank, **more)


__all__ = ["average_pool2d", "conv1d", "conv2d", "max_pool2d"]
