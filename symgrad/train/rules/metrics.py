"""TABLE: metrics, one row each: what is summed over the rows of all batches, and the number made of the sums.

In: targets y and outputs yhat of a batch, and row weights. Out: ``sums`` (tensors of known shape), ``finish`` (a
function of their totals in NumPy): exact whatever the batches. Names and meanings are Keras 3's; what depends on
probabilities takes logits too (``from_logits``), and its thresholds stay probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, ShapeError
from symgrad.frontend import arrays, reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.functions import to_real
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import build
from symgrad.ir.show import described, printable
from symgrad.ir.types import size_product
from symgrad.nn import losses, rows
from symgrad.ops.leaf import cast, size
from symgrad.train.rules.options import FLAG, SHARE, kept, optional, whole

Sums = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Metric:
    """A row. ``of(y, yhat, weights, **options)`` gives tensors to be summed, ``finish`` the number of their totals.

    An option that is None is settled by the loss: ``from_logits``.

    >>> get("auc")
    AUC(num_thresholds=200)
    """

    name: str
    of: Callable[..., Sums]
    finish: Callable[..., float]
    formula: str = ""
    source: str = ""
    names: tuple[str, ...] = ()
    title: str = ""
    options: rows.Options = ()

    def __post_init__(self) -> None:
        checked = tuple((n, kept(self.title, n, _KINDS[n], value)) for n, value in self.options)
        object.__setattr__(self, "options", checked)

    def sums(self, y: Tensor, yhat: Tensor, weights: Tensor | None = None) -> Sums:
        """What is added up over batches."""
        options = {name: value for name, value in self.options if value is not None}
        return tuple(Tensor(cast(s.node, "real")) for s in self.of(y, yhat, weights, **options))

    def __repr__(self) -> str:
        return rows.shown(self)


_KINDS = {"k": whole(1), "threshold": SHARE, "num_thresholds": whole(2), "from_logits": optional(FLAG)}


# Means over rows


@dataclass(frozen=True, slots=True)
class Mean:
    """The sums of a mean over rows: the weighted rows' values (a row's is the mean of its elements), the weights."""

    values: Callable[..., Tensor]

    def __call__(self, y: Tensor, yhat: Tensor, weights: Tensor | None, **options: Any) -> Sums:
        e = to_real(self.values(y, yhat, **options))
        if not e.ndim:
            fix = "let it give a value for each row, of shape (n,)"
            raise ShapeError(
                "a metric of one number cannot be summed over batches", ("it is", described(e.node)), fix=fix
            )
        row = reductions.mean(e, axis=tuple(range(1, e.ndim))) if e.ndim > 1 else e
        if weights is None:
            return reductions.sum(row), Tensor(size(row.shape[0]))
        return reductions.sum(row * weights), reductions.sum(weights)


def share(total: Any, count: Any) -> float:
    """The mean; NaN of nothing."""
    return float(total / count) if count else math.nan


def _root(total: Any, count: Any) -> float:
    return float(np.sqrt(share(total, count)))


def _square(y: Tensor, yhat: Tensor) -> Tensor:
    y, yhat = _columns(y, yhat)
    return (y - yhat) ** 2


def _absolute(y: Tensor, yhat: Tensor) -> Tensor:
    y, yhat = _columns(y, yhat)
    return abs(y - yhat)


def _columns(y: Tensor, yhat: Tensor) -> tuple[Tensor, Tensor]:
    """Target and output of one shape: (n,) is a column where the other is (n, 1)."""
    return losses.aligned(losses.get("mse"), y, yhat)


# Classes


def _bound(threshold: float, from_logits: bool) -> float:
    """Where an output is above a probability: for logits at ln(p/(1-p))."""
    if not from_logits or threshold in (0.0, 1.0):
        return threshold if not from_logits else math.copysign(math.inf, threshold - 0.5)
    return math.log(threshold / (1.0 - threshold))


def _binary(y: Tensor, yhat: Tensor, threshold: float, from_logits: bool = False) -> Tensor:
    """Targets are 1 and 0, or 1 and -1."""
    y, yhat = _columns(y, yhat)
    return F["where"](yhat > _bound(threshold, from_logits), to_real(F["equal"](y, 1)), to_real(y <= 0))


def _categorical(y: Tensor, yhat: Tensor) -> Tensor:
    return F["equal"](_class_of(y, yhat), reductions.argmax(yhat, axis=-1))


def _sparse(y: Tensor, yhat: Tensor) -> Tensor:
    return F["equal"](to_real(_labels(y, yhat)), to_real(reductions.argmax(yhat, axis=-1)))


def _class_of(y: Tensor, yhat: Tensor) -> Tensor:
    """The class of one-hot rows.

    Raises:  ShapeError where target and output differ in shape
    """
    if y.shape != yhat.shape or not y.ndim:
        raise _misfit(
            "one-hot targets have the output's shape",
            y,
            yhat,
            "class numbers take the metric whose name begins with sparse_",
        )
    return reductions.argmax(y, axis=-1)


def _labels(y: Tensor, yhat: Tensor) -> Tensor:
    """Class numbers, one a row.

    Raises:  ShapeError where target and output do not fit
    """
    wanted = yhat.shape[:-1]
    if yhat.ndim and y.shape == (*wanted, 1):
        return y.reshape(wanted)
    if not yhat.ndim or y.shape != wanted:
        raise _misfit("class numbers are one a row", y, yhat, "one-hot rows take the metric without sparse_")
    return y


def _misfit(why: str, y: Tensor, yhat: Tensor, fix: str) -> ShapeError:
    return ShapeError(why, ("target", described(y.node)), ("output", described(yhat.node)), fix=fix)


def _in_top(labels: Tensor, yhat: Tensor, k: int) -> Tensor:
    """Whether fewer than k scores are above the label's; NaN counts as above."""
    own = F["equal"](arrays.one_hot(Tensor(cast(labels.node, "int")), yhat.shape[-1]), 1)
    score = reductions.sum(F["where"](own, yhat, 0.0), axis=-1, keepdims=True)
    return reductions.sum(to_real(F["logical_not"](yhat <= score)), axis=-1) < k


