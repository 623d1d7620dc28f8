"""Models in files: what is loaded is what was saved, whatever it was made of, and nothing else is loaded."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import CallError, ModelFileError, NumericError, UnsupportedError
from symgrad.frontend.stored_formula import formula_from_plain, formula_to_plain
from symgrad.train.rules import metrics, optimizers
from symgrad.train.rules.decays import STEP
from symgrad.train.storage import files
from symgrad.train.storage.optimizer import optimizer_from_plain, optimizer_to_plain
from symgrad.train.storage.saved import stored
from tests.train.resumed import X, Y, fit, network, outcome
from tests.train.test_checkpoint import same

T = sp.Symbol("t")


# Models of every kind


def layered() -> sg.Model:
    """Layers with statistics, random numbers, penalties by name and by function, class labels."""
    stack = [
        sg.nn.Dense(6, activation="relu", kernel_regularizer="l2"),
        sg.nn.BatchNormalization(),
        sg.nn.Dropout(0.3),
        sg.nn.Dense(3, kernel_regularizer=lambda w: 0.01 * sg.sum(sg.abs(w)), activation="softmax"),
    ]
    net = sg.nn.Sequential(stack, input_shape=(5,), seed=2, name="layered")
    rate = sg.schedules.Warmup(sg.schedules.CosineDecay(0.01, 100), 5)
    top = sg.metrics.SparseTopKCategoricalAccuracy
    net.compile(sg.optimizers.Nadam(rate), "sparse_categorical_crossentropy", ["accuracy", top(k=2), top(k=3)])
    return net


def pictures() -> sg.Model:
    stack = [
        sg.nn.Conv2D(3, 3, activation="gelu"), sg.nn.MaxPooling2D(2), sg.nn.AveragePooling2D(1), sg.nn.Flatten(),
        sg.nn.PReLU(), sg.nn.Maxout(4, 2), sg.nn.LayerNormalization(), sg.nn.Dense(1),
    ]  # fmt: skip
    net = sg.nn.Sequential(stack, input_shape=(8, 8, 1), dtype="float32")
    cube = lambda y, yhat: sg.abs(y - yhat) ** 3  # noqa: E731  a metric without a name of its own
    net.compile(sg.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0), sg.losses.Huber(0.5), ["mae", "r2", cube])
    return net


def symbolic() -> sg.Model:
    """Any tensor, a user's function, a constant array, a loss with targets of its own, a schedule as cases."""
    x, y, w = sg.input("X", ("n", 5)), sg.input("y", ("n",)), sg.input("w", ("n",))
    W, b = sg.parameter("W", (5,), init="he_normal", latex=r"\omega"), sg.parameter("b")
    k = sg.constant(np.random.default_rng(0).normal(size=(5, 70)))
    mish = sg.elementwise(lambda t: t * sp.tanh(sp.log(1 + sp.exp(t))), x @ W + b)
    yhat = sg.named("yhat", mish + 0.1 * sg.sum(x @ k, axis=1) * sg.exp(-(b**2)))
    net = sg.Model(inputs=x, outputs=yhat, name="own \u03b8")
    rate = sg.schedules.get(sp.Piecewise((sp.Rational(1, 10), T < 20), (sp.exp(-T / 30), True)))
    loss = sg.sum(w * (y - yhat) ** 2) / 2 + 0.01 * sg.sum(W**2)
    net.compile(sg.optimizers.Nesterov(rate), loss, metrics=["mse"])
    return net


def judged() -> sg.Model:
    """Functions of the user's for activation and loss; metrics of every kind of sum."""
    stack = [sg.nn.Dense(4, activation=sg.tanh), sg.nn.Activation(lambda t: t**2 / (1 + sg.abs(t)))]
    net = sg.nn.Sequential([*stack, sg.nn.Dense(1, activation="sigmoid")], input_shape=(5,))
    names = ["auc", "precision", "recall", "rmse", "accuracy"]
    net.compile(sg.optimizers.Lion(weight_decay=0.01), lambda y, yhat: (y - yhat) ** 4, names)
    return net


def whole_batch() -> sg.Model:
    net = sg.nn.Sequential([sg.nn.Embedding(10, 4), sg.nn.Flatten(), sg.nn.Dense(1)], input_shape=(3,))
    net.compile(sg.optimizers.LBFGS(maxiter=7), loss="half_sse")
    return net


