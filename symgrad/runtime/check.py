"""Is a gradient right? Differences with an error estimate decide, one coordinate at a time or along random directions.

In: a Subject (plain functions of a point) and a point. Out: a CheckReport, a table with a row for each variable and one
each for forward against reverse mode and for float32 against float64. Kinks are reported with their one-sided slopes,
never as failures; what differences cannot resolve is called undecided.
"""

from __future__ import annotations

import functools
import html
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.errors import NumericError
from symgrad.ir.show import printable
from symgrad.runtime.differences import EPS, Estimate
from symgrad.runtime.lines import Point, Probe, Subject, coordinate, direction
from symgrad.runtime.verdict import Finding, Tolerance, judge

_ORDER = ("ok", "kink", "undecided", "FAIL")
_NOTES = 6  # of a row that are printed
_NUDGES = 3
_SINGLE = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is checked: every coordinate up to so many, else a random part of them and random directions."""

    coordinates: int = 200
    directions: int = 4
    seed: int = 0
    tolerance: Tolerance = field(default_factory=Tolerance)


@dataclass(frozen=True, slots=True)
class Row:
    """One variable's result: the worst finding, how many lines were checked, and what is worth saying."""

    name: str
    shape: tuple[int, ...]
    checked: int
    worst: Finding
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """ "ok", "kink", "undecided" or "FAIL"."""
        return self.worst.status


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The table of a gradient check; ``ok`` where every gradient was confirmed (or stands on a kink)."""

    rows: tuple[Row, ...]
    title: str = field(default="gradient against differences")

    @property
    def ok(self) -> bool:
        """Whether nothing failed and nothing is undecided."""
        return all(row.status in ("ok", "kink") for row in self.rows)

    @property
    def failed(self) -> bool:
        """Whether a gradient is wrong."""
        return any(row.status == "FAIL" for row in self.rows)

    def raise_unless_ok(self) -> CheckReport:
        """Itself; NumericError with the table where a gradient is wrong, or was not confirmed."""
        if self.ok:
            return self
        row = max(self.rows, key=lambda r: _ORDER.index(r.status))  # the first of the worst
        of = f"the gradient of {printable(row.name)}"
        said = f"{of} differs from differences" if self.failed else f"{of} is undecided: {row.worst.note}"
        raise NumericError(said, *(("", line) for line in str(self).splitlines()[1:]))

    def __str__(self) -> str:
        table = [("variable", "shape", "checked", "max error", "differences", "", "worst at"), *map(_cells, self.rows)]
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
        return "\n".join([self.title, *("  " + line for line in lines), *_said(self.rows)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _cells(row: Row) -> tuple[str, ...]:
    shape = "x".join(map(str, row.shape)) or "scalar"
    w = row.worst
    return (printable(row.name), shape, str(row.checked), f"{w.gap:.1e}", f"±{w.estimate.error:.1e}", w.status, w.where)


def _said(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for note in row.notes[:_NOTES]:
            yield f"  {printable(row.name)}{note}"
        if len(row.notes) > _NOTES:
            yield f"  {printable(row.name)}: and {len(row.notes) - _NOTES} more"


def check(subject: Subject, point: Point, effort: Effort | None = None) -> CheckReport:
    """Compare every gradient with differences (in float64, by the twin of a float32 function)."""
    effort = effort or Effort()
    if subject.twin is not None:
        wide = [np.asarray(x, np.float64) if np.asarray(x).dtype.kind == "f" else x for x in point]
        report = check(subject.twin, wide, effort)
        return CheckReport((*report.rows, *_precisions(subject, point, wide)), report.title)
    gradients = [np.asarray(g, float) for g in subject.gradient(point)]
    noise = _Noise(subject, point, gradients, effort.seed)
    rows = [_row(subject, point, k, gradients, (noise, effort)) for k in range(len(subject.wrt))]
    if subject.pushforward is not None and all(np.all(np.isfinite(g)) for g in gradients):
        rows.append(_forward_row(subject, point, gradients, (noise, effort)))
    return CheckReport(tuple(rows))


class _Noise:
    """How much the gradients change when every input is moved by its rounding; computed when first asked for."""

    def __init__(self, subject: Subject, point: Point, gradients: Sequence[np.ndarray], seed: int) -> None:
        self._parts = (subject, point, gradients, seed)
        self._found: list[np.ndarray] | None = None

    @functools.cached_property
    def _blur(self) -> float:
        subject, point = self._parts[:2]
        return 0.0 if subject.rounding is None else subject.rounding(point)

    def of_value(self) -> float:
        """How much the value moves when every number on the way to it is moved by its rounding."""
        return self._blur

    def __call__(self, k: int) -> np.ndarray:
        if self._found is None:
            subject, point, gradients, seed = self._parts
            rng = np.random.default_rng(seed)
            moved = [[np.asarray(g, float) for g in subject.gradient(_nudged(point, rng))] for _ in range(_NUDGES)]
            with np.errstate(all="ignore"):
                apart = [[np.abs(m - g) for m, g in zip(ms, gradients, strict=True)] for ms in moved]
            self._found = [np.nan_to_num(np.max(each, axis=0)) for each in zip(*apart, strict=True)]
        return self._found[k]


def _nudged(point: Point, rng: np.random.Generator) -> list[Any]:
    """The point with each real number moved to its neighbour, up or down."""
    arrays = [np.asarray(x) for x in point]
    return [np.nextafter(x, rng.choice([-np.inf, np.inf], x.shape)) if x.dtype.kind == "f" else x for x in arrays]


def _row(subject: Subject, point: Point, k: int, gradients: Sequence[np.ndarray], how: tuple) -> Row:
    noise, effort = how
    findings = []
    for probe, weigh in _probes(subject, point, k, gradients, effort):
        findings.append(judge(probe, effort.tolerance, functools.partial(_weighed, noise, k, weigh), noise.of_value))
    shape = gradients[k].shape
    if not findings:
        return Row(subject.names[k], shape, 0, Finding("ok", "", 0.0, Estimate(0.0, 0.0, 0.0)))
    return _summary(subject.names[k], shape, findings)


def _weighed(noise: _Noise, k: int, weigh: Callable[[np.ndarray], Any]) -> float:
    return float(np.sum(np.abs(weigh(noise(k)))))


def _summary(name: str, shape: tuple[int, ...], findings: Sequence[Finding]) -> Row:
    worst = max(findings, key=lambda f: (_ORDER.index(f.status), f.gap if f.gap == f.gap else math.inf))
    notes = [f"{f.where}: {_note(f)}" for f in findings if f.status != "ok"]
    return Row(name, shape, len(findings), worst, tuple(notes))


def _note(f: Finding) -> str:
    if f.status == "FAIL" and not f.note:
        return f"FAIL: gradient {f.slope:.15g}, differences {f.estimate.value:.15g}"
    return f"{f.status}: {f.note}"


def _probes(
    subject: Subject, point: Point, k: int, gradients: Sequence[np.ndarray], effort: Effort
) -> Iterator[tuple[Probe, Callable]]:
    """The lines of one variable, each with what the noise of its gradient is weighted by."""
    g = gradients[k]
    total = sum(h.size for h in gradients)
    rng = np.random.default_rng((effort.seed, k))
    share = g.size if total <= effort.coordinates else min(g.size, max(16, effort.coordinates * g.size // total))
    for flat in sorted(rng.choice(g.size, share, replace=False)) if g.size else ():
        index = tuple(int(i) for i in np.unravel_index(flat, g.shape))
        yield coordinate(subject, point, k, index, gradients), lambda noise, i=index: noise[i]
    lengths = np.abs(np.asarray(point[subject.wrt[k]], float))
    for _ in range(effort.directions if share < g.size else 0):
        signs = rng.choice([-1.0, 1.0], g.shape)
        yield direction(subject, point, k, signs, gradients), lambda noise: noise * lengths


def _forward_row(subject: Subject, point: Point, gradients: Sequence[np.ndarray], how: tuple) -> Row:
    """Forward mode against reverse mode: the tangent along random vectors is the gradient's product with them."""
    noise, effort = how
    assert subject.pushforward is not None
    rng = np.random.default_rng((effort.seed, len(gradients)))
    findings = []
    for i in range(effort.directions):
        tangents = [rng.standard_normal(g.shape) for g in gradients]
        terms = np.concatenate([(g * v).ravel() for g, v in zip(gradients, tangents, strict=True)])
        forward, reverse = float(np.sum(subject.pushforward(point, tangents))), float(np.sum(terms))
        room = 1e-9 * float(np.sum(np.abs(terms)))
        if not abs(forward - reverse) <= room:
            room += 64.0 * EPS * float(np.sum(np.abs(subject.value(point))))
            room += 8.0 * sum(float(np.sum(noise(k) * np.abs(v))) for k, v in enumerate(tangents))
        status = "ok" if abs(forward - reverse) <= room else "FAIL"
        findings.append(Finding(status, f" direction {i}", reverse, Estimate(forward, room, 0.0)))
    return _summary("forward mode", (), findings)


