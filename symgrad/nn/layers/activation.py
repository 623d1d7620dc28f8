"""Activations as layers, and as the last part of a layer with weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import DeclarationError
from symgrad.frontend import reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.tensor import Tensor
from symgrad.nn import activations
from symgrad.nn.scope import Scope


def activate(spec: Any, z: Tensor, scope: Scope) -> Tensor:
    """f(z) under the layer's name for it; z itself where there is no activation."""
    if spec is None or spec == "linear":
        return z
    if spec == "prelu":
        spec = PReLU()
    if hasattr(spec, "apply"):
        return spec.apply(z, replace(scope, advances=False))
    a = activations.get(spec)(z)
    if a.shape != z.shape:
        facts = ("input", str(z.node.type)), ("result", str(a.node.type))
        raise scope.error(
            "has an activation that changes the shape", *facts, fix="use one of single elements or of rows"
        )
    return scope.name(a, "a")


@dataclass(frozen=True)
class Activation:
    """An activation by name, as a function, or as a SymPy expression of one symbol.

    Source:  Keras 3, keras.layers.Activation
    """

    activation: Any
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        return activate(self.activation, x, scope)


@dataclass(frozen=True)
class ReLU:
    """max(x, 0); below ``threshold`` a line of slope ``negative_slope``, at most ``max_value``.

    Maths:   slope (x - threshold) for x < threshold, else min(x, max_value)
    Source:  Keras 3, keras.layers.ReLU
    """

    max_value: float | None = None
    negative_slope: float = 0.0
    threshold: float = 0.0
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        if not self.threshold:
            a = activations.leaky_relu(x, self.negative_slope) if self.negative_slope else F["relu"](x)
        else:
            a = F["where"](x > self.threshold, x, self.negative_slope * (x - self.threshold))
        if self.max_value is not None:
            a = F["minimum"](a, self.max_value)
        return scope.name(a, "a")


@dataclass(frozen=True)
class LeakyReLU:
    """x for x > 0, else ``negative_slope`` x (0.01 as everywhere in symgrad; Keras's layer has 0.3).

    Source:  Maas et al. 2013
    """

    negative_slope: float = 0.01
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        return scope.name(activations.leaky_relu(x, self.negative_slope), "a")


@dataclass(frozen=True)
class ELU:
    """x for x > 0, else alpha (e^x - 1).

    Source:  Clevert et al. 2016; Keras 3, keras.layers.ELU
    """

    alpha: float = 1.0
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        return scope.name(activations.elu(x, self.alpha), "a")


@dataclass(frozen=True)
class Softmax:
    """e^x over its sum along an axis.

    Source:  Keras 3, keras.layers.Softmax
    """

    axis: int | Sequence[int] = -1
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        return scope.name(reductions.softmax(x, axis=self.axis), "a")


@dataclass(frozen=True)
class PReLU:
    """x for x > 0, else alpha x with alpha learned, one for each element of a sample.

    Maths:   max(0, x) + alpha min(0, x); d/dalpha = min(0, x)
    Shapes:  x (n, d1, ..., dk), alpha (d1, ..., dk) with 1 on every axis of ``shared_axes`` (counted with the batch's)
    Source:  He et al. 2015; Keras 3, keras.layers.PReLU
    """

    alpha_initializer: Any = "zeros"
    alpha_regularizer: Any = None
    shared_axes: Sequence[int] | None = None
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        shared = tuple(self.shared_axes or ())
        if not all(1 <= axis < x.ndim for axis in shared):
            raise DeclarationError(
                "PReLU: shared_axes are axes of the input behind the batch", ("given", str(shared)),
                fix=f"use 1 to {x.ndim - 1}",
            )  # fmt: skip
        shape = tuple(1 if axis in shared else x.shape[axis] for axis in range(1, x.ndim))
        alpha = scope.parameter("alpha", shape, self.alpha_initializer, self.alpha_regularizer, r"\alpha")
        return scope.name(activations.prelu(x, alpha), "a")
