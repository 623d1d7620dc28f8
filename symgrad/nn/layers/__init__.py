"""Layers: frozen records of a configuration, each with one method that declares parameters and builds expressions."""

from symgrad.nn.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symgrad.nn.layers.dense import Dense, Embedding, Maxout

__all__ = [
    "ELU",
    "Activation",
    "Dense",
    "Embedding",
    "LeakyReLU",
    "Maxout",
    "PReLU",
    "ReLU",
    "Softmax",
]
