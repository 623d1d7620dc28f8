"""Every loss of the table: Keras's value, its gradient, both forms of those on logits, extreme logits, shapes."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.nn import losses
from tests.nn.keras_losses import VALUES, sigmoid, softmax

FACTS = json.loads((Path(__file__).parents[1] / "facts" / "extremal_cases.json").read_text())["cases"]
ROWS = pytest.mark.parametrize("row", losses.TABLE, ids=lambda row: row.name)
ON_LOGITS = [row for row in losses.TABLE if row.logits]
LOGITS = pytest.mark.parametrize("row", ON_LOGITS, ids=lambda row: row.name)
N, K = 6, 4
# One rounding in each of the K terms of a row, a few in each term's function, and the row's sum; values are about 1.
CLOSE = {"rtol": 64 * np.finfo(float).eps, "atol": 64 * np.finfo(float).eps}


def data(row, seed=0):
    """(targets, outputs) inside the domain of the loss and away from its kinks."""
    rng = np.random.default_rng(seed)
    p = softmax(rng.normal(size=(N, K)))
    if row.has_labels:
        return rng.integers(0, K, N), p
    y = np.eye(K)[rng.integers(0, K, N)]
    return {
        "kl_divergence": (softmax(rng.normal(size=(N, K))), p),
        "binary_crossentropy": ((p > p.mean()) * 1.0, sigmoid(rng.normal(size=(N, K)))),
        "categorical_crossentropy": (y, p),
        "hinge": (y, rng.normal(size=(N, K))),
        "squared_hinge": (2 * y - 1, rng.normal(size=(N, K))),
        "categorical_hinge": (y, rng.normal(size=(N, K))),
        "poisson": (rng.poisson(2.0, (N, K)) * 1.0, rng.uniform(0.5, 3, (N, K))),
        "msle": (rng.uniform(0, 3, (N, K)), rng.uniform(0, 3, (N, K))),
    }.get(row.name, (rng.normal(size=(N, K)), rng.normal(size=(N, K)) * 1.7))


def declared(row, k=K):
    yhat = sg.parameter("yhat", ("n", k))
    return losses.target(row, yhat), yhat


@ROWS
def test_values_are_keras(row):
    y, yhat = declared(row)
    Y, P = data(row)
    expected = VALUES[row.name][0](Y, P)
    assert np.allclose(sg.evaluate(row.values(y, yhat), y=Y, yhat=P), expected, **CLOSE)
    whole = expected.sum() if row.name == "half_sse" else expected.mean()
    assert np.allclose(sg.evaluate(losses.total(row, y, yhat), y=Y, yhat=P), whole, **CLOSE)


@ROWS
def test_weights_multiply_rows(row):
    y, yhat = declared(row)
    Y, P = data(row)
    w = np.random.default_rng(1).uniform(0, 2, N)
    weighted = losses.total(row, y, yhat, sg.input("w", ("n",)))
    expected = (w * VALUES[row.name][0](Y, P)).sum() / (1 if row.name == "half_sse" else N)
    assert np.allclose(sg.evaluate(weighted, y=Y, yhat=P, w=w), expected, **CLOSE)


@ROWS
def test_gradients(row):
    """Of the loss on outputs, of its rows, and on logits as well, all against differences."""
    y, yhat = declared(row)
    outputs = [losses.total(row, y, yhat), row.values(y, yhat)]
    if row.logits:
        outputs.append(losses.total(losses.get(row.name, from_logits=True), y, yhat))
    Y, P = data(row)
    report = sg.compile(outputs, wrt=[yhat]).check(y=Y, yhat=P)
    assert report.ok, report


@LOGITS
def test_logits_form_equals_probability_form(row):
    y, z = declared(row)
    Y = data(row)[0]
    Z = np.random.default_rng(2).normal(size=(N, K)) * 3
    activation, plain = (sg.sigmoid, sigmoid) if row.name.startswith("binary") else (sg.softmax, softmax)
    on_logits = losses.total(losses.get(row.name, from_logits=True), y, z)
    through = losses.total(row, y, activation(z))
    p = sg.parameter("p", ("n", K))
    on_probabilities = losses.total(row, y, p)
    at = {"y": Y, "yhat": Z}
    expected = VALUES[row.name][1](Y, Z).mean()
    assert np.allclose(sg.evaluate(on_logits, **at), expected, **CLOSE)
    assert np.allclose(sg.evaluate(through, **at), expected, **CLOSE)
    # A probability carries its own rounding, which the logarithm of a small 1-p magnifies by 1/(1-p).
    worst = 1 / min(plain(Z).min(), (1 - plain(Z)).min())
    value = sg.evaluate(on_probabilities, y=Y, p=plain(Z))
    assert np.allclose(value, expected, rtol=0, atol=64 * worst * np.finfo(float).eps)


@LOGITS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("through", [False, True], ids=["logits", "activation"])
def test_extreme_logits_stay_finite(row, dtype, through):
    """Also where the network ends in the activation and the loss is written on probabilities."""
    y, z = declared(row)
    binary = row.name.startswith("binary")
    yhat = (sg.sigmoid if binary else sg.softmax)(z) if through else z
    J = losses.total(losses.get(row.name, from_logits=not through), y, sg.named("yhat", yhat))
    Z = np.array([[1e4, -1e4, 0, 5e3], [-3e4, 3e4, 1, 2], [800.0, -800, 40, -40]])
    wrong = np.array([1, 0, 1])
    Y = wrong if row.has_labels else np.eye(K)[wrong]
    value, gradient = sg.compile(J, wrt=z, dtype=dtype).value_and_grad(y=Y, yhat=Z)
    restated = "categorical_crossentropy" if row.name == "kl_divergence" else row.name  # y ln y is 0 here
    info = np.finfo(dtype)
    assert np.isfinite(gradient).all()
    assert np.isclose(value, VALUES[restated][1](Y, Z).mean(), rtol=64 * info.eps, atol=0)
    share = sigmoid(Z) if binary else softmax(Z)
    exact = (share - (np.eye(K)[wrong])) / (Z.size if binary else len(Z))
    assert np.allclose(gradient, exact, rtol=64 * info.eps, atol=info.smallest_normal)


@pytest.mark.parametrize("case", [c for c in FACTS if c["op"] == "bce_with_logits"], ids=lambda c: str(c["id"]))
def test_boundary_cases_of_logits(case):
    z, y = float(case["inputs"]["x"]), float(case["inputs"]["z"])
    logit, target = sg.parameter("logit", ("n", 1)), sg.input("y", ("n", 1))
    for J in (
        losses.total(losses.get("binary_crossentropy", from_logits=True), target, logit),
        losses.total(losses.get("binary_crossentropy"), target, sg.sigmoid(logit)),
    ):
        value, gradient = sg.compile(J, wrt=logit).value_and_grad(y=[[y]], logit=[[z]])
        tiny = np.finfo(float).smallest_subnormal
        assert np.isclose(value, float(case["value_f64"]), rtol=8 * np.finfo(float).eps, atol=tiny)
        assert np.isclose(gradient[0, 0], float(case["recommended_f64"]), rtol=8 * np.finfo(float).eps, atol=tiny)


@pytest.mark.parametrize("logit", [-800.0, 800.0])
def test_a_sigmoid_of_the_users_own_stays_finite(logit):
    """Written out, in SymPy, and under an operation that hides it from the loss."""
    z, y = sg.parameter("z", ("n", 1)), sg.input("y", ("n", 1))
    mine = sg.elementwise(lambda t: 1 / (1 + sp.exp(-t)), z)
    for yhat in (mine, sg.reshape(sg.sigmoid(z), (-1, 1)), 1 / (1 + sg.exp(-z))):
        fn = sg.compile(losses.total(losses.get("binary_crossentropy"), y, yhat), wrt=z)
        for target in (0.0, 1.0):
            value, gradient = fn.value_and_grad(y=[[target]], z=[[logit]])
            assert value == abs(logit) * ((logit > 0) != target)
            assert gradient[0, 0] == (logit > 0) - target


def test_certain_probabilities_cost_nothing():
    """0 ln 0 is 0: a target of 0 or 1 that is hit exactly has loss 0 and a finite gradient."""
    y, p = declared(losses.get("binary_crossentropy"))
    Y = np.eye(K)[:2]
    for row in ("binary_crossentropy", "categorical_crossentropy", "kl_divergence"):
        value, gradient = sg.compile(losses.total(losses.get(row), y, p), wrt=p).value_and_grad(y=Y, yhat=Y)
        assert value == 0
        assert np.isfinite(gradient).all()


def test_worked_examples():
    """Slopes in yhat of L1 and Huber, KL = CE - H, and the logistic loss of one neuron."""
    y, yhat = sg.symbols("y yhat")
    absolute, huber = losses.get("mae"), losses.Huber(delta=1.0)
    assert sg.compile(losses.total(absolute, y, yhat), wrt=yhat).grad(y=2.0, yhat=2.0) == 0
    assert sg.compile(losses.total(huber, y, yhat), wrt=yhat).value_and_grad(y=1.0, yhat=3.0) == (1.5, 1.0)
    p, q = np.array([[0.7, 0.2, 0.1]]), np.array([[0.5, 0.3, 0.2]])
    t, s = sg.input("t", ("n", 3)), sg.input("s", ("n", 3))
    found = {name: sg.evaluate(losses.get(name)(t, s), t=p, s=q) for name in ("kl_divergence", "cce")}
    assert found == {
        "kl_divergence": pytest.approx(0.0851228260, abs=5e-11),
        "cce": pytest.approx(0.8869413785, abs=5e-11),
    }
    z, label = sg.parameter("z", ("n", 1)), sg.input("y", ("n",))
    J = losses.total(losses.get("binary_crossentropy"), label, sg.sigmoid(z))
    value, slope = sg.compile(J, wrt=z).value_and_grad(y=[1.0], z=[[0.32]])
    assert (value, slope[0, 0]) == (pytest.approx(0.5458929372, abs=5e-11), pytest.approx(-0.4206757479, abs=5e-11))


def test_a_row_of_targets_is_a_column():
    row, yhat, y = losses.get("mse"), sg.input("yhat", ("n", 1)), sg.input("y", ("n",))
    Y, P = np.arange(3.0), np.array([[1.0], [1.0], [5.0]])
    assert sg.evaluate(losses.total(row, y, yhat), y=Y, yhat=P) == pytest.approx((1 + 0 + 9) / 3)
    flat, column = sg.input("yhat", ("n",)), sg.input("y", ("n", 1))
    assert sg.evaluate(losses.total(row, column, flat), y=Y[:, None], yhat=P[:, 0]) == pytest.approx(10 / 3)


def test_labels_come_as_a_row_or_a_column():
    row, p = losses.get("sparse_categorical_crossentropy"), sg.input("p", ("n", 3))
    P, Y = softmax(np.random.default_rng(0).normal(size=(4, 3))), np.array([0, 2, 1, 1])
    by_row = sg.evaluate(losses.total(row, sg.input("y", ("n",), dtype="int"), p), p=P, y=Y)
    by_column = sg.evaluate(losses.total(row, sg.input("y", ("n", 1), dtype="int"), p), p=P, y=Y[:, None])
    assert by_row == by_column == pytest.approx(-np.log(P[np.arange(4), Y]).mean())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("huber", {"delta": 0.5}),
        ("binary_crossentropy", {"label_smoothing": 0.2}),
        ("categorical_crossentropy", {"label_smoothing": 0.2}),
        ("sparse_categorical_crossentropy", {"ignore_class": 1}),
    ],
)
def test_options(name, options):
    row = losses.get(name)
    y, yhat = declared(row)
    Y, P = data(row)
    title = getattr(losses, row.title)
    values = sg.evaluate(title(**options).values(y, yhat), y=Y, yhat=P)
    assert np.allclose(values, VALUES[name][0](Y, P, **options), **CLOSE)
    assert not np.allclose(values, VALUES[name][0](Y, P))
    assert np.array_equal(sg.evaluate(getattr(losses, name)(y, yhat, **options), y=Y, yhat=P), values)


@pytest.mark.parametrize(
    "function",
    [
        lambda y, p: (y - p) ** 2,
        lambda y, p: sg.mean((y - p) ** 2, axis=1),
        lambda y, p: sg.mean((y - p) ** 2),
        lambda y, p: sp.Abs(y - p) ** 2,
        losses.mean_squared_error,
        losses.MeanSquaredError,
        losses.MeanSquaredError(),
        "MSE",
        "MeanSquaredError",
    ],
)
def test_any_function_is_a_loss(function):
    row = losses.get(function)
    y, yhat = declared(row)
    Y, P = data(losses.get("mse"))
    assert sg.evaluate(losses.total(row, y, yhat), y=Y, yhat=P) == pytest.approx(((Y - P) ** 2).mean(), rel=1e-14)


@ROWS
def test_rows_are_whole(row):
    """Formula, source, unlike names; a row copies and pickles."""
    assert row.formula and row.source  # noqa: PT018
    assert all(losses.get(name) is row for name in (row.name, *row.names, row.title))
    assert copy.deepcopy(row) == row == pickle.loads(pickle.dumps(row))
    assert row.name in VALUES
