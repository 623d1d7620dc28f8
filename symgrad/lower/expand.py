"""Composites become primitives, marks vanish, contractions take one of a few forms.

In: the nodes of a target. Out: the same values as nodes that lower makes loops of, and for each new
node the old one that it stands for (its name and comment are that one's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from symgrad.ir.node import Node, build, constant, rebuild
from symgrad.ir.walk import topological
from symgrad.lower.contract import normal_form
from symgrad.lower.origin import Origin
from symgrad.lower.window import added_in_runs
from symgrad.ops.shape import broadcast, reshape


def expand(outputs: list[Node], inputs: Iterable[Node]) -> tuple[list[Node], Origin]:
    """The outputs in primitives, and the origin of every new node."""
    given = frozenset(inputs)
    origin = Origin({}, {})
    while True:
        new: dict[Node, Node] = {}
        for node in topological(outputs, stop=given):
            if node in given:
                new[node] = node
                continue
            fresh = rebuild(node, (new[a] for a in node.args))
            new[node] = _rewrite(fresh)
            if new[node] is not node:
                _trace(origin, node, new[node], fresh.args)
        after = [new[n] for n in outputs]
        if after == outputs:
            return outputs, origin
        outputs = after


def _trace(origin: Origin, old: Node, made: Node, args: tuple[Node, ...]) -> None:
    """Remember where a node comes from, and those between it and its arguments."""
    origin.same.setdefault(made, origin.same.get(old, old))
    first = origin.part_of.get(old, origin.same.get(old, old))
    for node in topological([made], stop=args):
        if node not in origin.same and node not in args and node.op.kind != "leaf":
            origin.part_of.setdefault(node, first)


def _rewrite(node: Node) -> Node:
    if node.op.kind == "identity":
        return node.args[0]
    if node.op.kind == "composite":
        return node.op.lower(*node.args, **node.params)  # type: ignore[misc]
    rule = _RULES.get(node.op.name) or _RULES.get(node.op.kind)
    return node if rule is None else rule(node)


def _reduce(node: Node) -> Node:
    """A reduction over axes of length 1 is a reshape."""
    (x,) = node.args
    axes = node["axes"]
    if any(x.shape[d] != 1 for d in axes):
        return node
    if node.op.name in ("argmax", "argmin"):
        return broadcast(constant(0, "int"), node.shape)
    kept = reshape(x, node.shape)
    return kept if kept.dtype == node.dtype else build("cast", kept, to=node.dtype)


def _reshape(node: Node) -> Node:
    """One view instead of two."""
    (x,) = node.args
    return reshape(x.args[0], node.shape) if x.op.name == "reshape" else node


_RULES: dict[str, Callable[[Node], Node]] = {
    "reduce": _reduce,
    "reshape": _reshape,
    "contract": normal_form,
    "overlap_add": added_in_runs,
}
