"""Formulas that are deep, wide or huge: rows 42 to 48 of facts/bad_inputs.json work, or are refused in time."""

import math
import time

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import DeclarationError, UnsupportedError
from symgrad.pipeline import LARGEST

DEPTH = 10_000


def nested_sine(x, steps):
    """sin applied ``steps`` times in floats, and the derivative by the chain rule."""
    value, slope = x, 1.0
    for _ in range(steps):
        value, slope = math.sin(value), slope * math.cos(value)
    return value, slope


def chain(x, sine):
    for _ in range(DEPTH):
        x = sine(x)
    return x


@pytest.mark.parametrize("by", ["symgrad", "sympy"])
def test_nested_ten_thousand_deep(by):
    if by == "symgrad":
        x = sg.symbol("x")
        f = chain(x, sg.sin)
    else:
        x = sp.Symbol("x")
        f = chain(x, lambda e: sp.sin(e, evaluate=False))
    fn = sg.compile(f, wrt=x)
    value, slope = fn.value_and_grad(0.5)
    expected, expected_slope = nested_sine(0.5, DEPTH)
    assert value == pytest.approx(expected, rel=1e-12)
    assert slope == pytest.approx(expected_slope, rel=1e-11)  # 10,000 factors, each rounded twice
    assert fn(0.5) == value


def test_squared_sixty_times_stays_a_graph():
    x, c = sg.symbols("x c")
    y, at, slope = x, 0.1, 1.0
    for _ in range(60):
        y, at, slope = y * y + c, at * at - 0.5, slope * 2 * at
    fn = sg.compile(y, wrt=[x, c])
    assert fn.source.count("\n") < 2000
    value, (by_x, _) = fn.value_and_grad(0.1, -0.5)
    assert value == pytest.approx(at, rel=1e-13)
    assert by_x == pytest.approx(slope, rel=1e-12)
    for style in ("matrix", "closed", "elementwise"):
        assert len(fn.latex(style)) < 100_000
    assert len(repr(y)) < 200


def dot(count):
    a, b = (sg.symbols([f"{name}{i}" for i in range(count)]) for name in "ab")
    total = a[0] * b[0]
    for p, q in zip(a[1:], b[1:], strict=True):
        total = total + p * q
    return total, [*a, *b]


@pytest.mark.slow
def test_a_million_nodes_are_refused_before_any_compiling():
    f, variables = dot(250_000)
    start = time.process_time()
    with pytest.raises(UnsupportedError, match=f"limit is {LARGEST}") as caught:
        sg.compile(f, wrt=variables)
    assert time.process_time() - start < 30
    assert "whole arrays" in str(caught.value)


def test_two_thousand_arguments():
    f, variables = dot(1000)
    fn = sg.compile(f, wrt=variables)
    at = np.random.default_rng(0).normal(size=2000)
    value, gradient = fn.value_and_grad(*at.tolist())
    assert value == pytest.approx(at[:1000] @ at[1000:], rel=1e-12)
    assert np.array_equal(gradient, np.concatenate([at[1000:], at[:1000]]))
    assert "plain Python" in str(fn.report())


def test_declared_sizes_are_limited():
    for shape in [(2**40,), (2**31,), (2**30, 2**30), ("n", 2**31), (2**20, 2**20, 2)]:
        with pytest.raises(DeclarationError, match=r"limit|from 0 to"):
            sg.input("X", shape)
    assert sg.input("X", (2**31 - 1,)).shape == (2**31 - 1,)


@pytest.mark.parametrize("make", [lambda x: sg.broadcast_to(x, (2**40,)), lambda x: sg.arange(2**40)])
def test_made_sizes_are_limited(make):
    with pytest.raises(DeclarationError, match="a size must be from"):
        make(sg.symbol("x"))


def test_dense_jacobian_beyond_the_budget_is_refused():
    x = sg.input("x", (10_000,))
    with pytest.raises(UnsupportedError, match="100000000 elements") as caught:
        sg.jacobian(sg.cumsum(x), x)
    assert "sg.jvp" in str(caught.value)
    with pytest.raises(UnsupportedError, match="100000000 elements"):
        sg.hessian(sg.sum(x) ** 3, x)


def test_structured_jacobian_of_that_size_is_not_refused():
    x = sg.input("x", (10_000,))
    assert sg.jacobian(sg.sin(x), x).structure == "diagonal"
    assert sg.jacobian(sg.floor(x), x).structure == "zero"
    at = np.linspace(0, 1, 10_000)
    fn = sg.compile(sg.jacobian(sg.sin(x), x))
    assert np.allclose(fn(at).diagonal, np.cos(at), rtol=5e-16, atol=0)  # 2 ulp
    assert fn(at).nbytes == 80_000


def test_jacobian_that_is_an_input_is_not_refused():
    A, X = sg.input("A", (10_000, 10_000)), sg.input("X", (10_000, 10_000))
    assert sg.jacobian(sg.sum(A * X), X) == A


def test_a_derivative_of_order_a_million_is_zero_soon():
    x = sg.symbol("x")
    f = x**5
    start = time.process_time()
    for order in range(10_000):
        f = sg.grad(f, x)
        if order == 4:
            assert sg.evaluate(f, x=3.0) == 120.0
    assert repr(f) == "Tensor(0: f64)"
    assert time.process_time() - start < 30


def test_orders_of_a_product_grow_slowly():
    x = sg.symbol("x")
    f = sg.sin(x) * sg.exp(x)
    for _ in range(8):
        f = sg.grad(f, x)
    assert sg.evaluate(f, x=1.0) == pytest.approx(16 * math.sin(1.0) * math.e, rel=1e-13)
