"""``fit``: from arrays and options to a run, and out of it again, whatever ends it.

In: a compiled model, data, Keras's options. Out: the history. Invariant: on every way out (the last epoch, an early
stop, NaN, Ctrl-C, an exception in a callback) every callback's ``on_train_end`` is called, and the model is usable.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from symgrad.errors import CallError, DeclarationError, SymgradError, UnsupportedError
from symgrad.nn.rows import settled
from symgrad.train import snapshot
from symgrad.train.data.given import class_weights
from symgrad.train.history import History
from symgrad.train.loop import Course
from symgrad.train.objective import has_weights
from symgrad.train.order import permutation
from symgrad.train.run import Run
from symgrad.train.source import Source, split_last
from symgrad.train.state import State
from symgrad.train.watching import hooks
from symgrad.train.watching.progress import shown
from symgrad.train.watching.watch import Watch, finisher

BATCH = 32  # rows, as Keras


@dataclass(slots=True)
class Options:
    """The options of ``fit``: names, order and defaults are Keras's; ``seed`` (of order and dropout) and ``resume``."""

    batch_size: int | None = None
    epochs: int = 1
    verbose: Any = "auto"
    callbacks: Sequence[Any] | None = None
    validation_split: float = 0.0
    validation_data: Any = None
    shuffle: bool = True
    class_weight: Any = None
    sample_weight: Any = None
    initial_epoch: int = 0
    validation_batch_size: int | None = None
    seed: int = 0
    resume: Any = None


class Fit:
    """One call of ``fit``."""

    def __init__(self, model: Any, x: Any, y: Any, *args: Any, **options: Any) -> None:
        known = tuple((f.name, f.default) for f in fields(Options))
        self.model, self.options = model, Options(**dict(settled("fit", known, args, options)))
        _check(self.options)
        if self.options.resume is not None and model.optimizer.full_batch:
            raise UnsupportedError(f"{model.optimizer.name} has no step to go on from", fix="leave resume out")
        self.training, self.validation = self._sources(x, y)
        self.training.check_finite()

    def _sources(self, x: Any, y: Any) -> tuple[Source, Source | None]:
        """The rows to learn from, and those to validate on."""
        o, model = self.options, self.model
        whole = model.source(model.task(o.sample_weight is not None), x, y, o.sample_weight)
        if o.validation_data is not None:
            return self._by_class(whole), self._kept_apart(o.validation_data)
        if not o.validation_split:
            return self._by_class(whole), None
        first, last = split_last(whole.given, o.validation_split)
        if not len(first[0]) or not len(last[0]):
            raise CallError("validation_split leaves no rows on one side", ("rows", str(whole.rows)))
        training, validation = (Source(whole.variables, part, model.dtype) for part in (first, last))
        return self._by_class(training), validation

    def _by_class(self, source: Source) -> Source:
        """The rows to learn from with the weights of their classes; as in Keras, those to validate on have none."""
        o, model = self.options, self.model
        if o.class_weight is None:
            return source
        task, inputs = model.task(True), model.network.inputs
        own = source.given[-1] if o.sample_weight is not None else None
        weight = class_weights(o.class_weight, source.given[len(inputs)], own)
        known = source.given[: len(inputs) + len(task.targets)]
        return Source((*inputs, *task.targets, task.weight), [*known, weight], model.dtype)

    def _kept_apart(self, given: Any) -> Source:
        """The rows of ``validation_data``: (x, y) or (x, y, weights)."""
        vx, vy, *vw = (*given,) if isinstance(given, (tuple, list)) and len(given) in (2, 3) else (given, None)
        try:
            weight = vw[0] if vw else None
            found = self.model.source(self.model.task(weight is not None), vx, vy, weight)
            found.check_finite()
        except SymgradError as error:
            error.facts = (*error.facts, ("of", "validation_data"))
            if vy is None and not error.fix:
                error.fix = "give validation_data=(x, y)"
            raise
        return found

    def run(self) -> History:
        """Train; the model's history has an entry for each epoch."""
        o, model = self.options, self.model
        saved, rows = snapshot.read(o.resume), self.training.rows
        course = Course(rows, min(o.batch_size or BATCH, rows), o.seed)
        start = o.initial_epoch * course.per_epoch
        course = replace(course, before=saved.before if saved else model.iterations - start)
        weighted = has_weights(self.training.variables, model.task(False))
        shuffled = bool(o.shuffle) and course.per_epoch > 1 and not self.training.is_streamed
        loop = model.loop(weighted, shuffled)
        state = State.joined(model._weights, model._slots)
        drawn = permutation() if self.training.is_streamed and o.shuffle else None
        run = Run(loop, state, self.training, course, drawn)
        run.clock.rewind(start, run.clock.totals * 0)
        if saved:
            saved.check(model, run)
        model.history, model.stop_training = History(), False
        watch = Watch(model, self.callbacks(course), course, finisher(model.task(weighted).finishers), self.validate())
        self._through(run, watch, saved)
        return model.history

    def callbacks(self, course: Course) -> list[Any]:
        """Those that are told, knowing the model and the course."""
        o = self.options
        callbacks = [*hooks.checked(o.callbacks), *shown(o.verbose)]
        params = {"epochs": o.epochs, "steps": course.per_epoch, "verbose": o.verbose, "rows": course.rows}
        params["metrics"] = self._logged()
        self.model.history.params = params
        for c in callbacks:
            hooks.tell(c, "set_params", dict(params))
            hooks.tell(c, "set_model", self.model)
            hooks.tell(c, "set_data", self.training)
        return callbacks

    def _logged(self) -> list[str]:
        """The names of what each epoch logs."""
        names = ["loss", *(name for name, *_ in self.model.task(False).finishers)]
        return names + [f"val_{name}" for name in names] * (self.validation is not None)

    def validate(self) -> Any:
        """What gives the logs of the validation rows, None without such."""
        if self.validation is None:
            return None
        o, model, source = self.options, self.model, self.validation
        task = model.task(has_weights(source.variables, model.task(False)))
        return lambda: model.evaluated(task, source, o.validation_batch_size or o.batch_size or BATCH)

    def _through(self, run: Run, watch: Watch, saved: snapshot.Saved | None) -> None:
        """From the first hook to the last one, going on from what was saved."""
        if saved:
            saved.restore(self.model, run)

        def train() -> None:
            if saved:
                saved.remind(self.model, watch.callbacks)
            run.to(self.options.epochs * run.course.per_epoch, watch)

        try:
            self.surrounded(watch, train)
        finally:
            self.model.iterations = run.course.before + run.clock.step

    def surrounded(self, watch: Watch, train: Callable[[], None]) -> None:
        """The training between the callbacks' first and last hooks, whatever ends it."""
        begun: list[Any] = []
        try:
            for callback in watch.callbacks:
                begun.append(callback)
                hooks.tell(callback, "on_train_begin", {})
            train()
        finally:
            _end(begun, {k: v[-1] for k, v in self.model.history.history.items() if v})


