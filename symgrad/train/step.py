"""From a loss to the graph of one training step.

In: an ``Objective`` and an optimizer. Out: a ``Training`` for the loop program: loss, gradients, totals for the logs,
and next values of parameters, optimizer slots and running statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.emit.names import Names as Identifiers
from symgrad.ir.memory import uncollected
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.show import label, printable
from symgrad.ir.types import ArrayType, Size, real
from symgrad.ir.walk import topological
from symgrad.lower.epoch import Training
from symgrad.ops.leaf import cast, size, variable
from symgrad.ops.shape import broadcast
from symgrad.passes.differentiate import zeros
from symgrad.passes.names import Names, strip
from symgrad.passes.report import PassReport
from symgrad.passes.reverse import bars as sweep
from symgrad.pipeline import GRADIENT, PRIMAL, check_size, expanded, run, with_rules_pass

INFINITY = float("inf")


@dataclass(frozen=True, slots=True)
class Objective:
    """What is minimised over rows of ``data``.

    ``loss`` is a scalar; ``sums`` what the logs add up over batches (the first two: number of rows, rows times loss);
    ``parameters`` are learned, ``updates`` give the next value of each other state (running statistics).
    """

    data: tuple[Node, ...]
    loss: Node
    parameters: tuple[Node, ...]
    sums: tuple[Node, ...] = ()
    updates: tuple[tuple[Node, Node], ...] = ()
    key: Node | None = None


@dataclass(frozen=True, slots=True)
class Slots:
    """The optimizer's state: one variable for each slot of each parameter, and the shared ones."""

    own: tuple[Mapping[str, Node], ...]
    shared: Mapping[str, Node]

    def flat(self) -> tuple[Node, ...]:
        """All of them, in the order of the loop's arguments."""
        return (*(node for slots in self.own for node in slots.values()), *self.shared.values())


@dataclass(frozen=True, slots=True)
class Step:
    """A training step, its identifiers, and what its state is."""

    training: Training
    names: Identifiers
    slots: Slots
    passes: tuple[PassReport, ...]


def slots_of(optimizer: Any, parameters: Sequence[Node]) -> Slots:
    """New variables for the optimizer's state; a slot has its parameter's name and its own."""
    own = []
    for p in parameters:
        name = p["variable"].name
        each = [s for s in optimizer.slots if not s.shared]
        own.append({s.name: variable(Variable(f"{name}_{s.name}", "state"), p.type) for s in each})
    shared = {s.name: variable(Variable(s.name, "state"), real()) for s in optimizer.slots if s.shared}
    return Slots(tuple(own), shared)


@uncollected()
def step_of(objective: Objective, optimizer: Any, *, shuffled: bool, doc: str = "") -> Step:
    """The step that the optimizer makes of the objective's gradient."""
    reports: list[PassReport] = []
    outputs = [objective.loss, *objective.sums, *(value for _, value in objective.updates)]
    check_size(outputs)
    values, gradients, names, bars = _derived(outputs, objective.parameters, reports)
    loss, rest = values[0], values[1:]
    sums, news = rest[: len(objective.sums)], rest[len(objective.sums) :]
    slots = slots_of(optimizer, objective.parameters)
    rate = variable(Variable("learning_rate", "setting"), real())
    number = variable(Variable("update", "setting"), ArrayType((), "int"))
    barred = [variable(Variable(f"{p['variable'].name}_bar", "cotangent"), p.type) for p in objective.parameters]
    updates = _updates(optimizer, (objective.parameters, barred), slots, (number, rate), reports)
    handed = [*zip(barred, gradients, strict=True)]
    for (state, value), new in zip(objective.updates, news, strict=True):
        if value is state:  # it stays as it is
            continue
        measured = variable(Variable(f"{state['variable'].name}_next", "cotangent"), state.type)
        handed.append((measured, new))
        updates.append((state, broadcast(measured, measured.shape)))
    changed = (*objective.parameters, *(s for s, _ in objective.updates), *slots.flat())
    training = Training(
        objective.data, changed, (rate,), number, objective.key, _sound(loss, gradients), tuple(sums),
        tuple(handed), tuple(updates), shuffled, _notes(bars, names), doc,
    )  # fmt: skip
    return Step(training, _identifiers(training, names, bars, gradients, barred), slots, tuple(reports))


