"""A sigmoid neuron, gate by gate and as one gate: the numbers of the lecture, and both ways agree."""

import symgrad as sg

w0, x0, w1, x1, w2 = sg.symbols("w0 x0 w1 x1 w2")
at = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}

dot = sg.named("q", w0 * x0 + w1 * x1 + w2)
minus = sg.named("m", -dot)
exponential = sg.named("e", sg.exp(minus))
plus = sg.named("p", 1 + exponential)
f = sg.named("f", 1 / plus)

gates = sg.compile(f, wrt=[plus, exponential, minus, dot, w0, x0, w1, x1, w2], inputs=[w0, x0, w1, x1, w2])
print(gates.derivation())
value, gradient = gates.value_and_grad(**at)
print(f"f = {value:.10f}")
for name, g in zip(gates.wrt, gradient, strict=True):
    print(f"  df/d{name} = {g:.10f}")

one_gate = sg.compile(sg.named("f", sg.sigmoid(sg.named("q", w0 * x0 + w1 * x1 + w2))), wrt=[w0, x0, w1, x1, w2])
print(one_gate.derivation())
worst = max(abs(a - b) for a, b in zip(gradient[4:], one_gate.grad(**at), strict=True))
print(f"largest difference between the two: {worst:.1e}")
