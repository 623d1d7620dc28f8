"""Exact arithmetic of the whole numbers that stand in a text, within a budget of bits."""

from __future__ import annotations

import operator as python
from fractions import Fraction

MOST_BITS = 4096  # of a numerator or a denominator; 10**308, the largest double, has 1024

_OPERATIONS = {"+": python.add, "-": python.sub, "*": python.mul, "/": python.truediv}


def exact(operator: str, a: Fraction, b: Fraction) -> Fraction | None:
    """``a operator b``; None where the result is no fraction or not within the budget.

    Raises:  ZeroDivisionError; OverflowError for a power beyond the budget, before it is computed
    """
    if operator == "**":
        return _power(a, b)
    result = _OPERATIONS[operator](a, b)
    return result if _bits(result) <= MOST_BITS else None


def _power(a: Fraction, b: Fraction) -> Fraction | None:
    """a**b of a whole b. A number of k bits is at least 2**(k-1), so its n-th power has more than (k-1)*n bits."""
    if b.denominator != 1:
        return None
    if (_bits(a) - 1) * abs(b.numerator) > MOST_BITS:
        raise OverflowError
    if abs(a) <= 1 and a.denominator == 1:  # 0, 1 and -1, to any power however large
        return _unit_power(a.numerator, b.numerator)
    result = a**b.numerator
    if _bits(result) > MOST_BITS:
        raise OverflowError
    return result


def _unit_power(a: int, n: int) -> Fraction:
    if a == 0 and n < 0:
        raise ZeroDivisionError
    return Fraction(1 if n % 2 == 0 and a else a if n else 1)


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())
