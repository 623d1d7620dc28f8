"""ModelCheckpoint: the run in a file, again and again, so that a killed process loses one interval at most."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symgrad.errors import DeclarationError, UnsupportedError
from symgrad.train import snapshot
from symgrad.train.run import Run
from symgrad.train.watching.monitor import Monitor, number


class ModelCheckpoint(Monitor):
    """Write the whole state of the run to ``filepath``: ``fit(resume=filepath)`` goes on from it, bit for bit.

    ``save_freq`` is "epoch" or a number of seconds. The file before the newest is kept as ``<name>.previous``. With
    ``save_best_only=True`` the run at the best value of ``monitor`` is written beside it, as ``<stem>.best.npz``.
    A file that cannot be written is a warning, and training goes on.

    Raises:  DeclarationError for options that make no sense
    >>> ModelCheckpoint("run.npz", save_freq=60).save_freq
    60.0
    """

    def __init__(
        self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
        mode: str = "auto", save_freq: Any = "epoch", initial_value_threshold: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, 0.0)
        self.filepath, self.save_best_only = Path(filepath), bool(save_best_only)
        if "{" in self.filepath.name:
            fix = "write one name: the newest state is in it, the one before in <name>.previous"
            raise DeclarationError("ModelCheckpoint fills in no epoch", ("filepath", repr(str(filepath))[:40]), fix=fix)
        if isinstance(save_freq, str) and save_freq != "epoch":
            raise DeclarationError('save_freq is "epoch" or a number of seconds', ("given", repr(save_freq)[:40]))
        self.save_freq = save_freq if save_freq == "epoch" else number("save_freq", save_freq, 0)
        self.best = None if initial_value_threshold is None else number("threshold", initial_value_threshold)
        self.best_path = self.filepath.with_name(f"{self.filepath.stem}.best{self.filepath.suffix or '.npz'}")
        self._last, self._is_best = 0.0, False

    @property
    def is_passive(self) -> bool:
        """Whether it does without Python at the end of each epoch."""
        return self.save_freq != "epoch" and not self.save_best_only

    def on_train_begin(self, logs: Any = None) -> None:
        if self.model.optimizer.full_batch:
            raise UnsupportedError(
                f"{self.model.optimizer.name} has no step to go on from", fix="take Adam, or save at the end"
            )
        self._last, self._is_best = time.monotonic(), False
        if self.save_best_only:
            best = self.best
            super().on_train_begin(logs)
            self.best = best

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if not self.save_best_only:
            return
        value = self.value(logs or {})
        if self.improves(value, self.best):
            self.best = value
            self._is_best = True

    def on_settled(self, run: Run, callbacks: Sequence[Any]) -> None:
        """After a slice, when everybody has been told of its epochs."""
        step, steps = run.clock.step, run.course.per_epoch
        is_due = time.monotonic() - self._last >= self.save_freq if self.save_freq != "epoch" else not step % steps
        if self._is_best:
            self._is_best = False
            self._write(self.best_path, run, callbacks)
        if is_due or step == steps * self.params["epochs"]:
            self._write(self.filepath, run, callbacks)
            self._last = time.monotonic()

    def _write(self, path: Path, run: Run, callbacks: Sequence[Any]) -> None:
        try:
            snapshot.write(path, self.model, run, callbacks)
        except OSError as error:
            why = f"ModelCheckpoint: {path} is not written ({error.strerror or error}); training goes on"
            warnings.warn(why, RuntimeWarning, stacklevel=2)
