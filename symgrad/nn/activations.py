"""TABLE: activations, one row each: a function, its formula as people write it, and its source.

Derivatives follow from the formula; at the kinks they are the ones of ``ops.elementwise``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symgrad.errors import DeclarationError, DtypeError, SymgradError
from symgrad.frontend import reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.sympy import elementwise
from symgrad.frontend.tensor import Tensor, as_node, compare, real_op
from symgrad.frontend.text_functions import FUNCTIONS, Function
from symgrad.nn.rows import find
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
    return _faded(x, real_op("normal_cdf", x))


def silu(x: Any) -> Tensor:
    """x sigmoid(x)."""
    return _faded(x, F["sigmoid"](x))


def mish(x: Any) -> Tensor:
    """x tanh(softplus(x))."""
    return _faded(x, F["tanh"](F["softplus"](x)))


def _faded(x: Any, share: Tensor) -> Tensor:
    """x times a share that falls to 0 faster than x grows, and whose slopes do: the limits 0 and x at -inf and inf."""
    return real_op("zmul", x, share)


def maxout(pieces: Any, axis: int = -1) -> Tensor:
    """The largest of the pieces along an axis; ties share the gradient."""
    return reductions.max(pieces, axis=axis)


def softsign(x: Any) -> Tensor:
    """x / (1 + |x|)."""
    x = linear(x)
    return x / (1.0 + abs(x))


def hard_sigmoid(x: Any) -> Tensor:
    """min(max(x/6 + 1/2, 0), 1), as Keras 3 defines it."""
    return relu6(linear(x) + 3.0) / 6.0


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
    Activation("exponential", F["exp"], r"e^x", "exponential function"),
    Activation("softsign", softsign, r"\frac{x}{1 + |x|}", "Bergstra et al. 2009"),
    Activation("hard_sigmoid", hard_sigmoid, r"\min(1, \max(0, \frac x6 + \frac12))", "Courbariaux et al. 2015; Keras"),
    Activation("log_softmax", reductions.log_softmax, r"x_i - \ln\sum_j e^{x_j}", "Bridle 1990"),
]
ACTIVATIONS = {row.name: row.function for row in TABLE}
_MOST = {"step": 2, "leaky_relu": 2, "prelu": 2, "elu": 2}  # arguments in text; of the others one
_WHOLE = ("linear", "softmax", "log_softmax", "maxout")  # not a function of one element, or none at all
for _row in TABLE:
    if _row.name not in (*FUNCTIONS, *_WHOLE, "exponential"):
        FUNCTIONS[_row.name] = Function(_row.function, 2 if _row.name == "prelu" else 1, _MOST.get(_row.name, 1))
_ALSO = {"swish": "silu", "logistic": "sigmoid", "identity": "linear"}
_NOT_ALONE = {"maxout": "use the layer sg.nn.Maxout(units, pieces)", "prelu": "use the layer sg.nn.PReLU()"}


def get(spec: Any) -> Callable[[Tensor], Tensor]:
    """An activation by name, as a row, as a function of a tensor or of a SymPy symbol, or as a SymPy expression.

    >>> get("relu") is ACTIVATIONS["relu"]
    True
    >>> t = sp.Symbol("t")
    >>> get(t * sp.tanh(t))(Tensor(as_node([1.0, 2.0]))).shape
    (2,)

    Raises:  DeclarationError for a name that is not in the table, DtypeError for what is no activation
    """
    if spec is None:
        return linear
    if isinstance(spec, str):
        name = find("activation", spec, {**{n: n for n in ACTIVATIONS}, **_ALSO})
        if name in _NOT_ALONE:
            raise DeclarationError(f"the activation {name} needs more than its name", fix=_NOT_ALONE[name])
        return ACTIVATIONS[name]
    if isinstance(spec, Activation):
        return spec.function
    if isinstance(spec, sp.Expr):
        return _of_expression(spec)
    if callable(spec):
        return Flexible(spec, getattr(spec, "__name__", "activation"))
    fix = 'write "relu", sg.relu or a SymPy expression of one symbol'
    raise DtypeError("an activation is a name or a function", ("given", type(spec).__name__), fix=fix)


def _of_expression(expr: sp.Expr) -> Callable[[Tensor], Tensor]:
    symbols = sorted(expr.free_symbols, key=str)
    if len(symbols) != 1:
        raise DeclarationError(
            "an activation is an expression of one symbol",
            ("symbols", ", ".join(map(str, symbols)) or "none"),
            fix="put numbers for the others, or use sg.elementwise on several tensors",
        )
    return lambda x: elementwise(lambda t: expr.xreplace({symbols[0]: t}), x)


@dataclass(frozen=True, slots=True)
class Flexible:
    """A function of tensors as it is; one that is written in SymPy, element by element.

    Raises:  DtypeError where it gives no tensor
    """

    function: Callable[..., Any]
    name: str

    def __call__(self, *tensors: Any) -> Tensor:
        try:
            made = self.function(*tensors)
        except sp.SympifyError as error:  # as sp.tanh(tensor) raises
            made = _in_sympy(self.function, tensors, error)
        except SymgradError:
            raise
        except TypeError as error:  # as sp.Piecewise((tensor, tensor > 0)) raises
            made = _in_sympy(self.function, tensors, error)
        if not isinstance(made, Tensor):
            raise DtypeError(f"{self.name} must give a tensor", ("given", type(made).__name__))
        return made


def _in_sympy(function: Callable[..., Any], tensors: tuple, error: Exception) -> Tensor:
    """The function of SymPy symbols, element by element; where it is none either, its first complaint."""
    try:
        return elementwise(function, *tensors)
    except (TypeError, ValueError, AttributeError):
        raise error from None


__all__ = [
    "elu", "gelu", "leaky_relu", "linear", "maxout", "mish", "piecewise_linear", "prelu", "relu6", "selu", "silu",
    "step",
]  # fmt: skip
