"""Networks as records: names, shapes, counts, both modes, and the derivation as a reader writes it."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.frontend.tensor import Tensor
from symgrad.nn import losses
from symgrad.nn.layers import Activation, Dense, PReLU
from symgrad.nn.network import from_tensors, sequential, summary

BY_HAND = r"""
z^{(2)} &= X W^{(1)} + b^{(1)} \\
a^{(2)} &= f(z^{(2)}) \\
z^{(3)} &= a^{(2)} W^{(2)} + b^{(2)} \\
\hat{y} &= f(z^{(3)}) \\
J &= \frac{1}{2} \sum (y - \hat{y})^{2} \\
\delta^{(3)} &= -(y - \hat{y}) \odot f'(z^{(3)}) \\
\frac{\partial J}{\partial W^{(2)}} &= (a^{(2)})^\top \delta^{(3)} \\
\frac{\partial J}{\partial b^{(2)}} &= \sum \delta^{(3)} \\
\delta^{(2)} &= \delta^{(3)} (W^{(2)})^\top \odot f'(z^{(2)}) \\
\frac{\partial J}{\partial W^{(1)}} &= X^\top \delta^{(2)} \\
\frac{\partial J}{\partial b^{(1)}} &= \sum_{i} \delta^{(2)}_{i} \\
"""


def cost(network, loss, **options):
    row = losses.get(loss, **options)
    yhat = Tensor(network.training)
    return sg.named("J", losses.total(row, losses.target(row, yhat), yhat))


def test_derivation_reads_as_by_hand():
    network = sequential([Dense(3, activation="sigmoid"), Dense(1, activation="sigmoid")], input_shape=(2,))
    assert BY_HAND.strip() in sg.compile(cost(network, "half_sse")).latex()


def test_value_and_gradient_of_the_worked_example():
    """2-3-1 without bias: the numbers of the two-layer network by hand."""
    layers = [Dense(3, activation="sigmoid", use_bias=False), Dense(1, activation="sigmoid", use_bias=False)]
    fn = sg.compile(cost(sequential(layers, input_shape=(2,)), "half_sse"))
    X = np.array([[3.0, 5], [5, 1], [10, 2]])
    given = {
        "X": X / X.max(axis=0),
        "y": np.array([[75.0], [82], [93]]) / 100,
        "dense_kernel": [[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]],
        "dense_1_kernel": [[0.7], [-0.8], [0.9]],
    }
    value, (g1, g2) = fn.value_and_grad(**given)
    assert value == pytest.approx(0.0897828497, abs=5e-11)
    stated = [[-0.01964839, 0.02272304, -0.02550049], [-0.01441394, 0.01656414, -0.01847338]]
    assert np.allclose(g1, stated, rtol=0, atol=5e-9)
    assert np.allclose(g2, [[-0.09675371], [-0.09033292], [-0.08146022]], rtol=0, atol=5e-9)


def test_names_and_counts():
    network = sequential([Dense(4), Dense(3, name="hidden"), Dense(2), Activation("softmax")], input_shape=(5,))
    assert [w.node["variable"].name for w in network.parameters] == [
        "dense_kernel", "dense_bias", "hidden_kernel", "hidden_bias", "dense_1_kernel", "dense_1_bias",
    ]  # fmt: skip
    assert [(r.layer, r.kind, str(r.shape), r.learned) for r in network.rows] == [
        ("dense", "Dense", "(n, 4)", 24),
        ("hidden", "Dense", "(n, 3)", 15),
        ("dense_1", "Dense", "(n, 2)", 8),
        ("activation", "Activation", "(n, 2)", 0),
    ]
    assert network.learned == 47
    assert network.logits is not None
    assert summary(network, "net").splitlines() == [
        "net",
        "layer                    output shape  parameters",
        "-----------------------  ------------  ----------",
        "dense (Dense)            (n, 4)                24",
        "hidden (Dense)           (n, 3)                15",
        "dense_1 (Dense)          (n, 2)                 8",
        "activation (Activation)  (n, 2)                 0",
        "-----------------------  ------------  ----------",
        "47 parameters, 47 learned",
    ]


def test_a_network_without_random_layers_is_one_graph():
    network = sequential([Dense(4, activation="relu"), Dense(1)], input_shape=(5,))
    assert network.output is network.training
    assert network.key is None
    assert network.updates == ()


def test_names_that_would_read_alike_get_primes():
    network = sequential([Dense(3, activation="relu"), PReLU(), PReLU(), Dense(1)], input_shape=(2,))
    text = sg.compile(Tensor(network.output)).latex()
    assert all(latex in text for latex in ("a^{(2)} &=", "a^{(2)}{}' &=", "a^{(2)}{}'' &=", r"\alpha^{(2)}{}'"))


def test_linear_layers_in_a_row_are_one():
    """Two matrices without an activation between them are one matrix."""
    network = sequential([Dense(3, use_bias=False), Dense(2, use_bias=False)], input_shape=(4,))
    rng = np.random.default_rng(0)
    X, A, B = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    value = sg.evaluate(Tensor(network.output), X=X, dense_kernel=A, dense_1_kernel=B)
    assert np.allclose(value, X @ (A @ B), rtol=0, atol=1e-14)


def test_any_tensor_is_a_network():
    X, W, b = sg.input("X", ("n", 2)), sg.parameter("W", (2, 1), init="he_normal"), sg.parameter("b", init=0.5)
    network = from_tensors(X, sg.sigmoid(X @ W + b))
    assert [(w.node, str(w.initializer)) for w in network.parameters] == [(W.node, "he_normal"), (b.node, "0.5")]
    assert network.logits is (X @ W + b).node
    assert "3 parameters" in summary(network)
