"""What named sizes must be for slices to stay inside their axes, and for every array to have a size of 0 or more.

A condition is a size that must not be negative: n - 3 for x[3:]. Those that hold for all sizes (which are 0 or
more) are not tested; the others leave before anything is allocated or read.
"""

from __future__ import annotations

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
    for axis, offset, dilation in zip(node["axes"], offset_axes(node["axes"]), node["dilations"], strict=True):
        reach = span(y.shape[offset], dilation)  # type: ignore[arg-type]
        condition = x.shape[axis] - reach
        if not _always(condition):
            what = f"a window of {reach} positions over axis {axis}{_of(x)} of size {x.shape[axis]}"
            found.setdefault(condition, what)
    return [y.shape[axis] for axis in node["axes"]]


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
    return least is not None and least >= 0


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
