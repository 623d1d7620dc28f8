"""The standalone file: it runs where symgrad is not, checks itself, and finds a wrong gradient."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hand_built import loop, matmul, scalar

from symgrad.emit.module import emit
from symgrad.emit.standalone import standalone
from symgrad.ir.expression import const, load, var
from symgrad.ir.program import Accumulate, Allocate, Assign, Function, Parameter, Program, Return, Store

KERNELS = (Path(__file__).parents[2] / "symgrad/runtime/kernels.py").read_text()
NUMPY = {"f64": np.float64, "f32": np.float32}


def written(program, **options):
    source = emit(program, doc="A program.", regenerate="-")
    return standalone(program, source, kernels=KERNELS, **options)


def samples_of(name, dtype):
    kind = NUMPY[dtype]
    if name == "scalar":
        return {n: kind(v) for n, v in zip("wbxy", (0.5, -0.25, 1.5, 0.75), strict=True)}
    rng = np.random.default_rng(3)
    return {"X": rng.standard_normal((20, 4)).astype(kind), "W": rng.standard_normal((4, 3)).astype(kind)}


def run(path, text, arrays=None):
    file = path / "net.py"
    file.write_text(text)
    if arrays:
        np.savez(path / "net.npz", **arrays)
    command = [sys.executable, "-I", "-W", "error", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=path, check=False)


@pytest.mark.parametrize("dtype", NUMPY)
@pytest.mark.parametrize(("name", "wrt"), [("scalar", "wb"), ("matmul", "W")])
def test_file_checks_itself(tmp_path, name, wrt, dtype):
    program = {"scalar": scalar, "matmul": matmul}[name](dtype)
    text, arrays = written(program, samples=samples_of(name, dtype), wrt=tuple(wrt))
    assert "symgrad" not in text.partition('\n"""\n')[2]
    assert not arrays
    result = run(tmp_path, text)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" ok\n") == 3 * len(wrt) + 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("e_bar = J_bar * e", "e_bar = J_bar * e * 1.00001"),
        ("e_bar = J_bar * e", "e_bar = -J_bar * e"),
        ("(z_bar * x, z_bar)", "(z_bar, z_bar * x)"),
    ],
)
def test_file_finds_a_wrong_gradient(tmp_path, right, wrong):
    text, _ = written(scalar(), samples=samples_of("scalar", "f64"), wrt=("w", "b"))
    assert right in text
    result = run(tmp_path, text.replace(right, wrong))
    assert result.returncode == 1, result.stderr
    assert "WRONG" in result.stdout


def test_file_finds_that_the_halves_and_the_joint_function_differ(tmp_path):
    text, _ = written(scalar(), samples=samples_of("scalar", "f64"), wrt=("w", "b"))
    head, joint = text.split("def value_and_grad")
    result = run(tmp_path, f"{head}def value_and_grad{joint.replace('z_bar * x', 'z_bar * x * 1.001')}")
    assert result.returncode == 1, result.stderr
    assert "value_and_grad: WRONG" in result.stdout


def test_names_of_samples_do_not_reach_the_file(tmp_path):
    hostile = ('w"); import os; ("', "b\nhostile", "lambda", "x\\")
    values = samples_of("scalar", "f64").values()
    text, _ = written(
        scalar(), samples=dict(zip(hostile, values, strict=True)), wrt=(*hostile[:2], 'inner"' + "\u00b5" * 40)
    )
    assert not any(name in text for name in hostile if name != "lambda")
    assert '"w": np.float64(0.5),' in text
    result = run(tmp_path, text)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(" ok\n") == 7


def test_many_scalars_travel_as_one_vector(tmp_path):
    names = tuple(f"x{n}" for n in range(70))
    xs = [load("packed", (const(n, "i64"),), "f64") for n in range(70)]
    body = [Assign("J", const(0.0, "f64")), Allocate("grads", (const(70, "i64"),), "f64")]
    for n, x in enumerate(xs):
        body += [Accumulate("J", None, "add", x * x * float(n)), Store("grads", (const(n, "i64"),), 2.0 * x * float(n))]
    takes = (Parameter("packed", "f64", 1),)
    function = Function("value_and_grad", takes, (*body, Return(("J", "grads"))), packed=names)
    program = Program((function,), ("value_and_grad",))
    text, _ = written(program, samples={n: np.float64(0.5) for n in names}, wrt=names)
    result = run(tmp_path, text)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(" ok\n") == 3 * 70
    wrong = run(tmp_path, text.replace("grads[69] = 2.0", "grads[69] = 2.001"))
    assert wrong.returncode == 1
    assert wrong.stdout.count("WRONG") == 3


def test_hidden_constants_come_from_the_file_beside_it(tmp_path):
    product = var("x", "f64") * load("TABLE", (var("k", "i64"),), "f64")
    body = (Assign("y", product), Return((var("y", "f64"),)))
    takes = (Parameter("x", "f64"), Parameter("k", "i64"), Parameter("TABLE", "f64", 1))
    table = np.linspace(0.0, 1.0, 100)
    program = Program((Function("value", takes, body, hidden=("TABLE",)),), ("value",), hidden=(("TABLE", table),))
    text, arrays = written(program, samples={"x": np.float64(2.0), "k": np.int64(7)})
    assert list(arrays) == ["TABLE"]
    result = run(tmp_path, text, arrays)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["value", "()", "float64"]


def test_a_function_without_gradient_runs(tmp_path):
    text, _ = written(loop(), samples={"x": np.linspace(-1.0, 1.0, 200), "one": np.float64(1.0)})
    assert "rng.uniform(-1.0, 1.0, (200,))" in text
    result = run(tmp_path, text)
    assert result.returncode == 0, result.stderr


def test_text_is_as_read_in_review(snapshot):
    text, _ = written(scalar(), samples=samples_of("scalar", "f64"), wrt=("w", "b"))
    assert text == snapshot
