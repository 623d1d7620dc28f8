"""Theorems of the table of element-wise functions, each over all its rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import sympy as sp

from symgrad.ir.node import build
from symgrad.ops.formula import to_expr
from symgrad.ops.registry import ROWS, Elementwise, partial
from symgrad.ops.symbolic import dummies, to_node
from tests.ops.calculus import arguments, as_array, close, digits, exact, names_of, points, random_points, slope

EPS = 2.0**-52
TABLE = list(ROWS.values())
SMOOTH_STEP = sp.Rational(1, 10**30)  # central differences are then right to its square
ORDERS = {"polygamma": (1, 2, 3), "sinc_derivative": (1, 2, 3)}


def cases() -> list:
    """Every row with every order it is tested at."""
    found = []
    for row in TABLE:
        for n in ORDERS.get(row.name, (0,)):
            found.append(pytest.param(row, {row.params[0]: n} if n else {}, id=row.name + (f"_{n}" if n else "")))
    return found


ALL = pytest.mark.parametrize(("row", "params"), cases())
SMOOTH = pytest.mark.parametrize(("row", "params"), [c for c in cases() if c.values[0].result != "bool"])


def sympy_at(row: Elementwise, params: dict, point: tuple, n: int = 60) -> sp.Basic:
    assert row.sympy is not None
    value = sp.S(row.sympy(*map(exact, point), **params))
    return value if value in (sp.true, sp.false) else sp.N(value, n)


def difference(row: Elementwise, params: dict, point: tuple, i: int) -> sp.Expr:
    """The derivative by the i-th argument, from values of row.sympy at 200 digits."""
    ends = []
    for h in (SMOOTH_STEP, -SMOOTH_STEP):
        moved = [exact(x) + h if j == i else exact(x) for j, x in enumerate(point)]
        ends.append(sp.N(row.sympy(*moved, **params), 200))
    return (ends[0] - ends[1]) / (2 * SMOOTH_STEP)


@pytest.mark.parametrize("row", TABLE, ids=names_of(TABLE))
def test_row_states_its_mathematics_latex_source_and_samples(row: Elementwise) -> None:
    assert row.sympy is not None
    assert row.latex
    assert row.source
    assert points(row)
    assert all(len(p) == row.arity for p in points(row))
    assert row.partials is None or len(row.partials) == row.arity


@ALL
def test_reference_is_the_sympy_expression(row: Elementwise, params: dict) -> None:
    """The reference is a float64 function: a few ulp, of the value or (near a zero) of the argument's effect on it."""
    for point in points(row):
        truth = sympy_at(row, params, point)
        value = row.reference(*point, **params)
        if isinstance(value, (bool, np.bool_)):
            assert bool(value) == bool(truth)
        elif truth == 0 and row.name.endswith("_error"):  # exactly 0; the double is what rounding leaves
            assert abs(value) <= EPS * max(map(abs, point))
        else:
            assert close(sp.Rational(float(value)), truth, 32 * EPS), (point, value, truth)


@SMOOTH
def test_partial_is_sympys_derivative(row: Elementwise, params: dict) -> None:
    xs = arguments(row)
    node = build(row.name, *xs, **params)
    for i in range(row.arity):
        if xs[i].dtype != "real":
            assert partial(node, i) is None
            continue
        p = partial(node, i)
        for point in random_points(row, 4, seed=i):
            at = dict(zip(xs, point, strict=True))
            truth = difference(row, params, point, i)
            value = sp.Integer(0) if p is None else digits(p, at, 60)
            assert close(value, truth, 1e-30), (i, point, value, truth)


@SMOOTH
def test_stated_partial_equals_sympy_diff_where_it_evaluates(row: Elementwise, params: dict) -> None:
    symbols, xs = dummies(row), arguments(row)
    node = build(row.name, *xs, **params)
    for i in range(row.arity):
        if xs[i].dtype != "real":
            continue
        derivative = sp.diff(row.sympy(*symbols, **params), symbols[i])
        if derivative.has(sp.Derivative, sp.Subs, sp.DiracDelta):
            continue
        p = partial(node, i)
        for point in random_points(row, 3, seed=10 + i):
            truth = sp.N(derivative.xreplace(dict(zip(symbols, map(exact, point), strict=True))), 50)
            value = sp.Integer(0) if p is None else digits(p, dict(zip(xs, point, strict=True)), 50)
            assert close(value, truth, 1e-30), (i, point, value, truth)


@SMOOTH
def test_partial_of_partial_is_the_second_derivative(row: Elementwise, params: dict) -> None:
    xs = arguments(row)
    node = build(row.name, *xs, **params)
    reals = [i for i in range(row.arity) if xs[i].dtype == "real"]
    for i, j in itertools.product(reals, reals):
        second = slope(slope(node, xs[i]), xs[j])
        for point in random_points(row, 2, seed=100 + 10 * i + j):
            at = dict(zip(xs, point, strict=True))
            truth = _second_difference(row, params, point, i, j)
            value = digits(second, at, 60)
            assert close(value, truth, 1e-25), (i, j, point, value, truth)


def _second_difference(row: Elementwise, params: dict, point: tuple, i: int, j: int) -> sp.Expr:
    """Central difference of central differences; the truncation is the step's square, the rounding 1e-200/step^2."""
    total, h = sp.Integer(0), SMOOTH_STEP
    for a, b in itertools.product((1, -1), (1, -1)):
        steps = {i: a * h, j: b * h} if i != j else {i: (a + b) * h}
        moved = [exact(x) + steps[k] if k in steps else exact(x) for k, x in enumerate(point)]
        total += a * b * sp.N(row.sympy(*moved, **params), 200)
    return total / (2 * h) ** 2


@ALL
def test_sympy_both_ways(row: Elementwise, params: dict) -> None:
    """row -> SymPy -> nodes -> SymPy keeps the value to 40 digits, and the nodes' references keep it in doubles."""
    xs = arguments(row)
    expr = to_expr(build(row.name, *xs, **params), dict(zip(xs, symbols := dummies(row), strict=True)))
    back = to_node(expr, dict(zip(symbols, xs, strict=True)))
    for point in points(row):
        at = dict(zip(xs, point, strict=True))
        truth = sympy_at(row, params, point)
        if truth in (sp.true, sp.false):
            assert bool(as_array(back, at)) == bool(truth)
            continue
        assert close(digits(back, at), truth, 1e-40)
        assert close(sp.Rational(float(as_array(back, at))), truth, 1e-13)


@pytest.mark.parametrize("row", TABLE, ids=names_of(TABLE))
def test_latex_is_a_balanced_formula_of_the_arguments(row: Elementwise) -> None:
    texts = [f"q_{{{i}}}" for i in range(row.arity)]
    params = {row.params[0]: 2} if row.params else {}
    latex = row.latex(*texts, **params) if callable(row.latex) else row.latex.format(*texts)
    assert any(t in latex for t in texts)
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
