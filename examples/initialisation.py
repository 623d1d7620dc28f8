"""Initial weights: zeros, uniform [0, 1], uniform [-1, 1], randn * sqrt(2/n), Glorot, in one deep network of ReLUs.

``python examples/initialisation.py curves.png`` draws the spread of every layer and the losses.
"""

import sys

import numpy as np

import symgrad as sg

DEPTH, WIDTH, EPOCHS = 4, 32, 200


def by_hand(shape, rng):
    """np.random.randn(n, m) * sqrt(2 / n), n inputs."""
    return rng.standard_normal(shape) * np.sqrt(2 / shape[0])


starts = {
    "zeros": sg.initializers.Zeros(),
    "uniform [0, 1]": sg.initializers.RandomUniform(0, 1),
    "uniform [-1, 1]": sg.initializers.RandomUniform(-1, 1),
    "randn sqrt(2/n)": by_hand,
    "Glorot": sg.initializers.GlorotUniform(),
}
rng = np.random.default_rng(0)
x = rng.normal(size=(256, WIDTH))
y = np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3]
stack = [sg.nn.Dense(WIDTH, activation="relu") for _ in range(DEPTH)]
net = sg.nn.Sequential([*stack, sg.nn.Dense(1)], input_shape=(WIDTH,))
net.compile(sg.optimizers.SGD(0.01), loss="mse")
spreads, curves = {}, {}
print(f"{DEPTH} layers of {WIDTH} ReLUs: deviation of their outputs at the start, and the loss after {EPOCHS} epochs")
for name, start in starts.items():
    drawn = np.random.default_rng(1)
    weights = {k: start(v.shape, drawn) if v.ndim == 2 else 0 * v for k, v in net.state_dict().items()}
    net.load_state_dict(weights)
    a, spreads[name] = x, []
    for kernel in [w for w in weights.values() if w.ndim == 2][:DEPTH]:  # biases start at 0
        a = np.maximum(0, a @ kernel)
        spreads[name].append(a.std())
    try:
        net.fit(x, y, epochs=EPOCHS, batch_size=32)
        end = f"{net.history.history['loss'][-1]:.4f}"
    except sg.NumericError as error:
        end = str(error).split("\n")[0]
    curves[name] = net.history.history.get("loss", [])
    print(f"{name:<16}" + " ".join(f"{s:8.2g}" for s in spreads[name]) + f"   {end}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    for name in starts:
        left.plot(range(1, DEPTH + 1), spreads[name], "o-", label=name)
        right.plot(range(1, len(curves[name]) + 1), curves[name], label=name + " (diverges)" * (not curves[name]))
    left.set(xlabel="layer", ylabel="deviation of the outputs", title="at the start")
    left.set_yscale("symlog", linthresh=1e-3)
    right.set(yscale="log", xlabel="epoch", ylabel="loss", title="training")
    right.legend()
    figure.savefig(sys.argv[1], dpi=100)
