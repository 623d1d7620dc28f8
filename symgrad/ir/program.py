"""The loop program: the language below the border, from which all code is printed.

    Expr      = const | var | load | length | basis operation | call of a Function       (a scalar)
    Statement = Assign | Store | Accumulate | Loop | If | Exit | Call | Allocate | Return
    Function  = parameters, body, results
    Program   = functions in the order of definition; the last ones are entry points

A program is concrete: scalars have the types of ``ir.expression``. A name is assigned once in its scope,
except by Accumulate, and by an Assign in a loop to a name from outside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from symgrad.ir.expression import Expr


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = expr``. ``note`` is printed as a comment above, ``node`` is its origin in the graph."""

    target: str
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """``buffer[index] = expr``."""

    buffer: str
    index: tuple[Expr, ...]
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Accumulate:
    """``target += expr`` (or buffer[index] where index is not None); op is "add", "mul", "or", "and"."""

    target: str
    index: tuple[Expr, ...] | None
    op: str
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """``for var in range(start, stop, step)``; ``mark`` "unroll" or "vector" is a hint to a printer."""

    var: str
    start: Expr
    stop: Expr
    body: tuple[Statement, ...]
    step: int = 1
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class If:
    """Two-way branch."""

    condition: Expr
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave with an error: kind is "index" or "value", the message is symgrad's own text."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """A kernel on buffers: ``dot(a, b, out)``; operands may be transposed views ("T:name").

    Views bind a name to memory that exists: ``flat(a, view)``, ``reshape(a, view, size, ...)``, ``row(a, view,
    position)``, which is a[position], ``rows(a, view, start, stop)``, which is a[start:stop] (start 0 may be left out),
    and ``same(a, view)``, whose old content is read no more.
    """

    kernel: str
    args: tuple[str, ...]
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Allocate:
    """A C-contiguous buffer; ``fill`` None leaves it uninitialised."""

    name: str
    shape: tuple[Expr, ...]
    dtype: str
    fill: float | int | bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Leave with results: scalars and buffers, by name or expression; nested tuples are kept."""

    values: tuple


Statement = Assign | Store | Accumulate | Loop | If | Exit | Call | Allocate | Return


@dataclass(frozen=True, slots=True)
class Parameter:
    """rank 0 is a scalar, otherwise a C-contiguous array."""

    name: str
    dtype: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the program; ``doc`` becomes its docstring.

    ``packed`` names scalar parameters that travel in one vector, the first parameter (where they are many);
    ``hidden`` names trailing parameters that are constants of the program, not of the caller.
    """

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""
    packed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """Functions in the order of definition; ``entries`` names those that are called from outside.

    ``dtype`` is the float type; ``constants`` are small module-level arrays, ``hidden`` the values of hidden
    parameters, both by name.
    """

    functions: tuple[Function, ...]
    entries: tuple[str, ...]
    dtype: str = "f64"
    constants: tuple[tuple[str, Any], ...] = ()
    hidden: tuple[tuple[str, Any], ...] = ()


def statements(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Every statement, outer before inner."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, Loop):
            stack.extend(reversed(statement.body))
        elif isinstance(statement, If):
            stack.extend(reversed(statement.body + statement.orelse))
