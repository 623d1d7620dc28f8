"""Saturation: slopes of sigmoid and tanh far out, and the gradient that vanishes through five sigmoid layers."""

import numpy as np

import symgrad as sg

x = sg.symbol("x")
for name, point in (("sigmoid", 10.0), ("tanh", 5.0)):
    fn = sg.compile(sg.named(name, getattr(sg, name)(x)), wrt=x)
    print(f"{name}'({point:g}) = {fn.grad(point):.7e}")
print(f"ten sigmoid layers: at best 0.25**10 = {0.25**10:.4e}")

rng = np.random.default_rng(0)
data = rng.normal(size=(200, 8))
target = np.sin(data[:, :1]) + 0.5 * data[:, 1:2]
for name, start in (("sigmoid", "glorot_uniform"), ("relu", sg.initializers.RandomNormal(stddev=1.0))):
    stack = [sg.nn.Dense(8, activation=name, kernel_initializer=start, name=f"layer{i}") for i in range(1, 6)]
    net = sg.nn.Sequential([*stack, sg.nn.Dense(1, name="output")], input_shape=(8,))
    net.compile(sg.optimizers.SGD(0.01, clipnorm=1.0), loss="mse")
    seen = net.fit(data, target, epochs=10, callbacks=[sg.callbacks.LayerStatistics()]).layers
    print(f"{name}: layer, norm of the gradient after the first and the tenth epoch, saturated, dead")
    for layer, told in seen.items():
        norm, units = (
            told["gradient_norm"],
            "".join(f"  {told[q][-1]:4.0%}" for q in ("saturated", "dead") if q in told),
        )
        print(f"  {layer}  {norm[0]:9.3e}  {norm[-1]:9.3e}{units}")
