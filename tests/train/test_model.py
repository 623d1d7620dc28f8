"""Models end to end: layers or any tensor, Keras's names, and what must not happen."""

import copy
import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import CallError, DeclarationError, NumericError, ShapeError, UnsupportedError
from symgrad.train import pace

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
Y = X @ [[1.0], [2.0]] + 0.5


def linear(dtype="float64"):
    x = sg.input("X", ("n", 2))
    w, b = sg.parameter("W", (2, 1), init="zeros"), sg.parameter("b", (1,), init="zeros")
    return sg.Model(inputs=x, outputs=sg.named("yhat", x @ w + b), dtype=dtype)


@pytest.fixture(scope="module")
def fitted():
    net = linear()
    net.compile(sg.optimizers.SGD(0.1), loss="mse", metrics=["mae", "r2"])
    history = net.fit(X, Y[:, 0], epochs=40, batch_size=10, validation_split=0.2, seed=3)
    return net, history


def test_a_linear_model_finds_its_weights(fitted):
    net, history = fitted
    weights = net.state_dict()
    np.testing.assert_allclose(weights["W"], [[1.0], [2.0]], atol=1e-10)
    np.testing.assert_allclose(weights["b"], [0.5], atol=1e-10)
    assert list(history.history) == ["loss", "mae", "r2", "val_loss", "val_mae", "val_r2"]
    assert len(history.history["loss"]) == 40 == len(history.epoch)
    assert history.history["loss"][0] > 0.1 > history.history["loss"][-1]
    assert history is net.history


def test_evaluate_and_predict_agree_with_numpy(fitted):
    net, _ = fitted
    np.testing.assert_allclose(net.predict(X, verbose=0), Y, atol=1e-9)
    logs = net.evaluate(X, 2 * Y, return_dict=True)
    assert logs["loss"] == pytest.approx(np.mean((Y - 2 * Y) ** 2), rel=1e-9)
    assert logs["mae"] == pytest.approx(np.mean(abs(Y)), rel=1e-9)
    assert net.evaluate(X, 2 * Y, 32, verbose=0) == list(logs.values())
    weighted = net.evaluate(X[:2], 2 * Y[:2], sample_weight=[1.0, 0.0], return_dict=True)
    assert weighted["loss"] == pytest.approx(Y[0, 0] ** 2 / 2, rel=1e-9)  # the mean over rows of weight times value


def test_evaluate_runs_in_slices_that_do_not_change_it(fitted, monkeypatch):
    """Where compiled code is slow, Python (and so Ctrl-C) is asked after every step; the sums are the same."""
    net, _ = fitted
    loop = next(loop for key, loop in net._loops.items() if key == ("evaluate", False))
    loop.pace.amount = 10**9
    whole, calls, run = net.evaluate(X, 2 * Y, batch_size=7), [], type(loop).run
    monkeypatch.setattr(type(loop), "run", lambda *args: calls.append(args) or run(*args))
    monkeypatch.setattr(pace, "clocks", lambda: (1e9, 1e9))  # a slice takes very long
    loop.pace.amount = 1
    assert net.evaluate(X, 2 * Y, batch_size=7) == whole
    assert len(calls) == 9
    assert np.array_equal(net.predict(X), np.concatenate([net.predict(X[i : i + 7]) for i in range(0, 60, 7)]))


def test_a_call_takes_as_many_rows_as_its_graph_is_light():
    x, w = sg.input("X", ("n", 1000)), sg.parameter("W", (1000, 1000))
    assert pace.rows_at_once([(x @ w).node]) == 10
    assert pace.rows_at_once([(x + 1).node]) == pace.MOST_ROWS


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_two_runs_give_the_same_bits(dtype):
    found = []
    for _ in range(2):
        layers = [sg.nn.Dense(4, activation="tanh"), sg.nn.Dropout(0.2), sg.nn.Dense(1)]
        net = sg.nn.Sequential(layers, input_shape=(2,), dtype=dtype, seed=5)
        net.compile("adam", loss="mse")
        history = net.fit(X, Y, epochs=3, batch_size=7, seed=11)
        found.append((net.state_dict(), history.history))
    (one, first), (two, second) = found
    assert first == second
    assert all(np.array_equal(one[name], two[name]) and one[name].dtype == dtype for name in one)


