"""A function of scalars, evaluated over arrays: each symbol becomes a vector, every node gets a leading axis for it.

The axis is carried through a graph by each op's own shape rule: element-wise operations are aligned behind it, linear
changes of index are their own pushforwards (which allow leading axes), reductions count their axes one further.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

from symgrad.errors import UnsupportedError
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.show import described
from symgrad.ir.types import AnySize, ArrayType, named
from symgrad.ir.walk import topological, transform
from symgrad.ops.contract import split
from symgrad.ops.diagonal import is_diagonal
from symgrad.ops.leaf import variable
from symgrad.ops.shape import broadcast, reshape
from symgrad.passes.reverse import with_rules
from symgrad.pipeline import Derived, derive


def lifted(outputs: Sequence[Node], wrt: Sequence[Node], inputs: Sequence[Node]) -> Derived:
    """The derived function over vectors of one length; gradients are the partials of each element."""
    n = named(_free_name(inputs))
    new = {v: variable(_vector(v), ArrayType((n,), "real")) for v in inputs}
    given = tuple(new[v] for v in inputs)
    expanded = dict(zip([*outputs, *wrt], with_rules(_plain([*outputs, *wrt])), strict=True))
    for node in topological(expanded.values()):
        if node not in new and any(a in new for a in node.args):
            new[node] = _lift(node, new, n)
    grown = [_whole(expanded[f], new, n) for f in outputs]
    return derive(grown, [_whole(expanded[x], new, n) for x in wrt], given, elementwise=True)


def _plain(nodes: Sequence[Node]) -> list[Node]:
    """Diagonal matrices as arrays (a stack of them is not one), and constants that take their kind from an operand."""
    dense = transform(nodes, lambda n: n.op.lower(*n.args) if is_diagonal(n) and n.op.lower else n)
    known = transform([dense[n] for n in nodes], _known_kind)
    return [known[dense[n]] for n in nodes]


def _known_kind(node: Node) -> Node:
    return constant(node["value"], node.dtype) if node.op.name == "constant_like" else node


def _vector(v: Node) -> Variable:
    return Variable(v["variable"].name, "input", v["variable"].latex)


def _whole(node: Node, new: Mapping[Node, Node], n: AnySize) -> Node:
    """A node with its leading axis, also where it does not depend on any symbol."""
    return new[node] if node in new else broadcast(node, (n, *node.shape))


def _lift(node: Node, new: Mapping[Node, Node], n: AnySize) -> Node:
    """One node with the leading axis."""
    kind, name = node.op.kind, node.op.name
    if kind in ("elementwise", "identity"):
        return build(name, *(_aligned(a, new, n, node.type.rank) for a in node.args), **node.params)
    whole = [_whole(a, new, n) for a in node.args]
    if name == "einsum":
        left, right, out = split(node["spec"])
        letter = next(c for c in string.ascii_letters if c not in node["spec"])
        return build("einsum", *whole, spec=f"{letter}{left},{letter}{right}->{letter}{out}")
    if "axes" in node.params and name != "diagonal":
        return build(name, *whole, **{**node.params, "axes": tuple(i + 1 for i in node["axes"])})
    if name == "gather" and node.args[1] not in new:
        return build("gather", whole[0], node.args[1], axis=node["axis"] + 1)
    if node.op.jvp is not None and kind in ("index", "scan", "gather") and name != "gather":
        return node.op.jvp(tuple(whole), node, *node.args, **node.params)
    raise UnsupportedError(
        f"{name} cannot be evaluated over arrays of scalars",
        ("node", described(node)),
        fix="call it with one number each",
    )


def _aligned(a: Node, new: Mapping[Node, Node], n: AnySize, rank: int) -> Node:
    """An operand behind the leading axis, with room for the axes that broadcasting adds."""
    if a not in new:
        return a
    x = new[a]
    return reshape(x, (n, *(1,) * (rank - a.type.rank), *a.shape)) if a.type.rank < rank else x


def _free_name(inputs: Sequence[Node]) -> str:
    """A name for the length that no input has."""
    taken = {v["variable"].name for v in inputs}
    longest = max((len(name) for name in taken), default=0)
    return next((name for name in ("n", "count", "elements") if name not in taken), "n" + "_" * longest)
