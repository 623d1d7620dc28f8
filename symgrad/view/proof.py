"""Whether two formulas are the same for all values: by simplification, else by SymPy's polynomial arithmetic.

SymPy's ``simplify`` is not asked: it has no bound on its time. What is done here is polynomial arithmetic over the
functions that occur, after exponentials are made the only ones where that is possible; sizes are bounded first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import SymgradError
from symgrad.ir.node import Node
from symgrad.ir.walk import named_sizes, topological
from symgrad.ops.formula import to_exprs
from symgrad.passes.names import strip
from symgrad.passes.simplify import simplify

_MOST_NODES = 150
_MOST_OPERATIONS = 120
_MOST_ELEMENTS = 12
_MOST_FUNCTIONS = 6
_REFUSED = (sp.Piecewise, sp.Max, sp.Min, sp.Abs, sp.sign, sp.floor, sp.ceiling, sp.Mod, sp.Float)


def prove(a: Node, b: Node) -> bool:
    """Whether a and b are equal wherever both are defined; False is no disproof."""
    plain, _, _ = strip([a, b])
    new = simplify(plain)
    if new[plain[0]] is new[plain[1]]:
        return True
    return not named_sizes(plain) and _by_sympy(*plain)


def _by_sympy(a: Node, b: Node) -> bool:
    if len(topological([a, b])) > _MOST_NODES:
        return False
    try:
        left, right = (np.asarray(e, object).ravel() for e in to_exprs([a, b]))
        return len(left) <= _MOST_ELEMENTS and all(_is_zero(x - y) for x, y in zip(left, right, strict=True))
    except (SymgradError, sp.PolynomialError, TypeError, ValueError, ArithmeticError, RecursionError, AttributeError):
        return False


def _is_zero(difference: sp.Expr) -> bool:
    if difference == 0:
        return True
    if difference.has(*_REFUSED) or difference.count_ops() > _MOST_OPERATIONS:
        return False
    return any(_vanishes(way(difference)) for way in _WAYS)


def _vanishes(expr: Any) -> bool:
    if expr.count_ops() > 4 * _MOST_OPERATIONS or len(expr.atoms(sp.Function)) > _MOST_FUNCTIONS:
        return False
    return sp.cancel(sp.together(expr)) == 0


def _in_exponentials(expr: sp.Expr) -> sp.Expr:
    return sp.expand_power_exp(expr.rewrite([sp.tanh, sp.sinh, sp.cosh, sp.sin, sp.cos, sp.tan], sp.exp))


_WAYS: tuple[Callable[[sp.Expr], sp.Expr], ...] = (
    lambda e: e,
    lambda e: sp.expand_log(e, force=False),
    _in_exponentials,
)
