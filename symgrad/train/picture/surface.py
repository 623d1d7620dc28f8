"""What a network of two features says over the plane: its decision surface.

In: a model and the rows that it learns from. Out: ``Plane``: where to look, what the numbers mean, the rows as points;
``Plane.look`` gives the numbers, one for each place of a grid, the top row first. Invariant: the model is only asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.train.source import Source

SIDE = 64  # places of the grid along each axis
POINTS = 400  # rows that are drawn
_MARGIN = 0.08  # of the data's width, around them


@dataclass(frozen=True, slots=True)
class Plane:
    """``kind`` is "share" (of class 1, from 0 to 1), "classes" (class + its share), or "value" (of the first output).

    ``squash`` is what makes shares of the model's outputs, where they are logits.
    """

    kind: str
    squash: bool
    extent: tuple[float, float, float, float]  # left, right, bottom, top
    points: np.ndarray
    targets: np.ndarray

    def look(self, model: Any) -> np.ndarray:
        """The numbers on the grid."""
        left, right, bottom, top = self.extent
        x, y = (np.linspace(a, b, SIDE + 1)[:-1] + (b - a) / (2 * SIDE) for a, b in ((left, right), (top, bottom)))
        said = np.asarray(model.predict(np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)), float)
        said = said.reshape(SIDE * SIDE, -1)
        with np.errstate(all="ignore"):
            return self._read(said).reshape(SIDE, SIDE)

    def _read(self, said: np.ndarray) -> np.ndarray:
        if self.kind == "value":
            return said[:, 0]
        if self.kind == "share":
            return 1 / (1 + np.exp(-said[:, 0])) if self.squash else said[:, 0]
        if self.squash:
            said = np.exp(said - said.max(axis=1, keepdims=True))
            said = said / said.sum(axis=1, keepdims=True)
        best = np.where(np.isfinite(said).all(axis=1), said.argmax(axis=1), np.nan)
        return best + np.clip(said.max(axis=1), 0.0, 0.99)


def plane(model: Any, source: Source | None) -> Plane | None:
    """The plane of a model that takes two real features and gives a number or a class; None for any other."""
    inputs, output = model.network.inputs, model.network.output
    fits = len(inputs) == 1 and inputs[0].shape[1:] == (2,) and inputs[0].dtype == "real"
    many = output.shape[1] if len(output.shape) == 2 else 1
    if source is None or not fits or len(output.shape) > 2 or not isinstance(many, int):
        return None
    points, *rest = source.sample(POINTS)
    is_class = rest and (rest[0].dtype.kind == "i" or (rest[0].ndim == 2 and many > 1 and _is_one_hot(rest[0])))
    targets = rest[0] if rest else np.zeros(len(points))
    targets = targets.argmax(axis=1) if targets.ndim == 2 and targets.shape[1] > 1 and is_class else targets
    task, is_activated = model.task(False), model.network.logits is not None
    takes_shares = task.of_probabilities or task.classes is not None
    squash = takes_shares and not is_activated and not task.caution  # the outputs are logits
    is_share = takes_shares or is_activated
    kind = "classes" if many > 1 and is_class else "share" if many == 1 and is_share else "value"
    low, high = points.min(axis=0), points.max(axis=0)
    room = np.where(high > low, high - low, 1.0) * _MARGIN
    (left, bottom), (right, top) = (low - room).tolist(), (high + room).tolist()
    return Plane(kind, squash, (left, right, bottom, top), points, targets.reshape(len(points), -1)[:, 0])


def _is_one_hot(y: np.ndarray) -> bool:
    return bool(np.isin(y, (0.0, 1.0)).all() and (y.sum(axis=1) == 1).all())


__all__ = ["Plane", "plane"]
