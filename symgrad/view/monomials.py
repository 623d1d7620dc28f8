"""A node as a product: a coefficient, and powers of bases in the order of appearance.

In: a node. Out: a ``Product``; and back, one coefficient, one power of each base. Equal wherever both are finite; for
display only. A base is never opened below a root: sqrt(x^2) is |x|. No product has more than a few factors, and those
of a node's arguments are remembered for as long as a pass lasts, so that a pass is linear in its nodes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fractions import Fraction

from symgrad.emit.latex_numbers import DENOMINATORS
from symgrad.emit.latex_patterns import masked
from symgrad.ir.node import Node, build, constant
from symgrad.ir.types import AnySize, Size
from symgrad.ops.leaf import size
from symgrad.passes.rewrite import value

Number = int | Fraction
MOST = 6  # factors of one product: longer ones are read through the parts that they share
_LARGEST_DENOMINATOR = 1000  # a coefficient that is no such fraction stays a decimal
_LARGEST = 10**6
_HALF = Fraction(1, 2)
_ALONE: dict[str, Number] = {"neg": 1, "square": 2, "reciprocal": -1, "sqrt": _HALF}
_PAIRS = {"mul": 1, "zmul": 1, "div": -1, "zdiv": -1}  # the exponent of the second
Powers = dict[Node, Number]


@dataclass(frozen=True, slots=True)
class Product:
    """coefficient * product of base^exponent, in the order of appearance.

    ``signs`` it was written with, ``numbers`` among them; ``repeated``: whether a base was met twice.
    """

    coefficient: Number = 1
    powers: Powers = field(default_factory=dict)
    signs: int = 0
    numbers: int = 0
    repeated: bool = False

    @property
    def key(self) -> frozenset:
        """What products with another coefficient have in common."""
        return frozenset(self.powers.items())


class _Memory(threading.local):
    """Products of nodes that were looked at in this pass, of this thread."""

    def __init__(self) -> None:
        self.products: dict[Node, Product] = {}


_memory = _Memory()


def forget() -> None:
    """A pass is over: let go of its nodes."""
    _memory.products.clear()


def fraction(x: float | None) -> Fraction | None:
    """The small fraction that a double is the rounding of."""
    if x is None or isinstance(x, bool) or not abs(x) <= _LARGEST:
        return None
    found = Fraction(float(x)).limit_denominator(_LARGEST_DENOMINATOR)
    return found if float(found) == x else None


def product(node: Node) -> Product:
    """The node as a product; what is none, or would make it too long, is one base.

    A node's product is made of those of its arguments, which are remembered: the work is linear in the nodes.
    """
    known = _memory.products
    stack = [node]
    while stack:
        n = stack[-1]
        if n in known:
            stack.pop()
            continue
        inner = split(bare(n))
        missing = [a for a, _ in inner or () if a not in known]
        if missing:
            stack.extend(missing)
            continue
        known[n] = _single(bare(n)) if inner is None else _combined(bare(n), [(a, known[a], j) for a, j in inner])
        stack.pop()
    return known[node]


def _single(n: Node) -> Product:
    number = fraction(value(n)) if n.dtype == "real" else None
    return Product(powers={n: 1}) if number is None else Product(plain(number), {}, 1, 1)


def magnitude(x: Number) -> Number:
    """|x|."""
    return -x if x < 0 else x


def plain(x: Number) -> Number:
    """A whole number as an int."""
    return x.numerator if x.denominator == 1 else x


def _combined(node: Node, inner: list[tuple[Node, Product, Number]]) -> Product:
    coefficient: Number = -1 if node.op.name == "neg" else 1
    powers: Powers = {}
    signs, numbers, repeated = 1, 0, False
    for a, p, j in inner:
        opened = _can_be_opened(p, j) and len(powers) + len(p.powers) <= MOST
        if opened:
            coefficient = plain(coefficient * Fraction(p.coefficient) ** int(j)) if p.coefficient != 1 else coefficient
            signs, numbers, repeated = signs + p.signs, numbers + p.numbers, repeated or p.repeated
        for n, k in p.powers.items() if opened else ((bare(a), 1),):
            repeated = repeated or n in powers
            powers[n] = plain(powers.get(n, 0) + k * j)
            if not powers[n]:
                del powers[n]
    return Product(coefficient, powers, signs, numbers, repeated)


def _can_be_opened(p: Product, exponent: Number) -> bool:
    """Whether a power of a product is the product of powers: not below a root, where signs would be lost."""
    if exponent.denominator != 1:
        return not p.signs
    size = max(abs(p.coefficient.numerator), p.coefficient.denominator)
    return bool(p.coefficient or exponent > 0) and size ** abs(int(exponent)) <= _LARGEST**2


def bare(node: Node) -> Node:
    """A factor without the axes along which it is only repeated."""
    while node.op.name in ("reshape", "broadcast") and not node.args[0].shape:
        (node,) = node.args
    return node


def is_identity(node: Node) -> bool:
    """Whether a node is I, of numbers."""
    return node.op.name == "cast" and node.dtype == "real" and masked(node.args[0]) == "diag"


def split(node: Node) -> list[tuple[Node, Number]] | None:
    """The factors of one node with their exponents; None for what is no product."""
    name = node.op.name
    if node.dtype != "real" or any(a.dtype != "real" for a in node.args if a.op.name != "size"):
        return None
    if name == "mul" and all(a.shape for a in node.args) and any(map(is_identity, node.args)):
        return None  # diag(v) is one thing
    if name == "cast" and node.args[0].op.name == "size":
        return _sizes(node.args[0]["size"])
    if name in _PAIRS:
        return [(node.args[0], 1), (node.args[1], _PAIRS[name])]
    if name in _ALONE and value(node.args[0]) is None:
        return [(node.args[0], _ALONE[name])]
    if name == "power" and node.args[1].op.name == "constant" and abs(node.args[1]["value"]) < _LARGEST:
        exponent = Fraction(float(node.args[1]["value"]))
        return [(node.args[0], plain(exponent))] if exponent.denominator <= 2 and exponent else None
    return None


def _sizes(n: AnySize) -> list[tuple[Node, Number]] | None:
    """2 n m as three factors."""
    if isinstance(n, int) or len(n.terms) != 1:
        return None
    ((atoms, count),) = n.terms
    if count == 1 and len(atoms) == 1:
        return None
    factors = [constant(float(count)), *(size(Size((((atom,), 1),))) for atom in atoms)]
    return [(factor, 1) for factor in factors]


def written(p: Product) -> Node | None:
    """The product as a node; None where its coefficient is no number that one would write."""
    if not p.coefficient:
        return constant(0.0)
    above = [_power(n, k) for n, k in p.powers.items() if k > 0]
    below = [_power(n, -k) for n, k in p.powers.items() if k < 0]
    top, bottom = abs(p.coefficient.numerator), p.coefficient.denominator
    if top > _LARGEST or bottom > _LARGEST_DENOMINATOR:
        return None
    if bottom != 1 and not below and (bottom in DENOMINATORS or len(str(top / bottom)) <= 6):
        above.insert(0, constant(top / bottom))
    else:
        above[:0] = [constant(float(top))] if top != 1 or not above else []
        below[:0] = [constant(float(bottom))] if bottom != 1 else []
    whole = _times(above)
    if below:
        under = _times(below)
        whole = build("reciprocal", under) if value(whole) == 1.0 else build("div", whole, under)
    return negative(whole) if p.coefficient < 0 else whole


def negative(x: Node) -> Node:
    """-x; of a number the number."""
    return constant(-x["value"]) if x.op.name == "constant" and not x.shape else -x


def _power(base: Node, exponent: Number) -> Node:
    if exponent == 1:
        return base
    if base.op.name == "exp" and exponent.denominator == 1:
        inner = written(product(constant(float(exponent)) * base.args[0]))
        return base ** constant(float(exponent)) if inner is None else build("exp", inner)
    name = "square" if exponent == 2 else "sqrt" if exponent == _HALF else ""
    return build(name, base) if name else base ** constant(float(exponent))


def _times(factors: list[Node]) -> Node:
    whole = factors[0]
    for factor in factors[1:]:
        whole = build("mul", whole, factor)
    return whole
