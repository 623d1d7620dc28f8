"""Saturation: slopes of sigmoid and tanh far out, ten sigmoid layers, and where a network's units are stuck."""

import numpy as np

import symgrad as sg

x = sg.symbol("x")
for name, point in (("sigmoid", 10.0), ("tanh", 5.0)):
    fn = sg.compile(sg.named(name, getattr(sg, name)(x)), wrt=x)
    print(f"{name}'({point:g}) = {fn.grad(point):.7e}")
print(f"ten sigmoid layers: at best 0.25**10 = {0.25**10:.4e}")

rng = np.random.default_rng(0)
data = rng.normal(size=(200, 8))
target = np.sin(data[:, :1]) + 0.5 * data[:, 1:2]
for name in ("sigmoid", "tanh", "relu"):
    X, y = sg.input("X", ("n", 8)), sg.input("y", ("n", 1))
    W = [sg.parameter(f"W{i + 1}", (8, 8)) for i in range(4)]
    a, layers = X, []
    for i, w in enumerate(W):
        a = sg.named(f"a{i + 1}", getattr(sg, name)(a @ w))
        layers.append(a)
    J = sg.named("J", sg.mean((sg.sum(a, axis=1, keepdims=True) - y) ** 2))
    fn, seen = sg.compile(J, wrt=W), sg.compile(layers, inputs=[X, *W], wrt=[])
    weights = [rng.normal(size=(8, 8)) for _ in W]
    print(f"{name}: layer, norm of the gradient, saturated, dead")
    for i, (g, out) in enumerate(zip(fn.grad(data, target, *weights), seen(data, *weights), strict=True)):
        slope = {"sigmoid": 4 * out * (1 - out), "tanh": 1 - out**2, "relu": np.ones_like(out)}[name]
        dead = np.mean((out == 0).all(axis=0)) if name == "relu" else 0.0
        print(f"  {i + 1}  {np.linalg.norm(g):9.3e}  {np.mean(slope < 0.05):4.0%}  {dead:4.0%}")
