"""Memory of temporaries that nothing reads any more serves later arrays of the same shape and type.

In: the statements of a function, and the buffers that leave it. Out: the same with some allocations replaced by
memory that is free. Fresh memory costs a page fault for every 4 KiB, more than the arithmetic on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.ir.program import Allocate, Call, Statement
from symgrad.lower.merge import names_in_statement
from symgrad.lower.sizes import same_expr

VIEWS = ("flat", "reshape")


@dataclass(slots=True)
class _Free:
    """Memory by the name it was allocated under."""

    memory: Allocate
    name: str


def reuse(body: list[Statement], leaving: frozenset[str]) -> list[Statement]:
    """The body with memory used again; ``leaving`` are the names that a Return carries, with what they look at."""
    if not any(isinstance(s, Allocate) for s in body):
        return body
    root = _roots(body)
    names = [names_in_statement(statement) for statement in body]
    last: dict[str, int] = {}
    for n, touched in enumerate(names):
        for name in touched:
            last[root.get(name, name)] = n
    kept = {root.get(name, name) for name in leaving}
    owner: dict[str, Allocate] = {}
    free: list[_Free] = []
    done: list[Statement] = []
    for n, statement in enumerate(body):
        new = statement
        if isinstance(statement, Allocate):
            found = _fitting(free, statement)
            owner[statement.name] = found.memory if found else statement
            new = _taken_over(found, statement) if found else statement
        done.append(new)
        for name in sorted(names[n]):
            base = root.get(name, name)
            if base in owner and last[base] == n and base not in kept and owner[base].shape:
                free.append(_Free(owner[base], base))
                del owner[base]
    return done


def _roots(body: list[Statement]) -> dict[str, str]:
    """What each view looks at."""
    root: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, Call) and statement.kernel in VIEWS:
            root[statement.args[1]] = root.get(statement.args[0], statement.args[0])
    return root


def _fitting(free: list[_Free], wanted: Allocate) -> _Free | None:
    """Memory of the wanted shape and type, the latest first; none for an array that starts filled, or a small block."""
    if wanted.fill is not None or _is_small(wanted):
        return None
    for n in reversed(range(len(free))):
        have = free[n].memory
        fits = have.dtype == wanted.dtype and len(have.shape) == len(wanted.shape)
        if fits and all(same_expr(a, b) for a, b in zip(have.shape, wanted.shape, strict=True)):
            return free.pop(n)
    return None


def _is_small(buffer: Allocate) -> bool:
    """Known to be a block of lanes or less."""
    total = 1
    for n in buffer.shape:
        if n.op != "const":
            return False
        total *= int(n.value)  # type: ignore[call-overload]
    return total <= 256


def _taken_over(free: _Free, wanted: Allocate) -> Call:
    return Call("same", (free.name, wanted.name), note=f"in the memory of {free.name}, which is read no more")
