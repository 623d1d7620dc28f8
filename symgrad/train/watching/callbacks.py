"""Callbacks under Keras's names, with its defaults and meanings.

In: the moments of a run (``hooks``). Out: whatever each does there: an end, another learning rate, a file.
"""

from __future__ import annotations

import csv
import difflib
import inspect
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symgrad.errors import CallError, DeclarationError
from symgrad.train.watching.adjust import set_rate
from symgrad.train.watching.checkpoint import ModelCheckpoint
from symgrad.train.watching.film import Film
from symgrad.train.watching.hooks import HOOKS, Callback
from symgrad.train.watching.monitor import EarlyStopping, ReduceLROnPlateau
from symgrad.train.watching.statistics import LayerStatistics

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "Film",
    "LambdaCallback",
    "LayerStatistics",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "TerminateOnNaN",
]


class TerminateOnNaN(Callback):
    """A step whose loss or gradient is NaN or infinite ends the run without an error.

    The step is not taken; ``fault`` tells what was not finite, ``epoch`` and ``batch`` where (from 0).

    >>> TerminateOnNaN().fault is None
    True
    """

    takes_faults = True
    fault: Any = None
    epoch: int | None = None
    batch: int | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.fault = self.epoch = self.batch = None

    def on_fault(self, epoch: int, batch: int, fault: Any) -> None:
        """The step that was not taken."""
        self.epoch, self.batch, self.fault = epoch, batch, fault
        self.model.stop_training = True


class LearningRateScheduler(Callback):
    """The rate of each epoch is ``schedule(epoch, rate)``, or ``schedule(epoch)``; logged as ``learning_rate``.

    Raises:  DeclarationError where the optimizer has a schedule of its own, or the result is no rate

    >>> LearningRateScheduler(lambda epoch, rate: rate / 2).schedule(0, 1.0)
    0.5
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise DeclarationError("a schedule is a function of the epoch", ("given", type(schedule).__name__))
        self.schedule = schedule

    def on_train_begin(self, logs: Any = None) -> None:
        set_rate(self.model, self.model.learning_rate)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        rate = self.model.learning_rate
        set_rate(self.model, self.schedule(epoch, rate) if _takes_two(self.schedule) else self.schedule(epoch))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if logs is not None:
            logs["learning_rate"] = float(self.model.learning_rate)


def _takes_two(function: Callable[..., Any]) -> bool:
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return True
    return True


class LambdaCallback(Callback):
    """Functions as hooks: ``LambdaCallback(on_epoch_end=lambda epoch, logs: ...)``.

    Raises:  CallError for an unknown hook
    >>> LambdaCallback(on_train_end=lambda logs: None).on_train_end({})
    """

    def __init__(self, **hooks: Callable[..., Any] | None) -> None:
        super().__init__()
        for name, function in hooks.items():
            if name not in HOOKS:
                close = difflib.get_close_matches(name, HOOKS, 1)
                raise CallError(f"there is no hook {name}", fix=f"did you mean {close[0]}?" if close else "")
            if function is not None:
                setattr(self, name, function)


class CSVLogger(Callback):
    """A line for each epoch in a CSV file: its number, then what is logged.

    ``append=True`` goes on with a file that is there. A resumed run goes on after the epoch that it resumes.
    A file that cannot be written is a warning; training goes on.

    >>> CSVLogger("log.csv").separator
    ','
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename, self.separator, self.append = Path(filename), separator, append
        self._columns: list[str] | None = None
        self._bytes: int | None = None  # of the file, as far as it is this run's

    def on_train_begin(self, logs: Any = None) -> None:
        self._columns = self._bytes = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        try:
            self._write({"epoch": epoch, **(logs or {})})
        except OSError as error:
            warnings.warn(f"CSVLogger: {self.filename} is not written: {error.strerror}", RuntimeWarning, stacklevel=2)

    def _write(self, row: dict[str, Any]) -> None:
        mode = "r+" if self._bytes is not None else "a" if self.append else "w"
        with open(self.filename, mode, newline="", encoding="utf-8") as file:
            if self._bytes is not None:
                file.seek(self._bytes)
                file.truncate()
            is_new = self._columns is None
            self._columns = self._columns or list(row)
            writer = csv.DictWriter(file, self._columns, "NA", "ignore", delimiter=self.separator)
            if is_new and not file.tell():
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            self._bytes = file.tell()

    def get_state(self) -> dict[str, Any]:
        return {"columns": self._columns, "bytes": self._bytes}

    def set_state(self, state: dict[str, Any]) -> None:
        self._columns, self._bytes = state["columns"], state["bytes"]
        if self._bytes is not None and not self.filename.exists():
            self._columns = self._bytes = None


def __getattr__(name: str) -> Any:
    close = difflib.get_close_matches(name, __all__, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise AttributeError(f"there is no callback {name!r}{hint}")
