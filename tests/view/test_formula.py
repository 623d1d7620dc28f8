"""check_formula: right claims are proved or counted in digits, wrong ones found with the slip and a counterexample."""

import numpy as np
import pytest
import sympy as sp

from symgrad.errors import CallError, ExpressionError, NumericError
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.declare import named, parameter, symbol, symbols
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.products import outer
from symgrad.frontend.reductions import sum as total
from symgrad.frontend.text import parse
from symgrad.ir.evaluate import evaluate
from symgrad.view.formula import check_formula
from symgrad.view.infix import infix

SIGMOID_NEURON = "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
CROSS_ENTROPY = "-(y*log(a) + (1 - y)*log(1 - a))"


@pytest.mark.parametrize(
    ("f", "wrt", "claim"),
    [
        ("(x + y)*z", "x", "z"),
        ("(x + y)*z", "z", "x + y"),
        ("2*(x*y + maximum(z, w))", "x", "2*y"),
        (SIGMOID_NEURON, "w0", "x0*sigmoid(w0*x0 + w1*x1 + w2)*(1 - sigmoid(w0*x0 + w1*x1 + w2))"),
        (SIGMOID_NEURON, "w2", "exp(-(w0*x0 + w1*x1 + w2))/(1 + exp(-(w0*x0 + w1*x1 + w2)))**2"),
        ("(2*(x + 1))**2", "x", "8*x + 8"),
        ("(3*x + 2*x**3)**2", "x", "2*(3*x + 2*x**3)*(3 + 6*x**2)"),
        (CROSS_ENTROPY, "a", "-y/a + (1 - y)/(1 - a)"),
        (CROSS_ENTROPY, "a", "(a - y)/(a*(1 - a))"),
        ("tanh(x)", "x", "1 - tanh(x)**2"),
        ("tanh(x)", "x", "4/(exp(x) + exp(-x))**2"),
        ("sin(x)*cos(x)", "x", "cos(2*x)"),
        ("abs(x - y)", "x", "sign(x - y)"),
        ("sqrt(x**2 + y**2)", "y", "y/sqrt(x**2 + y**2)"),
        ("exp(x*log(y))", "x", "log(y)*y**x"),
    ],
)
def test_a_right_claim_is_proved(f, wrt, claim):
    report = check_formula(f, wrt, claim)
    assert report.equal, str(report)
    assert bool(report)
    assert report.proved or report.digits >= 15
    assert report.counterexample is None


@pytest.mark.parametrize(
    ("f", "wrt", "claim", "hint"),
    [
        ("abs(yhat - y)", "yhat", "sign(y - yhat)", "the sign of sign(y - yhat) is wrong"),
        (
            "where(abs(r) <= 1, r**2/2, abs(r) - 1/2)",
            "r",
            "where(abs(r) <= 1, r, -sign(r))",
            "the sign of -sign(r) is wrong",
        ),
        ("(y - yhat)**2/2", "yhat", "y - yhat", "the sign"),
        ("x**2", "x", "x", "a factor 2 is lost at x"),
        ("(3*x + 2*x**3)**2", "x", "2*(3*x + 2*x**3)*(3 + 6*x)", "the square of x is lost in 6*x"),
        ("(3*x + 2*x**3)**2", "x", "2*(3*x + 2*x**3)", "the factor 6*x**2 + 3 is lost"),
        ("tanh(x)", "x", "1 - tanh(x)", "the square of tanh(x) is lost"),
        (
            SIGMOID_NEURON,
            "w2",
            "1/(1 + exp(w0*x0 + w1*x1 + w2))*(1 - sigmoid(w0*x0 + w1*x1 + w2))",
            "the sign of the exponent",
        ),
        (SIGMOID_NEURON, "w0", "sigmoid(w0*x0 + w1*x1 + w2)*(1 - sigmoid(w0*x0 + w1*x1 + w2))", "x0 is lost"),
        (CROSS_ENTROPY, "a", "-y/a - (1 - y)/(1 - a)", "the sign of -(1 - y)/(1 - a) is wrong"),
        ("sin(u*v) + u**2", "u", "u*cos(u*v) + 2*u", "u should be v"),
        ("(y - yhat)**2", "yhat", "y - yhat", "it lacks the factor -2"),
        ("x**3/3", "x", "5*x**2/2", "it has the factor 5/2 too many"),
        ("where(x > 0, x, alpha*x)", "alpha", "x", ""),
    ],
)
def test_a_slip_is_found_with_a_counterexample(f, wrt, claim, hint):
    report = check_formula(f, wrt, claim)
    assert not report.equal
    assert not report.proved
    wrong = report.first
    assert hint in wrong.hint, str(report)
    at = {name: symbol(name) for name in report.counterexample}
    values = {at[name].node: value for name, value in report.counterexample.items()}
    assert evaluate([parse(claim, at).node], values)[0] == pytest.approx(wrong.claimed_value)
    assert wrong.claimed_value != pytest.approx(wrong.derived_value, rel=1e-9)
    assert f"derivation  {wrong.name} = {wrong.formula}" in str(report)


