"""Data that are no graph are refused: at once, by one error, which says where."""

from __future__ import annotations

import copy
import functools
import math
import random
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from symgrad.errors import ModelFileError, SymgradError, UnsupportedError
from symgrad.frontend import stored
from symgrad.frontend.stored import graph_from_json, graph_to_json
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Node, build, constant
from symgrad.ir.types import ArrayType, Size, named
from symgrad.ir.walk import topological, variables
from symgrad.ops.registry import ROWS
from symgrad.ops.verify import complaint, unbounded
from tests.frontend.stored_samples import SAMPLES, returns, through_text
from tests.lower.graphs import declare

n, m = named("n"), named("m")


def refusal(data: Any, arrays: dict | None = None, declared: Any = ()) -> ModelFileError:
    """How data are refused: quickly, and by the one error."""
    begin = time.process_time()
    with pytest.raises(ModelFileError) as found:
        graph_from_json(data, arrays or {}, declared)
    assert time.process_time() - begin < 1
    return found.value


X = ["variable", [], {"name": "x", "kind": "input", "latex": None, "shape": [2, 3], "dtype": "real"}]
N = {"size": [[1, "n"]]}


def data(*rows: Any, outputs: Any = (0,)) -> dict:
    return {"nodes": [X, *rows], "outputs": list(outputs) if isinstance(outputs, tuple) else outputs}


def declared(**changed: Any) -> list:
    return ["variable", [], {**X[2], **changed}]


def long_size() -> dict:
    """(1 + n0)(1 + n1)...: few characters, a million terms."""
    factors = [[[[1], [1, f"n{i}"]], 1] for i in range(20)]
    return {"size": [[1, *factors]]}


def deep_size() -> dict:
    size: Any = [[1, "n"], [1]]
    for _ in range(60):
        size = [[1, [size, 2]], [1]]
    return {"size": size}


