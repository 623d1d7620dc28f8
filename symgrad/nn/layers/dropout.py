"""Dropout: a share of the elements is left out in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.errors import DeclarationError
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.tensor import Tensor
from symgrad.nn.scope import Scope


@dataclass(frozen=True)
class Dropout:
    """In training each element is 0 with probability ``rate``, else multiplied by 1/(1 - rate); at inference it stays.

    Maths:   y = x/(1 - r) where u >= r, else 0, with u uniform in [0, 1): the mean of y is x
    Shapes:  y as x; ``noise_shape`` has 1 where an axis shares one decision, None for the input's own size
    Source:  Srivastava et al. 2014; Keras 3, keras.layers.Dropout
    """

    rate: float
    noise_shape: Sequence[Any] | None = None
    seed: int | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.rate, bool) or not isinstance(self.rate, (int, float)) or not 0 <= self.rate <= 1:
            raise DeclarationError("Dropout: rate is a number from 0 to 1", ("given", repr(self.rate)[:40]))

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        if not scope.training or not self.rate:
            return x
        shape = self._noise(x, scope)
        dropped = scope.uniform(shape, self.seed) < self.rate
        kept = x * (1.0 / (1.0 - self.rate)) if self.rate < 1 else x
        return scope.name(F["where"](dropped, 0.0, kept), "d")

    def _noise(self, x: Tensor, scope: Scope) -> tuple:
        if self.noise_shape is None:
            return x.shape
        given = tuple(self.noise_shape)
        shape = tuple(n if m is None else m for m, n in zip(given, x.shape, strict=False))
        if len(given) != x.ndim or any(m not in (1, n) for m, n in zip(shape, x.shape, strict=True)):
            facts = ("noise_shape", str(given)), ("input", str(x.node.type))
            raise scope.error("has a noise_shape that does not fit", *facts, fix="use 1 or None for each axis")
        return shape
