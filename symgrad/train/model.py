"""Model: a network with its weights, its loss and its optimizer.

In: symbolic inputs and outputs (or a stack of layers). Out: ``compile``, ``fit``, ``predict``, ``evaluate``, ``save``,
as Keras names them, around one compiled training loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.api.bundle import DTYPES
from symgrad.api.compile import compile as compile_function
from symgrad.api.function import CompiledFunction
from symgrad.errors import CallError, DeclarationError, ShapeError
from symgrad.frontend.tensor import Tensor
from symgrad.ir.show import printable
from symgrad.nn import initializers
from symgrad.nn.network import Network, Summary, from_tensors, sequential, summary
from symgrad.runtime.border import listed
from symgrad.train.fit import BATCH, Fit, batch_of, whole_number
from symgrad.train.full_batch import check_full_batch, run_full_batch
from symgrad.train.history import History
from symgrad.train.loop import Course, Loop
from symgrad.train.objective import Task, Wanted
from symgrad.train.pace import clocks, rows_at_once
from symgrad.train.rules import optimizers
from symgrad.train.rules.optimizers import Optimizer
from symgrad.train.source import Source
from symgrad.train.state import State
from symgrad.train.step import evaluation_of, slots_of, step_of
from symgrad.train.storage import files
from symgrad.train.storage.saved import stored
from symgrad.train.storage.tasks import Stored
from symgrad.train.watching.watch import finisher


class Model:
    """Any symbolic tensor with its parameters as a model.

    ``inputs`` is one declared input or a list; their first axis is the batch. Weights are drawn at once from ``seed``.

    >>> import symgrad as sg
    >>> X = sg.input("X", ("n", 2))
    >>> W = sg.parameter("W", (2, 1), init="zeros")
    >>> sg.Model(inputs=X, outputs=X @ W).predict([[1.0, 2.0]])
    array([[0.]])
    """

    def __init__(
        self, inputs: Any, outputs: Any, *, dtype: str = "float64", seed: int = 0, name: str = "model"
    ) -> None:
        self._start(from_tensors(inputs, outputs), dtype, seed, name)

    def _start(self, network: Network, dtype: str, seed: int | None, name: str) -> None:
        self.name, self.dtype = name, getattr(dtype, "__name__", str(dtype))
        if self.dtype not in DTYPES:
            raise DeclarationError("dtype is float64 or float32", ("given", printable(self.dtype)))
        self.seed = None if seed is None else whole_number("seed", seed, 0)
        self.network = network
        self.history = History()
        self.stop_training = False
        self.learning_rate = 0.0
        self.iterations = 0  # updates made so far
        self._loops: dict[tuple, Loop] = {}
        self._tasks: dict[bool, Task] = {}
        self._wanted: Wanted | Stored | None = None
        rng = np.random.default_rng(self.seed)
        weights = [initializers.draw(w.initializer, w.node, rng) for w in network.parameters]
        nodes = [*(w.node for w in network.parameters), *(s.node for s in network.states)]
        arrays = [*weights, *(s.start for s in network.states)]
        self._weights = State(
            [v["variable"].name for v in nodes], [v.shape for v in nodes],
            [np.asarray(a, self.dtype) for a in arrays],
        )  # fmt: skip
        self._slots: State | None = None

    def __getstate__(self) -> dict[str, Any]:
        """All but compiled code, which is made again."""
        state = {**self.__dict__, "_loops": {}, "_tasks": {}}
        state.pop("_predictor", None)
        return state

    # -- what is learned

    def state_dict(self) -> dict[str, np.ndarray]:
        """Every weight (and running statistic) by name, copied."""
        return self._weights.copied()

    def load_state_dict(self, weights: Mapping[str, Any]) -> None:
        """Set every weight by name.

        Raises:  ShapeError for other names or shapes; the model is then unchanged
        """
        mine = self._weights
        if set(weights) != set(mine.names):
            raise ShapeError(
                "the weights have other names",
                ("model", listed(mine.names)),
                ("given", listed(list(map(str, weights)))),
            )
        arrays = {}
        for name, shape in zip(mine.names, mine.shapes, strict=True):
            arrays[name] = np.asarray(weights[name], self.dtype)
            if arrays[name].shape != shape:
                raise ShapeError(
                    f"{printable(name)} has another shape", ("model", str(shape)), ("given", str(arrays[name].shape))
                )
        mine.restore(arrays)

    def save(self, path: Any) -> None:
        """Put the model in a file, at once: weights, formulas, optimizer and its state; ``sg.nn.load`` reads it.

        Raises:  UnsupportedError for what no file holds, NumericError for weights that are not finite, OSError if the
                 file cannot be written; the file that was there is then as it was
        """
        files.write(path, *stored(self, "Sequential" if isinstance(self, Sequential) else "Model"))

    # -- how it is learned

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Sequence[Any] | None = None,
        from_logits: bool = False,
    ) -> None:  # fmt: skip
        """Choose optimizer, loss and metrics; the weights stay, the optimizer starts anew."""
        chosen = optimizers.get(optimizer)
        if loss is None:
            raise CallError("compile needs a loss", fix='net.compile(loss="mse")')
        if chosen.full_batch:
            check_full_batch(self.network, chosen.name)
        named_metrics = (metrics,) if isinstance(metrics, str) else tuple(metrics or ())
        wanted = Wanted(loss, named_metrics, from_logits)
        task = wanted.task(self.network, False)  # complains before anything is changed
        self._take(chosen, wanted)
        self._tasks[False] = task

    def _take(self, optimizer: Optimizer, wanted: Wanted | Stored) -> None:
        """From now on this optimizer for these tasks, from its first step."""
        self.optimizer, self._wanted = optimizer, wanted
        self._loops.clear()
        self._tasks = {}
        self.learning_rate = optimizer.learning_rate_start
        self.iterations = 0
        self._slots = self._fresh_slots()

    def _fresh_slots(self) -> State:
        parameters = [w.node for w in self.network.parameters]
        slots = slots_of(self.optimizer, parameters)
        nodes = slots.flat()
        starts = {s.name: s.start for s in self.optimizer.slots}
        names = [name for own in slots.own for name in own] + list(slots.shared)
        arrays = [np.full(v.shape, starts[name], self.dtype) for v, name in zip(nodes, names, strict=True)]
        return State([v["variable"].name for v in nodes], [v.shape for v in nodes], arrays)

    def task(self, weighted: bool) -> Task:
        """What is minimised, with row weights or without."""
        if self._wanted is None:
            raise CallError("the model is not compiled", fix='call net.compile(optimizer="adam", loss="mse") first')
        if weighted not in self._tasks:
            self._tasks[weighted] = self._wanted.task(self.network, weighted)
        return self._tasks[weighted]

    def loop(self, weighted: bool, shuffled: bool) -> Loop:
        """The compiled training loop of that kind."""
        key = ("train", weighted, shuffled)
        if key not in self._loops:
            step = step_of(self.task(weighted).training, self.optimizer, shuffled=shuffled, doc=f"Train {self.name}.")
            self._loops[key] = Loop(step, self.dtype)
        return self._loops[key]

    def compiled_loss(self, task: Task) -> CompiledFunction:
        """The loss of a task as a function of its data, then of the parameters."""
        wrt = [Tensor(w.node) for w in self.network.parameters]
        given = [Tensor(v) for v in task.training.data]
        return compile_function(Tensor(task.loss), wrt=wrt, inputs=[*given, *wrt], dtype=self.dtype)

    @property
    def loss_function(self) -> CompiledFunction:
        """The loss as a compiled function of data and parameters: its derivation, check and source."""
        task = self.task(False)
        wrt = [Tensor(w.node) for w in self.network.parameters]
        return compile_function(Tensor(task.loss), wrt=wrt, dtype=self.dtype)

    def __repr__(self) -> str:
        ends = f"{', '.join(str(x.shape) for x in self.network.inputs)} -> {self.network.output.shape}"
        return f"<{type(self).__name__} {self.name}: {ends}, {self.network.learned:,} learned parameters>"

    def summary(self) -> Summary:
        """The layers with their output shapes and numbers of parameters."""
        return summary(self.network, self.name)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **options: Any) -> History:
        """Train, as Keras: ``fit(x, y, batch_size=32, epochs=1, ...)``; the options are ``symgrad.train.fit.Options``.

        Raises:  NumericError where loss, gradient or update are not finite: the weights are those before that step
        """
        run = Fit(self, x, y, *args, **options)
        return run_full_batch(run) if self.optimizer.full_batch else run.run()

    # -- what it says

    @cached_property
    def _predictor(self) -> CompiledFunction:
        n = self.network
        inputs = [Tensor(v) for v in (*n.inputs, *(w.node for w in n.parameters), *(s.node for s in n.states))]
        return compile_function(Tensor(n.output), wrt=[], inputs=inputs, dtype=self.dtype)

    def predict(self, x: Any, batch_size: int | None = None, verbose: Any = "auto") -> np.ndarray:
        """The outputs for rows of inputs, in the mode of inference; nothing is shown, whatever ``verbose`` says."""
        source = Source(self.network.inputs, self._given(self.network.inputs, x), self.dtype, self.network.table_rows)
        weights = [self._weights[name] for name in self._weights.names]
        step = batch_of("batch_size", batch_size) or rows_at_once([self.network.output])
        parts = []
        for begin in range(0, source.rows, step):
            rows = [source.rows_of(i, begin, begin + step) for i in range(len(source.given))]
            parts.append(self._predictor(*rows, *weights))
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: Any = "auto",
        sample_weight: Any = None, return_dict: bool = False,
    ) -> Any:  # fmt: skip
        """The loss, or ``[loss, *metrics]``, or a dict; the loss is the row-weighted mean over batches.

        Nothing is shown, whatever ``verbose`` says.
        """
        task = self.task(sample_weight is not None)
        source = self.source(task, x, y, sample_weight)
        logs = self.evaluated(task, source, batch_of("batch_size", batch_size) or BATCH)
        if return_dict:
            return logs
        values = list(logs.values())
        return values[0] if len(values) == 1 else values

    def evaluated(self, task: Task, source: Source, size: int) -> dict[str, float]:
        """Loss and metrics over a source."""
        key = ("evaluate", task.weight is not None)
        if key not in self._loops:
            self._loops[key] = Loop(evaluation_of(task.evaluation, doc=f"Evaluate {self.name}."), self.dtype)
        loop = self._loops[key]
        course = Course(source.rows, min(size, source.rows))
        clock = loop.clock(source.rows)
        while (first := clock.step) < course.per_epoch:
            wanted = first + max(1, loop.pace.amount // course.size)
            last, begun = source.limit(course, first, min(wanted, course.per_epoch)), clocks()
            loop.run(course, clock, source.arrays(course, (first, last), None), self._weights.arrays, (last, 0.0))
            loop.pace.adapt(begun, (last - first) * course.size)
        return finisher(task.finishers)(clock.totals)

    def source(self, task: Task, x: Any, y: Any, weight: Any) -> Source:
        """The data of a task, checked."""
        given = self._given(self.network.inputs, x)
        if task.targets:
            given += self._given(task.targets, y)
        elif y is not None:
            raise CallError("the loss has no target, but y is given", fix="leave y out")
        nodes = (*self.network.inputs, *task.targets)
        if task.weight is not None:
            nodes, given = (*nodes, task.weight), [*given, weight]
        found = Source(nodes, given, self.dtype, self.network.table_rows)
        if task.targets and (task.classes is not None or task.of_probabilities):
            found.check_targets(len(self.network.inputs), task.classes, task.ignored)
        return found

    def _given(self, variables: Sequence[Any], value: Any) -> list[Any]:
        """One array for each variable: an array, a list of arrays in order, or a dict by name."""
        names = [v["variable"].name for v in variables]
        if value is None:
            raise CallError(f"missing data for {listed(names)}")
        if isinstance(value, Mapping):
            if set(value) != set(names):
                raise CallError(
                    "the data have other names", ("needed", listed(names)), ("given", listed(list(map(str, value))))
                )
            return [value[name] for name in names]
        if len(names) == 1:
            return [value]
        if not isinstance(value, (list, tuple)) or len(value) != len(names):
            raise CallError(f"give {len(names)} arrays", ("needed", listed(names)))
        return list(value)


class Sequential(Model):
    """A stack of layers.

    >>> from symgrad.nn.layers import Dense
    >>> Sequential([Dense(3, activation="relu"), Dense(1)], input_shape=(2,)).predict([[0.0, 0.0]])
    array([[0.]])
    """

    def __init__(
        self, layers: Any, input_shape: Any = None, *, dtype: str = "float64", seed: int = 0, name: str = "sequential"
    ) -> None:  # fmt: skip
        self._start(sequential(layers, input_shape), dtype, seed, name)
