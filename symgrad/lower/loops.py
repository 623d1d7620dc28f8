"""Map and reduce kernels: one loop nest that computes several arrays and accumulates several reductions.

In: a ``Kernel``, the nodes computed over one domain. Out: statements. The nest is collapsed to one flat loop where
every array is read in storage order. A reduction over the innermost axes has a local accumulator, one whose innermost
axis is kept accumulates into its result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.ir.expression import Expr, apply
from symgrad.ir.node import Node
from symgrad.ir.program import Exit, If, Store
from symgrad.ir.types import Shape
from symgrad.lower.access import MOVING
from symgrad.lower.accumulate import Build, Reduction, squeezed_axes
from symgrad.lower.fission import CHECKS, LONG, checks
from symgrad.lower.frame import Frame, count
from symgrad.lower.lanes import survey
from symgrad.lower.nest import Nest, is_short
from symgrad.lower.reduction import is_folded
from symgrad.lower.sizes import Flat, Index, moved, squeeze

EXTREMES = ("max_reduce", "min_reduce", "argmax", "argmin")


@dataclass(frozen=True, slots=True)
class Part:
    """``value`` is stored into ``buffer`` (a node) at start + step*index on every axis; None: at the index itself."""

    buffer: Node
    value: Node
    start: tuple | None = None
    step: tuple = ()


@dataclass(slots=True)
class Kernel:
    """What one nest over ``domain`` (without axes of length 1) computes."""

    domain: Shape
    parts: list[Part] = field(default_factory=list)
    reductions: list[Node] = field(default_factory=list)

    @property
    def here(self) -> frozenset[Node]:
        """The arrays whose elements are computed and stored in the same iteration."""
        return frozenset(part.buffer for part in self.parts if part.start is None)


def emit_kernel(frame: Frame, kernel: Kernel) -> None:
    """The statements of a kernel."""
    for part in kernel.parts:
        frame.allocate(part.buffer, part.buffer.params.get("fill", 0) if part.buffer.op.name == "pad" else None)
    for node in kernel.reductions:
        check_not_empty(frame, node)
    flat = is_flat(frame, kernel)
    sizes = (count(kernel.domain),) if flat else kernel.domain
    folded = any(is_folded(r.op.name, frame.kind(r)) for r in kernel.reductions if _innermost_reduced(r, flat))
    found = survey(frame, kernel_values(kernel), kernel.here)
    heavy = found.wide or found.chain > LONG or checks(len(kernel.here), found.arrays) > CHECKS
    nest = Nest(frame, sizes, kernel.here, blocked=folded or heavy)
    nest.guarded = found.wide and nest.blocked
    build = Build(frame, nest, flat, nest.blocked and heavy)
    pairs = [(part.value, build.index(part.value.shape)) for part in kernel.parts]
    pairs += [(r.args[0], build.index(r.args[0].shape)) for r in kernel.reductions]
    reductions = [Reduction(build, node, n) for n, node in enumerate(kernel.reductions)]
    values = nest.write(pairs)
    for part, (_, index), expr in zip(kernel.parts, pairs, values, strict=False):
        nest.inner(_store(build, part, index, expr))
    for reduction, expr in zip(reductions, values[len(kernel.parts) :], strict=True):
        reduction.take(expr)
    nest.close()
    for reduction in reductions:
        reduction.finish()


def kernel_values(kernel: Kernel) -> list[Node]:
    """The nodes whose elements the innermost body computes."""
    return [part.value for part in kernel.parts] + [r.args[0] for r in kernel.reductions]


def _innermost_reduced(node: Node, flat: bool) -> bool:
    axes, rank = squeezed_axes(node)
    return flat or rank - 1 in axes


def is_flat(frame: Frame, kernel: Kernel) -> bool:
    """Whether every array that the kernel touches is read and written in storage order over the whole domain."""
    if len(kernel.domain) == 0 or (len(kernel.domain) > 1 and is_short(count(kernel.domain))):
        return False
    if any(part.start is not None for part in kernel.parts):
        return False
    if any(len(squeezed_axes(r)[0]) < len(kernel.domain) or r.op.name.startswith("arg") for r in kernel.reductions):
        return False
    stack, seen = kernel_values(kernel), set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node in frame.scalars or (node in frame.buffers and node not in kernel.here) or node.op.kind == "leaf":
            if squeeze(node.shape) not in ((), kernel.domain) or (node.op.name == "iota" and len(kernel.domain) > 1):
                return False
        elif node.op.name in MOVING or squeeze(node.shape) not in ((), kernel.domain):
            return False
        else:
            stack.extend(node.args)
    return True


def check_not_empty(frame: Frame, node: Node) -> None:
    """An extreme of nothing has no value."""
    if node.op.name not in EXTREMES or node.params.get("lowest"):
        return
    reduced = [node.args[0].shape[d] for d in node["axes"]]
    if all(isinstance(n, int) and n > 0 for n in reduced):
        return
    name = node.op.name.removesuffix("_reduce")
    text = " x ".join(str(n) for n in reduced)
    empty = apply("eq", frame.size(count(tuple(reduced))), 0)
    check = If(empty, (Exit("value", f"{name} of an empty axis (size {text})"),))
    if check not in frame.checks:
        frame.checks.append(check)


def _store(build: Build, part: Part, index: Index, expr: Expr) -> Store:
    """An element into its place."""
    if part.start is not None:
        assert not isinstance(index, Flat)
        index = tuple(moved(a, s, k) for a, s, k in zip(index, part.start, part.step, strict=True))
    buffer, spots = build.frame.target(build.frame.buffers[part.buffer], index)
    return Store(buffer, spots, expr, **build.frame.mark(part.buffer))
