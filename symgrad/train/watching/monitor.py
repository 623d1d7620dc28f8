"""Callbacks that follow one logged quantity: EarlyStopping, ReduceLROnPlateau.

In: the logs of each epoch. Out: an end of the run, another learning rate, the best weights. Invariant: NaN and infinity
are never an improvement, so never best.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from symgrad.errors import DeclarationError
from symgrad.ir.show import printable
from symgrad.nn.losses import LOSSES
from symgrad.train.rules.metrics import METRICS
from symgrad.train.watching.adjust import set_rate
from symgrad.train.watching.hooks import Callback

UPWARD = ("accuracy", "acc", "auc", "r2", "precision", "recall")  # what is better when it is larger
MODES = ("auto", "min", "max")


class Monitor(Callback):
    """A quantity, which way is better, and the best value so far."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        if mode not in MODES:
            raise DeclarationError(f"mode is one of {', '.join(MODES)}", ("given", repr(mode)[:40]))
        self.monitor, self.mode = str(monitor), mode
        self.min_delta = abs(number("min_delta", min_delta))
        self.best: float | None = None

    def on_train_begin(self, logs: Any = None) -> None:
        self.best = None
        known = self.params.get("metrics", ())
        if known and self.monitor not in known and nearest(self.monitor, known):
            raise self.unknown(known)
        self._direction()

    def get_state(self) -> dict[str, Any]:
        return {"best": self.best}

    def set_state(self, state: dict[str, Any]) -> None:
        self.best = state["best"]

    def value(self, logs: Mapping[str, float]) -> float:
        """The quantity of this epoch.

        Raises:  DeclarationError where it is not logged
        """
        if self.monitor not in logs:
            raise self.unknown(logs)
        return float(logs[self.monitor])

    def unknown(self, known: Iterable[str]) -> DeclarationError:
        """The quantity is not logged."""
        close = nearest(self.monitor, known)
        fix = f'did you mean monitor="{close}"?' if close else ""
        if self.monitor.startswith("val_") and not any(name.startswith("val_") for name in known):
            fix = f'give validation_data or validation_split, or monitor="{self.monitor.removeprefix("val_")}"'
        return DeclarationError(
            f"{type(self).__name__}: {printable(self.monitor)} is not logged",
            ("logged", ", ".join(map(printable, known))), fix=fix,
        )  # fmt: skip

    def improves(self, value: float, reference: float | None) -> bool:
        """Whether the value is finite, and better than the reference by more than ``min_delta``."""
        if not math.isfinite(value):
            return False
        if reference is None:
            return True
        gain = value - reference if self._direction() == "max" else reference - value
        return gain > self.min_delta

    def _direction(self) -> str:
        if self.mode != "auto":
            return self.mode
        name = re.sub(r"_\d+$", "", self.monitor.removeprefix("val_"))
        name = METRICS[name].name if name in METRICS else name  # "AUC" is auc, "top_k" an accuracy
        if name in UPWARD or name.endswith("_accuracy"):
            return "max"
        if name == "loss" or name in METRICS or name in LOSSES:
            return "min"
        what = f"{type(self).__name__}: which way is {printable(self.monitor)} better?"
        raise DeclarationError(what, fix='give mode="min" or mode="max"')


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like it; without its ``val_`` it is the same quantity."""
    names = list(known)
    if name.removeprefix("val_") in names:
        return name.removeprefix("val_")
    close = difflib.get_close_matches(name, names, 1)
    return close[0] if close else None


def number(what: str, value: Any, least: float = -math.inf) -> float:
    """A finite number of ``least`` or more.

    Raises:  DeclarationError
    """
    is_number = hasattr(value, "__float__") and not isinstance(value, bool)
    if not is_number or not math.isfinite(float(value)) or float(value) < least:
        at_least = "" if least == -math.inf else f" of {least:g} or more"
        raise DeclarationError(f"{what} is a number{at_least}", ("given", repr(value)[:40]))
    return float(value)


class EarlyStopping(Monitor):
    """Stop when a quantity has not improved for ``patience`` epochs.

    An improvement is one by more than ``min_delta`` on the best value so far; waiting starts anew only where the value
    is also better than ``baseline``, if that is given. With ``restore_best_weights`` the weights of the best epoch are
    those of the model afterwards, whatever ended the run: the last epoch, NaN, Ctrl-C, an exception.

    Raises:  DeclarationError for options that make no sense, and for a quantity that is not logged

    Source: Prechelt, "Early stopping - but when?" (1998); names and defaults of Keras 3
    >>> EarlyStopping(patience=5, restore_best_weights=True).monitor
    'val_loss'
    """

    def __init__(
        self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: int = 0, mode: str = "auto",
        baseline: float | None = None, restore_best_weights: bool = False, start_from_epoch: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.patience, self.start_from_epoch = number("patience", patience, 0), start_from_epoch
        self.baseline = None if baseline is None else number("baseline", baseline)
        self.restore_best_weights = bool(restore_best_weights)
        self._anew()

    def _anew(self) -> None:
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best_weights: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        self._anew()
        super().on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = self.value(logs or {})
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.improves(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.state_dict()
            if self.baseline is None or self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        if self.best_weights is not None:
            self.model.load_state_dict(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        own = {"wait": self.wait, "best_epoch": self.best_epoch, "best_weights": self.best_weights}
        own["stopped_epoch"] = self.stopped_epoch
        return super().get_state() | own

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.wait, self.best_epoch = state["wait"], state["best_epoch"]
        self.best_weights = state["best_weights"]
        self.stopped_epoch = state["stopped_epoch"]
        if self.stopped_epoch and self.wait >= self.patience:  # with more patience than then, the run goes on
            self.model.stop_training = True


class ReduceLROnPlateau(Monitor):
    """Multiply the learning rate by ``factor`` when a quantity has not improved for ``patience`` epochs.

    After that nothing is counted for ``cooldown`` epochs; the rate does not fall below ``min_lr``. The rate is logged
    as ``learning_rate``.

    Raises:  DeclarationError for options that make no sense, and where the optimizer has a schedule

    Source: Keras 3
    >>> ReduceLROnPlateau(factor=0.5, patience=2).patience
    2.0
    """

    def __init__(
        self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: int = 0, mode: str = "auto",
        min_delta: float = 1e-4, cooldown: int = 0, min_lr: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(monitor, mode, min_delta)
        self.factor, self.patience = number("factor", factor, 0), number("patience", patience, 0)
        if self.factor >= 1:
            raise DeclarationError("factor is below 1", ("given", repr(factor)[:40]))
        self.cooldown, self.min_lr = number("cooldown", cooldown, 0), number("min_lr", min_lr, 0)
        self.wait, self.resting = 0, 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        set_rate(self.model, self.model.learning_rate)
        self.wait, self.resting = 0, 0.0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value, rate = self.value(logs), float(self.model.learning_rate)
        logs["learning_rate"] = rate
        if self.resting > 0:
            self.resting, self.wait = self.resting - 1, 0
        if self.improves(value, self.best):
            self.best, self.wait = value, 0
        elif self.resting <= 0:
            self.wait += 1
            if self.wait >= self.patience and rate > self.min_lr:
                set_rate(self.model, max(rate * self.factor, self.min_lr))
                self.resting, self.wait = self.cooldown, 0

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"wait": self.wait, "resting": self.resting}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self.wait, self.resting = state["wait"], state["resting"]
