"""Weights of the two arguments of a maximum or minimum where they tie.

Independent arguments share the gradient equally; a constant gets none of it, so that max(x, 0) is relu. Arguments that
are element by element made of a common node, max(2 x, x), give the element of least norm between their two gradients
by what they have in common.
"""

from __future__ import annotations

import math
import weakref

from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ops.leaf import CAST, CONSTANT, IOTA, SIZE, STOP
from symgrad.ops.registry import partial

Weights = tuple[Node, Node]
Gradient = dict[Node, Node]  # by each leaf
Region = tuple[list[Node], set[Node]]  # nodes, arguments first; the leaves among them
# How far common nodes are looked for, and what weights may cost: beyond, arguments count as independent.
_FAR, _MOST_NODES, _MOST_LEAVES = 64, 24, 3
_FIXED = frozenset(["constant_like", *(op.name for op in (CONSTANT, SIZE, IOTA, CAST, STOP))])
_ONE, _ZERO, _HALF = constant(1.0), constant(0.0), constant(0.5)
_known: weakref.WeakKeyDictionary[Node, Weights] = weakref.WeakKeyDictionary()
_moving: weakref.WeakKeyDictionary[Node, tuple[Node, ...]] = weakref.WeakKeyDictionary()


def tie_weights(y: Node) -> Weights:
    """What y = max(a, b) or min(a, b) gives to a and to b where a = b."""
    found = _known.get(y)
    if found is None:
        found = _known[y] = _derived(*y.args)
    return found


def _derived(a: Node, b: Node) -> Weights:
    if _is_fixed(b):
        return _ZERO, _ONE
    if _is_fixed(a):
        return _ONE, _ZERO
    regions = _regions(a, b, _reach(a) & _reach(b))
    if regions is None:
        return _HALF, _HALF
    p, q = (_gradient(*region) for region in regions)
    return _least(p, q)


def are_dependent(a: Node, b: Node) -> bool:
    """Whether two nodes are element by element made of a common node."""
    return bool(_reach(a) & _reach(b))


def _is_fixed(node: Node) -> bool:
    """Whether the node is a number to every derivative."""
    while node.op.kind == "index":
        node = node.args[0]
    return node.op.name in _FIXED or (node.op.row is not None and bool(node.args) and not _parts(node))


def _parts(node: Node) -> tuple[Node, ...]:
    """The arguments that move an element-wise node; of others none."""
    stack = [node]
    while node not in _moving:  # of a long chain the lowest first
        top = stack[-1]
        real = [a for a in top.args if a.dtype == "real"] if top.op.row is not None else []
        missing = [a for a in real if a.op.row is not None and a not in _moving]
        stack.extend(missing)
        if not missing:
            _moving[stack.pop()] = tuple(a for a in real if not _is_fixed(a))
    return _moving[node]


def _reach(root: Node) -> set[Node]:
    """The nodes that the root is element by element made of, itself among them."""
    if _is_fixed(root):
        return set()
    found, stack = {root}, [root]
    while stack and len(found) < _FAR:
        new = [a for a in _parts(stack.pop()) if a not in found]
        found.update(new)
        stack.extend(new)
    return found


def _regions(a: Node, b: Node, common: set[Node]) -> tuple[Region, Region] | None:
    """What a and b are made of, down to the highest common nodes that have nothing in common themselves.

    None where there are no such nodes, or too many.
    """
    allowed = set(common)
    while allowed:
        left, right = (_between(root, allowed) for root in (a, b))
        leaves = left[1] | right[1] if left and right else set()
        if left is None or right is None or len(leaves) > _MOST_LEAVES:
            return None
        mixed = {p for p in leaves if _parts(p) and any(p is not q and _reach(p) & _reach(q) for q in leaves)}
        if not mixed:
            return left, right
        allowed -= mixed
    return None


def _between(root: Node, leaves: set[Node]) -> Region | None:
    """The nodes from the leaves (or what has no parts) up to the root."""
    order: dict[Node, None] = {}
    opened: set[Node] = set()
    ends: set[Node] = set()
    stack = [root]
    while stack and len(opened) <= _MOST_NODES:
        node = stack[-1]
        if node in leaves or not _parts(node):
            ends.add(node)
        elif node not in opened:
            opened.add(node)
            stack.extend(a for a in reversed(_parts(node)) if a not in order)
            continue
        order[stack.pop()] = None
    return (list(order), ends) if not stack else None


def _gradient(order: list[Node], leaves: set[Node]) -> Gradient:
    """The derivatives of the last node by the leaves."""
    known: dict[Node, Gradient] = {}
    for node in order:
        known[node] = {node: _ONE} if node in leaves else _chained(node, known)
    return known[order[-1]]


def _chained(node: Node, known: dict[Node, Gradient]) -> Gradient:
    """The sum over arguments of partial times gradient."""
    total: Gradient = {}
    for i, a in enumerate(node.args):
        p = partial(node, i) if a in known else None
        if p is None:
            continue
        for leaf, slope in known[a].items():
            term = _times(p, slope)
            total[leaf] = _plus(total[leaf], term) if leaf in total else term
    return total


def _times(p: Node, q: Node) -> Node:
    if is_constant(p) and is_constant(q):
        return constant(p["value"] * q["value"])
    return q if is_constant(p, 1.0) else p if is_constant(q, 1.0) else p * q


def _plus(p: Node, q: Node) -> Node:
    return constant(p["value"] + q["value"]) if is_constant(p) and is_constant(q) else p + q


def _least(p: Gradient, q: Gradient) -> Weights:
    """The weights s, t >= 0 that make s p + t q least among convex combinations."""
    pairs = [(p.get(leaf, _ZERO), q.get(leaf, _ZERO)) for leaf in {**p, **q}]
    if all(is_constant(c) for pair in pairs for c in pair):
        return _of_numbers([(u["value"], v["value"]) for u, v in pairs])
    return _of_slopes(*pairs[0]) if len(pairs) == 1 else _of_vectors(pairs)


def _of_numbers(pairs: list[tuple[float, float]]) -> Weights:
    if len(pairs) == 1:
        ((u, v),) = pairs
        if u == v:
            return _HALF, _HALF
        return (_ZERO, _ZERO) if u * v < 0 else (_ONE, _ZERO) if abs(u) < abs(v) else (_ZERO, _ONE)
    length = math.fsum((u - v) ** 2 for u, v in pairs)
    if not 0 < length < math.inf:
        return _HALF, _HALF
    s = min(max(-math.fsum(v * (u - v) for u, v in pairs) / length, 0.0), 1.0)
    return constant(s), constant(1.0 - s)


def _of_slopes(u: Node, v: Node) -> Weights:
    """In one variable: the smaller slope, none of both where their signs differ."""
    smaller = build("abs", u) < build("abs", v)
    opposite = u * v < _ZERO
    s, t = (build("where", smaller, *pair) for pair in ((_ONE, _ZERO), (_ZERO, _ONE)))
    return build("where", opposite, _ZERO, s), build("where", opposite, _ZERO, t)


def _of_vectors(pairs: list[tuple[Node, Node]]) -> Weights:
    """s = clip(-q (p - q) / |p - q|^2, 0, 1), the foot of the perpendicular from the origin."""
    length, along = _ZERO, _ZERO
    for u, v in pairs:
        d = u - v
        length, along = _plus(length, build("square", d)), along - v * d
    s = build("clip", along / length, _ZERO, _ONE)
    s = build("where", length > _ZERO, s, _HALF)
    return s, _ONE - s
