"""Callbacks: Keras's meanings on sequences of a monitor, and the best weights on every way out."""

import csv
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import CallError, DeclarationError, NumericError
from symgrad.train.rules.metrics import METRICS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = X @ [[1.0], [2.0]] + 0.5
NAN, INF = math.nan, math.inf


def linear(rate=0.05, **options):
    x = sg.input("X", ("n", 2))
    w, b = sg.parameter("W", (2, 1), init="zeros"), sg.parameter("b", (1,), init="zeros")
    net = sg.Model(inputs=x, outputs=x @ w + b)
    net.compile(sg.optimizers.SGD(rate), loss="mse", **options)
    return net


@pytest.fixture(scope="module")
def compiled():
    return linear()


@pytest.fixture
def net(compiled):
    compiled.load_state_dict({"W": np.zeros((2, 1)), "b": np.zeros(1)})
    compiled.learning_rate, compiled.iterations = 0.05, 0
    return compiled


class Played:
    """A model that only has weights: its weight is the number of the epoch."""

    def __init__(self, rate=1.0):
        self.stop_training, self.learning_rate, self.epoch = False, rate, -1
        self.optimizer = sg.optimizers.SGD(rate)

    def state_dict(self):
        return {"w": np.array(float(self.epoch))}

    def load_state_dict(self, d):
        self.epoch = int(d["w"])


def played(callback, values, name="val_loss"):
    """The model, and what was logged, after as many epochs of these values as the callback lets pass."""
    model, logged = Played(), []
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        if model.stop_training:
            break
        model.epoch = epoch
        callback.on_epoch_begin(epoch, {})
        logged.append({name: value})
        callback.on_epoch_end(epoch, logged[-1])
    callback.on_train_end({})
    return model, logged


@pytest.mark.parametrize(
    ("values", "options", "epochs", "best"),
    [
        ([3, 2, 2.5, 2.4, 1], {"patience": 2}, 4, 1),
        ([3, 2, 2.5, 1, 1], {"patience": 2}, 5, 3),
        ([3, 2, 1.95, 1.93, 0], {"patience": 2, "min_delta": 0.1}, 4, 1),
        ([3, 2, 1.95, 1.93, 0], {"patience": 2, "min_delta": -0.1}, 4, 1),
        ([1, 2, 3, 2, 4], {"patience": 2, "mode": "max"}, 5, 4),
        ([9, 8, 7, 6, 5], {"patience": 2, "baseline": 1.0}, 5, 4),  # never below it, always better than before
        ([9, 8, 8, 8, 5], {"patience": 3, "baseline": 1.0}, 3, 1),  # the wait is not reset above the baseline
        ([1, 9, 9, 9, 9, 9], {"patience": 1, "start_from_epoch": 3}, 5, 3),
        ([NAN, 2, NAN, 1, 5, 6], {"patience": 2}, 6, 3),
        ([2, -INF, NAN, 1], {"patience": 2}, 3, 0),  # -inf is not best
        ([INF, INF, INF], {"patience": 2}, 2, None),
        ([NAN, NAN, NAN], {"patience": 9}, 3, None),
    ],
)
def test_early_stopping_stops_and_restores(values, options, epochs, best):
    stop = sg.callbacks.EarlyStopping(restore_best_weights=True, **options)
    model, logged = played(stop, values)
    assert len(logged) == epochs
    assert model.epoch == (epochs - 1 if best is None else best)
    assert stop.best == (None if best is None else values[best])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=12), st.sampled_from(["min", "max"])
)
def test_the_best_is_the_best_finite_one(values, mode):
    stop = sg.callbacks.EarlyStopping("loss", patience=99, mode=mode, restore_best_weights=True)
    model, _ = played(stop, values, "loss")
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        assert stop.best is None
        assert model.epoch == len(values) - 1
        return
    best = (min if mode == "min" else max)(finite)
    assert stop.best == best
    assert model.epoch == values.index(best)