def _end(callbacks: Sequence[Any], logs: dict[str, float]) -> None:
    """Every callback's end, also if one of them fails: the first failure is raised after all were called."""
    failed: BaseException | None = None
    for callback in callbacks:
        try:
            hooks.tell(callback, "on_train_end", logs)
        except BaseException as error:
            failed = failed or error
    if failed is not None:
        raise failed


def _check(o: Options) -> None:
    """Options that make no sense.

    Raises:  DeclarationError
    """
    for name, least in (("epochs", 0), ("initial_epoch", 0), ("seed", None)):
        setattr(o, name, whole_number(name, getattr(o, name), least))
    if not -(2**63) <= o.seed < 2**63:
        raise DeclarationError("seed is a whole number of 64 bits", ("given", repr(o.seed)[:40]))
    for name in ("batch_size", "validation_batch_size"):
        setattr(o, name, batch_of(name, getattr(o, name)))
    share = o.validation_split
    if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0.0 <= share < 1.0:
        raise DeclarationError("validation_split is between 0 and 1", ("given", repr(o.validation_split)))


def batch_of(name: str, value: Any) -> int | None:
    """A batch size, None where it is not given.

    Raises:  DeclarationError
    """
    return None if value is None else whole_number(name, value, 1)


def whole_number(name: str, value: Any, least: int | None) -> int:
    """A whole number of ``least`` or more.

    Raises:  DeclarationError
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or (least is not None and value < least):
        wanted = f" of {least} or more" if least is not None else ""
        raise DeclarationError(f"{name} is a whole number{wanted}", ("given", repr(value)[:40]))
    return int(value)
