"""Every layer in both modes: Keras's value, gradients by input and parameters, shapes of parameters, configuration."""

import copy
import inspect
import pickle
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.frontend.tensor import Tensor
from symgrad.ir.walk import variables
from symgrad.nn import layers
from symgrad.nn.network import sequential
from tests.nn import keras_layers as keras

KEY = 20
N = 5


@dataclass(frozen=True)
class Case:
    """A layer on an input shape; ``value(x, parameters)`` in training, ``inference`` where that differs."""

    layer: Any
    shape: tuple
    value: Any
    inference: Any = None
    parameters: dict = field(default_factory=dict)  # name -> shape
    states: dict = field(default_factory=dict)

    def __str__(self):
        return f"{type(self.layer).__name__}{self.shape}"


def plain(function, **options):
    return lambda x, p: function(x, **options)


CHANNELS = {"gamma": (3,), "beta": (3,)}
RUNNING = {"moving_mean": (3,), "moving_variance": (3,)}
CASES = [
    Case(layers.Dense(4), (3,), keras.dense, parameters={"kernel": (3, 4), "bias": (4,)}),
    Case(layers.Dense(2, activation="tanh"), (4, 3), lambda x, p: np.tanh(keras.dense(x, p)),
         parameters={"kernel": (3, 2), "bias": (2,)}),
    Case(layers.Dense(2, use_bias=False), (3,), lambda x, p: x @ p["kernel"], parameters={"kernel": (3, 2)}),
    Case(layers.Dense(2, activation=lambda t: t * sp.tanh(t)), (3,), lambda x, p: (z := keras.dense(x, p)) * np.tanh(z),
         parameters={"kernel": (3, 2), "bias": (2,)}),
    Case(layers.Dense(2, activation="prelu"), (3,), lambda x, p: keras.prelu(keras.dense(x, p), p),
         parameters={"kernel": (3, 2), "bias": (2,), "alpha": (2,)}),
    Case(layers.Maxout(2, pieces=3), (4,), keras.maxout(3), parameters={"kernel": (4, 6), "bias": (6,)}),
    Case(layers.Embedding(7, 3), (4,), lambda x, p: p["embeddings"][x], parameters={"embeddings": (7, 3)}),
    Case(layers.Activation("sigmoid"), (3,), plain(keras.sigmoid)),
    Case(layers.Activation(sp.Symbol("t") ** 3), (3,), plain(lambda x: x**3)),
    Case(layers.Activation(layers.PReLU()), (3,), keras.prelu, parameters={"alpha": (3,)}),
    Case(layers.ReLU(), (3,), plain(keras.relu)),
    Case(layers.ReLU(max_value=0.5, negative_slope=0.2, threshold=0.1), (3,),
         plain(keras.relu, max_value=0.5, negative_slope=0.2, threshold=0.1)),
    Case(layers.ReLU(negative_slope=0.2), (3,), plain(keras.relu, negative_slope=0.2)),
    Case(layers.LeakyReLU(), (3,), plain(keras.relu, negative_slope=0.01)),
    Case(layers.ELU(alpha=0.5), (3,), plain(keras.elu, alpha=0.5)),
    Case(layers.Softmax(), (3,), plain(keras.softmax)),
    Case(layers.PReLU(), (4, 3), keras.prelu, parameters={"alpha": (4, 3)}),
    Case(layers.PReLU(shared_axes=[1]), (4, 3), keras.prelu, parameters={"alpha": (1, 3)}),
    Case(layers.Dropout(0.4), (3,), keras.dropout(0.4, KEY), lambda x, p: x),
    Case(layers.Dropout(0.4, noise_shape=(None, 1, 3)), (4, 3), keras.dropout(0.4, KEY, (None, 1, 3)), lambda x, p: x),
    Case(layers.Dropout(0.0), (3,), lambda x, p: x),
    Case(layers.Dropout(1.0), (3,), lambda x, p: 0 * x, lambda x, p: x),
    Case(layers.BatchNormalization(), (3,), keras.batch_normalization(), keras.batch_normalization(training=False),
         CHANNELS, RUNNING),
    Case(layers.BatchNormalization(), (2, 4, 3), keras.batch_normalization(), keras.batch_normalization(training=False),
         CHANNELS, RUNNING),
    Case(layers.BatchNormalization(axis=1), (3, 4), keras.batch_normalization(1), keras.batch_normalization(1, False),
         CHANNELS, RUNNING),
    Case(layers.BatchNormalization(center=False, scale=False), (3,), keras.batch_normalization(),
         keras.batch_normalization(training=False), {}, RUNNING),
    Case(layers.LayerNormalization(), (3,), keras.layer_normalization(), parameters=CHANNELS),
    Case(layers.LayerNormalization(axis=(1, 2)), (2, 3), keras.layer_normalization((1, 2)),
         parameters={"gamma": (2, 3), "beta": (2, 3)}),
    Case(layers.Flatten(), (2, 3), plain(lambda x: x.reshape(len(x), 6))),
    Case(layers.Conv2D(4, 3), (6, 5, 2), keras.conv2d(), parameters={"kernel": (3, 3, 2, 4), "bias": (4,)}),
    Case(layers.Conv2D(2, (3, 2), strides=(2, 1), padding="same", activation="tanh"), (7, 5, 1),
         lambda x, p: np.tanh(keras.conv2d((2, 1), padding="same")(x, p)),
         parameters={"kernel": (3, 2, 1, 2), "bias": (2,)}),
    Case(layers.Conv2D(2, 2, dilation_rate=2, use_bias=False), (5, 6, 3), keras.conv2d(dilations=(2, 2)),
         parameters={"kernel": (2, 2, 3, 2)}),
    Case(layers.Conv2D(4, 2, groups=2), (4, 4, 6), keras.conv2d(groups=2),
         parameters={"kernel": (2, 2, 3, 4), "bias": (4,)}),
    Case(layers.Conv2D(4, 3, data_format="channels_first"), (2, 6, 5), keras.channels_first(keras.conv2d()),
         parameters={"kernel": (3, 3, 2, 4), "bias": (4,)}),
    Case(layers.MaxPooling2D(), (6, 5, 2), keras.pooling(np.nanmax)),
    Case(layers.MaxPooling2D(3, strides=2, padding="same"), (7, 5, 2),
         keras.pooling(np.nanmax, (3, 3), (2, 2), "same")),
    Case(layers.MaxPooling2D(data_format="channels_first"), (2, 4, 6), keras.channels_first(keras.pooling(np.nanmax))),
    Case(layers.AveragePooling2D((2, 3)), (6, 5, 2), keras.pooling(np.nanmean, (2, 3))),
    Case(layers.AveragePooling2D(3, strides=2, padding="same"), (6, 5, 2),
         keras.pooling(np.nanmean, (3, 3), (2, 2), "same")),
    Case(layers.GlobalAveragePooling2D(), (4, 3, 2), plain(lambda x: x.mean(axis=(1, 2)))),
    Case(layers.GlobalAveragePooling2D("channels_first", keepdims=True), (2, 4, 3),
         plain(lambda x: x.mean(axis=(2, 3), keepdims=True))),
    Case(layers.Reshape((3, -1)), (2, 6), plain(lambda x: x.reshape(len(x), 3, 4))),
]  # fmt: skip
EACH = pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case}" for i, case in enumerate(CASES)])


