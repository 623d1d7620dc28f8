"""What training logged: one number for each epoch and quantity."""

from __future__ import annotations

from typing import Any


class History:
    """``history["val_loss"]`` is a list with an entry for each epoch, ``epoch`` their numbers.

    >>> h = History()
    >>> h.append(0, {"loss": 0.5})
    >>> h.history
    {'loss': [0.5]}
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
