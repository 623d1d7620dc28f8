"""A two-layer network by hand (hours of sleep and study -> test score), and its derivation in the reader's names."""

import numpy as np

import symgrad as sg

X = sg.input("X", ("n", 2))
y = sg.input("y", ("n", 1))
W1 = sg.parameter("W1", (2, 3))
W2 = sg.parameter("W2", (3, 1))
z2 = sg.named("z2", X @ W1)
a2 = sg.named("a2", sg.sigmoid(z2))
z3 = sg.named("z3", a2 @ W2)
yhat = sg.named("yhat", sg.sigmoid(z3))
J = sg.named("J", sg.sum((y - yhat) ** 2) / 2)


class NeuralNetwork:
    """The network as a class: forward, cost and gradient on the two compiled halves."""

    def __init__(self, w1: np.ndarray, w2: np.ndarray) -> None:
        self.w1, self.w2 = w1, w2
        self.cost = sg.compile(J, wrt=[W1, W2])
        self.predict = sg.compile(yhat, inputs=[X, W1, W2])

    def forward(self, data: np.ndarray) -> np.ndarray:
        """The prediction."""
        return self.predict(data, self.w1, self.w2)

    def cost_function(self, data: np.ndarray, target: np.ndarray) -> float:
        """Half the squared sum of errors."""
        return self.cost(X=data, y=target, W1=self.w1, W2=self.w2)

    def cost_function_prime(self, data: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """dJ/dW1 and dJ/dW2, from the residuals of the forward half."""
        _, residuals = self.cost.forward(X=data, y=target, W1=self.w1, W2=self.w2)
        return self.cost.backward(residuals)


raw = np.array([[3.0, 5], [5, 1], [10, 2]])
data, target = raw / raw.max(axis=0), np.array([[75.0], [82], [93]]) / 100
net = NeuralNetwork(np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]]), np.array([[0.7], [-0.8], [0.9]]))
print(net.cost.derivation(), "\n")
print(net.cost.latex(), "\n")
new = np.array([[8.0, 3]]) / raw.max(axis=0)
for step in range(2):
    g1, g2 = net.cost_function_prime(data, target)
    print(
        f"step {step}: J = {net.cost_function(data, target):.10f}, "
        f"the unseen row scores {100 * net.forward(new)[0, 0]:.10f}"
    )
    if step == 0:
        print("dJ/dW1 =", np.round(g1, 8).tolist())
        print("dJ/dW2 =", np.round(g2, 8).tolist())
    net.w1, net.w2 = net.w1 - 0.01 * g1, net.w2 - 0.01 * g2
