"""The lines through a point along which a gradient is checked: one coordinate each, or a random signed direction.

In: a function with its gradient (a Subject) and a point. Out: Probes, each a function of one number t whose
derivative at 0 the gradient predicts. A probe never changes the point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.runtime.differences import EPS, Line
from symgrad.runtime.kinks import Cells

Point = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, as plain functions of a point (arrays in the order of the inputs).

    ``value`` gives an array whose sum is differentiated (pair an array output with a cotangent there), ``gradient``
    that sum's gradients for the inputs at the positions ``wrt``, ``cells`` the sides of the kinks (``kinks.watch``),
    ``pushforward(point, tangents)`` the tangent of the sum, ``rounding(point)`` how far rounding on the way to the
    values moves that sum. ``twin`` is the same function in float64.
    """

    value: Callable[[Point], Any]
    gradient: Callable[[Point], Sequence[Any]]
    wrt: tuple[int, ...]
    names: tuple[str, ...]
    cells: Cells | None = None
    pushforward: Callable[[Point, Sequence[Any]], Any] | None = None
    twin: Subject | None = None
    rounding: Callable[[Point], float] | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One line: what the gradient says its slope is, and what the size of a step is measured by.

    ``scales`` are the lengths over which the function may vary, ``unit`` that of the point itself, ``grain`` the least
    step that is not lost in the point's rounding. ``size`` is a slope beside which smaller ones do not count.
    """

    line: Line
    cells: Callable[[float], np.ndarray] | None
    slope: float
    scales: tuple[float, ...]
    size: float
    unit: float
    grain: float
    where: str


def coordinate(subject: Subject, point: Point, k: int, index: tuple, gradients: Sequence[np.ndarray]) -> Probe:
    """The line along one element of the k-th variable."""
    x = np.asarray(point[subject.wrt[k]], float)
    step = np.zeros_like(x)
    step[index] = 1.0
    slope, element = float(gradients[k][index]), abs(float(x[index]))
    largest = float(np.max(np.abs(gradients[k]), initial=0.0, where=np.isfinite(gradients[k])))
    line, cells = _along(subject, point, k, step)
    unit = element if element > 0.0 else float(np.max(np.abs(x))) or 1.0
    scales = _scales(line, slope, element)
    where = "[" + ", ".join(map(str, index)) + "]" if index else ""
    return Probe(line, cells, slope, scales, 1e-3 * largest, unit, 32.0 * EPS * element, where)


def direction(subject: Subject, point: Point, k: int, signs: np.ndarray, gradients: Sequence[np.ndarray]) -> Probe:
    """The line along all elements of the k-th variable at once, each with a sign and in its own scale.

    One wrong element always changes the slope: every sign counts.
    """
    x = np.asarray(point[subject.wrt[k]], float)
    typical = math.sqrt(float(np.mean(np.square(x)))) or 1.0
    step = signs * np.maximum(np.abs(x), 1e-3 * typical)
    terms = gradients[k] * step
    line, cells = _along(subject, point, k, step)
    slope = math.fsum(terms.ravel())
    size = math.sqrt(float(np.sum(np.square(terms))))
    return Probe(line, cells, slope, _scales(line, slope, 1.0), 1e-2 * size, 1.0, 32.0 * EPS, " a random direction")


def _along(subject: Subject, point: Point, k: int, step: np.ndarray) -> tuple[Line, Callable | None]:
    place = subject.wrt[k]
    x = np.asarray(point[place], float)
    known: dict[float, np.ndarray] = {}

    def moved(t: float) -> list:
        return [*point[:place], x + t * step, *point[place + 1 :]]

    def line(t: float) -> np.ndarray:
        if t not in known:
            known[t] = np.asarray(subject.value(moved(t)), float).ravel()
        return known[t]

    cells = subject.cells
    return line, None if cells is None else lambda t: cells(moved(t))


def _scales(line: Line, slope: float, element: float) -> tuple[float, ...]:
    """Lengths over which the function may vary: the element's own, value over slope, and 1; the smallest first."""
    size = float(np.sum(np.abs(line(0.0))))
    with np.errstate(all="ignore"):
        by_slope = float(np.float64(size) / abs(slope))
    found: list[float] = []
    for scale in sorted(s for s in (element, by_slope, 1.0) if 0.0 < s < 1e300):
        if not found or scale > 8.0 * found[-1]:
            found.append(scale)
    return tuple(found)


def guarded(probe: Probe, reference: np.ndarray | None) -> Line:
    """The line where its steps count and it stays in the cells ``reference``; NaN elsewhere."""
    cells = probe.cells
    nowhere = np.array([np.nan])

    def line(t: float) -> np.ndarray:
        if t != 0.0 and abs(t) < probe.grain:
            return nowhere
        inside = cells is None or reference is None or same(cells(t), reference)
        return probe.line(t) if inside else nowhere

    return line


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two points lie in the same cells."""
    return np.array_equal(a, b, equal_nan=True)


def is_on_kink(probe: Probe, at: np.ndarray | None) -> bool:
    """Whether a guard changes within the rounding of the point."""
    if probe.cells is None or at is None:
        return False
    tiny = max(64.0 * EPS * probe.unit, 5e-324)
    return not (same(probe.cells(tiny), at) and same(probe.cells(-tiny), at))
