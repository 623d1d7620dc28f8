"""Gather and scatter-add: loops with an index that is read, checked before memory is touched."""

from __future__ import annotations

from symgrad.ir.expression import Expr, const, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate, Assign, Exit, If, Store
from symgrad.ir.types import AnySize, ArrayType
from symgrad.lower.access import identity
from symgrad.lower.frame import Frame
from symgrad.lower.nest import Nest
from symgrad.lower.sizes import Axis, squeeze


def _check(frame: Frame, index: Node, size: AnySize, axis: int) -> None:
    """Leave if an index is outside -size .. size-1; a given index is tested first of all."""
    ahead = len(frame.body)
    bad = frame.fresh("outside")
    frame.body.append(Assign(bad, const(False, "bool")))
    nest = Nest(frame, squeeze(index.shape))
    (k,) = nest.write([(index, identity(index.shape, nest.axes))])
    if k.op not in ("var", "const"):
        name = frame.fresh("t")
        nest.inner(Assign(name, k))
        k = var(name, "i64")
    n = frame.size(size)
    nest.inner(Accumulate(bad, None, "or", (k < -n) | (k >= n)))
    nest.close()
    message = f"take: index out of range for axis {axis} of size {size}"
    frame.body.append(If(var(bad, "bool"), (Exit("index", message),)))
    if index in frame.inputs:
        frame.checks += frame.body[ahead:]
        del frame.body[ahead:]


def _domain(x: ArrayType, index: Node, axis: int) -> tuple[tuple, slice]:
    """The axes of the gathered array, and which of them belong to the index."""
    shape = x.shape[:axis] + index.shape + x.shape[axis + 1 :]
    return shape, slice(axis, axis + index.type.rank)


class _Walk:
    """Loops over the gathered array, with the position that the index gives."""

    def __init__(self, frame: Frame, index: Node, shape: tuple, own: slice, size: AnySize) -> None:
        self.frame = frame
        self.nest = Nest(frame, squeeze(shape))
        self.spots = identity(shape, self.nest.axes)
        inner = self.spots[own]
        (k,) = self.nest.write([(index, inner)])
        position = frame.fresh("at")
        deepest = [d for d, a in enumerate(self.nest.axes) if a in inner]
        level = max(deepest) + 1 if deepest else 0
        if k.op not in ("var", "const"):
            raw = frame.fresh("t")
            self.nest.before[level].append(Assign(raw, k))
            k = var(raw, "i64")
        self.nest.before[level].append(Assign(position, select(k < 0, k + frame.size(size), k)))
        self.position = var(position, "i64")
        self.own = own

    def place(self) -> tuple[Expr, ...]:
        """The element's position in the array that is indexed."""
        outer, inner = self.spots[: self.own.start], self.spots[self.own.stop :]
        return (*map(self._at, outer), self.position, *map(self._at, inner))

    def _at(self, axis: Axis) -> Expr:
        return self.frame.place(axis)


def emit_gather(frame: Frame, node: Node) -> None:
    """y[.., i, ..] = x[.., index[i], ..]."""
    x, index = node.args
    axis = node["axis"]
    _check(frame, index, x.shape[axis], axis)
    shape, own = _domain(x.type, index, axis)
    if node.type.rank:
        frame.allocate(node)
    walk = _Walk(frame, index, shape, own, x.shape[axis])
    value = load(frame.buffer(x), walk.place(), frame.kind(x))
    if node.type.rank:
        buffer, spots = frame.target(frame.buffers[node], walk.spots)
        walk.nest.inner(Store(buffer, spots, value, **frame.mark(node)))
    else:
        name = frame.name(node) or frame.fresh("t")
        walk.nest.inner(Assign(name, value, **frame.mark(node)))
        frame.scalars[node] = var(name, frame.kind(node))
    walk.nest.close()


def emit_scatter(frame: Frame, node: Node) -> None:
    """y = 0, then y[.., index[i], ..] += v[.., i, ..] in order."""
    index, v = node.args
    axis = node["axis"]
    _check(frame, index, node["size"], axis)
    frame.allocate(node, 0)
    own = slice(axis, axis + index.type.rank)
    walk = _Walk(frame, index, v.shape, own, node["size"])
    (value,) = walk.nest.write([(v, walk.spots)])
    walk.nest.inner(Accumulate(frame.buffers[node], walk.place(), "add", value, **frame.mark(node)))
    walk.nest.close()
