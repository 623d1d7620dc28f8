"""A three-layer network 3-4-4-1: forward pass with sizes, and its gradients, in both conventions (columns and rows)."""

from itertools import pairwise

import numpy as np

import symgrad as sg

sizes = [3, 4, 4, 1]
rng = np.random.default_rng(0)
weights = [rng.normal(size=(o, i)) for i, o in pairwise(sizes)]
biases = [rng.normal(size=(o, 1)) for o in sizes[1:]]
x, y = rng.normal(size=(3, 5)), rng.normal(size=(1, 5))  # five samples, a column each

# Columns: z[l] = W[l] a[l-1] + b[l], a[l] = g[l](z[l])
A0, Y = sg.input("X", (3, "m")), sg.input("Y", (1, "m"))
W = [sg.parameter(f"W{i + 1}", w.shape) for i, w in enumerate(weights)]
b = [sg.parameter(f"b{i + 1}", v.shape) for i, v in enumerate(biases)]
a = A0
for i, g in enumerate((sg.sigmoid, sg.sigmoid, sg.linear)):
    z = sg.named(f"z{i + 1}", W[i] @ a + b[i])
    print(f"z{i + 1} = W{i + 1} a{i} + b{i + 1}: {z.shape} = {W[i].shape} {a.shape} + {b[i].shape}")
    a = sg.named(f"a{i + 1}", g(z)) if i < 2 else z
J = sg.named("J", sg.sum((a - Y) ** 2) / 2)
fn = sg.compile(J, wrt=[*W, *b])
print(fn.derivation())
value, slopes = fn.value_and_grad(x, y, *weights, *biases)
print("shapes of the gradients:", *(s.shape for s in slopes))

# Rows: the same network, each sample a row; X W + b with the transposed weights
net = sg.nn.Sequential(
    [sg.nn.Dense(4, activation="sigmoid"), sg.nn.Dense(4, activation="sigmoid"), sg.nn.Dense(1)], input_shape=(3,)
)
arrays = [v for w, c in zip(weights, biases, strict=True) for v in (w.T, c[:, 0])]
net.load_state_dict(dict(zip(net.state_dict(), arrays, strict=True)))
net.compile("sgd", loss="half_sse")
by_rows = net.loss_function.value_and_grad(X=x.T, y=y.T, **net.state_dict())
print(f"J by columns and by rows: {value:.10f}, {by_rows[0]:.10f}")
same = [np.allclose(s.T, r, rtol=1e-12) for s, r in zip(slopes[:3], by_rows[1][0::2], strict=True)]
same += [np.allclose(s[:, 0], r, rtol=1e-12) for s, r in zip(slopes[3:], by_rows[1][1::2], strict=True)]
print("gradients agree:", all(same))
