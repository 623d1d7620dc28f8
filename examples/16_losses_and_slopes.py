"""Losses and slopes in yhat: absolute, squared, Huber, logistic, softmax with cross-entropy, KL; and PReLU's slopes.

Each loss once for one sample, as a derivation; then the cost of a set, the mean over its samples.
"""

import numpy as np

import symgrad as sg

y, yhat = sg.symbols("y yhat")


def of_one(name, **options):
    """The loss of one sample, as a scalar of y and yhat."""
    row = sg.losses.get(name, **options)
    return sg.named(name, row.values(y.reshape((1, 1)), yhat.reshape((1, 1))).sum())


for name in ("mae", "mse", "huber"):
    fn = sg.compile(of_one(name), wrt=yhat)
    print(fn.derivation())
    for truth, guess in ((1.0, 3.0), (1.0, 1.0), (1.0, 0.5)):
        loss, slope = fn.value_and_grad(y=truth, yhat=guess)
        print(f"{name}: y = {truth:g}, yhat = {guess:g}: {loss:g}, slope {slope + 0.0:+g}")

# Two classes: in the probability, and in the logit z that a sigmoid makes it of (example 6)
logistic = sg.compile(of_one("binary_crossentropy"), wrt=yhat)
print(logistic.derivation())
loss, slope = logistic.value_and_grad(y=1.0, yhat=0.5793242521)
print(f"logistic: y = 1, yhat = 0.5793242521: {loss:.10f}, slope {slope:.10f}")
on_logits = sg.compile(of_one("binary_crossentropy", from_logits=True), wrt=yhat)
loss, slope = on_logits.value_and_grad(y=1.0, yhat=0.32)
print(f"logistic of a logit: y = 1, z = 0.32: {loss:.10f}, slope a - y = {slope:.10f}")

# Several classes: softmax with cross-entropy, and with the Kullback-Leibler divergence
z, p = sg.input("z", (1, 3)), sg.input("p", (1, 3))
for name, truth, scores in (
    ("categorical_crossentropy", [1.0, 0, 0], [2.0, 1.0, 0.1]),
    ("kl_divergence", [0.7, 0.2, 0.1], np.log([0.5, 0.3, 0.2])),
):
    fn = sg.compile(sg.named(name, sg.losses.get(name, from_logits=True).values(p, z).sum()), wrt=z)
    print(fn.derivation())
    loss, slope = fn.value_and_grad(p=[truth], z=[scores])
    print(f"{name}: {loss:.10f}, slope softmax(z) - p = {np.round(slope[0], 10).tolist()}")

# The cost of a set is the mean of the losses of its samples
Y, Z = sg.input("Y", ("n", 1)), sg.input("Z", ("n", 1))
cost = sg.compile(sg.named("J", sg.losses.total(sg.losses.get("huber"), Y, Z)), wrt=Z)
truths, guesses = np.array([[1.0], [1.0], [1.0]]), np.array([[3.0], [1.0], [0.5]])
J, slopes = cost.value_and_grad(truths, guesses)
print(f"huber of the set: J = {J:.10f} = mean of 1.5, 0, 0.125; slopes {np.round(slopes[:, 0], 10).tolist()}")

x, alpha = sg.symbols("x alpha")
prelu = sg.compile(sg.named("prelu", sg.prelu(x, alpha)), wrt=[x, alpha])
print(prelu.derivation())
for point, slope in ((-2.0, 0.25), (-2.0, 2.0), (3.0, 2.0)):
    value, (dx, dalpha) = prelu.value_and_grad(point, slope)
    print(f"prelu: x = {point:g}, alpha = {slope:g}: {value:g}, df/dx = {dx:g}, df/dalpha = {dalpha:g}")
