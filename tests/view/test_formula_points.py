"""check_formula where a claim is right at the usual points only: one length of an axis, one side of a threshold, ..."""

import math

import numpy as np
import pytest

from symgrad.errors import CallError, DtypeError
from symgrad.frontend.arrays import one_hot
from symgrad.frontend.declare import input as declared
from symgrad.frontend.declare import parameter
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.reductions import log_softmax, mean, softmax
from symgrad.frontend.reductions import sum as total
from symgrad.view.formula import check_formula

X, y, W = declared("X", ("n", 3)), declared("y", ("n",)), parameter("W", (3,))
n = X.shape[0]
error = X @ W - y


# Named sizes


@pytest.mark.parametrize(
    ("f", "claim", "right", "hint"),
    [
        (mean(error**2), X.T @ error, 2 * X.T @ error / n, "the factor 2/n is lost at X.T @ (X @ W - y)"),
        (mean(error**2), 2 * X.T @ error, 2 * X.T @ error / n, "the factor 1/n is lost"),
        (total(error**2), 4 * X.T @ error / n, 2 * X.T @ error, "the factor 2/n is too many"),
        (total(error) * n, 2 * total(X, axis=0), n * total(X, axis=0), "the factor 2/n is too many"),
    ],
    ids=["mean by two", "mean", "sum", "count"],
)
def test_a_claim_for_one_length_of_an_axis_is_wrong(f, claim, right, hint):
    report = check_formula(f, W, claim)
    assert not report.equal
    assert hint in report.first.hint
    assert report.counterexample["n"] == len(report.counterexample["y"])
    assert check_formula(f, W, right).equal


def test_half_a_sum_is_no_mean():
    labels, Z = declared("labels", ("n",), dtype="int"), parameter("Z", ("n", 4))
    loss = -total(one_hot(labels, 4) * log_softmax(Z)) / Z.shape[0]
    slope = softmax(Z) - one_hot(labels, 4)
    assert check_formula(loss, Z, slope / Z.shape[0]).equal
    assert not check_formula(loss, Z, slope / 2).equal
    assert not check_formula(loss, Z, slope).equal


def test_two_sizes_are_not_mixed_up():
    a, b = declared("a", ("n",)), declared("b", ("m",))
    wrong = check_formula(mean(a) * mean(b), a, mean(b) / b.shape[0])
    assert not wrong.equal
    assert wrong.first.expected == "sum(b)/(m*n)"
    assert check_formula(mean(a) * mean(b), a, mean(b) / a.shape[0]).equal


def test_a_size_without_its_array_is_never_proved_away():
    x = declared("x", ())
    assert not check_formula(x**2 * n, x, 4 * x).equal
    assert check_formula(x**2 * n, x, 2 * x * n).equal


def test_a_function_of_arrays_meets_several_lengths():
    assert not check_formula(mean(error**2), W, lambda X, y, W: X.T @ (X @ W - y)).equal
    assert check_formula(mean(error**2), W, lambda X, y, W: 2 * X.T @ (X @ W - y) / len(y)).equal
    assert check_formula(mean(error**2), W, lambda W, X, y, n: 2 * X.T @ (X @ W - y) / n).equal


# Thresholds


@pytest.mark.parametrize(
    ("f", "claim", "right"),
    [
        ("clip(x, -5, 5)", "1", "where(abs(x) < 5, 1, 0)"),
        ("where(abs(x) <= 5, x**2/2, 5*abs(x) - 12.5)", "x", "clip(x, -5, 5)"),
        ("maximum(x, 10)", "0", "where(x > 10, 1, 0)"),
        ("where(x < 100, x, 2*x)", "1", "where(x < 100, 1, 2)"),
        ("abs(x - 7)", "-1", "sign(x - 7)"),
        ("abs(x + 3000)", "1", "sign(x + 3000)"),
        ("where(abs(x) < 0.0005, 3*x, x)", "1", "where(abs(x) < 0.0005, 3, 1)"),
        ("maximum(x*y - 20, 0)", "0", "where(x*y > 20, y, 0)"),
        ("minimum(exp(x), 1000)", "exp(x)", "where(exp(x) < 1000, exp(x), 0)"),
    ],
)
def test_a_claim_is_tried_on_both_sides_of_a_threshold(f, claim, right):
    assert not check_formula(f, "x", claim).equal
    assert check_formula(f, "x", right).equal


