"""Map and reduce kernels: one loop nest that computes several arrays and accumulates several reductions.

In: a ``Kernel``, the nodes computed over one domain. Out: statements. The nest is collapsed to one flat loop where
every array is read in storage order. A reduction over the innermost axes has a local accumulator, one whose innermost
axis is kept accumulates into its result.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.ir.node import Node
from symgrad.ir.program import (
    Assign,
    Exit,
    Expr,
    If,
    Loop,
    Statement,
    Store,
    apply,
    call,
    const,
    load,
    select,
    var,
)
from symgrad.ir.types import Shape
from symgrad.lower.access import identity, moved
from symgrad.lower.frame import Frame, count
from symgrad.lower.fission import LONG
from symgrad.lower.lanes import survey
from symgrad.lower.nest import Nest, is_short
from symgrad.lower.reduction import combined, is_folded, start, take_in, take_in_exactly
from symgrad.lower.sizes import Axis, Flat, Index, integer, squeeze

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
        frame.allocate(part.buffer, 0 if part.buffer.op.name == "pad" else None)
    for node in kernel.reductions:
        check_not_empty(frame, node)
    flat = is_flat(frame, kernel)
    sizes = (count(kernel.domain),) if flat else kernel.domain
    folded = any(is_folded(r.op.name, frame.kind(r)) for r in kernel.reductions if _innermost_reduced(r, flat))
    guarded, cost = survey(frame, kernel_values(kernel), kernel.here)
    nest = Nest(frame, sizes, kernel.here, blocked=folded or guarded or cost > LONG)
    nest.guarded = guarded and nest.blocked
    build = _Build(frame, nest, flat, nest.blocked and (guarded or cost > LONG))
    pairs = [(part.value, build.index(part.value.shape)) for part in kernel.parts]
    pairs += [(r.args[0], build.index(r.args[0].shape)) for r in kernel.reductions]
    reductions = [Reduction(build, node, n) for n, node in enumerate(kernel.reductions)]
    values = nest.write(pairs)
    for part, (value, index), expr in zip(kernel.parts, pairs, values, strict=False):
        nest.inner(build.store(part, index, expr))
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


def squeezed_axes(node: Node) -> tuple[tuple[int, ...], int]:
    """The reduced axes counted without axes of length 1, and the rank of that domain."""
    kept = [d for d, n in enumerate(node.args[0].shape) if n != 1]
    return tuple(kept.index(d) for d in node["axes"] if d in kept), len(kept)


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
        elif node.op.name in ("transpose", "slice", "diagonal") or squeeze(node.shape) not in ((), kernel.domain):
            return False
        else:
            stack.extend(node.args)
    return True


def check_not_empty(frame: Frame, node: Node) -> None:
    """An extreme of nothing has no value."""
    if node.op.name not in EXTREMES:
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


class _Build:
    """What the parts of one kernel share: the nest, and how its loops index an array of the domain's shape."""

    def __init__(self, frame: Frame, nest: Nest, flat: bool, via_scratch: bool) -> None:
        self.frame, self.nest, self.flat, self.via_scratch = frame, nest, flat, via_scratch

    def index(self, shape: Shape) -> Index:
        """The index of the present element of an array whose shape is the domain, with ones."""
        if self.flat:
            return Flat(self.nest.loops[0])
        return identity(shape, self.nest.axes)

    def store(self, part: Part, index: Index, expr: Expr) -> Store:
        if part.start is not None:
            assert not isinstance(index, Flat)
            index = tuple(moved(a, s, k) for a, s, k in zip(index, part.start, part.step, strict=True))
        buffer, spots = self.frame.target(self.frame.buffers[part.buffer], index)
        return Store(buffer, spots, expr, **self.frame.mark(part.buffer))


