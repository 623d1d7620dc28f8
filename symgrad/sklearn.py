"""Estimators with scikit-learn's interface: networks of symgrad as SymgradClassifier and SymgradRegressor.

In: arrays as scikit-learn takes them. Out: estimators that clone, search and pipe. Needs the extra ``sklearn``.
"""

from __future__ import annotations

import numbers
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.utils.metaestimators import available_if  # type: ignore[import-untyped]
from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
from sklearn.utils.validation import (  # type: ignore[import-untyped]
    _check_sample_weight,
    check_is_fitted,
    check_random_state,
    validate_data,
)

from symgrad.nn import losses
from symgrad.nn.layers import Dense
from symgrad.nn.regularizers import REGULARIZERS, Maker
from symgrad.train.model import Sequential
from symgrad.train.rules import optimizers
from symgrad.train.watching.callbacks import Callback


class _Settled(Callback):
    """Stops when the loss has not fallen by ``tol`` for some epochs."""

    def __init__(self, tol: float, patience: int) -> None:
        super().__init__()
        self.tol, self.patience = tol, patience
        self.best, self.waited, self.settled = np.inf, 0, False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.waited = 0 if logs["loss"] < self.best - self.tol else self.waited + 1
        self.best = min(self.best, logs["loss"])
        if self.waited >= self.patience:
            self.settled = self.model.stop_training = True


class _Network(BaseEstimator):
    """What the two estimators share: a stack of dense layers with a linear output."""

    def __init__(
        self, hidden_layer_sizes: Any = (100,), *, activation: Any = "relu", loss: Any = None, optimizer: Any = "adam",
        alpha: float = 0.0001, batch_size: Any = "auto", epochs: int = 200, shuffle: bool = True, tol: float = 1e-4,
        n_iter_no_change: int = 10, kernel_initializer: Any = "glorot_uniform", dtype: str = "float64",
        random_state: Any = None,
    ) -> None:  # fmt: skip
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.optimizer = optimizer
        self.alpha = alpha
        self.batch_size = batch_size
        self.epochs = epochs
        self.shuffle = shuffle
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.kernel_initializer = kernel_initializer
        self.dtype = dtype
        self.random_state = random_state

    def _build(self, features: int, outputs: int) -> None:
        """A new network; its weights are drawn from ``random_state``."""
        sizes = self.hidden_layer_sizes
        sizes = (sizes,) if isinstance(sizes, numbers.Integral) else tuple(sizes)
        penalty = Maker(REGULARIZERS["l2"])(self.alpha / 2) if self.alpha else None
        common: dict[str, Any] = {"kernel_initializer": self.kernel_initializer, "kernel_regularizer": penalty}
        hidden = [Dense(int(n), activation=self.activation, **common) for n in sizes]
        self._seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        layers = [*hidden, Dense(outputs, **common)]
        self.network_ = Sequential(layers, input_shape=(features,), dtype=self.dtype, seed=self._seed)
        row = losses.get(self._loss_name(outputs), from_logits=True)
        self.network_.compile(optimizers.get(self.optimizer), loss=row)
        self.loss_curve_: list[float] = []
        self.n_iter_ = 0

    def _train(self, X: Any, targets: Any, weights: Any, epochs: int) -> None:
        """Some epochs more."""
        size = min(200, len(X)) if self.batch_size == "auto" else int(self.batch_size)
        settled = _Settled(self.tol, self.n_iter_no_change)
        history = self.network_.fit(
            X, targets, epochs=epochs, batch_size=size, shuffle=self.shuffle, sample_weight=weights, verbose=0,
            seed=self._seed + self.n_iter_, callbacks=[settled] if epochs > 1 else [],
        )  # fmt: skip
        self.loss_curve_ += history.history["loss"]
        self.loss_ = self.loss_curve_[-1]
        self.n_iter_ += len(history.epoch)
        if epochs > 1 and not settled.settled:
            message = f"{type(self).__name__}: the loss still falls after {epochs} epochs; give more (epochs=...)"
            warnings.warn(message, ConvergenceWarning, stacklevel=3)

    def _outputs(self, X: Any) -> np.ndarray:
        """The network's outputs for checked rows."""
        check_is_fitted(self)
        return self.network_.predict(validate_data(self, X, reset=False, dtype=[np.float64, np.float32]))

    def _loss_name(self, outputs: int) -> Any:
        raise AssertionError("each estimator has a loss")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        return tags


