"""Loop nests: statements at every depth, put together at the end.

``before[d]`` runs in the body of loop d-1 ahead of loop d, ``after[d]`` behind it; ``before[rank]`` is the innermost
body. A blocked nest runs its innermost axis in blocks of 256 lanes, so that a block's terms can be folded, or the block
be run again; ``block`` holds what follows the lanes of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symgrad.ir.expression import Expr, apply, const, var
from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate, Assign, If, Loop, Statement, Store
from symgrad.ir.types import AnySize
from symgrad.lower.fission import cut
from symgrad.lower.frame import BLOCK, UNROLL, Frame
from symgrad.lower.lanes import with_fast_forms
from symgrad.lower.sizes import Axis, integer, least
from symgrad.lower.write import Pair, Writer


def is_short(size: AnySize) -> bool:
    """Known at compile time, and worth unrolling."""
    return isinstance(size, int) and size <= UNROLL


class Nest:
    """Loops over ``sizes``, the last one innermost."""

    def __init__(
        self, frame: Frame, sizes: tuple[AnySize, ...], here: Iterable[Node] = (), blocked: bool = False
    ) -> None:
        self.frame, self.sizes = frame, sizes
        self.rank = len(sizes)
        self.blocked = blocked and self.rank > 0 and not is_short(sizes[-1])
        self.loops = [frame.loop(d) for d in range(self.rank)]
        self.before: list[list[Statement]] = [[] for _ in range(self.rank + 1)]
        self.after: list[list[Statement]] = [[] for _ in range(self.rank)]
        self.block: list[Statement] = []
        self.guarded = False  # the innermost body calls functions whose fast form holds in a range only
        self.axes = tuple(Axis(name) for name in self.loops)
        self._open_block()
        levels = {name: d + 1 for d, name in enumerate(self.loops)}
        self.writer = Writer(frame, levels, self.before, frozenset(here))

    def _open_block(self) -> None:
        """Names of the block's start, its number of lanes, and the lane."""
        self.count: Expr = self.frame.size(self.sizes[-1]) if self.rank else integer(1)
        self.lane: Expr = var(self.loops[-1], "i64") if self.rank else integer(0)
        self.single = not self.blocked or (isinstance(self.sizes[-1], int) and self.sizes[-1] <= BLOCK)
        if self.single:
            self.frame.places.pop(self.loops[-1] if self.rank else "", None)
            return
        self._start = self.frame.fresh("start")
        self._lanes = self.frame.fresh("count")
        self.count = var(self._lanes, "i64")
        self.frame.places[self.loops[-1]] = var(self._start, "i64") + self.lane

    def write(self, roots: list[Pair]) -> list[Expr]:
        """The values of elements, at the innermost depth."""
        return self.writer.run(roots, self.rank)

    def inner(self, statement: Statement) -> None:
        """Add to the innermost body."""
        self.before[self.rank].append(statement)

    def close(self) -> None:
        """Add the loops to the function."""
        body: list[Statement] = self.before[self.rank]
        for d in reversed(range(self.rank)):
            loop = self._innermost(body) if d == self.rank - 1 else [self._loop(d, body)]
            body = [*self.before[d], *loop, *self.after[d]]
        self.frame.body.extend(body)
        if self.rank:
            self.frame.places.pop(self.loops[-1], None)

    def _loop(self, d: int, body: list[Statement]) -> Loop:
        mark = "unroll" if is_short(self.sizes[d]) else ""
        return Loop(self.loops[d], integer(0), self.frame.size(self.sizes[d]), tuple(body), mark=mark)

    def _innermost(self, body: list[Statement]) -> list[Statement]:
        """The loop over lanes, in blocks if there are several, each with what must follow it."""
        if self.single:
            return [*self._lane_loops(body, self._loop), *self.block]
        n = self.frame.size(self.sizes[-1])
        start = var(self._start, "i64")
        chunk = self.frame.fresh("block")
        inside: list[Statement] = [
            Assign(self._start, var(chunk, "i64") * BLOCK),
            Assign(self._lanes, least(n - start, integer(BLOCK))),
            *self._lane_loops(body, self._lane_loop),
            *self.block,
        ]
        blocks = -(-self.sizes[-1] // BLOCK) if isinstance(self.sizes[-1], int) else None
        stop = apply("floordiv", n + (BLOCK - 1), BLOCK) if blocks is None else integer(blocks)
        return [Loop(chunk, integer(0), stop, tuple(inside))]

    def _lane_loop(self, d: int, body: list[Statement]) -> Loop:
        return Loop(self.loops[d], integer(0), self.count, tuple(body), mark="vector")

    def _lane_loops(self, body: list[Statement], loop: Callable[[int, list[Statement]], Loop]) -> list[Statement]:
        """The lanes; where a fast form may not hold, they run again if one lane was outside its range."""
        if not body:
            return []
        last = self.rank - 1
        if not self.guarded:
            return [loop(last, part) for part in self._parts(body)]
        flag = self.frame.fresh("outside")
        fast = with_fast_forms(self.frame, body, flag)
        again = If(var(flag, "bool"), (loop(last, body),))
        return [Assign(flag, const(False, "bool")), *(loop(last, part) for part in self._parts(fast)), again]

    def _parts(self, body: list[Statement]) -> list[list[Statement]]:
        """The body in one or more pieces; only straight code over lanes is cut."""
        straight = all(isinstance(s, (Assign, Store)) or (isinstance(s, Accumulate) and s.op == "or") for s in body)
        return cut(self.frame, body, self.lane) if self.blocked and straight else [body]
