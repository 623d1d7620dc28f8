"""A two-layer network in twenty lines: 64 rows of noise, 1000-100-10, full-batch descent in one compiled loop."""

import numpy as np

import symgrad as sg

np.random.seed(0)
x, y = np.random.randn(64, 1000), np.random.randn(64, 10)
w1, w2 = np.random.randn(1000, 100), np.random.randn(100, 10)

X, Y = sg.input("X", ("n", 1000)), sg.input("Y", ("n", 10))
W1, W2 = sg.parameter("W1", (1000, 100), init=w1), sg.parameter("W2", (100, 10), init=w2)
h = sg.named("h", sg.sigmoid(X @ W1))
yp = sg.named("yp", h @ W2)
loss = sg.named("loss", sg.sum((yp - Y) ** 2))

net = sg.Model(inputs=X, outputs=yp)
net.compile(optimizer=sg.optimizers.SGD(1e-4), loss=loss)
print(net.loss_function.derivation())
curve = net.fit(x, y, batch_size=64, epochs=2000).history["loss"]
for t in (0, 999, 1999):
    print(f"t = {t}: loss {curve[t]:.4f}")