def test_any_symbolic_loss_and_its_targets():
    x, y, scale = sg.input("X", ("n", 2)), sg.input("y", ("n", 1)), sg.input("scale", ("n", 1))
    w = sg.parameter("W", (2, 1), init="zeros")
    net = sg.Model(inputs=x, outputs=x @ w)
    net.compile(sg.optimizers.SGD(0.01), loss=sg.sum(scale * (y - x @ w) ** 2) / 2)
    net.fit(X, {"y": Y, "scale": np.ones_like(Y)}, epochs=30, batch_size=10)
    assert net.history.history["loss"][-1] < net.history.history["loss"][0]
    with pytest.raises(CallError, match="other names"):
        net.fit(X, {"y": Y, "scales": Y})
    assert "J" in net.loss_function.latex() or "W" in net.loss_function.latex()


def test_nan_leaves_no_trace():
    net = linear()
    net.compile(sg.optimizers.SGD(0.1), loss="mse")
    bad = Y.copy()
    bad[33] = np.nan
    before = net.state_dict()
    with pytest.raises(NumericError, match="NaN"):
        net.fit(X, bad, epochs=2, batch_size=10, shuffle=False)
    assert all(np.array_equal(v, before[name]) for name, v in net.state_dict().items())


def test_a_diverging_run_stops_before_the_bad_step():
    net = linear()
    net.compile(sg.optimizers.SGD(1e3), loss="mse")
    with pytest.raises(NumericError, match="training stopped") as caught:
        net.fit(X, Y, epochs=500, batch_size=10)
    assert dict(caught.value.facts).keys() >= {"epoch", "batch"}
    assert all(np.isfinite(v).all() for v in net.state_dict().values())
    assert net.history.history["loss"]  # what was logged stays


@pytest.mark.parametrize("far", [abs, lambda e: sg.arctan(e) * 1e8])  # infinite at infinity; finite, with slope 0
def test_an_update_that_overflows_leaves_the_step_before(far):
    """Whether the next step's loss tells of it or the end of a slice of many epochs: nothing of it stays."""
    x, y, w = sg.input("x", ("n", 1)), sg.input("y", ("n", 1)), sg.parameter("w", (1, 1), init="zeros")
    net, t, ones = sg.Model(inputs=x, outputs=x @ w), sp.Symbol("t"), np.ones((5, 1))
    loss, rate = sg.sum(far(x @ w - y)), sp.Piecewise((1e-12, t < 3000), (1.7e308, t < 3001), (1e-12, True))
    net.compile(sg.optimizers.SGD(rate), loss=loss)
    net.fit(ones, 1e3 * ones, epochs=3000)
    kept, history = net.state_dict(), net.history.history
    net.compile(sg.optimizers.SGD(rate), loss=loss)
    net.load_state_dict({"w": [[0.0]]})
    with pytest.raises(NumericError, match="update makes w infinite") as caught:
        net.fit(ones, 1e3 * ones, epochs=20_000)
    assert dict(caught.value.facts)["epoch"] == "3001"
    assert net.state_dict() == kept
    assert (net.iterations, net.history.history) == (3000, history)


def test_batch_normalisation_keeps_running_statistics():
    net = sg.nn.Sequential([sg.nn.BatchNormalization(name="norm"), sg.nn.Dense(1)], input_shape=(2,))
    net.compile("sgd", loss="mse")
    shifted = X + 3.0
    net.fit(shifted, Y, epochs=1, batch_size=60, shuffle=False)
    mean = next(v for name, v in net.state_dict().items() if "mean" in name)
    np.testing.assert_allclose(mean, 0.01 * shifted.mean(axis=0), rtol=1e-12)


class Counts:
    """A layer of a user's: three states, of which one stays, and the last is advanced first."""

    def apply(self, x, scope):
        a, b, c = (scope.state(name, (1,), start) for name, start in (("a", 1.0), ("b", 2.0), ("c", 3.0)))
        scope.update(c, c + 1)
        scope.update(a, a + 10)
        return x + 0 * (a + b + c)


def test_states_are_advanced_by_their_own_values():
    net = sg.nn.Sequential([Counts(), sg.nn.Dense(1)], input_shape=(2,))
    net.compile("sgd", loss="mse")
    net.fit(X, Y, epochs=2, batch_size=60)
    assert [net.state_dict()[f"counts_{name}"] for name in "abc"] == [21.0, 2.0, 5.0]


