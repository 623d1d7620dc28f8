"""From a network, a loss and metrics to what is minimised and what is logged.

In: a ``Network``, a loss (by name, as a row, as a function, or symbolic), metrics. Out: ``Task``: the objective of
training and that of evaluation over the same data, and how totals become logs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import CallError, DeclarationError
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node, build
from symgrad.ir.show import described, printable
from symgrad.ir.types import Size
from symgrad.ir.walk import variables
from symgrad.nn import losses
from symgrad.nn.network import Network
from symgrad.train.rules import metrics as rows_of_metrics
from symgrad.train.step import Objective, rows

CAUTION = "the outputs must be probabilities: end with a softmax or sigmoid, or compile(..., from_logits=True)"


@dataclass(frozen=True, slots=True)
class Task:
    """``targets`` are the data beside the network's inputs; ``weight`` the row weights, where there are any."""

    network: Network
    targets: tuple[Node, ...]
    weight: Node | None
    training: Objective
    evaluation: Objective
    loss: Node  # of training, as it is shown
    finishers: tuple[tuple[str, tuple[tuple[int, ...], ...], Callable[..., float]], ...]
    classes: int | None = None  # of a loss that takes labels
    ignored: int | None = None  # the label that such a loss leaves out
    of_probabilities: bool = False  # whether the targets lie from 0 to 1
    caution: str = ""  # what to do where the loss is not finite, if it takes probabilities and the outputs may be none


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``compile`` was asked for: the loss, the metrics, and whether outputs are logits."""

    loss: Any
    metrics: tuple[Any, ...]
    from_logits: bool

    def task(self, network: Network, weighted: bool) -> Task:
        """What is minimised, with row weights or without."""
        return task_of(network, self.loss, self.metrics, self.from_logits, weighted)


def task_of(network: Network, loss: Any, metrics: Sequence[Any], from_logits: bool, weighted: bool) -> Task:
    """Everything that training and evaluation compute.

    Raises:  DeclarationError where the loss is not a scalar of the network
    """
    if isinstance(loss, Tensor):
        return _symbolic(network, loss, metrics, weighted)
    row = losses.get(loss, from_logits=from_logits)
    y = losses.target(row, Tensor(network.training), _unused("y", network))
    weight = declare_input(_unused("sample_weight", network), (_batch(network),)) if weighted else None
    plain = {mode: losses.total(row, y, Tensor(f), weight) for mode, f in _modes(network)}
    return _task(network, plain, (y, weight), metrics, row)


def has_weights(data: Sequence[Node], plain: Task) -> bool:
    """Whether data hold row weights, beside what the task without such takes."""
    return len(data) > len(plain.training.data)


def _unused(name: str, network: Network) -> str:
    """The name, longer where the network has a variable of that name."""
    own = (*network.inputs, *(w.node for w in network.parameters), *(s.node for s in network.states))
    taken = {v["variable"].name for v in own}
    while name in taken:
        name += "_"
    return name


def _modes(network: Network) -> tuple[tuple[str, Node], tuple[str, Node]]:
    return ("training", network.training), ("evaluation", network.output)


def _batch(network: Network) -> Any:
    return network.inputs[0].shape[0]


def _symbolic(network: Network, loss: Tensor, metrics: Sequence[Any], weighted: bool) -> Task:
    if loss.shape or loss.dtype != "real":
        raise DeclarationError("a loss is one real number", ("given", described(loss.node)), fix="sum or average it")
    if weighted:
        raise CallError(
            "sample_weight needs a loss by name",
            fix='declare the weights as an input, sg.input("w", ("n",)), in the loss',
        )
    known = {*network.inputs, *(w.node for w in network.parameters), *(s.node for s in network.states)}
    targets = tuple(v for v in variables([loss.node]) if v not in known)
    _check_targets(targets, network)
    if metrics and not targets:
        raise DeclarationError("metrics need a target", fix="give the loss an input besides the model's")
    y = Tensor(targets[0]) if targets else None
    task = _task(network, {"training": loss, "evaluation": loss}, (y, None), metrics, None)
    extra = targets[1:]
    objectives = [replace(o, data=(*o.data, *extra)) for o in (task.training, task.evaluation)]
    return replace(task, targets=targets, training=objectives[0], evaluation=objectives[1])


def _check_targets(targets: Sequence[Node], network: Network) -> None:
    for v in targets:
        name = printable(v["variable"].name)
        if v["variable"].kind == "parameter":
            raise DeclarationError(
                f"the parameter {name} is in the loss but not in the model's outputs",
                fix="use it in the outputs, or make it an input",
            )
        if not v.shape or v.shape[0] != _batch(network):
            raise DeclarationError(
                f"the target {name} needs a row for each sample", ("declared", described(v)),
                ("batch", str(_batch(network))), fix=f'declare it as ("{_batch(network)}", ...)',
            )  # fmt: skip


def _task(network: Network, plain: dict[str, Tensor], given: tuple[Any, Any], metrics: Sequence[Any], row: Any) -> Task:
    y, weight = given
    full = {mode: _regularised(network, loss) for mode, loss in plain.items()}
    n = rows(network.inputs[0])
    found = [rows_of_metrics.resolve(m, row, y, Tensor(network.output)) for m in metrics]
    sums = {
        mode: (n, build("mul", full[mode].node, n), *_metric_sums(found, y, Tensor(f))) for mode, f in _modes(network)
    }
    data = tuple(t.node for t in (y, weight) if t is not None)
    parameters = tuple(w.node for w in network.parameters)
    nexts = dict(network.updates)
    updates = tuple((s.node, nexts.get(s.node, s.node)) for s in network.states)  # in the order of the arrays
    training = Objective(
        (*network.inputs, *data), full["training"].node, parameters, sums["training"], updates, network.key
    )  # fmt: skip
    kept = tuple((s.node, s.node) for s in network.states)
    evaluation = Objective((*network.inputs, *data), full["evaluation"].node, parameters, sums["evaluation"], kept)
    names = _distinct([m.name for m in found])
    finishers = tuple((name, _shapes(m, y, network), m.finish) for name, m in zip(names, found, strict=True))
    targets = () if y is None else (y.node,)
    node = None if weight is None else weight.node
    loss = full["training"].node
    return Task(network, targets, node, training, evaluation, loss, finishers, **_demands(row, network))


def _demands(row: Any, network: Network) -> dict[str, Any]:
    """What a loss asks of its targets."""
    if row is None:
        return {}
    found: dict[str, Any] = {}
    made = any(losses.made_by(Tensor(network.output), name) for name in ("softmax", "sigmoid"))
    if row.logits is not None and not row.from_logits and not made:
        found["caution"] = CAUTION
    if row.has_labels:
        ignored = dict(row.options).get("ignore_class")
        return {**found, "classes": network.output.shape[-1], "ignored": ignored}
    return {**found, "of_probabilities": row.logits is not None}


def _regularised(network: Network, loss: Tensor) -> Tensor:
    """The loss with every parameter's penalty."""
    for w in network.parameters:
        if w.regularizer is not None:
            loss = loss + w.regularizer(Tensor(w.node))
    return loss


def _metric_sums(found: Sequence[Any], y: Tensor | None, yhat: Tensor) -> list[Node]:
    return [s.node for m in found for s in m.sums(y, yhat, None)]


def _distinct(names: Sequence[str]) -> list[str]:
    """Names under which nothing that is logged hides another: ``top_k``, ``top_k_1``."""
    taken = ["loss"]
    for name in names:
        ways = (f"{name}_{i}" if i else name for i in range(len(taken) + 1))
        taken.append(next(n for n in ways if n not in taken))
    return taken[1:]


def _shapes(metric: Any, y: Tensor | None, network: Network) -> tuple[tuple[int, ...], ...]:
    found = []
    for s in metric.sums(y, Tensor(network.output), None):
        assert not any(isinstance(n, Size) for n in s.shape), f"{metric.name}: a sum has a known shape"
        found.append(tuple(s.shape))
    return tuple(found)


__all__ = ["CAUTION", "Task", "Wanted", "has_weights", "task_of"]
