"""The figure of a training: decision surface, curves and weights, drawn by matplotlib as one SVG.

In: a history, frames, a plane. Out: ``Drawing``: the SVG of the last frame, the pictures of all frames by the id of
their place in it, and how far the mark of the epoch moves in each. Invariant: the same input gives the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import CallError
from symgrad.train.history import History
from symgrad.train.picture.raster import Classes, Scale, png, spanning, symmetric
from symgrad.train.picture.reel import Frame
from symgrad.train.picture.surface import Plane

INK = "#010203"  # stands for the page's own colour of text
_WIDE, _HEAD, _ROW = 10.5, 4.4, 2.0  # inches: the figure, its upper part, a row of weights
_ACROSS = 4  # panels of weights in a row
_STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "symgrad", "image.composite_image": False, "text.parse_math": False,
    "figure.dpi": 72, "font.size": 10, "axes.titlesize": 10, "axes.facecolor": "none", "legend.facecolor": "none",
    "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8,
    "legend.labelcolor": INK,
    "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "axes.titlecolor": INK, "xtick.color": INK,
    "ytick.color": INK,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawing:
    """``pictures``: place -> a PNG in base64 for each frame; ``marks``: place -> a shift for each frame."""

    svg: str
    pictures: Mapping[str, Sequence[str]]
    marks: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Film:
    """What is drawn: frames, the titles of their panels, the plane of their surfaces."""

    frames: Sequence[Frame]
    titles: Sequence[str]
    plane: Plane | None
    features: tuple[str, str] = ("x1", "x2")
    classes: int = 2


def plain(text: str, most: int = 60) -> str:
    """Text of any script on one line, of bounded length, without what has no sign of its own.

    >>> plain("naïve\\n" + "x" * 9, most=8)
    'naïve xx…'
    """
    found = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in text[: 4 * most])
    return found if len(found) <= most else found[:most] + "\N{HORIZONTAL ELLIPSIS}"


def needs_matplotlib() -> None:
    """Told before a training, not after it.

    Raises:  CallError where matplotlib is not installed
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise CallError("a film needs matplotlib", fix="pip install 'symgrad[train]'") from None