def built(case):
    """(network, values by variable name, values by the layer's own names)."""
    network = sequential([case.layer], case.shape)
    rng = np.random.default_rng(3)
    x = network.inputs[0]
    size = (N, *case.shape)
    given = {"X": rng.integers(0, 7, size) if x.dtype == "int" else rng.normal(size=size)}
    own = {}
    prefix = f"{network.rows[0].layer}_"
    for node in [*(w.node for w in network.parameters), *(s.node for s in network.states)]:
        name = node["variable"].name
        assert name.startswith(prefix)
        drawn = rng.normal(size=node.shape)
        given[name] = own[name.removeprefix(prefix)] = np.abs(drawn) if "variance" in name else drawn
    return network, given, own


def needed(tensor, given):
    """The values that a tensor depends on."""
    names = {v["variable"].name for v in variables([tensor.node])}
    return {name: value for name, value in {**given, "random_key": KEY}.items() if name in names}


@EACH
def test_values_are_keras(case):
    network, given, own = built(case)
    both = (network.training, case.value), (network.output, case.inference or case.value)
    for node, restated in both:
        value = sg.evaluate(Tensor(node), **needed(Tensor(node), given))
        expected = restated(given["X"], own)
        assert value.shape == expected.shape
        # a few roundings of each of at most 18 terms of a sum, of numbers that a variance of 0.02 makes about 20
        assert np.allclose(value, expected, rtol=0, atol=200 * np.finfo(float).eps)