@pytest.mark.parametrize("limit", [3, 50, 5000])
def test_thresholds_of_the_claim_count_too(limit):
    assert not check_formula("x**2", "x", f"2*x + where(x > {limit}, 1, 0)").equal


def test_a_function_of_arrays_is_tried_beyond_the_thresholds_of_the_formula():
    assert not check_formula("clip(x, -5, 5)", "x", lambda x: 1.0).equal
    assert check_formula("clip(x, -5, 5)", "x", lambda x: float(abs(x) < 5)).equal


@pytest.mark.parametrize(
    ("f", "right"),
    [
        ("sqrt(x - 100)", "1/(2*sqrt(x - 100))"),
        ("log(x - 1000)", "1/(x - 1000)"),
        ("arcsin(1000*x)", "1000/sqrt(1 - (1000*x)**2)"),
        ("log(-x - 300)*sqrt(y - 20)", "sqrt(y - 20)/(x + 300)"),
    ],
)
def test_a_domain_far_from_1_is_found(f, right):
    assert check_formula(f, "x", right).equal


# Zero


@pytest.mark.parametrize("f", ["floor(x)", "sign(x)", "round(x)", "sin(x)**2 + cos(x)**2", "y"])
def test_a_slope_that_is_0_refuses_a_claim(f):
    wrong = check_formula(f if f != "y" else "y + 0*x", "x", "1")
    assert not wrong.equal
    assert wrong.first.derived_value == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        "sinh(x) - (exp(x) - exp(-x))/2",
        "tanh(x) - (exp(x) - exp(-x))/(exp(x) + exp(-x))",
        "log(x*y) - log(x) - log(y)",
        "arctan(x) + arctan(1/x)",
        "lgamma(x + 1) - lgamma(x) - log(x)",
        "sin(3*x) - 3*sin(x) + 4*sin(x)**3",
    ],
)
def test_what_cancels_to_0_is_0(f):
    """The derived value is the rounding of terms that cancel; it is no counterexample to 0, and 1e-20 is none of it."""
    assert check_formula(f, "x", "0").equal
    assert not check_formula(f, "x", "1e-20").equal
    assert check_formula(f, "x", lambda x: 0.0).equal


def test_rounding_of_a_function_is_no_counterexample():
    claim = lambda x: math.sin(x) * math.cos(x) - math.sin(2 * x) / 2  # noqa: E731
    assert check_formula("sin(x)**2 + cos(x)**2", "x", claim).equal


# Functions of arrays


def test_how_a_function_is_called():
    f = "x*exp(y)"
    for claim in (
        lambda x, y: np.exp(y),
        lambda y: np.exp(y),
        lambda y, x: np.exp(y),
        lambda p, q: np.exp(q),
        lambda p, q, scale=1.0: scale * np.exp(q),
        lambda y, scale=1.0: scale * np.exp(y),
        lambda *args: np.exp(args[1]),
        lambda **given: np.exp(given["y"]),
        lambda y, **rest: np.exp(y),
    ):
        assert check_formula(f, "x", claim).equal
    assert check_formula("exp(x)", "x", np.exp).equal
    assert check_formula("exp(x)", "x", math.exp).equal


def test_a_function_that_does_not_fit_is_told_so():
    with pytest.raises(CallError, match=r"arguments are not the formula's variables(?s:.)*takes +q\n"):
        check_formula("x*y", "x", lambda q: q)
    with pytest.raises(DtypeError, match=r"gave no real numbers(?s:.)*NoneType"):
        check_formula("x*y", "x", lambda x, y: None)
    with pytest.raises(ZeroDivisionError):
        check_formula("x*y", "x", lambda x, y: 1 / 0)


def test_a_wrong_shape_has_no_values():
    text = str(check_formula(F["exp"](W)[0], W, lambda W: W[:, None]))
    assert "the function gave (3, 1)" in text
    assert "None" not in text
