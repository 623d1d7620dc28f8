"""Losses and slopes in yhat: absolute, squared, Huber; and the slopes of PReLU, right for alpha above 1 too."""

import symgrad as sg

y, yhat = sg.symbols("y yhat")
for name in ("mae", "mse", "huber"):
    fn = sg.compile(sg.named(name, sg.losses.get(name).values(y.reshape((1, 1)), yhat.reshape((1, 1))).sum()), wrt=yhat)
    for truth, guess in ((1.0, 3.0), (1.0, 1.0), (1.0, 0.5)):
        loss, slope = fn.value_and_grad(y=truth, yhat=guess)
        print(f"{name}: y = {truth:g}, yhat = {guess:g}: {loss:g}, slope {slope + 0.0:+g}")

x, alpha = sg.symbols("x alpha")
prelu = sg.compile(sg.named("prelu", sg.prelu(x, alpha)), wrt=[x, alpha])
print(prelu.derivation())
for point, slope in ((-2.0, 0.25), (-2.0, 2.0), (3.0, 2.0)):
    value, (dx, dalpha) = prelu.value_and_grad(point, slope)
    print(f"prelu: x = {point:g}, alpha = {slope:g}: {value:g}, df/dx = {dx:g}, df/dalpha = {dalpha:g}")
