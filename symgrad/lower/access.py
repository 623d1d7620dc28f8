"""Which elements a node's element is made of: changes of index.

``reads(node, index)`` lists the arguments with the index at which each is read.
"""

from __future__ import annotations

from collections.abc import Callable

from symgrad.ir.node import Node
from symgrad.ir.types import Shape
from symgrad.lower.sizes import ZERO, Axis, Flat, Index, joined, moved, squeeze

MOVING = frozenset(("transpose", "slice", "diagonal", "window"))  # element i of the result is not element i of x


def is_relabel(node: Node) -> bool:
    """Whether a reshape only adds or drops axes of length 1."""
    return squeeze(node.shape) == squeeze(node.args[0].shape)


def is_view(node: Node) -> bool:
    """A reshape that regroups axes: the same memory with another shape."""
    return node.op.name == "reshape" and not is_relabel(node)


def reads(node: Node, index: Index) -> list[tuple[Node, Index]]:
    """The arguments of an element-wise node or change of index, each with the index of the element read."""
    if isinstance(index, Flat):
        return [(a, index if squeeze(a.shape) else (ZERO,) * a.type.rank) for a in _flat_args(node)]
    if node.op.name == "constant_like":
        return []
    rule = _MAPS.get(node.op.name)
    if rule is not None:
        return [(node.args[0], rule(node, index))]
    if not index:
        return [(a, ()) for a in node.args]
    return [(a, broadcast_index(a.shape, index)) for a in node.args]


def _flat_args(node: Node) -> tuple[Node, ...]:
    return () if node.op.name == "constant_like" else node.args


def broadcast_index(shape: Shape, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The index into an operand of that shape which broadcasts."""
    if not shape:
        return ()
    own = index[len(index) - len(shape) :]
    return tuple(ZERO if n == 1 else axis for n, axis in zip(shape, own, strict=True))


def identity(shape: Shape, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The index of an array's own element, ``axes`` being those of its shape without ones."""
    rest = iter(axes)
    return tuple(ZERO if n == 1 else next(rest) for n in shape)


def _reshape(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    kept = tuple(axis for axis, n in zip(index, node.shape, strict=True) if n != 1)
    return identity(node.args[0].shape, kept)


def _transpose(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    inverse = sorted(range(len(index)), key=lambda i: node["perm"][i])
    return tuple(index[i] for i in inverse)


def _broadcast(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    return broadcast_index(node.args[0].shape, index)


def _slice(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    return tuple(moved(a, s, k) for a, s, k in zip(index, node["start"], node["step"], strict=True))


def _diagonal(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    rest = iter(index[:-1])
    return tuple(index[-1] if d in node["axes"] else next(rest) for d in range(node.args[0].type.rank))


def covered(node: Node, index: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """What an element of an array of windows was read from, or (of ``overlap_add``) is added to."""
    axes = node["axes"]
    behind = axes[-1] + 1
    own = list(index[:behind])
    offsets = index[behind : behind + len(axes)]
    for axis, offset, stride, dilation in zip(axes, offsets, node["strides"], node["dilations"], strict=True):
        own[axis] = joined(moved(own[axis], 0, stride), moved(offset, 0, dilation))
    return (*own, *index[behind + len(axes) :])


_MAPS: dict[str, Callable[[Node, tuple[Axis, ...]], tuple[Axis, ...]]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "slice": _slice,
    "diagonal": _diagonal,
    "window": covered,
}
