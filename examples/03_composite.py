"""Composite functions: the chain rule with its factors kept, and a closed form."""

import symgrad as sg

x = sg.symbol("x")

a = sg.named("a", x + 1)
b = sg.named("b", 2 * a)
h = sg.named("h", b**2)
fn = sg.compile(h, wrt=[b, a, x], inputs=[x])
print(fn.derivation())
value, gradient = fn.value_and_grad(2.0)
print(f"h(2) = {value:g}; backward {', '.join(f'{g:g}' for g in gradient)}\n")

expanded = sg.compile(4 * x**2 + 8 * x + 4, wrt=x)
print("4x^2 + 8x + 4 has the same value and slope at 2:", expanded.value_and_grad(2.0), "\n")

inner = sg.named("u", 3 * x + 2 * x**3)
chain = sg.compile(sg.named("f", inner**2), wrt=x)
print(chain.derivation())
print("slope at 1 and 2:", chain.grad(1.0), chain.grad(2.0))
