"""TABLE: metrics, one row each: what is summed over the rows of all batches, and the number made of the sums.

In: targets y and outputs yhat of a batch. Out: ``sums`` (tensors of known shape), ``finish`` (a function of their
totals in NumPy): exact whatever the batches. Names and meanings are Keras 3's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError, ShapeError
from symgrad.frontend import arrays, reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.functions import to_real
from symgrad.frontend.tensor import Tensor
from symgrad.ir.show import described
from symgrad.nn import losses, rows

THRESHOLDS = 200  # of the ROC curve, as Keras
Sums = tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A row: ``of(y, yhat)`` gives the tensors that are summed, ``finish`` the number; ``formula``, ``source``."""

    name: str
    of: Callable[[Tensor, Tensor], Sums]
    finish: Callable[..., float]
    formula: str = ""
    source: str = "Keras 3"
    names: tuple[str, ...] = ()
    title: str = ""
    options: rows.Options = ()

    def sums(self, y: Tensor, yhat: Tensor, weights: Any = None) -> Sums:
        """What is added up over batches."""
        return tuple(to_real(s) for s in self.of(y, yhat))


def _share(total: Any, count: Any) -> float:
    return float(total / count) if count else float("nan")


def _mean(values: Tensor) -> Sums:
    """The sum of all elements, and how many there are."""
    return reductions.sum(values), reductions.sum(F["where"](F["equal"](values, values), 1.0, 1.0))


def _columns(y: Tensor, yhat: Tensor) -> tuple[Tensor, Tensor]:
    """Target and output of one shape."""
    return losses.aligned(losses.get("mse"), y, yhat)


def _binary(y: Tensor, yhat: Tensor, threshold: float = 0.5) -> Sums:
    y, yhat = _columns(y, yhat)
    return _mean(to_real(F["equal"](to_real(yhat > threshold), y)))


def _categorical(y: Tensor, yhat: Tensor) -> Sums:
    return _mean(to_real(F["equal"](reductions.argmax(y, axis=-1), reductions.argmax(yhat, axis=-1))))


def _sparse(y: Tensor, yhat: Tensor) -> Sums:
    return _mean(to_real(F["equal"](to_real(_labels(y, yhat)), to_real(reductions.argmax(yhat, axis=-1)))))


def _labels(y: Tensor, yhat: Tensor) -> Tensor:
    """Class numbers, one a row."""
    return y.reshape(yhat.shape[:-1]) if y.ndim == yhat.ndim else y


def _top(y: Tensor, yhat: Tensor, k: int = 5) -> Sums:
    """Whether fewer than k scores are above the target's."""
    own = reductions.sum(y * yhat, axis=-1, keepdims=True)
    return _mean(to_real(reductions.sum(to_real(yhat > own), axis=-1) < k))


def _sparse_top(y: Tensor, yhat: Tensor, k: int = 5) -> Sums:
    return _top(arrays.one_hot(_labels(y, yhat), yhat.shape[-1]), yhat, k)


def _squares(y: Tensor, yhat: Tensor) -> Sums:
    y, yhat = _columns(y, yhat)
    return _mean((y - yhat) ** 2)


def _absolute(y: Tensor, yhat: Tensor) -> Sums:
    y, yhat = _columns(y, yhat)
    return _mean(abs(y - yhat))


def _determination(y: Tensor, yhat: Tensor) -> Sums:
    y, yhat = _columns(y, yhat)
    flat = (y, y**2, (y - yhat) ** 2)
    axes = tuple(range(y.ndim - 1)) if y.ndim > 1 else None
    count = reductions.sum(F["where"](F["equal"](y, y), 1.0, 1.0), axis=axes)
    return (count, *(reductions.sum(s, axis=axes) for s in flat))


def _r2(count: Any, total: Any, squares: Any, rest: Any) -> float:
    """1 - sum (y - yhat)^2 / sum (y - mean)^2, the mean over outputs."""
    with np.errstate(all="ignore"):
        return float(np.mean(1.0 - rest / (squares - total**2 / count)))


def _thresholds() -> np.ndarray:
    inner = [(i + 1) / (THRESHOLDS - 1) for i in range(THRESHOLDS - 2)]
    return np.array([-1e-7, *inner, 1.0 + 1e-7])


def _curve(y: Tensor, yhat: Tensor) -> Sums:
    """For each threshold, how many of each class lie above it."""
    y, yhat = _columns(y, yhat)
    flat_y, flat = y.reshape((-1, 1)), yhat.reshape((-1, 1))
    above = to_real(flat > _thresholds())
    return (
        reductions.sum(above * flat_y, axis=0), reductions.sum(above * (1 - flat_y), axis=0),
        reductions.sum(y), reductions.sum(1 - y),
    )  # fmt: skip


def _area(hits: Any, alarms: Any, positives: Any, negatives: Any) -> float:
    """The area under the curve of hits over false alarms, by trapezoids."""
    with np.errstate(all="ignore"):
        x, y = alarms / negatives, hits / positives
    return float(np.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2))


