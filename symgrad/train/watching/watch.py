"""Between two slices: logs of the epochs, validation, callbacks.

In: what a ``Run`` tells. Out: an entry of the history for each epoch, and Keras's hooks called at their moments. Python
runs at every epoch, or every batch, only where somebody has a hook for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import NumericError
from symgrad.ir.show import printable
from symgrad.train.history import History
from symgrad.train.loop import Course
from symgrad.train.run import Fault, Run
from symgrad.train.watching.adjust import rate_of
from symgrad.train.watching.hooks import BATCH_HOOKS, EPOCH_HOOKS, has_hook, tell

Logs = dict[str, float]


class Watch:
    """The watcher of one ``fit``."""

    def __init__(
        self, model: Any, callbacks: Sequence[Any], course: Course, finish: Callable[[np.ndarray], Logs],
        validate: Callable[[], Logs] | None,
    ) -> None:  # fmt: skip
        self.model, self.callbacks, self.course = model, list(callbacks), course
        self.finish, self.validate = finish, validate
        self.history: History = model.history
        active = [c for c in callbacks if not getattr(c, "is_passive", False)]
        self.by_batch = any(has_hook(c, name) for c in active for name in BATCH_HOOKS)
        self.by_epoch = validate is not None or any(has_hook(c, name) for c in active for name in EPOCH_HOOKS)

    @property
    def stopped(self) -> bool:
        """Whether somebody has asked to stop."""
        return bool(self.model.stop_training)

    def rate(self) -> float:
        """The learning rate of the next slice.

        Raises:  DeclarationError where somebody has set what is none
        """
        return rate_of(self.model)

    def call(self, hook: str, *args: Any) -> None:
        """One hook of every callback that has it."""
        for callback in self.callbacks:
            tell(callback, hook, *args)

    def epoch_begins(self, epoch: int) -> None:
        self.call("on_epoch_begin", epoch, {})

    def epoch_ends(self, epoch: int, totals: np.ndarray) -> None:
        logs = self.finish(totals)
        if self.validate is not None:
            logs.update({f"val_{name}": value for name, value in self.validate().items()})
        self.call("on_epoch_end", epoch, logs)
        self.history.append(epoch, logs)

    def batch_begins(self, step: int) -> None:
        batch = step % self.course.per_epoch
        self.call("on_train_batch_begin", batch, {})
        self.call("on_batch_begin", batch, {})

    def batch_ends(self, step: int, totals: np.ndarray) -> None:
        batch, logs = step % self.course.per_epoch, self.finish(totals)
        self.call("on_train_batch_end", batch, logs)
        self.call("on_batch_end", batch, logs)

    def advanced(self, step: int, totals: np.ndarray) -> None:
        self.call("on_advance", step, totals)

    def settled(self, run: Run) -> None:
        self.call("on_settled", run, self.callbacks)

    def fault(self, fault: Fault) -> None:
        """A step that was not taken.

        Raises:  NumericError unless a callback takes it
        """
        epoch, batch = divmod(fault.step, self.course.per_epoch)
        takers = [c for c in self.callbacks if getattr(c, "takes_faults", False)]
        if not takers:
            raise fault_error(fault, epoch, batch, self.model.task(False).caution)
        self.model.stop_training = True
        for callback in takers:
            callback.on_fault(epoch, batch, fault)


def fault_error(fault: Fault, epoch: int, batch: int, caution: str = "") -> NumericError:
    """The error of a step that was not taken."""
    usual = "lower the learning rate, clip the gradient (clipnorm=1.0), or scale the data (sg.data.standardise)"
    name = printable(fault.name)
    said = {
        "loss": "the loss is not finite" if fault.name == "loss" else f"the loss is not finite: {name} is not",
        "gradient": f"the gradient of {name} is not finite",
        "update": f"the update makes {name} infinite",
    }[fault.what]
    return NumericError(
        f"training stopped: {said}",
        ("epoch", str(epoch + 1)), ("batch", str(batch + 1)), ("weights", "those before this step"),
        fix=caution or usual,
    )  # fmt: skip


def finisher(
    rows: Sequence[tuple[str, tuple[tuple[int, ...], ...], Callable[..., float]]],
) -> Callable[[np.ndarray], Logs]:
    """From an epoch's totals to its logs: the loss, then each metric from the sums that are its own."""

    def finish(totals: np.ndarray) -> Logs:
        logs: Logs = {"loss": float(totals[1] / totals[0]) if totals[0] else float("nan")}
        place = 2
        for name, shapes, done in rows:
            sums = []
            for shape in shapes:
                size = int(np.prod(shape, dtype=int))
                sums.append(totals[place : place + size].reshape(shape) if shape else totals[place])
                place += size
            logs[name] = float(done(*sums))
        return logs

    return finish


__all__ = ["Logs", "Watch", "fault_error", "finisher"]
