"""``fn.check``: the gradients of a compiled function at a point, against differences and the forward sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.frontend.declare import input as declare_input
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.passes.differentiate import pushforward
from symgrad.runtime.border import bind, convert
from symgrad.runtime.check import CheckReport, Effort
from symgrad.runtime.check import check as run_check
from symgrad.runtime.kinks import Cells, watch
from symgrad.runtime.lines import Point, Subject
from symgrad.runtime.rounding import movement

if TYPE_CHECKING:
    from symgrad.api.function import CompiledFunction


@dataclass(frozen=True, slots=True)
class Graph:
    """What the graph of a checked function is, in the order of the function's own inputs and variables.

    Where scalars came as arrays it is the graph over vectors of their elements, and values are flattened for it.
    """

    outputs: tuple[Node, ...]
    inputs: tuple[Node, ...]
    wrt: tuple[Node, ...]
    is_batch: bool

    def given(self, point: Point) -> dict[Node, Any]:
        """The values of the inputs."""
        return dict(zip(self.inputs, map(self.flat, point), strict=True))

    def flat(self, value: Any) -> Any:
        return np.ravel(value) if self.is_batch else value


def check(function: CompiledFunction, args: Sequence[Any], kwargs: Mapping[str, Any], effort: Effort) -> CheckReport:
    """Every gradient of a function against differences, reverse against forward, float32 against float64.

    An output that is not a scalar is paired with a random cotangent; scalars given as arrays are checked element by
    element.
    """
    function._need_wrt()
    d = function._definition
    given = bind(d.inputs, args, kwargs)
    point = [convert(v["variable"].name, g, v.type, d.dtype) for v, g in zip(d.inputs, given, strict=True)]
    is_batch = function._scalar and any(np.ndim(p) for p in point)
    if is_batch:
        shape = function._broadcast([v["variable"].name for v in d.inputs], given)[2]
        point = [np.array(np.broadcast_to(p, shape)) for p in point]
    graph = _graph(function, is_batch)
    inside = [k for k, x in enumerate(d.wrt) if x in d.inputs]
    exact = type(function)(replace(d, dtype="float64")) if d.dtype == "float32" else function
    rows: list[Any] = []
    if inside:
        subject = _subject(function, graph, inside)
        twin = None if exact is function else _subject(exact, _graph(exact, is_batch), inside)
        rows += run_check(replace(subject, twin=twin), point, effort).rows
    for k in range(len(d.wrt)):
        if k not in inside:
            rows += _intermediate(exact, _graph(exact, is_batch), k, (_wide(point), effort))
    return CheckReport(tuple(rows))


def _wide(point: Point) -> Point:
    return [np.asarray(p, np.float64) if np.asarray(p).dtype.kind == "f" else p for p in point]


def _graph(function: CompiledFunction, is_batch: bool) -> Graph:
    if is_batch:
        lifted = function._batch.derived
        return Graph(lifted.written, lifted.inputs, lifted.asked, True)
    d = function._definition
    return Graph(d.outputs, d.inputs, d.wrt, False)


def _subject(function: CompiledFunction, graph: Graph, keep: Sequence[int]) -> Subject:
    d = function._definition
    names = tuple(d.wrt[k]["variable"].name for k in keep)
    places = tuple(d.inputs.index(d.wrt[k]) for k in keep)

    def value(point: Point) -> Any:
        return _paired(function(*point))

    def gradient(point: Point) -> list[Any]:
        outputs, residuals = function.forward(*point)
        pulled = function.backward(residuals, _weights(outputs))
        parts = (pulled,) if d.wrt_single else pulled
        return [parts[k] for k in keep]

    wrt = [graph.wrt[k] for k in keep]
    found = Subject(value, gradient, places, names, _cells(graph, wrt), _tangent(graph, wrt))
    return replace(found, rounding=_rounding(function, graph))


def _rounding(function: CompiledFunction, graph: Graph) -> Callable[[Point], float]:
    """How far rounding moves the paired outputs, in the form that is computed."""
    derived = (function._batch if graph.is_batch else function._bundle).derived

    def run(point: Point) -> float:
        values = dict(zip(derived.inputs, map(graph.flat, point), strict=True))
        shape = np.shape(point[0]) if graph.is_batch else None
        return movement(
            derived.outputs, values, lambda vs: float(np.sum(_paired(tuple(_batched(v, shape) for v in vs))))
        )

    return run


def _cells(graph: Graph, wrt: Sequence[Node]) -> Cells | None:
    found = watch(graph.outputs, graph.inputs, wrt)
    return None if found is None else lambda point: found(list(map(graph.flat, point)))


def _weights(outputs: Any) -> Any:
    """A cotangent of the outputs' structure: 1 for one scalar, else drawn from a fixed seed.

    No two weights are alike, so that errors of two outputs, or of two elements, do not cancel.
    """
    if isinstance(outputs, dict):
        return dict(zip(outputs, _weights(tuple(outputs.values())), strict=True))
    flat = outputs if isinstance(outputs, tuple) else (outputs,)
    drawn = tuple(_drawn(v, i) if len(flat) > 1 or np.shape(v) else 1.0 for i, v in enumerate(flat))
    return drawn if isinstance(outputs, tuple) else drawn[0]


def _drawn(output: Any, place: int) -> Any:
    return np.random.default_rng((5, place)).uniform(0.5, 1.5, np.shape(output) or None)


def _paired(outputs: Any) -> Any:
    """The output (or outputs) times that cotangent, as one array whose sum is differentiated."""
    values = tuple(outputs.values()) if isinstance(outputs, dict) else outputs
    if isinstance(values, tuple):
        pairs = zip(values, _weights(values), strict=True)
        return np.concatenate([np.ravel(_moving(v) * w) for v, w in pairs])
    return _moving(values) * _weights(values)


def _moving(value: Any) -> Any:
    """A real output in full; nothing of an integer or a boolean, which has no derivative."""
    array = np.asarray(value)
    return array.astype(float) if array.dtype.kind == "f" else np.zeros(array.shape)


def _tangent(graph: Graph, wrt: Sequence[Node]) -> Callable[[Point, Sequence[Any]], Any]:
    """The tangent of the paired outputs, by the forward sweep, run by NumPy."""
    vectors = [declare_input(f"dot{i}", x.shape).node for i, x in enumerate(wrt)]
    dots = [pushforward(f, wrt, vectors) for f in graph.outputs]

    def run(point: Point, tangents: Sequence[Any]) -> float:
        values = graph.given(point) | dict(zip(vectors, map(graph.flat, tangents), strict=True))
        shape = np.shape(point[0]) if graph.is_batch else None
        return float(np.sum(_paired(tuple(_batched(v, shape) for v in evaluate(dots, values)))))

    return run


def _batched(value: Any, shape: tuple | None) -> Any:
    """A value with its leading axis in the batch's shape: cotangents are drawn for that."""
    return value if shape is None else np.reshape(value, (*shape, *np.shape(value)[1:]))


def _intermediate(function: CompiledFunction, graph: Graph, place: int, at: tuple[Point, Effort]) -> tuple:
    """The gradient by an intermediate: the function with that node given, run by NumPy."""
    point, effort = at
    x = graph.wrt[place]
    given = graph.given(point)
    shape = np.shape(point[0]) if graph.is_batch else None
    here = _batched(evaluate([x], given)[0], shape)
    single = function._definition.wrt_single

    def value(at: Point) -> Any:
        return _paired(tuple(_batched(v, shape) for v in evaluate(graph.outputs, {**given, x: graph.flat(at[0])})))

    def gradient(at: Point) -> list[Any]:
        outputs, residuals = function.forward(*point)
        pulled = function.backward(residuals, _weights(outputs))
        return [pulled if single else pulled[place]]

    cells = watch(graph.outputs, [x, *graph.inputs], [x])
    sides = None if cells is None else (lambda at: cells(list(map(graph.flat, (at[0], *point)))))
    return run_check(Subject(value, gradient, (0,), (function.wrt[place],), sides), [here], effort).rows
