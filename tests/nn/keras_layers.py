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


def padded(x, sizes, strides, dilations, fill):
    """TensorFlow's "same": ceil(n/s) outputs; the smaller half of what is missing lies in front."""
    widths = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:3], sizes, strides, dilations, strict=True):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        widths.append((missing // 2, missing - missing // 2))
    return np.pad(x, [*widths, (0, 0)], constant_values=fill)


def over_windows(x, sizes, strides, dilations, of_window):
    """One value of each window (n, kh, kw, c), a row of them for each position."""
    (h, w), (kh, kw), (sh, sw), (dh, dw) = x.shape[1:3], sizes, strides, dilations
    rows = range(0, h - (kh - 1) * dh, sh)
    columns = range(0, w - (kw - 1) * dw, sw)
    cut = [[x[:, i : i + (kh - 1) * dh + 1 : dh, j : j + (kw - 1) * dw + 1 : dw] for j in columns] for i in rows]
    return np.stack([np.stack([of_window(window) for window in row], axis=1) for row in cut], axis=1)


def conv2d(strides=(1, 1), dilations=(1, 1), padding="valid", groups=1):
    def apply(x, p):
        kernel = p["kernel"]
        if padding == "same":
            x = padded(x, kernel.shape[:2], strides, dilations, 0.0)
        parts = []
        for g in range(groups):
            c, f = kernel.shape[2], kernel.shape[3] // groups
            own = x[..., g * c : (g + 1) * c]
            k = kernel[..., g * f : (g + 1) * f]
            parts.append(
                over_windows(own, k.shape[:2], strides, dilations, lambda w, k=k: np.einsum("nklc,klcf->nf", w, k))
            )
        return np.concatenate(parts, axis=-1) + p.get("bias", 0.0)

    return apply


def pooling(reduce, sizes=(2, 2), strides=None, padding="valid"):
    """``reduce`` passes over NaN, which is where there is no image."""

    def apply(x, p):
        steps = strides or sizes
        if padding == "same":
            x = padded(x, sizes, steps, (1, 1), np.nan)
        return over_windows(x, sizes, steps, (1, 1), lambda w: reduce(w, axis=(1, 2)))

    return apply


def channels_first(apply):
    """The same layer on (batch, channels, height, width)."""
    return lambda x, p: apply(x.transpose(0, 2, 3, 1), p).transpose(0, 3, 1, 2)
