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


def cancelled(node: Node, values: Mapping[Node, Node], is_one_hot: Callable[[Node, int], bool]) -> Node:
    """The node in lowest terms; ``values`` gives the variables that stand for activations, and
    ``is_one_hot(x, axis)`` knows whose rows along an axis sum to 1."""
    new: dict[Node, Node] = {}
    for n in topological([node]):
        if n.op.name in _OPEN:
            new[n] = rebuild(n, (new[a] for a in n.args))
            continue
        made = rebuild(n, (_lowest(new[a], values) for a in n.args))
        new[n] = _tidied(_summed(made, is_one_hot) if n.op.name == "sum" else made)
    return _tidied(_lowest(new[node], values))


def _tidied(node: Node) -> Node:
    return tidy([node])[node]


def _lowest(root: Node, known: Mapping[Node, Node]) -> Node:
    """The rational part that ends here, in lowest terms."""
    if root.op.name not in _OPEN or root.dtype != "real":
        return root
    order = _part(root)
    if len(order) > LARGEST or all(n.op.name not in ("div", "reciprocal") for n in order if n.op.name in _OPEN):
        return root
    symbols: dict[Node, sp.Symbol] = {}
    values: dict[Node, Any] = {}
    for n in order:
        if n.op.name in _OPEN:
            values[n] = _OPEN[n.op.name](*(values[a] for a in n.args))
        else:
            values[n] = (
                _number(n)
                or _slope(n, symbols, known)
                or symbols.setdefault(n, sp.Dummy(f"x{len(symbols)}", real=True))
            )
    lowest = sp.factor(values[root])
    if lowest.has(sp.nan, sp.zoo, sp.oo):
        return root
    return broadcast(to_node(_arranged(lowest, values[root]), {s: n for n, s in symbols.items()}), root.shape)


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


def _arranged(lowest: Any, before: Any) -> Any:
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
