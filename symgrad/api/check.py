"""``fn.check``: the gradients of a compiled function at a point, against differences and the forward sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import CallError
from symgrad.frontend.declare import input as declare_input
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.passes.differentiate import pushforward
from symgrad.runtime.border import bind, convert
from symgrad.runtime.check import CheckReport, Effort
from symgrad.runtime.check import check as run_check
from symgrad.runtime.kinks import watch
from symgrad.runtime.lines import Point, Subject

if TYPE_CHECKING:
    from symgrad.api.function import CompiledFunction


def check(function: CompiledFunction, args: Sequence[Any], kwargs: Mapping[str, Any], effort: Effort) -> CheckReport:
    """Every gradient of a function against differences, reverse against forward, float32 against float64.

    An output that is not a scalar is paired with a random cotangent.
    """
    function._need_wrt()
    d = function._definition
    given = bind(d.inputs, args, kwargs)
    point = [convert(v["variable"].name, g, v.type, d.dtype) for v, g in zip(d.inputs, given, strict=True)]
    inside = [x for x in d.wrt if x in d.inputs]
    rows: list[Any] = []
    if inside:
        subject = _subject(function, inside)
        if d.dtype == "float32":
            subject = replace(subject, twin=_subject(type(function)(replace(d, dtype="float64")), inside))
        rows += run_check(subject, point, effort).rows
    for x in d.wrt:
        if x not in d.inputs:
            rows += _intermediate(function, x, point, effort)
    return CheckReport(tuple(rows))


def _subject(function: CompiledFunction, wrt: Sequence[Node]) -> Subject:
    d = function._definition
    names = tuple(x["variable"].name for x in wrt)
    places = tuple(d.inputs.index(x) for x in wrt)
    keep = [d.wrt.index(x) for x in wrt]

    def value(point: Point) -> Any:
        return _paired(function(*point))

    def gradient(point: Point) -> list[Any]:
        outputs, residuals = function.forward(*point)
        pulled = function.backward(residuals, _weights(outputs))
        parts = (pulled,) if d.wrt_single else pulled
        return [parts[i] for i in keep]

    cells = watch(d.outputs, d.inputs, wrt)
    return Subject(value, gradient, places, names, cells, _tangent(function, wrt))


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
        return np.concatenate([np.ravel(np.asarray(v, float) * w) for v, w in pairs])
    return np.asarray(values, float) * _weights(values)


def _tangent(function: CompiledFunction, wrt: Sequence[Node]) -> Callable[[Point, Sequence[Any]], Any]:
    """The tangent of the paired outputs, by the forward sweep, run by NumPy."""
    d = function._definition
    vectors = [declare_input(f"dot{i}", x.shape).node for i, x in enumerate(wrt)]
    dots = [pushforward(f, wrt, vectors) for f in d.outputs]

    def run(point: Point, tangents: Sequence[Any]) -> float:
        values = {**dict(zip(d.inputs, point, strict=True)), **dict(zip(vectors, tangents, strict=True))}
        batch = [v for v, p in zip(d.inputs, point, strict=True) if np.shape(p) and not v.shape]
        if batch:
            raise CallError("forward mode is checked at one point at a time")
        return float(np.sum(_paired(tuple(evaluate(dots, values)))))

    return run


def _intermediate(function: CompiledFunction, x: Node, point: Point, effort: Effort) -> tuple:
    """The gradient by an intermediate: the function with that node given, run by NumPy."""
    d = function._definition
    given = dict(zip(d.inputs, point, strict=True))
    (here,) = evaluate([x], given)
    place = d.wrt.index(x)

    def value(at: Point) -> Any:
        return _paired(tuple(evaluate(d.outputs, {**given, x: at[0]})))

    def gradient(at: Point) -> list[Any]:
        outputs, residuals = function.forward(*point)
        pulled = function.backward(residuals, _weights(outputs))
        return [pulled if d.wrt_single else pulled[place]]

    cells = watch(d.outputs, [x, *d.inputs], [x])
    sides = None if cells is None else (lambda at: cells([at[0], *point]))
    return run_check(Subject(value, gradient, (0,), (function.wrt[place],), sides), [here], effort).rows
