"""Whether the slope that a gradient predicts along a line is the right one.

In: a Probe. Out: a Finding: "ok", "FAIL", "kink" (with the slopes on both sides), or "undecided" where the differences
are too coarse to tell. A failure is only said after other steps, one-sided differences and the rounding of the gradient
itself have been tried as explanations.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from symgrad.runtime.differences import (
    EPS,
    NOTHING,
    START,
    Estimate,
    agreed,
    beside,
    central,
    derivative,
    extrapolated,
    forward,
    limit,
)
from symgrad.runtime.lines import Probe, guarded, is_on_kink

_OTHER_SCALES = (1e-3, 30.0, 1e-6, 1e3)
_RESOLVED = 2e-7  # differences that leave more than this open of the gradient decide nothing
_AGREE = 1e-9
_NO_SLOPE = 1e-300  # of a function that is 0 all around


@dataclass(frozen=True, slots=True)
class Tolerance:
    """|gradient - difference| <= absolute + relative * |gradient|; None is as exact as the differences allow.

    ``step`` is that of one plain central difference, in units of the element; None lets the steps be searched.
    """

    relative: float | None = None
    absolute: float | None = None
    step: float | None = None

    @property
    def is_given(self) -> bool:
        return self.relative is not None or self.absolute is not None


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one line."""

    status: str
    where: str
    slope: float
    estimate: Estimate
    note: str = ""

    @property
    def gap(self) -> float:
        """By how much gradient and difference differ."""
        return abs(self.slope - self.estimate.value) if self.slope != self.estimate.value else 0.0


def judge(probe: Probe, tolerance: Tolerance, noise: Callable[[], float], blur: Callable[[], float]) -> Finding:
    """The finding for one line; ``noise`` gives the rounding error of the predicted slope, ``blur`` that of the value.

    They are asked only in doubt.
    """
    if not np.all(np.isfinite(probe.line(0.0))):
        return Finding("undecided", probe.where, probe.slope, NOTHING, "the function is not finite here")
    at = None if probe.cells is None else probe.cells(0.0)
    if tolerance.step is not None:
        plain = _plain(probe, at, tolerance)
        if plain is not None:
            return plain
    best, tried = NOTHING, []
    for search in (_central, _central_elsewhere, _one_sided):
        new = search(probe, at)
        tried += new
        best = agreed(tried)
        for e in [best, *(e for e in new if e.value != 0.0)]:  # one that agrees to nine digits does not do so by chance
            if _status(probe, e, tolerance, 0.0) == "ok":
                return Finding("ok", probe.where, probe.slope, e)
    if is_on_kink(probe, at) or (probe.cells is None and _has_corner(probe)):
        return _kink(probe, tolerance)
    return _final(probe, best, tolerance, (noise(), blur))


def _plain(probe: Probe, at: np.ndarray | None, tolerance: Tolerance) -> Finding | None:
    """(f(h) - f(-h)) / 2h for the step that was asked for; None where that leaves the domain or crosses a kink."""
    assert tolerance.step is not None
    h = tolerance.step * probe.unit
    value, rounding = central(guarded(probe, at))(h)
    if not math.isfinite(value):
        return None
    estimate = Estimate(value, rounding, h)
    gap = abs(probe.slope - value)
    allowed = (tolerance.absolute or 0.0) + (tolerance.relative or 0.0) * max(abs(probe.slope), abs(value))
    if gap <= allowed and 4.0 * rounding <= allowed:
        return Finding("ok", probe.where, probe.slope, estimate)
    if gap <= allowed + 4.0 * rounding:
        return Finding("undecided", probe.where, probe.slope, estimate, f"rounding drowns the step {h:.3g}")
    said = f"gradient {probe.slope:.15g}, the difference with step {h:.3g} is {value:.15g}"
    return Finding("FAIL", probe.where, probe.slope, estimate, said)


def _central(probe: Probe, at: np.ndarray | None) -> list[Estimate]:
    return derivative(guarded(probe, at), probe.scales, max(abs(probe.slope), probe.size))[1]


def _central_elsewhere(probe: Probe, at: np.ndarray | None) -> list[Estimate]:
    line = guarded(probe, at)
    scales = [factor * probe.scales[0] for factor in _OTHER_SCALES]
    return [e for s in scales for e in derivative(line, [s], abs(probe.slope))[1]]


def _one_sided(probe: Probe, at: np.ndarray | None) -> list[Estimate]:
    """Where a kink is so near that central steps drown in rounding, one side still has room."""
    if at is None:
        return []
    line = guarded(probe, at)
    return [extrapolated(forward(line, side), START * s, 2.0) for side in (1.0, -1.0) for s in probe.scales]


def _status(probe: Probe, best: Estimate, tolerance: Tolerance, noise: float) -> str:
    """ok, FAIL or undecided by one estimate."""
    if not math.isfinite(best.error):
        return "undecided"
    if not math.isfinite(probe.slope):
        return "FAIL" if best.error <= 1e-3 * abs(best.value) or best.error * best.step <= 1e-9 else "undecided"
    size = max(abs(probe.slope), abs(best.value))
    gap = abs(probe.slope - best.value)
    if tolerance.is_given:
        allowed = (tolerance.absolute or 0.0) + (tolerance.relative or 0.0) * size
        resolved = 4.0 * best.error <= max(allowed, 1e-3 * gap)
    else:
        allowed = _AGREE * max(size, 1e-3 * probe.size)
        is_zero = probe.slope == 0.0 and best.error <= max(1e-9 * _steepness(probe), _NO_SLOPE)
        resolved = 4.0 * best.error <= _RESOLVED * max(size, probe.size) or is_zero or 32.0 * best.error < gap
    if not gap <= allowed + 4.0 * best.error + noise:
        return "FAIL" if resolved else "undecided"
    return "ok" if resolved else "undecided"


