"""SymPy's numbers as doubles and back, correctly rounded, and never larger than a stated budget.

In: a SymPy number or number symbol; out: the nearest double. Back: an integer, a fraction with a small
denominator or a named constant where the double is exactly its rounding, else the double itself.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

import sympy as sp

from symgrad.errors import ExpressionError, UnsupportedError

BIT_BUDGET = 4096
LARGEST_DENOMINATOR = 1000  # 0.01 is read back as 1/100; of 2**62 doubles 300,000 are such fractions
_DIGITS = 60  # of the number symbols: a double needs 17 and its rounding test a few more


def check_budget(bits: float) -> None:
    """Refuse an integer of that many bits before anybody computes it."""
    if bits > BIT_BUDGET:
        raise ExpressionError(
            "a number in the expression is too large",
            ("size", f"{bits:.0f} bits" if math.isfinite(bits) else "beyond the range of a double"),
            ("limit", f"{BIT_BUDGET} bits"),
            fix="scale the variables, or pass the number as an input",
        )


def as_fraction(number: sp.Rational) -> Fraction:
    """The exact value."""
    check_budget(max(int(number.p).bit_length(), int(number.q).bit_length()))
    return Fraction(int(number.p), int(number.q))


def nearest_double(value: Fraction) -> float:
    """Correctly rounded (a quotient of Python's integers is); infinite where it overflows."""
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _from_binary(mpf: tuple[int, int, int, int]) -> float:
    """The nearest double of mpmath's (sign, mantissa, exponent, bits); mpmath's own rounds twice below 1e-308."""
    sign, mantissa, exponent, bits = mpf
    if not mantissa or exponent + bits < -1200:
        return -0.0 if sign else 0.0
    if exponent + bits > 1100:
        return -math.inf if sign else math.inf
    return nearest_double(Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent))


def as_double(number: sp.Expr) -> float:
    """The double nearest to a SymPy number.

    Raises:  UnsupportedError for a complex number, ExpressionError beyond the budget.
    """
    if isinstance(number, sp.Rational):
        return nearest_double(as_fraction(number))
    if isinstance(number, sp.Float):
        return _from_binary(number._mpf_)
    if number in (sp.oo, -sp.oo, sp.nan):
        return float(number)
    if isinstance(number, sp.NumberSymbol):
        return _from_binary(number._as_mpf_val(4 * _DIGITS))
    raise UnsupportedError(
        f"complex numbers are not supported: {type(number).__name__}", fix="write the real and imaginary parts apart"
    )


@functools.cache
def _named_constants() -> dict[float, sp.Expr]:
    """Constants that a reader knows, by their doubles."""
    known = [sp.pi, sp.E, sp.GoldenRatio, sp.EulerGamma, sp.Catalan, sp.log(2), sp.log(10), sp.sqrt(2), sp.sqrt(3)]
    known += [sp.sqrt(sp.pi), sp.sqrt(2 * sp.pi)]
    known += [1 / c for c in known] + [
        2 * sp.pi,
        sp.pi / 2,
        sp.pi / 180,
        180 / sp.pi,
        2 / sp.sqrt(sp.pi),
        sp.sqrt(2 / sp.pi),
    ]
    exact = {_from_binary(sp.N(c, _DIGITS)._mpf_): c for c in known}
    return exact | {-value: -c for value, c in exact.items()}


def from_double(value: float) -> sp.Expr:
    """The simplest SymPy number whose nearest double is ``value``."""
    if not math.isfinite(value):
        return sp.nan if math.isnan(value) else sp.oo if value > 0 else -sp.oo
    if value == int(value) and abs(value) < 2.0**53:
        return sp.Integer(int(value))
    simple = Fraction(value).limit_denominator(LARGEST_DENOMINATOR)
    if nearest_double(simple) == value:
        return sp.Rational(simple.numerator, simple.denominator)
    return _named_constants().get(value, sp.Float(value))
