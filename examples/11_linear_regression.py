"""Linear regression on three points: "gradient = 0" solved, and descent reaches the same."""

import sympy as sp

import symgrad as sg

w1, w0 = sg.symbols("w1 w0")
points = [(1, 2), (2, 3), (3, 5)]
J = sg.named("J", sum((w1 * x + w0 - y) ** 2 for x, y in points) / len(points))
fn = sg.compile(J, wrt=[w1, w0])
print(fn.derivation())
print("gradient at 0:", fn.grad(0.0, 0.0))

slope, intercept = (sg.to_sympy(g) for g in sg.grad(J, [w1, w0]))
symbols = sorted(slope.free_symbols, key=str, reverse=True)
solution = sp.solve([sp.nsimplify(slope), sp.nsimplify(intercept)], symbols)
print("gradient = 0 at", {str(s): str(v) for s, v in solution.items()})
best = [float(solution[s]) for s in symbols]
print("J there:", fn(*best), "= 1/18 =", 1 / 18)

w = [0.0, 0.0]
for _ in range(3000):
    w = [v - 0.1 * g for v, g in zip(w, fn.grad(*w), strict=True)]
print("descent reaches", [round(v, 6) for v in w])
