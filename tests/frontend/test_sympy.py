"""SymPy goes in and comes out at the border that users meet."""

from __future__ import annotations

import copy
import gc
import math
import pickle
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import DtypeError, ExpressionError, ShapeError, UnsupportedError
from symgrad.frontend.sympy import declare
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.ir.walk import topological, variables

u, v = sp.symbols("u v")
EPS = 2.0**-52


def value(tensor: sg.Tensor, **at: Any) -> Any:
    """The value by the references."""
    return evaluate([tensor.node], {n: at[n["variable"].name] for n in variables([tensor.node])})[0]


def declared(tensor: sg.Tensor) -> list[Node]:
    return variables([tensor.node])


# Variables


def test_equal_symbols_are_one_variable() -> None:
    assert declare(sp.Symbol("u")) == declare(u)
    assert sg.from_sympy(u + 1) == sg.from_sympy(sp.Symbol("u") + 1)


def test_dummies_are_themselves() -> None:
    a, b = sp.Dummy("a"), sp.Dummy("a")
    assert declare(a) == declare(a)
    assert declare(a) != declare(b)
    assert [n["variable"].name for n in declared(sg.from_sympy(a * b))] == ["a", "a"]


def test_symbols_of_other_assumptions_are_other_variables_that_keep_their_origin() -> None:
    plain, positive = sp.Symbol("x"), sp.Symbol("x", positive=True)
    found = declared(sg.from_sympy(plain * positive))
    assert {n["variable"].origin for n in found} == {plain, positive}


def test_a_variable_lives_as_long_as_it_is_held() -> None:
    name = sp.Symbol("only_here")
    order = declared(sg.from_sympy(name + 1))[0]["variable"].order
    gc.collect()
    held = sg.from_sympy(name + 2)
    again = declared(sg.from_sympy(name + 3))[0]["variable"]
    assert again is declared(held)[0]["variable"]
    assert again.order >= order