@EACH
def test_shapes_and_counts(case):
    network, _, own = built(case)
    assert {name: value.shape for name, value in own.items()} == {**case.parameters, **case.states}
    (row,) = network.rows
    assert row.learned == sum(int(np.prod(s)) for s in case.parameters.values())
    assert row.fixed == sum(int(np.prod(s)) for s in case.states.values())
    assert len(network.updates) == len(case.states)


@EACH
def test_gradients(case):
    """By the input and by every parameter, in training (with its random numbers) and at inference."""
    network, given, _ = built(case)
    both = [Tensor(node) for node in dict.fromkeys([network.training, network.output])]
    wrt = [*(Tensor(v) for v in network.inputs if v.dtype == "real"), *(Tensor(w.node) for w in network.parameters)]
    at = {name: value for tensor in both for name, value in needed(tensor, given).items()}
    report = sg.compile(both, wrt=wrt).check(**at)
    assert report.ok, report


def test_float32_is_float64_rounded():
    """A deep network of every kind of layer, in both precisions at single-precision points, with its gradients."""
    stack = [
        layers.Reshape((4, 3)), layers.LayerNormalization(), layers.Flatten(), layers.Dense(6),
        layers.BatchNormalization(), layers.PReLU("ones"), layers.Dropout(0.4), layers.Maxout(4),
        layers.Dense(3, activation="tanh"), layers.Softmax(),
    ]  # fmt: skip
    network = sequential(stack, (12,))
    rng = np.random.default_rng(0)
    nodes = [*network.inputs, *(w.node for w in network.parameters)]
    sizes = [(8, 12), *(node.shape for node in nodes[1:])]
    given = {v["variable"].name: rng.normal(size=s).astype(np.float32) for v, s in zip(nodes, sizes, strict=True)}
    J, at = sg.mean(Tensor(network.training) ** 2), {**given, "random_key": KEY}
    (single, s), (double, d) = (sg.compile(J, dtype=t).value_and_grad(**at) for t in ("float32", "float64"))
    # the float32 function rounds at every one of its ten layers, each of which sums at most 12 terms
    allowed = 10 * 12 * np.finfo(np.float32).eps
    assert np.isclose(single, double, rtol=allowed, atol=0)
    for a, b in zip(s, d, strict=True):
        assert np.allclose(a, b, rtol=0, atol=allowed * max(1e-2, np.abs(b).max()))


def test_every_layer_has_a_case():
    assert {type(case.layer).__name__ for case in CASES} | {"Input"} == set(layers.__all__)


@pytest.mark.parametrize("name", layers.__all__)
def test_layers_are_records(name):
    """A layer is frozen, documented, copies and pickles; the last option is its name."""
    kind = getattr(layers, name)
    assert inspect.getdoc(kind)
    assert name == "Input" or fields(kind)[-1].name == "name"
    layer = next((case.layer for case in CASES if type(case.layer) is kind), layers.Input((3,)))
    assert copy.deepcopy(layer) == layer
    assert pickle.loads(pickle.dumps(layer)) == layer
    with pytest.raises(AttributeError):
        layer.name = "other"