def test_mistakes_are_answered():
    net = linear()
    with pytest.raises(CallError, match="not compiled"):
        net.fit(X, Y)
    with pytest.raises(DeclarationError, match="no loss"):
        net.compile("sgd", loss="msee")
    net.compile("sgd", loss="mse")
    with pytest.raises(CallError, match="did you mean epochs"):
        net.fit(X, Y, epoch=3)
    for rate in (-1.0, np.nan, "fast", None):
        net.learning_rate = rate
        with pytest.raises(DeclarationError, match="learning rate is a number of 0 or more"):
            net.fit(X, Y)
    with pytest.raises(DeclarationError, match="64 bits"):
        net.fit(X, Y, seed=2**63)
    for options in ({"seed": -1}, {"seed": "a"}, {"dtype": "float16"}):
        with pytest.raises(DeclarationError, match=next(iter(options))):
            sg.nn.Sequential([sg.nn.Dense(1)], input_shape=(2,), **options)
    with pytest.raises(DeclarationError, match="epochs"):
        net.fit(X, Y, epochs=-1)
    with pytest.raises(ShapeError, match="rows"):
        net.fit(X, Y[:10])
    with pytest.raises(ShapeError):
        net.fit(X[:, :1], Y)
    with pytest.raises(ShapeError):
        net.load_state_dict({"W": np.zeros((3, 1)), "b": np.zeros(1)})


def test_a_memory_map_is_not_loaded_whole(tmp_path, monkeypatch):
    from symgrad.train import source

    monkeypatch.setattr(source, "BUFFER", 1000)
    rows = np.memmap(tmp_path / "x.dat", np.float32, "w+", shape=(500, 2))
    rows[:] = RNG.normal(size=(500, 2))
    targets = np.memmap(tmp_path / "y.dat", np.float32, "w+", shape=500)  # a vector for a column
    targets[:] = rows @ np.array([1.0, 2.0], np.float32)
    results = []
    for data in ((rows, targets), (np.array(rows), np.array(targets))):
        net = linear()
        net.compile(sg.optimizers.SGD(0.05), loss="mse")
        net.fit(*data, epochs=3, batch_size=8, seed=2)
        results.append(net.state_dict())
    for name in results[0]:
        np.testing.assert_array_equal(results[0][name], results[1][name])


def test_models_copy_and_pickle(fitted):
    net, _ = fitted
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert np.array_equal(twin.predict(X), net.predict(X))
        twin.fit(X, Y, epochs=1)
        assert twin.history is not net.history
    layers = [
        sg.nn.Dense(4, activation="relu", kernel_regularizer="l2"),
        sg.nn.BatchNormalization(),
        sg.nn.Dropout(0.5),
    ]
    deep = sg.nn.Sequential([*layers, sg.nn.Dense(1)], input_shape=(2,))
    again = pickle.loads(pickle.dumps(deep))
    assert np.array_equal(again.predict(X), deep.predict(X))
    again.compile("sgd", loss="mse")
    again.fit(X, Y, epochs=1)


def test_summary_shows_layers_and_counts():
    net = sg.nn.Sequential([sg.nn.Dense(4, name="hidden"), sg.nn.Dense(1)], input_shape=(2,))
    text = str(net.summary())
    assert "hidden" in text
    assert "17" in text  # 2 * 4 + 4 + 4 * 1 + 1
    assert repr(net.summary()) == text


def test_labels_outside_the_classes_are_refused():
    net = sg.nn.Sequential([sg.nn.Dense(3)], input_shape=(2,))
    net.compile("sgd", loss="sparse_categorical_crossentropy", from_logits=True)
    labels = np.zeros(60, int)
    labels[7] = 3
    with pytest.raises(IndexError, match="label 3"):
        net.fit(X, labels)


def test_a_full_batch_optimizer_of_scipy():
    net = linear()
    net.compile(sg.optimizers.LBFGS(), loss="mse")
    history = net.fit(X, Y, epochs=50)
    np.testing.assert_allclose(net.state_dict()["W"], [[1.0], [2.0]], atol=1e-4)
    assert len(history.history["loss"]) <= 50
    assert history.history["loss"][-1] < 1e-8


