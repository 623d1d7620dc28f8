"""Layers: frozen records of a configuration, each with one method that declares parameters and builds expressions."""

from symgrad.nn.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symgrad.nn.layers.dense import Dense, Embedding, Maxout
from symgrad.nn.layers.dropout import Dropout
from symgrad.nn.layers.normalization import BatchNormalization, LayerNormalization
from symgrad.nn.layers.shape import Flatten, Input, Reshape

__all__ = [
    "ELU",
    "Activation",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Input",
    "LayerNormalization",
    "LeakyReLU",
    "Maxout",
    "PReLU",
    "ReLU",
    "Reshape",
    "Softmax",
]
