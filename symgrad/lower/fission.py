"""Bodies of a loop over lanes with long chains of dependent operations, cut into several loops.

A core keeps some 450 instructions in flight, and an operation takes about four cycles. With a long chain of operations
the lanes in flight cannot fill its units, and time grows with the square of the chain; short loops over one block,
whose values cross in scratch memory that stays in the first cache, run at full throughput (measured: 20 operations with
seven elementary functions, 10.7 ns an element whole, 6.9 cut at 80, 5.3 at 56, 4.2 at 36, 4.3 at 26).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from symgrad.ir.expression import Expr, load, var
from symgrad.ir.program import Assign, Function, Statement, Store
from symgrad.ir.program import statements as every
from symgrad.lower import elementary
from symgrad.lower.frame import Frame

CHECKS = 100  # pairs of arrays; LLVM gives up vectorising a loop above 128 tests that they do not overlap
LONG = 36  # operations that depend on each other, in one loop over lanes
_LATENCY = {"div": 4, "sqrt": 5, "floordiv": 8, "mod": 8, "load": 1, "const": 0, "var": 0}


def chain(expr: Expr, known: dict[str, int]) -> int:
    """The length of the longest chain of operations, from names whose chains are ``known``."""
    done: dict[int, int] = {}
    for part in _operands_first(expr):
        below = max((done[id(a)] for a in part.args), default=known.get(str(part.value), 0) if part.op == "var" else 0)
        called = part.op == "call"
        done[id(part)] = below + (latency(str(part.value), part.dtype) if called else _LATENCY.get(part.op, 1))
    return done[id(expr)]


@cache
def latency(name: str, dtype: str) -> int:
    """The longest chain of operations in an elementary function."""
    if name.endswith("_f64"):  # a float32 function computed through its float64 form
        return latency(name.removesuffix("_f64"), "f64")
    base = name.removesuffix("_fast")
    if name.startswith("math."):
        return 30
    functions = elementary.build(base if base in elementary.WIDE else name, dtype)
    wanted = f"{base}_fast" if base in elementary.WIDE else name
    return _through(next(f for f in functions if f.name == wanted))


def _through(function: Function) -> int:
    known: dict[str, int] = {}
    longest = 0
    for statement in every(function.body):
        if isinstance(statement, Assign):
            known[statement.target] = chain(statement.expr, known)
        for value in getattr(statement, "values", ()):
            longest = max(longest, chain(value, known))
    return longest


def cut(frame: Frame, body: Iterable[Statement], lane: Expr) -> list[list[Statement]]:
    """The body as one or more bodies, to be run one after the other over the lanes of a block."""
    whole = list(body)
    groups = _grouped(whole)
    if len(groups) == 1 and max(chain(s.expr, {}) for s in whole) <= LONG:  # type: ignore[union-attr]
        return [whole]
    groups = _grouped(_one_call_each(frame, whole))
    return _joined(frame, groups, lane) if len(groups) > 1 else groups


def _one_call_each(frame: Frame, body: Iterable[Statement]) -> list[Statement]:
    """Statements with several calls get an assignment for each."""
    new: list[Statement] = []
    for statement in body:
        expr = statement.expr  # type: ignore[union-attr]
        calls = _calls(expr)
        if len(calls) < 2:
            new.append(statement)
            continue
        done: dict[int, Expr] = {}
        for part in _operands_first(expr):
            args = tuple(done[id(a)] for a in part.args)
            fresh = part if all(a is b for a, b in zip(args, part.args, strict=True)) else replace(part, args=args)
            if part.op == "call" and part is not expr:
                name = frame.fresh("t")
                new.append(Assign(name, fresh))
                fresh = var(name, part.dtype)
            done[id(part)] = fresh
        new.append(replace(statement, expr=done[id(expr)]))  # type: ignore[type-var, arg-type]
    return new


def _operands_first(expr: Expr) -> list[Expr]:
    order: list[Expr] = []
    seen: set[int] = set()
    stack = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if ready:
            order.append(part)
        elif id(part) not in seen:
            seen.add(id(part))
            stack.append((part, True))
            stack.extend((a, False) for a in reversed(part.args))
    return order


def _calls(expr: Expr) -> list[Expr]:
    return [part for part in _operands_first(expr) if part.op == "call"]


def checks(written: int, read: int) -> int:
    """How many pairs of arrays could overlap harmfully."""
    return written * (written - 1) // 2 + written * read


class _Group:
    """Statements of one loop, with the chains of their values and the arrays they touch."""

    def __init__(self) -> None:
        self.body: list[Statement] = []
        self.known: dict[str, int] = {}
        self.read: set[str] = set()
        self.written: set[str] = set()

    def takes(self, statement: Statement) -> bool:
        """Add the statement, if the loop stays fast."""
        own = chain(statement.expr, self.known)  # type: ignore[union-attr]
        read = self.read | {str(p.value) for p in _operands_first(statement.expr) if p.op == "load"}  # type: ignore[union-attr]
        written = self.written | ({statement.buffer} if isinstance(statement, Store) else set())
        if self.body and (own > LONG or checks(len(written), len(read)) > CHECKS):
            return False
        self.body.append(statement)
        self.read, self.written = read, written
        if isinstance(statement, Assign):
            self.known[statement.target] = own
        return True


def _grouped(body: list[Statement]) -> list[list[Statement]]:
    """A new group wherever a chain would become too long, or the arrays too many."""
    groups = [_Group()]
    for statement in body:
        if not groups[-1].takes(statement):
            groups.append(_Group())
            groups[-1].takes(statement)
    return [group.body for group in groups]


def _reads(statement: Statement) -> set[str]:
    names: set[str] = set()
    stack = [statement.expr, *(getattr(statement, "index", None) or ())]  # type: ignore[union-attr]
    while stack:
        part = stack.pop()
        if part.op == "var":
            names.add(str(part.value))
        stack.extend(part.args)
    return names


class _Slots:
    """Scratch blocks that values cross loops in, reused once nothing reads them."""

    def __init__(self, frame: Frame, lane: Expr) -> None:
        self.frame, self.lane = frame, lane
        self.free: dict[str, list[str]] = {}
        self.made: dict[str, int] = {}
        self.held: dict[str, tuple[str, str]] = {}

    def take(self, name: str, dtype: str) -> str:
        """A slot for a value."""
        idle = self.free.setdefault(dtype, [])
        if not idle:
            number = self.made[dtype] = self.made.get(dtype, 0) + 1
            idle.append(self.frame.scratch(f"crossing {number}", dtype, "held"))
        slot = idle.pop()
        self.held[name] = (dtype, slot)
        return slot

    def release(self, names: list[str]) -> None:
        """These values have been read for the last time."""
        for name in names:
            if name in self.held:
                dtype, slot = self.held.pop(name)
                self.free[dtype].append(slot)


def _joined(frame: Frame, groups: list[list[Statement]], lane: Expr) -> list[list[Statement]]:
    """Each group with what it needs from earlier ones: loaded again, or passed through scratch memory.

    A slot that is read for the last time in a group is free for what later groups compute.
    """
    reads = [set().union(*map(_reads, group)) for group in groups]
    last = {name: g for g, names in enumerate(reads) for name in names}
    computed = {s.target for group in groups for s in group if isinstance(s, Assign)}
    source: dict[str, Expr] = {}
    slots = _Slots(frame, lane)
    new: list[list[Statement]] = []
    for g, group in enumerate(groups):
        ahead: list[Statement] = [Assign(name, source[name]) for name in sorted(reads[g] & source.keys())]
        for statement in group:
            _remember(statement, source, computed)
        behind: list[Statement] = []
        made_here = [s for s in group if isinstance(s, Assign) and s.target not in source]
        for made in [s for s in made_here if last.get(s.target, g) > g]:
            dtype = made.expr.dtype
            slot = slots.take(made.target, dtype)
            source[made.target] = load(slot, (lane,), dtype)
            behind.append(Store(slot, (lane,), var(made.target, dtype)))
        new.append([*ahead, *group, *behind])
        slots.release([name for name, final in last.items() if final == g])
    return new


def _remember(statement: Statement, source: dict[str, Expr], computed: set[str]) -> None:
    """A value that is loaded from memory, or stored there, is found there again, if every loop knows the position."""
    if isinstance(statement, Assign) and statement.expr.op == "load":
        name, place = statement.target, statement.expr
    elif isinstance(statement, Store) and statement.expr.op == "var":
        name, place = str(statement.expr.value), load(statement.buffer, statement.index, statement.expr.dtype)
    else:
        return
    if not any(str(part.value) in computed for part in _operands_first(place) if part.op == "var"):
        source.setdefault(name, place)
