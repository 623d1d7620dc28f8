"""What named sizes must be for slices to stay inside their axes, and for every array to have a size of 0 or more.

A condition is a size that must not be negative: n - 3 for x[3:]. Those that hold for all sizes (which are 0 or
more) are not tested; the others leave before anything is allocated or read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from symgrad.ir.expression import apply
from symgrad.ir.node import Node
from symgrad.ir.program import Exit, If, Statement
from symgrad.ir.show import label
from symgrad.ir.types import AnySize, Quotient, Shape, Size, size_product
from symgrad.lower.frame import Frame
from symgrad.ops.span import room
from symgrad.ops.window import offset_axes, span


def size_checks(frame: Frame, order: list[Node]) -> list[Statement]:
    """The tests that a function makes of its sizes, each condition once, slices first."""
    found: dict[AnySize, str] = {}
    settled: set[AnySize] = set()
    computed = [n for n in order if n not in frame.inputs and (n.type.rank or n.args)]
    for node in computed:
        if node.op.name in ("slice", "pad"):
            _add_slice(found, node)
        elif node.op.name in ("window", "overlap_add"):
            settled.update(_add_window(found, node))
        elif node.op.name == "reshape":
            settled.update(_products(node.args[0].shape))
    for shape in dict.fromkeys(n.shape for n in computed if n.type.rank):
        for size in shape:
            if size not in settled and not _always(size):
                found.setdefault(size, f"an array of size {size}")
    return [_check(frame, condition, what) for condition, what in found.items()]


def _products(shape: Shape) -> list[AnySize]:
    """Of neighbouring sizes, two or more: not negative where the sizes are not."""
    return [size_product(shape[i:j]) for i in range(len(shape)) for j in range(i + 2, len(shape) + 1)]


def _add_slice(found: dict[AnySize, str], node: Node) -> None:
    """The conditions of a slice; those of a pad are of the slice that it transposes."""
    x, y = (node.args[0], node) if node.op.name == "slice" else (node, node.args[0])
    for axis, cut in enumerate(zip(y.shape, x.shape, node["start"], node["step"], strict=True)):
        for condition in room(*cut):
            if not _always(condition):
                found.setdefault(condition, f"{_written(*cut)} of axis {axis}{_of(x)} of size {x.shape[axis]}")


def _add_window(found: dict[AnySize, str], node: Node) -> list[AnySize]:
    """At least one whole window fits (of an overlap-add into what it makes); the numbers of windows, then settled."""
    x, y = (node.args[0], node) if node.op.name == "window" else (node, node.args[0])
    axes = node["axes"]
    for i, (axis, offset) in enumerate(zip(axes, offset_axes(axes), strict=True)):
        reach = span(y.shape[offset], node["dilations"][i])  # type: ignore[arg-type]
        length = x.shape[axis]
        if axis == axes[-1] and node.args[0].op.name == "reshape":  # runs of positions with all axes behind
            width = math.gcd(reach, node["strides"][i], *_coefficients(length))
            reach, length = reach // width, length // width
        if not _always(length - reach):
            what = f"a window of {reach} positions over axis {axis}{_of(_unshaped(x))} of size {length}"
            found.setdefault(length - reach, what)
    return [y.shape[axis] for axis in axes]


def _coefficients(size: AnySize) -> list[int]:
    return [size] if isinstance(size, int) else [n for _, n in size.terms]


def _unshaped(x: Node) -> Node:
    return x.args[0] if x.op.name == "reshape" else x


def _written(count: AnySize, whole: AnySize, start: AnySize, step: int) -> str:
    """The slice as a user would write it: ``slice 3:``, ``slice :-1``, ``index -3``."""
    stop = start + count * step
    if count == 1:
        return f"index {_bound(start, whole)}"
    first = "" if start == (0 if step > 0 else whole - 1) else _bound(start, whole)
    if abs(step) > 1:  # where the user let it end is not known any more
        return f"slice {first}::{step}"
    last = "" if stop == (whole if step > 0 else -1) else _bound(stop, whole)
    return f"slice {first}:{last}" + (f":{step}" if step != 1 else "")


def _bound(position: AnySize, whole: AnySize) -> AnySize:
    """A position as counted from the end, if that is how it is known."""
    from_end = position - whole
    return from_end if isinstance(from_end, int) and from_end < 0 else position


def _of(x: Node) -> str:
    return f" of {label(x)}" if x.op.name in ("variable", "named") else ""


def _always(size: AnySize) -> bool:
    """Whether the size is 0 or more whatever the named sizes are."""
    least = _least(size)
    return (least is not None and least >= 0) or _holds_in_a_period(size)


def _holds_in_a_period(size: AnySize) -> bool:
    """A proof for one named size n and no products of it.

    Maths:   with a period p of all the remainders, f(n + p) = f(n) + c for every n: f >= 0 if it is on 0, ..., p-1 and
             c = f(p) - f(0) >= 0
    """
    if isinstance(size, int) or len(size.names()) != 1 or any(len(atoms) > 1 for atoms, _ in size.terms):
        return False
    period = _period(size)
    if period == 0 or period > _LONGEST_PERIOD:
        return False
    (name,) = size.names()
    values: list[int] = [size.substitute({name: n}) for n in range(period + 1)]  # type: ignore[misc]
    return min(values) >= 0 and values[-1] >= values[0]


_LONGEST_PERIOD = 1024


def _period(size: AnySize) -> int:
    """How far n moves until all floor divisions have moved by whole numbers; 0 if products stand in them."""
    found = 1
    for atoms, _ in () if isinstance(size, int) else size.terms:
        if len(atoms) > 1:
            return 0
        for atom in atoms:
            if not isinstance(atom, str):
                found = math.lcm(found, atom.divisor * _period(atom.numerator))
    return found


def _least(size: AnySize) -> int | None:
    """A lower bound for all named sizes >= 0; None where there may be none."""
    if isinstance(size, int):
        return size
    total = 0
    for atoms, factor in size.terms:
        bounds = [_least_atom(a) for a in atoms]
        if not atoms:
            total += factor
        elif factor < 0 or any(b is None or (b < 0 and len(atoms) > 1) for b in bounds):
            return None
        else:
            total += factor * _product(bounds)
    return total


def _least_atom(atom: str | Quotient) -> int | None:
    if isinstance(atom, str):
        return 0
    least = _least(atom.numerator)
    return None if least is None else least // atom.divisor


def _product(bounds: Iterable[int | None]) -> int:
    total = 1
    for b in bounds:
        total *= b or 0
    return total


def _check(frame: Frame, condition: AnySize, what: str) -> Statement:
    """Leave unless the condition, its negative terms on the right, holds."""
    terms: tuple = condition.terms if isinstance(condition, Size) else (((), condition),)
    left, right = _sum(t for t in terms if t[1] > 0), -_sum(t for t in terms if t[1] < 0)
    needs = f"{left} must be at least {right}" if isinstance(condition, Size) else "no size allows it"
    leave = Exit("index", f"{what}: {needs}")
    if isinstance(left, int) and isinstance(right, int):
        return leave
    if isinstance(left, int):
        return If(apply("gt", frame.size(right), left), (leave,))
    return If(apply("lt", frame.size(left), frame.size(right)), (leave,))


def _sum(terms: Iterable[tuple]) -> AnySize:
    total: AnySize = 0
    for term in terms:
        total = total + Size((term,)) if term[0] else total + term[1]
    return total
