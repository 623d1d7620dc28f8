"""The compiled training loop, and its arguments.

In: a ``Step``. Out: ``Loop``, which runs steps over arrays and changes a ``State`` in place; nothing is allocated per
step, and no Python runs between two steps of one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.api.bundle import DTYPES, guarded
from symgrad.emit.module import emit
from symgrad.ir.program import Program
from symgrad.ir.source import Source
from symgrad.ir.types import size_product
from symgrad.lower import lower_loop
from symgrad.runtime.load import Loaded, load
from symgrad.train.pace import Pace
from symgrad.train.step import Step

_AGAIN = "symgrad.Model(...).compile(...)"


@dataclass(slots=True)
class Clock:
    """Where a run is, and what it has added up: shared with the compiled loop, which writes it.

    ``taken`` [steps taken], ``totals`` of the present epoch, ``order`` of its samples (``order[0]`` = -1: not drawn
    yet), ``logs`` the totals of the epochs that the last call completed.
    """

    taken: np.ndarray
    totals: np.ndarray
    order: np.ndarray
    logs: np.ndarray

    @property
    def step(self) -> int:
        """The number of steps taken."""
        return int(self.taken[0])

    def rewind(self, step: int, totals: np.ndarray) -> None:
        """Go back to a step; the order of samples is drawn anew."""
        self.taken[0] = step
        self.totals[:] = totals
        self.order[:1] = -1


@dataclass(frozen=True, slots=True)
class Course:
    """What stays the same during a run: rows of the data, rows of a batch, seed, updates made before."""

    rows: int
    size: int
    seed: int = 0
    before: int = 0

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.size)


class Loop:
    """The function ``train`` of one step, compiled for one float type."""

    def __init__(self, step: Step, dtype: str) -> None:
        self.step = step
        self.dtype = dtype
        training = step.training
        self.program: Program = lower_loop(training, step.names, DTYPES[dtype])
        shapes = {step.names.of(n) or "": ", ".join(map(str, n.shape)) for n in training.state if n.shape}
        self.source: Source = emit(self.program, doc=training.doc, regenerate=_AGAIN, shapes=shapes)
        self.pace = Pace()  # rows of the next slice, where nobody else keeps it
        self.width = sum(_known(size_product(t.shape)) for t in training.totals)
        self._hidden = [np.ascontiguousarray(value) for _, value in self.program.hidden]

    @cached_property
    def loaded(self) -> Loaded:
        """The module on disk."""
        return load(self.source)

    def clock(self, rows: int) -> Clock:
        """A clock at the first step."""
        order = np.full(rows if self.step.training.shuffled else 1, -1, np.int64)
        return Clock(np.zeros(1, np.int64), np.zeros(self.width), order, np.zeros((0, self.width)))

    def run(
        self, course: Course, clock: Clock, arrays: tuple[Sequence[np.ndarray], int], state: Sequence[np.ndarray],
        until: tuple[int, float],
    ) -> int:  # fmt: skip
        """Run to step ``until[0]`` with the learning rate ``until[1]``; the number of a result that is not finite.

        ``arrays`` are the data and the row of the epoch that they start with. Afterwards ``clock.logs`` has a row for
        each epoch that this call touched.
        """
        data, offset = arrays
        first, (last, rate) = clock.step, until
        epochs = (max(last, first + 1) - 1) // course.per_epoch - first // course.per_epoch + 1
        clock.logs = np.zeros((epochs, self.width))
        scalar: Any = np.float64 if self.dtype == "float64" else np.float32
        settings = [scalar(rate)] * len(self.step.training.settings)
        order = [clock.order] if self.step.training.shuffled else []
        numbers = (first, last, course.size, course.seed, course.before, course.rows, offset)
        shared = (clock.totals, clock.logs, clock.taken)
        function = self.loaded.functions["train"]
        return int(guarded(function, [*data, *state, *settings, *order, *shared, *numbers, *self._hidden]))


def _known(size: Any) -> int:
    assert isinstance(size, int), "a total has a known size"
    return size