def not_compiled() -> sg.Model:
    return sg.nn.Sequential([sg.nn.Dense(2)], input_shape=(3,))


MODELS = [layered, pictures, symbolic, judged, whole_batch, not_compiled]


@pytest.fixture(scope="module", params=MODELS, ids=lambda make: make.__name__)
def pair(request, tmp_path_factory):
    """A model whose every number was changed, and the same from a file."""
    net, rng = request.param(), np.random.default_rng(1)
    for state in (net._weights, net._slots):
        for a in [] if state is None else state.arrays:
            a += rng.uniform(0.1, 1, a.shape).astype(a.dtype)
    net.iterations, net.learning_rate = 17, 0.125 + net.learning_rate
    path = tmp_path_factory.mktemp("saved") / "net.npz"
    net.save(path)
    return net, sg.nn.load(path), path


def test_a_loaded_model_is_the_saved_one(pair):
    net, again, path = pair
    assert type(again) is type(net)
    assert (again.name, again.dtype, again.seed) == (net.name, net.dtype, net.seed)
    same(again.state_dict(), net.state_dict())
    assert again.network.rows == net.network.rows
    assert str(again.summary()) == str(net.summary())
    assert again._predictor.source == net._predictor.source
    copied = path.with_name("copy.npz")
    again.save(copied)
    assert copied.read_bytes() == path.read_bytes()


def test_a_loaded_model_learns_by_the_same_code(pair):
    """Equal code on equal numbers gives equal bits; the one test that trains is below."""
    net, again, _ = pair
    if net._slots is None:
        with pytest.raises(CallError, match="not compiled"):
            again.fit([[0.0] * 3], [[0.0] * 2])
        return
    same(again._slots.copied(), net._slots.copied())
    assert (again.iterations, again.learning_rate) == (net.iterations, net.learning_rate)
    assert repr(again.optimizer) == repr(net.optimizer)
    assert again.optimizer.latex() == net.optimizer.latex()
    assert again.loss_function.latex() == net.loss_function.latex()
    for weighted in (False, True):
        try:
            wanted = net.task(weighted)
        except CallError:
            with pytest.raises(CallError, match="no row weights"):
                again.task(weighted)
            continue
        assert [name for name, *_ in again.task(weighted).finishers] == [name for name, *_ in wanted.finishers]
        assert again.task(weighted).finishers == wanted.finishers
        for demand in ("classes", "ignored", "of_probabilities", "caution"):
            assert getattr(again.task(weighted), demand) == getattr(wanted, demand)
        assert again.loop(weighted, True).source.text == net.loop(weighted, True).source.text


def test_a_loaded_model_copies_and_pickles(pair):
    _, again, path = pair
    for copied in (copy.deepcopy(again), pickle.loads(pickle.dumps(again))):
        copied.save(path.with_name("copy.npz"))
        assert path.with_name("copy.npz").read_bytes() == path.read_bytes()


def test_training_goes_on_to_the_bit(tmp_path):
    net = network()
    fit(net, [], None, epochs=2, stops=False)
    net.save(tmp_path / "net.npz")
    again = sg.nn.load(tmp_path / "net.npz")
    assert again.evaluate(X, Y, return_dict=True) == net.evaluate(X, Y, return_dict=True)
    for n in (net, again):
        fit(n, [], None, epochs=3, stops=False)
    same(outcome(again), outcome(net))


# Optimizers and formulas


@pytest.mark.parametrize("name", optimizers.ROWS)
def test_optimizers_come_back(name):
    for options in ({}, {"learning_rate": sg.schedules.PiecewiseConstantDecay([5, 10], [1.0, 0.5, 0.1])}):
        if options and optimizers.ROWS[name].full_batch:
            continue
        optimizer = optimizers.get(name, **options)
        assert optimizer_from_plain(optimizer_to_plain(optimizer)) == optimizer