def test_the_first_wrong_term_is_named():
    wrong = check_formula("x**2*y + sin(x) - y/x", "x", "2*x*y + cos(x) - y/x**2").first
    assert wrong.term == "-y/x**2"
    assert wrong.expected == "y/x**2"
    assert "sign" in wrong.hint


@pytest.mark.parametrize(
    ("f", "claim", "expected"),
    [
        ("sqrt(x**2)", "1", "x/sqrt(x**2)"),
        ("maximum(x, 0)", "where(x > 0, 1, 1/2)", "(x > 0)"),
        ("x**2", "2.0000001*x", "2*x"),
        ("exp(3*x)", "3.0000000000003*exp(3*x)", "3*exp(3*x)"),
        ("2**x", "0.6931*2**x", "2**x*log(2)"),
        ("x*log(x)", "log(x)", "1"),
        ("abs(x)", "1", "sign(x)"),
        ("where(abs(x) <= 1, x**2/2, abs(x) - 1/2)", "x", "where(abs(x) <= 1, x, sign(x))"),
        ("sin(x) + x**2 + x**3", "2*cos(x) + x + x**2", "cos(x)"),
    ],
)
def test_no_reason_is_given_that_does_not_repair_the_claim(f, claim, expected):
    wrong = check_formula(f, "x", claim).first
    assert not wrong.equal
    assert wrong.hint == ""
    assert wrong.expected == expected
    assert "because" not in str(wrong)


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        ("maximum(x - 0.126, 0)", "where(x >= 0.126, 1, 0)"),
        ("abs(x - 0.126)", "where(x < 0.126, -1, 1)"),
        ("abs(x + y - z)", "where(x + y > z, 1, -1)"),
        ("maximum(x, x)", "1"),
    ],
)
def test_on_a_kink_nothing_is_compared(f, claim):
    """0.126 is the first number that is drawn; at a kink each derivative has its own convention."""
    report = check_formula(f, "x", claim)
    assert report.equal, str(report)
    assert not check_formula("maximum(x - 0.126, 0)", "x", "where(x >= 0.126, 0, 1)").equal


def test_a_missing_term_is_named():
    wrong = check_formula("x**2 + sin(x)", "x", "2*x").first
    assert wrong.term == "nothing"
    assert wrong.expected == "cos(x)"


def test_a_wrong_constant_in_the_seventh_digit_is_found():
    assert not check_formula("exp(3*x)", "x", "3.000003*exp(3*x)").equal
    assert not check_formula("exp(3*x)", "x", "3.0000000000003*exp(3*x)").equal
    assert check_formula("exp(3*x)", "x", "3*exp(3*x)").proved


def test_points_are_inside_the_domain():
    right = check_formula("log(x)*sqrt(1 - y) + arcsin(x*y)", "y", "-log(x)/(2*sqrt(1 - y)) + x/sqrt(1 - x**2*y**2)")
    assert right.equal
    with pytest.raises(NumericError, match="no point"):
        check_formula("log(-x**2 - 1)", "x", "2*x/(x**2 + 1)")


# Every kind of claim


def test_claims_as_sympy_tensor_and_function():
    u, v = sp.symbols("u v")
    f = sp.sin(u * v) + u**2
    assert check_formula(f, u, v * sp.cos(u * v) + 2 * u).equal
    assert not check_formula(f, "v", v * sp.cos(u * v)).equal
    x, y = symbols("x y")
    assert check_formula(x * F["exp"](y), y, x * F["exp"](y)).proved
    assert check_formula(x * F["exp"](y), y, sp.Symbol("x") * sp.exp(sp.Symbol("y"))).equal
    assert check_formula(x * F["exp"](y), x, lambda x, y: np.exp(y)).equal
    assert check_formula(x * F["exp"](y), x, lambda p, q: np.exp(q)).equal
    report = check_formula(x * F["exp"](y), x, lambda y: np.exp(-y))
    assert not report.equal
    assert set(report.counterexample) == {"x", "y"}


