"""Arrays that every round of a loop needs are allocated once, before it.

In: the statements of one round, the name of a size that differs from round to round, and the name of its largest value.
Out: the statements without allocations: an array of a varying size is a view of memory that fits the largest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symgrad.ir.expression import Expr, const, var
from symgrad.ir.program import Allocate, Assign, Call, Loop, Statement, Store
from symgrad.lower.frame import Frame
from symgrad.lower.sizes import integer


class Hoist:
    """``memory`` collects what belongs before the loop."""

    def __init__(self, frame: Frame, size: str, most: str) -> None:
        self.frame, self.size, self.most = frame, size, most
        self.long = {s.target: s.expr for s in frame.ahead if isinstance(s, Assign)}  # sizes that have a name
        self.memory: list[Statement] = []

    def run(self, body: list[Statement]) -> list[Statement]:
        """The round without allocations."""
        done: list[Statement] = []
        for statement in body:
            done += self._hoisted(statement) if isinstance(statement, Allocate) else [statement]
        return done

    def _hoisted(self, array: Allocate) -> list[Statement]:
        array = replace(array, shape=tuple(_with(n, self.long) for n in array.shape))
        filled = [] if array.fill is None else [self._filled(array)]
        if not any(_mentions(n, self.size) for n in array.shape):
            self.memory.append(replace(array, fill=None))
            return filled
        memory = self.frame.fresh(f"{array.name}_memory")
        first, *rest = array.shape
        if first.op == "var" and not any(_mentions(n, self.size) for n in rest):
            self._keep(array, memory, array.shape)
            return [Call("rows", (memory, array.name, self.size), array.note), *filled]
        return [*self._reshaped(array, memory), *filled]

    def _keep(self, array: Allocate, memory: str, shape: tuple[Expr, ...]) -> None:
        largest = tuple(_with(n, {self.size: var(self.most, "i64")}) for n in shape)
        self.memory.append(Allocate(memory, largest, array.dtype))

    def _reshaped(self, array: Allocate, memory: str) -> list[Statement]:
        """A view of the first elements of a vector."""
        total = array.shape[0]
        for n in array.shape[1:]:
            total = total * n
        self._keep(array, memory, (total,))
        count, part = self.frame.fresh("count"), self.frame.fresh(f"{array.name}_part")
        ahead: list[Statement] = [Assign(count, total), Call("rows", (memory, part, count), array.note)]
        sizes = []
        for n in array.shape:
            if n.op not in ("const", "var"):
                name = self.frame.fresh("size")
                ahead.append(Assign(name, n))
                n = var(name, "i64")
            sizes.append(str(n.value))
        return [*ahead, Call("reshape", (part, array.name, *sizes))]

    def _filled(self, array: Allocate) -> Statement:
        """Every element set."""
        assert array.fill is not None
        loops = [self.frame.loop(d) for d in range(len(array.shape))]
        at = tuple(var(name, "i64") for name in loops)
        body: Statement = Store(array.name, at, const(array.fill, array.dtype))
        for name, n in reversed(list(zip(loops, array.shape, strict=True))):
            body = Loop(name, integer(0), n, (body,))
        return body


def _mentions(expr: Expr, name: str) -> bool:
    stack = [expr]
    while stack:
        part = stack.pop()
        if part.op == "var" and part.value == name:
            return True
        stack.extend(part.args)
    return False


def _with(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """The expression with names replaced by what they stand for."""
    if expr.op == "var":
        return values.get(str(expr.value), expr)
    return replace(expr, args=tuple(_with(a, values) for a in expr.args))