FORMULAS = [
    1 / (1 + STEP), 0.1 * sp.exp(-STEP / 3), sp.Max(0.1 - STEP / 1000, sp.Float("0.001", 30)),
    sp.Piecewise((0.1, sp.And(STEP > 2, STEP < 8)), (sp.pi * sp.sin(STEP) ** 2, sp.Not(STEP > 20)), (0.1, True)),
    0.1 / sp.sqrt(STEP + 1), sp.Mod(STEP, 7) * 0.01 + sp.floor(STEP / 3), sp.Heaviside(STEP - 3), sp.sech(STEP / 10),
]  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_formulas_come_back_as_they_are_written(formula):
    again = formula_from_plain(formula_to_plain(formula, STEP), STEP)
    assert sp.srepr(again) == sp.srepr(formula)
    assert repr(sg.schedules.Schedule(again)) == repr(sg.schedules.Schedule(formula))


BIG = [["Integer", "0xa"], ["Integer", hex(10**18)], ["Pow", 0, 1], ["symbol"], ["Mul", 2, 3]]
HOSTILE = {
    "a class": [["Integral", 0]], "a function of Python's": [["symbol"], ["__class__", 0]], "no row": [],
    "text": "__import__('os')", "itself": [["Add", 0]], "a place ahead": [["Add", 1], ["symbol"]],
    "a tree without end": [["symbol"], *(["Add", i, i] for i in range(60))],
    "deep": [["symbol"], *(["sin", i] for i in range(500))], "no number": [["Integer", "ten"]],
    "too long": [["Integer", "0x" + "f" * 6000]], "precision": [["Float", 0, "0x1", 0, 10**12]],
    "a truth as a number": [["symbol"], ["StrictLessThan", 0, 0], ["Mul", 1, 1]],
    "another symbol": [["Symbol", "x"]], "wrong arguments": [["symbol"], ["atan2", 0]],
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_other_formulas_are_refused(name):
    with pytest.raises((ValueError, TypeError)):
        formula_from_plain(HOSTILE[name], STEP)


def test_a_number_is_not_computed():
    """10**10**18 stays as it is written, and is no rate."""
    with pytest.raises(ValueError, match="too large"):
        optimizer_from_plain({**PLAIN, "options": {**PLAIN["options"], "learning_rate": _schedule(BIG)}})


def _schedule(rows: Any) -> dict[str, Any]:
    return {"schedule": "Schedule", "options": {"expression": {"formula": rows}}}


PLAIN = optimizer_to_plain(optimizers.SGD(0.1))


def test_every_metric_ends_with_a_known_step():
    assert {row.finish for row in metrics.TABLE} == set(metrics.FINISHES.values())


# What is not saved


def test_what_no_file_holds_is_refused_before_anything_is_written(tmp_path):
    own = metrics.Metric("own", metrics.METRICS["mse"].of, lambda total, count: 1.0)
    net = not_compiled()
    net.compile("sgd", loss="mse", metrics=[own])
    with pytest.raises(UnsupportedError, match="own ends with a function of its own"):
        net.save(tmp_path / "net.npz")
    net.compile("sgd", loss="mse")
    net.load_state_dict({**net.state_dict(), "dense_bias": [0.0, np.nan]})
    with pytest.raises(NumericError, match="dense_bias"):
        net.save(tmp_path / "net.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cannot be written.*none/net\.npz"):
        not_compiled().save(tmp_path / "none" / "net.npz")
    with pytest.raises(IsADirectoryError, match="cannot be written"):
        not_compiled().save(tmp_path)


# What is not loaded


def test_a_model_is_no_checkpoint(tmp_path):
    net = network()
    net.save(tmp_path / "net.npz")
    with pytest.raises(ModelFileError, match="it is a model, not a checkpoint") as caught:
        fit(net, [], tmp_path / "net.npz")
    assert caught.value.fix == "load it with sg.nn.load"
    files.write(tmp_path / "run.npz", {}, {}, kind="checkpoint")
    with pytest.raises(ModelFileError, match="it is a checkpoint, not a model") as caught:
        sg.nn.load(tmp_path / "run.npz")
    assert "resume" in caught.value.fix
    with pytest.raises(FileNotFoundError):
        sg.nn.load(tmp_path / "none.npz")


@pytest.fixture(scope="module")
def contents():
    return stored(symbolic(), "Model")


def changed(document: Any, path: list, value: Any) -> Any:
    """The document with another value at a place; ``LEFT_OUT`` takes the entry away."""
    new = copy.deepcopy(document)
    inner = new
    for key in path[:-1]:
        inner = inner[key]
    if value is LEFT_OUT:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return new


LEFT_OUT = object()
CHANGES = {
    "a class": (["model", "class"], "os"),
    "another class": (["model", "module"], "os"),
    "a dtype": (["model", "dtype"], "object"),
    "a field more": (["safe_mode"], False),
    "a field less": (["network"], LEFT_OUT),
    "a loss as text": (["compiled", "loss"], "__import__('os')"),
    "a loss as a name": (["compiled", "plain", "training"], "mse"),
    "a metric's end": (["compiled", "plain", "metrics", 0, 1], "os.system"),
    "a metric's sums": (["compiled", "plain", "metrics", 0, 2], [[]]),
    "an optimizer": (["compiled", "optimizer", "name"], "Lambda"),
    "an option": (["compiled", "optimizer", "options", "beta"], 1.0),
    "a rate as text": (["compiled", "optimizer", "options", "learning_rate"], "__import__('os')"),
    "a formula as text": (
        ["compiled", "optimizer", "options", "learning_rate", "options", "expression"], "__import__('os')",
    ),
    "a momentum": (["compiled", "optimizer", "options", "momentum"], 7.0),
    "a rate": (["compiled", "learning_rate"], -1.0),
    "a step": (["compiled", "iterations"], 0.5),
    "an operation": (["graph", "nodes", -1, 0], "eval"),
    "a node": (["network", "output"], 10**6),
    "an input": (["network", "inputs"], []),
    "a parameter": (["network", "parameters"], []),
    "a parameter's place": (["network", "parameters", 0, 0], 0),
    "a target": (["compiled", "plain", "targets"], []),
    "the rows": (["network", "rows"], [{
        "layer": "dense", "kind": "Dense", "shape": [{"size": [[1, "os.system('x')"]]}], "learned": 1, "fixed": 0,
        "parameters": [], "tensors": [],
    }]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_document_of_another_kind_is_refused(name, contents, tmp_path, snapshot):
    document, arrays = contents
    files.write(tmp_path / "net.npz", changed(document, *CHANGES[name]), arrays)
    with pytest.raises(ModelFileError) as caught:
        sg.nn.load(tmp_path / "net.npz")
    assert caught.value.summary == snapshot


ARRAYS = {
    "another shape": ({"weights/W": np.zeros((5, 1))}, "weights/W"),
    "another type": ({"weights/W": np.zeros(5, np.float32)}, "weights/W"),
    "NaN": ({"weights/b": np.array(np.nan)}, "weights/b"),
    "infinity": ({"slots/W_v": np.full(5, np.inf)}, "slots/W_v"),
    "one more": ({"weights/c": np.zeros(5)}, "weights/c"),
    "one less": ({"weights/W": None}, "weights/W"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_that_do_not_fit_are_named(name, contents, tmp_path):
    document, arrays = contents
    other, named = ARRAYS[name]
    files.write(tmp_path / "net.npz", document, {k: v for k, v in {**arrays, **other}.items() if v is not None})
    with pytest.raises(ModelFileError, match=named):
        sg.nn.load(tmp_path / "net.npz")


def places(document: Any, path: tuple = ()) -> list[tuple]:
    """Where anything stands in a document."""
    keys = document.keys() if isinstance(document, dict) else range(len(document) if isinstance(document, list) else 0)
    return [*([path] if path else []), *(p for key in keys for p in places(document[key], (*path, key)))]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 40), st.just(2**62), st.floats(-2, 2), st.text(max_size=3),
    st.just([]), st.just({}), st.just([[0, 0]]), st.just({"real": "0x1.0p+0"}), st.just(LEFT_OUT),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_other_document_is_refused_or_is_a_model(data, contents, tmp_path):
    """Whatever stands anywhere: a model that saves again, or a ModelFileError."""
    document, arrays = contents
    path = data.draw(st.sampled_from(places(document)))
    new = changed(document, list(path), data.draw(VALUES))
    files.write(tmp_path / "net.npz", new, arrays)
    try:
        again = sg.nn.load(tmp_path / "net.npz")
    except ModelFileError:
        return
    again.save(tmp_path / "again.npz")
    assert again.state_dict().keys() == {"W", "b"}
