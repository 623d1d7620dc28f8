"""Learning rates: 0.3 and 1.5 on x**2, and on a network: one converges, the other does not."""

import numpy as np

import symgrad as sg

x = sg.input("x", ("n",))
w = sg.parameter("w", init=1.0)
for rate in (0.3, 1.5):
    net = sg.Model(inputs=x, outputs=w * x)
    net.compile(sg.optimizers.SGD(rate), loss=sg.mean((w * x) ** 2))
    loss = net.fit([1.0], batch_size=1, epochs=9).history["loss"]
    print(f"x**2, rate {rate}: factor {1 - 2 * rate:g}: " + ", ".join(f"{v:.4g}" for v in np.sqrt(loss)))

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
y = np.tanh(X @ [[1.0], [-1.0], [0.5]]) + 0.5 * X[:, :1] ** 2
for rate in (0.3, 1.5):
    net = sg.nn.Sequential([sg.nn.Dense(8, activation="tanh"), sg.nn.Dense(1)], input_shape=(3,))
    net.compile(sg.optimizers.SGD(rate), loss="mse")
    try:
        net.fit(X, y, batch_size=200, epochs=300)
        end = "trained to its end"
    except sg.NumericError as error:  # the weights are those before the bad step
        end = str(error).split("\n")[0]
    loss = net.history.history["loss"]
    print(f"network, rate {rate}: loss {loss[0]:.4f}, {loss[20]:.4g}, ..., {loss[-1]:.4g}; {end}")
