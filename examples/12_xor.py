"""XOR: one neuron cannot, two rectified ones are exact, and a small network learns it."""

import numpy as np

import symgrad as sg

table = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
target = np.array([0.0, 1, 1, 0])

X = sg.input("X", ("n", 2))
y = sg.input("y", ("n",))
w = sg.parameter("w", (2,))
b = sg.parameter("b")
z = sg.named("z", X @ w + b)
neuron = sg.compile(sg.mean(sg.softplus(z) - y * z), wrt=[w, b])
loss, (dw, db) = neuron.value_and_grad(X=table, y=target, w=[0.0, 0.0], b=0.0)
print(f"one neuron at 0: loss {loss:.10f} = ln 2, gradient {dw.tolist()}, {db}: the minimum of a convex function")

x1, x2 = sg.symbols("x1 x2")
exact = sg.compile(sg.relu(x1 + x2) - 2 * sg.relu(x1 + x2 - 1), wrt=[x1, x2])
print("relu(x1+x2) - 2 relu(x1+x2-1):", exact(*table.T).tolist())

W1 = sg.parameter("W1", (2, 8))
b1 = sg.parameter("b1", (8,))
W2 = sg.parameter("W2", (8,))
b2 = sg.parameter("b2")
z2 = sg.named("z2", sg.tanh(X @ W1 + b1) @ W2 + b2)
network = sg.compile(sg.mean(sg.softplus(z2) - y * z2), wrt=[W1, b1, W2, b2])
rng = np.random.default_rng(0)
weights = [rng.normal(size=(2, 8)), np.zeros(8), rng.normal(size=8), 0.0]
for _ in range(2000):
    gradient = network.grad(table, target, *weights)
    weights = [v - 0.5 * g for v, g in zip(weights, gradient, strict=True)]
score = sg.compile(sg.sigmoid(z2), inputs=[X, W1, b1, W2, b2])(table, *weights)
print("the network after 2000 steps:", np.round(score, 3).tolist(), f"loss {network(table, target, *weights):.5f}")
