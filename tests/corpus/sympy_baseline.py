"""SymPy's ``diff`` and ``lambdify`` on the same formulas and points: ``python -m tests.corpus.sympy_baseline``.

Real symbols, modules="math", no common subexpressions, nothing simplified; an exception counts as no number. A cube
root is written as the power 1/3, which SymPy differentiates; it has no derivative for ``real_root`` of a quotient.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import sympy as sp

from symgrad.ir.node import Node, build, constant
from symgrad.ir.walk import transform
from symgrad.ops.formula import to_expr
from tests.corpus.formulas import Formula, Tally, judged

_FAILURES = (ArithmeticError, ValueError, TypeError, NameError)  # NameError: Python's math has no such function


def lambdified(formula: Formula) -> Callable[..., tuple[float, Sequence[float]]]:
    """The function of value and partials."""
    symbols = [to_expr(x) for x in formula.inputs]
    expr = sp.S(to_expr(transform([formula.output], _power)[formula.output]))
    functions = [sp.lambdify(symbols, e, modules="math", cse=False) for e in (expr, *(expr.diff(s) for s in symbols))]

    def call(*point: float) -> tuple[float, Sequence[float]]:
        value, *slopes = (_number(f, point) for f in functions)
        return value, slopes

    return call


def _power(node: Node) -> Node:
    return build("power", node.args[0], constant(1.0 / 3.0)) if node.op.name == "cbrt" else node


def _number(function: Callable[..., float], point: Sequence[float]) -> float:
    try:
        return float(function(*point))
    except _FAILURES:
        return math.nan


def counted() -> tuple[Tally, Tally]:
    """SymPy's (values, partials)."""
    return judged(lambdified)


if __name__ == "__main__":
    for name, tally in zip(("values", "partials"), counted(), strict=True):
        above = ", ".join(f"{tally.above(limit)} beyond {limit:g} ulp" for limit in (4, 1e3, 1e8))
        print(f"{name}: {len(tally.errors)}, {above}, {tally.not_finite} not finite")