def test_batch_normalization_updates_running_statistics():
    """m <- momentum m + (1 - momentum) mean, and the biased variance alike; nothing changes at inference."""
    network = sequential([layers.BatchNormalization(momentum=0.9)], (3,))
    X = np.random.default_rng(0).normal(2.0, 3.0, (50, 3))
    running = {s.node["variable"].name: np.full(3, 0.5) for s in network.states}
    starts = {s.node["variable"].name: s.start for s in network.states}
    assert np.array_equal(starts["batch_normalization_moving_mean"], np.zeros(3))
    assert np.array_equal(starts["batch_normalization_moving_variance"], np.ones(3))
    found = {
        s["variable"].name: sg.evaluate(Tensor(v), **needed(Tensor(v), {"X": X, **running})) for s, v in network.updates
    }
    assert np.allclose(found["batch_normalization_moving_mean"], 0.9 * 0.5 + 0.1 * X.mean(0), rtol=1e-14)
    assert np.allclose(found["batch_normalization_moving_variance"], 0.9 * 0.5 + 0.1 * X.var(0), rtol=1e-14)


def test_dropout_keeps_the_mean_and_the_rate():
    """The share of zeros is binomial; the mean of the rest is 1/(1 - rate) exactly."""
    rate, size = 0.3, 40_000
    fn = sg.compile(Tensor(sequential([layers.Dropout(rate)], (size,)).training), wrt=[])
    value = fn(X=np.ones((1, size)), random_key=5)
    share = (value == 0).mean()
    assert abs(share - rate) < 5 * np.sqrt(rate * (1 - rate) / size)
    assert np.allclose(value[value != 0], 1 / (1 - rate), rtol=1e-15)
    assert np.array_equal(value, fn(X=np.ones((1, size)), random_key=5))
    assert not np.array_equal(value, fn(X=np.ones((1, size)), random_key=6))


def test_two_dropouts_draw_apart():
    network = sequential([layers.Dropout(0.5), layers.Dropout(0.5)], (1000,))
    once = sg.evaluate(Tensor(network.training), X=np.ones((1, 1000)), random_key=1)
    assert abs((once == 0).mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 1000)
    seeded = sequential([layers.Dropout(0.5, seed=3)], (1000,))
    other = sequential([layers.Dropout(0.5, seed=4)], (1000,))
    drawn = [sg.evaluate(Tensor(net.training), X=np.ones((1, 1000)), random_key=1) for net in (seeded, other)]
    assert not np.array_equal(*drawn)


def test_a_dropped_infinity_is_zero():
    value = sg.evaluate(Tensor(sequential([layers.Dropout(1.0)], (2,)).training), X=[[np.inf, np.nan]], random_key=0)
    assert np.array_equal(value, [[0.0, 0.0]])


def test_prelu_beyond_slope_one():
    """PReLU at -2 with alpha 0.25: -0.5, slope 0.25, -2 by alpha; right for alpha > 1 too."""
    network = sequential([layers.PReLU()], (1,))
    x, alpha = Tensor(network.inputs[0]), Tensor(network.parameters[0].node)
    fn = sg.compile(sg.sum(Tensor(network.training)), wrt=[x, alpha])
    for at in (0.25, 3.0):
        value, (dx, dalpha) = fn.value_and_grad(X=[[-2.0]], p_re_lu_alpha=[at])
        assert (value, dx[0, 0], dalpha[0]) == (-2 * at, at, -2.0)


def test_an_index_outside_the_table_is_told():
    fn = sg.compile(Tensor(sequential([layers.Embedding(3, 2)], (1,)).output), wrt=[])
    with pytest.raises(IndexError):
        fn(X=[[3]], embedding_embeddings=np.zeros((3, 2)))


def test_the_input_may_be_the_first_entry():
    network = sequential([layers.Input((4,)), layers.Dense(2)])
    assert str(network.inputs[0].shape) == "(n, 4)"
    assert [r.layer for r in network.rows] == ["dense"]
    assert sequential([layers.Flatten(), layers.Embedding(5, 2)], (3, 3)).inputs[0].dtype == "int"
