"""Layers: frozen records of a configuration, each with one method that declares parameters and builds expressions."""

from symgrad.nn.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from symgrad.nn.layers.dense import Dense, Embedding, Maxout
from symgrad.nn.layers.dropout import Dropout
from symgrad.nn.layers.images import AveragePooling2D, Conv2D, GlobalAveragePooling2D, MaxPooling2D
from symgrad.nn.layers.normalization import BatchNormalization, LayerNormalization
from symgrad.nn.layers.shape import Flatten, Input, Reshape

__all__ = [
    "ELU",
    "Activation",
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "Input",
    "LayerNormalization",
    "LeakyReLU",
    "MaxPooling2D",
    "Maxout",
    "PReLU",
    "ReLU",
    "Reshape",
    "Softmax",
]
