"""One element of the result of a change of index, a reduction or a contraction, in terms of its arguments' elements.

Each function is the ``element`` of an op (see ``ir/element``): it takes the node, the index of the result and a source
of new letters.
"""

from __future__ import annotations

from collections.abc import Callable

from symgrad.ir.element import Bound, Element, Index, Picked, Place, Take, at
from symgrad.ir.node import Node
from symgrad.ir.types import AnySize, Shape

Elements = Element | tuple[Element, ...] | None


def aligned(shape: Shape, whole: Shape, index: Index) -> Index:
    """The index of a broadcast operand: from the right, 0 along axes that it only repeats."""
    offset = len(whole) - len(shape)
    return tuple(at(0) if n == 1 != whole[i + offset] else index[i + offset] for i, n in enumerate(shape))


def spread(node: Node, index: Index, take: Take) -> Elements:
    """What is only repeated."""
    return Element(((0, aligned(node.args[0].shape, node.shape, index)),))


def reshaped(node: Node, index: Index, take: Take) -> Elements:
    """Where axes of length 1 come and go; a vector's row-major position along two axes."""
    (x,) = node.args
    if [n for n in x.shape if n != 1] == [n for n in node.shape if n != 1]:
        places = iter([p for p, n in zip(index, node.shape, strict=True) if n != 1])
        return Element(((0, tuple(at(0) if n == 1 else next(places) for n in x.shape)),))
    if x.type.rank == 1:  # element (i, j) of n columns is element n i + j
        flat = at(0)
        for p, n in zip(index, node.shape, strict=True):
            if not isinstance(n, int) and flat != at(0):
                return None
            flat = flat * n + p if isinstance(n, int) else p
        return Element(((0, (flat,)),))
    return None


def transposed(node: Node, index: Index, take: Take) -> Elements:
    """Axis i of the result is axis perm[i] of x."""
    perm = node["perm"]
    return Element(((0, tuple(index[perm.index(i)] for i in range(len(perm)))),))


def sliced(node: Node, index: Index, take: Take) -> Elements:
    """x[start + step i]."""
    axes = zip(index, node["start"], node["size"], node["step"], strict=True)
    return Element(((0, tuple(at(a) if n == 1 else p * k + a for p, a, n, k in axes)),))


def padded(node: Node, index: Index, take: Take) -> Elements:
    """x[i - start] where that is a position of x, else 0."""
    (x,) = node.args
    if node.params.get("fill", 0.0) or any(k != 1 and n != 1 for k, n in zip(node["step"], x.shape, strict=True)):
        return None
    places, when = [], []
    for p, a, n, m in zip(index, node["start"], x.shape, node.shape, strict=True):
        places.append(at(0) if n == 1 else p + -a)
        when += _within(p, a, n, m)
    return Element(((0, tuple(places)),), when=tuple(when))


def _within(p: Place, start: AnySize, count: AnySize, whole: AnySize) -> list[Bound]:
    """start <= p < start + count, as far as it is no matter of course on an axis of ``whole`` positions."""
    if (start, count) == (0, whole):
        return []
    if count == 1:
        return [Bound(p, "=", at(start))]
    low = [Bound(p, ">=", at(start))] if start != 0 else []
    return [*low, *([Bound(p, "<", at(start + count))] if start + count != whole else [])]


def on_diagonal(node: Node, index: Index, take: Take) -> Elements:
    """x[.., i, .., i, ..]."""
    rest = iter(index[:-1])
    return Element(((0, tuple(index[-1] if i in node["axes"] else next(rest) for i in range(node.type.rank + 1))),))


def diagonal_only(node: Node, index: Index, take: Take) -> Elements:
    """d[i] where both halves of the index agree, else 0."""
    half = len(index) // 2
    agree = tuple(Bound(p, "=", q) for p, q in zip(index[:half], index[half:], strict=True))
    return Element(((0, index[:half]),), when=agree)


def joined(node: Node, index: Index, take: Take) -> Elements:
    """Each part where its positions are."""
    axis, start = node["axis"], 0
    found = []
    for i, x in enumerate(node.args):
        n = x.shape[axis]
        place = at(0) if n == 1 else index[axis] + -start
        places = tuple(place if k == axis else p for k, p in enumerate(index))
        found.append(Element(((i, places),), when=tuple(_within(index[axis], start, n, node.shape[axis]))))
        start = start + n
    return tuple(found)


