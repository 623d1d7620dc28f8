"""The training loop as one function of the loop program: gather a batch, derive, test, update in place, log.

In: a ``Training``. Out: a function that runs the steps first..last-1; ``clock[0]`` is the number of steps taken. A step
with a result that must be finite and is not ends the loop before anything is updated, and the function gives the number
of that result, else -1. Arrays that a step needs are allocated once, before the loop, for the
largest batch. State is updated in place, after everything that reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symgrad.ir.expression import Expr, apply, call, const, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import (
    Accumulate,
    Allocate,
    Assign,
    Call,
    Function,
    If,
    Loop,
    Parameter,
    Return,
    Statement,
    Store,
)
from symgrad.ir.types import Size, size_product
from symgrad.lower.frame import Frame, Module
from symgrad.lower.function import bind_sizes, compute, expanded, hidden_parameters, opened, settled
from symgrad.lower.hoist import Hoist
from symgrad.lower.in_place import in_place, with_lengths_of
from symgrad.lower.sizes import integer

NAME = "train"


@dataclass(frozen=True, slots=True)
class Training:
    """What a step computes.

    ``data`` are arrays with a row for each sample; ``state`` what ``updates`` (state -> next value) change;
    ``settings`` real scalars that are given for a slice of steps; ``step`` and ``key`` integers that differ from step
    to step: the number of the update, and a hash of it. ``sound`` tells of each result that must be finite whether it
    is; ``totals`` are added up over the batches of an epoch. ``handed`` are (variable, value): what the updates read of
    the first phase. ``shuffled`` takes the samples of an epoch in an order drawn for it, else as they stand.
    """

    data: tuple[Node, ...]
    state: tuple[Node, ...]
    settings: tuple[Node, ...]
    step: Node
    key: Node | None
    sound: tuple[Node, ...]
    totals: tuple[Node, ...]
    handed: tuple[tuple[Node, Node], ...]
    updates: tuple[tuple[Node, Node], ...]
    shuffled: bool
    notes: Mapping[Node, str] = field(default_factory=dict)
    doc: str = ""


@dataclass(frozen=True, slots=True)
class _Clock:
    """Names of the integers that count: parameters first, then what the loop derives from them.

    The arrays that are given start with row ``offset`` of the epoch's order (0 where they are whole, or are gathered).
    """

    first: str
    last: str
    size: str
    seed: str
    before: str
    rows: str
    offset: str
    order: str
    most: str
    per_epoch: str
    step: str
    epoch: str
    batch: str
    begin: str


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
    clock = _Clock(*(frame.fresh(name) for name in _Clock.__dataclass_fields__))
    compute(frame, list(final.values()))
    first = settled(frame, frozenset(_arrays(frame, final.values())))
    second = _updates(frame, training, final)
    hoist = Hoist(frame, str(count.value), clock.most)
    body = hoist.run(
        [*_gathered(frame, training, wholes, clock), *_scalar_states(frame, training), *frame.checks, *first]
    )
    totals, logs, taken = (frame.fresh(name) for name in ("totals", "logs", "clock"))
    summed = _summed(frame, [final[t] for t in training.totals], totals)
    step = (
        *_opened_step(frame, training, clock, (str(count.value), totals)),
        *body,
        *_tested(frame, [final[s] for s in training.sound], clock),
        *hoist.run(second),
        *summed,
        _logged(frame, clock, totals, logs),
        Store(taken, (integer(0),), _int(clock.step) + 1),
    )
    loop = Loop(clock.step, _int(clock.first), _int(clock.last), step)
    sizes = with_lengths_of(
        bind_sizes(frame, given), {frame.buffers[d]: w for d, w in zip(training.data, wholes, strict=True)}
    )
    others = [s for s in sizes if isinstance(s, Assign) and s.target != count.value]
    whole = (*_counted(clock), *others, *hoist.memory, loop, Return((integer(-1),)))
    parameters = _parameters(frame, training, wholes, (clock, totals, logs, taken))
    hidden = tuple(name for name, _ in frame.hidden)
    return Function(NAME, (*parameters, *hidden_parameters(frame)), whole, training.doc, (), hidden)


def _tested(frame: Frame, sound: list[Node], clock: _Clock) -> list[Statement]:
    """Leave with the number of the first result that is not finite."""
    flags = [_scalar(frame, node) for node in sound]
    if not flags:
        return []
    every, which = flags[0], integer(len(flags) - 1)
    for flag in flags[1:]:
        every = every & flag
    for number in reversed(range(len(flags) - 1)):
        which = select(apply("not", flags[number]), integer(number), which)
    return [If(apply("not", every), (Return((which,)),))]


def _some(node: Node | None) -> tuple[Node, ...]:
    return () if node is None else (node,)


def _int(name: str) -> Expr:
    return var(name, "i64")


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
        frame.scalars[node] = _int(frame.name(node) or frame.fresh("v"))
    return [frame.fresh(f"{frame.buffers[d]}_rows") for d in training.data]


def _scalar_states(frame: Frame, training: Training) -> list[Statement]:
    """State of rank 0 lives in a vector of one element, and is read once a step."""
    scalars = [s for s in training.state if not s.shape]
    return [Assign(str(frame.scalars[s].value), load(frame.buffers[s], (integer(0),), frame.kind(s))) for s in scalars]


def _arrays(frame: Frame, nodes: object) -> list[str]:
    return [frame.buffer(n) for n in nodes if n.type.rank]  # type: ignore[attr-defined]


def _scalar(frame: Frame, node: Node) -> Expr:
    return frame.literal(node) if node.op.name == "constant" else frame.scalars[node]


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
        after.scalars[variable] = _scalar(frame, value)


def _stored(after: Frame, body: list[Statement], changed: list[tuple[Node, Node]]) -> list[Statement]:
    """Arrays in place where possible; scalars at the very end, since all of them may read the old ones."""
    ends: list[Statement] = []
    for old, new in changed:
        if old.type.rank:
            body = in_place(after, body, after.buffers[old], after.buffer(new))
        else:
            ends.append(Store(after.buffers[old], (integer(0),), _scalar(after, new), **after.mark(new)))
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


def _counted(clock: _Clock) -> list[Statement]:
    """What the numbers of rows and of a batch's rows give."""
    rows, size = _int(clock.rows), _int(clock.size)
    return [
        Assign(clock.most, select(size < rows, size, rows)),
        Assign(clock.per_epoch, apply("floordiv", rows + size - 1, size)),
    ]


