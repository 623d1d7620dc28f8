"""New values of a state are written over the old ones.

In: the statements that compute an array ``new`` from, among others, an array ``old``. Out: the same with ``new`` stored
into the memory of ``old``, where each element of the old array is read no later than its own new value is stored, else
with a copy at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from symgrad.ir.expression import Expr, load, var
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, If, Loop, Statement, Store
from symgrad.lower.frame import Frame
from symgrad.lower.merge import names_in_statement
from symgrad.lower.sizes import same_expr

VIEWS = ("flat", "reshape", "same")


def in_place(frame: Frame, body: list[Statement], old: str, new: str) -> list[Statement]:
    """The statements with ``new`` in the memory of ``old``."""
    views = {s.args[1]: s.args[0] for s in body if isinstance(s, Call) and s.kernel in VIEWS}
    olds, news = _family(old, views), _family(new, views)
    if not _is_safe(body, olds, news):
        return [*body, *_copied(frame, old, new)]
    same = {new: old} | {n: o for n in news for o in olds if n != new and o != old}
    kept = [s for s in body if not _makes(s, news)]
    missing = [n for n in sorted(news) if n not in same]  # views of new that old has not
    made = [Call("flat", (old, name)) for name in missing]
    return [*made, *(renamed(s, same) for s in kept)]


def _family(name: str, views: Mapping[str, str]) -> frozenset[str]:
    """The array and its views."""
    return frozenset({name, *(v for v, of in views.items() if of == name)})


def _makes(statement: Statement, names: frozenset[str]) -> bool:
    """Whether the statement only makes the array, or a view of it."""
    if isinstance(statement, Allocate):
        return statement.name in names
    return isinstance(statement, Call) and statement.kernel in VIEWS and statement.args[1] in names


def _is_safe(body: list[Statement], olds: frozenset[str], news: frozenset[str]) -> bool:
    """Whether one loop stores the new array, element by element, and nothing reads the old one later."""
    if (
        len(olds) > 2
        or len(news) > 2
        or any(isinstance(s, Allocate) and s.name in news and s.fill is not None for s in body)
    ):
        return False
    writers = [n for n, s in enumerate(body) if not _makes(s, news) and names_in_statement(s) & news]
    if len(writers) != 1 or not isinstance(body[writers[0]], Loop):
        return False
    later = [s for s in body[writers[0] + 1 :] if not _makes(s, olds)]
    if any(names_in_statement(s) & olds for s in later):
        return False
    return _Walk(olds, news).passes(body[writers[0]])


class _Walk:
    """One pass over a loop nest: every load of the old array is at the element that is stored, and before the store."""

    def __init__(self, olds: frozenset[str], news: frozenset[str]) -> None:
        self.olds, self.news = olds, news
        self.spots: list[tuple[Expr, ...]] = []
        self.stored = False
        self.follows: dict[str, set[str]] = {}  # name -> loop variables that it is computed from

    def passes(self, nest: Statement) -> bool:
        """Whether the new array may share the old one's memory."""
        return (
            self._visit(nest, ())
            and self.stored
            and all(len(s) == len(self.spots[0]) and all(map(same_expr, s, self.spots[0])) for s in self.spots)
        )

    def _visit(self, statement: Statement, loops: tuple[str, ...]) -> bool:
        if isinstance(statement, Loop):
            return all(self._visit(s, (*loops, statement.var)) for s in statement.body)
        if isinstance(statement, If):
            return not (names_in_statement(statement) & (self.olds | self.news))
        if isinstance(statement, Accumulate) and statement.target in self.news | self.olds:
            return False
        if isinstance(statement, (Assign, Store, Accumulate)):
            loads = [part for part in _parts(statement.expr) if part.op == "load" and part.value in self.olds]
            if any(part.value in self.news for part in _parts(statement.expr) if part.op == "load"):
                return False
            if loads and self.stored:
                return False
            self.spots += [part.args for part in loads]
        if isinstance(statement, Assign):
            self.follows[statement.target] = self._sources((statement.expr,))
        if isinstance(statement, Store) and statement.buffer in self.news:
            self.stored = True
            self.spots.append(statement.index)
            return set(loops) <= self._sources(statement.index)
        return not (isinstance(statement, Store) and statement.buffer in self.olds)

    def _sources(self, exprs: Iterable[Expr]) -> set[str]:
        """The variables that expressions are computed from, through the assignments seen so far."""
        names = {str(part.value) for e in exprs for part in _parts(e) if part.op == "var"}
        return names | {source for name in names for source in self.follows.get(name, ())}


def _parts(expr: Expr) -> Iterable[Expr]:
    stack = [expr]
    while stack:
        part = stack.pop()
        yield part
        stack.extend(part.args)


def renamed(statement: Statement, names: Mapping[str, str]) -> Statement:
    """The statement with buffers under other names."""
    if isinstance(statement, Loop):
        inner = tuple(renamed(s, names) for s in statement.body)
        return replace(statement, start=_expr(statement.start, names), stop=_expr(statement.stop, names), body=inner)
    if isinstance(statement, If):
        arms = (tuple(renamed(s, names) for s in arm) for arm in (statement.body, statement.orelse))
        return If(_expr(statement.condition, names), *arms)
    if isinstance(statement, Assign):
        return replace(statement, expr=_expr(statement.expr, names))
    if isinstance(statement, Store):
        index = tuple(_expr(i, names) for i in statement.index)
        buffer = names.get(statement.buffer, statement.buffer)
        return replace(statement, buffer=buffer, index=index, expr=_expr(statement.expr, names))
    if isinstance(statement, Accumulate):
        at = None if statement.index is None else tuple(_expr(i, names) for i in statement.index)
        target = names.get(statement.target, statement.target)
        return replace(statement, target=target, index=at, expr=_expr(statement.expr, names))
    if isinstance(statement, Call):
        return replace(statement, args=tuple(_operand(a, names) for a in statement.args))
    return statement


def with_lengths_of(body: list[Statement], names: Mapping[str, str]) -> list[Statement]:
    """Statements that measure other arrays: those that ``names`` gives."""
    return [renamed(s, names) for s in body]


def _operand(name: str, names: Mapping[str, str]) -> str:
    plain = name.removeprefix("T:")
    return name[: len(name) - len(plain)] + names.get(plain, plain)


def _expr(expr: Expr, names: Mapping[str, str]) -> Expr:
    """The expression with buffers (and their lengths) under other names."""
    args = tuple(_expr(a, names) for a in expr.args)
    if expr.op == "load" and expr.value in names:
        return Expr("load", args, expr.dtype, names[expr.value])  # type: ignore[index]
    if expr.op == "length" and expr.value[0] in names:  # type: ignore[index]
        value: Any = expr.value
        buffer, axis = value
        return Expr("length", (), expr.dtype, (names[buffer], axis))
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else replace(expr, args=args)


def _copied(frame: Frame, old: str, new: str) -> list[Statement]:
    """old[...] = new, at the end."""
    shape, dtype = frame.described(old)
    loops = [frame.loop(d) for d in range(len(shape))]
    at = tuple(var(name, "i64") for name in loops)
    body: tuple[Statement, ...] = (Store(old, at, load(new, at, dtype)),)
    for name, size in reversed(list(zip(loops, shape, strict=True))):
        body = (Loop(name, frame.size(0), frame.size(size), body),)
    return list(body)
