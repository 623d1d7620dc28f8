"""Training by an optimizer of SciPy's, on all rows at once: the flat gradient of the whole loss.

In: a fit whose optimizer is full-batch. Out: the history, with an epoch for each iteration; the best point found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from symgrad.errors import NumericError
from symgrad.train.history import History
from symgrad.train.loop import Course
from symgrad.train.watching.watch import Watch


def run_full_batch(fit: Any) -> History:
    """Minimise with SciPy; callbacks see an epoch for each iteration.

    Raises:  NumericError where the loss is not finite at the start
    """
    model, source = fit.model, fit.training
    task = model.task(task_is_weighted(fit))
    function = model.compiled_loss(task)
    course = Course(source.rows, source.rows)
    model.history, model.stop_training = History(), False
    watch = Watch(model, fit.callbacks(course), course, lambda totals: {"loss": float(totals[0])}, fit.validate())
    flat = _Flat(model, function, source.given)
    first, _ = flat.both(flat.start)
    if not np.isfinite(first):
        raise NumericError("the loss is not finite at the start", fix="check the data and the initial weights")

    def iteration(intermediate_result: Any) -> None:
        flat.put(intermediate_result.x)
        epoch = len(model.history.epoch)
        watch.epoch_ends(epoch, np.array([intermediate_result.fun]))
        if model.stop_training:
            raise StopIteration

    def descend() -> None:
        options = {**dict(model.optimizer.options), "maxiter": fit.options.epochs}
        best = minimize(flat.both, flat.start, jac=True, method="L-BFGS-B", options=options, callback=iteration)
        if np.isfinite(best.fun):
            flat.put(best.x)

    fit.surrounded(watch, descend)
    return model.history


def task_is_weighted(fit: Any) -> bool:
    """Whether the data of a fit hold row weights."""
    model = fit.model
    return len(fit.training.variables) > len(model.network.inputs) + len(model.task(False).targets)


class _Flat:
    """Parameters as one vector."""

    def __init__(self, model: Any, function: Any, data: list[Any]) -> None:
        self.model, self.function, self.data = model, function, data
        self.names = [w.node["variable"].name for w in model.network.parameters]
        self.shapes = [model._weights[name].shape for name in self.names]
        self.start = np.concatenate([model._weights[name].reshape(-1).astype(float) for name in self.names])

    def both(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient."""
        value, gradient = self.function.value_and_grad(*self.data, *self.parts(x))
        return float(value), np.concatenate([np.ravel(np.asarray(g, float)) for g in gradient])

    def parts(self, x: np.ndarray) -> list[np.ndarray]:
        """The parameters' arrays."""
        sizes = [int(np.prod(s, dtype=int)) for s in self.shapes]
        return [p.reshape(s) for p, s in zip(np.split(x, np.cumsum(sizes)[:-1]), self.shapes, strict=True)]

    def put(self, x: np.ndarray) -> None:
        """Write the parameters into the model."""
        for name, part in zip(self.names, self.parts(x), strict=True):
            self.model._weights.set(name, part)
