"""LayerStatistics: per layer and epoch, the norm of the gradient, and the shares of saturated and of dead units."""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.errors import CallError, DeclarationError
from symgrad.train.objective import has_weights
from symgrad.train.source import Source
from symgrad.train.watching.hooks import Callback
from symgrad.train.watching.layers import Probe
from symgrad.train.watching.monitor import number

ROWS = 256  # of the sample


class LayerStatistics(Callback):
    """Log what happens inside the network: ``history.layers["hidden"]["gradient_norm"]`` has an entry for each epoch.

    Measured after each epoch on the same few rows (``rows`` of the training data, evenly chosen, or those of ``x`` and
    ``y``) by a compiled function of the graph that is trained; the training itself is the same to the bit.

    Maths:   gradient_norm = |dL/dtheta| over the layer's parameters; for an activation a = f(z), element by element:
             saturated = share of elements of all rows with abs(f'(z)) <= share max abs(f'),
             dead = share of units with f'(z) = 0 in every row
    Layers:  those of a stack; of any other model the parameters and its named tensors. What has no activation of
             single elements (linear, softmax) has the norm only.
    Raises:  DeclarationError for options that make no sense
    Source:  Glorot and Bengio 2010 (vanishing gradients, saturation); Glorot, Bordes and Bengio 2011 (a ReLU saturates
             at 0); Lu et al. 2019, "Dying ReLU and initialization"
    >>> LayerStatistics(rows=100).share
    0.05
    """

    def __init__(self, x: Any = None, y: Any = None, *, rows: int = ROWS, share: float = 0.05) -> None:
        super().__init__()
        if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)) or rows < 1:
            raise DeclarationError("rows is a whole number of 1 or more", ("given", repr(rows)[:40]))
        self.x, self.y, self.rows = x, y, int(rows)
        self.share = number("share", share, 0.0)
        self._data: Source | None = None

    def set_data(self, source: Source) -> None:
        """The rows that are learned from."""
        self._data = source

    def on_train_begin(self, logs: Any = None) -> None:
        model, source = self.model, self._data
        if self.x is not None:
            source = model.source(model.task(False), self.x, self.y, None)
        if source is None:
            raise CallError("LayerStatistics has no rows to measure on", fix="give it x and y, or let fit call it")
        task = model.task(has_weights(source.variables, model.task(False)))
        self._sample = source.sample(self.rows)
        self._probe = Probe(model, task)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        layers = self.model.history.layers
        for layer, told in self._probe.look(self._sample, self.model.state_dict(), self.share).items():
            for name, value in told.items():
                layers.setdefault(layer, {}).setdefault(name, []).append(value)

    def get_state(self) -> dict[str, Any]:
        return {"layers": self.model.history.layers}

    def set_state(self, state: dict[str, Any]) -> None:
        self.model.history.layers = state["layers"]
