r"""TABLE: losses, one row each: the loss of an element, how the elements of a row are joined, formula, source.

In: targets y and outputs yhat of one shape (n, ...), or labels (n,) for class scores (n, k). Out: the loss of each row,
or their mean (weighted: the mean over rows of weight times value). Names, options and meanings are Keras 3's, but
probabilities are not clipped. Logits have a form of their own; where yhat is a softmax or a sigmoid, the logarithm is
written as in the textbook and made stable by the compiler, so that both forms run the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import DeclarationError, DtypeError, ShapeError
from symgrad.frontend import arrays, declare, reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.functions import to_real
from symgrad.frontend.tensor import Tensor, as_node, real_op
from symgrad.ir.node import Node
from symgrad.ir.show import described
from symgrad.ir.types import size_product
from symgrad.nn import rows
from symgrad.nn.activations import Flexible
from symgrad.nn.rows import Maker, Options
from symgrad.ops.leaf import cast

EPSILON = 1e-7  # Keras's backend.epsilon(), where a loss is not one of probabilities


@dataclass(frozen=True, slots=True, repr=False)
class Loss:
    """A row. ``element(y, yhat, **options)`` is the loss of each element, ``logits`` the same for yhat before softmax
    or sigmoid; ``over`` joins the last axis ("mean", "sum") or is "all" where a loss is a plain sum over everything.
    """

    name: str
    element: Callable[..., Tensor]
    formula: str
    source: str
    title: str
    names: tuple[str, ...] = ()
    over: str = "mean"
    logits: Callable[..., Tensor] | None = None
    options: Options = ()
    has_labels: bool = False
    factor: float = 1.0  # of the whole

    def __repr__(self) -> str:
        return rows.shown(self)

    @property
    def from_logits(self) -> bool:
        """Whether yhat is taken as logits."""
        return bool(dict(self.options).get("from_logits"))

    def elements(self, y: Any, yhat: Any) -> Tensor:
        """The loss of each element, as its row says."""
        y, yhat = aligned(self, y, yhat)
        options = {name: value for name, value in self.options if name != "from_logits"}
        if self.from_logits:
            _check_logits(self, yhat)
            assert self.logits is not None, "only rows with a form on logits have the option"
            return self.logits(y, _unnamed(yhat), **options)
        return self.element(y, yhat, **options)

    def values(self, y: Any, yhat: Any) -> Tensor:
        """The loss of each row, of shape (n,)."""
        e = self.elements(y, yhat)
        if not e.ndim:
            fix = "let it give the loss of each row, of shape (n,)"
            raise ShapeError(f"the loss {self.name} is one number, so rows cannot be weighted", fix=fix)
        if self.over == "sum" and e.ndim > 1:
            e = e.sum(axis=-1)
        join = reductions.sum if self.over == "all" else reductions.mean
        return _scaled(self, join(e, axis=tuple(range(1, e.ndim))) if e.ndim > 1 else e)

    def __call__(self, y: Any, yhat: Any, sample_weight: Any = None) -> Tensor:
        return total(self, y, yhat, sample_weight)


def total(row: Loss, y: Any, yhat: Any, weights: Any = None) -> Tensor:
    """The loss of all rows: their mean, or their sum where the row says so; with weights of w_i times the value.

    >>> y, yhat = declare.input("y", ("n",)), declare.input("yhat", ("n", 1))
    >>> total(get("mse"), y, yhat).shape
    ()
    """
    if weights is not None:
        values = row.values(y, yhat)
        return _averaged(row, values * weights, values.shape)
    e = row.elements(y, yhat)
    return _scaled(row, _averaged(row, e, e.shape[:-1] if row.over == "sum" and e.ndim > 1 else e.shape))


def _averaged(row: Loss, losses: Tensor, shape: tuple) -> Tensor:
    """The sum, divided by the number of places of that shape where the row is a mean."""
    whole = reductions.sum(losses)
    return whole if row.over == "all" else whole / to_real(size_product(shape))


def _scaled(row: Loss, losses: Tensor) -> Tensor:
    return losses if row.factor == 1.0 else row.factor * losses


def target(row: Loss, yhat: Tensor, name: str = "y") -> Tensor:
    """A declared target for that output: of its shape, or labels."""
    shape, dtype = (yhat.shape[:-1], "int") if row.has_labels else (yhat.shape, "real")
    return declare.input(name, shape, dtype=dtype)


def aligned(row: Loss, y: Any, yhat: Any) -> tuple[Tensor, Tensor]:
    """Target and output of one shape; a target of shape (n,) is a column where the output is (n, 1).

    Raises:  ShapeError, DtypeError
    """
    t, out = as_node(y), cast(as_node(yhat), "real")
    if row.has_labels:
        return _labels(row, t, out), Tensor(out)
    wanted = out.shape
    columns = (t.shape == wanted[:-1] and wanted[-1:] == (1,)) or (t.shape[:-1] == wanted and t.shape[-1:] == (1,))
    if columns:
        t = arrays.reshape(Tensor(t), wanted).node
    if t.shape != wanted:
        many = t.type.rank == out.type.rank - 1 and row.name == "categorical_crossentropy"
        fix = 'class numbers take "sparse_categorical_crossentropy"' if many else "give targets the output's shape"
        raise ShapeError(f"{row.name}: target and output differ in shape", *_facts(t, out), fix=fix)
    return Tensor(cast(t, "real")), Tensor(out)


def _labels(row: Loss, y: Node, out: Node) -> Tensor:
    if not out.shape:
        raise ShapeError(f"{row.name}: the output has no axis of classes", *_facts(y, out))
    if y.dtype == "real":
        raise DtypeError(f"{row.name} takes class numbers", *_facts(y, out), fix='declare the target with dtype="int"')
    wanted = out.shape[:-1]
    labels = Tensor(cast(y, "int"))
    if y.shape == (*wanted, 1):
        labels = labels.reshape(wanted)
    if labels.shape != wanted:
        fix = 'one-hot rows take "categorical_crossentropy"' if y.shape == out.shape else "give one class number a row"
        raise ShapeError(f"{row.name}: target and output differ in shape", *_facts(y, out), fix=fix)
    return labels


def _facts(y: Node, out: Node) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("target", described(y)), ("output", described(out))


def made_by(x: Tensor, activation: str) -> bool:
    """Whether the tensor is that activation (over its last axis) of something, whatever it is named."""
    node = x.node
    while node.op.name == "named":
        node = node.args[0]
    return node.op.name == activation and node.params.get("axes", (x.ndim - 1,)) == (x.ndim - 1,)


def _check_logits(row: Loss, yhat: Tensor) -> None:
    for activation in ("softmax", "sigmoid"):
        if made_by(yhat, activation):
            raise DeclarationError(
                f"{row.name}: from_logits=True, but the output is already a {activation}",
                ("output", described(yhat.node)),
                fix="leave from_logits out: the loss of a softmax or sigmoid is computed from its logits anyway",
            )


def _unnamed(z: Tensor) -> Tensor:
    """Logits are no prediction: a network's output is called z where it is taken for them."""
    node = z.node
    return declare.named("z", Tensor(node.args[0])) if node.op.name == "named" and node["name"] == "yhat" else z


