"""Points inside the domain of some nodes: named sizes that differ from point to point, and both sides of every kink.

In: nodes that must be finite, and the nodes whose kinks count. Out: Points: values of the variables, and of the named
sizes. A formula that is right for one length of an axis only, or before a threshold only, is not right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from symgrad.errors import IndexRangeError, ShapeError
from symgrad.ir.evaluate import concrete, evaluate
from symgrad.ir.node import Node, build
from symgrad.ir.types import named
from symgrad.ir.walk import named_sizes, topological, variables
from symgrad.runtime.kinks import Cells, Guard, guards, watch
from symgrad.runtime.lines import same

Point = dict[Node, np.ndarray]

_ATTEMPTS = 400
_PLAIN_ATTEMPTS = 60  # with one kind of numbers for all variables; then each has its own, and its own scale
_NEAR = 1e-7  # of a number, beside its three decimals
_MOST_GUARDS = 24
_MOST_REFUSED = 6  # of points on one side of one guard: the domain ends there
_DRAWS = (
    lambda rng, shape: rng.normal(0.0, 1.0, shape),
    lambda rng, shape: 0.1 + np.abs(rng.normal(0.0, 1.0, shape)),
    lambda rng, shape: rng.uniform(0.05, 0.95, shape),
    lambda rng, shape: rng.uniform(-0.95, 0.95, shape),
    lambda rng, shape: 1.05 + np.abs(rng.normal(0.0, 1.0, shape)),
    lambda rng, shape: rng.normal(0.0, 4.0, shape),
)
_LENGTHS = ((2, 1), (3, 2), (8, 3), (12, 5))  # of the k-th named size: first + k*step; no two alike


@dataclass(frozen=True, slots=True)
class Space:
    """What points are made for: the variables, the named sizes, what must be finite there, and its cells."""

    given: tuple[Node, ...]
    sizes: tuple[Node, ...]
    inside: tuple[Node, ...]
    cells: Cells | None

    def __contains__(self, point: Point) -> bool:
        try:
            values = evaluate(self.inside, point)
        except (IndexError, IndexRangeError, ShapeError):
            return False
        if not all(np.all(np.isfinite(v)) for v in values):
            return False
        return self.cells is None or _is_smooth(self.cells, list(point.values()))


def points(inside: Sequence[Node], compared: Sequence[Node], count: int, seed: int) -> list[Point]:
    """Up to ``count`` random points at which all of ``inside`` are finite, none on a kink, and more beyond thresholds.

    A number has three decimals and is never 0. Every comparison, maximum, ... of ``compared`` that stood on one side
    only at the random points gets a point on the other side, the first that is found on a line.
    """
    found = list(_random(_space(inside, compared), count, seed))
    return [*found, *_beyond(_space(inside, compared), compared, found)] if found else found


def _space(inside: Sequence[Node], compared: Sequence[Node]) -> Space:
    nodes = topological([*inside, *compared])
    given = tuple(variables(nodes))
    sizes = tuple(build("size", size=named(n)) for n in named_sizes(nodes))
    return Space(given, sizes, tuple(inside), watch(inside, [*given, *sizes], given))


def _random(space: Space, count: int, seed: int) -> Iterator[Point]:
    rng = np.random.default_rng(seed)
    found = 0
    for attempt in range(_ATTEMPTS):
        if found == count:
            return
        point = _drawn(rng, space, attempt)
        if point in space:
            found += 1
            yield point


def _drawn(rng: np.random.Generator, space: Space, attempt: int) -> Point:
    plain = attempt < _PLAIN_ATTEMPTS
    first, step = _LENGTHS[attempt // len(_DRAWS) % (2 if plain else len(_LENGTHS))]
    lengths = {s["size"].names()[0]: first + k * step for k, s in enumerate(space.sizes)}
    point: Point = {}
    for v in space.given:
        mode = attempt % len(_DRAWS) if plain else int(rng.integers(len(_DRAWS)))
        scale = 1.0 if plain or rng.random() < 0.5 else 10.0 ** float(rng.integers(-4, 6))
        point[v] = (
            _values(rng, v.dtype, concrete(v.shape, lengths), mode)
            if v.dtype != "real"
            else _rounded(scale * _DRAWS[mode](rng, concrete(v.shape, lengths)), scale)
        )
    return point | {s: np.asarray(lengths[s["size"].names()[0]]) for s in space.sizes}


def _values(rng: np.random.Generator, dtype: str, shape: tuple[int, ...], mode: int) -> np.ndarray:
    return np.asarray(rng.integers(0, 1 + mode % 3, shape) if dtype == "int" else rng.random(shape) < 0.5)


def _rounded(x: np.ndarray, scale: float) -> np.ndarray:
    """Numbers of size ``scale`` with three decimals beside it, never 0."""
    short = np.round(x / scale, 3)
    return np.where(short == 0.0, 0.5, short) * scale


def _is_smooth(cells: Cells, point: Sequence[np.ndarray]) -> bool:
    """Whether the point and its neighbours on both sides lie in the same cells: on a kink, conventions differ."""
    rng = np.random.default_rng(0)
    moves = [_NEAR * rng.uniform(0.5, 1.5, np.shape(x)) for x in point]
    here = cells(point)
    for side in (-1.0, 1.0):
        near = [x * (1.0 + side * m) if x.dtype.kind == "f" else x for x, m in zip(point, moves, strict=True)]
        if not same(cells(near), here):
            return False
    return True


def _beyond(space: Space, compared: Sequence[Node], found: Sequence[Point]) -> Iterator[Point]:
    """For each guard and each side of it that no point has, a point there, where one is found."""
    movable = [v for v in space.given if v.dtype == "real"]
    signs = [g for g in guards([*space.inside, *compared], movable) if g.kind == "sign"][:_MOST_GUARDS]
    more: list[Point] = []
    for guard in signs:
        for side in (-1.0, 1.0):
            if not any(_stands(guard, side, p) for p in (*found, *more)):
                more += _crossing(space, guard, side, found[: len(_LENGTHS)])
    yield from more


def _stands(guard: Guard, side: float, point: Point) -> bool:
    """Whether any element of the guard's value is on this side."""
    return bool(np.any(np.sign(np.asarray(evaluate([guard.value], point)[0], float)) == side))


def _crossing(space: Space, guard: Guard, side: float, starts: Sequence[Point]) -> list[Point]:
    """The first point on that side, from short moves to long ones."""
    refused = 0
    for point in _moves(starts, [v for v in variables([guard.value]) if v.dtype == "real"]):
        if not _stands(guard, side, point):
            continue
        if point in space:
            return [point]
        refused += 1
        if refused == _MOST_REFUSED:
            break
    return []


def _moves(starts: Sequence[Point], moved: Sequence[Node]) -> Iterator[Point]:
    """One variable moved by a step, and scaled by it: 1/8, 1/4, ..., 2**24."""
    for exponent, start, v in itertools.product(range(-3, 25), starts, moved):
        step, x = 2.0**exponent, start[v]
        for new in (x + step, x - step, x * step, x / step):
            yield start | {v: new}
