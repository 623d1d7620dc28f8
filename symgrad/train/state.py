"""What training changes: parameters, optimizer slots and running statistics, as arrays that are updated in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np


class State:
    """Arrays by name. A scalar lives in an array of one element; ``shapes`` are the declared ones.

    >>> state = State(["W"], [(2,)], [np.zeros(2)])
    >>> kept = state.copied()
    >>> state.arrays[0][:] = 1.0
    >>> state.restore(kept)
    >>> state["W"]
    array([0., 0.])
    """

    def __init__(self, names: Sequence[str], shapes: Sequence[tuple[int, ...]], arrays: Sequence[np.ndarray]) -> None:
        self.names = tuple(names)
        self.shapes = tuple(shapes)
        self.arrays = [np.array(a, order="C").reshape(s or (1,)) for a, s in zip(arrays, shapes, strict=True)]
        self._place = {name: i for i, name in enumerate(self.names)}

    @classmethod
    def joined(cls, *states: State) -> State:
        """One state of several: the same arrays, not copies."""
        whole = cls([], [], [])
        whole.names = tuple(n for s in states for n in s.names)
        whole.shapes = tuple(shape for s in states for shape in s.shapes)
        whole.arrays = [a for s in states for a in s.arrays]
        whole._place = {name: i for i, name in enumerate(whole.names)}
        return whole

    def __getitem__(self, name: str) -> np.ndarray:
        """A copy of one array, in its declared shape."""
        i = self._place[name]
        return self.arrays[i].reshape(self.shapes[i]).copy()

    def __contains__(self, name: str) -> bool:
        return name in self._place

    def set(self, name: str, value: np.ndarray) -> None:
        """Write one array over."""
        i = self._place[name]
        self.arrays[i][...] = np.asarray(value).reshape(self.arrays[i].shape)

    def copied(self, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
        """Copies of all arrays (or of some), by name."""
        return {name: self[name] for name in (self.names if names is None else names)}

    def copy_into(self, kept: Sequence[np.ndarray]) -> None:
        """Write every array into memory that is there."""
        for mine, theirs in zip(self.arrays, kept, strict=True):
            np.copyto(theirs, mine)

    def restore(self, kept: Mapping[str, np.ndarray] | Sequence[np.ndarray]) -> None:
        """Write kept arrays back, without making new ones."""
        if isinstance(kept, Mapping):
            for name, value in kept.items():
                self.set(name, value)
            return
        for mine, theirs in zip(self.arrays, kept, strict=True):
            np.copyto(mine, theirs)

    def not_finite(self) -> str | None:
        """The name of the first array with NaN or infinity in it."""
        for name, a in zip(self.names, self.arrays, strict=True):
            if not np.isfinite(a).all():
                return name
        return None
