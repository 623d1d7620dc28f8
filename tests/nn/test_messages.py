"""What networks, losses and layers say when they say no: golden texts, in the user's own terms."""

import pytest
import sympy as sp

import symgrad as sg
from symgrad.nn import activations, initializers, layers, losses, regularizers
from symgrad.nn.network import from_tensors, sequential
from tests.test_errors import caught, shown


def stacked(*given, shape=(3,)):
    return lambda: sequential(given, shape)


def lost(loss, y, yhat, **options):
    return lambda: losses.get(loss, **options).values(sg.input("y", *y[:1], dtype=y[1]), yhat(sg.input("p", ("n", 4))))


def same(p):
    return p


def drawn(spec, *shape):
    return lambda: initializers.draw(spec, sg.parameter("W", shape).node, None)


MESSAGES = {
    "loss: unknown": lambda: losses.get("huberr"),
    "loss: unlike any": lambda: losses.get("qqq"),
    "loss: an option": lambda: losses.Huber(dleta=1.0),
    "loss: an option of none": lambda: losses.MeanSquaredError(delta=1.0),
    "loss: an option too many": lambda: losses.Huber(1.0, 2.0),
    "loss: an option twice": lambda: losses.Huber(1.0, delta=2.0),
    "loss: no loss": lambda: losses.get(3),
    "loss: another size": lost("mse", (("m", 4), "real"), same),
    "loss: no columns": lost("mse", (("n",), "real"), same),
    "loss: labels for one-hot rows": lost("cce", (("n",), "int"), same),
    "loss: one-hot rows for labels": lost("scce", (("n", 4), "int"), same),
    "loss: real labels": lost("scce", (("n",), "real"), same),
    "loss: two labels": lost("scce", (("n", 2), "int"), same),
    "loss: no classes": lost("scce", (("n",), "int"), sg.sum),
    "loss: logits of a sigmoid": lost("bce", (("n", 4), "real"), sg.sigmoid, from_logits=True),
    "loss: one number cannot be weighted": lost(lambda y, p: sg.sum(p), (("n", 4), "real"), same),
    "loss: no tensor": lost(lambda y, p: 3, (("n", 4), "real"), same),
    "activation: unknown": lambda: activations.get("rellu"),
    "activation: needs pieces": lambda: activations.get("maxout"),
    "activation: no function": lambda: activations.get(3),
    "activation: two symbols": lambda: activations.get(sp.Symbol("a") * sp.Symbol("b")),
    "activation: a constant": lambda: activations.get(sp.Integer(2)),
    "activation: another shape": stacked(layers.Dense(2, activation=lambda x: sg.sum(x))),
    "initializer: unknown": stacked(layers.Dense(2, kernel_initializer="he")),
    "initializer: none": drawn(object(), 2),
    "initializer: another shape": drawn([1.0, 2.0], 3),
    "initializer: an unknown size": drawn("zeros", "m", 2),
    "initializer: identity of a vector": drawn("identity", 3),
    "initializer: orthogonal vector": drawn("orthogonal", 3),
    "initializer: mode": drawn(initializers.VarianceScaling(mode="fan_im"), 3, 2),
    "regularizer: unknown": stacked(layers.Dense(2, kernel_regularizer="l3")),
    "regularizer: none": lambda: regularizers.get(0.01),
    "network: empty": stacked(),
    "network: no shape": stacked(layers.Dense(2), shape=None),
    "network: one name twice": stacked(layers.Dense(2, name="a"), layers.Dense(3, name="a")),
    "network: no layer": stacked(layers.Dense(2), sg.relu),
    "network: no input": lambda: from_tensors(sg.parameter("W", (2,)), sg.symbol("x")),
    "network: a missing input": lambda: from_tensors(X := sg.input("X", ("n",)), X * sg.symbol("x")),
    "network: no row for each sample": lambda: from_tensors(sg.input("X", ("n",)), sg.symbol("x")),
    "network: no output": lambda: from_tensors(sg.input("X", ("n",)), 3),
    "layer: no features": stacked(layers.Dense(2), shape=()),
    "layer: unknown features": stacked(layers.Dense(2), shape=("m",)),
    "layer: no integers": stacked(layers.Dense(2), layers.Embedding(3, 4)),
    "layer: no positive count": lambda: layers.Dense(0),
    "layer: no whole count": lambda: layers.Maxout(2, pieces=2.5),
    "layer: rate": lambda: layers.Dropout(1.5),
    "layer: momentum": lambda: layers.BatchNormalization(momentum=2),
    "layer: noise shape": stacked(layers.Dropout(0.5, noise_shape=(None, 2))),
    "layer: over the batch": stacked(layers.BatchNormalization(axis=0)),
    "layer: no such axis": stacked(layers.BatchNormalization(axis=2)),
    "layer: no known scale": stacked(layers.LayerNormalization(), shape=("m",)),
    "layer: integers to normalise": stacked(layers.Input((3,), "int"), layers.BatchNormalization(), shape=None),
    "layer: shared axes": stacked(layers.PReLU(shared_axes=[2])),
    "layer: no images": stacked(layers.Conv2D(2, 3), shape=(64,)),
    "layer: image format": stacked(layers.MaxPooling2D(data_format="channels_middle"), shape=(4, 4, 1)),
    "layer: unknown channels": stacked(layers.Conv2D(2, 3), shape=(8, 8, "c")),
    "layer: groups of filters": lambda: layers.Conv2D(3, 3, groups=2),
    "layer: groups of channels": stacked(layers.Conv2D(4, 3, groups=2), shape=(8, 8, 3)),
    "layer: kernel of three": lambda: layers.Conv2D(4, (3, 3, 3)),
    "layer: kernel too large": stacked(layers.Conv2D(2, 5), shape=(4, 8, 1)),
    "layer: padding": stacked(layers.Conv2D(2, 5, padding="full"), shape=(8, 8, 1)),
    "layer: strides": stacked(layers.AveragePooling2D(strides=0), shape=(8, 8, 1)),
    "layer: other elements": stacked(layers.Reshape((4, -1)), shape=(6,)),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name, snapshot):
    assert shown(caught(MESSAGES[name])) == snapshot


def test_lines_are_short():
    for make in MESSAGES.values():
        assert all(len(line) <= 160 for line in str(caught(make)).splitlines())


def test_unknown_rows_are_no_attributes():
    for module in (losses, initializers, regularizers):
        with pytest.raises(AttributeError, match="there is no"):
            module.MeanSquareError  # noqa: B018
        assert {"get", *(row.title for row in module.TABLE)} <= set(dir(module))
