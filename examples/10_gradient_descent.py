"""Gradient descent on x^2: the rate decides between converging, oscillating and diverging."""

import symgrad as sg

x = sg.symbol("x")
fn = sg.compile(x**2, wrt=x)
for rate in (0.3, 1.0, 1.5):
    position, path = 1.0, []
    for _ in range(8):
        path.append(position)
        position -= rate * fn.grad(position)
    print(f"rate {rate}: factor {1 - 2 * rate:g} a step: " + ", ".join(f"{p:.4g}" for p in path))
