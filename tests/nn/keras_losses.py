"""Keras 3's losses in plain NumPy, from its definitions; without the clipping of probabilities. Values of each row."""

import numpy as np

EPSILON = 1e-7


def mean(x):
    return np.mean(x, axis=-1)


def log_softmax(z):
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def softmax(z):
    return np.exp(log_softmax(z))


def sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def huber(y, p, delta=1.0):
    e = p - y
    return mean(np.where(np.abs(e) <= delta, 0.5 * e**2, delta * np.abs(e) - 0.5 * delta**2))


def signs(y):
    return 2 * y - 1 if np.all((y == 0) | (y == 1)) else y


def categorical_hinge(y, p):
    return np.maximum(np.max((1 - y) * p, axis=-1) - np.sum(y * p, axis=-1) + 1, 0)


def normalised(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def binary(y, p, label_smoothing=0.0):
    y = y * (1 - label_smoothing) + 0.5 * label_smoothing
    return mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)))


def binary_logits(y, z, label_smoothing=0.0):
    y = y * (1 - label_smoothing) + 0.5 * label_smoothing
    return mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def categorical(y, p, label_smoothing=0.0):
    y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    return -np.sum(y * np.log(p / p.sum(axis=-1, keepdims=True)), axis=-1)


def categorical_logits(y, z, label_smoothing=0.0):
    y = y * (1 - label_smoothing) + label_smoothing / y.shape[-1]
    return -np.sum(y * log_softmax(z), axis=-1)


def sparse(y, p, ignore_class=None):
    return _kept(y, ignore_class, categorical(np.eye(p.shape[-1])[y], p))


def sparse_logits(y, z, ignore_class=None):
    return _kept(y, ignore_class, categorical_logits(np.eye(z.shape[-1])[y], z))


def _kept(y, ignored, values):
    return values if ignored is None else np.where(y == ignored, 0.0, values)


# name -> (values of each row, the same on logits or None)
VALUES = {
    "mse": (lambda y, p: mean((y - p) ** 2), None),
    "half_sse": (lambda y, p: np.sum((y - p) ** 2, axis=-1) / 2, None),
    "mae": (lambda y, p: mean(np.abs(y - p)), None),
    "mape": (lambda y, p: 100 * mean(np.abs((y - p) / np.maximum(np.abs(y), EPSILON))), None),
    "msle": (lambda y, p: mean((np.log(np.maximum(p, EPSILON) + 1) - np.log(np.maximum(y, EPSILON) + 1)) ** 2), None),
    "huber": (huber, None),
    "log_cosh": (lambda y, p: mean(np.log(np.cosh(p - y))), None),
    "hinge": (lambda y, p: mean(np.maximum(1 - signs(y) * p, 0)), None),
    "squared_hinge": (lambda y, p: mean(np.maximum(1 - signs(y) * p, 0) ** 2), None),
    "categorical_hinge": (categorical_hinge, None),
    "cosine_similarity": (lambda y, p: -np.sum(normalised(y) * normalised(p), axis=-1), None),
    "poisson": (lambda y, p: mean(p - y * np.log(p + EPSILON)), None),
    "kl_divergence": (
        lambda y, p: np.sum(y * np.log(y / p), axis=-1),
        lambda y, z: np.sum(y * np.log(y / softmax(z)), axis=-1),
    ),
    "binary_crossentropy": (binary, binary_logits),
    "categorical_crossentropy": (categorical, categorical_logits),
    "sparse_categorical_crossentropy": (sparse, sparse_logits),
}