REFUSED: dict[str, Any] = {
    "not a graph": "x + 1",
    "an expression": {"expression": "__import__('os').system('true')"},
    "a class": {"class_name": "Lambda", "config": {"module": "os", "function": "system"}},
    "a flag": {**data(), "safe_mode": False},
    "rows": {"nodes": "x", "outputs": [0]},
    "too many": {"nodes": [X] * (stored.MOST_NODES + 1), "outputs": [0]},
    "a row of text": data("sin(x)"),
    "unknown operation": data(["__import__", [0]]),
    "bytecode": data(["lambda", [0], {"code": "gASVJAAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu"}]),
    "a cycle": data(["sin", [1]]),
    "a later row": data(["sin", [2]], ["sin", [0]]),
    "a negative place": data(["sin", [-1]]),
    "a place that is a truth": data(["sin", [False]]),
    "outputs": data(outputs=(1,)),
    "outputs of text": data(outputs="0"),
    "too few arguments": data(["add", [0]]),
    "too many arguments": data(["sin", [0, 0]]),
    "an argument of a leaf": data(["variable", [0], X[2]]),
    "unknown parameter": data(["sum", [0], {"axis": 0}]),
    "a parameter of the machinery": data(["sum", [0], {"t": 1, "axes": []}]),
    "an axis outside": data(["sum", [0], {"axes": [2]}]),
    "an axis twice": data(["sum", [0], {"axes": [1, 1]}]),
    "a permutation": data(["transpose", [0], {"perm": [0, 0]}]),
    "a slice outside": data(["slice", [0], {"start": [0, 2], "size": [2, 2], "step": [1, 1]}]),
    "a pad outside": data(["pad", [0], {"shape": [2, 3], "start": [0, 1], "step": [1, 1]}]),
    "a slice of no step": data(["slice", [0], {"start": [0, 0], "size": [2, 2], "step": [0, 1]}]),
    "other elements": data(["reshape", [0], {"shape": [7]}]),
    "an array too large": data(["broadcast", [0], {"shape": [2**40, 2**40, 2, 3]}]),
    "a negative size": data(["broadcast", [0], {"shape": [-1, 2, 3]}]),
    "a shape of truths": data(["reshape", [0], {"shape": [True, 6]}]),
    "letters": data(["einsum", [0, 0], {"spec": "ij,ij->k"}]),
    "einsum of text": data(["einsum", [0, 0], {"spec": "ij,ij->'; import os"}]),
    "a high order": data(["polygamma", [0], {"order": 10**9}]),
    "a kind": data(["cast", [0], {"to": "object"}]),
    "a condition that is none": data(["where", [0, 0, 0]]),
    "mixed kinds": data(["cast", [0], {"to": "int"}], ["add", [0, 1]]),
    "a real number": data(["constant", [], {"value": 0.5}]),
    "digits": data(["constant", [], {"value": {"real": "1e5"}}]),
    "an overflow": data(["constant", [], {"value": {"real": "0x1p99999"}}]),
    "a long integer": data(["constant", [], {"value": 2**63}]),
    "a constant of text": data(["constant", [], {"value": "1"}]),
    "an unknown tag": data(["constant", [], {"value": {"python/object": "os.system"}}]),
    "a missing array": data(["constant", [], {"value": {"array": "w"}}]),
    "nested": data(["constant", [], {"value": functools.reduce(lambda x, _: [x], range(90), 1)}]),
    "a long size": data(declared(name="y", shape=[long_size()])),
    "a deep size": data(declared(name="y", shape=[deep_size()])),
    "the name of a size": data(declared(name="y", shape=[{"size": [[1, "n;import os"]]}])),
    "a size by text": data(declared(name="y", shape=["n"])),
    "division by zero": data(declared(name="y", shape=[{"size": [[1, [[[1, "n"]], 0]]]}])),
    "an empty name": data(declared(name=" ")),
    "a name that is none": data(declared(name=["x"])),
    "a kind of variable": data(declared(kind={"a": 1})),
    "LaTeX that is none": data(declared(latex=3)),
    "a number kind": data(declared(dtype="float16")),
    "an initializer": data(declared(init="he_normal")),
    "a variable too large": data(declared(shape=[2**31, 2**31])),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_are_no_graph(name: str, snapshot: Any) -> None:
    error = refusal(REFUSED[name])
    assert "\n".join(f"{label}  {text}" for label, text in [("", error.summary), *error.facts]) == snapshot
    assert error.fix


def test_arrays_are_of_the_three_kinds() -> None:
    row = ["constant", [], {"value": {"array": "w"}}]
    for array in (np.zeros(2, np.float32), np.zeros(2, complex), np.array(["x"]), np.zeros(()), np.array([None])):
        refusal(data(row), {"w": array})
    assert graph_from_json(data(row, outputs=(1,)), {"w": np.ones(3)})[0] is constant(np.ones(3))


def test_a_variable_of_another_type_is_named() -> None:
    here = declare("x", 2, 4)
    error = refusal(data(), declared=[here])
    assert "x is stored as f64[2, 3], here it is f64[2, 4]" in str(error)


def test_what_could_not_be_read_back_is_refused_when_it_is_stored() -> None:
    x = declare("x", 4)
    with pytest.raises(UnsupportedError, match="not stored"):
        graph_to_json([build("polygamma", x, order=65)], {})
    with pytest.raises(UnsupportedError, match="not stored"):
        graph_to_json([build("transpose", declare("y", 4, 5), perm=(0, 0))], {})


def leaves(item: Any, path: tuple = ()) -> Iterator[tuple]:
    """The paths of everything in nested lists and dictionaries."""
    yield path
    if isinstance(item, (list, dict)):
        for key, value in item.items() if isinstance(item, dict) else enumerate(item):
            yield from leaves(value, (*path, key))


HOSTILE = [
    -1, 0, 1, 2, 3, 5, 2**31, 2**62, 2**63, -(2**63), True, None, "", "n", "x", [], [0], [1, 0], [3, 3], {}, N,
    {"size": [[2, "n"], [-1]]}, {"size": [[1, [[[1, "n"], [1]], 2]]]}, {"real": "nan 7ff8000000000000"}, "sin", "sum",
    "reshape", "constant", "real", "int", "bool",
]  # fmt: skip


def changed(item: Any, r: random.Random) -> Any:
    """The data with one place replaced, by something hostile or by what stands in another place."""
    new = copy.deepcopy(item)
    paths = [p for p in leaves(new) if p]
    (*above, key), other = r.choice(paths), r.choice(paths)
    held = r.choice(HOSTILE) if r.random() < 0.8 else functools.reduce(lambda x, k: x[k], other, new)
    functools.reduce(lambda x, k: x[k], above, new)[key] = copy.deepcopy(held)
    return new


def sized(x: Node, sizes: dict[str, int]) -> tuple[int, ...]:
    return tuple(k if isinstance(k, int) else int(str(k.substitute(sizes))) for k in x.shape)


def has_its_shape(outputs: list[Node]) -> bool:
    """Whether each node has, at some sizes, the shape and kind that was inferred; True where a rule refuses."""
    order = topological(outputs)
    names = {s for x in order for k in x.shape if isinstance(k, Size) for s in k.names()}
    sizes = dict.fromkeys({*names, *"nmk"}, 4)  # of HOSTILE and SAMPLES
    if any(math.prod(max(k, 0) for k in sized(x, sizes)) > 10**5 or min(sized(x, sizes), default=0) < 0 for x in order):
        return True
    rng = np.random.default_rng(1)
    given = {x: rng.integers(0, 2, sized(x, sizes)).astype({"real": float, "int": int, "bool": bool}[x.dtype])
             for x in variables(outputs)}  # fmt: skip
    try:
        values = evaluate(order, given, sizes)
    except (SymgradError, ValueError, IndexError):  # an index outside, the maximum of nothing: found as it runs
        return True
    kinds = {"f": "real", "i": "int", "b": "bool", "O": "int"}  # a size beyond 64 bits
    return all((np.shape(v), kinds[np.asarray(v).dtype.kind]) == (sized(x, sizes), x.dtype)
               for x, v in zip(order, values, strict=True))  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_changed_data_are_refused_or_a_sound_graph(seed: int) -> None:
    """What is accepted has the shapes that are inferred, and can be stored again: no check is missing."""
    r = random.Random(seed)
    originals = [through_text([node]) for nodes in SAMPLES.values() for node in nodes]
    for item, arrays in r.sample(originals, 60):
        for _ in range(3):
            mutant = changed(item, r)
            try:
                outputs = graph_from_json(mutant, arrays)
            except ModelFileError:
                continue
            assert has_its_shape(outputs), mutant
            returns(outputs)


def test_no_op_takes_what_its_row_does_not_say() -> None:
    types = [ArrayType((2, 2), kind) for kind in ("real", "int", "bool")]
    for row in ROWS.values():
        assert complaint(OPS[row.name], types[:1] * (row.arity + 1), {}), row.name
        assert complaint(OPS[row.name], types[:1] * row.arity, {"order": 1.0}), row.name


def test_types_are_bounded() -> None:
    assert not unbounded(ArrayType((n * m, 2**61), "real"))
    for shape in ((1,) * 65, (2**62, 2), (-1,), (True,)):
        assert unbounded(ArrayType(shape, "real"))
