"""Identities of matrix calculus: value and gradient of every row that needs no inverse, determinant or eigenvalue.

The facts give values to 22 digits (gradients checked by differences at 50 digits). Everything is compiled once, with
the size of the matrices a name.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "matrix_identities.json").read_text())
NEEDS = ("^-1", "det", "lambda_max", "chol")
ROWS = {row["id"]: row for row in FACTS["identities"] if not any(word in row["f"] for word in NEEDS)}
GIVEN = {name: np.array(value, dtype=float) for name, value in FACTS["inputs"].items()}
TOLERANCE = 1e-13

A, B, S = (sg.parameter(name, ("n", "n")) for name in "ABS")
x, a, b = (sg.parameter(name, ("n", 1)) for name in "xab")


def dot(u, v):
    """u'v of two columns."""
    return sg.sum(u * v)


def power(matrix, k):
    """A product of k equal factors."""
    result = matrix
    for _ in range(k - 1):
        result = result @ matrix
    return result


FORMULAS = {
    1: dot(a, x),
    3: dot(a, A @ b),
    4: dot(a, A.T @ b),
    5: sg.sum((A @ x - b) ** 2),
    6: dot(b - A @ x, S @ (b - A @ x)),
    7: sg.norm(x - a),
    8: sg.trace(A),
    9: sg.trace(A @ B),
    11: sg.trace(A.T @ A),
    12: sg.trace(A.T @ B @ A @ S),
    13: sg.trace(power(A, 3)),
    21: sg.norm(A),
    22: sg.norm(A @ B - S) ** 2,
    23: dot(a, (A * B) @ b),
    26: -dot(a, sg.log_softmax(x, axis=0)),
    28: dot(a, sg.tanh(A @ x)),
    29: dot(x, S @ x) / dot(x, x),
    30: sg.trace(power(A, 5)),
}
VARIABLES = {"A": A, "B": B, "S": S, "x": x, "a": a, "b": b}


@pytest.fixture(scope="module")
def compiled():
    """Every value and every gradient by one function: {id: (value, gradient)}."""
    pairs = [(FORMULAS[i], sg.grad(FORMULAS[i], VARIABLES[row["wrt"]])) for i, row in ROWS.items()]
    fn = sg.compile([part for pair in pairs for part in pair], inputs=list(VARIABLES.values()))
    results = iter(fn(**GIVEN))
    return {i: (next(results), next(results)) for i in ROWS}


def test_every_row_has_its_formula():
    assert set(FORMULAS) == set(ROWS)
    assert len(ROWS) == 18


@pytest.mark.parametrize("i", ROWS, ids=lambda i: ROWS[i]["name"].replace(" ", "-"))
def test_value_and_gradient(compiled, i):
    value, gradient = compiled[i]
    wanted = np.array(ROWS[i]["grad_value"], dtype=float)
    assert gradient.shape == GIVEN[ROWS[i]["wrt"]].shape
    assert value == pytest.approx(float(ROWS[i]["value"]), rel=TOLERANCE, abs=TOLERANCE)
    np.testing.assert_allclose(gradient, wanted, rtol=TOLERANCE, atol=TOLERANCE * np.abs(wanted).max())


@pytest.mark.parametrize("i", [6, 12, 28, 30])
def test_reverse_mode_of_the_function_alone(i):
    """The same by value_and_grad, which shares work between value and gradient."""
    name = ROWS[i]["wrt"]
    fn = sg.compile(FORMULAS[i], wrt=VARIABLES[name])
    value, gradient = fn.value_and_grad(**{k: GIVEN[k] for k in fn.inputs})
    wanted = np.array(ROWS[i]["grad_value"], dtype=float)
    assert value == pytest.approx(float(ROWS[i]["value"]), rel=TOLERANCE)
    np.testing.assert_allclose(gradient, wanted, rtol=TOLERANCE, atol=TOLERANCE * np.abs(wanted).max())