def _top(y: Tensor, yhat: Tensor, k: int) -> Tensor:
    return _in_top(_class_of(y, yhat), yhat, k)


def _sparse_top(y: Tensor, yhat: Tensor, k: int) -> Tensor:
    return _in_top(_labels(y, yhat), yhat, k)


# Sums of other kinds


def _flat(y: Tensor, yhat: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
    """Elements of target and output in one row each, and what multiplies elements by the weights of their rows."""
    y, yhat = _columns(y, yhat)
    total = (size_product(y.shape),)
    return y.reshape(total), yhat.reshape(total), lambda x: _times(weights, x.reshape(y.shape)).reshape(total)


def _times(weights: Tensor | None, x: Tensor) -> Tensor:
    """x (n, ...) with row i times the weight of row i."""
    return x if weights is None else weights.reshape((x.shape[0], *(1,) * (x.ndim - 1))) * x


def _determination(y: Tensor, yhat: Tensor, weights: Tensor | None) -> Sums:
    """For each output: rows, sum of y, of y^2, of (y - yhat)^2."""
    y, yhat = _columns(y, yhat)
    outputs = size_product(y.shape[1:])
    y, yhat = y.reshape((y.shape[0], outputs)), yhat.reshape((y.shape[0], outputs))
    count = Tensor(size(y.shape[0])) if weights is None else reductions.sum(weights)
    return count, *(reductions.sum(_times(weights, s), axis=0) for s in (y, y**2, (y - yhat) ** 2))


def _r2(count: Any, total: Any, squares: Any, rest: Any) -> float:
    """1 - sum (y - yhat)^2 / sum (y - mean)^2, the mean over outputs; of constant targets 1 if they are met, else 0."""
    with np.errstate(all="ignore"):
        scores = 1.0 - rest / (squares - total * (total / count))
    constant = np.isinf(scores) | (np.isnan(scores) & (rest == 0.0) & (count > 0))
    return float(np.mean(np.where(constant, rest == 0.0, scores)))


def _histograms(
    y: Tensor, yhat: Tensor, weights: Tensor | None, num_thresholds: int, from_logits: bool = False
) -> Sums:
    """How many elements of each class lie just above each threshold i/(T-1), and not above the next one."""
    y, yhat, weighted = _flat(y, yhat, weights)
    p = F["sigmoid"](yhat) if from_logits else yhat
    p = F["where"](p > 0, F["minimum"](p, 1), 0.0)  # NaN is no probability, but an index must be one
    place = F["maximum"](F["ceil"](p * float(num_thresholds - 1)) - 1.0, 0.0).node
    index = cast(place, "int")
    counted = (weighted(y).node, weighted(1.0 - y).node)
    return tuple(Tensor(build("scatter_add", index, v, axis=0, size=num_thresholds)) for v in counted)


def _area(hits: Any, alarms: Any) -> float:
    """The area under the curve of hits over false alarms, by trapezoids; 0 where a class is missing."""
    y, x = (np.cumsum(h[::-1])[::-1] for h in (hits, alarms))  # above each threshold
    y, x = (v / v[0] if v[0] else v for v in (y, x))
    return float(np.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2))


