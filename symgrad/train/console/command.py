"""``python -m symgrad train``: options, a network for the data, and what is printed of its training.

In: the parsed options. Out: the summary, the learning curve as text, and the score on rows that were kept apart.
Features (and a regression's target) are standardised by the training rows; every class is kept apart by its share.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError
from symgrad.nn import losses
from symgrad.nn.layers import Dense
from symgrad.nn.network import summary
from symgrad.train.console import kept, report, tables
from symgrad.train.console.datasets import DRAWN
from symgrad.train.data.scaling import standardise
from symgrad.train.data.split import indices
from symgrad.train.model import Sequential
from symgrad.train.rules import optimizers

_LINES, _WIDTH = 20, 40  # of the learning curve
_ONE_HOT = ("categorical_crossentropy", "kl_divergence", "categorical_hinge", "mse", "mae", "huber", "half_sse")


def add(commands: Any) -> None:
    """The command's options."""
    train = commands.add_parser("train", help="train a network of dense layers and print its learning curve")
    data = train.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", help=f"one of {', '.join([*tables.BUILT_IN, *DRAWN])}")
    data.add_argument("--csv", metavar="FILE", help="a CSV file with a line of names")
    train.add_argument("--target", metavar="COLUMN", help="the column of the CSV file to predict")
    train.add_argument("--numbers", action="store_true", help="the column's whole numbers are numbers, not classes")
    train.add_argument("--hidden", default="32", help="sizes of hidden layers: 64,32; 0 for none (default 32)")
    train.add_argument("--activation", default="relu", help="of the hidden layers (default relu)")
    train.add_argument("--epochs", type=int, default=50)
    train.add_argument("--batch-size", type=int, default=32)
    train.add_argument("--optimizer", default="adam", help="sgd, adam, ... (default adam)")
    train.add_argument("--learning-rate", "--lr", type=float, help="(default: the optimizer's)")
    train.add_argument("--loss", help="(default: cross-entropy for classes, mse for numbers)")
    train.add_argument("--seed", type=int, default=0, help="of data, split, weights and order (default 0)")
    train.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    train.add_argument("--noise", type=float, default=0.0, help="of drawn data, from 0 to 1 (default 0)")
    train.add_argument("--test-share", type=float, default=0.25, help="rows that are kept apart (default 0.25)")
    kept.add(train)
    report.add(train)
    train.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Question:
    """What the network is asked: its last layer's units, the loss, the metric, and targets in the loss's form."""

    units: int
    loss: str
    metric: str
    y: np.ndarray


def run(options: argparse.Namespace) -> int:
    """Train and print.

    Raises:  SymgradError for options that make no sense
    """
    for name, least in (("epochs", 1), ("batch-size", 1), ("seed", 0)):
        if (given := getattr(options, name.replace("-", "_"))) < least:
            raise DeclarationError(f"--{name} is {least} or more", ("given", str(given)))
    kept.check(options)
    report.check(options)
    data = _data(options)
    asked = question(data, options.loss)
    train, test = _parts(data, options.test_share, options.seed)
    features = standardise(data.x[train])
    target = None if data.classes else standardise(asked.y[train][:, None])
    x, y = features(data.x), asked.y if target is None else target(asked.y[:, None])
    net = _network(options, x.shape[1], asked)
    classes = f"{len(data.classes)} classes" if data.classes else "numbers"
    rows = f"{len(train)} to learn, {len(test)} to test"
    given = f"{data.name}: {len(x)} rows of {x.shape[1]} features, {classes}; {rows}"
    made = summary(net.network, f"loss {asked.loss}, optimizer {net.optimizer!r}")
    print(f"{given}\n\n{made}\n")
    seen = report.watchers(options, data)
    logs = net.fit(
        x[train], y[train], validation_data=(x[test], y[test]), epochs=options.epochs, batch_size=options.batch_size,
        seed=options.seed, callbacks=[*seen, *kept.callbacks(options)], resume=kept.resume(options),
    ).history  # fmt: skip
    print(curve(logs, asked.metric))
    score = net.evaluate(x[test], y[test], return_dict=True)[asked.metric]
    ends = f"test {asked.metric} {score:.4f}"
    print(f"\n{ends}")
    kept.write(options, net, asked.loss, (features, target))
    report.write(options, net, seen, [("Data and score", f"{given}\n{ends}"), ("Network", made)])
    return 0


