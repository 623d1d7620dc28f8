"""The chain rule over nodes, and values of nodes at many digits or as arrays: what the tests of rows share."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import Any

import sympy as sp

from symgrad.ir.node import Node, Variable, constant
from symgrad.ir.types import ArrayType
from symgrad.ir.walk import topological
from symgrad.ops.formula import symbol_of, to_expr
from symgrad.ops.leaf import variable
from symgrad.ops.registry import Elementwise, partial

WORKING_DIGITS = 220  # differences of differences at steps of 1e-30 leave 100 of them
_count = itertools.count()


def arguments(row: Elementwise) -> tuple[Node, ...]:
    """Fresh variables of the kinds that a row takes."""
    kind = row.takes[0] if len(row.takes) == 1 else "real"
    kinds = ["bool", "real", "real"] if row.name == "where" else [kind] * row.arity
    return tuple(variable(Variable(f"x{next(_count)}", "symbol"), ArrayType((), k)) for k in kinds)


def slope(output: Node, x: Node) -> Node:
    """d output / d x by the chain rule, from the partials of the rows alone."""
    tangents: dict[Node, Node | None] = {}
    for node in topological([output]):
        total = constant(1.0) if node is x else None
        for i, a in enumerate(node.args):
            if tangents[a] is None:
                continue
            p = partial(node, i)
            if p is not None:
                total = p * tangents[a] if total is None else total + p * tangents[a]
        tangents[node] = total
    found = tangents[output] if x in tangents else None
    return constant(0.0) if found is None else found


def exact(value: Any) -> sp.Basic:
    """A number as SymPy's to 220 digits (a Rational would be raised to powers exactly); integers and truths as such."""
    return sp.S(value) if isinstance(value, (bool, int)) else sp.Float(sp.Rational(value), WORKING_DIGITS)


def digits(node: Node, at: dict[Node, Any], n: int = 50) -> sp.Expr:
    """The value of a scalar node to n digits."""
    expr = to_expr(node)
    return sp.N(expr.xreplace({symbol_of(v): exact(x) for v, x in at.items()}), n)


def as_array(node: Node, at: dict[Node, Any]) -> Any:
    """The value of a node by the NumPy references."""
    found: dict[Node, Any] = dict(at)
    for each in topological([node], stop=at):
        if each in found:
            continue
        if each.op.name == "constant":
            found[each] = each["value"]
        else:
            found[each] = each.op.reference(*(found[a] for a in each.args), **each.params)
    return found[node]


def points(row: Elementwise) -> list[tuple]:
    """The sample points of a row, one tuple each."""
    return [p if isinstance(p, tuple) else (p,) for p in row.domain]


def random_points(row: Elementwise, how_many: int, seed: int) -> Iterable[tuple]:
    """Points drawn between the sample points of a row, each with one sample point for the choices that are not real."""
    draw = random.Random(f"{row.name} {seed}")
    samples = points(row)
    for _ in range(how_many):
        one, other, t = draw.choice(samples), draw.choice(samples), draw.random()
        kept = bool if "real" in row.takes else int
        yield tuple(a if isinstance(a, kept) else _between(a, b, t) for a, b in zip(one, other, strict=True))


def _between(a: float, b: float, t: float) -> float:
    return a + (b - a) * t + (t - 0.5) * 1e-3


def close(value: Any, truth: Any, relative: float) -> bool:
    """Relative to the truth, and to 1 near its zeros."""
    if truth is sp.nan or value is sp.nan:
        return value is truth
    return abs(value - truth) <= relative * max(abs(truth), sp.Float("1e-3"))


def names_of(rows: Sequence[Elementwise]) -> list[str]:
    """Test names."""
    return [r.name for r in rows]
