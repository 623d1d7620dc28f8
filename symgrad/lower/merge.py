"""Loops over the same rows become one, and what only one row needs takes the room of one row.

In: the statements of a function. Out: statements that compute the same values in the same order of operations. Two
loops merge where the second reads what the first wrote in the same iteration only. A temporary array that one loop
alone touches, always in the row of its iteration, loses that axis: a vector becomes a scalar.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from symgrad.ir.expression import Expr
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, If, Loop, Return, Statement, Store, statements
from symgrad.lower.shrink import shrunk
from symgrad.lower.sizes import same_expr


@dataclass(slots=True)
class Touch:
    """What a statement reads and writes: scalars by name; for each buffer the indices used."""

    assigned: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    spots: dict[str, list[tuple[Expr, ...]]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    opaque: bool = False  # holds what must stay where it is

    def add(self, other: Touch) -> None:
        """Take in what a later statement does."""
        self.assigned |= other.assigned
        self.read |= other.read
        self.written |= other.written
        self.opaque = self.opaque or other.opaque
        for name, spots in other.spots.items():
            self.spots.setdefault(name, []).extend(spots)


def touched(statement: Statement) -> Touch:
    """What a statement, with all that is inside it, reads and writes."""
    touch = Touch()
    for s in statements((statement,)):
        if isinstance(s, Loop):
            _reads(touch, (s.start, s.stop))
        elif isinstance(s, If):
            _reads(touch, (s.condition,))
        elif isinstance(s, Assign):
            _reads(touch, (s.expr,))
            touch.assigned.add(s.target)
        elif isinstance(s, Accumulate) and s.index is None:
            _reads(touch, (s.expr,))
            touch.assigned.add(s.target)
            touch.read.add(s.target)
        elif isinstance(s, (Store, Accumulate)):
            buffer = s.buffer if isinstance(s, Store) else s.target
            assert s.index is not None
            _reads(touch, (s.expr, *s.index))
            touch.spots.setdefault(buffer, []).append(s.index)
            touch.written.add(buffer)
        else:
            touch.opaque = True
            touch.read |= _operands(s)
    return touch


def _reads(touch: Touch, exprs: Iterable[Expr]) -> None:
    stack = list(exprs)
    while stack:
        part = stack.pop()
        if part.op == "var":
            touch.read.add(str(part.value))
        elif part.op == "load":
            touch.spots.setdefault(str(part.value), []).append(part.args)
        stack.extend(part.args)


class Merger:
    """Merges loops of one function; ``scratch`` blocks are private to an iteration, ``kept`` buffers leave."""

    def __init__(self, scratch: frozenset[str], kept: frozenset[str]) -> None:
        self.scratch, self.kept = scratch, kept
        self.root: dict[str, str] = {}
        self.seen: dict[int, Touch] = {}

    def run(self, body: list[Statement]) -> list[Statement]:
        """The body with loops merged and temporaries shrunk."""
        done: list[Statement] = []
        for statement in body:
            if isinstance(statement, Call) and statement.kernel in ("flat", "reshape"):
                self.root[statement.args[1]] = self._root(statement.args[0])
            if not (isinstance(statement, Loop) and self._merge(done, statement)):
                done.append(statement)
        return self._shrunk(done)

    def _root(self, name: str) -> str:
        return self.root.get(name, name)

    def _touch(self, statement: Statement) -> Touch:
        if id(statement) not in self.seen:
            self.seen[id(statement)] = touched(statement)
        return self.seen[id(statement)]

    def _merge(self, done: list[Statement], second: Loop) -> bool:
        """Append the loop to the last one, if what stands between can go ahead of both."""
        at = len(done) - 1
        while at >= 0 and not isinstance(done[at], Loop):
            at -= 1
        if at < 0:
            return False
        first, between = done[at], done[at + 1 :]
        assert isinstance(first, Loop)
        if not (_same_range(first, second) and _worthwhile(first, second)):
            return False
        one, two = self._touch(first), self._touch(second)
        if not all(self._goes_ahead(s, one) for s in between) or not self._independent(first.var, one, two):
            return False
        merged = replace(first, body=first.body + second.body)
        one.add(two)
        self.seen[id(merged)] = one
        done[at:] = [*between, merged]
        return True

    def _goes_ahead(self, statement: Statement, loop: Touch) -> bool:
        if isinstance(statement, Allocate) or (isinstance(statement, Call) and statement.kernel in ("flat", "reshape")):
            return True
        if not isinstance(statement, Assign):
            return False
        own = self._touch(statement)
        written = {self._root(name) for name in loop.written}
        loaded = {self._root(name) for name in own.spots}
        return not (own.read & loop.assigned or loaded & written or own.assigned & loop.read)

    def _independent(self, row: str, one: Touch, two: Touch) -> bool:
        """Whether iteration i of the second loop needs nothing of another iteration of the first."""
        if one.opaque or two.opaque or (one.assigned - {row}) & two.read - two.assigned:
            return False
        shared_names = (one.assigned & two.assigned) | (two.assigned & one.read)
        if shared_names:
            return False
        ones, twos = self._by_root(one), self._by_root(two)
        written = {self._root(n) for n in one.written | two.written}
        for name in sorted(ones.keys() & twos.keys() & written - self.scratch):
            spots = ones[name] + twos[name]
            if name in self.root.values() or not all(_in_row(spot, row) for spot in spots):
                return False
        return True

    def _by_root(self, touch: Touch) -> dict[str, list[tuple[Expr, ...]]]:
        found: dict[str, list[tuple[Expr, ...]]] = {}
        for name, spots in touch.spots.items():
            found.setdefault(self._root(name), []).extend(spots)
        return found

    def _shrunk(self, body: list[Statement]) -> list[Statement]:
        """Temporaries of one loop without the axis of its rows."""
        if not any(isinstance(s, Allocate) for s in body):
            return body
        users: dict[str, list[int]] = {}
        for n, statement in enumerate(body):
            for name in names_in_statement(statement) if not isinstance(statement, Allocate) else ():
                users.setdefault(self._root(name), []).append(n)
        drop = {s.name for s in body if isinstance(s, Allocate) and self._shrinks(s, body, users)}
        if not drop:
            return body
        return shrunk(body, drop)

    def _shrinks(self, buffer: Allocate, body: list[Statement], users: dict[str, list[int]]) -> bool:
        name = buffer.name
        if name in self.kept or name in self.scratch or buffer.fill is not None or name in self.root.values():
            return False
        places = sorted(set(users.get(name, [])))
        if len(places) != 1 or not isinstance(body[places[0]], Loop):
            return False
        loop = body[places[0]]
        assert isinstance(loop, Loop)
        spots = self._touch(loop).spots.get(name, [])
        return name not in self._touch(loop).read and all(_in_row(spot, loop.var) for spot in spots)


def names_in_statement(statement: Statement) -> set[str]:
    """Every buffer and scalar that a statement, with all that is inside it, touches or makes."""
    if isinstance(statement, Allocate):
        return {statement.name}
    touch = touched(statement)
    return _named(touch) | touch.assigned | _operands(statement)


def names_in(statement: Return) -> frozenset[str]:
    """Every name that a Return carries."""
    touch = Touch()
    stack = [statement.values]
    names: set[str] = set()
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Expr):
            _reads(touch, (item,))
        else:
            names.add(item)
    return frozenset(names | _named(touch))


def _same_range(first: Loop, second: Loop) -> bool:
    return (
        first.var == second.var
        and first.step == second.step
        and same_expr(first.start, second.start)
        and same_expr(first.stop, second.stop)
    )


def _worthwhile(first: Loop, second: Loop) -> bool:
    """Rows with inner loops merge; a loop without any joins one whose rows are long."""
    if not _has_loop(first):
        return False
    return _has_loop(second) or any(isinstance(s, Loop) and s.mark != "unroll" for s in first.body)


def _has_loop(loop: Loop) -> bool:
    return any(isinstance(s, Loop) for s in loop.body)


def _in_row(spot: tuple[Expr, ...], row: str) -> bool:
    return bool(spot) and spot[0].op == "var" and spot[0].value == row


def _named(touch: Touch) -> set[str]:
    return touch.read | touch.spots.keys()


def _operands(statement: Statement) -> set[str]:
    return {a.removeprefix("T:") for a in statement.args} if isinstance(statement, Call) else set()
