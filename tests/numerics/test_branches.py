"""A branch that is not taken contributes nothing, whatever is in it: no NaN from where(c, A @ (1/b), 0) at b = 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symgrad as sg

A, B = sg.input("A", (3, 2)), sg.input("B", (3, 2))
b, d = sg.input("b", (2,)), sg.input("d", (3,))
c = sg.symbol("c")
RNG = np.random.default_rng(0)
POINT: dict[str, Any] = {"A": RNG.normal(size=(3, 2)), "B": RNG.normal(size=(3, 2)), "d": RNG.normal(size=3)}
index = np.array([2, 0, 1, 1])
u = A @ (1 / b)  # infinite at b = 0, and so is what follows
INSIDE: dict[str, Callable[[], Any]] = {
    "A @ (1/b)": lambda: u,
    "A * (1/b)": lambda: A / b,
    "d @ A @ log(b)": lambda: d @ A @ sg.log(b),
    "outer": lambda: sg.outer(d, 1 / b),
    "outer @": lambda: sg.outer(1 / b, d) @ A,
    "B.T @ A @ (1/b)": lambda: B.T @ A @ (1 / b),
    "einsum": lambda: sg.einsum("ij,ik,j->k", A, B, 1 / b),
    "sum of squares": lambda: sg.sum(u**2),
    "mean": lambda: sg.mean(u * d),
    "max": lambda: sg.max(u * d),
    "prod": lambda: sg.prod(u),
    "norm": lambda: sg.norm(u),
    "var": lambda: sg.var(u),
    "logsumexp": lambda: sg.logsumexp(u),
    "softmax": lambda: sg.softmax(u) @ A,
    "log_softmax": lambda: sg.log_softmax(u, axis=0)[:2] @ b,
    "take": lambda: sg.take(u, index) ** 2,
    "slice": lambda: A[1:] @ (1 / b),
    "slice of it": lambda: u[::-1] * d,
    "reshape": lambda: u.reshape(3, 1) @ b.reshape(1, 2),
    "transpose": lambda: (A * (1 / b)).T @ d,
    "cumsum": lambda: sg.cumsum(u) * d,
    "concatenate": lambda: sg.concatenate([u, 1 / b]) ** 2,
    "stack": lambda: sg.stack([u, d]) @ A,
    "trace": lambda: sg.trace(A.T @ B / b),
    "diagonal": lambda: sg.diag(A.T @ (B / b)),
    "network": lambda: sg.tanh(sg.relu(u) @ A) @ (1 / b),
    "0/0": lambda: (A @ b) / (b @ b),
    "sqrt": lambda: A @ sg.sqrt(b) + sg.hypot(b[0], b[1]),
}
CONDITIONS = {
    "scalar": lambda f: sg.where(c > 0, f, sg.sum(A * B)),
    "the other branch": lambda f: sg.where(c <= 0, sg.sum(A * B), f),
    "whole sum": lambda f: sg.where(c > 0, sg.sum(f), sg.sum(A * B)),
    "two levels": lambda f: sg.where(c > 0, sg.where(c > -1, sg.sum(f * 2) / 2, 7.0), sg.sum(A * B)),
    "a product of branches": lambda f: sg.where(c > 0, sg.sum(f), 1.0) * sg.where(c > 0, 1.0, sg.sum(A * B)),
}
VARIABLES = [A, B, b, d]


def gradients(f: Any, **at: Any) -> list[np.ndarray]:
    return [np.asarray(sg.evaluate(g, **POINT, **at)) for g in sg.grad(sg.sum(f), VARIABLES)]


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize(
    "condition", ["scalar", "the other branch", "whole sum", "two levels", "a product of branches"]
)
def test_what_is_not_taken_contributes_nothing(name: str, condition: str) -> None:
    inside = INSIDE[name]()
    f = CONDITIONS[condition](inside)
    times = np.prod(f.shape) if f.shape else 1
    for at in (np.zeros(2), np.array([0.0, 1.0]), np.array([np.nan, np.inf])):
        found = gradients(f, b=at, c=-1.0)
        np.testing.assert_allclose(found[0], times * POINT["B"], rtol=1e-15)
        np.testing.assert_allclose(found[1], times * POINT["A"], rtol=1e-15)
        assert not found[2].any()
        assert not found[3].any()


@pytest.mark.parametrize("name", INSIDE)
@pytest.mark.parametrize("condition", ["scalar", "whole sum", "two levels"])
def test_what_is_taken_has_the_gradient_that_it_has_alone(name: str, condition: str) -> None:
    inside = INSIDE[name]()
    at = {"b": np.array([0.7, -1.3]) if "log" not in name and "sqrt" not in name else np.array([0.7, 1.3]), "c": 1.0}
    for found, expected in zip(gradients(CONDITIONS[condition](inside), **at), gradients(inside, **at), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", [n for n in INSIDE if n not in ("network", "prod")])
def test_second_derivatives(name: str) -> None:
    f = sg.where(c > 0, sg.sum(INSIDE[name]()), sg.sum(A * B))
    at = {**POINT, "b": np.zeros(2), "c": -1.0, "V": RNG.normal(size=(3, 2)), "w": RNG.normal(size=2)}
    V, w = sg.input("V", (3, 2)), sg.input("w", (2,))
    for product in sg.hvp(f, [A, b], [V, w]):
        assert not np.any(sg.evaluate(product, **at))


X, W = sg.input("X", ("n", 3)), sg.parameter("W", (3, 2))
known = sg.input("known", ("n",), dtype="bool")
rows = {"X": RNG.normal(size=(4, 3)), "W": RNG.normal(size=(3, 2)), "known": np.array([True, False, True, True])}
rows["X"][1] = np.nan  # a missing row
ROWS = {
    "outputs": lambda: sg.where(known[:, None], sg.tanh(X @ W), 0.0),
    "one output": lambda: sg.where(known, (X @ W)[:, 0], 0.0),
    "losses": lambda: sg.where(known, -sg.log_softmax(X @ W, axis=1)[:, 0], 0.0),
    "losses of softmax": lambda: sg.where(known, sg.sum(sg.softmax(X @ W) ** 2, axis=1), 0.0),
    "two layers": lambda: sg.where(known, sg.sum(sg.relu(X @ W) @ W.T, axis=1), 0.0),
    "a mask of elements": lambda: sg.where(known[:, None] & (W[:1] < 9), X @ W, 0.0),
    "norms": lambda: sg.where(known, sg.norm(X @ W, axis=1), 0.0),
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_are_not_taken(name: str) -> None:
    """The gradient is that of the data without the missing rows."""
    derivative = sg.grad(sg.sum(ROWS[name]()), W)
    kept = {"X": rows["X"][rows["known"]], "W": rows["W"], "known": np.ones(3, bool)}
    np.testing.assert_allclose(sg.evaluate(derivative, **rows), sg.evaluate(derivative, **kept), rtol=1e-13)


def test_compiled_code_says_the_same() -> None:
    f = sg.sum(ROWS["losses"]()) + sg.where(c > 0, sg.sum(A @ (1 / b)), 0.0)
    fn = sg.compile(f, wrt=[W, A, b])
    for_rows, for_a, for_b = fn.grad(**rows, A=POINT["A"], b=np.zeros(2), c=-1.0)
    np.testing.assert_allclose(for_rows, sg.evaluate(sg.grad(sg.sum(ROWS["losses"]()), W), **rows), rtol=1e-13)
    assert not for_a.any()
    assert not for_b.any()


UNGUARDED = {
    "no branch": lambda z: sg.tanh(z),
    "relu": lambda z: sg.relu(z),
    "elu": lambda z: sg.elu(z),
    "selu": lambda z: sg.selu(z),
    "both branches": lambda z: sg.where(z > 0, sg.sin(z), sg.where(z < -1, z, z**2)),
    "softmax": lambda z: sg.softmax(z),
}


@pytest.mark.parametrize("name", UNGUARDED)
def test_products_that_are_always_taken_are_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def guarded(*_: Any) -> None:
        raise AssertionError("a product was guarded")

    f = sg.sum(UNGUARDED[name](X @ W) @ W.T)
    monkeypatch.setattr("symgrad.passes.reverse.pull_product", guarded)
    sg.grad(f, W)
    with pytest.raises(AssertionError, match="guarded"):
        sg.grad(sg.where(c > 0, f, 0.0), W)


def test_deeply_nested_branches_are_followed_in_linear_time() -> None:
    f = A @ (1 / b)
    for k in range(300):
        f = sg.where(c > -k, f * 1.5, f[::-1] if k % 7 == 3 else sg.cumsum(f))
    found = gradients(sg.where(c > 0, sg.sum(f), 0.0), b=np.zeros(2), c=-400.0)
    assert not any(g.any() for g in found)
