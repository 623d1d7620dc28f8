"""One target as one function: parameters, sizes, stages, results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symgrad.errors import InternalError
from symgrad.ir.evaluate import linear
from symgrad.ir.expression import Expr, apply, length, load, var
from symgrad.ir.node import Node, build
from symgrad.ir.program import Allocate, Assign, Function, Loop, Parameter, Return, Statement, Store
from symgrad.lower.bounds import size_checks
from symgrad.lower.buffers import reuse
from symgrad.lower.contract import emit_product
from symgrad.lower.expand import expand
from symgrad.lower.frame import Frame, Module, count
from symgrad.lower.gather import emit_gather, emit_scatter
from symgrad.lower.loops import Kernel, emit_kernel
from symgrad.lower.merge import Merger, names_in
from symgrad.lower.origin import Origin
from symgrad.lower.scan import emit_cumsum, emit_position, emit_prod_others
from symgrad.lower.schedule import Plan, Scheduler, Stage
from symgrad.lower.sizes import integer
from symgrad.lower.target import MANY, Target, is_packed
from symgrad.lower.window import emit_overlap_add
from symgrad.lower.write import Writer

_EMIT: dict[str, Callable[[Frame, Node], None]] = {
    "einsum": emit_product,
    "cumsum": emit_cumsum,
    "prod_others": emit_prod_others,
    "argmax": emit_position,
    "argmin": emit_position,
    "gather": emit_gather,
    "scatter_add": emit_scatter,
    "overlap_add": emit_overlap_add,
}


def lower_function(target: Target, module: Module) -> Function:
    """The function of a target."""
    flat = list(_leaves(target.results))
    frame, final = opened(flat, frozenset(target.inputs), module, target.notes)
    parameters, packed = _declare(frame, target.inputs)
    compute(frame, [final[n] for n in flat])
    returned = Return(_returned(frame, target.results, final))
    planned = settled(frame, names_in(returned))
    body = (*bind_sizes(frame, target.inputs), *frame.ahead, *frame.checks, *planned, returned)
    hidden = tuple(name for name, _ in frame.hidden)
    return Function(target.name, (*parameters, *hidden_parameters(frame)), body, target.doc, packed, hidden)


def opened(
    results: list[Node], inputs: frozenset[Node], module: Module, notes: Mapping[Node, str]
) -> tuple[Frame, dict[Node, Node]]:
    """A frame for the results, and each result in primitives; a given array that is asked for will be copied."""
    frame = Frame(module, notes, Origin({}, {}))
    frame.inputs = inputs
    return frame, expanded(frame, results)


def expanded(frame: Frame, results: list[Node]) -> dict[Node, Node]:
    """Each result in primitives, with the frame knowing where they come from."""
    made, frame.origin = expand(results, frame.inputs)
    made = [_moved_out(n) if n.type.rank and (n.op.kind == "leaf" or n in frame.inputs) else n for n in made]
    return dict(zip(results, made, strict=True))


def compute(frame: Frame, results: list[Node]) -> None:
    """Add the statements that compute the results (in primitives), and the tests that they need."""
    plan = Scheduler(results, frame.inputs).plan()
    frame.checks += size_checks(frame, plan.order)
    outputs = frozenset(results)
    for stage in plan.stages:
        _emit_stage(frame, stage, plan, outputs)


def settled(frame: Frame, leaving: frozenset[str]) -> list[Statement]:
    """The frame's statements with loops merged and memory used again; ``leaving`` names stay as they are."""
    kept = frozenset(frame.buffers[n] for n in frame.inputs if n.type.rank) | leaving
    merged = Merger(frame.scratch_names, kept).run(frame.body)
    return reuse(merged, leaving)


def hidden_parameters(frame: Frame) -> tuple[Parameter, ...]:
    """Large constant arrays, which travel as trailing arguments."""
    return tuple(Parameter(name, frame.kind(node), node.type.rank) for name, node in frame.hidden)


def _moved_out(node: Node) -> Node:
    """An array that is given, as one that is computed."""
    return build("broadcast", node, shape=node.shape)


def _leaves(results: Any) -> Iterator[Node]:
    """The nodes in nested tuples, in order."""
    stack = [results]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(reversed(item))
        else:
            yield item


def _declare(frame: Frame, inputs: tuple[Node, ...]) -> tuple[tuple[Parameter, ...], tuple[str, ...]]:
    """The parameters; many real scalars travel in one vector and are taken out of it first."""
    scalars = [n for n in inputs if not n.shape and n.dtype == "real"]
    many = len(scalars) > MANY
    inside = set(scalars) if many else set()
    names = {n: frame.name(n) or frame.fresh("v") for n in dict.fromkeys(inputs)}
    parameters = []
    if many:
        vector = frame.fresh("scalars")
        parameters.append(Parameter(vector, frame.module.dtype, 1))
        for position, node in enumerate(scalars):
            frame.body.append(Assign(names[node], load(vector, (integer(position),), frame.module.dtype)))
    for node, name in names.items():
        if node not in inside:
            parameters.append(Parameter(name, frame.kind(node), node.type.rank))
        if node.type.rank:
            frame.buffers[node] = name
            frame.own(name, node.shape, frame.kind(node))
        else:
            frame.scalars[node] = var(name, frame.kind(node))
    return tuple(parameters), tuple(names[n] for n in scalars) if many else ()