def _counts(y: Tensor, yhat: Tensor) -> Sums:
    y, yhat = _columns(y, yhat)
    found = to_real(yhat > 0.5)
    return reductions.sum(found * y), reductions.sum(found), reductions.sum(y)


TABLE = [
    Metric("binary_accuracy", _binary, _share, r"\frac1n\sum\mathbb 1[\mathbb 1[\hat y>1/2]=y]"),
    Metric("categorical_accuracy", _categorical, _share, r"\frac1n\sum\mathbb 1[\arg\max\hat y=\arg\max y]"),
    Metric("sparse_categorical_accuracy", _sparse, _share, r"\frac1n\sum\mathbb 1[\arg\max\hat y=y]"),
    Metric("top_k_categorical_accuracy", _top, _share, r"\frac1n\sum\mathbb 1[y\in\mathrm{top}_k\hat y]",
           options=(("k", 5),), title="TopKCategoricalAccuracy"),
    Metric("sparse_top_k_categorical_accuracy", _sparse_top, _share, r"\frac1n\sum\mathbb 1[y\in\mathrm{top}_k\hat y]",
           options=(("k", 5),), title="SparseTopKCategoricalAccuracy"),
    Metric("mse", _squares, _share, r"\frac1n\sum(y-\hat y)^2", names=("mean_squared_error",)),
    Metric("rmse", _squares, lambda s, n: float(np.sqrt(_share(s, n))), r"\sqrt{\frac1n\sum(y-\hat y)^2}",
           names=("root_mean_squared_error",)),
    Metric("mae", _absolute, _share, r"\frac1n\sum|y-\hat y|", names=("mean_absolute_error",)),
    Metric("r2", _determination, _r2, r"1-\frac{\sum(y-\hat y)^2}{\sum(y-\bar y)^2}", "Wright 1921", ("r2_score",),
           "R2Score"),
    Metric("auc", _curve, _area, r"\int \mathrm{TPR}\,d\,\mathrm{FPR}", "Hanley and McNeil 1982; Keras 3", title="AUC"),
    Metric("precision", _counts, lambda hits, found, true: _share(hits, found) if found else 0.0,
           r"\frac{TP}{TP+FP}", title="Precision"),
    Metric("recall", _counts, lambda hits, found, true: _share(hits, true) if true else 0.0,
           r"\frac{TP}{TP+FN}", title="Recall"),
]  # fmt: skip
METRICS = {name: row for row in TABLE for name in (row.name, *row.names, row.title) if name}
_PLAIN = ("accuracy", "acc")


def resolve(spec: Any, loss: Any, y: Tensor, yhat: Tensor) -> Metric:
    """A metric by name, as a row, by a loss's name, or of a function (y, yhat) -> a value for each row.

    "accuracy" is that of the loss and of the shapes; on logits, classes are told apart at 0.

    Raises:  DeclarationError for an unknown name; ShapeError where target and output do not fit it
    """
    if isinstance(spec, Metric):
        return spec
    if isinstance(spec, rows.Maker):
        return configured(spec())
    if callable(spec):
        name = getattr(spec, "__name__", type(spec).__name__)
        return Metric(name, lambda a, b: _mean(spec(a, b)), _share)
    if spec in _PLAIN:
        return _accuracy(spec, loss, y, yhat)
    if spec in METRICS:
        return configured(METRICS[spec])
    if spec in losses.LOSSES:
        row = losses.LOSSES[spec]
        return Metric(spec, lambda a, b: _mean(row.values(a, b)), _share)
    return rows.find("metric", spec, {**METRICS, **losses.LOSSES, **dict.fromkeys(_PLAIN)})


def configured(row: Metric) -> Metric:
    """The row with its options bound."""
    if not row.options:
        return row
    return Metric(row.name, partial(row.of, **dict(row.options)), row.finish, row.formula, row.source)


def _accuracy(name: str, loss: Any, y: Tensor, yhat: Tensor) -> Metric:
    """The accuracy that fits, as Keras chooses it, under the name that was asked for."""
    if not yhat.ndim or not y.ndim:
        raise ShapeError("accuracy needs rows", ("target", described(y.node)), ("output", described(yhat.node)))
    binary = yhat.ndim == 1 or yhat.shape[-1] == 1 or getattr(loss, "name", "") == "binary_crossentropy"
    if binary:
        threshold = 0.0 if getattr(loss, "from_logits", False) else 0.5
        return Metric(name, partial(_binary, threshold=threshold), _share)
    is_sparse = y.dtype == "int" or y.ndim < yhat.ndim or y.shape[-1] == 1
    return Metric(name, _sparse if is_sparse else _categorical, _share)


def __getattr__(name: str) -> Any:
    """Makers under the rows' titles: ``TopKCategoricalAccuracy(k=3)``, ``AUC()``."""
    row = next((r for r in TABLE if r.title == name), None)
    if row is None:
        raise AttributeError(f"there is no metric {name!r}")
    return rows.Maker(row)


__all__ = ["METRICS", "TABLE", "DeclarationError", "Metric", "resolve"]
