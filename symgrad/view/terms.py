"""Like factors and like terms put together, as one writes them by hand: x x x is x^3, x + x is 2 x, 2 (3 x) is 6 x.

In: a node. Out: an equal one with fewer signs (equal wherever both are finite), for display only; None where nothing
can be put together. The order in which factors and terms were written stays. No more than a few terms are looked at
from one node, so that a pass over a graph is linear in its nodes.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.emit.latex_numbers import DENOMINATORS
from symgrad.ir.node import Node, constant
from symgrad.passes.rewrite import Rule, value
from symgrad.view.monomials import Product, fraction, magnitude, negative, plain, product, written

MOST = 8  # terms that are looked at from one node


def like_factors(node: Node) -> Node | None:
    """One coefficient, one power of each base; a fraction above a bar goes below it."""
    p = product(node)
    shorter = p.repeated or _fewest(p) < p.signs
    if not (shorter or p.numbers > 1 or _has_fraction_above(node)):
        return None
    after = written(p)
    if after is None or after is node:
        return None
    q = product(after)
    return after if q.signs < p.signs or p.repeated or (q.signs == p.signs and not shorter) else None


def _fewest(p: Product) -> int:
    """The signs that a product needs."""
    if not p.coefficient or not p.powers:
        return 1
    above = sum(k > 0 for k in p.powers.values())
    below = len(p.powers) - above
    top, bottom = abs(p.coefficient.numerator) != 1, p.coefficient.denominator != 1
    powers = sum(abs(k) != 1 for k in p.powers.values())
    return powers + max(above + top - 1, 0) + below + top + 2 * bottom + (p.coefficient < 0)


def _has_fraction_above(node: Node) -> bool:
    """Whether a number that is no integer multiplies what stands above a bar: (1/2 a)/b."""
    if node.op.name != "div" or node.args[0].op.name != "mul" or value(node.args[1]) is not None:
        return False
    number = fraction(value(node.args[0].args[0]))
    return number is not None and number.denominator in DENOMINATORS


def no_fraction_below(node: Node) -> Node | None:
    """a/(b/c) = a c/b."""
    return written(product(node)) if node.args[1].op.name in ("div", "reciprocal") else None


def terms(node: Node) -> list[tuple[Node, int]]:
    """The terms of a sum with their signs, as written; beyond a few, what is left of them is one term."""
    found: list[tuple[Node, int]] = []
    stack = [(node, 1)]
    while stack:
        n, sign = stack.pop()
        if n.op.name in ("add", "sub") and n.dtype == "real" and len(found) + len(stack) < MOST:
            stack += [(n.args[0], sign), (n.args[1], -sign if n.op.name == "sub" else sign)]
        elif n.op.name == "neg":
            stack.append((n.args[0], -sign))
        else:
            found.append((n, sign))
    return found[::-1]


def total(parts: list[tuple[Node, int]]) -> Node:
    """The sum of terms with signs."""
    (first, sign), *rest = parts
    whole = first if sign > 0 else negative(first)
    for n, s in rest:
        whole = whole + n if s > 0 else whole - n
    return whole


def like_terms(node: Node) -> Node | None:
    """One term of each kind: x + 2 x = 3 x, x y - y x = 0."""
    parts = terms(node)
    groups: dict[frozenset, list[tuple[Node, int, Product]]] = {}
    for n, sign in parts:
        p = product(n)
        groups.setdefault(p.key, []).append((n, sign, p))
    if len(groups) == len(parts) and frozenset() not in groups:
        return None
    merged = [_merged(group) for group in groups.values()]
    if any(m is None for m in merged):
        return None
    left = sorted((m for m in merged if m is not None and value(m[0]) != 0.0), key=lambda m: m[1] < 0)
    return None if len(left) == len(parts) else total(left) if left else constant(0.0)


def _merged(group: list[tuple[Node, int, Product]]) -> tuple[Node, int] | None:
    """The sum of terms that differ in their coefficients only, with its sign."""
    if len(group) == 1:
        return group[0][0], group[0][1]
    coefficient = plain(sum((sign * Fraction(p.coefficient) for _, sign, p in group), Fraction(0)))
    whole = written(Product(magnitude(coefficient), group[0][2].powers))
    return None if whole is None else (whole, -1 if coefficient < 0 else 1)


RULES = [
    Rule("x x = x^2", ("mul", "div", "neg", "square", "reciprocal", "power"), like_factors, "like factors together"),
    Rule("x + x = 2 x", ("add", "sub"), like_terms, "like terms together"),
]