def _counts(y: Tensor, yhat: Tensor, weights: Tensor | None, threshold: float, from_logits: bool = False) -> Sums:
    """Hits, what was found, what there is."""
    y, yhat, weighted = _flat(y, yhat, weights)
    found = to_real(yhat > _bound(threshold, from_logits))
    return reductions.sum(weighted(found * y)), reductions.sum(weighted(found)), reductions.sum(weighted(y))


def _precision(hits: Any, found: Any, true: Any) -> float:
    return share(hits, found) if found else 0.0


def _recall(hits: Any, found: Any, true: Any) -> float:
    return share(hits, true) if true else 0.0


_BINARY = (("threshold", 0.5), ("from_logits", None))
_K = (("k", 5),)
TABLE = [
    Metric("binary_accuracy", Mean(_binary), share, r"\frac1n\sum\mathbb 1[\mathbb 1[\hat y>1/2]=y]", "Keras 3",
           title="BinaryAccuracy", options=_BINARY),
    Metric("categorical_accuracy", Mean(_categorical), share, r"\frac1n\sum\mathbb 1[\arg\max\hat y=\arg\max y]",
           "Keras 3", title="CategoricalAccuracy"),
    Metric("sparse_categorical_accuracy", Mean(_sparse), share, r"\frac1n\sum\mathbb 1[\arg\max\hat y=y]", "Keras 3",
           title="SparseCategoricalAccuracy"),
    Metric("top_k_categorical_accuracy", Mean(_top), share, r"\frac1n\sum\mathbb 1[\arg\max y\in\mathrm{top}_k\hat y]",
           "Keras 3; ties are in the top", ("top_k",), "TopKCategoricalAccuracy", _K),
    Metric("sparse_top_k_categorical_accuracy", Mean(_sparse_top), share,
           r"\frac1n\sum\mathbb 1[y\in\mathrm{top}_k\hat y]", "Keras 3; ties are in the top",
           title="SparseTopKCategoricalAccuracy", options=_K),
    Metric("mse", Mean(_square), share, r"\frac1n\sum(y-\hat y)^2", "Gauss 1809", ("mean_squared_error", "MSE"),
           "MeanSquaredError"),
    Metric("rmse", Mean(_square), _root, r"\sqrt{\frac1n\sum(y-\hat y)^2}", "Gauss 1809",
           ("root_mean_squared_error",), "RootMeanSquaredError"),
    Metric("mae", Mean(_absolute), share, r"\frac1n\sum|y-\hat y|", "Laplace 1793", ("mean_absolute_error", "MAE"),
           "MeanAbsoluteError"),
    Metric("r2", _determination, _r2, r"1-\frac{\sum(y-\hat y)^2}{\sum(y-\bar y)^2}", "Wright 1921", ("r2_score",),
           "R2Score"),
    Metric("auc", _histograms, _area, r"\int \mathrm{TPR}\,d\,\mathrm{FPR}",
           "Hanley and McNeil 1982; Keras 3: thresholds i/(T-1), trapezoids", title="AUC",
           options=(("num_thresholds", 200), ("from_logits", None))),
    Metric("precision", _counts, _precision, r"\frac{TP}{TP+FP}", "Kent et al. 1955", title="Precision",
           options=_BINARY),
    Metric("recall", _counts, _recall, r"\frac{TP}{TP+FN}", "Kent et al. 1955", title="Recall", options=_BINARY),
]  # fmt: skip
METRICS = rows.all_names(TABLE)
# The last steps by the names that files give them, which stay.
FINISHES: dict[str, Callable[..., float]] = {
    "mean": share, "root": _root, "determination": _r2, "area": _area, "precision": _precision, "recall": _recall,
}  # fmt: skip
ACCURACIES = ("accuracy", "acc")
# Losses whose targets are of two classes (with -1 or 0 below), are class numbers, are one-hot.
_SIGNS, _ONE_HOT = ("hinge", "squared_hinge"), ("categorical_crossentropy", "kl_divergence", "categorical_hinge")