def draw(film: Film, history: History) -> Drawing:
    """The figure; text and axes have the colour of the page."""
    from matplotlib import style

    with warnings.catch_warnings(), style.context(["default", _STYLE], after_reset=True):
        warnings.filterwarnings("ignore", message=".*missing from.*font", category=UserWarning)
        return _drawn(film, history)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A figure on which axes are placed in inches from its upper left corner (a solver's places vary in a last bit)."""

    figure: Any
    wide: float
    high: float

    def axes(self, left: float, top: float, wide: float, high: float) -> Any:
        return self.figure.add_axes(
            (left / self.wide, 1 - (top + high) / self.high, wide / self.wide, high / self.high)
        )


def _drawn(film: Film, history: History) -> Drawing:
    from matplotlib.figure import Figure

    curves = _curves(history)
    head = _HEAD if film.plane is not None or curves else 0.0
    high = head + _ROW * -(-len(film.titles) // _ACROSS)
    sheet = _Sheet(Figure(figsize=(_WIDE, high)), _WIDE, high)
    pictures: dict[str, Sequence[str]] = {}
    if film.plane is not None:
        pictures["surface"] = _surface(film, film.plane, sheet.axes(0.75, 0.3, 4.9, 3.5))
    marks = _draw_curves(curves, history, film, sheet)
    each = (_WIDE - 0.2) / _ACROSS
    for i, title in enumerate(film.titles):
        down, right = divmod(i, _ACROSS)
        place = sheet.axes(0.2 + right * each, head + down * _ROW + 0.35, each - 0.3, _ROW - 0.45)
        pictures[f"weights{i}"] = _weights(film, i, title, place)
    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    sheet.figure.savefig(out, format="svg", metadata=nothing, transparent=True)
    shifts = {f"mark{i}": _shifts(ax, film.frames) for i, ax in enumerate(marks)}
    return Drawing(_inline(out.getvalue()), pictures, shifts)


def _curves(history: History) -> list[list[str]]:
    """A panel for the loss, one for the other quantities, one for each norm of layers."""
    logged = [name for name in history.history if not name.startswith("val_")]
    others = [name for name in logged if name not in ("loss", "learning_rate")]
    panels = [[name for name in logged if name == "loss"], others, history.layer_quantities()[:1]]
    return [panel for panel in panels if panel]


def _draw_curves(curves: Sequence[Sequence[str]], history: History, film: Film, sheet: _Sheet) -> list[Any]:
    """The panels below each other, each with a line at the epoch that is shown."""
    from matplotlib import ticker

    left = 0.75 if film.plane is None else 6.65
    each = 3.7 / max(1, len(curves))
    axes = [sheet.axes(left, 0.1 + i * each, _WIDE - left - 0.2, each - 0.2) for i in range(len(curves))]
    last = max([1, *(frame.epoch for frame in film.frames), *(epoch + 1 for epoch in history.epoch)])
    for i, (names, ax) in enumerate(zip(curves, axes, strict=True)):
        history.draw(names, ax)
        ax.set_xlim(0, last)
        ax.axvline(film.frames[-1].epoch, color="#d95f02", linewidth=1.2, gid=f"mark{i}", clip_on=False)
        ax.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
        if ax.get_yscale() == "log":  # matplotlib's own labels are typeset
            ax.yaxis.set_major_formatter(ticker.LogFormatter())
            ax.yaxis.set_minor_formatter(ticker.LogFormatter())
        ax.tick_params(labelbottom=ax is axes[-1])
        ax.set_xlabel("epoch" if ax is axes[-1] else "")
    return axes


def _shifts(ax: Any, frames: Sequence[Frame]) -> list[float]:
    """How far the mark is moved from where the last frame has it."""
    at = [ax.transData.transform((frame.epoch, 0.5))[0] for frame in frames]
    return [round(float(x - at[-1]), 2) for x in at]


def _surface(film: Film, plane: Plane, ax: Any) -> list[str]:
    values = [frame.surface for frame in film.frames]
    scale = _scale_of(film, plane, values)
    images = _show(values, scale, ax, "surface", extent=plane.extent)
    x, y = plane.points.T
    inside = scale.indices(plane.targets + 0.99 if plane.kind == "classes" else plane.targets)
    colours = scale.palette()[inside] / 255
    ax.scatter(x, y, s=14, c=colours, edgecolors="#ffffff", linewidths=0.6)
    ax.set_xlabel(plain(film.features[0]))
    ax.set_ylabel(plain(film.features[1]))
    ax.set_title(_meaning(plane, scale))
    return images


def _meaning(plane: Plane, scale: Any) -> str:
    if plane.kind == "classes":
        return "class, paler where less certain"
    what = "share of class 1" if plane.kind == "share" else "output"
    return f"{what}: {scale.low:.3g} red, {scale.high:.3g} blue"


def _scale_of(film: Film, plane: Plane, values: Sequence[np.ndarray]) -> Scale | Classes:
    if plane.kind == "classes":
        return Classes(film.classes)
    return Scale(0.0, 1.0) if plane.kind == "share" else spanning([*values, plane.targets])


def _weights(film: Film, i: int, title: str, ax: Any) -> list[str]:
    values = [frame.panels[i] for frame in film.frames]
    scale = symmetric(values)
    images = _show(values, scale, ax, f"weights{i}", extent=None)
    rows, columns = values[-1].shape
    ax.set_box_aspect(min(max(rows / columns, 0.25), 3.0))
    ax.set_anchor("NW")
    ax.set_axis_off()
    ax.set_title(f"{plain(title, 30)}: \N{PLUS-MINUS SIGN}{scale.high:.2g}", loc="left")
    return images


def _show(values: Sequence[np.ndarray], scale: Scale | Classes, ax: Any, name: str, extent: Any) -> list[str]:
    """The last picture is put in the figure, under that id; all of them are given back."""
    palette = scale.palette()
    last = palette[scale.indices(values[-1])]
    ax.imshow(last, interpolation="none", aspect="auto", extent=extent, gid=name)
    return [png(scale.indices(v), palette) for v in values]


def _inline(svg: str) -> str:
    """Without what a page has already, as wide as its place, in the page's colour."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(<svg\b[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg\b[^>]*?) width="[^"]*"', r'\1 role="img" aria-label="the training"', svg, count=1)
    return svg.replace(INK, "currentColor")


__all__ = ["Drawing", "Film", "draw", "needs_matplotlib", "plain"]
