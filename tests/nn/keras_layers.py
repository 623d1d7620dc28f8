"""Keras 3's layers in plain NumPy, from its definitions: (input, parameters by name) -> output."""

import numpy as np

from symgrad.ops.random import mix, uniform_bits


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def dense(x, p):
    return x @ p["kernel"] + p["bias"]


def maxout(pieces):
    def apply(x, p):
        z = x @ p["kernel"] + p["bias"]
        return np.maximum.reduce([z[..., k::pieces] for k in range(pieces)])

    return apply


def relu(x, max_value=np.inf, negative_slope=0.0, threshold=0.0):
    y = np.where(x >= threshold, x, negative_slope * (x - threshold))
    return np.minimum(y, max_value)


def elu(x, alpha=1.0):
    return np.where(x > 0, x, alpha * np.expm1(x))


def prelu(x, p):
    return np.where(x > 0, x, p["alpha"] * x)


def normalised(x, p, mean, variance, shape, epsilon=1e-3):
    unit = (x - mean) / np.sqrt(variance + epsilon)
    one = np.ones(shape)
    return unit * p.get("gamma", one).reshape(shape) + p.get("beta", 0 * one).reshape(shape)


def batch_normalization(axis=-1, training=True):
    def apply(x, p):
        others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
        shape = tuple(n if i == axis % x.ndim else 1 for i, n in enumerate(x.shape))
        if training:
            return normalised(x, p, x.mean(others, keepdims=True), x.var(others, keepdims=True), shape)
        return normalised(x, p, p["moving_mean"].reshape(shape), p["moving_variance"].reshape(shape), shape)

    return apply


def layer_normalization(axes=(-1,)):
    def apply(x, p):
        at = {a % x.ndim for a in axes}
        shape = tuple(n if i in at else 1 for i, n in enumerate(x.shape))
        return normalised(x, p, x.mean(axes, keepdims=True), x.var(axes, keepdims=True), shape)

    return apply


def dropout(rate, key, shape=None):
    """The first layer that draws, in training."""

    def apply(x, p):
        wanted = x.shape if shape is None else tuple(n if m is None else m for m, n in zip(shape, x.shape, strict=True))
        u = uniform_bits(mix(key, 0), np.arange(np.prod(wanted))).reshape(wanted)
        return np.where(u < rate, 0.0, x / (1 - rate))

    return apply
