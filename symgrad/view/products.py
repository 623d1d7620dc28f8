"""A formula as one would write it by hand: products with one coefficient, nothing above and below the same bar.

In: a node. Out: a node equal to it wherever both are defined, for display only. Only scalar products are touched.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.ir.node import Node, build, constant
from symgrad.ir.walk import transform
from symgrad.view.tidy import tidy

_LARGEST_DENOMINATOR = 1000  # a coefficient that is no such fraction stays a decimal
_MOST_FACTORS = 200
_PAIRS = {"mul": 1, "zmul": 1, "div": -1, "zdiv": -1}  # the second exponent


def gathered(node: Node) -> Node:
    """The node with its products put together.

    Maths:   2/(2*sqrt(u))*x = x/sqrt(u);  x/y/y = x/y**2;  exp(x)*3 = 3*exp(x);  x/x = 1

    >>> from symgrad.frontend.text import parse
    >>> from symgrad.view.infix import infix
    >>> infix(gathered(parse("2/(2*sqrt(x))*x*y/y").node))
    'x/sqrt(x)'
    """
    plain = tidy([node])[node]
    return transform([plain], _change)[plain]


def _change(node: Node) -> Node:
    return node if _powers(node) is None else _product(node)


def _powers(node: Node) -> list[tuple[Node, int]] | None:
    """The factors with their exponents; None for what is no product."""
    if node.shape or node.dtype != "real" or any(a.shape or a.dtype != "real" for a in node.args):
        return None
    name = node.op.name
    if name in _PAIRS:
        a, b = node.args
        return [(a, 1), (b, _PAIRS[name])]
    if name in ("neg", "square", "reciprocal"):
        (a,) = node.args
        return {"neg": [(constant(-1.0), 1), (a, 1)], "square": [(a, 2)], "reciprocal": [(a, -1)]}[name]
    if name == "power" and node.args[1].op.name == "constant" and float(node.args[1]["value"]).is_integer():
        return [(node.args[0], int(node.args[1]["value"]))]
    return None


def _product(node: Node) -> Node:
    coefficient, powers = Fraction(1), dict[Node, int]()
    stack, seen = [(node, 1)], 0
    while stack:
        n, k = stack.pop()
        seen += 1
        inner = _powers(n)
        if inner is not None:
            stack += [(a, j * k) for a, j in reversed(inner)]
        elif n.op.name == "constant" and _is_plain(n["value"], k):
            coefficient *= Fraction(float(n["value"])).limit_denominator(_LARGEST_DENOMINATOR) ** k
        else:
            powers[n] = powers.get(n, 0) + k
        if seen > _MOST_FACTORS:
            return node
    return _written(coefficient, powers)


def _is_plain(value: float, exponent: int) -> bool:
    """Whether a constant is the rounding of a small fraction, and its power one of a few digits."""
    if not 1e-3 <= abs(value) <= 1e6 or abs(exponent) > 3:
        return False
    return float(Fraction(float(value)).limit_denominator(_LARGEST_DENOMINATOR)) == value


def _written(coefficient: Fraction, powers: dict[Node, int]) -> Node:
    above = [_power(n, k) for n, k in powers.items() if k > 0]
    below = [_power(n, -k) for n, k in powers.items() if k < 0]
    p, q = abs(coefficient.numerator), coefficient.denominator
    if p != 1 or not above:
        above.insert(0, constant(float(p)))
    if q != 1:
        below.insert(0, constant(float(q)))
    whole = _times(above)
    if coefficient < 0:
        whole = -whole if whole.op.name != "constant" else constant(-float(p))
    return build("div", whole, _times(below)) if below else whole


def _power(base: Node, exponent: int) -> Node:
    if exponent == 1:
        return base
    return build("square", base) if exponent == 2 else build("power", base, constant(float(exponent)))


def _times(factors: list[Node]) -> Node:
    whole = factors[0]
    for factor in factors[1:]:
        whole = build("mul", whole, factor)
    return whole
