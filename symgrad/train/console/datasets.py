"""TABLE: data that are drawn, classes and regressions in the plane, after the well-known playground's shapes.

In: number of rows, noise, seed. Out: points (rows, 2), without noise from -6 to 6, and labels 0 and 1 or numbers.
Equal arguments give equal arrays. Noise is a share from 0 to 1 of what hides the shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError
from symgrad.nn.rows import find

RADIUS = 5.0
_BUMPS = ((-4.0, 2.5, 1.0), (0.0, 2.5, -1.0), (4.0, 2.5, 1.0), (-4.0, -2.5, -1.0), (0.0, -2.5, 1.0), (4.0, -2.5, -1.0))
_Pair = tuple[np.ndarray, np.ndarray]


def _circle(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """A disk of radius R/2 (label 1) in a ring from 7R/10 to R (label 0); the noise moves points by up to noise R."""
    label = np.arange(n) % 2
    r = np.where(label == 1, rng.uniform(0.0, 0.5, n), rng.uniform(0.7, 1.0, n)) * RADIUS
    phi = rng.uniform(0.0, 2 * np.pi, n)
    points = np.stack([r * np.cos(phi), r * np.sin(phi)], axis=1)
    return points + noise * RADIUS * rng.uniform(-1.0, 1.0, (n, 2)), label


def _xor(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """Label 1 where x1 x2 > 0; points keep 0.3 away from the axes, then the noise moves them by up to noise R."""
    clean = rng.uniform(0.3, RADIUS, (n, 2)) * rng.choice([-1.0, 1.0], (n, 2))
    label = (clean.prod(axis=1) > 0).astype(int)
    return clean + noise * RADIUS * rng.uniform(-1.0, 1.0, (n, 2)), label


def _gauss(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """Two normal clouds around (2, 2) (label 1) and (-2, -2), of variance 1/2 + 7 noise."""
    label = np.arange(n) % 2
    centre = 4.0 * label[:, None] - 2.0
    return centre + np.sqrt(0.5 + 7.0 * noise) * rng.normal(size=(n, 2)), label


def _spiral(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """Two arms r = R t, phi = 7 pi t / 2 (+ pi), t from 0 to 1; the noise moves points by up to noise R / 5."""
    label = np.arange(n) % 2
    t = (np.arange(n) // 2 + 0.5) / max(1, (n + 1) // 2)
    phi = 3.5 * np.pi * t + np.pi * label
    points = RADIUS * t[:, None] * np.stack([np.sin(phi), np.cos(phi)], axis=1)
    return points + 0.2 * noise * RADIUS * rng.uniform(-1.0, 1.0, (n, 2)), label


def _plane(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """y = (x1 + x2) / 12, and normal noise of standard deviation ``noise``."""
    points = rng.uniform(-6.0, 6.0, (n, 2))
    return points, points.sum(axis=1) / 12 + noise * rng.normal(size=n)


def _bumps(n: int, noise: float, rng: np.random.Generator) -> _Pair:
    """Six cones of height 1 or -1 and radius 2, y = sum_k s_k max(0, 1 - |x - c_k| / 2), and normal noise."""
    points = rng.uniform(-6.0, 6.0, (n, 2))
    y = np.zeros(n)
    for a, b, sign in _BUMPS:
        y += sign * np.maximum(0.0, 1.0 - np.hypot(points[:, 0] - a, points[:, 1] - b) / 2.0)
    return points, y + noise * rng.normal(size=n)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row: name, whether it is drawn in classes, and what draws it."""

    name: str
    has_classes: bool
    draw: Callable[[int, float, np.random.Generator], _Pair]


TABLE = [
    Drawn("circle", True, _circle),
    Drawn("xor", True, _xor),
    Drawn("gauss", True, _gauss),
    Drawn("spiral", True, _spiral),
    Drawn("plane", False, _plane),
    Drawn("gauss-regression", False, _bumps),
]
DRAWN = {row.name: row for row in TABLE}


def generate(name: str, rows: int = 500, noise: float = 0.0, seed: int = 0) -> _Pair:
    """Points and targets of a data set that is drawn: circle, xor, gauss, spiral, plane, gauss-regression.

    Shapes:  (rows, 2) and (rows,)
    Raises:  DeclarationError for an unknown name, a number of rows below 1, noise outside 0 to 1

    >>> x, y = generate("xor", rows=4, seed=1)
    >>> bool(((x.prod(axis=1) > 0) == y).all())
    True
    """
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
        raise DeclarationError("rows is a whole number of 1 or more", ("given", repr(rows)[:40]))
    if not 0.0 <= noise <= 1.0:
        raise DeclarationError("noise is a share from 0 to 1", ("given", repr(noise)[:40]))
    row: Any = find("data set", name, DRAWN)
    return row.draw(rows, float(noise), np.random.default_rng(seed))


__all__ = ["DRAWN", "TABLE", "Drawn", "generate"]