def _square(y: Tensor, yhat: Tensor) -> Tensor:
    return (y - yhat) ** 2


def _absolute(y: Tensor, yhat: Tensor) -> Tensor:
    return abs(y - yhat)


def _percentage(y: Tensor, yhat: Tensor) -> Tensor:
    return abs(y - yhat) / F["maximum"](abs(y), EPSILON)


def _logarithmic(y: Tensor, yhat: Tensor) -> Tensor:
    return (F["log1p"](F["maximum"](yhat, EPSILON)) - F["log1p"](F["maximum"](y, EPSILON))) ** 2


def _huber(y: Tensor, yhat: Tensor, delta: float) -> Tensor:
    e = yhat - y
    return F["where"](abs(e) <= delta, e**2 / 2, delta * abs(e) - delta**2 / 2)


def _log_cosh(y: Tensor, yhat: Tensor) -> Tensor:
    return F["logcosh"](yhat - y)


def _poisson(y: Tensor, yhat: Tensor) -> Tensor:
    return yhat - y * F["log"](yhat + EPSILON)


def _signs(y: Tensor) -> Tensor:
    """Targets 0 and 1 (all of them) as -1 and 1; others as they are."""
    binary = reductions.all(F["logical_or"](F["equal"](y, 0), F["equal"](y, 1)))
    return F["where"](binary, 2 * y - 1, y)


def _hinge(y: Tensor, yhat: Tensor) -> Tensor:
    return F["relu"](1 - _signs(y) * yhat)


