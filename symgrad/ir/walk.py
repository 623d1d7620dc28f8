"""The only traversals of the DAG; all are iterative and follow the order of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from symgrad.ir.node import Node, rebuild
from symgrad.ir.types import Size


def topological(outputs: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node that the outputs need, arguments first, in a deterministic order; ``stop`` nodes are leaves."""
    leaves = frozenset(stop)
    done: dict[Node, None] = {}  # in the order of the result
    opened: set[Node] = set()
    stack = list(outputs)[::-1]
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
        elif node in opened or not node.args or node in leaves:
            done[node] = None
            stack.pop()
        else:
            opened.add(node)
            stack.extend([a for a in reversed(node.args) if a not in done])
    return list(done)


def variables(outputs: Iterable[Node]) -> list[Node]:
    """The variables that the outputs need, in the order of declaration."""
    found = [n for n in topological(outputs) if n.op.name == "variable"]
    return sorted(found, key=lambda n: n["variable"].order)


def named_sizes(outputs: Iterable[Node]) -> list[str]:
    """The named sizes of axes and in formulas, sorted."""
    sizes = (s for n in topological(outputs) for s in (*n.shape, n.params.get("size")))
    return sorted({name for s in sizes if isinstance(s, Size) for name in s.names()})


def transform(outputs: Iterable[Node], change: Callable[[Node], Node]) -> dict[Node, Node]:
    """Rebuild bottom-up: each node is rebuilt on its new arguments, then given to ``change``."""
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        new[node] = change(rebuild(node, (new[a] for a in node.args)))
    return new


def substitute(outputs: Iterable[Node], replacements: Mapping[Node, Node]) -> list[Node]:
    """The outputs with some nodes replaced by others."""
    wanted = list(outputs)
    new: dict[Node, Node] = {}
    for node in topological(wanted, stop=replacements):
        new[node] = replacements[node] if node in replacements else rebuild(node, (new[a] for a in node.args))
    return [new[n] for n in wanted]


def users(outputs: Iterable[Node]) -> dict[Node, list[Node]]:
    """For each node, the nodes that read it (once per reading)."""
    order = topological(outputs)
    found: dict[Node, list[Node]] = {node: [] for node in order}
    for node in order:
        for a in node.args:
            found[a].append(node)
    return found


def depends(outputs: Iterable[Node], sources: Iterable[Node]) -> set[Node]:
    """The nodes through which an output depends on a source (sources included)."""
    reached = set(sources)
    for node in topological(outputs):
        if any(a in reached for a in node.args):
            reached.add(node)
    return reached
