"""Layers with a matrix: Dense, Maxout, Embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from symgrad.errors import DeclarationError
from symgrad.frontend import arrays
from symgrad.frontend.tensor import Tensor
from symgrad.nn.layers.activation import activate
from symgrad.nn.scope import Scope


def positive(value: Any, what: str) -> None:
    """A count of the configuration is a positive integer.

    Raises:  DeclarationError
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < 1:
        raise DeclarationError(f"{what} must be a positive integer", ("given", repr(value)[:40]))


def features(x: Tensor, scope: Scope) -> int:
    """The size of the last axis, which a matrix is multiplied with."""
    if x.ndim < 2 or x.dtype != "real":
        fix = "put sg.nn.Embedding before it" if x.dtype != "real" else "give input_shape a size, such as (1,)"
        raise scope.error("takes rows of real numbers", ("given", str(x.node.type)), fix=fix)
    return scope.known(x.shape[-1:], "its kernel")[0]


@dataclass(frozen=True)
class Dense:
    """f(x W + b) on the last axis.

    Maths:   z = x W + b, a = f(z)
    Shapes:  x (n, ..., d), W (d, units), b (units,), a (n, ..., units)
    Source:  Keras 3, keras.layers.Dense
    """

    units: int
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    name: str | None = None
    advances: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.units, "Dense: units")

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        shape = features(x, scope), self.units
        z = x @ scope.parameter("kernel", shape, self.kernel_initializer, self.kernel_regularizer, "W")
        if self.use_bias:
            z = z + scope.parameter("bias", (self.units,), self.bias_initializer, self.bias_regularizer, "b")
        return activate(self.activation, scope.name(z, "z"), scope)


@dataclass(frozen=True)
class Maxout:
    """The largest of several linear pieces for each unit: any convex function, learned.

    Maths:   a_j = max_k (x W + b)_jk
    Shapes:  x (n, ..., d), W (d, units * pieces), b (units * pieces,), a (n, ..., units)
    Source:  Goodfellow et al. 2013, Maxout networks
    """

    units: int
    pieces: int = 2
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    name: str | None = None
    advances: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.units, "Maxout: units")
        positive(self.pieces, "Maxout: pieces")

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        wide = self.units * self.pieces
        shape = features(x, scope), wide
        z = x @ scope.parameter("kernel", shape, self.kernel_initializer, self.kernel_regularizer, "W")
        if self.use_bias:
            z = z + scope.parameter("bias", (wide,), self.bias_initializer, self.bias_regularizer, "b")
        z = scope.name(z, "z")
        return scope.name(z.reshape(*x.shape[:-1], self.units, self.pieces).max(axis=-1), "a")


@dataclass(frozen=True)
class Embedding:
    """A row of a table for each integer.

    Maths:   a_i = E[x_i]
    Shapes:  x (n, ...) of integers in [0, input_dim), E (input_dim, output_dim), a (n, ..., output_dim)
    Raises:  IndexRangeError for an integer outside the table, when the function runs
    Source:  Keras 3, keras.layers.Embedding
    """

    input_dim: int
    output_dim: int
    embeddings_initializer: Any = "uniform"
    embeddings_regularizer: Any = None
    name: str | None = None
    advances: ClassVar[bool] = True
    input_dtype: ClassVar[str] = "int"

    def __post_init__(self) -> None:
        positive(self.input_dim, "Embedding: input_dim")
        positive(self.output_dim, "Embedding: output_dim")

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        if x.dtype != "int":
            raise scope.error("takes integers", ("given", str(x.node.type)), fix="make it the first layer")
        shape = self.input_dim, self.output_dim
        table = scope.parameter("embeddings", shape, self.embeddings_initializer, self.embeddings_regularizer, "E")
        return scope.name(arrays.take(table, x, axis=0), "a")
