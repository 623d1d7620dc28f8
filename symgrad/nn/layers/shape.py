"""Layers that say or change the shape of a sample, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from symgrad.frontend import arrays
from symgrad.frontend.tensor import Tensor
from symgrad.ir.types import size_product
from symgrad.nn.scope import Scope


@dataclass(frozen=True)
class Input:
    """The shape of a sample, as the first entry of a stack: the same as ``input_shape``.

    Source:  Keras 3, keras.Input
    """

    shape: Any
    dtype: str | None = None  # "real" or "int"; None for what the first layer takes


@dataclass(frozen=True)
class Flatten:
    """A sample's elements in one row, in C order.

    Shapes:  x (n, d1, ..., dk), y (n, d1 ... dk)
    Source:  Keras 3, keras.layers.Flatten
    """

    name: str | None = None
    input_dtype: ClassVar[None] = None  # any

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        return arrays.reshape(x, (x.shape[0], size_product(x.shape[1:])))


@dataclass(frozen=True)
class Reshape:
    """A sample's elements in another shape, in C order; one size may be -1.

    Shapes:  x (n, d1, ..., dk), y (n, *target_shape)
    Source:  Keras 3, keras.layers.Reshape
    """

    target_shape: Sequence[int]
    name: str | None = None
    input_dtype: ClassVar[None] = None  # any

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        given = tuple(self.target_shape)
        whole = size_product(x.shape[1:])
        known = size_product(tuple(n for n in given if n != -1))
        parts = {-1: whole // known} if isinstance(whole, int) and isinstance(known, int) and known > 0 else {}
        shape = tuple(parts.get(n, n) if n == -1 else n for n in given)
        if size_product(shape) != whole or -1 in shape:
            facts = ("input", str(x.node.type)), ("target_shape", str(given))
            fix = f"a sample has {whole} elements"
            raise scope.error("has another number of elements than its input", *facts, fix=fix)
        return arrays.reshape(x, (x.shape[0], *shape))
