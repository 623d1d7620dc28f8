"""The training loop as one function of the loop program: gather a batch, derive, test, update in place, log.

In: a ``Training``. Out: a function that runs the steps first..last-1; ``clock[0]`` is the number of steps taken. A step
with a result that must be finite and is not ends the loop before anything is updated, and the function gives the number
of that result, else -1. Arrays that a step needs are allocated once, before the loop, for the
largest batch. State is updated in place, after everything that reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symgrad.ir.expression import apply, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Assign, Function, If, Loop, Parameter, Return, Statement, Store
from symgrad.ir.types import Size
from symgrad.lower.epoch import (
    Clock,
    Training,
    counted,
    gathered,
    logged,
    number,
    opened_step,
    scalar,
    summed,
)
from symgrad.lower.frame import Frame, Module
from symgrad.lower.function import bind_sizes, compute, expanded, hidden_parameters, opened, settled
from symgrad.lower.hoist import Hoist
from symgrad.lower.in_place import in_place, with_lengths_of
from symgrad.lower.sizes import integer

NAME = "train"


def lower_training(training: Training, module: Module) -> Function:
    """The function ``train``."""
    n = training.data[0].shape[0]
    assert isinstance(n, Size), "the batch has a named size"
    assert all(d.shape[0] == n for d in training.data)
    given = (*training.data, *training.state, *training.settings, training.step, *_some(training.key))
    values = [*training.sound, *training.totals, *(value for _, value in training.handed)]
    frame, final = opened(list(dict.fromkeys(values)), frozenset(given), module, training.notes)
    count = frame.size(n)
    wholes = _declare(frame, training)
    clock = Clock(*(frame.fresh(name) for name in Clock.__dataclass_fields__))
    compute(frame, list(final.values()))
    first = settled(frame, frozenset(_arrays(frame, final.values())))
    second = _updates(frame, training, final)
    hoist = Hoist(frame, str(count.value), clock.most)
    batch = [*gathered(frame, training, wholes, clock), *_scalar_states(frame, training)]
    body = [*frame.ahead, *hoist.run([*batch, *frame.checks, *first])]
    totals, logs, taken = (frame.fresh(name) for name in ("totals", "logs", "clock"))
    sums = summed(frame, [final[t] for t in training.totals], totals)
    step = (
        *opened_step(frame, training, clock, (str(count.value), totals)),
        *body,
        *_tested(frame, [final[s] for s in training.sound], clock),
        *hoist.run(second),
        *sums,
        logged(frame, clock, totals, logs),
        Store(taken, (integer(0),), number(clock.step) + 1),
    )
    loop = Loop(clock.step, number(clock.first), number(clock.last), step)
    sizes = with_lengths_of(
        bind_sizes(frame, given), {frame.buffers[d]: w for d, w in zip(training.data, wholes, strict=True)}
    )
    others = [s for s in sizes if isinstance(s, Assign) and s.target != count.value]
    whole = (*counted(clock), *others, *hoist.memory, loop, Return((integer(-1),)))
    parameters = _parameters(frame, training, wholes, (clock, totals, logs, taken))
    hidden = tuple(name for name, _ in frame.hidden)
    return Function(NAME, (*parameters, *hidden_parameters(frame)), whole, training.doc, (), hidden)


def _tested(frame: Frame, sound: list[Node], clock: Clock) -> list[Statement]:
    """Leave with the number of the first result that is not finite."""
    flags = [scalar(frame, node) for node in sound]
    if not flags:
        return []
    every, which = flags[0], integer(len(flags) - 1)
    for flag in flags[1:]:
        every = every & flag
    for place in reversed(range(len(flags) - 1)):
        which = select(apply("not", flags[place]), integer(place), which)
    return [If(apply("not", every), (Return((which,)),))]


def _some(node: Node | None) -> tuple[Node, ...]:
    return () if node is None else (node,)


def _declare(frame: Frame, training: Training) -> list[str]:
    """Names of what is given; those of the whole data arrays come back."""
    for node in (*training.data, *training.state):
        name = frame.name(node) or frame.fresh("v")
        frame.buffers[node] = name
        frame.own(name, node.shape or (1,), frame.kind(node))
        if not node.shape:
            frame.scalars[node] = var(frame.fresh(f"{name}_now"), frame.kind(node))
    for node in training.settings:
        frame.scalars[node] = var(frame.name(node) or frame.fresh("v"), frame.kind(node))
    for node in (training.step, *_some(training.key)):
        frame.scalars[node] = number(frame.name(node) or frame.fresh("v"))
    return [frame.fresh(f"{frame.buffers[d]}_rows") for d in training.data]


def _scalar_states(frame: Frame, training: Training) -> list[Statement]:
    """State of rank 0 lives in a vector of one element, and is read once a step."""
    scalars = [s for s in training.state if not s.shape]
    return [Assign(str(frame.scalars[s].value), load(frame.buffers[s], (integer(0),), frame.kind(s))) for s in scalars]


def _arrays(frame: Frame, nodes: Iterable[Node]) -> list[str]:
    return [frame.buffer(n) for n in nodes if n.type.rank]


def _updates(frame: Frame, training: Training, final: Mapping[Node, Node]) -> list[Statement]:
    """The second phase: next values, written over the old ones."""
    given = (*training.state, *training.settings, training.step, *(v for v, _ in training.handed))
    after = frame.sequel(frozenset(given))
    for node in given:
        source = frame if node in frame.inputs else None
        if source is not None and node in source.buffers:
            after.buffers[node] = source.buffers[node]
        if source is not None and node in source.scalars:
            after.scalars[node] = source.scalars[node]
    for variable, value in training.handed:
        _hand_over(frame, after, variable, final[value])
    changed = [(old, new) for old, new in training.updates if new is not old]
    nexts = expanded(after, [new for _, new in changed])
    compute(after, list(nexts.values()))
    kept = frozenset(_arrays(after, nexts.values())) | {after.buffers[v] for v in given if v.type.rank}
    body = [*after.checks, *settled(after, kept)]
    return _stored(after, body, [(old, nexts[new]) for old, new in changed])


def _hand_over(frame: Frame, after: Frame, variable: Node, value: Node) -> None:
    """Make a value of the first phase known to the second."""
    if value.type.rank:
        after.buffers[variable] = frame.buffer(value)
    else:
        after.scalars[variable] = scalar(frame, value)


def _stored(after: Frame, body: list[Statement], changed: list[tuple[Node, Node]]) -> list[Statement]:
    """Arrays in place where possible; scalars at the very end, since all of them may read the old ones."""
    ends: list[Statement] = []
    for old, new in changed:
        if old.type.rank:
            body = in_place(after, body, after.buffers[old], after.buffer(new))
        else:
            ends.append(Store(after.buffers[old], (integer(0),), scalar(after, new), **after.mark(new)))
    return [*body, *_held(after, ends)]


def _held(after: Frame, ends: list[Statement]) -> list[Statement]:
    """The stores, after assignments of everything that they store."""
    ahead: list[Statement] = []
    stores: list[Statement] = []
    for s in ends:
        assert isinstance(s, Store)
        name = after.fresh(f"{s.buffer}_next")
        ahead.append(Assign(name, s.expr))
        stores.append(Store(s.buffer, s.index, var(name, s.expr.dtype), s.note, s.node))
    return [*ahead, *stores]


def _parameters(
    frame: Frame, training: Training, wholes: list[str], names: tuple[Clock, str, str, str]
) -> list[Parameter]:
    clock, totals, logs, taken = names
    found = [Parameter(w, frame.kind(d), d.type.rank) for w, d in zip(wholes, training.data, strict=True)]
    found += [Parameter(frame.buffers[s], frame.kind(s), max(1, s.type.rank)) for s in training.state]
    found += [Parameter(str(frame.scalars[s].value), frame.kind(s)) for s in training.settings]
    found += [Parameter(clock.order, "i64", 1)] if training.shuffled else []
    found += [Parameter(totals, "f64", 1), Parameter(logs, "f64", 2), Parameter(taken, "i64", 1)]
    return [
        *found,
        *(
            Parameter(n, "i64")
            for n in (clock.first, clock.last, clock.size, clock.seed, clock.before, clock.rows, clock.offset)
        ),
    ]