def _squared_hinge(y: Tensor, yhat: Tensor) -> Tensor:
    return F["relu"](1 - _signs(y) * yhat) ** 2


def _categorical_hinge(y: Tensor, yhat: Tensor) -> Tensor:
    rivals = reductions.max((1 - y) * yhat, axis=-1, keepdims=True)
    return F["relu"](rivals - reductions.sum(y * yhat, axis=-1, keepdims=True) + 1)


def _cosine(y: Tensor, yhat: Tensor) -> Tensor:
    def unit(x: Tensor) -> Tensor:
        return real_op("zdiv", x, reductions.norm(x, axis=-1, keepdims=True))  # 0 stays 0

    return -(unit(y) * unit(yhat))


def _binary(y: Tensor, yhat: Tensor, label_smoothing: float) -> Tensor:
    y = _smooth(y, label_smoothing, 2)
    if made_by(yhat, "sigmoid"):
        return -(y * F["log"](yhat) + (1 - y) * F["log"](1 - yhat))
    return -(F["xlogy"](y, yhat) + F["xlogy"](1 - y, 1 - yhat))


def _binary_logits(y: Tensor, z: Tensor, label_smoothing: float) -> Tensor:
    y = _smooth(y, label_smoothing, 2)
    return F["softplus"](z) - y * z


def _categorical(y: Tensor, yhat: Tensor, label_smoothing: float) -> Tensor:
    y = _smooth(y, label_smoothing, yhat.shape[-1])
    if made_by(yhat, "softmax"):
        return -(y * F["log"](yhat))
    return -F["xlogy"](y, yhat / reductions.sum(yhat, axis=-1, keepdims=True))


def _categorical_logits(y: Tensor, z: Tensor, label_smoothing: float) -> Tensor:
    return -(_smooth(y, label_smoothing, z.shape[-1]) * reductions.log_softmax(z))


def _smooth(y: Tensor, share: float, classes: Any) -> Tensor:
    return y * (1.0 - share) + to_real(share) / classes if share else y


def _sparse(y: Tensor, yhat: Tensor, ignore_class: int | None) -> Tensor:
    return _counted(y, ignore_class, _categorical(arrays.one_hot(y, yhat.shape[-1]), yhat, 0.0))


def _sparse_logits(y: Tensor, z: Tensor, ignore_class: int | None) -> Tensor:
    return _counted(y, ignore_class, _categorical_logits(arrays.one_hot(y, z.shape[-1]), z, 0.0))


def _counted(y: Tensor, ignored: int | None, losses: Tensor) -> Tensor:
    if ignored is None:
        return losses
    return F["where"](arrays.expand_dims(F["not_equal"](y, int(ignored)), -1), losses, 0.0)


def _divergence(y: Tensor, yhat: Tensor) -> Tensor:
    if made_by(yhat, "softmax"):
        return F["xlogy"](y, y) - y * F["log"](yhat)
    return F["xlogy"](y, real_op("zdiv", y, yhat))


def _divergence_logits(y: Tensor, z: Tensor) -> Tensor:
    return F["xlogy"](y, y) - y * reductions.log_softmax(z)


