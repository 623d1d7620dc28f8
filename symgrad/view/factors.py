r"""Sums in which terms share something: v (3 + 6 x^2) for 3 v + 6 v x^2, cases for two indicators of which one holds,
(A + A^T) x for A x + A^T x.

In: a node of a formula. Out: an equal one with fewer signs, or None. Only what is compound is taken out, or what has a
line of its own: polynomials in the variables stay as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from fractions import Fraction

from symgrad.emit.latex_patterns import label_axis
from symgrad.ir.node import Node, build
from symgrad.ops.contract import split
from symgrad.ops.shape import transpose
from symgrad.passes.rewrite import Rule
from symgrad.view.monomials import Number, Powers, Product, magnitude, plain, product, written
from symgrad.view.terms import terms, total

_MOST = 6  # terms
_MOST_FACTORS = 4  # of terms that have one in common
_OPPOSITES = {"less": "greater_equal", "less_equal": "greater", "greater": "less_equal", "greater_equal": "less"}


def opposite(c: Node) -> Node | None:
    """The condition that holds where c does not, if it is written without a not."""
    if c.op.name == "logical_not":
        return c.args[0]
    return build(_OPPOSITES[c.op.name], *c.args) if c.op.name in _OPPOSITES else None


def _is_compound(n: Node) -> bool:
    if n.op.name == "variable":
        return n["variable"].kind == "station"
    return (bool(n.args) and n.op.name not in ("cast", "broadcast", "constant_like")) or _is_indicator(n)


def _is_indicator(n: Node) -> bool:
    return n.op.name == "cast" and n.args[0].dtype == "bool"


def _is_cotangent(n: Node) -> bool:
    return n.op.name == "variable" and n["variable"].kind == "cotangent"


def common_factor(node: Node, may_go: Callable[[Node], bool] = _is_compound) -> Node | None:
    """a v + b v = (a + b) v for a compound v."""
    parts = terms(node)
    if not 2 <= len(parts) <= _MOST:
        return None
    products = [product(n) for n, _ in parts]
    shared = {
        n: min(p.powers[n] for p in products)
        for n in products[0].powers
        if may_go(n) and all(p.powers.get(n, 0) > 0 for p in products)
    }
    if not shared or max(len(p.powers) for p in products) > _MOST_FACTORS:
        return None
    c = magnitude(products[0].coefficient)
    c = c if all(magnitude(p.coefficient) == c for p in products) else 1
    rest = [_without(p, shared, c) for p in products]
    if any(r is None for r in rest):
        return None
    inner = total([(r, sign) for r, (_, sign) in zip(rest, parts, strict=True) if r is not None])
    outer = written(Product(c, shared))
    return None if outer is None else outer * inner


def _without(p: Product, shared: Powers, coefficient: Number = 1) -> Node | None:
    left = {n: k - shared.get(n, 0) for n, k in p.powers.items()}
    return written(Product(plain(Fraction(p.coefficient) / coefficient), {n: k for n, k in left.items() if k}))


def cases(node: Node) -> Node | None:
    """1[c] a + 1[not c] b is a where c, else b."""
    parts = terms(node)
    if not 2 <= len(parts) <= _MOST:
        return None
    inside = _into_choice(parts)
    if inside is not None:
        return inside
    held = [_conditions(n) for n, _ in parts]
    for i, j in itertools.combinations(range(len(parts)), 2):
        for first, second in itertools.product(held[i], held[j]):
            if opposite(first) is second or opposite(second) is first:
                return _chosen(parts, (i, j), (first, second))
    return None


def _into_choice(parts: list[tuple[Node, int]]) -> Node | None:
    """(a where c, else b) + 1[not c] d is a where c, else b + d; with 1[c] the other branch."""
    for i, j in itertools.permutations(range(len(parts)), 2):
        (choice, sign), (n, other) = parts[i], parts[j]
        if choice.op.name != "where" or choice.dtype != "real":
            continue
        c, *branches = choice.args
        for held in _conditions(n):
            k = 0 if held is c else 1 if opposite(c) is held or opposite(held) is c else None
            rest = None if k is None else _without(product(n), {build("cast", held, to="real"): 1})
            if k is None or rest is None:
                continue
            branches[k] = total([(branches[k], sign), (rest, other)])
            branches[1 - k] = branches[1 - k] if sign > 0 else total([(branches[1 - k], -1)])
            left = [(build("where", c, *branches), 1), *(p for m, p in enumerate(parts) if m not in (i, j))]
            return total(left)
    return None


def _conditions(n: Node) -> list[Node]:
    return [f.args[0] for f, k in product(n).powers.items() if k == 1 and _is_indicator(f)]


def _chosen(parts: list, places: tuple[int, int], conditions: tuple) -> Node | None:
    pair = [product(parts[place][0]) for place in places]
    shared = {n: 1 for n in pair[0].powers if _is_indicator(n) and n in pair[1].powers}
    branches = []
    for place, c, p in zip(places, conditions, pair, strict=True):
        branch = _without(p, {**shared, build("cast", c, to="real"): 1})
        if branch is None:
            return None
        branches.append(branch if parts[place][1] > 0 else total([(branch, -1)]))
    choice = build("where", conditions[0], *branches)
    for n in shared:
        choice = n * choice
    rest = [(choice, 1) if k == places[0] else part for k, part in enumerate(parts) if k != places[1]]
    return total(rest)


def nested_choice(node: Node) -> Node | None:
    """Where c does not hold, its opposite does: a if c, else (b if not c, else ...) is a if c, else b."""
    c, a, b = node.args
    if b.op.name == "where" and (b.args[0] is opposite(c) or opposite(b.args[0]) is c):
        return build("where", c, a, b.args[1])
    return None


def symmetric_part(node: Node) -> Node | None:
    """A x + A^T x = (A + A^T) x for a matrix A."""
    parts = terms(node)
    if len(parts) != 2 or parts[0][1] != parts[1][1]:
        return None
    (a, sign), (b, _) = parts
    p, q = product(a), product(b)
    if p.coefficient != q.coefficient or len(p.powers) != 1 or len(q.powers) != 1:
        return None
    found = _pair(next(iter(p.powers)), next(iter(q.powers)))
    if found is None:
        return None
    whole = written(Product(sign * p.coefficient, {found: 1}))
    return whole


def _pair(a: Node, b: Node) -> Node | None:
    """The two contractions of one matrix and its transpose with the same vector as one."""
    first, second = _matrix_vector(a), _matrix_vector(b)
    if first is None or second is None or first[1] is not second[1]:
        return None
    A, B = first[0], second[0]
    if not _are_transposes(A, B):
        return None
    return build("einsum", A + B, first[1], spec="ij,j->i")


def _are_transposes(a: Node, b: Node) -> bool:
    return a.shape == b.shape and (_is_transpose(a, b) or _is_transpose(b, a))


def _is_transpose(a: Node, b: Node) -> bool:
    return a.op.name == "transpose" and a["perm"] == (1, 0) and a.args[0] is b


def _matrix_vector(n: Node) -> tuple[Node, Node] | None:
    """(A, x), where the node is A x, whatever its letters."""
    if n.op.name != "einsum" or n.type.rank != 1:
        return None
    left, right, out = split(n["spec"])
    for matrix, x, words in ((n.args[0], n.args[1], (left, right)), (n.args[1], n.args[0], (right, left))):
        if len(words[0]) == 2 and len(words[1]) == 1 and out in words[0] and words[1] in words[0]:
            return (matrix if words[0][0] == out else transpose(matrix, (1, 0))), x
    return None


def half_of_both(node: Node) -> Node | None:
    """c A + c A^T = c (A + A^T)."""
    parts = terms(node)
    if len(parts) != 2 or parts[0][1] != parts[1][1]:
        return None
    p, q = (product(n) for n, _ in parts)
    if p.coefficient != q.coefficient or p.coefficient == 1:
        return None
    a, b = written(Product(powers=p.powers)), written(Product(powers=q.powers))
    if a is None or b is None or not _are_transposes(a, b):
        return None
    return written(Product(parts[0][1] * p.coefficient, {a + b: 1}))


def transpose_last(node: Node) -> Node | None:
    """A^T + A = A + A^T."""
    a, b = node.args
    return b + a if _is_transpose(a, b) else None


# v_bar a + v_bar b = v_bar (a + b): where branches of one node come together
UPSTREAM = Rule("upstream in front", ("add", "sub"), lambda node: common_factor(node, _is_cotangent))
SUMS = [
    Rule("A x + A^T x = (A + A^T) x", ("add", "sub"), symmetric_part),
    Rule("c A + c A^T = c (A + A^T)", ("add", "sub"), half_of_both),
    Rule("A^T + A = A + A^T", ("add",), transpose_last),
]


def selected(node: Node) -> Node | None:
    """Y f(sum(p Y)) = Y f(p) for a one-hot Y: what its rows select of p stands there alone."""
    p = product(node)
    for y in p.powers:
        axis = label_axis(y) if y.op.name == "cast" else None
        if axis is None:
            continue
        swap = {b: x for b in p.powers if (x := _selected(b, y, axis)) is not None}
        if swap:
            powers: Powers = {}
            for n, k in p.powers.items():
                powers[swap.get(n, n)] = powers.get(swap.get(n, n), 0) + k
            return written(Product(p.coefficient, powers))
    return None


def _selected(base: Node, y: Node, axis: int) -> Node | None:
    """p, where the base is sum(p y) along the axis of labels, put back beside y."""
    if base.op.name != "reshape" or base.args[0].op.name != "sum" or base.args[0]["axes"] != (axis,):
        return None
    if base.shape != tuple(1 if i == axis else n for i, n in enumerate(y.shape)):
        return None
    p = product(base.args[0].args[0])
    return _without(p, {y: 1}) if p.powers.get(y) == 1 else None


RULES = [
    Rule("Y f(sum(p Y)) = Y f(p)", ("mul", "div"), selected, "Y one-hot"),
    Rule("1[c] a + 1[not c] b", ("add", "sub"), cases, "one of the two holds"),
    Rule("a v + b v = (a + b) v", ("add", "sub"), common_factor, "v compound"),
    Rule("a if c, else b if not c", ("where",), nested_choice),
]
