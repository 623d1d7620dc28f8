"""TABLE: what a rounded operation leaves behind, exactly or to first order, and how it is put back.

These rows are mathematically 0 (or the identity); ``passes/compensate`` writes them into code, never into a
derivation. Sources: Knuth, TAOCP 2, 4.2.2 (the sum); Dekker 1971, Numer. Math. 18 (product, quotient, root), with
fma; Ogita, Rump, Oishi 2005, SIAM J. Sci. Comput. 26 (compensation).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy as sp

from symgrad.ir.expression import Expr, call, const, fma, select
from symgrad.ir.node import Node, constant
from symgrad.ops.registry import Elementwise, register_row

_PAIRS = ((-1.3, 0.7), (0.4, 2.5), (3.1, -0.6))


def _zero(*_: Any) -> None:
    """A rounding error counts as a constant."""


def _one(y: Node, *_: Any) -> Node:
    return constant(1.0)


def _nothing(*_: Any) -> sp.Integer:
    """In exact arithmetic no operation leaves anything behind."""
    return sp.Integer(0)


def _sum_error(a: Expr, b: Expr) -> Expr:
    """a + b - fl(a + b), exactly."""
    s = a + b
    t = s - a
    return (a - (s - t)) + (b - t)


def _sum_error_of(a: Any, b: Any) -> Any:
    s = np.add(a, b)
    t = s - a
    return (a - (s - t)) + (b - t)


def exact_fma(a: Any, b: Any, c: Any) -> Any:
    """a b + c rounded once, for the references (Dekker's split; exact short of overflow)."""
    p, e = _split_product(a, b)
    s = p + c
    return s + (_sum_error_of(p, c) + e)


def _split_product(a: Any, b: Any) -> tuple[Any, Any]:
    a, b = np.asarray(a, float), np.asarray(b, float)
    p = a * b
    (a1, a2), (b1, b2) = _halves(a), _halves(b)
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def _halves(x: Any) -> tuple[Any, Any]:
    t = 134217729.0 * x  # 2^27 + 1
    high = t - (t - x)
    return high, x - high


def _hypot_error(a: Expr, b: Expr, y: Expr) -> Expr:
    """(a^2 + b^2 - y^2)/(2 y), each square with its own error, the larger one first."""
    large, small = select(abs(a) < abs(b), b, a), select(abs(a) < abs(b), a, b)
    tails = (fma(a, a, -(a * a)) + fma(b, b, -(b * b))) - fma(y, y, -(y * y))
    return (((large * large - y * y) + small * small) + tails) / (y + y)


def _hypot_error_of(a: Any, b: Any, y: Any) -> Any:
    large, small = np.maximum(np.abs(a), np.abs(b)), np.minimum(np.abs(a), np.abs(b))
    tails = (_split_product(a, a)[1] + _split_product(b, b)[1]) - _split_product(y, y)[1]
    return (((large * large - y * y) + small * small) + tails) / (y + y)


def _sigmoid_error(u: Expr, y: Expr) -> Expr:
    """1/(1 + e^-u) - y, where the sum is carried with its error; of use where e^-u is small beside 1."""
    small = call("exp", (-u,), u.dtype)
    total = 1.0 + small
    return (fma(-y, total, const(1.0, u.dtype)) - y * (small - (total - 1.0))) / total


def _sigmoid_error_of(u: Any, y: Any) -> Any:
    small = np.exp(np.negative(u))
    total = 1.0 + small
    return (exact_fma(np.negative(y), total, 1.0) - y * (small - (total - 1.0))) / total


def _finite(lo: Expr, yes: Expr, no: Expr) -> Expr:
    return select(abs(lo) < const(math.inf, lo.dtype), yes, no)


def _row(name: str, symbolic: Any, functions: tuple, latex: str, domain: tuple) -> Elementwise:
    """``functions``: the code and the reference; as many arguments as the sample points have."""
    arity = len(domain[0])
    partials = (_zero if symbolic is _nothing else _one,) * arity
    code, reference = functions
    return Elementwise(name, arity, symbolic, partials, code, reference, latex, domain, source="Dekker 1971, with fma")


TABLE = [
    _row("sum_error", _nothing, (_sum_error, _sum_error_of), r"\varepsilon\left({0} + {1}\right)", _PAIRS),
    _row("product_error", _nothing, (lambda a, b: fma(a, b, -(a * b)), lambda a, b: _split_product(a, b)[1]), r"\varepsilon\left({0} {1}\right)", _PAIRS),
    _row("quotient_error", _nothing, (lambda a, b, q: fma(-q, b, a) / b, lambda a, b, q: exact_fma(np.negative(q), b, a) / b), r"\varepsilon\left({0} / {1}\right)", ((1.0, 4.0, 0.25),)),
    _row("sqrt_error", _nothing, (lambda x, y: fma(-y, y, x) / (y + y), lambda x, y: exact_fma(np.negative(y), y, x) / (y + y)), r"\varepsilon\left(\sqrt{{{0}}}\right)", ((4.0, 2.0),)),
    _row("hypot_error", _nothing, (_hypot_error, _hypot_error_of), r"\varepsilon\left(\sqrt{{{0}^2 + {1}^2}}\right)", ((3.0, 4.0, 5.0),)),
    _row("sigmoid_error", _nothing, (_sigmoid_error, _sigmoid_error_of), r"\varepsilon\left(\sigma\left({0}\right)\right)", ((0.0, 0.5),)),
    _row("corrected", lambda h, e: h + e, (lambda h, e: _finite(e, h + e, h), lambda h, e: np.where(np.abs(e) < np.inf, np.add(h, e), h)), "{0} + {1}", _PAIRS),
    _row("correction_error", _nothing, (lambda h, e: _finite(e, _sum_error(h, e), const(0.0, h.dtype)), lambda h, e: np.where(np.abs(e) < np.inf, _sum_error_of(h, e), 0.0)),
         r"\varepsilon\left({0} + {1}\right)", _PAIRS),
]  # fmt: skip
for _entry in TABLE:
    register_row(_entry)