_LOGITS = ("from_logits", False)
_SMOOTHED = (_LOGITS, ("label_smoothing", 0.0))
TABLE = [
    Loss("mse", _square, r"\frac1n\sum (y-\hat y)^2", "Gauss 1809", "MeanSquaredError", ("mean_squared_error", "MSE")),
    Loss("half_sse", _square, r"\frac12\sum (y-\hat y)^2", "Rumelhart et al. 1986", "HalfSumOfSquares", over="all",
         factor=0.5),
    Loss("mae", _absolute, r"\frac1n\sum |y-\hat y|", "Laplace 1793", "MeanAbsoluteError",
         ("mean_absolute_error", "MAE")),
    Loss("mape", _percentage, r"\frac{100}n\sum \frac{|y-\hat y|}{\max(|y|,\epsilon)}", "Keras, epsilon 1e-7",
         "MeanAbsolutePercentageError", ("mean_absolute_percentage_error", "MAPE"), factor=100.0),
    Loss("msle", _logarithmic, r"\frac1n\sum (\ln(1+\hat y)-\ln(1+y))^2", "Keras, both at least 1e-7",
         "MeanSquaredLogarithmicError", ("mean_squared_logarithmic_error", "MSLE")),
    Loss("huber", _huber, r"\frac1n\sum \begin{cases}e^2/2 & |e|\le\delta\\ \delta|e|-\delta^2/2\end{cases}",
         "Huber 1964", "Huber", options=(("delta", 1.0),)),
    Loss("log_cosh", _log_cosh, r"\frac1n\sum \ln\cosh(\hat y-y)", "Green 1990", "LogCosh", ("logcosh",)),
    Loss("hinge", _hinge, r"\frac1n\sum \max(0, 1-y\hat y)", "Cortes and Vapnik 1995", "Hinge"),
    Loss("squared_hinge", _squared_hinge, r"\frac1n\sum \max(0, 1-y\hat y)^2", "Chang et al. 2008", "SquaredHinge"),
    Loss("categorical_hinge", _categorical_hinge, r"\max(0, 1+\max_k (1-y_k)\hat y_k-\sum_k y_k\hat y_k)",
         "Weston and Watkins 1999", "CategoricalHinge", over="sum"),
    Loss("cosine_similarity", _cosine, r"-\sum_k \frac{y_k\hat y_k}{\lVert y\rVert\lVert\hat y\rVert}", "Keras",
         "CosineSimilarity", over="sum"),
    Loss("poisson", _poisson, r"\frac1n\sum \hat y-y\ln(\hat y+\epsilon)", "Keras, epsilon 1e-7", "Poisson"),
    Loss("kl_divergence", _divergence, r"\sum_k y_k\ln\frac{y_k}{\hat y_k}", "Kullback and Leibler 1951",
         "KLDivergence", ("kullback_leibler_divergence", "kld", "KLD"), "sum", _divergence_logits, (_LOGITS,)),
    Loss("binary_crossentropy", _binary, r"-y\ln\hat y-(1-y)\ln(1-\hat y)", "Cox 1958; on logits ln(1+e^z)-yz",
         "BinaryCrossentropy", ("bce", "logistic"), "mean", _binary_logits, _SMOOTHED),
    Loss("categorical_crossentropy", _categorical, r"-\sum_k y_k\ln\hat y_k", "Bridle 1990; on logits log-softmax",
         "CategoricalCrossentropy", ("cce",), "sum", _categorical_logits, _SMOOTHED),
    Loss("sparse_categorical_crossentropy", _sparse, r"-\ln\hat y_{k}, k=y", "Bridle 1990; on logits log-softmax",
         "SparseCategoricalCrossentropy", ("scce",), "sum", _sparse_logits, (_LOGITS, ("ignore_class", None)), True),
]  # fmt: skip
LOSSES = rows.all_names(TABLE)


def of_function(function: Callable[..., Any]) -> Loss:
    """A function (y, yhat) -> losses of any shape (n, ...) as a row; a scalar is the whole loss."""
    name = getattr(function, "__name__", type(function).__name__)
    return Loss(name, Flexible(function, name), "", "", name)


def get(spec: Any, from_logits: bool = False) -> Loss:
    """A row by name, as it is, or of a function (y, yhat).

    >>> get("mean_squared_error").name, get(__getattr__("Huber")(0.5)).options
    ('mse', (('delta', 0.5),))
    """
    row: Loss
    if isinstance(spec, str):
        row = rows.find("loss", spec, LOSSES)
    elif isinstance(spec, (Maker, Rowwise)):
        row = spec.row
    elif isinstance(spec, Loss):
        row = spec
    elif callable(spec):
        row = of_function(spec)
    else:
        raise DtypeError("a loss is a name, a row or a function (y, yhat)", ("given", type(spec).__name__))
    if not from_logits or row.logits is None:
        return row
    return replace(row, options=tuple((n, True if n == "from_logits" else value) for n, value in row.options))


@dataclass(frozen=True, slots=True)
class Rowwise:
    """A row as a function: ``mean_squared_error(y, yhat)`` is the loss of each row."""

    row: Loss

    def __call__(self, y: Any, yhat: Any, **options: Any) -> Tensor:
        return Maker(self.row)(**options).values(y, yhat)


def __getattr__(name: str) -> Any:
    """Rows under their names: ``Huber(delta=0.5)`` a row with options, ``huber(y, yhat)`` the loss of each row."""
    if name.startswith("_") or name not in LOSSES:
        raise AttributeError(f"there is no loss {name!r}")
    row = LOSSES[name]
    return Maker(row) if name == row.title else Rowwise(row)


def __dir__() -> list[str]:
    return sorted([*globals(), *LOSSES])
