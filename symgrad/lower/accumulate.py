"""One reduction of a loop nest: where its accumulator lives, how terms are taken in, when it is complete."""

from __future__ import annotations

from symgrad.ir.expression import Expr, apply, call, const, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Allocate, Assign, If, Loop, Statement, Store
from symgrad.ir.types import Shape
from symgrad.lower.access import identity
from symgrad.lower.frame import BLOCK, Frame, count
from symgrad.lower.nest import Nest, is_short
from symgrad.lower.reduction import FOLDS, combined, is_folded, start, take_in, take_in_exactly
from symgrad.lower.sizes import Axis, Flat, Index, integer


def squeezed_axes(node: Node) -> tuple[tuple[int, ...], int]:
    """The reduced axes counted without axes of length 1, and the rank of that domain."""
    kept = [d for d, n in enumerate(node.args[0].shape) if n != 1]
    return tuple(kept.index(d) for d in node["axes"] if d in kept), len(kept)


class Build:
    """What the parts of one kernel share: the nest, and how its loops index an array of the domain's shape."""

    def __init__(self, frame: Frame, nest: Nest, flat: bool, via_scratch: bool) -> None:
        self.frame, self.nest, self.flat, self.via_scratch = frame, nest, flat, via_scratch

    def index(self, shape: Shape) -> Index:
        """The index of the present element of an array whose shape is the domain, with ones."""
        if self.flat:
            return Flat(self.nest.loops[0])
        return identity(shape, self.nest.axes)


FLUSH = 64  # rows of a float32 sum before it is added to a float64 one


class Reduction:
    """One accumulator of a nest.

    ``level`` is the first of the innermost axes that are all reduced: the accumulator lives in the body of the loop
    outside it. Reduced axes further out make the result an accumulating buffer.
    """

    def __init__(self, build: Build, node: Node, number: int) -> None:
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
        self.wide = ""
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
            self.frame.allocate(self.node, neutral.value if self.outer else None)  # type: ignore[arg-type]
            self.wide = self._widened() if self._needs_width() else ""
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

    def _needs_width(self) -> bool:
        """Whether a float32 sum runs over so many rows that it would lose digits."""
        if self.op != "sum" or self.dtype != "f32" or self.outer[:1] != [0]:
            return False
        rows = self.nest.sizes[0]
        return not isinstance(rows, int) or rows > BLOCK

    def _widened(self) -> str:
        """A float64 buffer that takes the sum of every 64 rows."""
        shape = self.node.shape
        name = self.frame.fresh(f"{self.frame.buffers[self.node]}_wide")
        self.frame.own(name, shape, "f64")
        self.frame.body.append(Allocate(name, tuple(map(self.frame.size, shape)), "f64", 0.0))
        return name

    def _over_result(self, depth: int) -> tuple[str, str, Expr, Expr]:
        """The two buffers as vectors, the loop variable over them, and the sum of their elements as float64."""
        wide, narrow = self.frame.flat(self.wide), self.frame.flat(self.frame.buffers[self.node])
        spot = var(self.frame.loop(depth), "i64")
        return wide, narrow, spot, load(wide, (spot,), "f64") + apply("widen", load(narrow, (spot,), "f32"))

    def _flush(self) -> If:
        """After every 64th row: the sum so far is moved to the wide buffer."""
        wide, narrow, spot, both = self._over_result(self.nest.rank)
        body = (Store(wide, (spot,), both), Store(narrow, (spot,), const(0.0, "f32")))
        full = apply("eq", var(self.nest.loops[0], "i64") % FLUSH, FLUSH - 1)
        size = self.frame.size(count(self.node.shape))
        return If(full, (Loop(str(spot.value), integer(0), size, body),))

    def _narrowed(self) -> None:
        """The whole sum, rounded once."""
        _, narrow, spot, both = self._over_result(0)
        store = Store(narrow, (spot,), apply("narrow", both), **self.frame.mark(self.node))
        size = self.frame.size(count(self.node.shape))
        self.frame.body.append(Loop(str(spot.value), integer(0), size, (store,)))

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
        if self.wide:
            self.nest.after[1].append(self._flush())

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
        """A scalar result gets its name after the nest; a wide one is rounded."""
        if self.wide:
            self._narrowed()
        if not self.scalar:
            return
        if self.value.op != "var":
            name = self.frame.name(self.node) or self.frame.fresh("t")
            self.frame.body.append(Assign(name, self.value, **self.frame.mark(self.node)))
            self.value = var(name, self.dtype)
        self.frame.scalars[self.node] = self.value


_STEM = {op: fold.name for op, fold in FOLDS.items()}
_AUGMENTED = ("sum", "prod", "any_reduce", "all_reduce")
