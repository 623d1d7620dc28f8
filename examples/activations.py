"""Activations: each with its formula, its derivative, and a picture of both.

``python examples/activations.py curves.png`` draws them.
"""

import sys

import numpy as np

import symgrad as sg

x = sg.symbol("x")
activations = {
    "linear": sg.linear(x), "step": sg.step(x), "sign": sg.sign(x), "piecewise linear": sg.piecewise_linear(x),
    "sigmoid": sg.sigmoid(x), "tanh": sg.tanh(x), "ReLU": sg.relu(x), "leaky ReLU 0.01": sg.leaky_relu(x),
    "leaky ReLU 0.1": sg.leaky_relu(x, 0.1), "PReLU 0.25": sg.prelu(x, 0.25), "ELU": sg.elu(x),
    "softplus": sg.softplus(x), "GELU": sg.gelu(x), "SiLU": sg.silu(x),
    "maxout of -x, x/2, 2x - 2": sg.maxout(sg.stack([-x, x / 2, 2 * x - 2])),
}  # fmt: skip
for name, f in activations.items():
    print(f"{name}\n{sg.compile(sg.named('f', f), wrt=x).derivation()}\n")

both = [part for f in activations.values() for part in (f, sg.grad(f, x))]
table = sg.compile(both, inputs=[x], wrt=[])
points = (-2.0, -1.0, 0.0, 1.0, 2.0)
print("values and slopes at", *(f"{p:g}" for p in points))
rows = np.array([table(p) for p in points]).T + 0.0
for i, name in enumerate(activations):
    value, slope = (" ".join(f"{v:8.4f}" for v in row) for row in rows[2 * i : 2 * i + 2])
    print(f"{name:<26}{value}\n{'':<26}{slope}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(3, 5, figsize=(15, 8), layout="constrained", sharex=True)
    line = np.linspace(-4, 4, 801)  # 0 is among them: the derivative of every kink and jump is seen
    curves = table(line)
    for panel, name, value, slope in zip(panels.flat, activations, curves[0::2], curves[1::2], strict=True):
        panel.plot(line, value, label="f")
        panel.plot(line, np.broadcast_to(slope, line.shape), "--", label="f'")
        panel.axhline(0, color="grey", linewidth=0.6)
        panel.set(title=name, ylim=(-1.6, 3))
    panels[0, 0].legend()
    figure.savefig(sys.argv[1], dpi=80)