def contracted(node: Node, index: Index, take: Take) -> Elements:
    """The product, summed over the letters that are not in the result."""
    operands, out = node["spec"].split("->")
    names = dict(zip(out, index, strict=True))
    running = []
    for word, x in zip(operands.split(","), node.args, strict=True):
        for c, n in zip(word, x.shape, strict=True):
            if c not in names:
                names[c] = take(n)
                running.append(names[c])
    reads = tuple((i, tuple(names[c] for c in word)) for i, word in enumerate(operands.split(",")))
    return Element(reads, "sum" if running else "", tuple(running))


def reduced(over: str) -> Callable[[Node, Index, Take], Elements]:
    """The operator over the axes that go."""

    def element(node: Node, index: Index, take: Take) -> Elements:
        (x,), axes, rest = node.args, node["axes"], iter(index)
        inner = tuple(take(n) if i in axes else next(rest) for i, n in enumerate(x.shape))
        running = tuple(p for i, p in enumerate(inner) if i in axes)
        return Element(((0, inner),), over if running else "", running)

    return element


def running_sum(node: Node, index: Index, take: Take) -> Elements:
    """The sum up to a position, or from it to the end."""
    (x,), axis = node.args, node["axis"]
    j = take(x.shape[axis])
    inner = tuple(j if i == axis else p for i, p in enumerate(index))
    return Element(((0, inner),), "sum", (j,), (Bound(j, ">=" if node["reverse"] else "<=", index[axis]),))


def others(node: Node, index: Index, take: Take) -> Elements:
    """The product of all but one."""
    if len(node["axes"]) != 1:
        return None
    (axis,) = node["axes"]
    k = take(node.shape[axis])
    inner = tuple(k if i == axis else p for i, p in enumerate(index))
    return Element(((0, inner),), "prod", (k,), (Bound(k, "!=", index[axis]),))


def gathered(node: Node, index: Index, take: Take) -> Elements:
    """x at the positions that the index holds."""
    axis, picks = node["axis"], node.args[1]
    middle = Place(((1, Picked(1, index[axis : axis + picks.type.rank])),))
    return Element(((0, (*index[:axis], middle, *index[axis + picks.type.rank :])),))


def scattered(node: Node, index: Index, take: Take) -> Elements:
    """What was picked, added up where it was picked from."""
    labels, axis = node.args[0], node["axis"]
    letters = tuple(take(n) for n in labels.shape)
    picked = Place(((1, Picked(0, letters)),))
    inner = (*index[:axis], *letters, *index[axis + 1 :])
    hit = (Bound(picked, "=", index[axis]),)
    return Element(((1, inner),), "sum" if letters else "", letters, when=hit)


def windows(node: Node, index: Index, take: Take) -> Elements:
    """x[.., stride o + dilation k, ..]."""
    axes = node["axes"]
    places = list(index)
    for axis, k, stride, dilation in _offsets(node):
        places[axis] = index[axis] * stride + index[k] * dilation
    del places[axes[-1] + 1 : axes[-1] + 1 + len(axes)]
    return Element(((0, tuple(places)),))


def overlapping(node: Node, index: Index, take: Take) -> Elements:
    """The sum of all windows' elements that stand at a position."""
    (v,), axes = node.args, node["axes"]
    places, offsets, bounds = list(index), [], []
    for axis, k, stride, dilation in _offsets(node):
        position, offset = take(v.shape[axis]), take(v.shape[k])
        bounds.append(Bound(position * stride + offset * dilation, "=", index[axis]))
        places[axis] = position
        offsets.append(offset)
    running = (*(places[a] for a in axes), *offsets)
    inner = (*places[: axes[-1] + 1], *offsets, *places[axes[-1] + 1 :])
    return Element(((0, inner),), "sum", running, tuple(bounds))


def _offsets(node: Node) -> list[tuple[int, int, int, int]]:
    """(axis, axis of its offsets, stride, dilation)."""
    axes = node["axes"]
    behind = tuple(axes[-1] + 1 + i for i in range(len(axes)))
    return list(zip(axes, behind, node["strides"], node["dilations"], strict=True))
