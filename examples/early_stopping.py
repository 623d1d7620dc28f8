"""When to stop: a network that learns its few training rows by heart, without early stopping and with it.

``python examples/early_stopping.py curves.png`` draws the curves of the loss, and what was learned.
"""

import sys

import numpy as np

import symgrad as sg

rng = np.random.default_rng(3)
x = rng.uniform(-3, 3, size=(30, 1))
y = np.sin(x) + 0.4 * rng.normal(size=(30, 1))
train, validation = sg.data.split(x, y, share=0.5, seed=0)
line = np.linspace(-3, 3, 300)[:, None]  # without noise: rows that nothing was chosen by


def network():
    """Far more parameters than rows, and steep ones."""
    steep = sg.initializers.RandomNormal(stddev=6.0)
    hidden = sg.nn.Dense(100, activation="tanh", kernel_initializer=steep, bias_initializer=steep)
    net = sg.nn.Sequential([hidden, sg.nn.Dense(1)], input_shape=(1,), seed=0)
    net.compile(sg.optimizers.Adam(0.005), loss="mse")
    return net


free, stopped = network(), network()
without = free.fit(*train, validation_data=validation, epochs=600, batch_size=5)
stop = sg.callbacks.EarlyStopping(patience=30, restore_best_weights=True)
with_it = stopped.fit(*train, validation_data=validation, epochs=600, batch_size=5, callbacks=[stop])
for name, net, history in (("without", free, without), ("with", stopped, with_it)):
    loss, kept_apart = history.history["loss"], history.history["val_loss"]
    print(f"{name} early stopping: {len(loss)} epochs, training loss {loss[0]:.4f} -> {loss[-1]:.4f}")
    print(f"  validation loss at best {min(kept_apart):.4f} in epoch {np.argmin(kept_apart) + 1}, at the end "
          f"{kept_apart[-1]:.4f}, of the weights now {net.evaluate(*validation):.4f}")  # fmt: skip
    print(f"  squared error against sin x: {net.evaluate(line, np.sin(line)):.4f}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    without.plot(ax=left)
    left.axvline(stop.best_epoch + 1, color="grey", linestyle=":", label="early stopping keeps this")
    left.set(yscale="log", title="the validation loss rises again")
    left.legend()
    right.scatter(*train, s=12, color="grey", label="training rows")
    for name, net in (("600 epochs", free), ("early stopping", stopped)):
        right.plot(line, net.predict(line), label=name)
    right.plot(line, np.sin(line), "k:", label="sin x")
    right.set(title="what was learned", ylim=(-2.5, 2.5))
    right.legend()
    figure.savefig(sys.argv[1], dpi=100)
