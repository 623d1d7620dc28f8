"""A model as a document and arrays, and back.

    document = {"model": {class, name, dtype, seed}, "graph": {...}, "network": {...},
                "compiled": null | {optimizer, learning_rate, iterations, plain, weighted}}
    arrays   = "weights/<name>", "slots/<name>", and the constants of the graph

Every formula (layers, penalties, losses, metrics) stands in the one graph, so that any symbolic model is stored and no
class or code is. What was written is read once before it is written: a file that cannot be loaded is not made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import NumericError, SymgradError, UnsupportedError
from symgrad.frontend.stored import graph_from_json, graph_to_json
from symgrad.ir.show import printable
from symgrad.nn.network import Network
from symgrad.train.rules.optimizers import Optimizer
from symgrad.train.state import State
from symgrad.train.storage.networks import network_from_plain, network_to_plain
from symgrad.train.storage.optimizer import optimizer_from_plain, optimizer_to_plain
from symgrad.train.storage.places import Placed, Places, fields
from symgrad.train.storage.tasks import Stored, task_from_plain, task_to_plain

CLASSES = ("Model", "Sequential")
_DTYPES = ("float32", "float64")
_CONSTANT = re.compile("constant_[0-9a-f]{16}")
_LONGEST = 10_000  # name of a model
_WORD = 2**63
# What reading raises for data that no model is stored as.
WRONG = (SymgradError, ValueError, TypeError, KeyError, IndexError, AssertionError, OverflowError, RecursionError)


@dataclass(frozen=True, slots=True)
class Compiled:
    """How a stored model learns: optimizer, its learning rate and updates made, and what is minimised."""

    optimizer: Optimizer
    learning_rate: float
    iterations: int
    tasks: Stored


@dataclass(frozen=True, slots=True)
class Saved:
    """A stored model, but for its arrays."""

    kind: str
    name: str
    dtype: str
    seed: int | None
    network: Network
    compiled: Compiled | None


def stored(model: Any, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The document and the arrays of a model.

    Raises:  UnsupportedError for what no file holds (a metric that ends with a function of its own); NumericError for
             weights that are not finite
    """
    arrays: dict[str, np.ndarray] = {}
    for part, state in _states(model).items():
        if (bad := state.not_finite()) is not None:
            fix = "train with smaller steps; fit keeps the weights finite, load_state_dict takes what it is given"
            raise NumericError(f"a model with NaN or infinity is not saved: {printable(bad)}", fix=fix)
        arrays |= {f"{part}/{name}": state[name] for name in state.names}
    place = Places()
    network = network_to_plain(model.network, place)
    compiled = _compiled(model, place)
    seed = int(model.seed) if isinstance(model.seed, (int, np.integer)) and abs(int(model.seed)) < _WORD else None
    document = {
        "model": {"class": kind, "name": str(model.name), "dtype": model.dtype, "seed": seed},
        "graph": graph_to_json(place.nodes, arrays), "network": network, "compiled": compiled,
    }  # fmt: skip
    try:
        parsed(document, arrays)
    except WRONG as error:
        raise UnsupportedError("this model is not stored", ("why", reason(error))) from error
    return document, arrays


def _states(model: Any) -> dict[str, State]:
    return {"weights": model._weights} | ({} if model._slots is None else {"slots": model._slots})


def _compiled(model: Any, place: Places) -> dict[str, Any] | None:
    if model._slots is None:
        return None
    try:
        weighted = model.task(True)
    except SymgradError:  # a loss that takes no row weights
        weighted = None
    return {
        "optimizer": optimizer_to_plain(model.optimizer), "learning_rate": float(model.learning_rate),
        "iterations": int(model.iterations), "plain": task_to_plain(model.task(False), place),
        "weighted": None if weighted is None else task_to_plain(weighted, place),
    }  # fmt: skip


def parsed(document: Any, arrays: Mapping[str, np.ndarray]) -> Saved:
    """What a document says, checked; one of ``WRONG`` tells what is wrong with it."""
    model, graph, network, compiled = fields(document, "model", "graph", "network", "compiled")
    kind, name, dtype, seed = fields(model, "class", "name", "dtype", "seed")
    if kind not in CLASSES or dtype not in _DTYPES or not isinstance(name, str) or len(name) > _LONGEST:
        raise ValueError("its class, name or dtype is none")
    if seed is not None and (type(seed) is not int or abs(seed) >= _WORD):
        raise ValueError("its seed is none")
    constants = {key: a for key, a in arrays.items() if is_constant(key)}
    node = Placed(graph_from_json(graph, constants))
    found = network_from_plain(network, node)
    return Saved(kind, name, dtype, seed, found, None if compiled is None else _course(compiled, found, node))


def _course(data: Any, network: Network, node: Placed) -> Compiled:
    names = ("optimizer", "learning_rate", "iterations", "plain", "weighted")
    optimizer, rate, iterations, plain, weighted = fields(data, *names)
    is_rate = type(rate) in (int, float) and math.isfinite(rate) and rate >= 0
    if not is_rate or type(iterations) is not int or abs(iterations) >= _WORD // 2:
        raise ValueError("its learning rate or its number of updates is none")
    tasks = Stored(
        network, task_from_plain(plain, network, node),
        None if weighted is None else task_from_plain(weighted, network, node),
    )  # fmt: skip
    return Compiled(optimizer_from_plain(optimizer), float(rate), iterations, tasks)


def is_constant(name: str) -> bool:
    """Whether an array is a constant of the graph, which may hold anything."""
    return _CONSTANT.fullmatch(name) is not None


def filled(model: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Put stored arrays into a model; a ValueError names the first that does not fit, before anything is changed."""
    states = _states(model)
    wanted = {f"{part}/{name}": (state, name) for part, state in states.items() for name in state.names}
    for key in arrays:
        if key not in wanted and not is_constant(key):
            raise ValueError(f"the array {printable(key)} belongs to nothing in it")
    for key, (state, name) in wanted.items():
        a, mine = arrays.get(key), state[name]
        if a is None:
            raise ValueError(f"the array {printable(key)} is missing")
        if (a.shape, a.dtype) != (mine.shape, mine.dtype):
            raise ValueError(f"{printable(key)} is {a.dtype}{list(a.shape)}, not {mine.dtype}{list(mine.shape)}")
        if not np.isfinite(a).all():
            raise ValueError(f"{printable(key)} holds NaN or infinity")
    for key, (state, name) in wanted.items():
        state.set(name, arrays[key])


def reason(error: BaseException) -> str:
    """What a complaint says, in a line."""
    if isinstance(error, SymgradError):
        fact = next((text for label, text in error.facts if label == "why"), "")
        return printable(f"{error.summary}: {fact}" if fact else error.summary, 200)
    return printable(str(error) or type(error).__name__, 200)


__all__ = ["CLASSES", "WRONG", "Compiled", "Saved", "filled", "is_constant", "parsed", "reason", "stored"]