def _emit_stage(frame: Frame, stage: Stage, plan: Plan, outputs: frozenset[Node]) -> None:
    for node in stage.views:
        frame.buffers[node] = frame.view(frame.buffer(node.args[0]), node.shape, frame.name(node))
    _emit_scalars(frame, stage.scalars, plan, outputs)
    for task in stage.tasks:
        if isinstance(task, Kernel):
            emit_kernel(frame, task)
        else:
            _EMIT[task.op.name](frame, task)


def _emit_scalars(frame: Frame, scalars: list[Node], plan: Plan, outputs: frozenset[Node]) -> None:
    """Straight lines for the values of rank 0."""
    roots = [n for n in scalars if n in plan.named or n in outputs]
    writer = Writer(frame, {}, [frame.body])
    values = writer.run([(n, ()) for n in roots], 0, plan.named)
    frame.scalars.update(zip(roots, values, strict=True))


def bind_sizes(frame: Frame, inputs: tuple[Node, ...]) -> list[Statement]:
    """Every named size that is used, from the shape of a parameter.

    Raises:  InternalError where no parameter shows it
    """
    found: dict[str, Expr] = {}
    for node in inputs:
        if node.op.name == "size":  # a residual that carries a size no array shows
            found[str(node["size"])] = frame.scalars[node]
        for axis, size in enumerate(node.shape):
            parts = linear(size)
            if parts is None:
                continue
            name, factor, rest = parts
            measured = length(frame.buffers[node], axis)
            plain = factor == 1 and rest == 0
            if name not in found or (plain and found[name].op != "length"):
                found[name] = measured if plain else _solved(measured - rest if rest else measured, factor)
    missing = [name for name in frame.sizes if name not in found]
    if missing:
        raise InternalError(f"no parameter shows the size {missing[0]}")
    return [Assign(frame.sizes[name], expr) for name, expr in found.items() if name in frame.sizes]


def _solved(product: Expr, factor: int) -> Expr:
    return product if factor == 1 else apply("floordiv", product, factor)


def _returned(frame: Frame, results: Any, final: dict[Node, Node]) -> tuple:
    """The values of the results in their structure: fresh arrays, none of them twice."""
    given = {name for node, name in frame.buffers.items() if node.op.name == "constant" or node in frame.inputs}
    value = _Results(frame, final, given).of(results)
    return value if isinstance(results, tuple) and len(results) > 1 and not is_packed(results) else (value,)


class _Results:
    """Turns results into what Return carries; ``given`` are buffers that must not leave as they are."""

    def __init__(self, frame: Frame, final: dict[Node, Node], given: set[str]) -> None:
        self.frame, self.final, self.given = frame, final, given

    def of(self, item: Any) -> Any:
        """A name, an expression, or a tuple of such (results are nested a few deep)."""
        if isinstance(item, Node):
            return self._one(self.final[item])
        if is_packed(item):
            return self._packed(item)
        return tuple(self.of(part) for part in item)

    def _one(self, node: Node) -> Any:
        frame = self.frame
        if not node.type.rank:
            return self._scalar(node)
        name = frame.buffer(node)
        memory = frame.memory(name)
        if memory in self.given:
            return copied(frame, name, node)
        self.given.add(memory)
        return name

    def _scalar(self, node: Node) -> Expr:
        if node.op.name == "constant":
            return self.frame.literal(node)
        return self.frame.size(node["size"]) if node.op.name == "size" else self.frame.scalars[node]

    def _packed(self, group: tuple) -> str:
        frame = self.frame
        name = frame.fresh("values")
        frame.body.append(Allocate(name, (integer(len(group)),), frame.module.dtype))
        for position, item in enumerate(group):
            frame.body.append(Store(name, (integer(position),), self._one(self.final[item])))
        return name


def copied(frame: Frame, name: str, node: Node) -> str:
    """A fresh copy of a buffer."""
    fresh = frame.fresh("v")
    frame.body.append(Allocate(fresh, tuple(map(frame.size, node.shape)), frame.kind(node)))
    frame.own(fresh, node.shape, frame.kind(node))
    source, target = frame.flat(name), frame.flat(fresh)
    i = var(frame.loop(0), "i64")
    body = (Store(target, (i,), load(source, (i,), frame.kind(node))),)
    frame.body.append(Loop(frame.loop(0), integer(0), frame.size(count(node.shape)), body))
    return fresh
