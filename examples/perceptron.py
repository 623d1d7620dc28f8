"""Rosenblatt's perceptron: a step unit has slope 0 everywhere, so its rule is not a gradient; one neuron learns AND."""

import numpy as np

import symgrad as sg

X, w, b = sg.input("X", ("n", 2)), sg.parameter("w", (2,)), sg.parameter("b")
fire = sg.compile(sg.named("a", sg.step(X @ w + b)), inputs=[X, w, b], wrt=[])
y = sg.input("y", ("n",))
slope = sg.compile(sg.named("J", sg.sum((sg.step(X @ w + b) - y) ** 2)), wrt=[w, b])
points = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
for name, wanted in (("AND", [0.0, 0, 0, 1]), ("OR", [0.0, 1, 1, 1]), ("XOR", [0.0, 1, 1, 0])):
    target, weights, bias = np.array(wanted), np.array([0.3, -0.2]), 0.1
    gradient = [np.asarray(g).tolist() for g in slope.grad(X=points, y=target, w=weights, b=bias)]
    epochs, wrong = 0, 1
    while wrong and epochs < 50:
        epochs, wrong = epochs + 1, 0
        for row, t in zip(points, target, strict=True):
            error = t - fire(row[None], weights, bias)[0]  # the step rule: w <- w + (t - a) x
            wrong += error != 0
            weights, bias = weights + 0.5 * error * row, bias + 0.5 * error
    said = f"learned after {epochs} epochs" if not wrong else f"not learned after {epochs} epochs"
    print(f"{name}: gradient {gradient}, {said}, outputs {fire(points, weights, bias).tolist()}")
print(f"step(-1), step(0), step(1): {[sg.evaluate(sg.step(sg.constant(v))) for v in (-1.0, 0.0, 1.0)]}")

# One linear layer after another is one linear layer
net = sg.nn.Sequential([sg.nn.Dense(3), sg.nn.Dense(1)], input_shape=(2,))
states = list(net.state_dict().values())
print("two linear layers are one:", np.allclose(net.predict(points), points @ (states[0] @ states[2])))