HOSTILE = [
    "x; import os",
    '__import__("os").getcwd()',
    "lambda",
    "",
    "a b",
    "1x",
    "x)#",
    "x\u200b",
    "\ud800",
    "n" * 100_000,
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_any_name_is_a_name(name: str) -> None:
    s = sp.Symbol(name)
    tensor = sg.from_sympy(s**2 + sp.sin(s))
    assert declared(tensor)[0]["variable"].name == name
    assert evaluate([tensor.node], {declare(s).node: 2.0})[0] == 4.0 + math.sin(2.0)
    assert sg.to_sympy(tensor) == s**2 + sp.sin(s)


@pytest.mark.parametrize(
    "element",
    [
        sp.MatrixSymbol("A", 2, 3)[1, 2],
        sp.MatrixSymbol('print("hi") or A', 1, 1)[0, 0],
        sp.IndexedBase("B")[0, 1],
        sp.IndexedBase("B; x")[3],
    ],
    ids=str,
)
def test_an_element_is_a_scalar_variable(element: Any) -> None:
    tensor = sg.from_sympy(2 * element + 1)
    (found,) = declared(tensor)
    assert found["variable"].name == str(element).replace(str(element.args[0]), element.args[0].name)
    assert evaluate([tensor.node], {found: 3.0})[0] == 7.0
    assert sg.to_sympy(tensor) == 2 * element + 1


@pytest.mark.parametrize(
    "symbol",
    [sp.Symbol("c", commutative=False), sp.Symbol("i", imaginary=True), sp.IndexedBase("B")[sp.Symbol("k")]],
    ids=str,
)
def test_what_is_not_a_real_number_is_refused(symbol: Any) -> None:
    with pytest.raises(UnsupportedError):
        sg.from_sympy(symbol + 1)


# Shapes


def test_matrices_lists_and_arrays() -> None:
    at = {"u": 0.5, "v": -2.0}
    matrix = sg.from_sympy(sp.Matrix([[u, 1, v], [u * v, sp.exp(u), 0]]))
    np.testing.assert_array_equal(value(matrix, **at), [[0.5, 1.0, -2.0], [-1.0, math.exp(0.5), 0.0]])
    assert sg.from_sympy(sp.ImmutableMatrix([[u], [v]])).shape == (2, 1)
    np.testing.assert_array_equal(value(sg.from_sympy([u, v, 3]), **at), [0.5, -2.0, 3.0])
    np.testing.assert_array_equal(value(sg.from_sympy(((u, v), (v, 1))), **at), [[0.5, -2.0], [-2.0, 1.0]])
    np.testing.assert_array_equal(value(sg.from_sympy(sp.Array([[[u, v]]])), **at), [[[0.5, -2.0]]])
    assert sg.from_sympy(sp.Matrix(0, 2, [])).shape == (0, 2)
    assert sg.from_sympy(sp.MatrixSymbol("M", 2, 2)).shape == (2, 2)


def test_a_ragged_list_is_refused() -> None:
    with pytest.raises(ShapeError, match="differ in shape"):
        sg.from_sympy([u, [u, v]])


@pytest.mark.parametrize(
    "expr", [u * sp.sin(v), sp.Matrix([[u, v], [1, u * v]]), sp.Array([u, v, u / 3]), (u > 0) & (v < 1)]
)
def test_there_and_back(expr: Any) -> None:
    assert sg.to_sympy(sg.from_sympy(expr)) == expr


def test_tensors_become_expressions_of_their_elements() -> None:
    X = sg.input("X", (2, 2))
    base = sp.IndexedBase("X", real=True)
    assert sg.to_sympy((X @ X)[0, 0]) == base[0, 0] ** 2 + base[0, 1] * base[1, 0]
    assert sg.to_sympy(X.T) == sp.Matrix(2, 2, lambda i, j: base[j, i])
    a, b = sg.symbols("a b")
    A, B = sp.symbols("a b", real=True)
    assert sg.to_sympy(sg.exp(a) * b - 0.1) == sp.exp(A) * B - sp.Rational(1, 10)


# Operators


def test_symbols_and_tensors_meet_in_operators() -> None:
    x = sg.symbol("x")
    for mixed in (x * u, u * x):
        assert isinstance(mixed, sg.Tensor)
        assert value(mixed, x=3.0, u=0.5) == 1.5
    assert value(u - x, x=3.0, u=0.5) == -2.5
    assert value(u / x, x=2.0, u=0.5) == 0.25
    assert value(sg.sin(u**2) + x, x=1.0, u=0.5) == math.sin(0.25) + 1.0


# Functions of the user's own


def test_elementwise_is_the_function_at_every_element() -> None:
    x = sg.input("x", (4,))
    y = sg.elementwise(lambda t: t * sp.tanh(sp.log(1 + sp.exp(t))), x)
    xv = np.array([-3.0, -0.5, 0.0, 2.0])
    np.testing.assert_allclose(
        value(y, x=xv), xv * np.tanh(np.log1p(np.exp(xv))), rtol=EPS * math.exp(4)
    )  # of log(1 + e**-3)


def test_elementwise_of_several_broadcasts() -> None:
    x, y = sg.input("x", (2, 1)), sg.input("y", (3,), dtype="int")
    z = sg.elementwise(lambda a, b: sp.Piecewise((a * b, a > b), (a - b, True)), x, y)
    xv, yv = np.array([[0.5], [4.0]]), np.array([0, 2, 5])
    assert z.shape == (2, 3)
    np.testing.assert_array_equal(value(z, x=xv, y=yv), np.where(xv > yv, xv * yv, xv - yv))
    assert sg.elementwise(lambda a, b: 3, x, y).shape == (2, 3)
    with pytest.raises(ShapeError, match="do not broadcast"):
        sg.elementwise(lambda a, b: a + b, sg.input("p", (2,)), sg.input("q", (3,)))


def test_elementwise_takes_booleans_as_conditions() -> None:
    flag, x = sg.input("flag", (2,), dtype="bool"), sg.input("x", (2,))
    y = sg.elementwise(lambda c, t: sp.Piecewise((t, c), (-t, True)), flag, x)
    np.testing.assert_array_equal(value(y, flag=np.array([True, False]), x=np.array([1.0, 2.0])), [1.0, -2.0])


@pytest.mark.parametrize("result", ["t + 1", None, [1, 2], sp.Matrix([1])], ids=["text", "none", "list", "matrix"])
def test_elementwise_must_give_an_expression(result: Any) -> None:
    with pytest.raises(DtypeError, match="must give a SymPy expression"):
        sg.elementwise(lambda t: result, sg.symbol("x"))


def test_elementwise_refuses_what_has_no_rule() -> None:
    with pytest.raises(UnsupportedError, match="gamma"):
        sg.elementwise(sp.gamma, sg.symbol("x"))
    with pytest.raises(UnsupportedError, match="'u'"):
        sg.elementwise(lambda t: t + u, sg.symbol("x"))


@pytest.mark.parametrize(
    ("cases", "inside"),
    [
        ([(u, u > 5)], (1, 0)),
        ([(u, v > 5)], (1, 0)),
        ([(1, u + v > 5)], (0, 0)),
        ([(2 * u, (u > 9) & (v > 9)), (u * v, v > 5)], (7, 6)),
    ],
)
def test_where_no_case_holds_value_and_slopes_are_undefined(cases: list, inside: tuple) -> None:
    f = sg.from_sympy(sp.Piecewise(*cases))
    moving = [x for x in (u, v) if x in sp.Tuple(*cases).free_symbols]
    slopes = sg.grad(f, [declare(x) for x in moving])
    assert math.isnan(value(f, u=0.7, v=0.2))
    assert all(math.isnan(value(g, u=0.7, v=0.2)) for g in slopes)
    assert [value(g, u=6.0, v=7.0) for g in slopes] == [s for x, s in zip((u, v), inside, strict=True) if x in moving]


# Refusals


def test_a_function_of_sympys_refuses_a_tensor_in_its_own_words() -> None:
    x = sg.symbol("x")
    for wrong in (sp.sin, sp.sqrt, lambda t: sp.Max(t, 0), lambda t: sp.Matrix([t])):
        with pytest.raises(DtypeError, match=r"as sg\.sin") as caught:
            wrong(x)
        assert "x: f64" in str(caught.value)
        assert "test_sympy.py" in caught.value.at
        assert copy.copy(caught.value).at == caught.value.at
    assert (u * x).shape == ()


def test_text_is_never_sympified(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: Any, **__: Any) -> None:
        raise AssertionError("text reached SymPy's parser")

    monkeypatch.setattr("sympy.parsing.sympy_parser.parse_expr", reached)
    for bad in ("x", '__import__("os").getcwd()', ["u", u], [["1"]]):
        with pytest.raises(ExpressionError, match="text"):
            sg.from_sympy(bad)


def test_matrix_expressions_and_sets_are_refused() -> None:
    A, B = sp.MatrixSymbol("A", 2, 2), sp.MatrixSymbol("B", 2, 2)
    n = sp.Symbol("n", integer=True)
    for bad in (A * B, sp.Trace(A * B), sp.MatrixSymbol("C", n, n), sp.S.Reals, sp.Lambda(u, u)):
        with pytest.raises(UnsupportedError):
            sg.from_sympy(bad)
    with pytest.raises(UnsupportedError) as caught:
        sg.from_sympy(A * sp.Matrix([u, 1]))
    assert "as_explicit" in caught.value.fix


def test_bombs_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(ExpressionError, match="too large"):
        sg.from_sympy(sp.Pow(9, sp.Pow(9, 9, evaluate=False), evaluate=False) + u)
    many = sum(sp.sin(u * i) for i in range(100))
    with pytest.raises(ExpressionError, match="too large"):
        sg.from_sympy(many + sp.Pow(9, -sp.Pow(9, 9, evaluate=False), evaluate=False))


# Large bodies


def test_partial_products_of_a_large_body_are_shared() -> None:
    xs = sp.symbols("x0:4")
    expr = sp.expand((sum(xs) + 1) ** 5)
    tensor = sg.from_sympy(expr)
    size = len(topological([tensor.node]))
    plain = len(expr.args) * 4
    assert 64 < size < plain
    at = {f"x{i}": 0.3 * i - 0.4 for i in range(4)}
    assert value(tensor, **at) == pytest.approx((sum(at.values()) + 1) ** 5, rel=1e-13)


def test_a_shared_body_keeps_cases_and_conditions() -> None:
    terms = [sp.Piecewise((u * v * i, u > v), (sp.Max(u, i) * v, True)) * sp.sin(u * v + i) for i in range(20)]
    tensor = sg.from_sympy([sum(terms), u * v, sp.And(u > v, u > 0)])
    for a, b in ((0.5, -0.25), (-0.5, 1.5)):
        truth = sum((a * b * i if a > b else max(a, i) * b) * math.sin(a * b + i) for i in range(20))
        np.testing.assert_allclose(value(tensor, u=a, v=b), [truth, a * b, a > max(b, 0)], rtol=1e-13)


def test_ten_thousand_levels_go_in() -> None:
    expr = u
    for _ in range(10_000):
        expr = sp.sin(expr, evaluate=False)
    assert len(topological([sg.from_sympy(expr).node])) == 10_001


# What users hold


def test_tensors_of_sympy_are_copied_and_pickled() -> None:
    tensor = sg.from_sympy(sp.exp(u) * v)
    assert copy.deepcopy(tensor) == tensor
    assert pickle.loads(pickle.dumps(tensor)) == tensor


def test_compile_takes_expressions_as_they_stand() -> None:
    fn = sg.compile(sp.sin(u * v) + u**2, wrt=[u, v])
    a, b = 0.7, -1.3
    assert fn(u=a, v=b) == pytest.approx(math.sin(a * b) + a * a, rel=1e-15)
    np.testing.assert_allclose(fn.grad(a, b), [b * math.cos(a * b) + 2 * a, a * math.cos(a * b)], rtol=1e-15)
