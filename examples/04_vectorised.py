"""f(x, W) = |W x|^2: a gradient has the shape of its variable."""

import numpy as np

import symgrad as sg

W = sg.parameter("W", (2, 2))
x = sg.parameter("x", (2,))
q = sg.named("q", W @ x)
f = sg.named("f", sg.sum(q**2))

fn = sg.compile(f, wrt=[q, W, x], inputs=[W, x])
print(fn.derivation())
value, (dq, dW, dx) = fn.value_and_grad(W=[[0.1, 0.5], [-0.3, 0.8]], x=[0.2, 0.4])
print(f"f = {value:.3f}")
for name, array in (("df/dq", dq), ("df/dW", dW), ("df/dx", dx)):
    print(name, np.round(array, 3).tolist())
print("\nwith indices:\n" + fn.latex("elementwise"))
