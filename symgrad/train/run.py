"""One run of training: slices of the compiled loop, and between them whoever watches.

In: a loop, its state, a source of rows, a course, and hooks. Out: the state after the last step. Invariant: whenever
Python runs, state, clock and the epochs told to the hooks belong to the same step, whatever ends the run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from symgrad.train.interrupt import Deferred
from symgrad.train.loop import Clock, Course, Loop
from symgrad.train.pace import Pace, clocks
from symgrad.train.source import Permutation, Source
from symgrad.train.state import State

EPOCHS = 1000  # of one slice at most: each is told to the history, which takes some microseconds


@dataclass(frozen=True, slots=True)
class Fault:
    """A step that was not taken: its number, and what was not finite (a parameter's name, or "loss")."""

    step: int
    name: str
    what: str  # "gradient", "loss", "update"


class Watcher(Protocol):
    """Who is told of a run. ``by_epoch`` and ``by_batch``: whether Python must run at those ends."""

    by_epoch: bool
    by_batch: bool

    @property
    def stopped(self) -> bool: ...
    def rate(self) -> float: ...
    def epoch_begins(self, epoch: int) -> None: ...
    def epoch_ends(self, epoch: int, totals: np.ndarray) -> None: ...
    def batch_begins(self, step: int) -> None: ...
    def batch_ends(self, step: int, totals: np.ndarray) -> None: ...
    def advanced(self, step: int, totals: np.ndarray) -> None: ...
    def settled(self, run: Run) -> None: ...
    def fault(self, fault: Fault) -> None: ...


class Run:
    """The steps of a run, from ``clock.step`` to ``last``."""

    def __init__(
        self, loop: Loop, state: State, source: Source, course: Course, permutation: Permutation | None = None
    ) -> None:
        self.loop, self.state, self.source, self.course = loop, state, source, course
        self.permutation = permutation if source.is_streamed else None
        self.clock: Clock = loop.clock(source.rows)
        self.pace = Pace()  # steps of the next slice
        self.interrupt = Deferred()
        self._kept = [a.copy() for a in state.arrays]
        self._totals = self.clock.totals.copy()

    def to(self, last: int, watcher: Watcher) -> None:
        """Run until step ``last``, or until the watcher has stopped."""
        while self.clock.step < last and not watcher.stopped:
            first = self.clock.step
            if first % self.course.per_epoch == 0 and watcher.by_epoch:
                watcher.epoch_begins(first // self.course.per_epoch)
                if watcher.stopped:
                    return
            if watcher.by_batch:
                watcher.batch_begins(first)
            until, rate = self._until(first, last, watcher), watcher.rate()
            with self.interrupt:
                fault = self._slice(until, rate)
                if not watcher.by_epoch:  # quickly told: the history then agrees with the state
                    self._tell(first, watcher, fault)
            self.interrupt.raise_kept()
            if watcher.by_epoch:
                self._tell(first, watcher, fault)

    def _until(self, first: int, last: int, watcher: Watcher) -> int:
        """Where the next slice ends."""
        wanted = first + (1 if watcher.by_batch else min(self.pace.amount, EPOCHS * self.course.per_epoch))
        if watcher.by_epoch:
            wanted = min(wanted, (first // self.course.per_epoch + 1) * self.course.per_epoch)
        return self.source.limit(self.course, first, min(wanted, last))

    def _slice(self, last: int, rate: float) -> Fault | None:
        """Run one slice; the state is kept before it, so that a bad step leaves no trace."""
        self.state.copy_into(self._kept)
        first, self._totals[:] = self.clock.step, self.clock.totals
        begun = clocks()
        which = self._steps(last, rate)
        self.pace.adapt(begun, self.clock.step - first)
        if self.state.not_finite() is not None:  # also where the step after the bad one told of it
            return self._overflowed(first, last, rate)
        return self._fault(self.clock.step, which) if which >= 0 else None

    def _steps(self, last: int, rate: float) -> int:
        arrays = self.source.arrays(self.course, (self.clock.step, last), self.permutation)
        return self.loop.run(self.course, self.clock, arrays, self.state.arrays, (last, rate))

    def _fault(self, step: int, which: int) -> Fault:
        """The step's first result that is not finite: a gradient names its parameter."""
        if which > 0:
            return Fault(step, self.state.names[which - 1], "gradient")
        return Fault(step, self.state.not_finite() or "loss", "loss")

    def _overflowed(self, first: int, last: int, rate: float) -> Fault:
        """An update made a state infinite: take the slice's steps again, one by one, to the one before it.

        The logs of the epochs before it are those of the slice.
        """
        self.state.restore(self._kept)
        self.clock.rewind(first, self._totals)
        logs = self.clock.logs
        while True:
            self.state.copy_into(self._kept)
            before, totals = self.clock.step, self.clock.totals.copy()
            which = self._steps(before + 1, rate)
            self.clock.logs, bad = logs, self.state.not_finite()
            if which >= 0:
                return self._fault(before, which)
            if bad is not None:
                self.state.restore(self._kept)
                self.clock.rewind(before, totals)
                return Fault(before, bad, "update")
            assert self.clock.step < last, "the slice that failed fails again"

    def _tell(self, first: int, watcher: Watcher, fault: Fault | None) -> None:
        """Epochs that were completed, in order; then how far the run is."""
        reached, per_epoch = self.clock.step, self.course.per_epoch
        logs = self.clock.logs
        if watcher.by_batch and reached > first:
            watcher.batch_ends(first, self.clock.totals)
        if fault is None:
            watcher.advanced(reached, self.clock.totals)
        base = first // per_epoch
        for epoch in range(base, reached // per_epoch):
            watcher.epoch_ends(epoch, logs[epoch - base])
        if fault is not None:
            watcher.fault(fault)
        else:
            watcher.settled(self)
