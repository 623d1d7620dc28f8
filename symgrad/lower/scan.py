"""Running sums, products of all the others, and positions of extremes: loops in order along an axis."""

from __future__ import annotations

from symgrad.ir.expression import Expr, apply, const, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate, Assign, Store
from symgrad.lower.access import identity
from symgrad.lower.frame import Frame
from symgrad.lower.loops import check_not_empty
from symgrad.lower.nest import Nest
from symgrad.lower.reduction import FOLDS
from symgrad.lower.sizes import Axis, Index, squeeze


def _line_last(shape: tuple, axes: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Axes that are not of length 1: those outside the line, and those along it."""
    real = [d for d, n in enumerate(shape) if n != 1]
    return [d for d in real if d not in axes], [d for d in real if d in axes]


def _index(shape: tuple, order: list[int], axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """The index of an element where loop number n runs over axis order[n]."""
    spots = dict(zip(order, axes, strict=True))
    return identity(shape, tuple(spots[d] for d in sorted(spots)))


def _backwards(axis: Axis, size: object) -> Axis:
    return Axis(axis.var, -1, size - 1)  # type: ignore[operator]


def emit_cumsum(frame: Frame, node: Node) -> None:
    """y_i = x_0 + ... + x_i along the axis, from its end if reversed."""
    shape = node.shape
    outside, line = _line_last(shape, (node["axis"],))
    buffer = frame.allocate(node)
    nest = Nest(frame, tuple(shape[d] for d in outside + line))
    axes = nest.axes
    if node["reverse"] and line:
        axes = (*axes[:-1], _backwards(axes[-1], shape[line[0]]))
    index = _index(shape, outside + line, axes)
    dtype = frame.kind(node)
    total = frame.fresh("total")
    nest.before[len(outside)].append(Assign(total, const(0, dtype)))
    (term,) = nest.write([(node.args[0], index)])
    nest.inner(Accumulate(total, None, "add", term))
    nest.inner(Store(*frame.target(buffer, index), var(total, dtype), **frame.mark(node)))
    nest.close()


def emit_prod_others(frame: Frame, node: Node) -> None:
    """The product before times the product behind, right where factors are 0."""
    buffer = frame.allocate(node)
    shape, dtype = node.shape, frame.kind(node)
    outside, line = _line_last(shape, node["axes"])
    for behind in (False, True):
        nest = Nest(frame, tuple(shape[d] for d in outside + line))
        axes = nest.axes
        if behind:
            turned = (_backwards(x, shape[d]) for x, d in zip(axes[len(outside) :], line, strict=True))
            axes = (*axes[: len(outside)], *turned)
        index = _index(shape, outside + line, axes)
        product = frame.fresh("product")
        nest.before[len(outside)].append(Assign(product, const(1, dtype)))
        name, spots = frame.target(buffer, index)
        value: Expr = var(product, dtype)
        nest.inner(Store(name, spots, load(name, spots, dtype) * value if behind else value, **frame.mark(node)))
        nest.inner(Accumulate(product, None, "mul", frame.element(node.args[0], index)))
        nest.close()


def emit_position(frame: Frame, node: Node) -> None:
    """The first position of the extreme along an axis; NaN counts as extreme."""
    (x,) = node.args
    check_not_empty(frame, node)
    outside, line = _line_last(x.shape, node["axes"])
    nest = Nest(frame, tuple(x.shape[d] for d in outside + line))
    index: Index = _index(x.shape, outside + line, nest.axes)
    fold = FOLDS["max_reduce" if node.op.name == "argmax" else "min_reduce"]
    dtype = frame.kind(x)
    best, at = frame.fresh("best"), frame.name(node) if not node.type.rank else None
    at = at or frame.fresh("at")
    head = nest.before[len(outside)]
    head.append(Assign(best, const(fold.neutral[dtype], dtype)))
    head.append(Assign(at, const(0, "i64")))
    (term,) = nest.write([(x, index)])
    value, wins = frame.fresh("t"), frame.fresh("wins")
    nest.inner(Assign(value, term))
    nest.inner(Assign(wins, _wins(fold.better, var(value, dtype), var(best, dtype))))
    nest.inner(Assign(at, select(var(wins, "bool"), frame.place(nest.axes[-1]), var(at, "i64"))))
    nest.inner(Assign(best, select(var(wins, "bool"), var(value, dtype), var(best, dtype))))
    if not squeeze(node.shape) and not node.type.rank:
        nest.close()
        frame.scalars[node] = var(at, "i64")
        return
    buffer = frame.allocate(node)
    own = identity(node.shape, nest.axes[: len(outside)])
    target, spots = frame.target(buffer, own)
    behind = nest.after[len(outside)]
    behind.append(Store(target, spots, var(at, "i64"), **frame.mark(node)))
    nest.close()


def _wins(better: str, new: Expr, old: Expr) -> Expr:
    if new.dtype == "i64":
        return apply(better, new, old)
    if new.dtype == "bool":
        return new & ~old if better == "gt" else ~new & old
    return apply(better, new, old) | (apply("ne", new, new) & apply("eq", old, old))
