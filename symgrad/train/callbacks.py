"""Callbacks under Keras's names."""

from __future__ import annotations

from typing import Any


class Callback:
    """Somebody who is told of a run; every hook may be overridden. ``model`` is the network."""

    def __init__(self) -> None:
        self.model: Any = None
        self.params: dict[str, Any] = {}

    def set_model(self, model: Any) -> None:
        """Who is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """How: epochs, steps, rows."""
        self.params = params

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first step."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last step, whatever ended the run."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch's first batch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch's last batch; ``logs`` has loss and metrics, with ``val_`` those of the validation."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch; ``logs`` are those of the epoch so far."""


def has_hook(callback: Any, name: str) -> bool:
    """Whether the callback does something at that moment."""
    own = getattr(type(callback), name, None)
    return own is not None and own is not getattr(Callback, name, None)
