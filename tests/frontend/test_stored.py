"""Graphs as data: every op and every graph comes back as the nodes it was made of."""

from __future__ import annotations

import math
import os
import struct
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.frontend.stored import graph_to_json
from symgrad.frontend.tensor import Tensor
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Variable, build, constant
from symgrad.ir.types import ArrayType, named
from symgrad.ir.walk import variables
from symgrad.ops.leaf import variable
from symgrad.ops.verify import RULES
from symgrad.passes.differentiate import gradient
from tests.frontend.stored_samples import SAMPLES, returns
from tests.fuzz import graph
from tests.lower.graphs import declare

FUZZ = range(40)
LEAVES = {"constant", "variable"}
n, m = named("n"), named("m")


def test_every_op_has_a_sample_and_a_check() -> None:
    assert not [name for name, nodes in SAMPLES.items() if not nodes]
    assert set(RULES) == {name for name, op in OPS.items() if op.row is None} - LEAVES


@pytest.mark.parametrize("name", OPS)
def test_an_op_comes_back(name: str) -> None:
    assert all(node.op.name == name for node in SAMPLES[name])
    for node in SAMPLES[name]:
        returns([node])
    returns(SAMPLES[name])


@pytest.mark.parametrize("seed", FUZZ)
def test_a_random_graph_comes_back_with_its_value(seed: int) -> None:
    g = graph(seed)
    outputs = [g.f, *gradient(g.f, g.wrt)]
    new = returns(outputs)
    value = {x["variable"].name: v for x, v in g.inputs.items()}
    given = {x: value[x["variable"].name] for x in variables(new)}
    before = evaluate(outputs, {x: g.inputs[x] for x in variables(outputs)}, g.sizes)
    for a, b in zip(before, evaluate(new, given, g.sizes), strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_the_data_depend_on_the_graph_alone() -> None:
    """The same text in every process, whatever its hash seed and whatever it built before."""
    code = (
        "import json, sys; import symgrad as sg; from symgrad.frontend.stored import graph_to_json\n"
        "junk = [sg.symbols('b a'), sg.parse('sin(p)*q')][:int(sys.argv[1])]\n"
        "X, W = sg.input('X', ('n', 2)), sg.parameter('W', (2, 3))\n"
        "f = sg.sum(sg.softmax(X @ W + [1.0, 2.0, 3.0], axis=1)) * sg.sin(sg.mean(W))\n"
        "arrays = {}; print(json.dumps(graph_to_json([f.node, sg.grad(f, W).node], arrays)), list(arrays))"
    )
    texts = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code, seed], capture_output=True, text=True, check=True, env=environment
        )
        texts.add(done.stdout)
    assert len(texts) == 1


def test_numbers_keep_their_bits() -> None:
    nan = struct.unpack(">d", bytes.fromhex("fff8000000000123"))[0]
    values = [0.0, -0.0, 1.0, True, math.inf, -math.inf, math.nan, nan, 5e-324, 0.1, -1.7976931348623157e308]
    nodes = [constant(v) for v in values] + [constant(v, "int") for v in (0, 1, 2**63 - 1, -(2**63))]
    assert len(set(nodes)) == len(nodes)
    assert returns(nodes) == nodes
    array = constant(np.array([nan, -0.0, 0.0]))
    assert returns([array]) == [array]


def test_sizes_come_back() -> None:
    nested: Any = n
    for _ in range(10):
        nested = (nested + 1) // 2
    for size in (n, n * m - 1, (n + 1) // 2, 3 * n * n - 2 * m + 7, (n // 2) * m, ((n - 3) // 2 + m) // 5, nested):
        assert returns([declare("x", size, 2)])[0].shape == (size, 2)


def test_variables_keep_the_order_of_declaration_and_one_name_may_stand_for_two() -> None:
    b, a, other = sg.symbol("b").node, sg.symbol("a").node, sg.symbol("b").node
    f = a * other + b
    new = returns([f])[0]
    assert [x["variable"].name for x in variables([new])] == ["b", "a", "b"]
    first, second, third = variables([new])
    assert new is second * third + first


def test_constant_arrays_are_kept_once() -> None:
    arrays: dict[str, np.ndarray] = {}
    x = sg.input("x", (50,))
    weights = np.linspace(0, 1, 50)
    graph_to_json([(x * weights).node], arrays)
    graph_to_json([(x + weights.copy()).node, (x * np.ones(50)).node], arrays)
    assert len(arrays) == 2


def test_ten_thousand_operations_deep() -> None:
    x = sg.symbol("x").node
    f = x
    for k in range(10_000):
        f = build("sin", f) + constant(float(k))
    begin = time.process_time()
    returns([f])
    assert time.process_time() - begin < 20


def test_a_users_own_function_comes_back() -> None:
    x = sg.input("x", ("n",))
    returns([sg.elementwise(lambda t: t * sp.tanh(sp.log(1 + sp.exp(t))), x).node])


def test_a_restored_model_differentiates_and_runs() -> None:
    x, w = sg.input("x", ("n", 2)), sg.parameter("w", (2,))
    f = sg.sum(sg.tanh(x @ w) ** 2)
    restored = Tensor(returns([f.node])[0])
    values = {"x": np.arange(6.0).reshape(3, 2), "w": np.array([0.3, -0.2])}
    new, old = sg.compile(restored), sg.compile(f)
    assert new.source == old.source
    np.testing.assert_array_equal(new.grad(**values), old.grad(**values))


def test_a_kind_of_variable_is_kept() -> None:
    for kind in ("symbol", "input", "parameter", "state", "setting", "cotangent"):
        x = variable(Variable("x", kind), ArrayType((), "real"))
        assert returns([x])[0]["variable"].kind == kind
