"""Functions that return diagonal Jacobians: outputs and cotangents are their diagonals, also in a file of its own."""

import subprocess
import sys

import numpy as np
import pytest

import symgrad as sg

x, v = sg.input("x", ("n",)), sg.input("v", ("n",))
X = sg.input("X", (2, 3))
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def function():
    J = sg.jacobian(sg.tanh(x) * v, x)
    return sg.compile({"J": J, "Jv": J.T @ v}, wrt=[x, v])


def test_a_cotangent_may_be_dense_or_diagonal(function):
    outputs, residuals = function.forward(*RNG.normal(size=(2, 5)))
    assert isinstance(outputs["J"], sg.Diagonal)
    dense, vector = RNG.normal(size=(5, 5)), RNG.normal(size=5)
    diagonal = sg.Diagonal(dense.diagonal())
    for of_dense, of_diagonal in zip(
        function.backward(residuals, {"J": dense, "Jv": vector}),
        function.backward(residuals, {"J": diagonal, "Jv": vector}),
        strict=True,
    ):
        np.testing.assert_array_equal(of_dense, of_diagonal)
    assert function.check(*RNG.normal(size=(2, 5))).ok


def test_backward_holds_no_square_array(function):
    assert all(p.rank < 2 for p in function._bundle.functions["backward"].parameters)
    n = 2**16  # dense, the cotangent would hold 32 GiB
    at = RNG.normal(size=(2, n))
    _, residuals = function.forward(*at)
    _, dv = function.backward(residuals, {"J": sg.Diagonal(np.ones(n)), "Jv": np.zeros(n)})
    np.testing.assert_allclose(dv, 1 - np.tanh(at[0]) ** 2, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cotangent", [np.ones((3, 3)), np.ones(5), 1.0], ids=["other size", "vector", "number"])
def test_a_cotangent_has_the_shape_of_the_jacobian(cotangent):
    fn = sg.compile(sg.jacobian(sg.exp(x), x), wrt=x)
    _, residuals = fn.forward(np.zeros(5))
    with pytest.raises(sg.ShapeError, match="another shape than the output"):
        fn.backward(residuals, cotangent)


def test_a_matrix_function_has_a_diagonal_of_its_shape():
    fn = sg.compile(sg.jacobian(sg.exp(X), X), wrt=X)
    at = RNG.normal(size=(2, 3))
    output, residuals = fn.forward(at)
    np.testing.assert_allclose(output.diagonal, np.exp(at), rtol=1e-15)
    cotangent = RNG.normal(size=(2, 3, 2, 3))
    expected = np.einsum("ijij->ij", cotangent) * np.exp(at)
    np.testing.assert_allclose(fn.backward(residuals, cotangent), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("outputs", "wrt"),
    [
        (sg.jacobian(sg.tanh(x) * v, x), [x, v]),
        ([sg.jacobian(sg.exp(X), X), sg.sum(X)], [X]),
        (sg.hessian(sg.sum(sg.sin(x)), x), []),
    ],
    ids=["vector", "matrix and sum", "without gradient"],
)
def test_a_file_of_its_own_checks_itself(tmp_path, outputs, wrt):
    path = tmp_path / "jacobian.py"
    sg.compile(outputs, wrt=wrt).save_source(path, standalone=True)
    command = [sys.executable, "-I", "-W", "error", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count(" ok\n") == 3 * len(wrt)
    if wrt:
        text = path.read_text()
        at = text.index("def backward")
        wrong = text[:at] + text[at:].replace(" * ", " * 1.001 * ", 1)
        path.write_text(wrong)
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
        assert "WRONG" in result.stdout