def _opened_step(frame: Frame, training: Training, clock: _Clock, names: tuple[str, str]) -> list[Statement]:
    """Where the step is in its epoch; a new epoch starts new totals and a new order."""
    count, totals = names
    step, batch, size, rows = map(_int, (clock.step, clock.batch, clock.size, clock.rows))
    left = rows - _int(clock.begin)
    i = frame.loop(0)
    fresh: list[Statement] = [
        Loop(i, integer(0), Expr("length", (), "i64", (totals, 0)), (Store(totals, (_int(i),), const(0.0, "f64")),))
    ]
    body: list[Statement] = [
        Assign(clock.epoch, apply("floordiv", step, _int(clock.per_epoch))),
        Assign(clock.batch, step - _int(clock.epoch) * _int(clock.per_epoch)),
        Assign(clock.begin, batch * size),
        Assign(count, select(left < size, left, size)),
        If(apply("eq", batch, 0), tuple(fresh)),
    ]
    number = frame.scalars[training.step]
    body.append(Assign(str(number.value), _int(clock.before) + step))
    if training.shuffled:
        due = apply("eq", batch, 0) | (load(clock.order, (integer(0),), "i64") < 0)
        body.append(If(due, (Call("permutation", (clock.order, clock.seed, clock.epoch)),)))
    if training.key is not None:
        key = call("mix", (_int(clock.seed), number), "i64")
        body.append(Assign(str(frame.scalars[training.key].value), key))
    return body


def _gathered(frame: Frame, training: Training, wholes: list[str], clock: _Clock) -> list[Statement]:
    """The batch: rows in the drawn order, copied; or a view of rows that stand together."""
    if not training.shuffled:
        start, end = frame.fresh("low"), frame.fresh("high")
        count = frame.size(training.data[0].shape[0])
        views = [Call("rows", (w, frame.buffers[d], start, end)) for d, w in zip(training.data, wholes, strict=True)]
        at = [Assign(start, _int(clock.begin) - _int(clock.offset)), Assign(end, _int(start) + count)]
        return [*at, *views]
    memory = [Allocate(frame.buffers[d], tuple(map(frame.size, d.shape)), frame.kind(d)) for d in training.data]
    i, at = frame.loop(0), frame.fresh("at")
    position = load(clock.order, (_int(clock.begin) + _int(i),), "i64")
    inner: list[Statement] = [Assign(at, position)]
    for d, whole in zip(training.data, wholes, strict=True):
        inner += _row(frame, d, whole, at)
    loop = Loop(i, integer(0), frame.size(training.data[0].shape[0]), tuple(inner))
    return [*memory, loop]


def _row(frame: Frame, data: Node, whole: str, at: str) -> list[Statement]:
    """One row of the data into the batch."""
    loops = [frame.loop(d) for d in range(data.type.rank)]
    rest = tuple(map(_int, loops[1:]))
    value = load(whole, (_int(at), *rest), frame.kind(data))
    body: tuple[Statement, ...] = (Store(frame.buffers[data], (_int(loops[0]), *rest), value),)
    for name, size in reversed(list(zip(loops[1:], data.shape[1:], strict=True))):
        body = (Loop(name, integer(0), frame.size(size), body),)
    return list(body)


def _summed(frame: Frame, totals: list[Node], buffer: str) -> list[Statement]:
    """Every total into its place of the epoch's totals, as float64."""
    found: list[Statement] = []
    place = 0
    for node in totals:
        if not node.type.rank:
            found.append(Accumulate(buffer, (integer(place),), "add", _wide(_scalar(frame, node))))
            place += 1
            continue
        size = size_product(node.shape)
        assert isinstance(size, int), "a total has a known size"
        i = frame.loop(0)
        before = len(frame.body)
        flat = frame.flat(frame.buffer(node))
        found += frame.body[before:]
        del frame.body[before:]
        term = _wide(load(flat, (_int(i),), frame.kind(node)))
        found.append(Loop(i, integer(0), integer(size), (Accumulate(buffer, (_int(i) + place,), "add", term),)))
        place += size
    return found


def _wide(x: Expr) -> Expr:
    return apply("widen", x) if x.dtype == "f32" else x


def _logged(frame: Frame, clock: _Clock, totals: str, logs: str) -> If:
    """At the end of an epoch its totals are kept."""
    row = _int(clock.epoch) - apply("floordiv", _int(clock.first), _int(clock.per_epoch))
    i = _int(frame.loop(0))
    keep = Store(logs, (row, i), load(totals, (i,), "f64"))
    loop = Loop(frame.loop(0), integer(0), Expr("length", (), "i64", (totals, 0)), (keep,))
    return If(apply("eq", _int(clock.batch), _int(clock.per_epoch) - 1), (loop,))


def _parameters(
    frame: Frame, training: Training, wholes: list[str], names: tuple[_Clock, str, str, str]
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
