r"""The cancellation shown: (-y/a + (1-y)/(1-a)) a (1-a) is a - y.

In: a formula of one step with the cotangents before it put in. Out: the same with every element-wise rational part in
lowest terms (SymPy's ``factor``, on parts of a few dozen signs), sums without their constant factors, and the one 1
in a row of a one-hot array counted. Equal wherever both are finite; code is never made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import sympy as sp

from symgrad.emit.latex_naming import SLOPES
from symgrad.ir.node import Node, build, constant, is_constant, rebuild
from symgrad.ir.walk import topological
from symgrad.ops.numerals import from_double
from symgrad.ops.shape import broadcast
from symgrad.ops.symbolic import to_node
from symgrad.view.tidy import tidy

LARGEST = 40  # nodes of a rational part
WORK = 4000  # nodes that are worked on in one derivation
_OPEN: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "div": lambda a, b: a / b,
    "reciprocal": lambda a: 1 / a,
    "square": lambda a: a**2,
    "broadcast": lambda a: a,
}


class Cancel:
    """Formulas of one derivation in lowest terms.

    ``values`` gives the variables that stand for activations; ``is_one_hot(x, axis)`` knows whose rows along an axis
    sum to 1. A part is worked out once; beyond ``WORK`` nodes in all, parts stay as they are.
    """

    def __init__(self, values: Mapping[Node, Node], is_one_hot: Callable[[Node, int], bool]) -> None:
        self._values, self._is_one_hot = values, is_one_hot
        self._done: dict[Node, Node] = {}
        self._left = WORK

    def __call__(self, node: Node) -> Node:
        """The node in lowest terms."""
        new: dict[Node, Node] = {}
        for n in topological([node]):
            if n.op.name in _OPEN:
                new[n] = rebuild(n, (new[a] for a in n.args))
                continue
            made = rebuild(n, (self._lowest(new[a]) for a in n.args))
            new[n] = _tidied(_summed(made, self._is_one_hot) if n.op.name == "sum" else made)
        return _tidied(self._lowest(new[node]))

    def _lowest(self, root: Node) -> Node:
        """The rational part that ends here, in lowest terms."""
        if root.op.name not in _OPEN or root.dtype != "real":
            return root
        if root not in self._done:
            order = _part(root)
            divides = any(n.op.name in ("div", "reciprocal") for n in order)
            self._done[root] = root
            if divides and len(order) <= min(LARGEST, self._left):
                self._left -= len(order)
                self._done[root] = _factored(root, order, self._values)
        return self._done[root]


def _tidied(node: Node) -> Node:
    return tidy([node])[node]


def _factored(root: Node, order: list[Node], known: Mapping[Node, Node]) -> Node:
    """The part as SymPy factors it; itself where that divides by 0."""
    symbols: dict[Node, sp.Symbol] = {}
    values: dict[Node, Any] = {}
    for n in order:
        values[n] = _OPEN[n.op.name](*(values[a] for a in n.args)) if n.op.name in _OPEN else _leaf(n, symbols, known)
    lowest = sp.factor(values[root])
    if lowest.has(sp.nan, sp.zoo, sp.oo):
        return root
    return broadcast(to_node(_arranged(lowest), {s: n for n, s in symbols.items()}), root.shape)


def _leaf(n: Node, symbols: dict[Node, sp.Symbol], known: Mapping[Node, Node]) -> Any:
    """A number, a slope in terms of its function's value, or a symbol for anything else."""
    number = _number(n)
    if number is not None:
        return number
    slope = _slope(n, symbols, known)
    return slope if slope is not None else symbols.setdefault(n, sp.Dummy(f"x{len(symbols)}", real=True))


def _part(root: Node) -> list[Node]:
    """The nodes of the part, arguments first; what is not rational is a leaf."""
    ends = [n for n in topological([root]) if n.op.name not in _OPEN]
    return topological([root], stop=ends)


def _number(n: Node) -> Any:
    if not is_constant(n) or n.dtype != "real":
        return None
    number = from_double(n["value"])
    return (
        number
        if isinstance(number, sp.Rational) and number.q <= 10**6 and float(Fraction(number.p, number.q)) == n["value"]
        else None
    )


def _slope(n: Node, symbols: dict[Node, sp.Symbol], known: Mapping[Node, Node]) -> Any:
    """a (1 - a) and 1 - a^2 in terms of the function's value."""
    if n.op.name not in ("sigmoid_slope", "tanh_slope"):
        return None
    y = build(SLOPES[n.op.name], *n.args)
    a = symbols.setdefault(known.get(y, y), sp.Dummy(f"x{len(symbols)}", real=True))
    return a * (1 - a) if n.op.name == "sigmoid_slope" else 1 - a**2


def _arranged(lowest: Any) -> Any:
    """A quotient whose sign stands in front, its denominator in factors."""
    above, below = sp.fraction(lowest)
    below = sp.factor(below) if below.is_Add else below
    if below.could_extract_minus_sign():
        above, below = -above, -below
    return above / below if not above.is_Add or below == 1 else sp.Mul(above, sp.Pow(below, -1), evaluate=False)


def _summed(node: Node, is_one_hot: Callable[[Node, int], bool]) -> Node:
    """sum(c x) = c sum(x) for what does not change along the axes; a one-hot row sums to 1."""
    (x,), axes = node.args, node["axes"]
    if x.op.name == "neg":
        return -_summed(build("sum", x.args[0], axes=axes), is_one_hot)
    for i, other in ((0, 1), (1, 0)):
        if x.op.name in ("mul", "div") and (i == 0 or x.op.name == "mul"):
            factor = x.args[other]
            if not factor.shape and x.args[i].shape == x.shape:
                return rebuild(x, _placed(_summed(build("sum", x.args[i], axes=axes), is_one_hot), factor, i))
    if len(axes) == 1 and is_one_hot(x, axes[0]):
        return broadcast(constant(1.0), node.shape)
    return node


def _placed(total: Node, factor: Node, i: int) -> tuple[Node, Node]:
    return (total, factor) if i == 0 else (factor, total)
