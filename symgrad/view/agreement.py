"""Whether two formulas agree at points, to how many digits, and the first point where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.errors import NumericError
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.ir.show import label
from symgrad.view.digits import MOST_DIGITS, count, distance, exact_mismatch, mismatch
from symgrad.view.points import Point, points
from symgrad.view.slips import terms

POINTS = 20
FLOAT_DIGITS = 15
_EXACT = 1e-14  # numbers of f and of the claim may be rounded to doubles
_ROUNDED = 1e-8  # of values in float64
_NOISE = 64 * float(np.finfo(float).eps)  # of the largest term: what is left of terms that cancel


def tried(inside: Sequence[Node], compared: Sequence[Node], seed: int) -> list[Point]:
    """Points at which all of ``inside`` are finite, on both sides of the kinks of ``compared`` too.

    Raises:  NumericError where there is none
    """
    found = points(inside, compared, POINTS, seed)
    if not found:
        raise NumericError(
            "no point was found at which the formula and its derivative are finite", fix="check the formula itself"
        )
    return found


def agreement(mine: Node, derived: Node, f: Node, seed: int) -> tuple[list[Point], int, Point | None]:
    """The points tried, how many digits agree at all of them, and the first point where too few do."""
    found = tried([derived, f], [derived, f, mine], seed)
    digits = MOST_DIGITS
    for p in found:
        apart = exact_mismatch([mine, derived], p)
        limit = _EXACT
        if apart is None:
            a, b = evaluate([mine, derived], p)
            apart, limit = rounded_mismatch(a, b, largest_term([mine, derived], p)), _ROUNDED
            digits = min(digits, FLOAT_DIGITS)
        if not apart <= limit:
            return found, 0, p
        digits = min(digits, count(apart))
    return found, digits, None


def rounded_mismatch(a: Any, b: Any, scale: float) -> float:
    """How far two values in float64 are apart; 0 where only the rounding of terms of this size is between them."""
    if not np.all(np.isfinite(a)):
        return math.inf
    return 0.0 if distance(a, b) <= _NOISE * scale else mismatch(a, b)


def largest_term(formulas: Sequence[Node], p: Point) -> float:
    """The largest number among the terms that formulas are sums of."""
    values = evaluate([t for f in formulas for t in terms(f)], p)
    sizes = [float(np.max(np.abs(v), initial=0.0)) for v in values]
    return max((s for s in sizes if math.isfinite(s)), default=0.0)


def shown_point(p: Point) -> dict[str, Any]:
    """A point by the reader's names."""
    return {label(v): plain_value(value) for v, value in p.items()}


def plain_value(value: Any) -> Any:
    """A number as a Python number, else an array."""
    return np.asarray(value).item() if np.ndim(value) == 0 else np.asarray(value)
