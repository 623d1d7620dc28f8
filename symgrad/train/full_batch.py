"""Training by an optimizer of SciPy's, on all rows at once: the flat gradient of the whole loss.

In: a fit whose optimizer is full-batch. Out: the history, with an epoch for each iteration, at most ``epochs`` and at
most the optimizer's ``maxiter``; the best point found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from symgrad.errors import NumericError, UnsupportedError
from symgrad.nn.network import Network
from symgrad.train.history import History
from symgrad.train.loop import Course
from symgrad.train.objective import Task, has_weights
from symgrad.train.pace import MOST_ROWS
from symgrad.train.watching.watch import Logs, Watch


def check_full_batch(network: Network, name: str) -> None:
    """A line search needs one loss: nothing that is drawn or carried along.

    Raises:  UnsupportedError
    """
    drawn = "draws random numbers (Dropout)" if network.key is not None else ""
    if drawn or network.updates:
        why = drawn or "keeps running statistics (BatchNormalization)"
        fix = "leave that layer out, or take Adam"
        raise UnsupportedError(f"{name} needs a loss that is the same at every call", ("the network", why), fix=fix)


def run_full_batch(fit: Any) -> History:
    """Minimise with SciPy; callbacks see an epoch for each iteration.

    Raises:  NumericError where the loss is not finite at the start
    """
    model, source, first = fit.model, fit.training, fit.options.initial_epoch
    function = model.compiled_loss(_task(fit))
    course = Course(source.rows, source.rows)
    options = dict(model.optimizer.options)
    last = min(fit.options.epochs, first + options["maxiter"])
    flat = _Flat(model, function, source.given)
    if not np.isfinite(flat.both(flat.start)[0]):
        raise NumericError("the loss is not finite at the start", fix="check the data and the initial weights")
    model.history, model.stop_training = History(), False
    watch = Watch(model, fit.callbacks(course), course, _logs(fit), fit.validate())

    def iteration(intermediate_result: Any) -> None:
        flat.put(intermediate_result.x)
        epoch, totals = first + len(model.history.epoch), np.array([intermediate_result.fun])
        watch.advanced(epoch + 1, totals)
        watch.epoch_ends(epoch, totals)
        if model.stop_training or epoch + 1 >= last:
            raise StopIteration
        watch.epoch_begins(epoch + 1)

    def descend() -> None:
        if first >= last:
            return
        watch.epoch_begins(first)
        settings = {**options, "maxiter": last - first}
        best = minimize(flat.both, flat.start, jac=True, method="L-BFGS-B", options=settings, callback=iteration)
        if np.isfinite(best.fun):
            flat.put(best.x)

    fit.surrounded(watch, descend)
    return model.history


def _logs(fit: Any) -> Callable[[np.ndarray], Logs]:
    """The loss that was reached, then the metrics at that point."""
    model, source, task = fit.model, fit.training, _task(fit)

    def finish(totals: np.ndarray) -> Logs:
        metrics = model.evaluated(task, source, MOST_ROWS) if task.finishers else {}
        return {**metrics, "loss": float(totals[0])}

    return finish


def _task(fit: Any) -> Task:
    """The task of the rows, with their weights where they have any."""
    return fit.model.task(has_weights(fit.training.variables, fit.model.task(False)))


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