@uncollected()
def evaluation_of(objective: Objective, doc: str = "") -> Step:
    """A step that adds up the objective's sums and changes nothing."""
    reports: list[PassReport] = []
    check_size(objective.sums)
    values, _, names, _ = _derived(objective.sums, (), reports)
    states = (*objective.parameters, *(s for s, _ in objective.updates))
    number = variable(Variable("update", "setting"), ArrayType((), "int"))
    training = Training(
        objective.data, states, (), number, objective.key, (), tuple(values), (), (), False, {}, doc
    )  # fmt: skip
    return Step(training, _identifiers(training, names, {}, (), ()), Slots((), {}), tuple(reports))


def _derived(outputs: Sequence[Node], wrt: Sequence[Node], reports: list[PassReport]) -> tuple:
    """Values and gradients of the first output in their final form, with names and cotangents of what is between."""
    plain, names, _ = strip(outputs)
    new = run([("rules", with_rules_pass), *PRIMAL], [*plain, *wrt, *names], reports)
    primal = [new[n] for n in plain]
    names = {new[n]: name for n, name in reversed(names.items()) if new[n].op.kind != "leaf"}
    bars = sweep({primal[0]: constant(1.0)}, list(wrt)) if wrt else {}
    everything = [*primal, *bars, *bars.values(), *names]
    _, _, bare = strip(everything)
    final = run(GRADIENT, [bare[n] for n in everything], reports)
    code = expanded([*(final[bare[n]] for n in everything)])
    last = {n: code[final[bare[n]]] for n in everything}
    gradients = [last[bars[x]] if x in bars else zeros(x.shape) for x in wrt]
    shown: Names = {last[n]: name for n, name in reversed(names.items())}
    return [last[f] for f in primal], gradients, shown, {last[x]: last[bar] for x, bar in bars.items()}


def _updates(
    optimizer: Any, pair: tuple[Sequence[Node], Sequence[Node]], slots: Slots, clock: tuple[Node, Node], reports: list
) -> list[tuple[Node, Node]]:
    """(state, next value) of the parameters and of every slot."""
    (parameters, gradients), (number, rate) = pair, clock
    eta = optimizer.rate(number, rate)
    t = cast(number, "real") + 1.0
    thetas, own, shared = optimizer.update(parameters, gradients, slots.own, slots.shared, (eta, t))
    pairs = list(zip(parameters, thetas, strict=True))
    for before, after in zip(slots.own, own, strict=True):
        pairs += [(before[name], after[name]) for name in before]
    pairs += [(slots.shared[name], shared[name]) for name in slots.shared]
    final = run(GRADIENT, [new for _, new in pairs], reports)
    code = expanded([final[new] for _, new in pairs])
    return [(old, code[final[new]]) for old, new in pairs]


def _sound(loss: Node, gradients: Sequence[Node]) -> tuple[Node, ...]:
    """Whether the loss, and all elements of each gradient, are finite."""
    flags = [_is_finite(x) for x in (loss, *gradients)]
    return tuple(build("all_reduce", f, axes=tuple(range(f.type.rank))) if f.type.rank else f for f in flags)


def _is_finite(x: Node) -> Node:
    return build("abs", x) < constant(INFINITY)


def _notes(bars: Mapping[Node, Node], names: Names) -> dict[Node, str]:
    """Above a cotangent's line, the primal line that it reverses."""
    notes: dict[Node, str] = {}
    for x, bar in bars.items():
        if x in names and bar.op.kind != "leaf":
            notes.setdefault(bar, f"{printable(names[x][0])} = {label(x, names)}")
    return notes


def _identifiers(
    training: Training, names: Names, bars: Mapping[Node, Node], gradients: Sequence[Node], barred: Sequence[Node]
) -> Identifiers:
    preferred: dict[Node, str] = {}
    given = (*training.data, *training.state, *training.settings, training.step)
    for v in (*given, *([training.key] if training.key is not None else [])):
        preferred.setdefault(v, v["variable"].name)
    for node, (name, _) in names.items():
        preferred.setdefault(node, name)
    for node, variable_ in zip(gradients, barred, strict=True):
        preferred.setdefault(node, variable_["variable"].name)
    for node in topological([*training.sound, *training.totals, *gradients]):
        if node.op.name.endswith("_slope") and node.args[0] in preferred:
            preferred.setdefault(node, f"{preferred[node.args[0]]}_slope")
    primal = set(preferred)
    for x, bar in bars.items():
        if x in primal and bar.op.kind != "leaf":
            preferred.setdefault(bar, f"{preferred[x]}_bar")
    sizes = [name for v in given for n in v.shape if isinstance(n, Size) for name in n.names()]
    return Identifiers(preferred, dict.fromkeys(sizes))


def rows(data: Node) -> Node:
    """The number of rows of a batch, as a real scalar."""
    return size(data.shape[0])


__all__ = ["Objective", "Slots", "Step", "rows", "step_of"]