UPWARD = ["auc", "r2", "precision", "recall"]
NAMES = [f"val_{n}" for n, row in METRICS.items() if row.name in UPWARD or row.name.endswith("_accuracy")]


@pytest.mark.parametrize("name", ["accuracy", "acc", "auc_2", *NAMES])
def test_the_direction_follows_the_name(name):
    model, _ = played(sg.callbacks.EarlyStopping(name, patience=9, restore_best_weights=True), [1, 3, 2], name)
    assert model.epoch == 1


def test_the_rate_falls_on_a_plateau():
    plateau = sg.callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.2)
    _, logged = played(plateau, [3, 3, 3, 3, 3, 3, 3, 3, NAN, NAN, NAN])
    # two waits halve the rate; the epoch after is the cooldown, in which nothing is counted but its end
    assert [e["learning_rate"] for e in logged] == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2, 0.2]


def test_the_scheduler_sets_the_rate(net):
    seen = []
    halve = sg.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    watch = sg.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(net.learning_rate))
    history = net.fit(X, Y, epochs=3, callbacks=[halve, watch])
    assert seen == [0.025, 0.0125, 0.00625] == history.history["learning_rate"]
    net.fit(X, Y, epochs=2, callbacks=[sg.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch)), watch])
    assert seen[3:] == [0.1, 0.05]
    with pytest.raises(DeclarationError, match="learning rate"):
        net.fit(X, Y, callbacks=[sg.callbacks.LearningRateScheduler(lambda epoch: -1.0)])


def test_a_schedule_is_not_changed():
    net = linear(sg.schedules.ExponentialDecay(0.1, 10, 0.5))
    for callback in (sg.callbacks.ReduceLROnPlateau("loss"), sg.callbacks.LearningRateScheduler(lambda e: 0.1)):
        with pytest.raises(DeclarationError, match="schedule"):
            net.fit(X, Y, callbacks=callback)
    net.learning_rate = 0.01
    with pytest.raises(DeclarationError, match="no effect"):
        net.fit(X, Y)


class BoomError(Exception):
    pass


def fails_at(epoch, error):
    def hook(number, logs):
        if number == epoch:
            raise error

    return sg.callbacks.LambdaCallback(on_epoch_end=hook)


class Planted(sg.callbacks.Callback):
    """Gives epoch 2 the lowest value of a quantity, then worse ones; at epoch 5 something ends the run."""

    def __init__(self, way):
        self.way, self.kept = way, None

    def on_epoch_end(self, epoch, logs=None):
        logs["planted"] = [3.0, 2.0, 1.0, 2.0, NAN, -INF, 4.0, 5.0][epoch]
        if epoch == 2:
            self.kept = self.model.state_dict()
        if epoch == 5 and self.way == "nan":
            self.model.learning_rate = 1e300
        if epoch == 5 and self.way == "stop":
            self.model.stop_training = True


WAYS = {"end": None, "stop": None, "nan": NumericError, "ctrl-c": KeyboardInterrupt, "exception": BoomError}


@pytest.mark.parametrize("way", WAYS)
def test_the_best_weights_are_restored_on_every_way_out(net, way):
    planted, ended = Planted(way), []
    stop = sg.callbacks.EarlyStopping("planted", mode="min", patience=50, restore_best_weights=True)
    callbacks = [planted, stop, sg.callbacks.LambdaCallback(on_train_end=lambda logs: ended.append(1))]
    if way in ("ctrl-c", "exception"):
        callbacks.append(fails_at(5, WAYS[way]()))
    if WAYS[way]:
        with pytest.raises(WAYS[way]):
            net.fit(X, Y, epochs=8, callbacks=callbacks)
    else:
        net.fit(X, Y, epochs=8, callbacks=callbacks)
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, planted.kept[name])
    assert ended == [1]
    assert len(net.history.history["loss"]) == {"end": 8, "stop": 6, "nan": 7, "ctrl-c": 5, "exception": 5}[way]
    net.learning_rate = 0.05
    net.fit(X, Y, epochs=1)  # usable


