"""Softmax, cross-entropy and the Kullback-Leibler divergence: the slope is q - p."""

import numpy as np

import symgrad as sg

z = sg.parameter("z", (3,))
p = sg.input("p", (3,))
L = sg.named("L", -sg.sum(p * sg.log_softmax(z)))
fn = sg.compile(L, wrt=z)
print(fn.derivation())
loss, dz = fn.value_and_grad(z=[2.0, 1.0, 0.1], p=[1.0, 0.0, 0.0])
print(f"class 0 of logits (2, 1, 0.1): L = {loss:.10f}, dL/dz =", np.round(dz, 10).tolist())

q = sg.input("q", (3,))
measures = sg.compile(
    {"H": -sg.sum(sg.xlogy(p, p)), "CE": -sg.sum(p * sg.log(q)), "KL": sg.sum(p * sg.log(p / q))}, inputs=[p, q]
)
print({name: round(value, 10) for name, value in measures(p=[0.7, 0.2, 0.1], q=[0.5, 0.3, 0.2]).items()})

divergence = sg.compile(sg.sum(sg.xlogy(p, p)) - sg.sum(p * sg.log_softmax(z)), wrt=z)
logits = np.log([0.5, 0.3, 0.2])
print("dKL/dz = q - p =", np.round(divergence.grad(z=logits, p=[0.7, 0.2, 0.1]), 12).tolist())
