"""Two spirals told apart; ``python examples/spiral.py film.html`` also makes a film of the training."""

import sys

import numpy as np

import symgrad as sg
from symgrad.train.console.datasets import generate

x, label = generate("spiral", rows=400, noise=0.1)
test_x, test_label = generate("spiral", rows=400, noise=0.1, seed=1)
net = sg.nn.Sequential(
    [sg.nn.Dense(24, activation="tanh"), sg.nn.Dense(24, activation="tanh"), sg.nn.Dense(1)], input_shape=(2,)
)
net.compile(
    sg.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"], from_logits=True
)  # fmt: skip
film = [sg.callbacks.LayerStatistics(), sg.callbacks.Film(sys.argv[1], every=5)] if len(sys.argv) > 1 else []
loss = net.fit(x, label, batch_size=40, epochs=300, callbacks=film).history["loss"]
accuracy = net.evaluate(test_x, test_label, return_dict=True)["accuracy"]
print(f"loss {loss[0]:.4f} -> {loss[-1]:.4f}, test accuracy {accuracy:.4f}")

axis = np.linspace(-6, 6, 121)
grid = np.stack(np.meshgrid(axis, axis), axis=-1)
surface = net.predict(grid.reshape(-1, 2)).reshape(121, 121)
for line in surface[::-8, ::4] > 0:  # as text, seen from above
    print("  " + "".join("#" if above else "." for above in line))
