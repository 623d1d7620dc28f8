"""Which positions of an axis a slice reads, and whether they are there."""

from __future__ import annotations

import numpy as np

from symgrad.errors import IndexRangeError
from symgrad.ir.types import AnySize


def room(count: AnySize, whole: AnySize, start: AnySize, step: int) -> list[AnySize]:
    """What must be 0 or more for start, start + step, ... (``count`` of them) to lie in an axis of size ``whole``.

    An empty slice may start where the axis ends.
    """
    last = start + step * (count - 1)
    if step > 0:
        return [count, start, whole - 1 - last, *([whole - start] if step > 1 else [])]
    return [count, whole - 1 - start, last, *([start + 1] if step < -1 else [])]


def positions(sizes: tuple, whole: tuple, start: tuple, step: tuple) -> tuple[np.ndarray, ...]:
    """The positions that a slice reads on every axis, for NumPy.

    Raises:  IndexRangeError where one is outside
    """
    for axis, cut in enumerate(zip(sizes, whole, start, step, strict=True)):
        if any(int(spare) < 0 for spare in room(*cut)):  # type: ignore[arg-type]
            count, n, first, by = cut
            text = f"a slice from {first} to {first + by * count} is outside axis {axis} of size {n}"
            raise IndexRangeError(text, ("sizes", str(tuple(map(int, whole)))))
    return tuple(np.arange(n) * k + a for a, n, k in zip(start, sizes, step, strict=True))
