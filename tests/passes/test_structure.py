"""Diagonal Jacobians: operations keep the structure or use the diagonal, and never make an n x n array on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import symgrad as sg
from symgrad.ir.evaluate import evaluate
from symgrad.ir.types import size_product
from symgrad.ir.walk import topological
from symgrad.passes.differentiate import gradient
from symgrad.passes.simplify import simplify

N, M, K = 6, 2, 3
x, v, w = (sg.input(name, (N,)) for name in "xvw")
B, S = sg.input("B", (N, K)), sg.input("S", (N, N))
c = sg.symbol("c")
index = np.array([2, 5, -1, 2])
X, V = sg.input("X", (M, K)), sg.input("V", (M, K))
RNG = np.random.default_rng(0)
POINT: dict[str, Any] = {t.name: RNG.normal(size=t.shape) for t in (x, v, w, B, S, X, V)} | {"c": 1.7}
GIVEN = {name: np.asarray(value) for name, value in POINT.items()}

J, J2 = sg.jacobian(sg.tanh(x), x), sg.jacobian(sg.sin(x) * v, x)
T, T2 = sg.jacobian(sg.tanh(X), X), sg.jacobian(V * X * X, X)


def dense(J: Any) -> np.ndarray:
    return np.asarray(sg.evaluate(J, **POINT))


class Case(NamedTuple):
    of: Callable[..., Any]  # (sg, J, J2, and the others) -> tensor or array
    structure: str


# The lambda runs twice: on tensors with symgrad, on dense arrays with NumPy.
VECTOR = {
    "J @ v": Case(lambda f, J, J2, p: J @ p["v"], "dense"),
    "v @ J": Case(lambda f, J, J2, p: p["v"] @ J, "dense"),
    "J @ B": Case(lambda f, J, J2, p: J @ p["B"], "dense"),
    "B.T @ J": Case(lambda f, J, J2, p: p["B"].T @ J, "dense"),
    "J @ J2": Case(lambda f, J, J2, p: J @ J2, "diagonal"),
    "J @ J2.T @ J": Case(lambda f, J, J2, p: J @ J2.T @ J, "diagonal"),
    "B.T @ J @ J2 @ v": Case(lambda f, J, J2, p: p["B"].T @ J @ J2 @ p["v"], "dense"),
    "2 J": Case(lambda f, J, J2, p: 2 * J, "diagonal"),
    "c J": Case(lambda f, J, J2, p: p["c"] * J, "diagonal"),
    "-J": Case(lambda f, J, J2, p: -J, "diagonal"),
    "J / c": Case(lambda f, J, J2, p: J / p["c"], "diagonal"),
    "J.T": Case(lambda f, J, J2, p: J.T, "diagonal"),
    "J + J": Case(lambda f, J, J2, p: J + J, "diagonal"),
    "J + J2": Case(lambda f, J, J2, p: J + J2, "diagonal"),
    "J - J2": Case(lambda f, J, J2, p: J - J2, "diagonal"),
    "J - J": Case(lambda f, J, J2, p: J - J, "diagonal"),
    "J * J2": Case(lambda f, J, J2, p: J * J2, "diagonal"),
    "J * S": Case(lambda f, J, J2, p: J * p["S"], "diagonal"),
    "J * v": Case(lambda f, J, J2, p: J * p["v"], "diagonal"),
    "J * v column": Case(lambda f, J, J2, p: p["v"][:, None] * J, "diagonal"),
    "J / exp(S)": Case(lambda f, J, J2, p: J / f.exp(p["S"]), "diagonal"),
    "J ** 2": Case(lambda f, J, J2, p: J**2, "diagonal"),
    "sin(J)": Case(lambda f, J, J2, p: f.sin(J), "diagonal"),
    "max(J, J2)": Case(lambda f, J, J2, p: f.maximum(J, J2), "diagonal"),
    "abs(J2)": Case(lambda f, J, J2, p: abs(J2), "diagonal"),
    "where": Case(lambda f, J, J2, p: f.where(p["S"] > 0, J, J2), "diagonal"),
    "tril(J)": Case(lambda f, J, J2, p: f.tril(J), "diagonal"),
    "J + S": Case(lambda f, J, J2, p: J + p["S"], "dense"),
    "cos(J)": Case(lambda f, J, J2, p: f.cos(J), "dense"),
    "sum": Case(lambda f, J, J2, p: f.sum(J), "dense"),
    "rows": Case(lambda f, J, J2, p: J.sum(axis=1), "dense"),
    "mean": Case(lambda f, J, J2, p: J.mean(axis=0), "dense"),
    "trace": Case(lambda f, J, J2, p: f.trace(J), "dense"),
    "diag": Case(lambda f, J, J2, p: f.diag(J), "dense"),
    "norm": Case(lambda f, J, J2, p: f.sqrt(f.sum(J * J)), "dense"),
    "J[2]": Case(lambda f, J, J2, p: J[2], "dense"),
    "J[-1]": Case(lambda f, J, J2, p: J[-1], "dense"),
    "J[:, 1]": Case(lambda f, J, J2, p: J[:, 1], "dense"),
    "J[3, 3]": Case(lambda f, J, J2, p: J[3, 3], "dense"),
    "J[3, 2]": Case(lambda f, J, J2, p: J[3, 2], "zero"),
    "J[1:4, 1:4]": Case(lambda f, J, J2, p: J[1:4, 1:4], "diagonal"),
    "J[::-1, ::-1]": Case(lambda f, J, J2, p: J[::-1, ::-1], "diagonal"),
    "J[4:1:-2, 1:]": Case(lambda f, J, J2, p: J[4:1:-2, 1:], "dense"),
    "J[index]": Case(lambda f, J, J2, p: J[index], "dense"),
    "J[:, index]": Case(lambda f, J, J2, p: J[:, index], "dense"),
    "reshape": Case(lambda f, J, J2, p: J.reshape(2, 3, 2, 3), "diagonal"),
    "quadratic form": Case(lambda f, J, J2, p: f.einsum("i,ij,j->", p["v"], J, p["w"]), "dense"),
    "trace of a product": Case(lambda f, J, J2, p: f.einsum("ij,ji->", J, p["S"]), "dense"),
    "rows scaled": Case(lambda f, J, J2, p: f.einsum("ij,i->ij", J, p["v"]), "diagonal"),
}
MATRIX = {
    "contracted": Case(lambda f, J, J2, p: f.einsum("abcd,cd->ab", J, p["V"]), "dense"),
    "from the left": Case(lambda f, J, J2, p: f.einsum("ab,abcd->cd", p["V"], J), "dense"),
    "chained": Case(lambda f, J, J2, p: f.einsum("abcd,cdef->abef", J, J2), "diagonal"),
    "2 J": Case(lambda f, J, J2, p: 2 * J, "diagonal"),
    "J + J2": Case(lambda f, J, J2, p: J + J2, "diagonal"),
    "J - J2 / c": Case(lambda f, J, J2, p: J - J2 / p["c"], "diagonal"),
    "J * J2": Case(lambda f, J, J2, p: J * J2, "diagonal"),
    "J.T": Case(lambda f, J, J2, p: J.T, "diagonal"),
    "halves exchanged": Case(lambda f, J, J2, p: f.transpose(J, (2, 3, 0, 1)), "diagonal"),
    "pairs side by side": Case(lambda f, J, J2, p: f.transpose(J, (0, 2, 1, 3)), "dense"),
    "flat": Case(lambda f, J, J2, p: J.reshape(M * K, M * K), "diagonal"),
    "flat, times a vector": Case(lambda f, J, J2, p: J.reshape(M * K, M * K) @ p["v"], "dense"),
    "J * V": Case(lambda f, J, J2, p: J * p["V"], "diagonal"),
    "sum": Case(lambda f, J, J2, p: f.sum(J, axis=(2, 3)), "dense"),
    "one pair summed": Case(lambda f, J, J2, p: f.sum(J, axis=(0, 2)), "diagonal"),
    "one axis summed": Case(lambda f, J, J2, p: f.sum(J, axis=3), "dense"),
    "a stack of products": Case(lambda f, J, J2, p: J @ p["V"].T, "dense"),
    "an element": Case(lambda f, J, J2, p: J[1, 2, 1, 2], "dense"),
    "a row": Case(lambda f, J, J2, p: J[1, 2], "dense"),
    "a block": Case(lambda f, J, J2, p: J[:, 1:, :, 1:], "diagonal"),
}
CASES = [pytest.param(J, J2, case, id=name) for name, case in VECTOR.items()]
CASES += [pytest.param(T, T2, case, id=f"rank 2: {name}") for name, case in MATRIX.items()]
SYMBOLIC = {"x": x, "v": v, "w": w, "B": B, "S": S, "V": V, "c": c}


@pytest.mark.parametrize(("first", "second", "case"), CASES)
def test_operations_on_a_diagonal_are_those_of_the_dense_matrix(first: Any, second: Any, case: Case) -> None:
    result = case.of(sg, first, second, SYMBOLIC)
    expected = case.of(np, dense(first), dense(second), GIVEN)
    assert result.structure == case.structure
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(np.asarray(sg.evaluate(result, **POINT)), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("first", "second", "cases"), [(J, J2, VECTOR), (T, T2, MATRIX)], ids=["vector", "matrix"])
def test_compiled_operations_on_a_diagonal(first: Any, second: Any, cases: dict[str, Case]) -> None:
    fn = sg.compile({name: case.of(sg, first, second, SYMBOLIC) for name, case in cases.items()}, wrt=[])
    results = fn(**{k: POINT[k] for k in fn.inputs})
    for name, case in cases.items():
        expected = case.of(np, dense(first), dense(second), GIVEN)
        assert isinstance(results[name], sg.Diagonal) == (case.structure == "diagonal"), name
        np.testing.assert_allclose(np.asarray(results[name]), expected, rtol=1e-13, atol=1e-15, err_msg=name)


@pytest.mark.parametrize(("first", "second", "case"), CASES)
def test_no_square_array_is_made(first: Any, second: Any, case: Case) -> None:
    result = case.of(sg, first, second, SYMBOLIC).node
    (output,) = (simplify([result])[result],)
    stored = output.args[0] if output.op.name == "diagonal_matrix" else output
    allowed = max(N * K, size_product(stored.shape))
    for node in topological([stored]):
        if node.op.name == "diagonal" or node.dtype == "bool":  # read in place
            continue
        given = all(a.op.kind == "leaf" for a in node.args)  # S itself is n x n
        assert size_product(node.shape) <= allowed or given, node


@pytest.mark.parametrize(("first", "second", "case"), CASES)
def test_gradients_through_a_diagonal(first: Any, second: Any, case: Case) -> None:
    """The gradient of the simplified expression is that of the expression as written."""
    f, at = sg.sum(sg.sin(case.of(sg, first, second, SYMBOLIC))), x if first is J else X
    (written,) = gradient(f.node, [at.node])
    values = {t.node: POINT[t.name] for t in (x, v, w, B, S, X, V, c)}
    (expected,) = evaluate([written], values)
    np.testing.assert_allclose(sg.evaluate(sg.grad(f, at), **POINT), expected, rtol=1e-12, atol=1e-14)


def test_what_is_zero_by_structure_stays_zero_beside_infinities() -> None:
    got = sg.evaluate(J @ v, x=np.zeros(N), v=np.array([np.inf, 1.0, 2.0, np.nan, 3.0, 4.0]))
    assert got[0] == np.inf
    np.testing.assert_array_equal(got[[1, 2, 4, 5]], [1.0, 2.0, 3.0, 4.0])


FUNCTIONS = {
    "relu(tanh(x))": (lambda t: sg.relu(sg.tanh(t)), "diagonal"),
    "through a column": (lambda t: sg.exp(t[:, None])[:, 0] * t, "diagonal"),
    "times a scalar of others": (lambda t: t * sg.sum(v) + v, "diagonal"),
    "by a contraction that sums nothing": (lambda t: sg.einsum("i,i->i", sg.sin(t), v), "diagonal"),
    "where": (lambda t: sg.where(t > v, sg.exp(t), t / 2), "diagonal"),
    "independent": (lambda t: v * 3, "zero"),
    "a step": (lambda t: sg.floor(t), "zero"),
    "reversed": (lambda t: sg.sin(t)[::-1], "dense"),
    "normalised": (lambda t: t / sg.sum(t), "dense"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_structure_of_a_jacobian(name: str) -> None:
    of, structure = FUNCTIONS[name]
    jacobian = sg.jacobian(of(x), x)
    assert jacobian.structure == structure
    by_columns = np.stack([sg.evaluate(sg.jvp(of(x), x, e), **POINT) for e in np.eye(N)], axis=1)
    np.testing.assert_allclose(dense(jacobian), by_columns, rtol=1e-13, atol=1e-15)


def test_a_matrix_function_of_its_transpose_is_element_wise() -> None:
    jacobian = sg.jacobian(sg.sin(X.T).T * X, X)
    assert jacobian.structure == "diagonal"
    assert sg.jacobian(sg.sin(S.T), S).structure == "dense"  # a permutation of the diagonal


def test_the_jacobian_of_a_layer_scales_the_matrix() -> None:
    """d tanh(A x)/dx = diag(1 - tanh^2) A, without a product of matrices; d (A tanh x)/dx = A diag(1 - tanh^2)."""
    A = sg.input("A", ("m", "n"))
    t, u = sg.input("t", ("n",)), sg.input("u", ("n",))
    for f in (sg.tanh(A @ t), A @ sg.tanh(t)):
        jacobian = sg.jacobian(f, t)
        assert not any(n.op.name == "einsum" and n.type.rank > 1 for n in topological([jacobian.node]))
        given = {"A": RNG.normal(size=(3, 4)), "t": RNG.normal(size=4)}
        columns = [sg.evaluate(sg.jvp(f, t, u), u=e, **given) for e in np.eye(4)]
        np.testing.assert_allclose(sg.evaluate(jacobian, **given), np.stack(columns, axis=1), rtol=1e-13)


SUMS = {
    "sum": lambda t: sg.sum(sg.sin(t)),
    "half squares": lambda t: sg.sum(t**2) / 2,
    "t @ t": lambda t: t @ t,
    "weighted": lambda t: sg.dot(t, t * v),
    "mean": lambda t: sg.mean(sg.exp(t)),
    "logistic loss": lambda t: sg.sum(sg.log(1 + sg.exp(-v * t))),
    "relu": lambda t: sg.sum(sg.relu(t) ** 2),
}


@pytest.mark.parametrize("name", SUMS)
def test_the_hessian_of_a_sum_of_elementwise_functions_is_diagonal(name: str) -> None:
    hessian = sg.hessian(SUMS[name](x), x)
    assert hessian.structure == "diagonal"
    columns = [sg.evaluate(sg.hvp(SUMS[name](x), x, e), **POINT) for e in np.eye(N)]
    np.testing.assert_allclose(dense(hessian), np.stack(columns, axis=1), rtol=1e-13, atol=1e-15)


def test_the_hessian_of_a_sum_over_a_matrix_is_diagonal() -> None:
    hessian = sg.hessian(sg.sum(sg.sin(X) ** 2 * V), X)
    assert (hessian.structure, hessian.shape) == ("diagonal", (M, K, M, K))
    assert sg.compile(hessian)(**{k: POINT[k] for k in ("X", "V")}).diagonal.shape == (M, K)


def test_a_large_diagonal_costs_its_diagonal() -> None:
    """Dense, each of these would hold 2**34 elements: 128 GiB."""
    n = 2**17
    t, u = sg.input("t", (n,)), sg.input("u", (n,))
    D = sg.jacobian(sg.sin(t), t)
    fn = sg.compile([D @ (2 * D.T - D) @ u, sg.trace(D @ D), (D + D)[5], D @ D], wrt=[])
    at, direction = RNG.normal(size=n), RNG.normal(size=n)
    product, trace, row, square = fn(at, direction)
    np.testing.assert_allclose(product, np.cos(at) ** 2 * direction, rtol=1e-14)
    np.testing.assert_allclose(trace, np.sum(np.cos(at) ** 2), rtol=1e-13)
    assert row[5] == 2 * np.cos(at[5])
    assert not row[:5].any()
    assert isinstance(square, sg.Diagonal)