def network():
    X, y = declare_input("X", ("n", 2)), declare_input("y", ("n", 1))
    W1, W2 = parameter("W1", (2, 3)), parameter("W2", (3, 1))
    f = F["sigmoid"]
    z2 = named("z2", X @ W1)
    a2 = named("a2", f(z2))
    z3 = named("z3", a2 @ W2)
    yhat = named("yhat", f(z3))
    J = named("J", total((y - yhat) ** 2) / 2)
    delta3 = -(y - yhat) * f(z3) * (1 - f(z3))
    delta2 = (delta3 @ W2.T) * f(z2) * (1 - f(z2))
    return J, {"X": X, "W1": W1, "W2": W2, "a2": a2, "delta3": delta3, "delta2": delta2}


def test_a_network_by_hand():
    J, n = network()
    claims = {"W1": n["X"].T @ n["delta2"], n["W2"]: n["a2"].T @ n["delta3"], "z3": n["delta3"], "yhat": "-(y - yhat)"}
    report = check_formula(J, None, claims)
    assert report.equal
    assert [p.name for p in report.parts] == ["dJ/dW1", "dJ/dW2", "dJ/dz3", "dJ/dyhat"]
    assert all(p.digits >= 40 for p in report.parts)
    assert report.parts[1].formula.startswith("a2.T @ (-(y - yhat)")


def test_what_a_hand_forgets_in_a_network():
    J, n = network()
    forgotten = check_formula(J, n["W1"], n["X"].T @ (n["delta3"] @ n["W2"].T)).first
    assert "the factor sigmoid(z2)*(1 - sigmoid(z2)) is lost" in forgotten.hint
    doubled = check_formula(J, n["W2"], 2 * (n["a2"].T @ n["delta3"])).first
    assert "factor 2 too many" in doubled.hint
    turned = check_formula(J, n["W2"], n["delta3"].T @ n["a2"]).first
    assert "transpose" in turned.hint
    assert not check_formula(J, "yhat", "y - yhat").equal


def test_a_vectorised_example():
    W, x = parameter("W", (2, 2)), declare_input("x", (2,))
    q = W @ x
    f = total(q**2)
    report = check_formula(f, [W, x], [2 * outer(q, x), 2 * (W.T @ q)])
    assert report.equal
    assert not check_formula(f, W, 2 * outer(x, q)).equal


def test_a_claim_about_the_diagonal_of_a_jacobian():
    x = declare_input("x", (4,))
    assert check_formula(F["sigmoid"](x), x, F["sigmoid"](x) * (1 - F["sigmoid"](x))).equal


def test_a_number_is_every_element():
    x = declare_input("x", (3,))
    assert check_formula(total(x), x, 1).equal
    assert not check_formula(total(x), x, 2).equal


# Saying no


def test_unknown_names_are_refused():
    with pytest.raises(CallError, match="holds no 'w'"):
        check_formula("x*y", "w", "y")
    with pytest.raises(ExpressionError, match="the claim holds 'w'"):
        check_formula("x*y", "x", "w*y")
    with pytest.raises(CallError, match="one claim for each"):
        check_formula("x*y", ["x", "y"], ["y"])


def test_the_answer_is_printed():
    assert str(check_formula("(x + y)*z", "x", "z")) == "df/dx = z: right (proved)"
    assert str(check_formula("x**2", "x", "x")).splitlines() == [
        "df/dx = x: wrong",
        "  your term   x",
        "  should be   2*x",
        "  because     a factor 2 is lost at x",
        "  derivation  df/dx = 2*x",
        "  at          x=0.126",
        "  claimed     0.126",
        "  derived     0.252",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x - (y - z)",
        "x/(y*z)",
        "x/y/z",
        "(x + y)*z",
        "-x*y",
        "-(x + y)",
        "x**(y**z)",
        "(x**y)**z",
        "x - (-y)",
        "(-x)**2",
        "1/(1 + exp(-x))",
        "x*(y/z)",
    ],
)
def test_infix_text_means_the_node(text):
    """What is written parses back to the same value."""
    names = {n: symbol(n) for n in "xyz"}
    values = {names["x"].node: 1.3, names["y"].node: 0.7, names["z"].node: 2.1}
    f = parse(text, names).node
    again = parse(infix(f), names).node
    assert evaluate([again], values)[0] == pytest.approx(evaluate([f], values)[0], rel=1e-15)


def test_a_deep_formula_is_cut_not_recursed():
    x = symbol("x")
    f = x
    for _ in range(3000):
        f = F["sin"](f)
    assert "..." in infix(f.node)
