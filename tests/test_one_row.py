"""One row of the table adds one function: SymPy both ways, pullback, pushforward, LaTeX, code and checks follow.

The rows added here state only what a person knows of a function: its SymPy expression, a NumPy reference, LaTeX,
samples and a source. Neither code nor partial derivatives.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.frontend.tensor import real_op
from symgrad.ir.node import OPS
from symgrad.ops.registry import ROWS, Elementwise, register_row
from tests.ops import test_elementwise as theorems

GUDERMANN = Elementwise(
    name="gudermann",
    arity=1,
    sympy=lambda x: 2 * sp.atan(sp.tanh(x / 2)),
    partials=None,
    code=None,
    reference=lambda x: 2 * np.arctan(np.tanh(np.asarray(x) / 2)),
    latex=r"\operatorname{{gd}} {0}",
    domain=(-3.0, -0.5, 0.25, 1.0, 4.0),
    source="DLMF 4.23(viii)",
)
DAMPED = Elementwise(
    name="damped",
    arity=2,
    sympy=lambda t, k: sp.exp(-k * t) * sp.cos(t),
    partials=None,
    code=None,
    reference=lambda t, k: np.exp(-np.multiply(k, t)) * np.cos(t),
    latex=r"\operatorname{{damped}}\left({0}, {1}\right)",
    domain=((0.5, 1.0), (2.0, 0.25), (-1.0, 0.5)),
    source="a damped oscillation",
    precedence="atom",
)


@pytest.fixture(autouse=True)
def rows():
    """The two rows, for as long as a test runs; the tables are then as before."""
    before = list(ROWS), list(OPS)
    for row in (GUDERMANN, DAMPED):
        register_row(row)
    yield
    for row in (GUDERMANN, DAMPED):
        del ROWS[row.name], OPS[row.name]
    assert (list(ROWS), list(OPS)) == before


def gudermann(x):
    return real_op("gudermann", x)


def damped(t, k):
    return real_op("damped", t, k)


POINTS = np.array([-3.0, -0.5, 0.0, 0.25, 1.0, 4.0])


def test_value_and_pullback():
    x = sg.symbol("x")
    fn = sg.compile(gudermann(x), wrt=x)
    for at in POINTS:
        value, slope = fn.value_and_grad(float(at))
        assert value == pytest.approx(2 * np.arctan(np.tanh(at / 2)), rel=1e-15, abs=1e-16)
        assert slope == pytest.approx(1 / np.cosh(at), rel=4e-15)
    assert np.allclose(fn.grad(POINTS), 1 / np.cosh(POINTS), rtol=4e-15, atol=0)
    assert fn.check(0.25).ok


def test_two_arguments_broadcast():
    t, k = sg.parameter("t", ("n", 1)), sg.parameter("k", (3,))
    fn = sg.compile(sg.sum(damped(t, k)), wrt=[t, k])
    tv, kv = np.linspace(-1, 2, 5)[:, None], np.array([0.25, 0.5, 1.0])
    value, (dt, dk) = fn.value_and_grad(tv, kv)
    wave, slope = np.exp(-kv * tv) * np.cos(tv), -np.exp(-kv * tv) * (kv * np.cos(tv) + np.sin(tv))
    assert value == pytest.approx(wave.sum(), rel=1e-14)
    np.testing.assert_allclose(dt, slope.sum(1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(dk, (-tv * wave).sum(0), rtol=1e-13)
    assert fn.check(tv, kv).ok


def test_pushforward_and_higher_orders():
    x, d = sg.symbols("x d")
    tangent = sg.compile(sg.jvp(gudermann(x), x, d), inputs=[x, d])
    second = sg.compile(sg.grad(sg.grad(gudermann(x), x), x))
    for at in POINTS:
        assert tangent(at, 2.5) == pytest.approx(2.5 / np.cosh(at), rel=4e-15)
        assert second(at) == pytest.approx(-np.tanh(at) / np.cosh(at), rel=2e-14, abs=1e-16)


def test_sympy_both_ways():
    u = sp.Symbol("u", real=True)
    expr = sg.to_sympy(gudermann(sg.from_sympy(u)))
    assert sp.simplify(expr - 2 * sp.atan(sp.tanh(u / 2))) == 0
    back = sg.compile(sg.from_sympy(expr), wrt=u)
    assert back.grad(0.75) == pytest.approx(float((1 / sp.cosh(u)).subs(u, 0.75)), rel=4e-15)


def test_latex_and_derivation():
    x, y = sg.symbols("x y")
    f = sg.named("f", y * gudermann(x))
    fn = sg.compile(f, wrt=[x, y])
    assert r"\operatorname{gd} x" in fn.latex()
    assert "gudermann" in str(fn.derivation())
    assert r"f &= \operatorname{damped}(x, y)" in sg.compile(sg.named("f", damped(x, y)), wrt=x).latex()


def test_code():
    x = sg.parameter("x", ("n",))
    fn = sg.compile(sg.sum(gudermann(x) ** 2), wrt=x)
    single = sg.compile(sg.sum(gudermann(x) ** 2), wrt=x, dtype="float32")
    wanted = 2 * 2 * np.arctan(np.tanh(POINTS / 2)) / np.cosh(POINTS)
    np.testing.assert_allclose(fn.grad(POINTS), wanted, rtol=1e-14)
    np.testing.assert_allclose(single.grad(POINTS), wanted, rtol=2e-6)
    assert "def value_and_grad" in fn.source
    compile(fn.source, "emitted", "exec")


def test_a_hand_gradient_is_judged():
    x = sg.symbol("x")
    assert sg.check_formula(gudermann(x), x, "1/cosh(x)")
    assert not sg.check_formula(gudermann(x), x, "1/cosh(x)**2")


def test_evaluate_and_pickle():
    x = sg.symbol("x")
    assert sg.evaluate(gudermann(x), x=1.0) == pytest.approx(2 * np.arctan(np.tanh(0.5)), rel=1e-15)
    fn = pickle.loads(pickle.dumps(sg.compile(gudermann(x), wrt=x)))
    assert fn.grad(1.0) == pytest.approx(1 / np.cosh(1.0), rel=4e-15)


@pytest.mark.parametrize("row", [GUDERMANN, DAMPED], ids=lambda row: row.name)
def test_the_theorems_of_the_table_hold(row):
    """The tests that run over the whole table take the new row as it is."""
    theorems.test_row_states_its_mathematics_latex_source_and_samples(row)
    theorems.test_reference_is_the_sympy_expression(row, {})
    theorems.test_partial_is_sympys_derivative(row, {})
    theorems.test_partial_of_partial_is_the_second_derivative(row, {})
    theorems.test_sympy_both_ways(row, {})
    theorems.test_latex_is_a_balanced_formula_of_the_arguments(row)
