"""Errors carried beside values: as many digits as doubled precision would give, and nothing in exact arithmetic."""

from __future__ import annotations

import math
import random

import pytest
import sympy as sp

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.types import named, real
from symgrad.ir.walk import topological
from symgrad.ops import errorfree
from symgrad.ops.leaf import variable
from symgrad.passes.compensate import compensate
from tests.passes.exact_values import at, double, exact, ulps
from tests.passes.examples import c, e, f, x, y, z

ROWS = {row.name for row in errorfree.TABLE}


def carried(formula: Node) -> Node:
    return compensate([formula])[formula]


CANCELLING = [
    (x * y - z, (1.1, 1.3, 1.43)),
    (x * x - y * z, (1.0 / 3.0, 1.0 / 7.0, 7.0 / 9.0)),
    ((x * y) * z - x * (y * z), (0.1, 0.7, 1.3)),
    (x / y - z, (1.0, 3.0, 1.0 / 3.0)),
    (f("sqrt", x) * f("sqrt", x) - x, (2.0, 0.0, 0.0)),
    (f("sqrt", x * x + y) - x, (1e5, 1e-3, 0.0)),
    ((x + y) - (x + z), (1e8, 0.1, 0.3)),
    (f("hypot", x, y) - z, (0.3, 0.4, 0.5)),
    (f("reciprocal", x) - y, (3.0, 1.0 / 3.0, 0.0)),
]


@pytest.mark.parametrize(("formula", "point"), CANCELLING)
def test_what_cancels_is_regained(formula: Node, point: tuple) -> None:
    given = at(formula, point)
    truth = exact(formula, given)
    if truth == 0 or abs(truth) < 1e-40:
        assert double(carried(formula), given) == 0
        return
    assert ulps(double(formula, given), truth) > 1e3
    assert ulps(double(carried(formula), given), truth) <= 1


MAGNIFIED = [
    (e(x * y), (25.3, 25.7, 0.0)),
    (f("sin", x * y), (1e3 / 3.0, 1e3 / 7.0, 0.0)),
    ((1.0 + x / y) ** y, (1.0 / 3.0, 1e9 / 7.0, 0.0)),
    (f("cos", x * constant(math.pi) / 180.0), (7654.3, 0.0, 0.0)),
    (f("log", x * y), (1.0 + 2.0**-30, 1.0 - 2.0**-30 + 2.0**-50, 0.0)),
]


@pytest.mark.parametrize(("formula", "point"), MAGNIFIED)
def test_a_function_that_magnifies_sees_the_error_of_its_argument(formula: Node, point: tuple) -> None:
    given = at(formula, point)
    truth = exact(formula, given)
    assert ulps(double(formula, given), truth) > 8
    assert ulps(double(carried(formula), given), truth) <= 2


PLAIN = [x + y, x - y, x * y, f("sin", x), f("square", x) + f("square", y), e(x) + e(y), e(x) * f("square", y) / e(z)]


@pytest.mark.parametrize("formula", PLAIN)
def test_what_cannot_lose_digits_stays_as_it_is(formula: Node) -> None:
    assert carried(formula) is formula


EDGES = [0.0, -0.0, 1e308, -1e308, 1e-308, 5e-324, math.inf, -math.inf, math.nan, 1.0]


@pytest.mark.parametrize("formula", [p for p, _ in CANCELLING + MAGNIFIED])
def test_infinities_nan_and_overflow_are_those_of_the_formula(formula: Node) -> None:
    """NaN stays NaN, an infinity that infinity, and a finite value finite."""
    new = carried(formula)
    draw = random.Random(0)
    for _ in range(150):
        given = {n: draw.choice(EDGES) for n in at(formula, (0.0, 0.0, 0.0))}
        before, after = double(formula, given), double(new, given)
        if math.isnan(before):
            assert math.isnan(after)
        elif math.isinf(before):
            assert after == before
        else:
            assert math.isfinite(after)


def random_formula(seed: int) -> Node:
    draw = random.Random(seed)
    pool: list[Node] = [x, y, z, c(0.1), c(3.0)]
    for _ in range(14):
        name = draw.choice(["add", "sub", "mul", "div", "sub", "square", "neg", "where", "sin"])
        p, q = draw.choice(pool), draw.choice(pool[-5:])
        if name == "where":
            pool.append(build("where", p < q, p, q))
        else:
            pool.append(build(name, p) if name in ("square", "neg", "sin") else build(name, p, q))
    return pool[-1] - pool[-2]


@pytest.mark.parametrize("seed", range(25))
def test_random_formulas_have_the_same_exact_value(seed: int) -> None:
    """The rows that carry errors are 0 in exact arithmetic; literals alone are replaced by what they stand for."""
    formula = random_formula(seed)
    whole = [n for n in topological([formula]) if n.op.name == "constant" and n["value"] == 0.1]
    if whole:
        return
    given = at(formula, (0.7, -1.3, 2.5))
    truth = exact(formula, given)
    if truth in (sp.nan, sp.zoo):
        return
    assert abs(exact(carried(formula), given) - truth) <= sp.Float("1e-40") * abs(truth)


@pytest.mark.parametrize("seed", range(25))
def test_random_formulas_are_never_much_worse(seed: int) -> None:
    formula = random_formula(seed)
    for point in ((0.7, -1.3, 2.5), (1.1, 1.2, 1.3)):
        given = at(formula, point)
        truth = exact(formula, given)
        before, after = double(formula, given), double(carried(formula), given)
        if truth in (sp.nan, sp.zoo) or truth == 0:
            continue
        assert ulps(after, truth) <= max(4.0, 1.1 * ulps(before, truth))


def test_networks_are_left_alone() -> None:
    n = named("n")
    X, w = variable(Variable("X", "input"), real(n, 3)), variable(Variable("w", "parameter"), real(3))
    formula = build("sum", build("square", build("einsum", X, w, spec="ij,j->i") - 1.0), axes=(0,))
    assert carried(formula) is formula


def test_long_formulas_are_left_alone() -> None:
    formula = x
    for i in range(600):
        formula = formula * y - constant(float(i))
    assert carried(formula) is formula


def test_vectors_of_one_shape_are_as_good_as_scalars() -> None:
    v, w = (variable(Variable(name, "input"), real(named("n"))) for name in ("v", "w"))
    formula = v * v - w
    new = carried(formula)
    assert {n.op.name for n in topological([new])} & ROWS
    got = evaluate([new], {v: [1.0 / 3.0, 1.1], w: [1.0 / 9.0, 1.21]})[0]
    for value, (a, b) in zip(got, [(1.0 / 3.0, 1.0 / 9.0), (1.1, 1.21)], strict=True):
        assert ulps(float(value), sp.N(sp.Rational(a) ** 2 - sp.Rational(b), 40)) <= 1
