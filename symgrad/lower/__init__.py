"""From the tensor DAG to the loop program.

    Target -> expand (primitives) -> schedule (stages, what is stored) -> loops, products, scans -> Function

In: targets, the naming authority, the float type. Out: a Program whose functions allocate nothing in a loop, hold no
unrolled loop, and take their sizes from their arguments.
"""

from __future__ import annotations

from typing import Any

from symgrad.ir.expression import Expr
from symgrad.ir.node import Frozen
from symgrad.ir.program import Call, Function, Program, Statement, statements
from symgrad.lower import elementary
from symgrad.lower.epoch import Training
from symgrad.lower.frame import Module
from symgrad.lower.function import lower_function
from symgrad.lower.reduction import helper
from symgrad.lower.shuffle import NAME as PERMUTATION
from symgrad.lower.shuffle import permutation
from symgrad.lower.target import Target
from symgrad.lower.training import lower_training

__all__ = ["Target", "Training", "called", "lower", "lower_loop", "lower_order"]


def lower(targets: tuple[Target, ...], names: Any, dtype: str = "f64") -> Program:
    """The program with one entry function for each target.

    ``names`` is the naming authority: ``of(node)``, ``size(name)``, ``fresh(stem)``, ``scope()``.
    """
    module = Module(names, dtype)
    entries = tuple(lower_function(target, module) for target in targets)
    return _program(entries, module)


def lower_loop(training: Training, names: Any, dtype: str = "f64") -> Program:
    """The program of a training loop: one entry, ``train``."""
    module = Module(names, dtype)
    return _program((lower_training(training, module),), module)


def lower_order() -> Program:
    """The program that draws an order of samples: one entry, ``permutation``."""
    return Program((*called((permutation(),), "f64"), permutation()), (PERMUTATION,))


def _program(entries: tuple[Function, ...], module: Module) -> Program:
    """The entries with all that they call."""
    functions, dtype = (*called(entries, module.dtype), *entries), module.dtype
    names = tuple(f.name for f in entries)
    return Program(functions, names, dtype, _arrays(module.constants, dtype), _arrays(module.hidden, dtype))


def _arrays(table: dict[Frozen, str], dtype: str) -> tuple[tuple[str, Any], ...]:
    """Constant arrays by name, in the types of the program."""
    kinds = {"f": {"f64": "float64", "f32": "float32"}[dtype], "i": "int64", "b": "bool"}
    return tuple((name, frozen.array.astype(kinds[frozen.array.dtype.kind])) for frozen, name in table.items())


def called(entries: tuple[Function, ...], dtype: str) -> list[Function]:
    """The functions that the entries call, callees first: elementary ones, folds of reductions, random orders."""
    found: dict[str, Function] = {}
    for name in _callees(entries):
        own = permutation() if name == PERMUTATION else helper(name, dtype)
        needed = elementary.build(_whole(name), dtype) if own is None else (*called((own,), dtype), own)
        for function in needed:
            found.setdefault(function.name, function)
    return list(found.values())


def _whole(name: str) -> str:
    """The function of which this is the fast form."""
    base = name.removesuffix("_fast")
    return base if base in elementary.WIDE else name


def _callees(entries: tuple[Function, ...]) -> list[str]:
    """Names of called functions, in the order of first use."""
    found: dict[str, None] = {}
    for entry in entries:
        for statement in statements(entry.body):
            if isinstance(statement, Call) and statement.kernel == PERMUTATION:
                found.setdefault(statement.kernel)
            for expr in _expressions(statement):
                _collect(expr, found)
    return list(found)


def _expressions(statement: Statement) -> list[Expr]:
    values: list[Expr] = []
    for slot in statement.__dataclass_fields__:
        value = getattr(statement, slot)
        values += [value] if isinstance(value, Expr) else []
        stack = [value] if isinstance(value, tuple) and slot != "body" and slot != "orelse" else []
        while stack:
            part = stack.pop()
            if isinstance(part, tuple):
                stack.extend(reversed(part))
            elif isinstance(part, Expr):
                values.append(part)
    return values


def _collect(expr: Expr, found: dict[str, None]) -> None:
    stack = [expr]
    while stack:
        part = stack.pop()
        if part.op == "call":
            found.setdefault(str(part.value))
        stack.extend(reversed(part.args))
