"""Why weights are not zero at the start: equal units get equal gradients and stay equal; drawn ones learn XOR.

``python examples/zero_initialisation.py units.png`` draws the weights of the hidden units while they learn.
"""

import sys

import numpy as np

import symgrad as sg

points, target = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
starts = {"zeros": "zeros", "all 1/2": sg.initializers.Constant(0.5), "glorot_uniform": "glorot_uniform"}
paths = {}
for name, start in starts.items():
    net = sg.nn.Sequential(
        [
            sg.nn.Dense(4, activation="tanh", kernel_initializer=start, name="hidden"),
            sg.nn.Dense(1, kernel_initializer=start, name="out"),
        ],
        input_shape=(2,), seed=1,
    )  # fmt: skip
    net.compile(sg.optimizers.SGD(0.5), loss="binary_crossentropy", from_logits=True)
    state = net.state_dict()
    fn = net.loss_function
    gradients = dict(zip(fn.wrt, fn.grad(X=points, y=target, **state), strict=True))
    print(f"{name}: norms at the start", {k: round(float(np.linalg.norm(g)), 6) for k, g in gradients.items()})
    path = [state["hidden_kernel"]]
    keep = sg.callbacks.LambdaCallback(on_epoch_end=lambda *_, p=path, n=net: p.append(n.state_dict()["hidden_kernel"]))
    loss = net.fit(points, target, batch_size=4, epochs=2000, callbacks=[keep]).history["loss"]
    paths[name] = np.array(path), loss
    different = len(np.unique(path[-1], axis=1).T)
    print(f"  loss {loss[0]:.6f} -> {loss[-1]:.6f}; different hidden units: {different}")

if len(sys.argv) > 1:
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 4, figsize=(16, 4), layout="constrained")
    for panel, (name, (path, loss)) in zip(panels, paths.items(), strict=False):
        for unit in range(4):  # equal units lie on one another: each is drawn thinner than the one before
            panel.plot(*path[:, :, unit].T, linewidth=7 - 2 * unit, label=f"unit {unit + 1}")
            panel.plot(*path[-1, :, unit], "ko", markersize=4)
        reach = 1.1 * max(1.0, abs(path).max())
        panel.set(title=name, xlabel="weight of x1", xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        panels[3].plot(loss, label=name)
    panels[0].set_ylabel("weight of x2")
    panels[0].legend()
    panels[3].set(title="loss", xlabel="epoch")
    panels[3].legend()
    figure.savefig(sys.argv[1], dpi=100)