def _parts(data: tables.Data, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows to learn from and those to test on, each class by its share."""
    rows = len(data.x)
    if not 0.0 < share < 1.0 or not 0 < round(rows * share) < rows:
        raise DeclarationError("--test-share leaves no rows on one side", ("rows", str(rows)), ("share", f"{share:g}"))
    if not data.classes:
        return indices(rows, share, seed)
    classes = len(data.classes)
    if rows - round(rows * share) < classes:
        raise DeclarationError(
            "too few rows remain to learn every class from", ("rows", str(rows)), ("classes", str(classes)),
            fix="take a smaller --test-share, or --numbers if the column of --csv holds numbers",
        )  # fmt: skip
    return indices(rows, share, seed, data.y)


def _data(options: argparse.Namespace) -> tables.Data:
    if options.data is not None:
        if options.target is not None or options.numbers:
            raise DeclarationError("--target and --numbers are about a column of --csv", ("data", options.data))
        return tables.named(options.data, options.noise, options.seed)
    if options.target is None:
        raise DeclarationError("--csv needs --target", fix="name the column to predict: --target price")
    return tables.read(options.csv, options.target, options.numbers)


def question(data: tables.Data, loss: str | None) -> Question:
    """Two classes take one logit, more take one each; numbers take one output.

    Raises:  DeclarationError for a loss that does not fit
    """
    many = len(data.classes)
    if not many:
        name = losses.get(loss or "mse").name
        if name not in ("mse", "mae", "huber", "log_cosh", "half_sse"):
            raise DeclarationError(f"{name} is not a loss of numbers", fix="take mse, mae, huber or log_cosh")
        return Question(1, name, "r2", data.y)
    if many < 2:
        raise DeclarationError("the target has one class only", ("class", data.classes[0]))
    name = losses.get(loss or ("binary_crossentropy" if many == 2 else "sparse_categorical_crossentropy")).name
    if name == "binary_crossentropy" and many == 2:
        return Question(1, name, "accuracy", data.y[:, None].astype(float))
    if name == "sparse_categorical_crossentropy":
        return Question(many, name, "accuracy", data.y)
    if name not in _ONE_HOT:
        raise DeclarationError(
            f"{name} is not a loss of {many} classes", fix="take sparse_categorical_crossentropy or mse"
        )
    return Question(many, name, "accuracy", np.eye(many)[data.y])


def _network(options: argparse.Namespace, features: int, asked: Question) -> Sequential:
    """Dense layers as wanted, compiled."""
    stack = [Dense(units, activation=options.activation) for units in _sizes(options.hidden)]
    net = Sequential(
        [*stack, Dense(asked.units)], input_shape=(features,), dtype=options.dtype, seed=options.seed
    )  # fmt: skip
    rate = {} if options.learning_rate is None else {"learning_rate": options.learning_rate}
    optimizer = optimizers.get(options.optimizer, **rate)
    net.compile(optimizer, loss=asked.loss, metrics=[asked.metric], from_logits=asked.metric == "accuracy")
    return net


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        sizes = [-1]
    if sizes == [0]:
        return []
    if not sizes or min(sizes) < 1:
        raise DeclarationError("--hidden is a list of layer sizes", ("given", text[:40]), fix="write --hidden 64,32")
    return sizes


def curve(logs: dict[str, list[float]], metric: str) -> str:
    """The learning curve as text: a line an epoch, at most twenty, with a bar as long as the test loss.

    >>> print(curve({"loss": [1.0], "val_loss": [0.5], "val_r2": [0.25]}, "r2"))
    epoch      loss  test loss  test r2
        1    1.0000     0.5000   0.2500  ########################################
    """
    found = logs["val_loss"]
    top = max((v for v in found if math.isfinite(v)), default=0.0) or 1.0
    lines = [f"epoch  {'loss':>8}  test loss  test {metric}"]
    for i in _places(len(found)):
        bar = "#" * max(0, min(_WIDTH, round(_WIDTH * found[i] / top))) if math.isfinite(found[i]) else ""
        value = f"{logs[f'val_{metric}'][i]:>{5 + len(metric)}.4f}"
        lines.append(f"{i + 1:>5}  {logs['loss'][i]:>8.4f}  {found[i]:>9.4f}  {value}  {bar}".rstrip())
    return "\n".join(lines)


def _places(epochs: int) -> Sequence[int]:
    """The epochs that are shown: evenly, with the first and the last."""
    return sorted({round(i) for i in np.linspace(0, epochs - 1, min(epochs, _LINES))})


__all__ = ["add", "curve", "question", "run"]
