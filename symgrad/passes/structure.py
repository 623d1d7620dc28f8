"""What is known without computing it: whether a tensor is diagonal or zero, whether a function is element-wise."""

from __future__ import annotations

from symgrad.ir.node import Node, build, rebuild
from symgrad.ir.types import size_product
from symgrad.ir.walk import topological
from symgrad.ops.contract import split
from symgrad.ops.diagonal import is_diagonal
from symgrad.ops.shape import reshape, transpose
from symgrad.passes import rules_shape
from symgrad.passes.names import strip
from symgrad.passes.rewrite import Rules, has_value, rewrite
from symgrad.passes.simplify import simplify

_INDEX_RULES = Rules(rules_shape.RULES)


def structure(node: Node) -> str:
    """``"diagonal"``, ``"zero"`` or ``"dense"``; of an expression in diagonal matrices after simplification."""
    if not is_diagonal(node) and any(is_diagonal(n) for n in topological([node])):
        ((plain,), _, _) = strip([node])
        node = simplify([plain])[plain]
    if is_diagonal(node):
        return "diagonal"
    return "zero" if has_value(node, 0.0) else "dense"


def is_elementwise_in(f: Node, x: Node) -> bool:
    """Whether element i of f depends on element i of x alone, by construction; axes may be regrouped in between.

    Each node on the way gets its places: the integers 0, 1, ... of x's elements, arranged as its own elements are.
    """
    first = reshape(build("iota", size=size_product(x.shape)), x.shape)
    places: dict[Node, Node] = {x: first}
    for node in topological([f], stop=[x]):
        if node.dtype != "real" or node is x:
            continue
        moving = [places[a] for a in node.args if a in places]
        found = _places(node, places) if moving else None
        if moving and found is None:
            return False
        if found is not None:
            places[node] = found
    return places.get(f) is first


def _places(node: Node, places: dict[Node, Node]) -> Node | None:
    """Where the elements of a node come from; None where an element depends on several, or is repeated."""
    if node.op.name == "einsum":
        return _of_product(node, places)
    if node.op.name in ("reshape", "transpose"):
        moved = rebuild(node, [places[node.args[0]]])
        return rewrite([moved], _INDEX_RULES)[moved]
    if node.op.kind not in ("elementwise", "identity"):
        return None
    moving = [a for a in node.args if a in places]
    one = places[moving[0]]
    return one if all(a.shape == node.shape and places[a] is one for a in moving) else None


def _of_product(node: Node, places: dict[Node, Node]) -> Node | None:
    """A contraction that sums nothing is a product element by element."""
    *operands, out = split(node["spec"])
    found = set()
    for a, letters in zip(node.args, operands, strict=True):
        if not set(letters) <= set(out):
            return None
        if a in places:
            if len(letters) < len(out):
                return None
            found.add(transpose(places[a], tuple(letters.index(c) for c in out)))
    settled = {rewrite([p], _INDEX_RULES)[p] for p in found}
    return settled.pop() if len(settled) == 1 else None
