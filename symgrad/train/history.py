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

    def append(self, epoch: int, logs: dict[str, float]) -> None:
        """Add an epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))

    def plot(self, names: str | Sequence[str] = "loss", ax: Any = None) -> Any:
        """Curves over the epochs: the loss (or other quantities), solid, and of the validation, dashed; the axes.

        Raises:  DeclarationError for a quantity that was not logged; CallError where matplotlib is not installed
        """
        try:
            from matplotlib import pyplot
        except ImportError:
            raise CallError("a plot needs matplotlib", fix="pip install 'symgrad[train]'") from None
        wanted = [names] if isinstance(names, str) else list(names)
        curves = {name: find("logged quantity", name, self.history) for name in wanted}
        ax = pyplot.subplots()[1] if ax is None else ax
        for name, values in curves.items():
            (line,) = ax.plot(self._numbers(values), values, label=name)
            other = self.history.get(f"val_{name}")
            if other:
                ax.plot(self._numbers(other), other, "--", color=line.get_color(), label=f"val_{name}")
        ax.set_xlabel("epoch")
        ax.set_ylabel(wanted[0] if len(wanted) == 1 else "")
        ax.legend()
        return ax

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
