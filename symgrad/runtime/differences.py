"""Derivatives from values alone, with an honest error: differences, extrapolated to step 0.

In: a function of one number t that gives a vector, whose sum is differentiated at t = 0 (NaN where it may not be
asked). Out: an Estimate. The error holds the disagreement of neighbouring orders and steps, and the rounding of the
values; it is infinite where nothing converged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

Line = Callable[[float], np.ndarray]
Sample = Callable[[float], tuple[float, float]]

EPS = float(np.finfo(np.float64).eps)
_LEAST = 4e-323  # what rounding may do to a value near underflow, beside EPS times its size
START = 0.2247448713915890  # of the scale; no short fraction, so that no period of the function is met by halving
_LEVELS = 11
_HALVINGS = 60  # while the function is not finite, or the step crosses a kink


@dataclass(frozen=True, slots=True)
class Estimate:
    """A derivative, how far it may be off, and the smallest step that it used."""

    value: float
    error: float
    step: float


NOTHING = Estimate(math.nan, math.inf, math.nan)


def central(line: Line) -> Sample:
    """(f(h) - f(-h)) / 2h, with error terms h^2, h^4, ..., and the rounding that is in it."""
    return lambda h: _quotient(line(h), line(-h), 2.0 * h)


def forward(line: Line, side: float) -> Sample:
    """(f(h) - f(0)) / h on one side, with error terms h, h^2, ..."""
    return lambda h: _quotient(line(side * h), line(0.0), side * h)


def beside(line: Line, side: float) -> Sample:
    """(f(2h) - f(h)) / h: the slope on one side where f(0) itself may belong to neither."""
    return lambda h: _quotient(line(2.0 * side * h), line(side * h), side * h)


def limit(line: Line, side: float) -> Sample:
    """f(h): its extrapolation is the limit of f from one side."""
    return lambda h: _value(line(side * h))


def _value(values: np.ndarray) -> tuple[float, float]:
    return math.fsum(values), EPS * float(np.sum(np.abs(values))) + _LEAST


def _quotient(upper: np.ndarray, lower: np.ndarray, width: float) -> tuple[float, float]:
    with np.errstate(all="ignore"):
        change = upper - lower
        size = float(np.sum(np.abs(upper)) + np.sum(np.abs(lower)))
        if not (np.all(np.isfinite(change)) and math.isfinite(size)):
            return math.nan, math.inf
        return float(np.float64(math.fsum(change)) / width), (EPS * size + _LEAST) / abs(width)


def extrapolated(sample: Sample, start: float, base: float, hint: float = 0.0) -> Estimate:
    """The limit of ``sample`` at step 0, from start, start/2, start/4, ...

    Maths:   T[k][j] = T[k][j-1] + (T[k][j-1] - T[k-1][j-1]) / (base^j - 1); base 4 for even error terms, else 2
    Source:  Ridders 1982, Accurate computation of F'(x); the error also looks at the same order one step before
    """
    best, seen, step = NOTHING, 0, start
    before: list[float] = []
    for _ in range(_HALVINGS + _LEVELS):
        value, noise = sample(step)
        if not math.isfinite(value) or step == 0.0:
            before = []
        else:
            row = _next_row(before, value, base)
            best = min([best, *_estimates(row, before, noise, step)], key=lambda e: e.error)
            before, seen = row, seen + 1
        if seen >= _LEVELS or best.error <= 1e-11 * max(abs(best.value), hint) or _is_drowned(best, noise, seen):
            break
        step /= 2.0
    return best


def _next_row(before: list[float], value: float, base: float) -> list[float]:
    row = [value]
    for j, old in enumerate(before):
        row.append(row[j] + (row[j] - old) / (base ** (j + 1) - 1.0))
    return row


def _estimates(row: list[float], before: list[float], noise: float, step: float) -> Iterable[Estimate]:
    for j in range(1, len(row)):
        apart = max(abs(row[j] - row[j - 1]), abs(row[j] - before[j - 1]))
        if j < len(before):
            apart = max(apart, abs(row[j] - before[j]))
        if j > 1 and math.isfinite(row[j]):
            yield Estimate(row[j], apart + 2.0 * noise, step)


def _is_drowned(best: Estimate, noise: float, seen: int) -> bool:
    """Whether a smaller step can only be worse: its rounding alone exceeds the error so far."""
    return seen > 3 and 2.0 * noise > best.error


def derivative(line: Line, scales: Iterable[float], hint: float = 0.0) -> tuple[Estimate, list[Estimate]]:
    """The best central estimate over some scales of the step, widened by those that contradict it, and all of them.

    A scale that resolves nine digits of the derivative (or of ``hint``, its expected size) ends the search.
    """
    tried = []
    for scale in scales:
        tried.append(extrapolated(central(line), START * scale, 4.0, hint))
        if tried[-1].error <= 1e-9 * max(abs(tried[-1].value), hint):
            break
    return agreed(tried), tried


def agreed(tried: list[Estimate]) -> Estimate:
    """The most exact estimate, its error at least what the others contradict it by.

    Heard are those that converged, and coarser ones of a smaller step: far from the point the quotients of a bounded
    function agree among themselves, about a slope near 0, while steps beside it see another.
    """
    best = min(tried, key=lambda e: e.error, default=NOTHING)
    if not math.isfinite(best.error):
        return best
    against = [abs(e.value - best.value) - e.error for e in tried if _is_heard(e, best)]
    return Estimate(best.value, max([best.error, *against]), best.step)


def _is_heard(e: Estimate, best: Estimate) -> bool:
    return e.error <= (0.5 * abs(e.value - best.value) if e.step < best.step else 1e-4 * abs(e.value))
