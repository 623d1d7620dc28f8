"""A plain optimizer and plain loops in NumPy: what the compiled loop is held against."""

from __future__ import annotations

from collections import namedtuple

import numpy as np

import symgrad as sg
from symgrad.ops.leaf import size
from symgrad.train.loop import Course, Loop
from symgrad.train.order import permutation
from symgrad.train.step import Objective, step_of

Slot = namedtuple("Slot", "name start shared")


class Heavy:
    """Momentum, and a shared scalar that counts: v <- 0.9 v - eta g, theta <- theta + v, c <- c + 1."""

    slots = (Slot("v", 0.0, False), Slot("c", 0.0, True))

    def rate(self, step, learning_rate):
        return learning_rate

    def update(self, thetas, gradients, slots, shared, clock):
        eta, _ = clock
        velocities = [0.9 * s["v"] - eta * g for s, g in zip(slots, gradients, strict=True)]
        moved = [theta + v for theta, v in zip(thetas, velocities, strict=True)]
        return moved, [{"v": v} for v in velocities], {"c": shared["c"] + 1.0}


def two_layers():
    """A small network with a bias that is a scalar: (loss, data, parameters)."""
    X, y = sg.input("X", ("n", 2)), sg.input("y", ("n", 1))
    W1, W2, b = sg.parameter("W1", (2, 3)), sg.parameter("W2", (3, 1)), sg.parameter("b")
    z2 = sg.named("z2", X @ W1)
    yhat = sg.named("yhat", sg.sigmoid(sg.sigmoid(z2) @ W2 + b))
    return sg.named("J", sg.sum((y - yhat) ** 2) / 2), [X, y], [W1, W2, b]


def objective_of(loss, data, parameters):
    """What the loop logs of a loss: rows, and rows times loss."""
    n = size(data[0].node.shape[0])
    nodes = tuple(d.node for d in data)
    return Objective(nodes, loss.node, tuple(p.node for p in parameters), (n, loss.node * n))


def loop_of(loss, data, parameters, shuffled=False, dtype="float64"):
    """The compiled loop of a loss with ``Heavy``."""
    return Loop(step_of(objective_of(loss, data, parameters), Heavy(), shuffled=shuffled), dtype)


def start(parameters, seed=1):
    """Drawn weights, and zeros for the optimizer, as the loop keeps them."""
    rng = np.random.default_rng(seed)
    weights = [np.atleast_1d(rng.normal(size=p.shape)) for p in parameters]
    return [*weights, *(np.zeros_like(w) for w in weights), np.zeros(1)]


def by_hand(fn, data, state, course, steps, rate):
    """The same steps with the compiled gradient, one call a step, and the order that ``permutation`` draws."""
    count = (len(state) - 1) // 2
    weights = [w.copy() if w.size > 1 else float(w[0]) for w in state[:count]]
    velocities = [0.0 * w for w in weights]
    losses = []
    for k in range(steps):
        epoch, batch = divmod(k, course.per_epoch)
        order = np.arange(course.rows)
        if course.seed >= 0:
            permutation()(order, course.seed, epoch)
        rows = order[batch * course.size : (batch + 1) * course.size]
        loss, gradients = fn.value_and_grad(*(d[rows] for d in data), *weights)
        losses.append((len(rows), loss))
        for i, g in enumerate(gradients):
            velocities[i] = 0.9 * velocities[i] - rate * g
            weights[i] = weights[i] + velocities[i]
    return weights, losses


__all__ = ["Course", "Heavy", "Loop", "by_hand", "loop_of", "objective_of", "start", "two_layers"]
