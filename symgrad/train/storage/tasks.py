"""What a model learns by as plain data, and back: its loss and its metrics as formulas, whatever they were made of.

Out: numbers of nodes by their roles in a ``Task``. In: the same, checked. A metric's last step, from sums to a number,
is not a formula: it is one of the table's, by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.errors import CallError, UnsupportedError
from symgrad.frontend.freeze import restore_nodes, store
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.nn.network import Network
from symgrad.train.objective import CAUTION, Task
from symgrad.train.rules.metrics import FINISHES
from symgrad.train.step import Objective
from symgrad.train.storage.places import Placed, Places, closed, fields

_FIELDS = ("targets", "weight", "training", "evaluation", "metrics", "demands")
_DEMANDS = ("classes", "ignored", "of_probabilities", "cautious")
_LARGEST = 2**31  # elements of a total
_LONGEST = 1000  # name of a metric


@dataclass(frozen=True, slots=True)
class Stored:
    """The tasks of a model that was loaded: without row weights, and with them where its loss takes any."""

    network: Network
    plain: Task
    weighted: Task | None

    def task(self, network: Network, weighted: bool) -> Task:
        """What is minimised.

        Raises:  CallError for weights where the loss takes none
        """
        if weighted and self.weighted is None:
            fix = "leave sample_weight and class_weight out, or compile the model with a loss by name"
            raise CallError("the loss of this model takes no row weights", fix=fix)
        return self.weighted if weighted and self.weighted is not None else self.plain

    def __reduce__(self) -> tuple:
        place = Places()
        data = [task_to_plain(t, place) for t in (self.plain, self.weighted) if t is not None]
        return _restored, (self.network, store(place.nodes), data)


def _restored(network: Network, stored: tuple, data: list) -> Stored:
    node = Placed(restore_nodes(*stored))
    tasks = [task_from_plain(d, network, node) for d in data]
    return Stored(network, tasks[0], tasks[1] if len(tasks) > 1 else None)


def task_to_plain(task: Task, place: Places) -> dict[str, Any]:
    """The roles of the task's nodes.

    Raises:  UnsupportedError for a metric whose last step is a function of its own
    """
    objectives = {"training": task.training, "evaluation": task.evaluation}
    return {
        "targets": place.all(task.targets), "weight": None if task.weight is None else place(task.weight),
        **{name: [place(o.loss), *place.all(o.sums)] for name, o in objectives.items()},
        "metrics": [[name, _finish(name, done), [list(s) for s in shapes]] for name, shapes, done in task.finishers],
        "demands": {
            "classes": task.classes, "ignored": None if task.ignored is None else int(task.ignored),
            "of_probabilities": task.of_probabilities, "cautious": bool(task.caution),
        },
    }  # fmt: skip


def _finish(metric: str, done: Any) -> str:
    for name, known in FINISHES.items():
        if done is known:
            return name
    raise UnsupportedError(
        f"the metric {printable(metric)} ends with a function of its own, which no file holds",
        fix="compile the model without it before it is saved",
    )


def task_from_plain(data: Any, network: Network, node: Placed) -> Task:
    """The task again; a ValueError says what is wrong with the data."""
    targets, weight, training, evaluation, metrics, demands = fields(data, *_FIELDS)
    if not isinstance(targets, list) or not isinstance(metrics, list):
        raise ValueError("its targets or its metrics are no list")
    given = tuple(node.variable(i, "input") for i in targets)
    row_weight = None if weight is None else node.variable(weight, "input")
    learned = tuple(w.node for w in network.parameters)
    all_data = (*network.inputs, *given, *([] if row_weight is None else [row_weight]))
    kept = tuple((s.node, s.node) for s in network.states)
    minimised, *sums = node.all(training, dtype="real")
    learning = Objective(all_data, minimised, learned, tuple(sums), network.updates, network.key)
    measured, *sums = node.all(evaluation, dtype="real")
    judging = Objective(all_data, measured, learned, tuple(sums), kept)
    finishers = tuple(_finisher(entry) for entry in metrics)
    task = Task(network, given, row_weight, learning, judging, minimised, finishers, **_demands(demands))
    _check(task)
    return task


def _demands(data: Any) -> dict[str, Any]:
    """What the loss asks of its targets."""
    classes, ignored, of_probabilities, cautious = fields(data, *_DEMANDS)
    counts = all(n is None or type(n) is int for n in (classes, ignored)) and (classes is None or classes > 0)
    if not counts or type(of_probabilities) is not bool or type(cautious) is not bool:
        raise ValueError("what it asks of its targets is damaged")
    caution = CAUTION if cautious else ""
    return {"classes": classes, "ignored": ignored, "of_probabilities": of_probabilities, "caution": caution}


def _finisher(entry: Any) -> tuple:
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[2], list):
        raise ValueError("a metric is damaged")
    name, done, shapes = entry
    sizes = [s for s in shapes if isinstance(s, list) and all(type(n) is int and 0 <= n < _LARGEST for n in s)]
    if not isinstance(name, str) or len(name) > _LONGEST or done not in FINISHES or len(sizes) < len(shapes):
        raise ValueError("a metric is damaged")
    inspect.signature(FINISHES[done]).bind(*shapes)
    return name, tuple(map(tuple, shapes)), FINISHES[done]


def _check(task: Task) -> None:
    """What is taken for granted of a task."""
    n = task.network
    wanted = [(), (), *(shape for _, shapes, _ in task.finishers for shape in shapes)]
    for o in (task.training, task.evaluation):
        if o.loss.shape or [s.shape for s in o.sums] != wanted:
            raise ValueError("its sums are not those of its loss and metrics")
        if any(d.shape[:1] != n.inputs[0].shape[:1] for d in o.data) or len(set(o.data)) < len(o.data):
            raise ValueError("its data have no common batch axis")
        known = (*o.data, *o.parameters, *(s.node for s in n.states), *_some(o.key))
        closed([o.loss, *o.sums], known)
    if task.classes is not None and not (len(task.targets) == 1 and task.targets[0].dtype == "int"):
        raise ValueError("its labels are no integers")


def _some(node: Node | None) -> Sequence[Node]:
    return () if node is None else (node,)


__all__ = ["Stored", "task_from_plain", "task_to_plain"]
