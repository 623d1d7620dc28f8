"""Temporary arrays without the axis of their rows; a vector becomes a scalar, and its copies vanish."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symgrad.ir.expression import Expr
from symgrad.ir.program import Accumulate, Allocate, Assign, If, Loop, Statement, Store


def shrunk(body: list[Statement], drop: set[str]) -> list[Statement]:
    """The statements, with the buffers of ``drop`` one axis smaller."""
    return [_tidy(new) for s in body for new in _without_row(s, drop)]


def _inside(body: Iterable[Statement], drop: set[str]) -> list[Statement]:
    return [new for s in body for new in _without_row(s, drop)]


def _without_row(statement: Statement, drop: set[str]) -> list[Statement]:
    """The statement with the buffers of ``drop`` one axis smaller; a vector becomes a scalar of its name."""
    if isinstance(statement, Allocate) and statement.name in drop:
        rest = statement.shape[1:]
        return [replace(statement, shape=rest)] if rest else []
    if isinstance(statement, Loop):
        return [replace(statement, body=tuple(_inside(statement.body, drop)))]
    if isinstance(statement, If):
        arms = (tuple(_inside(arm, drop)) for arm in (statement.body, statement.orelse))
        return [If(_fewer(statement.condition, drop), *arms)]
    if isinstance(statement, Store) and statement.buffer in drop:
        return [_smaller_store(statement, drop)]
    if isinstance(statement, (Assign, Store, Accumulate)):
        return [replace(statement, expr=_fewer(statement.expr, drop))]
    return [statement]


def _smaller_store(statement: Store, drop: set[str]) -> Statement:
    expr, index = _fewer(statement.expr, drop), statement.index[1:]
    if index:
        return replace(statement, expr=expr, index=index)
    return Assign(statement.buffer, expr, statement.note, statement.node)


def _fewer(expr: Expr, drop: set[str]) -> Expr:
    """The expression with loads of dropped buffers one index shorter."""
    done: dict[int, Expr] = {}
    stack = [(expr, False)]
    while stack:
        part, ready = stack.pop()
        if not ready:
            stack.append((part, True))
            stack.extend((a, False) for a in part.args)
            continue
        args = tuple(done[id(a)] for a in part.args)
        if part.op == "load" and part.value in drop:
            made = replace(part, args=args[1:]) if len(args) > 1 else Expr("var", (), part.dtype, part.value)
        else:
            made = part if all(a is b for a, b in zip(args, part.args, strict=True)) else replace(part, args=args)
        done[id(part)] = made
    return done[id(expr)]


def _tidy(statement: Statement) -> Statement:
    """A loop over rows without assignments that only give a value a second name."""
    if not isinstance(statement, Loop):
        return statement
    alias: dict[str, Expr] = {}
    for s in statement.body:
        if isinstance(s, Assign) and s.expr.op == "var" and not s.note:
            name = str(s.expr.value)
            alias[s.target] = alias.get(name, s.expr)
    settled = _assigned_after(statement.body, alias)
    alias = {name: expr for name, expr in alias.items() if name not in settled and str(expr.value) not in settled}
    if not alias:
        return statement
    kept = tuple(_renamed(s, alias) for s in statement.body if not (isinstance(s, Assign) and s.target in alias))
    return replace(statement, body=kept)


def _assigned_after(body: tuple[Statement, ...], alias: Mapping[str, Expr]) -> set[str]:
    """Names that change after they, or what they stand for, were copied."""
    changing: set[str] = set()
    copied: set[str] = set()
    for statement in body:
        if isinstance(statement, Assign) and statement.target in alias:
            copied |= {statement.target, str(statement.expr.value), str(alias[statement.target].value)}
            continue
        stack: list[Statement] = [statement]
        while stack:
            s = stack.pop()
            if isinstance(s, (Loop, If)):
                stack.extend(s.body)
                stack.extend(getattr(s, "orelse", ()))
            elif isinstance(s, (Assign, Accumulate)) and s.target in copied:
                changing.add(s.target)
    return changing


def _renamed(statement: Statement, alias: Mapping[str, Expr]) -> Statement:
    if isinstance(statement, Loop):
        return replace(statement, body=tuple(_renamed(s, alias) for s in statement.body))
    if isinstance(statement, If):
        arms = (tuple(_renamed(s, alias) for s in arm) for arm in (statement.body, statement.orelse))
        return If(_with_names(statement.condition, alias), *arms)
    if isinstance(statement, (Assign, Store, Accumulate)):
        return replace(statement, expr=_with_names(statement.expr, alias))
    return statement


def _with_names(expr: Expr, alias: Mapping[str, Expr]) -> Expr:
    if expr.op == "var":
        return alias.get(str(expr.value), expr)
    args = tuple(_with_names(a, alias) for a in expr.args)
    return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else replace(expr, args=args)
