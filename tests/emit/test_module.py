"""The printed module: golden texts, the same bits with and without the jit, the same bytes in every process."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hand_built import loop, matmul, scalar, straight

from symgrad.emit.module import emit, signature
from symgrad.ir.expression import const, var
from symgrad.ir.program import Function, Parameter, Program, Return
from symgrad.runtime.load import load

HERE = Path(__file__).parent
BUILT = {"scalar": scalar, "loop": loop, "matmul": matmul}
NUMPY = {"f64": np.float64, "f32": np.float32}
X = np.array([-2.0, -0.5, 0.0, 1.25, 3.0, -7.0, 0.1, 2.0])
INPUTS = {
    "scalar": {"forward": (0.5, -0.25, 1.5, 0.75), "value_and_grad": (0.5, -0.25, 1.5, 0.75),
               "backward": (1.5, 0.5, 0.8, 0.05, 1.0)},
    "loop": {"value": (X, 1.0)},
    "matmul": {"value_and_grad": (np.arange(6.0).reshape(3, 2), np.arange(8.0).reshape(2, 4) - 3),
               "backward": (np.arange(6.0).reshape(3, 2), np.ones((2, 4)), np.ones((3, 4)), 2.0)},
}  # fmt: skip
CASES = [(name, entry, dtype) for name, entries in INPUTS.items() for entry in entries for dtype in NUMPY]


def printed(name, dtype="f64"):
    doc = f"The {name} program\n\n    J = f(x)"
    return emit(BUILT[name](dtype), doc=doc, regenerate=f'symgrad.compile("{name}")', shapes={"X": "n, 2", "x": "n"})


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield {(name, dtype): load(printed(name, dtype)) for name in BUILT for dtype in NUMPY}


def leaves(value):
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, tuple) else [np.asarray(value)]


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize("name", BUILT)
def test_text_is_as_read_in_review(name, dtype, snapshot):
    source = printed(name, dtype)
    assert source.text == snapshot
    assert source.entries == snapshot
    assert dict(source.provenance) == snapshot


@pytest.mark.parametrize(("name", "entry", "dtype"), CASES)
def test_plain_python_gives_the_bits_of_the_jit(loaded, name, entry, dtype):
    arguments = [np.asarray(a, NUMPY[dtype])[()] for a in INPUTS[name][entry]]
    both = loaded[name, dtype]
    compiled, plain = (leaves(offered[entry](*arguments)) for offered in (both.functions, both.python))
    assert all(a.tobytes() == b.astype(a.dtype).tobytes() for a, b in zip(compiled, plain, strict=True))
    assert {a.dtype.name for a in plain} <= {np.dtype(NUMPY[dtype]).name, "bool"}


@pytest.mark.parametrize("kind", ["functions", "python"])
def test_printed_loop_computes_what_it_says(loaded, kind):
    value, (gradient,), seen = getattr(loaded["loop", "f64"], kind)["value"](X, 1.0)
    scale = np.resize([0.1, 3.0], X.shape)
    u = np.where(X < 0, -X / scale, X)
    assert value == pytest.approx(np.sum(u * u), rel=1e-14)
    assert gradient == pytest.approx(2 * u * np.where(X < 0, -1 / scale, 1) + u / np.arange(1, 9), rel=1e-14)
    assert seen


@pytest.mark.parametrize("kind", ["functions", "python"])
def test_exit_raises_its_message(loaded, kind):
    with pytest.raises(ValueError, match='"n" must be 1 or more'):
        getattr(loaded["loop", "f64"], kind)["value"](np.empty(0), 1.0)


def test_halves_agree_with_the_joint_function(loaded):
    functions = loaded["scalar", "f64"].functions
    value, residuals = functions["forward"](0.5, -0.25, 1.5, 0.75)
    assert functions["value_and_grad"](0.5, -0.25, 1.5, 0.75) == (value, functions["backward"](1.5, *residuals, 1.0))


@pytest.mark.parametrize("kind", ["functions", "python"])
def test_division_by_zero_is_that_of_the_hardware(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path))
    body = (Return((1.0 / var("x", "f64"), var("x", "f64") / 0.0, ())),)
    program = Program((Function("value", (Parameter("x", "f64"),), body),), ("value",))
    value = getattr(load(emit(program, doc="1/x", regenerate="-")), kind)["value"](-0.0)
    assert value[0] == -math.inf
    assert math.isnan(value[1])
    assert value[2] == ()


def test_bytes_do_not_depend_on_the_hash_seed():
    script = "import test_module as t; [print(t.printed(n, d).text) for n in t.BUILT for d in t.NUMPY]"
    texts = set()
    for seed in ("0", "1", "4242"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{HERE.parents[1]}:{HERE}", "PATH": ""}
        command = [sys.executable, "-c", script]
        texts.add(subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout)
    assert len(texts) == 1
    assert texts.pop().decode() == "".join(f"{printed(n, d).text}\n" for n in BUILT for d in NUMPY)


def test_twenty_thousand_lines_take_less_than_two_seconds():
    program = straight(20_000)
    start = time.process_time()
    source = emit(program, doc="long", regenerate="-")
    assert time.process_time() - start < 2.0
    assert source.text.count("\n") > 20_000
    assert len(source.provenance) == 19_998


def test_provenance_points_at_the_line_of_its_node():
    source = printed("scalar")
    lines = source.text.splitlines()
    found = {node: lines[line - 1].strip() for line, node in source.provenance.items()}
    assert found[5] == "e_bar = J_bar * e"
    assert found[1] == "z = fma(w, x, b)"


def test_signatures_are_contiguous_arrays_and_scalars():
    kinds = ("f64", 0), ("f32", 3), ("i64", 1), ("bool", 0), ("bool", 2)
    function = Function("f", tuple(Parameter(f"p{n}", d, r) for n, (d, r) in enumerate(kinds)), ())
    assert signature(function) == ("float64", "float32[:, :, ::1]", "int64[::1]", "boolean", "boolean[:, ::1]")


DOCS = ['"""', "a\\", '"', '"""\nimport os\n"""', "\\N{DEGREE SIGN} \\x", "µ\u2028\x0c", "a" * 300]


@pytest.mark.parametrize("doc", DOCS)
def test_header_evaluates_to_any_text(doc):
    program = Program((Function("value", (), (Return((const(1.0, "f64"),)),)),), ("value",))
    module = {"__name__": "printed"}
    exec(compile(emit(program, doc=doc, regenerate="-").text, "printed", "exec"), module)
    assert module["__doc__"].startswith(doc)
    assert module["value"]() == 1.0
