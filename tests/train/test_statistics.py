"""LayerStatistics: norms and shares as their definitions say, of the graph that is trained, and without touching it."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import CallError, DeclarationError
from symgrad.nn import activations
from symgrad.train.history import History
from symgrad.train.watching.layers import slopes

RNG = np.random.default_rng(3)
X = RNG.normal(size=(30, 2))
Y = (X[:, :1] > 0.2).astype(float)


def network():
    return sg.nn.Sequential(
        [
            sg.nn.Dense(3, activation="sigmoid", name="first"),
            sg.nn.Dense(4, activation="relu", name="second"),
            sg.nn.Dense(1, name="out"),
        ],
        input_shape=(2,), seed=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained():
    """A network with one unit that is dead and one that is saturated; what was seen; the weights after each epoch."""
    net = network()
    net.compile(sg.optimizers.SGD(0.5), loss="binary_crossentropy", from_logits=True)
    start = net.state_dict()
    start["first_bias"][1], start["second_bias"][2] = 40.0, -1e3
    runs = []
    for statistics in ([sg.callbacks.LayerStatistics(rows=20)], []):
        net.load_state_dict(start)
        net.iterations, weights = 0, []
        keep = sg.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs, kept=weights: kept.append(net.state_dict()))
        runs.append((net.fit(X, Y, epochs=3, batch_size=8, callbacks=[*statistics, keep]), weights))
    return net, runs


def test_training_is_the_same_to_the_bit(trained):
    (seen, with_them), (plain, without) = trained[1]
    assert seen.history == plain.history
    assert all(a[name].tobytes() == b[name].tobytes() for a, b in zip(with_them, without, strict=True) for name in a)
    assert plain.layers == {}


def test_norms_and_shares_are_those_of_the_definitions(trained):
    net, ((history, weights), _) = trained
    rows = np.linspace(0, 29, 20).round().astype(int)
    fn = net.loss_function
    for epoch, w in enumerate(weights):
        gradient = dict(zip(fn.wrt, fn.grad(X=X[rows], y=Y[rows], **w), strict=True))
        a2 = 1 / (1 + np.exp(-(X[rows] @ w["first_kernel"] + w["first_bias"])))
        z3 = a2 @ w["second_kernel"] + w["second_bias"]
        flat = {"first": a2 * (1 - a2) <= 0.05 / 4, "second": z3 <= 0}
        for layer, told in history.layers.items():
            parts = [g.ravel() for name, g in gradient.items() if name.startswith(layer)]
            np.testing.assert_allclose(told["gradient_norm"][epoch], np.linalg.norm(np.concatenate(parts)), rtol=1e-12)
            if layer in flat:
                assert told["saturated"][epoch] == flat[layer].mean()
        assert history.layers["first"]["saturated"][epoch] >= 1 / 3
        assert history.layers["second"]["dead"][epoch] == (z3 <= 0).all(axis=0).mean() >= 1 / 4
        assert history.layers["first"]["dead"][epoch] == 0
    assert list(history.layers) == ["first", "second", "out"]
    assert set(history.layers["out"]) == {"gradient_norm"}


def test_every_quantity_of_layers_has_a_panel(trained):
    matplotlib = pytest.importorskip("matplotlib", reason="plots are drawn by matplotlib")
    matplotlib.use("Agg")
    history = trained[1][0][0]
    axes = history.plot(["loss", "gradient_norm", "dead"])
    assert [[line.get_label() for line in ax.get_lines()] for ax in axes] == [
        ["loss"], ["first", "second", "out"], ["first", "second"],
    ]  # fmt: skip
    assert [ax.get_yscale() for ax in axes] == ["linear", "log", "linear"]
    assert history.plot("saturated").get_ylabel() == "saturated"
    with pytest.raises(DeclarationError, match="gradient_norm"):
        history.plot("gradientnorm")
    with pytest.raises(CallError, match="2 panels"):
        history.plot(["dead", "saturated"], ax=axes[0])
    matplotlib.pyplot.close("all")


def test_what_was_seen_goes_through_a_checkpoint():
    statistics = sg.callbacks.LayerStatistics()
    statistics.model = network()
    statistics.model.history.layers = {"first": {"dead": [0.0, 0.5]}}
    state = statistics.get_state()
    statistics.model.history = History()
    statistics.set_state(state)
    assert statistics.model.history.layers == {"first": {"dead": [0.0, 0.5]}}


CURVES = {  # largest abs(f') on the real line; softplus' tends to 1
    "sigmoid": 1 / 4, "tanh": 1, "relu": 1, "relu6": 1, "leaky_relu": 1, "prelu": 1, "elu": 1, "softplus": 1,
    "piecewise_linear": 1, "selu": 1.0507009873554805 * 1.6732632423543772, "gelu": 1.128904145, "silu": 1.099839320,
    "mish": 1.088488, "linear": None, "step": None, "sign": None, "softmax": None,
}  # fmt: skip


def test_every_activation_is_found_with_its_largest_slope():
    others = set(activations.ACTIVATIONS) - set(CURVES) - {"maxout"}
    stack = [sg.nn.Dense(3, activation=a, name=f"a_{a}") for a in [*CURVES, *sorted(others)]]
    stack[3:3] = [sg.nn.BatchNormalization(), sg.nn.Activation("tanh", name="a_late"), sg.nn.Dropout(0.5)]
    net = sg.nn.Sequential(stack, input_shape=(2,))
    found = {s.layer[2:]: s.largest(net.state_dict()) for s in slopes(net.network, net.network.training)}
    wanted = {name: value for name, value in CURVES.items() if value is not None} | {"late": 1}
    assert set(found) - others == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-3)


def test_a_model_without_layers_has_its_own_names():
    x, w = sg.input("X", ("n", 2)), sg.parameter("W", (2, 3))
    z = sg.named("z", x @ w)
    model = sg.Model(inputs=x, outputs=sg.named("scaled", 2.0 * sg.named("h", sg.tanh(z))))
    assert [s.layer for s in slopes(model.network, model.network.training)] == ["h"]


@pytest.mark.parametrize("options", [{"rows": 0}, {"rows": 2.5}, {"share": -0.1}, {"share": "all"}])
def test_options_that_make_no_sense(options):
    with pytest.raises(DeclarationError):
        sg.callbacks.LayerStatistics(**options)
