"""The whole of a run at one step, to a file and back.

Out: weights, optimizer slots, step and totals of the epoch, learning rate, history, what callbacks remember. In: the
same, for a run of the same model, data size, batches, seed and optimizer: it goes on as if it had not been stopped, bit
for bit. A file that does not fit is refused before anything is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import ModelFileError, UnsupportedError
from symgrad.frontend.stored import graph_to_json
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.train.packed import pack, unpack
from symgrad.train.run import Run
from symgrad.train.storage import files

_WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError)


def write(path: Path, model: Any, run: Run, callbacks: Sequence[Any]) -> None:
    """Put the run in a file; the one before is kept beside it.

    Raises:  OSError if it cannot be written; DtypeError for a callback that remembers what is no data
    """
    arrays = {**_states(model), "totals": run.clock.totals, "epochs": np.array(model.history.epoch, np.int64)}
    arrays |= {f"history/{name}": np.array(values) for name, values in model.history.history.items()}
    remembered: list[Any] = []
    for c in callbacks:
        if hasattr(c, "get_state"):
            remembered.append([type(c).__name__, pack(c.get_state(), arrays, f"callbacks/{len(remembered)}")])
    document = {
        "run": facts(model, run), "step": run.clock.step, "before": run.course.before,
        "learning_rate": float(model.learning_rate), "history": list(model.history.history), "callbacks": remembered,
    }  # fmt: skip
    files.write(path, document, arrays, kind="checkpoint", generations=2)


def _states(model: Any) -> dict[str, np.ndarray]:
    parts = (("weights", model._weights), ("slots", model._slots))
    return {f"{part}/{name}": state[name] for part, state in parts for name in state.names}


def facts(model: Any, run: Run) -> dict[str, Any]:
    """What must be the same for a run to go on."""
    course = run.course
    ordered = run.loop.step.training.shuffled or run.permutation is not None
    return {
        "rows": course.rows, "batch size": course.size, "seed": course.seed, "shuffle": ordered,
        "dtype": model.dtype, "optimizer": repr(model.optimizer), "loss": _digest(model.task(False).loss),
    }  # fmt: skip


@lru_cache(maxsize=4)
def _digest(loss: Node) -> str:
    """A hash of a formula, the network's in it, the same for equal ones; of one that cannot be stored it is empty."""
    try:
        text = json.dumps(graph_to_json([loss], {}), sort_keys=True)
    except UnsupportedError:
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint that was read."""

    path: Path
    document: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def before(self) -> int:
        """Updates that were made before the run's first step."""
        return _integer(self.document.get("before"), self.path)

    def restore(self, model: Any, run: Run) -> None:
        """Weights, slots, clock and history of a run that was checked."""
        for state, part in ((model._weights, "weights"), (model._slots, "slots")):
            state.restore({name: self.arrays[f"{part}/{name}"] for name in state.names})
        run.clock.rewind(_integer(self.document.get("step"), self.path), self.arrays["totals"])
        model.history.epoch[:] = self.arrays["epochs"].tolist()
        for name in self.document["history"]:
            model.history.history[name] = self.arrays[f"history/{name}"].tolist()

    def remind(self, model: Any, callbacks: Iterable[Any]) -> None:
        """Learning rate, and what callbacks remembered: each takes the first state of its kind that is left."""
        left = list(self.document["callbacks"])
        try:
            for c in callbacks:
                found = next((entry for entry in left if entry[0] == type(c).__name__), None)
                if found is not None and hasattr(c, "set_state"):
                    left.remove(found)
                    c.set_state(unpack(found[1], self.arrays))
            model.learning_rate = float(self.document["learning_rate"])
        except _WRONG as error:
            raise _refusal(self.path, f"its callbacks' states are damaged ({error!r:.80})") from None

    def check(self, model: Any, run: Run) -> None:
        """Nothing is changed before this has passed.

        Raises:  ModelFileError where the file is that of another run
        """
        mine = facts(model, run)
        self._compare({name: here for name, here in mine.items() if name != "loss"})
        wanted = {name: (a.shape, a.dtype) for name, a in _states(model).items()}
        wanted["totals"] = run.clock.totals.shape, run.clock.totals.dtype
        for name, kind in wanted.items():
            a = self.arrays.get(name)
            if a is None or (a.shape, a.dtype) != kind:
                raise _refusal(self.path, f"it has no {printable(name)} like the model's")
            if name != "totals" and not np.isfinite(a).all():
                raise _refusal(self.path, f"{printable(name)} is not finite")
        self._compare({"loss": mine["loss"]})  # last: a network of other shapes is told so
        self._check_history()

    def _compare(self, mine: dict[str, Any]) -> None:
        """Complain about a fact that was another."""
        theirs = self.document.get("run")
        for name, here in mine.items():
            there = theirs.get(name) if isinstance(theirs, dict) else None
            if there != here:
                pairs = ("checkpoint", printable(str(there), 100)), ("here", str(here))
                fix = "give fit what the run was started with, or start afresh without resume"
                raise ModelFileError(f"{printable(self.path.name, 80)}: the {name} was another", *pairs, fix=fix)

    def _check_history(self) -> None:
        names, epochs = self.document.get("history"), self.arrays.get("epochs")
        is_sound = isinstance(names, list) and isinstance(self.document.get("callbacks"), list)
        if not is_sound or epochs is None or epochs.ndim != 1 or epochs.dtype != np.int64:
            raise _refusal(self.path, "its history is damaged")
        for name in names:  # type: ignore[union-attr]
            values = self.arrays.get(f"history/{name}")
            if not isinstance(name, str) or values is None or values.ndim != 1 or len(values) > len(epochs):
                raise _refusal(self.path, "its history is damaged")


def read(path: Any) -> Saved | None:
    """The checkpoint in a file, or in the generation before where it is damaged; None where there is no file.

    Raises:  ModelFileError
    """
    if path is None:
        return None
    try:
        found = files.read(path, kind="checkpoint", generations=2, allow_nan=True)
    except FileNotFoundError:
        return None
    return Saved(Path(path), *found)


def _integer(value: Any, path: Path) -> int:
    if type(value) is not int or not -(2**62) < value < 2**62:
        raise _refusal(path, "its step is damaged")
    return value


def _refusal(path: Path, why: str) -> ModelFileError:
    fix = "give the file that a ModelCheckpoint of this run has written"
    return ModelFileError(f"{printable(path.name, 80)}: {why}", ("file", printable(str(path), 200)), fix=fix)
