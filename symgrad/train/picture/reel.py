"""The frames of a film: weights by layer, and the decision surface, at epochs that are evenly chosen.

In: a model at the end of an epoch. Out: at most as many frames as wanted, however long the run is. Invariant: a frame
holds its own copies, of bounded size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.train.watching.layers import parameters_by_layer

CELLS, PANELS = 48, 8  # of a picture of weights along each axis; pictures
NOTHING = np.zeros((0, 0))


@dataclass(frozen=True, slots=True)
class Frame:
    """The weights after ``epoch`` epochs, a picture for each panel, and the surface (empty where there is none)."""

    epoch: int
    panels: tuple[np.ndarray, ...]
    surface: np.ndarray

    def looks_like(self, other: Frame) -> bool:
        """Whether the same is seen on both."""
        mine, theirs = (*self.panels, self.surface), (*other.panels, other.surface)
        return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(mine, theirs, strict=True))


@dataclass(slots=True)
class Reel:
    """Frames at every ``stride``-th epoch; there are never more than ``most``: the stride then doubles.

    >>> reel = Reel(stride=1, most=4)
    >>> for epoch in range(10):
    ...     reel.add(Frame(epoch, (), NOTHING))
    >>> [frame.epoch for frame in reel.frames]
    [0, 4, 8]
    """

    stride: int
    most: int
    frames: list[Frame] = field(default_factory=list)

    def wants(self, epoch: int) -> bool:
        """Whether that epoch is one of a frame."""
        return epoch % self.stride == 0

    def add(self, frame: Frame) -> None:
        """A frame, if its epoch is wanted or it is the first."""
        if self.frames and not self.wants(frame.epoch):
            return
        self.frames.append(frame)
        while len(self.frames) >= max(self.most, 2):  # one place is kept for the last
            self.stride *= 2
            self.frames = [f for i, f in enumerate(self.frames) if not i or self.wants(f.epoch)]

    def close(self, frame: Frame) -> None:
        """The last frame, where it shows something else than the one before."""
        if not self.frames or not frame.looks_like(self.frames[-1]):
            self.frames.append(frame)


def panels_of(model: Any) -> dict[str, list[str]]:
    """Title -> the parameters that it shows: a layer's matrix with its vectors below, else each by itself."""
    found: dict[str, list[str]] = {}
    weights = model.state_dict()
    for layer, names in parameters_by_layer(model.network).items():
        shown = [name for name in names if weights[name].size]
        if len({flat(weights[name]).shape[1] for name in shown}) == 1:
            found[layer] = shown
        else:
            found |= {name: [name] for name in shown}
    return dict(list(found.items())[:PANELS])


def picture(names: Sequence[str], weights: Mapping[str, np.ndarray]) -> np.ndarray:
    """The parameters below each other, a row of NaN between them; of large ones evenly chosen rows and columns.

    >>> picture(["W", "b"], {"W": np.eye(2), "b": np.ones(2)})
    array([[ 1.,  0.],
           [ 0.,  1.],
           [nan, nan],
           [ 1.,  1.]])
    """
    parts: list[np.ndarray] = []
    for name in names:
        parts += [np.full((1, 1), np.nan)] * bool(parts)
        whole = flat(weights[name])
        rows, columns = (_chosen(n) for n in whole.shape)
        parts.append(whole[np.ix_(rows, columns)])
    wide = parts[0].shape[1]
    return np.concatenate([np.broadcast_to(p, (len(p), wide)) for p in parts])


def flat(weights: np.ndarray) -> np.ndarray:
    """As a matrix: the last axis are the columns."""
    return weights.reshape(-1, weights.shape[-1] if weights.ndim else 1)


def _chosen(count: int) -> np.ndarray:
    return np.linspace(0, count - 1, min(count, CELLS)).round().astype(int)


__all__ = ["Frame", "Reel", "panels_of", "picture"]
