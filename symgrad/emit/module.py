"""A Program as one importable module: header, imports, decorators, functions; and what its entries take.

In: a Program, the formula lines of the header, how to regenerate it. Out: a Source, the same to the byte
under any hash seed and on any machine: no date, path or random number. The head is the one that
``runtime.load`` asks for; where Numba is missing, numbers become NumPy scalars at each call, which divide by zero
and overflow as the hardware does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.emit.count import count, shown
from symgrad.emit.numba import DTYPES, WIDTH, Line, docstring, fill, function_lines, structure, wrapped
from symgrad.emit.scalar import is_straight, literal
from symgrad.ir.program import Function, Parameter, Program, Return
from symgrad.ir.source import Entry, Source

KERNELS = {"chains": ("matmul",), "kernels": ("fma", "select")}
ALIASES = {"f64": "float64", "f32": "float32", "i64": "int64", "i32": "int32"}
_NUMBA = {**ALIASES, "bool": "boolean"}
_SUMMARIES = {
    "forward": "The outputs, and the residuals that backward reads.",
    "backward": "The gradients, from the residuals and the cotangents of the outputs.",
    "value_and_grad": "The value and its gradients.",
}
_HEAD = """\
try:
    from numba import njit
    from numba.extending import register_jitable
except ImportError:  # the same text runs, slowly, as plain Python
    SCALARS = {float: np.float64, int: np.int64, bool: np.bool_}

    def jit(function):
        @wraps(function)
        def plain(*args):
            with np.errstate(all="ignore"):
                return function(*(SCALARS[type(a)](a) if type(a) in SCALARS else a for a in args))

        return plain

    helper = inline = jit
else:
    FLAGS = {"error_model": "numpy", "nogil": True, "boundscheck": False, "no_cfunc_wrapper": True}
    jit = njit(**FLAGS)
    helper = register_jitable(**FLAGS)
    inline = register_jitable(forceinline=True, **FLAGS)  # so that loops around it are vectorised
"""


def emit(program: Program, *, doc: str, regenerate: str, shapes: Mapping[str, str] | None = None) -> Source:
    """The module of a program.

    ``doc`` says what is computed (its lines head the file), ``regenerate`` how to make the file again;
    ``shapes`` gives the sizes of array parameters for the docstrings ("n, 3"), by name.
    """
    body: list[Line] = []
    for name, value in program.constants:
        body += [(line, None) for line in _constant(name, np.asarray(value))]
    for function in program.functions:
        entry = function.name in program.entries
        documented = replace(function, doc=_documentation(function, shapes or {})) if entry else function
        body += [("", None), ("", None), *function_lines(documented, _decorator(function, entry))]
    head = [*docstring(_header(program, doc, regenerate)), "", *_imports([line for line, _ in body])]
    return _source(program, [*((line, None) for line in head), *body])


def _decorator(function: Function, entry: bool) -> str:
    """Entries are compiled for their signature; straight arithmetic is always inlined into its callers."""
    return "@jit" if entry else "@inline" if is_straight(function) else "@helper"


def _source(program: Program, lines: list[Line]) -> Source:
    provenance = {n: node for n, (_, node) in enumerate(lines, 1) if node is not None}
    functions = {function.name: function for function in program.functions}
    entries = tuple(Entry(name, signature(functions[name])) for name in program.entries)
    return Source("\n".join(line for line, _ in lines) + "\n", entries, provenance)


def signature(function: Function) -> tuple[str, ...]:
    """The Numba type of each parameter; arrays are C-contiguous.

    >>> signature(Function("f", (Parameter("X", "f64", 2), Parameter("n", "i64")), ()))
    ('float64[:, ::1]', 'int64')
    """
    return tuple(_NUMBA[p.dtype] + (f"[{', '.join([':'] * (p.rank - 1) + ['::1'])}]" if p.rank else "")
                 for p in function.parameters)  # fmt: skip


def _header(program: Program, doc: str, regenerate: str) -> str:
    """What is computed, how to regenerate it, the operation counts."""
    functions = {function.name: function for function in program.functions}
    rows = [*doc.strip("\n").split("\n"), "", f"Regenerate: {regenerate}", "", "Operations"]
    width = max(map(len, program.entries))
    for name in program.entries:
        first, *more = fill(shown(count(functions[name])), WIDTH - width - 6)
        rows += [f"    {name:<{width}}  {first}", *(" " * (width + 6) + row for row in more)]
    return "\n".join(rows)


def _imports(body: list[str]) -> list[str]:
    """Only what the body uses; ``np`` always, for the fallback."""
    words = set(re.findall(r"[A-Za-z_]\w*", "\n".join(body)))
    lines = ["import math"] * ("math" in words) + ["from functools import wraps", "", "import numpy as np", ""]
    taken = [(room, [name for name in names if name in words]) for room, names in KERNELS.items()]
    found = [f"from symgrad.runtime.{room} import {', '.join(names)}" for room, names in taken if names]
    lines += [*found, ""] if found else []
    aliases = [f"{short} = np.{ALIASES[short]}" for short in ALIASES if short in words]
    return [*lines, *_HEAD.splitlines(), *[""] * bool(aliases), *aliases]


def _documentation(function: Function, shapes: Mapping[str, str]) -> str:
    """The function's own words, then its arguments with types and shapes, then its results."""
    hidden, given = set(function.hidden), []
    for p in function.parameters:
        sizes = shapes.get(p.name, ", ".join(":" * p.rank))
        given.append(f"{p.name} {p.dtype}[{sizes}]" if p.rank else f"{p.name} {p.dtype}")
    takes = [text for p, text in zip(function.parameters, given, strict=True) if p.name not in hidden]
    summary = function.doc.strip("\n") or _SUMMARIES.get(function.name, f"The function {function.name}.")
    rows = [*summary.split("\n"), ""]
    rows += _labelled("Takes", ", ".join(takes))
    if function.packed:
        rows += _labelled("with", f"{function.parameters[0].name} = ({', '.join(function.packed)})")
    if hidden:
        rows += _labelled("Hidden", ", ".join(t for t in given if t not in takes))
    last = function.body[-1] if function.body else None
    if isinstance(last, Return):
        rows += _labelled("Gives", ", ".join(structure(v) for v in last.values))
    return "\n".join(rows)


def _labelled(label: str, text: str) -> list[str]:
    first, *more = fill(text or "nothing", WIDTH - 14)
    return [f"{label:<7} {first}", *(f"{'':<7} {row}" for row in more)]


def _constant(name: str, array: Any) -> list[str]:
    """A small array of the module."""
    kind = {"f8": "f64", "f4": "f32", "i8": "i64", "i4": "i32", "b1": "bool"}[array.dtype.str[1:]]
    values = [_bare(v, kind) for v in array.ravel().tolist()]
    shape = "" if array.ndim == 1 else f".reshape({structure(tuple(map(str, array.shape)))})"
    return wrapped(f"{name} = np.array([", ", ".join(values), f"], {DTYPES[kind]}){shape}", bare=True)


def _bare(value: Any, kind: str) -> str:
    """A literal without its cast, which the array's type makes anyway."""
    spelled = literal(value, kind)
    return spelled[4:-1] if kind in ("f32", "i32") else spelled


__all__ = ["ALIASES", "KERNELS", "Parameter", "emit", "signature"]
