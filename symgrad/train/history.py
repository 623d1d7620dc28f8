"""What training logged: one number for each epoch and quantity."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from typing import Any

from symgrad.errors import CallError
from symgrad.nn.rows import find


class History:
    """``history["val_loss"]`` is a list with an entry for each epoch, ``epoch`` their numbers.

    ``layers["hidden"]["gradient_norm"]`` is such a list too, where a LayerStatistics was among the callbacks.

    >>> h = History()
    >>> h.append(0, {"loss": 0.5})
    >>> h.history
    {'loss': [0.5]}
    >>> h
    <History: 1 epoch, loss 0.5>
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self.params: dict[str, Any] = {}
        self.layers: dict[str, dict[str, list[float]]] = {}

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        """Add an epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))

    def plot(self, names: str | Sequence[str] = "loss", ax: Any = None) -> Any:
        """Curves over the epochs: the loss (or other quantities), solid, and of the validation, dashed; the axes.

        A quantity of layers (``gradient_norm``, ``saturated``, ``dead``, where LayerStatistics has logged them) has a
        panel of its own with a curve for each layer; several panels are a list of axes.

        Raises:  DeclarationError for a quantity that was not logged; CallError where matplotlib is not installed, or
                 for one ``ax`` and several panels
        """
        try:
            from matplotlib import pyplot
        except ImportError:
            raise CallError("a plot needs matplotlib", fix="pip install 'symgrad[train]'") from None
        panels = self._panels([names] if isinstance(names, str) else list(names))
        if ax is not None and len(panels) > 1:
            raise CallError(f"one ax, but {len(panels)} panels", fix="leave ax out, or plot one panel at a time")
        axes = [ax] if ax is not None else list(pyplot.subplots(len(panels), squeeze=False, sharex=True)[1][:, 0])
        for panel, place in zip(panels, axes, strict=True):
            self.draw(panel, place)
            place.set_xlabel("epoch" if place is axes[-1] else "")
        return axes[0] if len(axes) == 1 else axes

    def _panels(self, wanted: list[str]) -> list[list[str]]:
        """What is drawn together: the logged quantities, and each quantity of layers by itself."""
        by_layer = self.layer_quantities()
        for name in wanted:
            find("logged quantity", name, dict.fromkeys([*self.history, *by_layer]))
        together = [name for name in wanted if name in self.history]
        return [together] * bool(together) + [[n] for n in wanted if n not in self.history]

    def layer_quantities(self) -> list[str]:
        """The names of what is logged of layers."""
        return list(dict.fromkeys(name for told in self.layers.values() for name in told))

    def draw(self, names: Sequence[str], ax: Any) -> None:
        """The curves of one panel."""
        for name in names:
            if name not in self.history:
                self._draw_layers(name, ax)
                continue
            (line,) = ax.plot(self._numbers(self.history[name]), self.history[name], label=name)
            if other := self.history.get(f"val_{name}"):
                ax.plot(self._numbers(other), other, "--", color=line.get_color(), label=f"val_{name}")
        ax.set_ylabel(names[0] if len(names) == 1 else "")
        ax.legend()

    def _draw_layers(self, name: str, ax: Any) -> None:
        for layer, told in self.layers.items():
            if name in told:
                ax.plot(self._numbers(told[name]), told[name], label=layer)
        if name == "gradient_norm" and any(v > 0 for told in self.layers.values() for v in told.get(name, ())):
            ax.set_yscale("log")

    def _numbers(self, values: Sequence[float]) -> list[int]:
        """Epochs from 1, of a quantity that may have been logged from some epoch on."""
        return [epoch + 1 for epoch in self.epoch[len(self.epoch) - len(values) :]]

    def __repr__(self) -> str:
        count = len(self.epoch)
        last = "".join(f", {name} {values[-1]:.4g}" for name, values in self.history.items())
        return f"<History: {count} epoch{'s' * (count != 1)}{last}>"

    def _repr_html_(self) -> str:
        """A table: first and last value of each quantity, the least and the largest with their epochs."""
        head = "".join(f"<th>{h}</th>" for h in ("", "first", "last", "least", "largest"))
        rows = "".join(self._row(name, values) for name, values in self.history.items())
        return f"<table><caption>{len(self.epoch)} epochs</caption><tr>{head}</tr>{rows}</table>"

    def _row(self, name: str, values: list[float]) -> str:
        placed = [(v, n) for v, n in zip(values, self._numbers(values), strict=True) if math.isfinite(v)]
        ends = [f"{v:.4g} (epoch {n})" for v, n in ((min(placed), max(placed)) if placed else ())] or ["-", "-"]
        cells = [html.escape(name), f"{values[0]:.4g}", f"{values[-1]:.4g}", *ends]
        return "<tr>" + "".join(f"<td>{c}</td>" for c in cells) + "</tr>"
