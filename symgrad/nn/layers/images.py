"""Layers on images (batch, height, width, channels): convolution and pooling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from symgrad.errors import DeclarationError
from symgrad.frontend import arrays, reductions, windows
from symgrad.frontend.tensor import Tensor
from symgrad.nn.layers.activation import activate
from symgrad.nn.layers.dense import positive
from symgrad.nn.scope import Scope

_FORMATS = {None: False, "channels_last": False, "channels_first": True}


def _images(x: Tensor, data_format: str | None, scope: Scope) -> Tensor:
    """The input with its channels last."""
    if data_format not in _FORMATS:
        fix = 'write "channels_last" or "channels_first"'
        raise scope.error("has an unknown data_format", ("given", repr(data_format)[:40]), fix=fix)
    if x.ndim != 4 or x.dtype != "real":
        fix = "put sg.nn.Reshape((height, width, channels)) before it"
        raise scope.error("takes images (batch, height, width, channels)", ("given", str(x.node.type)), fix=fix)
    return arrays.transpose(x, (0, 2, 3, 1)) if _FORMATS[data_format] else x


def _back(y: Tensor, data_format: str | None) -> Tensor:
    """The output as the input was laid out."""
    return arrays.transpose(y, (0, 3, 1, 2)) if _FORMATS[data_format] else y


@dataclass(frozen=True)
class Conv2D:
    """f of the input's convolution with a kernel, plus a bias for each filter.

    Maths:   z_nijf = sum_klc x_{n, i s + k d, j s + l d, c} K_klcf + b_f, a = f(z)
    Shapes:  x (n, height, width, c), K (kh, kw, c / groups, filters), b (filters,); "valid" gives
             floor((height - (kh-1) d - 1)/s) + 1 rows, "same" ceil(height/s)
    Source:  LeCun et al. 1989; Keras 3, keras.layers.Conv2D
    """

    filters: int
    kernel_size: int | Sequence[int]
    strides: int | Sequence[int] = (1, 1)
    padding: str = "valid"
    data_format: str | None = None
    dilation_rate: int | Sequence[int] = (1, 1)
    groups: int = 1
    activation: Any = None
    use_bias: bool = True
    kernel_initializer: Any = "glorot_uniform"
    bias_initializer: Any = "zeros"
    kernel_regularizer: Any = None
    bias_regularizer: Any = None
    name: str | None = None
    advances: ClassVar[bool] = True

    def __post_init__(self) -> None:
        positive(self.filters, "Conv2D: filters")
        positive(self.groups, "Conv2D: groups")
        for size in _pair(self.kernel_size):
            positive(size, "Conv2D: each kernel_size")
        if self.filters % self.groups:
            facts = ("filters", str(self.filters)), ("groups", str(self.groups))
            raise DeclarationError("Conv2D: the groups must divide the filters", *facts)

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        x = _images(x, self.data_format, scope)
        (channels,) = scope.known(x.shape[-1:], "its kernel")
        if channels % self.groups:
            facts = ("channels", str(channels)), ("groups", str(self.groups))
            raise scope.error("cannot divide its channels into its groups", *facts, fix="use groups that divide both")
        shape = (*_pair(self.kernel_size), channels // self.groups, self.filters)
        kernel = scope.parameter("kernel", shape, self.kernel_initializer, self.kernel_regularizer, "W")
        z = self._convolved(x, kernel)
        if self.use_bias:
            z = z + scope.parameter("bias", (self.filters,), self.bias_initializer, self.bias_regularizer, "b")
        return activate(self.activation, scope.name(_back(z, self.data_format), "z"), scope)

    def _convolved(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Each group of channels with its own filters."""
        options = self.strides, self.padding, self.dilation_rate
        if self.groups == 1:
            return windows.conv2d(x, kernel, *options)
        taken, given = kernel.shape[2], self.filters // self.groups
        parts = [
            windows.conv2d(x[..., g * taken : (g + 1) * taken], kernel[..., g * given : (g + 1) * given], *options)
            for g in range(self.groups)
        ]
        return arrays.concatenate(parts, axis=-1)


def _pair(size: Any) -> tuple[int, int]:
    """Height and width, from one number or two.

    Raises:  DeclarationError
    """
    given = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(given) != 2:
        raise DeclarationError("a size of images is one number or two", ("given", repr(size)[:40]))
    return given


@dataclass(frozen=True)
class MaxPooling2D:
    """The largest element of every window, channel by channel; ties share the gradient.

    Shapes:  x (n, height, width, c), y (n, floor((height - ph)/s) + 1, ..., c), or ceil(height/s) rows for "same"
    Source:  Keras 3, keras.layers.MaxPooling2D
    """

    pool_size: int | Sequence[int] = (2, 2)
    strides: int | Sequence[int] | None = None
    padding: str = "valid"
    data_format: str | None = None
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        y = windows.max_pool2d(_images(x, self.data_format, scope), self.pool_size, self.strides, self.padding)
        return scope.name(_back(y, self.data_format), "p")


@dataclass(frozen=True)
class AveragePooling2D:
    """The mean of every window, channel by channel, over what lies in the image.

    Shapes:  as MaxPooling2D
    Source:  Keras 3, keras.layers.AveragePooling2D
    """

    pool_size: int | Sequence[int] = (2, 2)
    strides: int | Sequence[int] | None = None
    padding: str = "valid"
    data_format: str | None = None
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        y = windows.average_pool2d(_images(x, self.data_format, scope), self.pool_size, self.strides, self.padding)
        return scope.name(_back(y, self.data_format), "p")


@dataclass(frozen=True)
class GlobalAveragePooling2D:
    """The mean of every channel.

    Shapes:  x (n, height, width, c), y (n, c), or (n, 1, 1, c) with ``keepdims``
    Source:  Lin et al. 2013; Keras 3, keras.layers.GlobalAveragePooling2D
    """

    data_format: str | None = None
    keepdims: bool = False
    name: str | None = None

    def apply(self, x: Tensor, scope: Scope) -> Tensor:
        """The layer on its input."""
        y = reductions.mean(_images(x, self.data_format, scope), axis=(1, 2), keepdims=self.keepdims)
        return scope.name(_back(y, self.data_format) if self.keepdims else y, "p")