def test_a_callback_that_fails_at_the_end_does_not_keep_others_from_theirs(net):
    def end(logs):
        raise BoomError

    planted = Planted("end")
    stop = sg.callbacks.EarlyStopping("planted", mode="min", patience=50, restore_best_weights=True)
    with pytest.raises(BoomError):
        net.fit(X, Y, epochs=8, callbacks=[planted, sg.callbacks.LambdaCallback(on_train_end=end), stop])
    np.testing.assert_array_equal(net.state_dict()["W"], planted.kept["W"])


def test_terminate_on_nan_returns(net):
    net.learning_rate = 1e3
    nan = sg.callbacks.TerminateOnNaN()
    history = net.fit(X, Y, epochs=500, batch_size=10, callbacks=[nan])
    assert len(history.history["loss"]) == nan.epoch
    assert nan.batch in (0, 1)
    assert nan.fault.name in ("loss", "W", "b")
    assert all(np.isfinite(v).all() for v in net.state_dict().values())


def test_csv_lines(net, tmp_path):
    path = tmp_path / "log.csv"
    history = net.fit(X, Y, epochs=3, callbacks=[sg.callbacks.CSVLogger(path)], validation_split=0.2)
    net.fit(X, Y, epochs=4, initial_epoch=3, validation_split=0.2, callbacks=sg.callbacks.CSVLogger(path, append=True))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert [int(r["epoch"]) for r in rows] == [0, 1, 2, 3]
    assert [float(r["val_loss"]) for r in rows[:3]] == history.history["val_loss"]
    assert float(rows[3]["val_loss"]) == net.history.history["val_loss"][0]
    with pytest.warns(RuntimeWarning, match="not written"):
        net.fit(X, Y, epochs=1, callbacks=[sg.callbacks.CSVLogger(tmp_path / "none" / "log.csv")])


def test_any_object_with_hooks(net):
    class Mine:
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, epoch, logs):
            self.seen.append(("epoch", epoch))

        def on_batch_end(self, batch, logs):
            self.seen.append(("batch", batch))

    mine = Mine()
    net.fit(X, Y, epochs=2, batch_size=10, callbacks=mine)
    assert mine.seen == [("batch", 0), ("batch", 1), ("epoch", 0), ("batch", 0), ("batch", 1), ("epoch", 1)]


def test_mistakes_are_answered(net):
    stop, before = sg.callbacks.EarlyStopping, net.state_dict()
    for options, match in [
        ({"callbacks": [stop("val_loss")]}, "validation_data"),
        ({"callbacks": [stop("los")]}, 'monitor="loss"'),
        ({"callbacks": [stop("gain")]}, "which way"),
        ({"callbacks": [stop]}, r"EarlyStopping\(\)"),
        ({"callbacks": ["early"]}, "hooks"),
    ]:
        with pytest.raises(DeclarationError) as caught:
            net.fit(X, Y, **options)
        assert match.replace("\\", "") in str(caught.value)
    assert all(np.array_equal(v, before[k]) for k, v in net.state_dict().items())
    with pytest.raises(DeclarationError, match="gain is not logged"):
        net.fit(X, Y, callbacks=[stop("gain", mode="max")])
    with pytest.raises(CallError, match="hook"):
        sg.callbacks.LambdaCallback(on_epoch_ends=print)
    for make in (
        lambda: stop(patience=-1), lambda: stop(mode="least"), lambda: stop(min_delta=NAN), lambda: stop(baseline="1"),
        lambda: sg.callbacks.ReduceLROnPlateau(factor=1.5), lambda: sg.callbacks.LearningRateScheduler(0.1),
    ):  # fmt: skip
        with pytest.raises(DeclarationError):
            make()
    with pytest.raises(AttributeError, match="EarlyStopping"):
        _ = sg.callbacks.EarlyStoping
