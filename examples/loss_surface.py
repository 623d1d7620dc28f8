"""The loss of a sample and the cost of a set, seen from the data and from the weights; the surface, and the descent.

``python examples/loss_surface.py surface.png`` draws the cost over two weights, and the path of descent on it.
"""

import sys

import numpy as np

import symgrad as sg

# One expression: from the data (the weights are constant) and from the weights (the data are constant)
x, y, w, b = sg.symbols("x y w b")
L = sg.named("L", (y - (w * x + b)) ** 2)
loss = sg.compile(L, wrt=[x, w, b], inputs=[x, y, w, b])
print(loss.derivation())
value, (dx, dw, db) = loss.value_and_grad(2.0, 3.0, 1.5, 0.5)
print(f"sample (2, 3), w = 1.5, b = 0.5: loss {value:g}; dL/dx = {dx:g}; dL/dw = {dw:g}, dL/db = {db:g}")

# The cost of a set is the mean of the losses of its samples; with the data put in, it is a polynomial of the weights
xs, ys = np.array([1.0, 2, 3]), np.array([2.0, 3, 5])
J = sg.named("J", sg.mean((ys - (w * xs + b)) ** 2))
cost = sg.compile(J, wrt=[w, b])
print(f"cost of three samples {cost(1.5, 0.5):.10f}, mean of their losses {loss(xs, ys, 1.5, 0.5).mean():.10f}")
print("J(w, b) =", sg.to_sympy(J).expand())

path = [np.zeros(2)]
for _ in range(300):
    path.append(path[-1] - 0.1 * np.array(cost.grad(*path[-1])))
for step in (0, 1, 2, 10, 300):
    print(f"step {step}: w, b = {path[step][0]:.6f}, {path[step][1]:.6f}, J = {cost(*path[step]):.10f}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    ws, bs = np.meshgrid(np.linspace(-0.5, 3, 141), np.linspace(-1.5, 2, 141))
    heights = cost(ws, bs)  # symbols take arrays: the whole surface in one call
    figure = plt.figure(figsize=(11, 4.5), layout="constrained")
    solid, flat = figure.add_subplot(1, 2, 1, projection="3d"), figure.add_subplot(1, 2, 2)
    solid.plot_surface(ws, bs, heights, cmap="viridis", alpha=0.7)
    solid.plot(*np.transpose(path), cost(*np.transpose(path)), "r.-", markersize=3, zorder=5)
    flat.contour(ws, bs, heights, levels=np.geomspace(0.06, 40, 14), cmap="viridis")
    flat.plot(*np.transpose(path), "r.-", markersize=3)
    for axes in (solid, flat):
        axes.set(xlabel="w", ylabel="b")
    figure.savefig(sys.argv[1], dpi=100)
