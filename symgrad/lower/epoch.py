"""Around a training step: where it is in its epoch, which rows it takes, what it adds to the logs.

In: a ``Training`` and the names of its integers. Out: the statements before and after the step's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symgrad.ir.expression import Expr, apply, call, const, load, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, If, Loop, Statement, Store
from symgrad.ir.types import size_product
from symgrad.lower.frame import Frame
from symgrad.lower.sizes import integer


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
class Clock:
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


def number(name: str) -> Expr:
    return var(name, "i64")


def scalar(frame: Frame, node: Node) -> Expr:
    return frame.literal(node) if node.op.name == "constant" else frame.scalars[node]


def counted(clock: Clock) -> list[Statement]:
    """What the numbers of rows and of a batch's rows give."""
    rows, size = number(clock.rows), number(clock.size)
    return [
        Assign(clock.most, select(size < rows, size, rows)),
        Assign(clock.per_epoch, apply("floordiv", rows + size - 1, size)),
    ]


def opened_step(frame: Frame, training: Training, clock: Clock, names: tuple[str, str]) -> list[Statement]:
    """Where the step is in its epoch; a new epoch starts new totals and a new order."""
    count, totals = names
    step, batch, size, rows = map(number, (clock.step, clock.batch, clock.size, clock.rows))
    left = rows - number(clock.begin)
    i = frame.loop(0)
    fresh: list[Statement] = [
        Loop(
            i,
            integer(0),
            Expr("length", (), "i64", (totals, 0)),
            (Store(totals, (number(i),), const(0.0, "f64")),),
        )
    ]
    body: list[Statement] = [
        Assign(clock.epoch, apply("floordiv", step, number(clock.per_epoch))),
        Assign(clock.batch, step - number(clock.epoch) * number(clock.per_epoch)),
        Assign(clock.begin, batch * size),
        Assign(count, select(left < size, left, size)),
        If(apply("eq", batch, 0), tuple(fresh)),
    ]
    update = frame.scalars[training.step]
    body.append(Assign(str(update.value), number(clock.before) + step))
    if training.shuffled:
        due = apply("eq", batch, 0) | (load(clock.order, (integer(0),), "i64") < 0)
        body.append(If(due, (Call("permutation", (clock.order, clock.seed, clock.epoch)),)))
    if training.key is not None:
        key = call("mix", (number(clock.seed), update), "i64")
        body.append(Assign(str(frame.scalars[training.key].value), key))
    return body


def gathered(frame: Frame, training: Training, wholes: list[str], clock: Clock) -> list[Statement]:
    """The batch: rows in the drawn order, copied; or a view of rows that stand together."""
    if not training.shuffled:
        start, end = frame.fresh("low"), frame.fresh("high")
        count = frame.size(training.data[0].shape[0])
        views = [Call("rows", (w, frame.buffers[d], start, end)) for d, w in zip(training.data, wholes, strict=True)]
        first = Assign(start, number(clock.begin) - number(clock.offset))
        return [first, Assign(end, number(start) + count), *views]
    memory = [Allocate(frame.buffers[d], tuple(map(frame.size, d.shape)), frame.kind(d)) for d in training.data]
    i, at = frame.loop(0), frame.fresh("at")
    position = load(clock.order, (number(clock.begin) + number(i),), "i64")
    inner: list[Statement] = [Assign(at, position)]
    for d, whole in zip(training.data, wholes, strict=True):
        inner += _row(frame, d, whole, at)
    loop = Loop(i, integer(0), frame.size(training.data[0].shape[0]), tuple(inner))
    return [*memory, loop]


def _row(frame: Frame, data: Node, whole: str, at: str) -> list[Statement]:
    """One row of the data into the batch."""
    loops = [frame.loop(d) for d in range(data.type.rank)]
    rest = tuple(map(number, loops[1:]))
    value = load(whole, (number(at), *rest), frame.kind(data))
    body: tuple[Statement, ...] = (Store(frame.buffers[data], (number(loops[0]), *rest), value),)
    for name, size in reversed(list(zip(loops[1:], data.shape[1:], strict=True))):
        body = (Loop(name, integer(0), frame.size(size), body),)
    return list(body)


def summed(frame: Frame, totals: list[Node], buffer: str) -> list[Statement]:
    """Every total into its place of the epoch's totals, as float64."""
    found: list[Statement] = []
    place = 0
    for node in totals:
        if not node.type.rank:
            found.append(Accumulate(buffer, (integer(place),), "add", _wide(scalar(frame, node))))
            place += 1
            continue
        size = size_product(node.shape)
        assert isinstance(size, int), "a total has a known size"
        i = frame.loop(0)
        before = len(frame.body)
        flat = frame.flat(frame.buffer(node))
        found += frame.body[before:]
        del frame.body[before:]
        term = _wide(load(flat, (number(i),), frame.kind(node)))
        found.append(Loop(i, integer(0), integer(size), (Accumulate(buffer, (number(i) + place,), "add", term),)))
        place += size
    return found


def _wide(x: Expr) -> Expr:
    return apply("widen", x) if x.dtype == "f32" else x


def logged(frame: Frame, clock: Clock, totals: str, logs: str) -> If:
    """At the end of an epoch its totals are kept."""
    row = number(clock.epoch) - apply("floordiv", number(clock.first), number(clock.per_epoch))
    i = number(frame.loop(0))
    keep = Store(logs, (row, i), load(totals, (i,), "f64"))
    loop = Loop(frame.loop(0), integer(0), Expr("length", (), "i64", (totals, 0)), (keep,))
    return If(apply("eq", number(clock.batch), number(clock.per_epoch) - 1), (loop,))