def _precisions(subject: Subject, point: Point, wide: Point) -> list[Row]:
    """float32 gradients against those of the same graph in float64, element by element."""
    assert subject.twin is not None
    single = [np.asarray(g, float) for g in subject.gradient(point)]
    double = [np.asarray(g, float) for g in subject.twin.gradient(wide)]
    rng = np.random.default_rng(0)
    moved = [[np.asarray(g, float) for g in subject.twin.gradient(_jittered(wide, rng))] for _ in range(_NUDGES)]
    rows = []
    for k, (s, d) in enumerate(zip(single, double, strict=True)):
        with np.errstate(all="ignore"):
            spread = np.max([np.abs(m[k] - d) for m in moved], axis=0)
        rows.append(_summary(f"{subject.names[k]} float32", d.shape, _compared(s, d, spread)))
    return rows


def _jittered(point: Point, rng: np.random.Generator) -> list[Any]:
    arrays = [np.asarray(x) for x in point]
    return [x * (1.0 + _SINGLE * rng.choice([-1.0, 1.0], x.shape)) if x.dtype.kind == "f" else x for x in arrays]


def _compared(single: np.ndarray, double: np.ndarray, spread: np.ndarray) -> list[Finding]:
    """One finding: the element furthest beyond a thousand roundings of float32, and what input rounding explains.

    What float32 cannot hold (overflow) is undecided.
    """
    if not double.size:
        return [Finding("ok", "", 0.0, Estimate(0.0, 0.0, 0.0))]
    with np.errstate(all="ignore"):
        finite = double[np.isfinite(double)]
        largest = float(np.max(np.abs(finite), initial=0.0))
        allowed = 1e3 * _SINGLE * np.maximum(np.abs(double), largest) + 16.0 * spread
        gap = np.where((single == double) | (np.isnan(single) & np.isnan(double)), 0.0, np.abs(single - double))
        beyond = np.where(np.isnan(gap), np.inf, gap - np.nan_to_num(allowed))
    index = tuple(int(i) for i in np.unravel_index(int(np.argmax(beyond)), double.shape))
    where = "[" + ", ".join(map(str, index)) + "]" if index else ""
    estimate = Estimate(float(double[index]), float(allowed[index]), 0.0)
    if beyond[index] <= 0.0:
        return [Finding("ok", where, float(single[index]), estimate)]
    outside = largest > float(np.finfo(np.float32).max) or 0.0 < largest < float(np.finfo(np.float32).tiny)
    unknown = outside or not math.isfinite(estimate.error)
    note = "outside the range of float32" if outside else "float64 itself is not finite here" if unknown else ""
    return [Finding("undecided" if unknown else "FAIL", where, float(single[index]), estimate, note)]


__all__ = ["CheckReport", "Effort", "Row", "Subject", "Tolerance", "check"]
