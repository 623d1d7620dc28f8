"""Numbers as small pictures of at most 256 colours, and those as PNG in text.

In: arrays, and what their colours mean. Out: index pictures, palettes, data URIs. Invariant: one scale for all frames.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

CLEAR = 0  # the index of what has no colour
_LEVELS = 64  # of a scale: bands that are too fine to be seen, and pack well
_SHARES = 12  # of a class


@dataclass(frozen=True, slots=True)
class Scale:
    """From ``low`` to ``high`` in the colours of matplotlib's map ``colours``."""

    low: float
    high: float
    colours: str = "RdBu"

    def indices(self, values: np.ndarray) -> np.ndarray:
        """1 to 64; what is not finite is clear."""
        with np.errstate(all="ignore"):
            share = (values / 2 - self.low / 2) / (self.high / 2 - self.low / 2)  # halves: no overflow
            level = np.clip(np.floor(share * _LEVELS), 0, _LEVELS - 1)
        return np.where(np.isfinite(values), level + 1, CLEAR).astype(np.uint8)

    def palette(self) -> np.ndarray:
        """Red, green, blue, alpha of each index."""
        return _palette(_map(self.colours)((np.arange(_LEVELS) + 0.5) / _LEVELS))


@dataclass(frozen=True, slots=True)
class Classes:
    """Class + share of it, 2.75 say: the class's colour, the paler the smaller its share."""

    count: int

    def indices(self, values: np.ndarray) -> np.ndarray:
        """As many for each class as there are shades."""
        with np.errstate(all="ignore"):
            which = np.floor(values) % self._different()
            shade = np.clip(np.floor((values - np.floor(values)) * _SHARES), 0, _SHARES - 1)
        return np.where(np.isfinite(values), which * _SHARES + shade + 1, CLEAR).astype(np.uint8)

    def palette(self) -> np.ndarray:
        shares = (np.arange(_SHARES) + 1) / _SHARES
        colours = np.array([_map("tab20" if self.count > 10 else "tab10")(i) for i in range(self._different())])
        shades = 1 - shares[None, :, None] * (1 - colours[:, None, :]) * 0.8
        return _palette(shades.reshape(-1, 4))

    def _different(self) -> int:
        return min(self.count, 20)


def _map(name: str) -> Any:
    from matplotlib import colormaps

    return colormaps[name]


def _palette(colours: np.ndarray) -> np.ndarray:
    """With the clear one before them."""
    return np.vstack([[0, 0, 0, 0], np.round(colours * 255)]).astype(np.uint8)


def symmetric(arrays: Sequence[np.ndarray]) -> Scale:
    """The scale of weights: as far below 0 as above."""
    found = [float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in arrays]
    most = max(found, default=0.0) or 1.0
    return Scale(-most, most)


def spanning(arrays: Sequence[np.ndarray]) -> Scale:
    """The scale of values: from the least to the largest."""
    finite = [a[np.isfinite(a)] for a in arrays]
    low = min((float(a.min()) for a in finite if a.size), default=0.0)
    high = max((float(a.max()) for a in finite if a.size), default=1.0)
    return Scale(low, high if high > low else low + 1.0)


def png(indices: np.ndarray, palette: np.ndarray) -> str:
    """The picture as base64."""
    from PIL import Image

    height, width = indices.shape
    image = Image.frombytes("P", (width, height), indices.tobytes())
    image.putpalette(palette[:, :3].tobytes())
    out = io.BytesIO()
    image.save(out, "png", optimize=True, transparency=CLEAR)
    return base64.b64encode(out.getvalue()).decode("ascii")


__all__ = ["Classes", "Scale", "png", "spanning", "symmetric"]
