"""Score functions W x, W2 max(0, W1 x), W3 max(0, W2 max(0, W1 x)): their gradients, and what each can tell apart."""

from itertools import pairwise

import numpy as np

import symgrad as sg

# Three rings, a column a point; the 1 below the two coordinates makes the last column of the first matrix a bias
rng = np.random.default_rng(0)
label = np.repeat([0, 1, 2], 60)
radius, angle = 0.5 + label + 0.15 * rng.normal(size=180), rng.uniform(0, 2 * np.pi, 180)
points = np.array([radius * np.cos(angle), radius * np.sin(angle), np.ones(180)])
targets = sg.data.one_hot(label)(label).T

x, Y = sg.input("x", (3, "m")), sg.input("Y", (3, "m"))
for sizes in ([3, 3], [3, 16, 3], [3, 16, 16, 3]):
    shapes = [(o, i) for i, o in pairwise(sizes)]
    W = [sg.parameter(f"W{i}" if len(shapes) > 1 else "W", shape) for i, shape in enumerate(shapes, 1)]
    s, text = W[0] @ x, f"{'W1' if len(W) > 1 else 'W'} x"
    for i, w in enumerate(W[1:], 2):
        h = sg.named(f"h{i - 1}", sg.maximum(0, s))
        s, text = w @ h, f"W{i} max(0, {text})"
    s = sg.named("s", s)
    J = sg.named("J", -sg.mean(sg.sum(Y * sg.log_softmax(s, axis=0), axis=0)))  # softmax of scores, cross-entropy
    fn = sg.compile(J, wrt=W)
    print(f"s = {text}: {' '.join(f'({o}x{i})' for o, i in reversed(shapes))} (3xm)\n{fn.derivation()}")

    weights = [rng.normal(size=shape) * np.sqrt(2 / shape[1]) for shape in shapes]
    start = fn(points, targets, *weights)
    for _ in range(800):
        slopes = fn.grad(points, targets, *weights)
        weights = [w - 0.3 * g for w, g in zip(weights, slopes, strict=True)]
    scores = sg.evaluate(s, x=points, **dict(zip(fn.wrt, weights, strict=True)))
    right = np.mean(scores.argmax(axis=0) == label)
    print(f"  J {start:.4f} -> {fn(points, targets, *weights):.4f}; {right:.0%} of the points are scored right\n")
