"""Small polynomials over nodes, with exact coefficients: what cancels in a difference is found by counting.

A monomial is a set of (node, power); a polynomial maps monomials to fractions, in the order in which they
appear. Everything that is not a sum, a product or a plain number is an atom.
"""

from __future__ import annotations

import math
from fractions import Fraction

from symgrad.ir.node import Node, build, constant
from symgrad.passes.rewrite import value

Monomial = frozenset[tuple[Node, int]]
Polynomial = dict[Monomial, Fraction]
ONE: Monomial = frozenset()
_DEEP, _TERMS, _DEGREE = 6, 16, 8
_PLAIN = 2**20  # numbers up to it, with denominators up to it, count as numbers


def polynomial(node: Node, depth: int = _DEEP) -> Polynomial:
    """The polynomial that a node is written as, at most ``depth`` operations deep."""
    number = _number(node)
    if number is not None:
        return {ONE: number} if number else {}
    if depth and node.dtype == "real":
        found = _compound(node, depth - 1)
        if found is not None and len(found) <= _TERMS and all(_degree(m) <= _DEGREE for m in found):
            return found
    return {frozenset(((node, 1),)): Fraction(1)}


def _compound(node: Node, depth: int) -> Polynomial | None:
    op = node.op.name
    if op not in ("add", "sub", "mul", "neg", "square", "div"):
        return None
    left = polynomial(node.args[0], depth)
    if op == "neg":
        return scaled(left, Fraction(-1))
    if op == "square":
        return product(left, left) if len(left) <= _TERMS else None
    if op == "div":
        divisor = _number(node.args[1])
        return scaled(left, 1 / divisor) if divisor else None
    right = polynomial(node.args[1], depth)
    if op == "mul":
        return product(left, right)
    return added(left, scaled(right, Fraction(1 if op == "add" else -1)))


def _number(node: Node) -> Fraction | None:
    x = value(node)
    if x is None or not math.isfinite(x):
        return None
    exact = Fraction(x)
    return exact if abs(exact.numerator) <= _PLAIN and exact.denominator <= _PLAIN else None


def _degree(monomial: Monomial) -> int:
    return sum(power for _, power in monomial)


def scaled(p: Polynomial, factor: Fraction) -> Polynomial:
    """factor p."""
    return {m: c * factor for m, c in p.items()}


def added(p: Polynomial, q: Polynomial) -> Polynomial:
    """p + q, without what cancels."""
    total = dict(p)
    for monomial, c in q.items():
        total[monomial] = total.get(monomial, Fraction(0)) + c
    return {m: c for m, c in total.items() if c}


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q, multiplied out."""
    total: Polynomial = {}
    for m, c in p.items():
        for n, d in q.items():
            powers = dict(m)
            for atom, power in n:
                powers[atom] = powers.get(atom, 0) + power
            key = frozenset(powers.items())
            total[key] = total.get(key, Fraction(0)) + c * d
    return {m: c for m, c in total.items() if c}


def as_node(p: Polynomial) -> Node | None:
    """The sum of the monomials, positive ones first; None where a coefficient is no double."""
    terms = []
    for monomial, c in sorted(p.items(), key=lambda item: item[1] < 0):
        term = _term(monomial, abs(c))
        if term is None:
            return None
        terms.append((term, c < 0))
    if not terms:
        return constant(0.0)
    first, negative = terms[0]
    number = value(first)
    total = first if not negative else -first if number is None else constant(-number)
    for term, negative in terms[1:]:
        total = total - term if negative else total + term
    return total


def _term(monomial: Monomial, c: Fraction) -> Node | None:
    if Fraction(float(c)) != c:
        return None
    factors = [_power(atom, power) for atom, power in sorted(monomial, key=lambda item: item[0].serial)]
    if c != 1 or not factors:
        factors.insert(0, constant(float(c)))
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _power(atom: Node, power: int) -> Node:
    return atom if power == 1 else build("square", atom) if power == 2 else atom ** constant(float(power))


def difference(a: Node, b: Node) -> Node | None:
    """a - b with what both share taken away before any rounding; None where they share nothing or all."""
    p, q = polynomial(a), polynomial(b)
    left = added(p, scaled(q, Fraction(-1)))
    return as_node(left) if left and len(left) < len(p) + len(q) and len(left) <= max(1, len(p) + len(q) - 2) else None


def without_one(p: Polynomial, atom: Node) -> Polynomial | None:
    """q, where p = 1 + q (atom - 1): p is linear in the atom and 1 where it is 1."""
    q: Polynomial = {}
    rest: Polynomial = {ONE: Fraction(-1)}
    for monomial, c in p.items():
        powers = dict(monomial)
        power = powers.pop(atom, 0)
        if power > 1:
            return None
        rest = added(rest, {frozenset(powers.items()): c})
        if power:
            q = added(q, {frozenset(powers.items()): c})
    return q if q and not rest else None