def _steepness(probe: Probe) -> float:
    """The size of the function nearby over the length of the step: what a slope of order 1 would be."""
    step = START * probe.scales[0]
    sizes = [float(np.sum(np.abs(probe.line(t)))) for t in (0.0, step, -step)]
    return max((size for size in sizes if math.isfinite(size)), default=0.0) / step


def _final(probe: Probe, best: Estimate, tolerance: Tolerance, rounding: tuple[float, Callable[[], float]]) -> Finding:
    """No kink explains the difference: rounding may, of the slope, or of the value, hidden where a sum cancels."""
    noise, blur = rounding
    ulps = [k * max(EPS * probe.unit, 5e-324) for k in (-4, -3, -2, -1, 1, 2, 3, 4)]
    here = math.fsum(probe.line(0.0))
    spread = max((abs(math.fsum(probe.line(t)) - here) for t in ulps), default=0.0)
    room = 8.0 * noise + 8.0 * EPS * _steepness(probe)
    wider = _widened(best, spread)
    status = _status(probe, wider, tolerance, room)
    if status == "FAIL" and _status(probe, _widened(best, spread + blur()), tolerance, room) != "FAIL":
        status = "undecided"
    note = "the differences are too coarse to tell" if status == "undecided" else ""
    return Finding(status, probe.where, probe.slope, wider, note)


def _widened(best: Estimate, moved: float) -> Estimate:
    """The estimate where the values on both sides may have moved by so much."""
    return Estimate(best.value, best.error + 2.0 * moved / best.step, best.step) if best.step > 0.0 else best


def _has_corner(probe: Probe) -> bool:
    """Whether the slopes of the two sides differ, where no guards are known."""
    right, left = (_side(probe, s)[0] for s in (1.0, -1.0))
    gap = abs(right.value - left.value)
    return gap > 1e-6 * max(abs(right.value), abs(left.value)) + 8.0 * (right.error + left.error)


def _side(probe: Probe, side: float) -> tuple[Estimate, Estimate]:
    """The slope on one side, and the limit of the value from there."""
    near = side * 1e-7 * probe.unit
    line = guarded(probe, None if probe.cells is None else probe.cells(near))
    start = START * min(probe.scales)
    slope = extrapolated(beside(line, side), start, 2.0)
    if not slope.error <= 1e-3 * max(abs(slope.value), 1.0):
        slope = _steep(line, math.fsum(probe.line(0.0)), near, slope)
    return slope, extrapolated(limit(line, side), start, 2.0)


def _steep(line: Callable[[float], np.ndarray], here: float, near: float, slope: Estimate) -> Estimate:
    """An infinite slope, where difference quotients go on growing towards the point."""
    rises = [(math.fsum(line(t)) - here) / t for t in (near, 1e-4 * near)]
    grows = math.isfinite(rises[1]) and abs(rises[1]) > 4.0 * abs(rises[0])
    return Estimate(math.copysign(math.inf, rises[1]), 0.0, abs(near)) if grows else slope


def _kink(probe: Probe, tolerance: Tolerance) -> Finding:
    """The finding at a kink: one-sided slopes, and whether the gradient lies between them."""
    (left, below), (right, above) = _side(probe, -1.0), _side(probe, 1.0)
    slopes = sorted(s.value for s in (left, right) if not math.isnan(s.value))
    nearest = min((left, right), key=lambda s: abs(s.value - probe.slope) if math.isfinite(s.value) else math.inf)
    if _is_jump(below, above, probe):
        return Finding("kink", probe.where, probe.slope, nearest, _sides(left, right, "a jump"))
    if math.isnan(probe.slope) and slopes:
        return Finding("FAIL", probe.where, probe.slope, right, _sides(left, right, "the gradient is NaN"))
    room = (
        1e-9 * _steepness(probe)
        + 1e-6 * max((abs(s) for s in slopes if math.isfinite(s)), default=0.0)
        + 4.0 * _finite(left.error)
        + 4.0 * _finite(right.error)
    )
    if slopes and slopes[-1] - slopes[0] <= room and math.isfinite(slopes[0]) and len(slopes) == 2:
        joined = Estimate((slopes[0] + slopes[1]) / 2.0, room, probe.unit)
        if abs(probe.slope - joined.value) <= 2.0 * room + (tolerance.absolute or 0.0):
            return Finding("ok", probe.where, probe.slope, joined)
    between = bool(slopes) and slopes[0] - room <= probe.slope <= slopes[-1] + room
    said = f"the gradient {probe.slope:.6g} {'lies' if between else 'does not lie'} between them"
    return Finding("kink", probe.where, probe.slope, nearest, _sides(left, right, said))


def _finite(error: float) -> float:
    return error if math.isfinite(error) else 0.0


def _is_jump(below: Estimate, above: Estimate, probe: Probe) -> bool:
    size = float(np.sum(np.abs(probe.line(0.0)))) + max(abs(_finite(below.value)), abs(_finite(above.value)))
    gap = abs(above.value - below.value)
    return gap > 1e-6 * size + 4.0 * (below.error + above.error)


def _sides(left: Estimate, right: Estimate, said: str) -> str:
    return f"slopes {left.value:.6g} and {right.value:.6g}: {said}"
