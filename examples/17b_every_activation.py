"""One network with every activation, epochs to a given loss: the same data, start and rate; all descend side by side.

``python examples/17b_every_activation.py curves.png`` draws the loss curves.
"""

import sys

import numpy as np

import symgrad as sg

UNITS, RATE, GIVEN, EPOCHS = 16, 0.01, 0.05, 6000
slope = sg.parameter("slope", (UNITS,))
activations = {
    "linear": sg.linear, "step": sg.step, "sign": sg.sign, "piecewise linear": sg.piecewise_linear,
    "sigmoid": sg.sigmoid, "tanh": sg.tanh, "ReLU": sg.relu, "leaky ReLU 0.01": sg.leaky_relu,
    "leaky ReLU 0.1": lambda z: sg.leaky_relu(z, 0.1), "PReLU": lambda z: sg.prelu(z, slope), "ELU": sg.elu,
    "softplus": sg.softplus,
    "maxout of pairs": lambda z: sg.concatenate([sg.maximum(z[:, :8], z[:, 8:]), 0 * z[:, 8:]], axis=1),
}  # fmt: skip
K = len(activations)

# Row k of the parameters is network k: the costs are K numbers, and no gradient goes from one network to another
X, Y = sg.input("X", ("n", 1)), sg.input("Y", ("n", 1))
W, b, V = (sg.parameter(name, (K, UNITS)) for name in "WbV")
c = sg.parameter("c", (K,))
z = X[:, None, :] * W + b  # (n, K, UNITS)
a = sg.stack([function(z[:, k]) for k, function in enumerate(activations.values())], axis=1)
yhat = sg.named("yhat", sg.sum(a * V, axis=2) + c)
learned = [W, b, V, c, slope]
costs = sg.compile(sg.named("J", sg.mean((yhat - Y) ** 2, axis=0)), wrt=learned, inputs=[X, Y, *learned])

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-2, 2, size=(64, 1)), axis=0)
y = np.sin(2 * x)
start = rng.normal(size=UNITS), rng.uniform(-2, 2, size=UNITS), rng.normal(size=UNITS) / np.sqrt(UNITS)
weights = [*(np.tile(v, (K, 1)) for v in start), np.zeros(K), np.full(UNITS, 0.25)]
curves = np.empty((EPOCHS, K))
for epoch in range(EPOCHS):
    curves[epoch], residuals = costs.forward(x, y, *weights)
    slopes = costs.backward(residuals, np.ones(K))
    weights = [w - RATE * g for w, g in zip(weights, slopes, strict=True)]

print(f"{'activation':<16}  epochs to a loss of {GIVEN:g}   loss after {EPOCHS}")
for name, curve in zip(activations, curves.T, strict=True):
    there = np.flatnonzero(curve <= GIVEN)
    print(f"{name:<16}  {there[0] + 1 if len(there) else 'never':>23}   {curve[-1]:.4f}")
print("slopes that PReLU learned:", np.round(weights[-1], 2).tolist())

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for i, (name, curve) in enumerate(zip(activations, curves.T, strict=True)):
        axes.loglog(np.arange(1, EPOCHS + 1), curve, label=name, color=plt.cm.tab20(i), linestyle=("-", "--")[i % 2])
    axes.axhline(GIVEN, color="grey", linewidth=0.8)
    axes.set(xlabel="epoch", ylabel="loss")
    axes.legend(fontsize=8)
    figure.savefig(sys.argv[1], dpi=100)
