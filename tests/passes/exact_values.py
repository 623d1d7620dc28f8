"""Values of scalar graphs to many digits, and by NumPy; errors in ulp."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.ir.walk import topological, variables

DIGITS = 60


def exact(output: Node, given: dict[Node, Any]) -> sp.Basic:
    """The value to 60 digits, each row by its own SymPy expression; the doubles of pi and e stand for them."""
    found: dict[Node, Any] = {n: sp.Float(sp.Rational(value), DIGITS) for n, value in given.items()}
    for node in topological([output], stop=given):
        if node in found:
            continue
        if node.op.name == "constant":
            found[node] = _number(node["value"])
        else:
            value = sp.S(node.op.row.sympy(*(found[a] for a in node.args), **node.params))
            found[node] = value if node.dtype == "bool" else sp.N(value, DIGITS)
    return found[output]


def _number(value: Any) -> sp.Basic:
    if isinstance(value, bool):
        return sp.S(value)
    if not math.isfinite(value):
        return sp.nan if math.isnan(value) else sp.oo if value > 0 else -sp.oo
    known = {math.pi: sp.pi, math.e: sp.E}
    return sp.N(known[value], DIGITS) if value in known else sp.Float(sp.Rational(value), DIGITS)


def at(output: Node, point: tuple[float, ...]) -> dict[Node, float]:
    """The variables of a formula, by name, at (x, y, z)."""
    named = dict(zip("xyz", point, strict=True))
    return {n: named[n["variable"].name] for n in variables([output])}


def double(output: Node, given: dict[Node, Any]) -> float:
    """The value by the references."""
    return float(evaluate([output], given)[0])


def ulps(value: float, truth: sp.Basic) -> float:
    """How far a double is off, in units of the truth's last place."""
    return (
        float(abs(sp.Rational(value) - truth) / sp.Rational(math.ulp(float(truth))))
        if math.isfinite(value)
        else math.inf
    )