class SymgradClassifier(ClassifierMixin, _Network):
    """A network for classes, with any loss and activation of symgrad (names, functions, SymPy expressions).

    ``loss`` is by default the cross-entropy on logits; ``fit`` sets ``classes_``, ``loss_curve_`` and ``n_iter_``.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SymgradClassifier:
        """Train anew."""
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs samples of at least 2 classes; y has 1 class")
        self._build(X.shape[1], self._width())
        self._train(X, self._targets(y), self._weights(sample_weight, X), self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> SymgradClassifier:
        """Train one epoch more; the first call needs ``classes`` where y does not hold them all."""
        first = not hasattr(self, "network_")
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], reset=first)
        if first:
            check_classification_targets(y)
            self.classes_ = np.unique(y if classes is None else classes)
            self._build(X.shape[1], self._width())
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(f"y holds classes that were not named at first: {unknown[:5].tolist()}")
        self._train(X, self._targets(y), self._weights(sample_weight, X), 1)
        return self

    def _width(self) -> int:
        """An output for each class; one for two classes, where the loss does not join the outputs of a row."""
        is_joined = self.loss is not None and losses.get(self.loss).over == "sum"
        return len(self.classes_) if is_joined or len(self.classes_) > 2 else 1

    def _loss_name(self, outputs: int) -> Any:
        default = "binary_crossentropy" if outputs == 1 else "sparse_categorical_crossentropy"
        return default if self.loss is None else self.loss

    def _targets(self, y: Any) -> np.ndarray:
        """Places of the classes, one-hot rows where the loss takes no labels."""
        places = np.searchsorted(self.classes_, y)
        if self._width() == 1 or losses.get(self._loss_name(self._width())).has_labels:
            return places
        return np.eye(len(self.classes_))[places]

    def _weights(self, sample_weight: Any, X: Any) -> Any:
        return None if sample_weight is None else _check_sample_weight(sample_weight, X)

    def decision_function(self, X: Any) -> np.ndarray:
        """The network's outputs; for two classes one number a row, the second class's output less the first's."""
        z = self._outputs(X)
        return z[:, 0] if z.shape[1] == 1 else z[:, 1] - z[:, 0] if z.shape[1] == 2 else z

    def predict(self, X: Any) -> np.ndarray:
        """The most likely classes."""
        z = self.decision_function(X)
        return self.classes_[(z > self._border()).astype(int) if z.ndim == 1 else z.argmax(axis=1)]

    def _border(self) -> float:
        """Above it the second class is chosen: 0 for logits, margins and differences, 1/2 for fitted 0 and 1."""
        row = losses.get(self._loss_name(self._width()))
        return 0.0 if row.logits is not None or "hinge" in row.name or self._width() == 2 else 0.5

    def _has_probabilities(self) -> bool:
        return self.loss is None or losses.get(self.loss).logits is not None

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, by sigmoid or softmax of the outputs; only where the loss takes logits."""
        z = self.decision_function(X)
        z = np.column_stack([np.zeros_like(z), z]) if z.ndim == 1 else z
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)


class SymgradRegressor(RegressorMixin, _Network):
    """A network for numbers, with any loss and activation of symgrad; ``loss`` is by default the mean squared error."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SymgradRegressor:
        """Train anew."""
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True)
        self._is_vector = y.ndim == 1
        self._build(X.shape[1], 1 if y.ndim == 1 else y.shape[1])
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        self._train(X, y, weights, self.epochs)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> SymgradRegressor:
        """Train one epoch more."""
        first = not hasattr(self, "network_")
        options: dict[str, Any] = {"dtype": [np.float64, np.float32], "multi_output": True, "y_numeric": True}
        X, y = validate_data(self, X, y, reset=first, **options)
        if first:
            self._is_vector = y.ndim == 1
            self._build(X.shape[1], 1 if y.ndim == 1 else y.shape[1])
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, X)
        self._train(X, y, weights, 1)
        return self

    def _loss_name(self, outputs: int) -> Any:
        return "mse" if self.loss is None else self.loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def predict(self, X: Any) -> np.ndarray:
        """The fitted numbers."""
        z = self._outputs(X)
        return z[:, 0] if self._is_vector else z


__all__ = ["SymgradClassifier", "SymgradRegressor"]