def test_slots_and_running_statistics_do_not_mix():
    """Adam's step on a network with statistics: each array of the loop is the one of its name."""
    net = sg.nn.Sequential([sg.nn.BatchNormalization(name="norm"), sg.nn.Dense(1, name="out")], input_shape=(2,))
    net.compile(sg.optimizers.Adam(0.1), loss="mse")
    before, shifted = net.state_dict(), 2 * X + 3.0
    net.fit(shifted, Y, epochs=1, batch_size=60, shuffle=False)
    after = net.state_dict()
    mean, variance = after["norm_moving_mean"], after["norm_moving_variance"]
    np.testing.assert_allclose(mean, 0.01 * shifted.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(variance, 0.99 + 0.01 * shifted.var(axis=0), rtol=1e-12)
    for name in ("norm_gamma", "norm_beta", "out_kernel", "out_bias"):  # Adam's first step is the sign of the gradient
        moved = abs(after[name] - before[name])
        assert np.all((moved < 1e-12) | (abs(moved - 0.1) < 1e-4)), name
        assert name == "norm_beta" or moved.max() > 0.09


def test_iterations_of_a_whole_batch_are_bounded_by_both_options():
    net = linear()
    net.compile(
        sg.optimizers.LBFGS(maxiter=2, gtol=0.0, ftol=0.0), loss=lambda y, yhat: (y - yhat) ** 4, metrics=["mae"]
    )
    assert [len(net.fit(X, Y, epochs=n).epoch) for n in (0, 1, 5)] == [0, 1, 2]
    assert list(net.history.history) == ["loss", "mae"]
    assert net.history.history["mae"][-1] == pytest.approx(net.evaluate(X, Y, return_dict=True)["mae"], rel=1e-12)
    with pytest.raises(DeclarationError, match="LBFGS has no learning rate"):
        net.fit(X, Y, callbacks=[sg.callbacks.ReduceLROnPlateau("loss")])
    for layer in (sg.nn.Dropout(0.5), sg.nn.BatchNormalization()):
        with pytest.raises(UnsupportedError, match="the same at every call"):
            sg.nn.Sequential([layer, sg.nn.Dense(1)], input_shape=(2,)).compile("lbfgs", loss="mse")


def test_metrics_of_one_name_are_told_apart():
    net = sg.nn.Sequential([sg.nn.Dense(4)], input_shape=(2,))
    top, labels = sg.metrics.SparseTopKCategoricalAccuracy, RNG.integers(0, 4, 60)
    net.compile("sgd", "sparse_categorical_crossentropy", [top(k=1), top(k=3), top(k=4)], from_logits=True)
    found = net.evaluate(X, labels, return_dict=True)
    names = ["sparse_top_k_categorical_accuracy" + end for end in ("", "_1", "_2")]
    assert list(found) == ["loss", *names]
    ranks = (net.predict(X) > np.take_along_axis(net.predict(X), labels[:, None], 1)).sum(axis=1)
    assert [found[n] for n in names] == [np.mean(ranks < k) for k in (1, 3, 4)]


def test_names_of_the_model_are_not_those_of_target_and_weights():
    x, w, b = sg.input("y", ("n", 2)), sg.parameter("W", (2, 1)), sg.parameter("sample_weight", (1,))
    net = sg.Model(x, x @ w + b)
    net.compile("sgd", loss="mse")
    assert net.loss_function.inputs == ("y", "W", "sample_weight", "y_")
    assert "sample_weight_" in {v["variable"].name for v in net.task(True).training.data}


def test_a_model_needs_one_batch_and_names_that_differ():
    x, z, fixed = sg.input("X", ("n", 2)), sg.input("Z", ("m", 2)), sg.input("X", (5, 2))
    w, other = sg.parameter("W", (2, 1)), sg.parameter("W", (2, 1))
    with pytest.raises(DeclarationError, match="two variables of the model are named W"):
        sg.Model(x, x @ w + x @ other)
    for inputs, output in ((fixed, fixed @ w), ([x, z], x @ w + sg.sum(z @ w))):
        with pytest.raises(DeclarationError, match="one batch of any size"):
            sg.Model(inputs, output)
    for output in (sg.sum(x @ w), w):
        with pytest.raises(DeclarationError, match="a row for each sample"):
            sg.Model(x, output)
