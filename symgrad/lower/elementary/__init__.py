"""Elementary functions as small programs over the basis operations, each written once for both types.

In: a name and a type. Out: ``Function`` records, dependencies first, to be emitted once a module and
called by name. All are branch-free except the scalar forms of ``WIDE`` and the gamma family, hold for
every input (NaN, infinities, signed zeros, subnormals) and never raise.

A family has its order in the name: ``polygamma_2``, ``sinc_derivative_1``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from symgrad.ir.expression import Expr, apply, call, const, select
from symgrad.ir.program import Function, If, Return, Statement
from symgrad.lower.elementary import (
    exponential,
    gamma,
    hyperbolic,
    inverse,
    logarithm,
    logistic,
    normal,
    power,
    random,
    sinc,
    trigonometric,
)
from symgrad.lower.elementary.draft import Draft, Row, parameters

_ROOMS = (exponential, logarithm, power, trigonometric, inverse, hyperbolic, logistic, normal, sinc, gamma)
FUNCTIONS: dict[str, Row] = {row.name: row for room in _ROOMS for row in room.ROWS}
HASHES: dict[str, Row] = {row.name: row for row in random.ROWS}  # functions of integers
WIDE: tuple[str, ...] = tuple(name for name, row in FUNCTIONS.items() if row.limit)


class Wide(NamedTuple):
    """A branch-free function, one for any argument, and the test ``inside(x)`` for the first."""

    fast: str
    slow: str
    inside: Callable[[Expr], Expr]


def wide(name: str, dtype: str) -> Wide:
    """The parts of a function of ``WIDE``: run ``fast`` over a block, and ``slow`` where one lane is not inside.

    >>> wide("sin", "f64").fast
    'sin_fast'
    """
    limit = FUNCTIONS[name].limit
    assert limit is not None, f"{name} holds everywhere"
    return Wide(f"{name}_fast", f"{name}_wide", lambda x: abs(x) <= limit[dtype])


def build(name: str, dtype: str, suffix: str = "") -> tuple[Function, ...]:
    """The functions of that name, those that they call first; ``suffix`` goes to every name.

    >>> [f.name for f in build("softplus", "f64")]
    ['exp', 'softplus']
    """
    done: dict[tuple[str, str, str], tuple[Function, ...]] = {}
    stack = [((name, dtype, suffix), False)]
    while stack:
        key, ready = stack.pop()
        if key in done:
            continue
        functions, needs = _define(*key)
        if ready or not needs:
            done[key] = functions
        else:
            stack.append((key, True))
            stack.extend((need, False) for need in reversed(needs))
    return tuple(function for functions in done.values() for function in functions)


def find(name: str) -> tuple[Row, int | None]:
    """The row of a name, and the order at the end of a name of a family."""
    if name in HASHES:
        return HASHES[name], None
    if name in FUNCTIONS and not FUNCTIONS[name].order:
        return FUNCTIONS[name], None
    family, _, order = name.rpartition("_")
    return FUNCTIONS[family], int(order)


@cache
def _define(name: str, dtype: str, suffix: str) -> tuple[tuple[Function, ...], tuple[tuple[str, str, str], ...]]:
    row, order = find(name)
    if row.through and dtype == "f32":
        return (_narrowed(name, row, suffix),), ((name, "f64", suffix + "_f64"),)
    d = Draft(dtype, suffix)
    formal = parameters(row, dtype)
    args = [d.parameter(p.name, p.dtype) for p in formal]
    value = row.build(d, *([] if order is None else [order]), *args)
    body = (*d.body, Return((value,)))
    needs = tuple((need, dtype, suffix) for need in d.called)
    if not row.limit:
        return (Function(name + suffix, formal, body),), needs
    fast = Function(f"{name}_fast{suffix}", formal, body, f"For |x| <= {row.limit[dtype]:g}.")
    slow = Function(f"{name}_wide{suffix}", formal, _through_libm(name, dtype, args[0]))
    return (fast, slow, Function(name + suffix, formal, _choose(name, suffix, args[0]))), needs


def _narrowed(name: str, row: Row, suffix: str) -> Function:
    formal = parameters(row, "f32")
    args = tuple(apply("widen", Draft("f32").parameter(p.name)) for p in formal)
    value = apply("narrow", call(f"{name}{suffix}_f64", args, "f64"))
    return Function(name + suffix, formal, (Return((value,)),))


def _choose(name: str, suffix: str, x: Expr) -> tuple[Statement, ...]:
    parts = wide(name, x.dtype)
    fast, slow = (call(part + suffix, (x,), x.dtype) for part in (parts.fast, parts.slow))
    return If(parts.inside(x), (Return((fast,)),)), Return((slow,))


def _through_libm(name: str, dtype: str, x: Expr) -> tuple[Statement, ...]:
    """The C library in float64, which reduces any argument; Python's raises at infinity, where NaN is due."""
    d = Draft(dtype)
    finite = d.let("finite", abs(x) < const(math.inf, dtype))
    inner = d.let("z", select(finite, x, d.real(0.0)))
    value = call(f"math.{name}", (apply("widen", inner) if dtype == "f32" else inner,), "f64")
    result = apply("narrow", value) if dtype == "f32" else value
    return *d.body, Return((select(finite, result, d.real(math.nan)),))
