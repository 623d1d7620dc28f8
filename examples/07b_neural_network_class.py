"""The two-layer network as a class on the compiled halves: forward, costFunction, costFunctionPrime, and descent."""

import numpy as np

import symgrad as sg


class Neural_Network:  # noqa: N801 -- the lecture's names
    """Sizes 2-3-1, sigmoid twice, half the squared sum."""

    def __init__(self, W1, W2):
        self.W1, self.W2 = W1, W2
        X, y = sg.input("X", ("n", 2)), sg.input("y", ("n", 1))
        p1, p2 = sg.parameter("W1", (2, 3)), sg.parameter("W2", (3, 1))
        a2 = sg.named("a2", sg.sigmoid(sg.named("z2", X @ p1)))
        yhat = sg.named("yhat", sg.sigmoid(sg.named("z3", a2 @ p2)))
        self.predict = sg.compile(yhat, inputs=[X, p1, p2], wrt=[])
        self.cost = sg.compile(sg.named("J", sg.sum((y - yhat) ** 2) / 2), wrt=[p1, p2])

    def forward(self, X):
        return self.predict(X, self.W1, self.W2)

    def costFunction(self, X, y):  # noqa: N802
        J, self.residuals = self.cost.forward(X, y, self.W1, self.W2)
        return J

    def costFunctionPrime(self, X, y):  # noqa: N802
        self.costFunction(X, y)
        return self.cost.backward(self.residuals)


raw = np.array([[3.0, 5], [5, 1], [10, 2]])
X, y = raw / raw.max(axis=0), np.array([[75.0], [82], [93]]) / 100
NN = Neural_Network(np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]), np.array([[0.7], [-0.8], [0.9]]))
new = np.array([[8.0, 3]]) / raw.max(axis=0)
print(f"J = {NN.costFunction(X, y):.10f}, the unseen row scores {100 * NN.forward(new)[0, 0]:.10f}")
for step in range(2000):
    dJdW1, dJdW2 = NN.costFunctionPrime(X, y)
    rate = 0.01 if step == 0 else 3.0
    NN.W1, NN.W2 = NN.W1 - rate * dJdW1, NN.W2 - rate * dJdW2
    if step in (0, 1999):
        print(f"after step {step + 1}: J = {NN.costFunction(X, y):.10f}, score {100 * NN.forward(new)[0, 0]:.10f}")
