"""SymPy expressions as nodes, and back."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import DeclarationError, ExpressionError, UnsupportedError
from symgrad.ir.node import OPS, Node, Op, Variable, build
from symgrad.ir.types import ArrayType, named, real
from symgrad.ir.walk import topological
from symgrad.ops.formula import to_expr
from symgrad.ops.leaf import variable
from symgrad.ops.numerals import as_double, from_double
from symgrad.ops.registry import ROWS, Elementwise, infer_elementwise
from symgrad.ops.symbolic import derived_partial, expand_row, to_node
from tests.ops.calculus import as_array, close, digits

x, y, z = sp.symbols("x y z")
r = sp.Symbol("r", real=True)
NODES = {s: variable(Variable(s.name, "symbol", origin=s), real()) for s in (x, y, z, r)}


def node(expr: sp.Basic) -> Node:
    return to_node(expr, NODES)


def spelled(n: Node) -> str:
    """The node as nested calls."""
    if n.op.name in ("constant", "variable"):
        return str(n["value"]) if n.op.name == "constant" else n["variable"].name
    return f"{n.op.name}({', '.join(map(spelled, n.args))})"


def value(expr: sp.Basic, **at: float) -> float:
    return float(as_array(node(expr), {NODES[sp.Symbol(k)]: v for k, v in at.items()}))


FORMS = [
    (x - 2 * y, "sub(x, mul(2.0, y))"),
    (1 - x, "sub(1.0, x)"),
    (sp.exp(x) - 1, "sub(exp(x), 1.0)"),
    (-x - y, "sub(neg(x), y)"),
    (-1 - x, "sub(-1.0, x)"),
    (y - sp.Float(2.5) * x, "sub(y, mul(2.5, x))"),
    (sp.Float(-2.5) * x, "mul(-2.5, x)"),
    (2 * x / 3, "div(mul(2.0, x), 3.0)"),
    (3 * x / 2, "mul(1.5, x)"),
    (x / 2, "div(x, 2.0)"),
    (-x / y, "neg(div(x, y))"),
    (-1 / x, "neg(reciprocal(x))"),
    (-3 / x, "div(-3.0, x)"),
    (1 / (x * y), "reciprocal(mul(x, y))"),
    (x / y**3, "div(x, power(y, 3.0))"),
    (x**2, "square(x)"),
    (x**-2, "reciprocal(square(x))"),
    (x**5, "power(x, 5.0)"),
    (sp.sqrt(x), "sqrt(x)"),
    (1 / sp.sqrt(x), "reciprocal(sqrt(x))"),
    (sp.sqrt(x**2), "sqrt(square(x))"),
    (x ** sp.Rational(3, 2), "power(x, 1.5)"),
    (x**y, "power(x, y)"),
    (2**x, "exp2(x)"),
    (sp.Pow(sp.E, x, evaluate=False), "exp(x)"),
    (sp.pi * x / 180, "div(mul(3.141592653589793, x), 180.0)"),
    (sp.real_root(r, 3), "cbrt(r)"),
    (sp.real_root(x, 3), "cbrt(x)"),
    (sp.Max(x, 0, y), "maximum(maximum(x, y), 0.0)"),
    (sp.Min(2, x), "minimum(x, 2.0)"),
    (sp.Heaviside(x), "dmaximum(x, 0.0, 0.5)"),
    (sp.Heaviside(x, 0), "dmaximum(x, 0.0, 0.0)"),
    (sp.sinc(x), "sinc(div(x, 3.141592653589793))"),
    (sp.sinc(sp.pi * x), "sinc(x)"),
    (-2 * sp.Mod(x, 3), "mul(-2.0, mod(x, 3.0))"),
    (sp.digamma(x), "digamma(x)"),
    (sp.loggamma(x), "lgamma(x)"),
    (sp.atan2(y, x), "arctan2(y, x)"),
    (sp.cot(x), "div(cos(x), sin(x))"),
    (sp.acoth(x), "arctanh(reciprocal(x))"),
    (sp.frac(x), "sub(x, floor(x))"),
    (sp.erf2(x, y), "sub(erf(y), erf(x))"),
    (sp.Piecewise((x, x > 0)), "where(greater(x, 0.0), x, mul(nan, x))"),
    (sp.Piecewise((x, x > 0), (y, x > -1), (z, True)), "where(greater(x, 0.0), x, where(greater(x, -1.0), y, z))"),
    ((x > 0) & (y <= 2), "logical_and(less_equal(y, 2.0), greater(x, 0.0))"),
    (sp.Not((x > 0) & (y > 0)), "logical_not(logical_and(greater(x, 0.0), greater(y, 0.0)))"),
    (sp.Xor(x > 0, y > 0), "not_equal(greater(x, 0.0), greater(y, 0.0))"),
    (sp.ITE(x > 0, y > 0, z > 0), "where(greater(x, 0.0), greater(y, 0.0), greater(z, 0.0))"),
    (sp.true, "True"),
    (sp.oo, "inf"),
    (-sp.oo, "-inf"),
    (sp.Pow(9, 9, evaluate=False), "387420489.0"),
]


@pytest.mark.parametrize(("expr", "form"), FORMS, ids=[f"{i}: {e}" for i, (e, _) in enumerate(FORMS)])
def test_form(expr: sp.Basic, form: str) -> None:
    assert spelled(node(expr)) == form


@pytest.mark.parametrize("expr", [e for e, _ in FORMS if isinstance(e, sp.Expr) and e.free_symbols])
def test_value_is_sympys(expr: sp.Expr) -> None:
    at = {x: sp.Float("1.375", 30), y: sp.Float("0.625", 30), z: sp.Float("-2.5", 30), r: sp.Float("-0.375", 30)}
    erf2_spelled = expr.replace(sp.erf2, lambda a, b: sp.erf(b) - sp.erf(a))  # SymPy has no value of erf2
    truth = sp.N(erf2_spelled.xreplace(at), 30)
    assert close(digits(node(expr), {NODES[s]: float(v) for s, v in at.items()}, 30), truth, 1e-25)
    assert float(as_array(node(expr), {NODES[s]: float(v) for s, v in at.items()})) == pytest.approx(
        float(truth), rel=1e-14
    )


def test_mod_of_a_product_keeps_its_sign() -> None:
    assert value(-2 * sp.Mod(x, 3), x=1.0) == -2.0


def test_outside_the_domain_is_nan() -> None:
    with np.errstate(invalid="ignore"):
        assert math.isnan(value(sp.cbrt(x), x=-8.0))
        assert math.isnan(value(sp.Piecewise((x, x > 0)), x=-1.0))
    assert value(sp.real_root(x, 3), x=-8.0) == -2.0


def test_heaviside_keeps_nan_and_its_middle() -> None:
    assert [value(sp.Heaviside(x), x=v) for v in (-1.0, 0.0, 2.0)] == [0.0, 0.5, 1.0]
    assert math.isnan(value(sp.Heaviside(x), x=math.nan))


def test_ten_thousand_nested_functions() -> None:
    expr = x
    for _ in range(10_000):
        expr = sp.sin(expr, evaluate=False)
    found = node(expr)
    assert len(topological([found])) == 10_001
    assert value(expr, x=1.0) == pytest.approx(_iterate_sin(10_000), rel=1e-12)


def _iterate_sin(n: int) -> float:
    v = 1.0
    for _ in range(n):
        v = math.sin(v)
    return v


def test_a_shared_expression_is_visited_once() -> None:
    expr = x
    for _ in range(200):
        expr = sp.Add(sp.Pow(expr, 2, evaluate=False), sp.sin(expr, evaluate=False), evaluate=False)
    start = time.perf_counter()
    assert len(topological([node(expr)])) == 601
    assert time.perf_counter() - start < 5.0


def test_equal_subexpressions_are_one_node() -> None:
    assert node(sp.sin(x * y)) in topological([node(sp.sin(x * y) + sp.exp(sp.sin(x * y)) * z)])
    assert node(sp.Mul(2, x, y, evaluate=False)) is node(2 * x * y)


BOMBS = [
    sp.Pow(9, sp.Pow(9, 9, evaluate=False), evaluate=False),
    sp.Pow(10, sp.Pow(10, 10, evaluate=False), evaluate=False),
    sp.Pow(2, sp.Pow(2, 40, evaluate=False), evaluate=False),
    sp.Pow(sp.Pow(9, sp.Pow(9, 9, evaluate=False), evaluate=False), sp.Rational(1, 2), evaluate=False),
    sp.Pow(9, sp.Mul(9, sp.Pow(9, 9, evaluate=False), evaluate=False), evaluate=False),
    sp.Pow(9, -sp.Pow(9, 9, evaluate=False), evaluate=False),
    sp.Integer(1 << 5000),
    sp.Rational(1, 1 << 5000),
    x * sp.Integer(1 << 5000) + 1,
    sp.Mul(x, sp.Integer(1 << 4000), sp.Integer(1 << 4000), evaluate=False),
]


@pytest.mark.parametrize("i", range(len(BOMBS)))
def test_an_integer_beyond_the_budget_is_refused_at_once(i: int) -> None:
    start = time.perf_counter()
    with pytest.raises(ExpressionError, match="too large"):
        node(BOMBS[i])
    assert time.perf_counter() - start < 1.0


def test_a_large_integer_within_the_budget_is_its_double() -> None:
    assert node(sp.Integer(10) ** 300)["value"] == 1e300
    assert node(sp.Integer(10) ** 400)["value"] == math.inf


REFUSED = {
    "gamma": sp.gamma(x),
    "besselj": sp.besselj(0, x),
    "f": sp.Function("f")(x),
    "__import__": sp.Function("__import__")(sp.Symbol("os")),
    "factorial": sp.factorial(x),
    "binomial": sp.binomial(sp.Integer(10) ** 9, 5 * 10**8, evaluate=False),
    "Sum": sp.Sum(1 / x**2, (x, 1, 10**9)),
    "Derivative": sp.Derivative(sp.Function("f")(x), x),
    "DiracDelta": sp.DiracDelta(x),
    "LambertW": sp.LambertW(x),
    "ImaginaryUnit": sp.I * x,
    "ComplexInfinity": sp.zoo,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_rule_is_refused_by_name(name: str) -> None:
    with pytest.raises(UnsupportedError, match=name):
        node(REFUSED[name])


def test_an_unknown_symbol_is_named() -> None:
    with pytest.raises(UnsupportedError, match="'q'"):
        node(sp.Symbol("q") + x)


# Numbers


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_read_back_as_itself(v: float) -> None:
    assert as_double(from_double(v)) == v if from_double(v).is_Number else as_double(sp.N(from_double(v), 40)) == v


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**30))
def test_a_rational_is_correctly_rounded(p: int, q: int) -> None:
    assert as_double(sp.Rational(p, q)) == p / q


DOUBLES = [
    (sp.pi, math.pi),
    (sp.E, math.e),
    (sp.GoldenRatio, (1 + math.sqrt(5)) / 2),
    (sp.EulerGamma, 0.5772156649015329),
    (sp.Float("0.1", 50), 0.1),
    (sp.Float("1e-320", 30), 1e-320),
    (sp.Float("4.9e-324", 30), 5e-324),
    (sp.Float("1e400"), math.inf),
    (sp.Float("-1e-400"), -0.0),
    (sp.Float("4.347249999999999", 17), 4.347249999999999),
    (sp.Float("2.2250738585072011e-308", 40), 2.225073858507201e-308),
    (sp.Rational(-(10**400), 3), -math.inf),
]


@pytest.mark.parametrize(("number", "double"), DOUBLES)
def test_numbers_are_the_nearest_doubles(number: sp.Expr, double: float) -> None:
    assert as_double(number) == double


SIMPLE = [
    (2.0, sp.Integer(2)),
    (0.1, sp.Rational(1, 10)),
    (1 / 3, sp.Rational(1, 3)),
    (-0.5, sp.Rational(-1, 2)),
    (math.pi, sp.pi),
    (-math.pi, -sp.pi),
    (math.log(2), sp.log(2)),
    (2 / math.sqrt(math.pi), 2 / sp.sqrt(sp.pi)),
    (math.inf, sp.oo),
    (0.123456789, sp.Float(0.123456789)),
]


@pytest.mark.parametrize(("double", "number"), SIMPLE)
def test_doubles_come_back_in_simple_form(double: float, number: sp.Expr) -> None:
    assert from_double(double) == number


# What SymPy derives for a row


@pytest.fixture
def new_row() -> Iterator[Elementwise]:
    """A row that states a SymPy expression and nothing else: one row adds one function."""
    row = replace(
        ROWS["sin"], name="bump", arity=2, sympy=lambda a, b: sp.exp(-(a**2)) * sp.tanh(a * b), partials=None, code=None
    )
    ROWS[row.name] = row
    OPS[row.name] = Op(row.name, "elementwise", lambda *types: infer_elementwise(row, types), row=row)
    yield row
    del ROWS[row.name], OPS[row.name]


def test_a_row_of_a_sympy_expression_alone(new_row: Elementwise) -> None:
    bump = build("bump", NODES[x], NODES[y])
    expr = sp.exp(-(x**2)) * sp.tanh(x * y)
    assert to_expr(expand_row(bump)) == expr
    assert all(n.op.name != "bump" for n in topological([expand_row(bump)]))
    for i, symbol in enumerate((x, y)):
        p = derived_partial(new_row, i, bump)
        at = {NODES[x]: 0.7, NODES[y]: -1.3}
        truth = sp.N(sp.diff(expr, symbol).subs({x: sp.Float(0.7, 60), y: sp.Float(-1.3, 60)}), 40)
        assert p is not None
        assert close(digits(p, at, 40), truth, 1e-35)


def test_a_row_is_expanded_on_tensors(new_row: Elementwise) -> None:
    a, b = (variable(Variable(n, "input"), ArrayType(s, "real")) for n, s in (("a", (2, 3)), ("b", (3,))))
    av, bv = np.linspace(-1, 1, 6).reshape(2, 3), np.array([0.5, 1.0, -2.0])
    body = expand_row(build("bump", a, b))
    assert body.shape == (2, 3)
    np.testing.assert_allclose(as_array(body, {a: av, b: bv}), np.exp(-(av**2)) * np.tanh(av * bv), rtol=1e-14)


def test_a_derivative_that_sympy_leaves_alone_must_be_stated() -> None:
    row = replace(ROWS["floor"], partials=None)
    with pytest.raises(UnsupportedError, match="floor"):
        derived_partial(row, 0, build("floor", NODES[x]))


def test_a_row_that_no_row_spells_is_refused() -> None:
    row = replace(ROWS["sin"], name="gamma", sympy=sp.gamma, partials=None, code=None)
    ROWS["gamma"] = row
    op = Op("gamma", "elementwise", lambda *types: infer_elementwise(row, types), row=row)
    OPS["gamma"] = op
    try:
        with pytest.raises(UnsupportedError, match="gamma"):
            expand_row(build("gamma", NODES[x]))
    finally:
        del ROWS["gamma"], OPS["gamma"]


# Back


def test_tensors_come_back_element_by_element() -> None:
    a = variable(Variable("A", "input"), ArrayType((2, 2), "real"))
    base = sp.IndexedBase("A", real=True)
    found = to_expr(build("sum", build("square", a), axes=(0,)))
    assert list(found) == [base[0, 0] ** 2 + base[1, 0] ** 2, base[0, 1] ** 2 + base[1, 1] ** 2]
    assert to_expr(build("max_reduce", a, axes=(0, 1))) == sp.Max(*(base[i, j] for i in range(2) for j in range(2)))
    softmax = to_expr(build("softmax", a, axes=(1,)))
    assert softmax[0, 0] == sp.exp(base[0, 0]) / (sp.exp(base[0, 0]) + sp.exp(base[0, 1]))


def test_named_sizes_have_no_expression() -> None:
    a = variable(Variable("A", "input"), ArrayType((named("n"),), "real"))
    with pytest.raises(UnsupportedError, match="known sizes"):
        to_expr(build("sum", a, axes=(0,)))


def test_two_variables_of_one_name_are_refused() -> None:
    a, b = (variable(Variable("a", "symbol"), real()) for _ in range(2))
    with pytest.raises(DeclarationError, match="'a'"):
        to_expr(a + b)


def test_names_replace_nodes() -> None:
    inner = node(sp.sin(x))
    assert to_expr(build("exp", inner), {inner: y}) == sp.exp(y)


def test_a_deep_node_comes_back_unevaluated() -> None:
    n = NODES[x]
    for _ in range(3000):
        n = build("sin", n)
    expr, depth = to_expr(n), 0
    while expr.args:
        expr, depth = expr.args[0], depth + 1
    assert (expr, depth) == (x, 3000)


SYMBOLS = st.sampled_from([x, y, z])


def _grow(inner: st.SearchStrategy) -> st.SearchStrategy:
    unary = st.sampled_from(
        [sp.sin, sp.cos, sp.tanh, sp.exp, sp.atan, sp.Abs, lambda e: e**2, lambda e: 1 / (1 + e**2), lambda e: -e / 3]
    )
    binary = st.sampled_from(
        [
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a * b,
            sp.Max,
            lambda a, b: sp.Piecewise((a, a > b), (b, True)),
        ]
    )
    return st.one_of(
        st.builds(lambda f, e: f(e), unary, inner), st.builds(lambda f, a, b: f(a, b), binary, inner, inner)
    )


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.one_of(SYMBOLS, st.integers(-3, 3).map(sp.Integer)), _grow, max_leaves=8))
def test_random_expressions_keep_their_value_both_ways(expr: sp.Expr) -> None:
    at = {x: sp.Float("0.8125", 80), y: sp.Float("-1.375", 80), z: sp.Float("0.25", 80)}
    if not sp.S(expr).free_symbols:
        return
    truth = sp.N(expr.xreplace(at), 40)
    back = to_expr(node(expr))
    assert close(sp.N(back.xreplace(at), 40), truth, 1e-30)
    assert close(digits(to_node(back, NODES), {NODES[s]: float(v) for s, v in at.items()}, 40), truth, 1e-30)
