"""PReLU learns its slope: data with a bend of slope 0.4 below zero, found by descent."""

import numpy as np

import symgrad as sg

rng = np.random.default_rng(0)
x = rng.uniform(-2, 2, size=(256, 1))
y = np.where(x > 0, x, 0.4 * x)
net = sg.nn.Sequential([sg.nn.PReLU(alpha_initializer="zeros", name="bend")], input_shape=(1,))
net.compile(sg.optimizers.SGD(0.1), loss="mse")
print(net.loss_function.derivation())
net.fit(x, y, epochs=100, batch_size=32)
print("learned slope:", {name: np.round(v, 6).tolist() for name, v in net.state_dict().items()})
