"""What passes did: a row for each, for the table that a function reports; and hooks that see each pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from symgrad.ir.node import Node
from symgrad.ir.walk import topological

Hook = Callable[[str, Sequence[Node], Sequence[Node]], None]
_hooks: ContextVar[tuple[Hook, ...]] = ContextVar("hooks", default=())


@contextmanager
def watch(hook: Hook) -> Iterator[None]:
    """Let ``hook(name, before, after)`` see every pass of what is derived inside.

    >>> import symgrad as sg
    >>> from symgrad.pipeline import derive
    >>> x, names = sg.symbol("x").node, []
    >>> with watch(lambda name, before, after: names.append(name)):
    ...     derived = derive([x * x], [x], [x])
    >>> names
    ['rules', 'stabilise', 'simplify', 'eliminate', 'simplify', 'eliminate']
    """
    token = _hooks.set((*_hooks.get(), hook))
    try:
        yield
    finally:
        _hooks.reset(token)


def tell(name: str, before: Sequence[Node], after: Sequence[Node]) -> None:
    """Show one pass to those who watch."""
    for hook in _hooks.get():
        hook(name, before, after)


@dataclass(frozen=True, slots=True)
class PassReport:
    """What one pass did; operations are the nodes that compute, unlike leaves, names and changes of index."""

    name: str
    seconds: float
    nodes_before: int
    nodes_after: int
    operations_before: int
    operations_after: int


def counted(outputs: Sequence[Node]) -> tuple[int, int]:
    """How many nodes, and how many of them are operations."""
    order = topological(outputs)
    return len(order), sum(n.op.kind not in ("leaf", "identity", "index") for n in order)