class Reduction:
    """One accumulator of a nest.

    ``level`` is the first of the innermost axes that are all reduced: the accumulator lives in the body of the loop
    outside it. Reduced axes further out make the result an accumulating buffer.
    """

    def __init__(self, build: _Build, node: Node, number: int) -> None:
        self.build, self.node, self.number = build, node, number
        self.frame, self.nest = build.frame, build.nest
        self.op, self.dtype = node.op.name, build.frame.kind(node)
        axes, rank = ((0,), 1) if build.flat else squeezed_axes(node)
        self.level = rank
        while self.level and self.level - 1 in axes:
            self.level -= 1
        self.outer = [d for d in axes if d < self.level]
        self.spot = self._spot(axes)
        self.exact = is_folded(self.op, self.dtype) and self.op == "sum" and not self._one_block(rank)
        self.scalar = not node.type.rank
        self._open()

    def _one_block(self, rank: int) -> bool:
        return self.level == rank - 1 and (self.nest.single or is_short(self.nest.sizes[-1]))

    def _spot(self, axes: tuple[int, ...]) -> tuple[Axis, ...]:
        """The index of the result."""
        if self.build.flat:
            return identity(self.node.shape, ())
        own = [axis for d, axis in enumerate(self.nest.axes) if d not in axes]
        return identity(self.node.shape, tuple(own))

    def _open(self) -> None:
        """Where the accumulator starts."""
        neutral = start(self.op, self.dtype)
        if not self.scalar:
            fill = neutral.value if self.outer else None
            self.frame.allocate(self.node, fill)  # type: ignore[arg-type]
        if self.level == self.nest.rank:
            return
        name = self.frame.name(self.node) if self.scalar and not self.exact else None
        self.total = name or self.frame.fresh("total" if self.op == "sum" else _STEM[self.op])
        ahead = self.nest.before[self.level]
        ahead.append(Assign(self.total, neutral))
        if self.exact:
            self.rest = self.frame.fresh("rest")
            ahead.append(Assign(self.rest, const(0.0, self.dtype)))
            if not self.nest.blocked:  # a short innermost axis: its sum is added exactly
                self.part = self.frame.fresh("part")
                self.nest.before[-2].append(Assign(self.part, neutral))
                self.nest.after[-1].extend(take_in_exactly(self.total, self.rest, self.part, self.dtype))

    def take(self, term: Expr) -> None:
        """Take in the term of the innermost body."""
        if term.dtype != self.dtype:
            term = select(term, const(1, self.dtype), const(0, self.dtype))
        folded = self.level < self.nest.rank and is_folded(self.op, self.dtype) and self.nest.blocked
        if folded or self.build.via_scratch:
            terms = self.frame.scratch(f"reduction {self.number}", self.dtype)
            self.nest.inner(Store(terms, (self.nest.lane,), term))
            self.nest.block.extend(self._fold(terms) if folded else self._each(terms))
        else:
            self._direct(term, self.nest.before[self.nest.rank])
        self._close()

    def _direct(self, term: Expr, body: list[Statement]) -> None:
        if self.op not in _AUGMENTED and term.op not in ("var", "const"):
            name = self.frame.fresh("t")
            body.append(Assign(name, term))
            term = var(name, self.dtype)
        if self.level < self.nest.rank:
            body.append(take_in(self.op, self.part if self.exact else self.total, None, term))
        else:
            buffer, spots = self.frame.target(self.frame.buffers[self.node], self.spot)
            body.append(take_in(self.op, buffer, spots, term))

    def _fold(self, terms: str) -> list[Statement]:
        """The block's terms folded, and taken in."""
        stem = _STEM[self.op]
        part = self.frame.fresh("part")
        value = call(f"fold_{stem}", (var(terms, self.dtype), self.nest.count), self.dtype)
        if self.exact:
            return [Assign(part, value), *take_in_exactly(self.total, self.rest, part, self.dtype)]
        return [Assign(part, value), take_in(self.op, self.total, None, var(part, self.dtype))]

    def _each(self, terms: str) -> list[Statement]:
        """The block's terms taken in one after the other (integers, or an accumulating result)."""
        body: list[Statement] = []
        self._direct(load(terms, (self.nest.lane,), self.dtype), body)
        return [Loop(self.nest.loops[-1], integer(0), self.nest.count, tuple(body), mark="vector")]

    def _close(self) -> None:
        """After the reduced loops: the result, or one more term of it."""
        if self.level == self.nest.rank:
            return
        value = var(self.total, self.dtype)
        if self.exact:
            value = call("sum_with_error", (value, var(self.rest, self.dtype)), self.dtype)
        behind = self.nest.after[self.level]
        if self.scalar:
            self.value = value
            return
        buffer, spots = self.frame.target(self.frame.buffers[self.node], self.spot)
        if self.outer:
            old = load(buffer, spots, self.dtype)
            behind.append(Store(buffer, spots, combined(self.op, old, value), **self.frame.mark(self.node)))
        else:
            behind.append(Store(buffer, spots, value, **self.frame.mark(self.node)))

    def finish(self) -> None:
        """A scalar result gets its name after the nest."""
        if not self.scalar:
            return
        if self.value.op != "var":
            name = self.frame.name(self.node) or self.frame.fresh("t")
            self.frame.body.append(Assign(name, self.value, **self.frame.mark(self.node)))
            self.value = var(name, self.dtype)
        self.frame.scalars[self.node] = self.value


_STEM = {"sum": "sum", "prod": "product", "max_reduce": "top", "min_reduce": "least", "any_reduce": "found", "all_reduce": "holds"}
_AUGMENTED = ("sum", "prod", "any_reduce", "all_reduce")
