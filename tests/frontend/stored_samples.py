"""A node of every op, and what it means that nodes come back: shared by the tests of stored graphs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

import symgrad as sg
from symgrad.frontend.stored import graph_from_json, graph_to_json
from symgrad.ir.node import OPS, Node, build, constant
from symgrad.ir.types import named
from symgrad.ir.walk import variables
from tests.lower.graphs import declare
from tests.ops.calculus import arguments

n, m = named("n"), named("m")


def through_text(nodes: list[Node]) -> tuple[dict, dict[str, np.ndarray]]:
    """The data of a graph, as it is after a file."""
    arrays: dict[str, np.ndarray] = {}
    return json.loads(json.dumps(graph_to_json(nodes, arrays), allow_nan=False)), arrays


def returns(nodes: list[Node]) -> list[Node]:
    """Check that nodes come back, as themselves and as nodes of new variables, which are returned."""
    data, arrays = through_text(nodes)
    assert graph_from_json(data, arrays, variables(nodes)) == nodes
    new = graph_from_json(data, arrays)
    again, kept = through_text(new)
    assert (again, list(kept)) == (data, list(arrays))
    return new


def samples() -> Iterator[tuple[str, list[Node]]]:
    """For every op nodes of it: the samples of its registration, a row's arguments, or by hand."""
    x, i, b = declare("x", "n", 3), declare("i", "n", dtype="int"), declare("b", "n", dtype="bool")
    by_hand = {
        "any_reduce": [build("any_reduce", b, axes=(0,))],
        "all_reduce": [build("all_reduce", b, axes=(0,))],
        "gather": [build("gather", x, i, axis=0), build("gather", x, constant([0, -1], "int"), axis=1)],
        "scatter_add": [build("scatter_add", i, x, axis=0, size=n + 2)],
        "constant": [constant(v) for v in (-0.0, 0.1, True, np.eye(2), np.array([True]), np.zeros((0, 2), int))],
        "constant_like": [build("constant_like", x, value=2.5)],
        "variable": [x, i, b, sg.parameter("W", (2, 3), latex="W^{(1)}").node],
        "size": [build("size", size=(n - 1) // 2)],
        "iota": [build("iota", size=n * m), build("iota", size=7)],
        "cast": [build("cast", x, to="int"), build("cast", b, to="real")],
        "named": [build("named", x, name="z 2\n", latex=r"z^{(2)}"), build("named", x, name="q", latex=None)],
        "stop_gradient": [build("stop_gradient", x)],
        "max_reduce": [build("max_reduce", x, axes=(0,), lowest=True)],
    }
    for name, op in OPS.items():
        made = list(by_hand.get(name, []))
        if op.row is not None:
            made += [build(name, *arguments(op.row), **dict.fromkeys(op.row.params, k)) for k in (1, 2)]
        made += [build(name, *(declare(f"x{j}", *s) for j, s in enumerate(shapes)), **p) for shapes, p in op.samples]
        yield name, made


SAMPLES = dict(samples())
