"""Polar features: what one neuron on r can do, and how r and phi move with x and y."""

import symgrad as sg

x, y = sg.symbols("x y")
for name, f in (("r", sg.hypot(x, y)), ("phi", sg.arctan2(y, x))):
    fn = sg.compile(sg.named(name, f), wrt=[x, y])
    value, gradient = fn.value_and_grad(3.0, 4.0)
    print(fn.derivation())
    print(f"{name}(3, 4) = {value:.10g}, d{name} = ({gradient[0]:.10g}, {gradient[1]:.10g})\n")
