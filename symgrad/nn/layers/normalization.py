"""Normalising layers: over the batch, with running statistics, or over the features of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symgrad.errors import DeclarationError
from symgrad.frontend import reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.tensor import Tensor
from symgrad.nn.scope import Scope


def _axes(x: Tensor, axis: int | Sequence[int], scope: Scope) -> tuple[int, ...]:
    """The axes that keep their own scale, counted from 0."""
    axes = reductions.axes_of(x.node, axis)
    if 0 in axes:
        facts = ("input", str(x.node.type)), ("axis", str(axis))
        raise scope.error("cannot take the batch's axis", *facts, fix="use an axis of the features, such as -1")
    if x.dtype != "real":
        raise scope.error("takes real numbers", ("given", str(x.node.type)), fix="put an Embedding before it")
    return axes


@dataclass(frozen=True)
class BatchNormalization:
    """Each feature with mean 0 and variance 1 over the batch, scaled and moved; at inference over what was seen before.

    Maths:   y = gamma (x - mu)/sqrt(v + epsilon) + beta; in training mu and v are mean and (biased) variance over all
             axes but ``axis``, and m <- momentum m + (1 - momentum) mu for the running mean, alike for the variance
    Shapes:  x (n, ..., c), gamma, beta and running statistics (c,)
    Source:  Ioffe and Szegedy 2015; Keras 3, keras.layers.BatchNormalization
    """

    axis: int = -1
    momentum: float = 0.99
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    moving_mean_initializer: Any = "zeros"
    moving_variance_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.momentum <= 1:
            raise DeclarationError("BatchNormalization: momentum is from 0 to 1", ("given", repr(self.momentum)[:40]))

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        (axis,) = axes = _axes(x, self.axis, scope)
        size = x.shape[axis : axis + 1]
        mean = scope.state("moving_mean", size, self.moving_mean_initializer, r"\bar\mu")
        variance = scope.state("moving_variance", size, self.moving_variance_initializer, r"\bar v")
        if scope.training:
            mu, v = _moments(x, tuple(i for i in range(x.ndim) if i != axis), scope)
            for running, now in ((mean, mu), (variance, v)):
                kept = self.momentum * running + (1.0 - self.momentum) * now.reshape(size)
                scope.update(running, kept)
        else:
            mu, v = (running.reshape(_beside(x, axes)) for running in (mean, variance))
        unit = (x - mu) / F["sqrt"](v + self.epsilon)
        return scope.name(_scaled(self, unit, axes, scope), "u")


@dataclass(frozen=True)
class LayerNormalization:
    """Each sample with mean 0 and variance 1 over its features, scaled and moved.

    Maths:   y = gamma (x - mu)/sqrt(v + epsilon) + beta, mu and v over ``axis`` of one sample
    Shapes:  x (n, ..., c), gamma and beta the sizes of ``axis``
    Source:  Ba et al. 2016; Keras 3, keras.layers.LayerNormalization
    """

    axis: int | Sequence[int] = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: Any = "zeros"
    gamma_initializer: Any = "ones"
    beta_regularizer: Any = None
    gamma_regularizer: Any = None
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        axes = _axes(x, self.axis, scope)
        mu, v = _moments(x, axes, scope)
        unit = (x - mu) / F["sqrt"](v + self.epsilon)
        return scope.name(_scaled(self, unit, axes, scope), "u")


def _beside(x: Tensor, axes: tuple[int, ...]) -> tuple:
    """The shape of what has these axes of x only, with 1 for the others."""
    return tuple(n if i in axes else 1 for i, n in enumerate(x.shape))


def _moments(x: Tensor, axes: tuple[int, ...], scope: Scope) -> tuple[Tensor, Tensor]:
    """Mean and biased variance, beside x."""
    mu = scope.name(reductions.mean(x, axis=axes, keepdims=True), "mu", r"\mu")
    return mu, scope.name(reductions.mean((x - mu) ** 2, axis=axes, keepdims=True), "v")


def _scaled(layer: Any, unit: Tensor, axes: tuple[int, ...], scope: Scope) -> Tensor:
    """gamma unit + beta, for those that the layer has; they have the sizes of the axes."""
    shape = tuple(unit.shape[i] for i in axes)
    beside = _beside(unit, axes)
    if layer.scale:
        gamma = scope.parameter("gamma", shape, layer.gamma_initializer, layer.gamma_regularizer, r"\gamma")
        unit = unit * gamma.reshape(beside)
    if layer.center:
        beta = scope.parameter("beta", shape, layer.beta_initializer, layer.beta_regularizer, r"\beta")
        unit = unit + beta.reshape(beside)
    return unit
