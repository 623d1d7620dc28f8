"""Stable forms are equal in exact arithmetic, better where digits were lost, and no worse elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, constant
from symgrad.passes.differentiate import gradient
from symgrad.passes.polynomial import difference
from symgrad.passes.simplify import simplify
from symgrad.passes.stabilise import RULES, stabilise
from tests.passes.exact_values import at, double, exact, ulps
from tests.passes.examples import STABILISE, Example, c, e, f, fired, x, y, z

EXAMPLES = pytest.mark.parametrize(("name", "example"), STABILISE.items(), ids=list(STABILISE))
SCALAR = pytest.mark.parametrize(
    ("name", "example"),
    [p for p in STABILISE.items() if not p[1].formula.shape],
    ids=[n for n, p in STABILISE.items() if not p.formula.shape],
)
LAST_PLACES = 4.0  # of a composition of two or three functions, each within 1 or 2


def test_every_rule_has_one_name_and_an_example() -> None:
    assert sorted(rule.name for rule in RULES) == sorted(STABILISE)


def test_every_rule_says_what_it_saves_or_is_a_plain_identity() -> None:
    bare = {rule.name for rule in RULES if not rule.note}
    assert all(any(symbol in name for symbol in "()^=") for name in bare)


@EXAMPLES
def test_rule_fires(name: str, example: Example) -> None:
    names, new = fired(stabilise, example.formula)
    assert name in names
    assert new is not example.formula


@SCALAR
def test_rule_is_an_identity(name: str, example: Example) -> None:
    new = stabilise([example.formula])[example.formula]
    for point in example.points:
        before = exact(example.formula, at(example.formula, point))
        after = exact(new, at(example.formula, point))
        assert abs(after - before) <= sp.Float("1e-35") * abs(before), (point, before, after)


@SCALAR
def test_stable_form_is_accurate_where_the_rule_claims_it(name: str, example: Example) -> None:
    """Within a few last places at every point, and never worse than what was written by more than those."""
    new = stabilise([example.formula])[example.formula]
    for point in example.points:
        given = at(example.formula, point)
        truth = exact(example.formula, given)
        after, before = ulps(double(new, given), truth), ulps(double(example.formula, given), truth)
        assert after <= max(LAST_PLACES, before), (point, before, after)


ACCURATE = {
    "ln(1 - x)": (1e-9, 0.0, 0.0),
    "e^x - 1": (1e-9, 0.0, 0.0),
    "1 - cos x": (1e-6, 0.0, 0.0),
    "f(b + h) - f(b)": (1e14, 0.0, 0.0),
    "u + sqrt(u^2 + h)": (3.0, 1e-9, 1.0),
    "e^x - c + e^-x": (1e-6, 0.0, 0.0),
    "(1 - cos x)/x^2": (1e-6, 0.0, 0.0),
    "x - sin x, tan x - x, 1/x - 1/tan x": (1e-5, 0.0, 0.0),
    "ln tan(pi/4 + x/2)": (1e-7, 0.0, 0.0),
    "ln(1 + q (e^u - 1))": (1e-9, 0.3, 0.0),
}


@pytest.mark.parametrize("name", ACCURATE)
def test_digits_that_were_lost_are_kept(name: str) -> None:
    formula = STABILISE[name].formula
    given = at(formula, ACCURATE[name])
    truth = exact(formula, given)
    assert ulps(double(formula, given), truth) > 1e3
    assert ulps(double(stabilise([formula])[formula], given), truth) <= LAST_PLACES


OVERFLOWING = [
    (f("log", e(x) + e(y)), (800.0, 799.0, 0.0)),
    (f("log", 1.0 + e(x)), (1000.0, 0.0, 0.0)),
    (f("sqrt", x * x + y * y), (3e200, 4e200, 0.0)),
    (f("log", f("sigmoid", x)), (-800.0, 0.0, 0.0)),
    (e(x) / (1.0 + e(x)), (900.0, 0.0, 0.0)),
    (e(x) / (e(x) - 1.0), (900.0, 0.0, 0.0)),
    (f("log", f("cosh", x)), (900.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("formula", "point"), OVERFLOWING)
def test_what_overflowed_is_finite_with_a_finite_gradient(formula: Node, point: tuple) -> None:
    given = at(formula, point)
    assert not math.isfinite(double(formula, given))
    new = stabilise([formula])[formula]
    assert ulps(double(new, given), exact(formula, given)) <= LAST_PLACES
    slopes = gradient(new, list(given))
    assert all(math.isfinite(double(stabilise([g])[g], given)) for g in slopes)


OUTSIDE = [
    (f("log", x + 1.0) - f("log", x), -3.0),
    (f("sqrt", x + 1.0) - f("sqrt", x), -0.5),
    (f("log", (1.0 + x) / (1.0 - x)), 2.0),
    (f("log", (1.0 + x) / (1.0 - x)), -2.0),
    (f("log", 1.0 - e(x)), 0.5),
    (f("log", f("tan", c(np.pi) / 4.0 + 0.5 * x)), 2.0),
    (f("log", 1.0 + x), -2.0),
    (x * f("log", x), -1.0),
    ((x + 1.0) - x, math.inf),
    (x - (x - 2.0), -math.inf),
    (3.0 * x - 2.0 * x, math.inf),
]


@pytest.mark.parametrize(("formula", "value"), OUTSIDE)
def test_outside_the_domain_it_is_nan_still(formula: Node, value: float) -> None:
    assert math.isnan(double(formula, {x: value}))
    assert math.isnan(double(stabilise([formula])[formula], {x: value}))


AT_EDGES = [
    (f("log", x + 1.0) - f("log", x), 0.0, math.inf),
    (f("sqrt", x + 1.0) - f("sqrt", x), 0.0, 1.0),
    (f("sqrt", x * x), 0.0, 0.0),
    (e(x) - 1.0, math.inf, math.inf),
    (e(x) - 1.0, -math.inf, -1.0),
    (1.0 / (1.0 + e(-x)), -math.inf, 0.0),
    (f("log", 1.0 + x), math.inf, math.inf),
    (f("sqrt", x * x + 1.0) - x, -math.inf, math.inf),
    ((1.0 + x) ** c(-2.5) - 1.0, math.inf, -1.0),
]


@pytest.mark.parametrize(("formula", "value", "limit"), AT_EDGES)
def test_limits_at_the_edges_of_the_domain(formula: Node, value: float, limit: float) -> None:
    assert double(stabilise([formula])[formula], {x: value}) == limit


@EXAMPLES
def test_stabilise_is_idempotent(name: str, example: Example) -> None:
    new = stabilise(
        [example.formula, *gradient(example.formula, [x, y, z])] if not example.formula.shape else [example.formula]
    )
    once = list(new.values())
    again = stabilise(once)
    assert all(again[n] is n for n in once)
    later = simplify(once)
    assert all(later[n] is n for n in once)


def test_slopes_of_stable_forms_are_stable() -> None:
    """sqrt(x+1) - sqrt(x) at 1e12: the derivative has no cancellation either."""
    formula = f("sqrt", x + 1.0) - f("sqrt", x)
    for order in (formula, stabilise([formula])[formula]):
        (slope,) = gradient(order, [x])
        new = stabilise([slope])[slope]
        assert ulps(double(new, {x: 1e12}), exact(slope, {x: 1e12})) <= 2 * LAST_PLACES


def test_softmax_written_out_is_softmax() -> None:
    formula = STABILISE["softmax"].formula
    new = stabilise([formula])[formula]
    assert new.op.name == "softmax"
    (A,) = new.args
    large = np.array([[1000.0, 1001.0, 999.0, 0.0]] * 3)
    np.testing.assert_allclose(evaluate([new], {A: large})[0].sum(axis=1), 1.0, rtol=1e-15)


@pytest.mark.parametrize(
    ("a", "b", "left"),
    [(x + 1.0, x, c(1.0)), (x * (x + 1.0), x * x, x), ((x + y) + z, x + (y + z), None), (x, y, None), (2.0 * x, x, x)],
)
def test_difference_takes_away_what_is_shared(a: Node, b: Node, left: Node | None) -> None:
    assert difference(a, b) is left


def test_constants_with_a_sum_that_only_looks_like_a_conjugate_stay() -> None:
    formula = 1.0 + f("sqrt", constant(5.0)) * x
    assert stabilise([formula])[formula] is formula
