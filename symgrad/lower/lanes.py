"""Fast forms of functions that hold in a range only, in loops over lanes.

The lanes of a block run with the fast forms and one flag; where a lane was outside, the block runs again
with the full functions, so that no value depends on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from symgrad.ir.expression import Expr, apply, var
from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate, Assign, Statement, Store
from symgrad.lower import elementary
from symgrad.lower.fission import chain
from symgrad.lower.frame import Frame

_OPS_WEIGHT = {"div": 4, "sqrt": 4, "call": 12, "mod": 4, "floordiv": 4}


class Survey(NamedTuple):
    """Whether a function of ``elementary.WIDE`` is called, the longest chain of operations, the arrays read."""

    wide: bool
    chain: int
    arrays: int


def survey(frame: Frame, values: Iterable[Node], here: frozenset[Node]) -> Survey:
    """What computing elements of these nodes takes."""
    stack = [(node, False) for node in values]
    chains: dict[Node, int] = {}
    wide, arrays = False, 0
    while stack:
        node, ready = stack.pop()
        if ready:
            _, calls, own = profile(node)
            chains[node] = own + max((chains[a] for a in node.args), default=0)
            wide = wide or any(name in elementary.WIDE for name in calls)
        elif node not in chains and (not node.type.rank or (node in frame.buffers and node not in here)):
            chains[node] = 0
            arrays += bool(node.type.rank)
        elif node not in chains:
            stack.append((node, True))
            stack.extend((a, False) for a in node.args)
    return Survey(wide, max(chains.values(), default=0), arrays)


def profile(node: Node) -> tuple[int, frozenset[str], int]:
    """About how many additions one element costs, the functions it calls, and its longest chain."""
    if node.op.kind != "elementwise":
        return 0, frozenset(), 0
    if node.op.row is None or node.op.row.code is None:
        return 1, frozenset(), 1
    kinds = tuple(a.dtype for a in node.args)
    return _profile(node.op.row, kinds, tuple(sorted(node.params.items())))


@cache
def _profile(row: Any, kinds: tuple[str, ...], params: tuple[tuple[str, Any], ...]) -> tuple[int, frozenset[str], int]:
    dtypes = {"real": "f64", "int": "i64", "bool": "bool"}
    expr = row.spelled(tuple(var(f"x{i}", dtypes[k]) for i, k in enumerate(kinds)), dict(params), "f64")
    cost, stack = 0, [expr]
    calls: set[str] = set()
    seen: set[int] = set()
    while stack:
        part = stack.pop()
        if id(part) in seen or part.op in ("var", "const"):
            continue
        seen.add(id(part))
        cost += _OPS_WEIGHT.get(part.op, 1)
        if part.op == "call":
            calls.add(str(part.value))
        stack.extend(part.args)
    return cost, frozenset(calls), chain(expr, {})


def with_fast_forms(frame: Frame, body: list[Statement], flag: str) -> list[Statement]:
    """The body with every ranged function in its fast form, arguments outside raising the flag."""
    new: list[Statement] = []
    tested: set[object] = set()
    for statement in body:
        assert isinstance(statement, (Assign, Store, Accumulate)), "only straight code is guarded"
        expr = _fast(frame, statement.expr, (new, flag, tested))
        new.append(replace(statement, expr=expr))
    return new


def _fast(frame: Frame, expr: Expr, sink: tuple[list[Statement], str, set[object]]) -> Expr:
    """The expression with fast forms; arguments of calls get names and tests first."""
    done: dict[int, Expr] = {}
    stack = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if id(part) in done:
            continue
        if not ready:
            stack.append((part, True))
            stack.extend((a, False) for a in part.args)
            continue
        args = tuple(done[id(a)] for a in part.args)
        fresh = part if all(a is b for a, b in zip(args, part.args, strict=True)) else replace(part, args=args)
        if part.op == "call" and part.value in elementary.WIDE:
            fresh = _guarded(frame, fresh, sink)
        done[id(part)] = fresh
    return done[id(expr)]


def _guarded(frame: Frame, part: Expr, sink: tuple[list[Statement], str, set[object]]) -> Expr:
    body, flag, tested = sink
    forms = elementary.wide(str(part.value), part.dtype)
    x = part.args[0]
    if x.op != "var":
        name = frame.fresh("t")
        body.append(Assign(name, x))
        x = var(name, x.dtype)
    if (x.value, part.value) not in tested:
        tested.add((x.value, part.value))
        body.append(Accumulate(flag, None, "or", apply("not", forms.inside(x))))
    return replace(part, value=forms.fast, args=(x,))
