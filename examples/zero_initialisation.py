"""Why weights are not zero at the start: equal units get equal gradients and stay equal; drawn ones learn XOR."""

import numpy as np

import symgrad as sg

points, target = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
for start in ("zeros", "glorot_uniform"):
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
    print(f"{start}: norms at the start", {k: round(float(np.linalg.norm(g)), 6) for k, g in gradients.items()})
    loss = net.fit(points, target, batch_size=4, epochs=2000).history["loss"]
    hidden = next(iter(net.state_dict().values()))
    print(f"  loss {loss[0]:.6f} -> {loss[-1]:.6f}; different hidden units: {len(np.unique(hidden, axis=1).T)}")
