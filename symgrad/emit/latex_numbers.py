r"""Numbers as a person writes them: 2, \frac{1}{3}, 2 \pi, 0.01, 6.02 \cdot 10^{23}.

In: a Python number. Out: LaTeX of its magnitude; signs are the caller's business. A fraction or a constant is written
only where the double is exactly its rounding.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction

DENOMINATORS = (2, 3, 4, 6, 7, 8, 9, 11, 12, 16)  # not 5 or 10: 0.2 reads better than a fraction
_LARGEST_NUMERATOR = 99
_LARGEST_RADICAND = 1025


def number(value: float | int | bool) -> str:
    r"""LaTeX of |value|.

    >>> [number(v) for v in (2.0, 0.5, 1/3, 0.01, 1e-8, 6.2831853071795864)]
    ['2', '\\frac{1}{2}', '\\frac{1}{3}', '0.01', '10^{-8}', '2 \\pi']
    """
    if isinstance(value, bool):
        return r"\mathrm{true}" if value else r"\mathrm{false}"
    if isinstance(value, float) and not math.isfinite(value):
        return r"\mathrm{NaN}" if math.isnan(value) else r"\infty"
    size = abs(value)
    if size == int(size) and size < 10**7:
        return str(int(size))
    if isinstance(size, int):
        return _scientific(repr(float(size))) if size >= 10**15 else str(size)
    return fraction(size) or _constants().get(size) or root(size) or _scientific(repr(size))


def fraction(size: float) -> str | None:
    """p/q of a small q, where the double is exactly its rounding."""
    for q in DENOMINATORS:
        p = round(size * q)
        if 0 < p <= _LARGEST_NUMERATOR and p / q == size and math.gcd(p, q) == 1:
            return rf"\frac{{{p}}}{{{q}}}"
    return None


def root(size: float) -> str | None:
    """sqrt(k) and 1/sqrt(k) of a small k."""
    if not 1.0 / _LARGEST_RADICAND < size * size < _LARGEST_RADICAND:
        return None
    k, m = round(size * size), round(1.0 / (size * size))
    if k > 1 and math.sqrt(k) == size:
        return rf"\sqrt{{{k}}}"
    plain = m < 2 or math.isqrt(m) ** 2 == m or 1.0 / math.sqrt(m) != size
    return None if plain else rf"\frac{{1}}{{\sqrt{{{m}}}}}"


@functools.cache
def _constants() -> dict[float, str]:
    """Doubles that are roundings of what a reader knows."""
    found: dict[float, str] = {}
    for q in (1, 2, 3, 4, 6, 180):
        for p in (1, 2, 3, 4, 5, 180):
            part = Fraction(p, q)
            above = r"\pi" if part.numerator == 1 else rf"{part.numerator} \pi"
            text = above if part.denominator == 1 else rf"\frac{{{above}}}{{{part.denominator}}}"
            found.setdefault(p * math.pi / q, text)
            below = r"\pi" if part.denominator == 1 else rf"{part.denominator} \pi"
            found.setdefault(p / (q * math.pi), rf"\frac{{{part.numerator}}}{{{below}}}")
    root_pi = math.sqrt(math.pi)
    known = {
        math.e: "e",
        math.log(2.0): r"\ln 2",
        math.log(10.0): r"\ln 10",
        1 / math.log(2.0): r"\frac{1}{\ln 2}",
        1 / math.log(10.0): r"\frac{1}{\ln 10}",
        root_pi: r"\sqrt{\pi}",
        2.0 / root_pi: r"\frac{2}{\sqrt{\pi}}",
        math.sqrt(2 * math.pi): r"\sqrt{2 \pi}",
        1 / math.sqrt(2 * math.pi): r"\frac{1}{\sqrt{2 \pi}}",
        math.sqrt(2.0 / math.pi): r"\sqrt{\frac{2}{\pi}}",
    }
    return found | known


def _scientific(shortest: str) -> str:
    """Python's shortest text that reads back as the double, its exponent as a power of ten."""
    mantissa, mark, exponent = shortest.partition("e")
    if not mark:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    mantissa = mantissa.removesuffix(".0")
    return power if mantissa == "1" else rf"{mantissa} \cdot {power}"
