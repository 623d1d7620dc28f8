"""Logistic regression on one sample, by hand: dL/dz = a - y, one step, and the loss falls."""

import symgrad as sg

x1, x2, y, w1, w2, b = sg.symbols("x1 x2 y w1 w2 b")
z = sg.named("z", w1 * x1 + w2 * x2 + b)
a = sg.named("a", sg.sigmoid(z))
L = sg.named("L", -(y * sg.log(a) + (1 - y) * sg.log(1 - a)))

fn = sg.compile(L, wrt=[a, z, w1, w2, b], inputs=[x1, x2, y, w1, w2, b])
print(fn.derivation())

sample = {"x1": 0.1, "x2": 0.7, "y": 1.0}
weights = {"w1": 0.8, "w2": 0.2, "b": 0.1}
for step in range(2):
    loss, (da, dz, dw1, dw2, db) = fn.value_and_grad(**sample, **weights)
    print(
        f"step {step}: L = {loss:.10f}, dL/da = {da:.10f}, dL/dz = {dz:.10f}, "
        f"dL/dw = ({dw1:.10f}, {dw2:.10f}), dL/db = {db:.10f}"
    )
    weights = {name: weights[name] - 0.5 * g for name, g in zip(("w1", "w2", "b"), (dw1, dw2, db), strict=True)}
    print("        w, b =", ", ".join(f"{value:.10f}" for value in weights.values()))
