"""The numerical gradient: how its error falls and rises with the step, and why nobody trains with it."""

import symgrad as sg

f = sg.parse("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))")
fn = sg.compile(f, wrt="w0")
at = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
exact = fn.grad(**at)
print(f"df/dw0 = {exact:.10f}\n{'h':>8} {'forward':>10} {'central':>10}")
for k in (1, 2, 3, 5, 8, 11):
    h = 10.0**-k
    up, down, here = fn(**{**at, "w0": 2 + h}), fn(**{**at, "w0": 2 - h}), fn(**at)
    print(f"{h:>8.0e} {abs((up - here) / h - exact):>10.1e} {abs((up - down) / (2 * h) - exact):>10.1e}")
parameters = 1000 * 100 + 100 * 10
print(
    f"a 1000-100-10 network has {parameters:,} weights: "
    f"one gradient by differences takes {parameters + 1:,} evaluations"
)