def resolve(spec: Any, loss: Any, y: Tensor, yhat: Tensor) -> Metric:
    """A metric by name, as a row, by a loss, or of a function (y, yhat) -> a value for each row.

    ``loss`` is the row of the loss (None for a symbolic one). "accuracy" is that of the loss and of the shapes; what
    depends on probabilities follows the loss's ``from_logits``.

    Raises:  DeclarationError for an unknown name; DtypeError for no metric; ShapeError where target and output do not
             fit it
    """
    name = spec if isinstance(spec, str) else None
    logits = bool(getattr(loss, "from_logits", False))
    row = _accuracy(loss, y, yhat) if name in ACCURACIES else get(spec, logits)
    options = tuple((n, logits if n == "from_logits" and value is None else value) for n, value in row.options)
    row = replace(row, name=name or row.name, options=options)
    row.sums(y, yhat)  # complains here, not when the step is built
    return row


def get(spec: Any, from_logits: bool = False) -> Metric:
    """A metric by name, as a row, by a loss, or of a function (y, yhat) -> a value for each row.

    >>> get("mean_squared_error").name
    'mse'
    """
    if isinstance(spec, str):
        found = METRICS.get(spec) or losses.LOSSES.get(spec)
        if found is None:
            found = rows.find("metric", spec, {**METRICS, **losses.LOSSES, **dict.fromkeys(ACCURACIES)})
        return _of_loss(losses.get(found, from_logits)) if isinstance(found, losses.Loss) else found
    if isinstance(spec, rows.Maker):
        spec = spec()
    if isinstance(spec, Metric):
        return spec
    if isinstance(spec, (losses.Loss, losses.Rowwise)):
        return _of_loss(losses.get(spec, from_logits))
    if not callable(spec):
        given = ("given", printable(repr(spec)))
        raise DtypeError("a metric is a name, a row of sg.metrics or a function (y, yhat)", given)
    return Metric(getattr(spec, "__name__", type(spec).__name__), Mean(spec), share)


def _of_loss(row: losses.Loss) -> Metric:
    return Metric(row.name, Mean(row.values), share, row.formula, row.source)


def _accuracy(loss: Any, y: Tensor, yhat: Tensor) -> Metric:
    """The accuracy that fits: the loss says what targets are, else their shape does."""
    kind = getattr(loss, "name", "")
    if not yhat.ndim or not y.ndim:
        raise ShapeError("accuracy needs rows", ("target", described(y.node)), ("output", described(yhat.node)))
    one = yhat.ndim == 1 or yhat.shape[-1] == 1
    if kind in _SIGNS:
        return replace(METRICS["binary_accuracy"], options=(("threshold", 0.0), ("from_logits", False)))
    if kind == "binary_crossentropy" or (one and kind != "sparse_categorical_crossentropy"):
        return METRICS["binary_accuracy"]
    numbers = y.ndim < yhat.ndim or (y.shape[-1] == 1 and kind not in _ONE_HOT)
    return METRICS["sparse_categorical_accuracy" if numbers else "categorical_accuracy"]


def __getattr__(name: str) -> Any:
    """Makers under the rows' titles: ``TopKCategoricalAccuracy(k=3)``, ``AUC()``."""
    row = METRICS.get(name)
    if row is None or name != row.title:
        raise AttributeError(f"there is no metric {name!r}")
    return rows.Maker(row)


def __dir__() -> list[str]:
    return sorted([*globals(), *(row.title for row in TABLE)])


__all__ = ["FINISHES", "METRICS", "TABLE", "Metric", "get", "resolve"]
