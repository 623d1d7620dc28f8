"""TABLE: activations, one row each: a function, its formula as people write it, and its source.

Derivatives follow from the formula; at the kinks they are the ones of ``ops.elementwise``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symgrad.frontend import reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.tensor import Tensor, as_node, compare, real_op
from symgrad.ops.leaf import cast

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@dataclass(frozen=True, slots=True)
class Activation:
    """A row: name, function, formula in LaTeX, source."""

    name: str
    function: Callable[..., Tensor]
    formula: str
    source: str


def linear(x: Any) -> Tensor:
    """The identity."""
    return Tensor(cast(as_node(x), "real"))


def step(x: Any, threshold: Any = 0) -> Tensor:
    """0 below the threshold, 1 above, 1/2 at it; derivative 0 (also by the threshold)."""
    above = Tensor(cast(compare("greater", x, threshold).node, "real"))
    below = Tensor(cast(compare("less", x, threshold).node, "real"))
    known = F["equal"](x, x)  # NaN stays NaN
    return F["where"](known, 0.5 * (above - below) + 0.5, F["stop_gradient"](linear(x)))


def piecewise_linear(x: Any) -> Tensor:
    """clip(x + 1/2, 0, 1)."""
    return F["clip"](linear(x) + 0.5, 0.0, 1.0)


def relu6(x: Any) -> Tensor:
    """min(max(x, 0), 6); derivative 0 at both kinks."""
    return F["clip"](linear(x), 0.0, 6.0)


def leaky_relu(x: Any, alpha: Any = 0.01) -> Tensor:
    """x for x > 0, else alpha x; derivative alpha at 0."""
    return real_op("prelu", x, alpha)


def prelu(x: Any, alpha: Any) -> Tensor:
    """x for x > 0, else alpha x, with alpha learned: d/dalpha is min(x, 0)."""
    return real_op("prelu", x, alpha)


def elu(x: Any, alpha: Any = 1.0) -> Tensor:
    """x for x > 0, else alpha (e^x - 1)."""
    x = linear(x)
    return F["where"](x > 0, x, alpha * F["expm1"](x))


def selu(x: Any) -> Tensor:
    """scale times elu with the self-normalising constants."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def gelu(x: Any) -> Tensor:
    """x Phi(x), exact (not the tanh approximation)."""
    return linear(x) * real_op("normal_cdf", x)


def silu(x: Any) -> Tensor:
    """x sigmoid(x)."""
    return linear(x) * F["sigmoid"](x)


def mish(x: Any) -> Tensor:
    """x tanh(softplus(x))."""
    return linear(x) * F["tanh"](F["softplus"](x))


def maxout(pieces: Any, axis: int = -1) -> Tensor:
    """The largest of the pieces along an axis; ties share the gradient."""
    return reductions.max(pieces, axis=axis)


TABLE = [
    Activation("linear", linear, r"x", "identity"),
    Activation("step", step, r"\mathbb{1}[x > T]", "McCulloch and Pitts 1943; Rosenblatt 1958"),
    Activation("sign", F["sign"], r"\operatorname{sign} x", "Rosenblatt 1958"),
    Activation("piecewise_linear", piecewise_linear, r"\min(1, \max(0, x + \frac12))", "saturating linear unit"),
    Activation("sigmoid", F["sigmoid"], r"\frac{1}{1 + e^{-x}}", "logistic function"),
    Activation("tanh", F["tanh"], r"\tanh x", "hyperbolic tangent"),
    Activation("relu", F["relu"], r"\max(0, x)", "Nair and Hinton 2010"),
    Activation("relu6", relu6, r"\min(6, \max(0, x))", "Krizhevsky 2010"),
    Activation("leaky_relu", leaky_relu, r"\max(\alpha x, x)", "Maas et al. 2013"),
    Activation("prelu", prelu, r"\max(0, x) + \alpha\min(0, x)", "He et al. 2015"),
    Activation("elu", elu, r"x \text{ or } \alpha(e^x - 1)", "Clevert et al. 2016"),
    Activation("selu", selu, r"\lambda\,\mathrm{elu}_\alpha(x)", "Klambauer et al. 2017"),
    Activation("softplus", F["softplus"], r"\ln(1 + e^x)", "Dugas et al. 2001"),
    Activation("gelu", gelu, r"x\,\Phi(x)", "Hendrycks and Gimpel 2016"),
    Activation("silu", silu, r"x\,\sigma(x)", "Elfwing et al. 2018"),
    Activation("mish", mish, r"x\tanh\ln(1 + e^x)", "Misra 2019"),
    Activation("softmax", reductions.softmax, r"\frac{e^{x_i}}{\sum_j e^{x_j}}", "Bridle 1990"),
    Activation("maxout", maxout, r"\max_k x_k", "Goodfellow et al. 2013"),
]
ACTIVATIONS = {row.name: row.function for row in TABLE}

__all__ = [
    "elu", "gelu", "leaky_relu", "linear", "maxout", "mish", "piecewise_linear", "prelu", "relu6", "selu", "silu",
    "step",
]  # fmt: skip
