"""A network as plain data, and back: what a model file says of it beside its graph.

Out: numbers of nodes by their roles, and the lines of the summary. In: the same, where every role is checked. What
initializers and regularizers were is gone: the weights are drawn, and a penalty is stored as a formula.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.frontend.stored_values import from_plain, to_plain
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node
from symgrad.ir.types import Size
from symgrad.nn.network import Network, Row
from symgrad.nn.scope import Statistic, Weight
from symgrad.ops.verify import is_size
from symgrad.train.storage.places import Placed, Places, closed, fields

_FIELDS = ("inputs", "output", "training", "parameters", "states", "updates", "key", "logits", "rows")
_MOST = 2**62  # parameters of a layer
_LONGEST = 1000  # name of a layer


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a parameter costs, as it was stored: a regularizer of that one parameter."""

    value: Tensor

    def __call__(self, w: Tensor) -> Tensor:
        return self.value


def network_to_plain(network: Network, place: Places) -> dict[str, Any]:
    """The roles of the network's nodes.

    Raises:  SymgradError for a regularizer that fails
    """
    optional = {"key": network.key, "logits": network.logits}
    return {
        "inputs": place.all(network.inputs), "output": place(network.output), "training": place(network.training),
        "parameters": [[place(w.node), _penalty(w, place)] for w in network.parameters],
        "states": place.all([s.node for s in network.states]),
        "updates": [place.all(pair) for pair in network.updates],
        **{name: None if node is None else place(node) for name, node in optional.items()},
        "rows": [_told(r) for r in network.rows],
    }  # fmt: skip


def _told(row: Row) -> dict[str, Any]:
    named = {name: list(getattr(row, name)) for name in ("parameters", "tensors")}
    counts = {name: getattr(row, name) for name in ("layer", "kind", "learned", "fixed")}
    return {**counts, **named, "shape": to_plain(tuple(row.shape), {})}


def _penalty(w: Weight, place: Places) -> int | None:
    return None if w.regularizer is None else place(w.regularizer(Tensor(w.node)).node)


def network_from_plain(data: Any, node: Placed) -> Network:
    """The network again; a ValueError says what is wrong with the data."""
    inputs, output, training, parameters, states, updates, key, logits, rows = fields(data, *_FIELDS)
    if not all(isinstance(v, list) for v in (inputs, parameters, states, updates, rows)):
        raise ValueError("a list of the network is none")
    found = Network(
        tuple(node.variable(i, "input") for i in inputs), node(output), node(training),
        tuple(_weight(entry, node) for entry in parameters), tuple(_statistic(i, node) for i in states),
        tuple(_update(entry, node) for entry in updates), None if key is None else node(key, dtype="int", shape=()),
        None if logits is None else node(logits), tuple(_row(entry) for entry in rows),
    )  # fmt: skip
    _check(found)
    return found


def _weight(entry: Any, node: Placed) -> Weight:
    place, penalty = _pair(entry)
    w = _known(node.variable(place, "parameter"))
    regularizer = None if penalty is None else Penalty(Tensor(node(penalty, dtype="real", shape=())))
    return Weight(w, 0.0, regularizer)


def _statistic(place: Any, node: Placed) -> Statistic:
    state = _known(node.variable(place, "state"))
    return Statistic(state, np.zeros(state.shape))


def _update(entry: Any, node: Placed) -> tuple[Node, Node]:
    state, value = _pair(entry)
    target = node.variable(state, "state")
    return target, node(value, dtype="real", shape=target.shape)


def _pair(entry: Any) -> tuple[Any, Any]:
    if not isinstance(entry, list) or len(entry) != 2:
        raise ValueError("an entry of the network is no pair")
    return entry[0], entry[1]


def _known(v: Node) -> Node:
    """A variable whose array is kept: real, of known sizes."""
    if v.dtype != "real" or any(isinstance(n, Size) for n in v.shape):
        raise ValueError(f"{v['variable'].name!r} is a {v.type}, which no array is"[:200])
    return v


def _row(entry: Any) -> Row:
    layer, kind, shape, learned, fixed, *named = fields(entry, *Row.__dataclass_fields__)
    sizes = from_plain(shape, {})
    if not all(isinstance(names, list) for names in named):
        raise ValueError("a line of the summary is damaged")
    texts = all(isinstance(t, str) and len(t) <= _LONGEST for t in (layer, kind, *named[0], *named[1]))
    numbers = all(type(n) is int and 0 <= n <= _MOST for n in (learned, fixed))
    if not texts or not numbers or not isinstance(sizes, tuple) or not all(map(is_size, sizes)):
        raise ValueError("a line of the summary is damaged")
    return Row(layer, kind, sizes, learned, fixed, *map(tuple, named))


def _check(n: Network) -> None:
    """What is taken for granted of a network."""
    batches = {x.shape[:1] for x in n.inputs}
    if len(batches) != 1 or not all(isinstance(size, Size) for b in batches for size in b) or batches == {()}:
        raise ValueError("its inputs have no common batch axis")
    own = [*n.inputs, *(w.node for w in n.parameters), *(s.node for s in n.states)]
    names = [v["variable"].name for v in own]
    if len(set(names)) < len(names) or (n.key is not None and n.key.op.name != "variable"):
        raise ValueError("two of its variables have one name, or its random key is none")
    if n.output.type != n.training.type or {s for s, _ in n.updates} - {s.node for s in n.states}:
        raise ValueError("its outputs differ in kind, or it updates what is no state")
    closed([n.output, *([] if n.logits is None else [n.logits])], own)
    closed([n.training, *(value for _, value in n.updates)], [*own, *([] if n.key is None else [n.key])])


__all__ = ["Penalty", "network_from_plain", "network_to_plain"]
