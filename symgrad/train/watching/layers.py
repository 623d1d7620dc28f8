"""What happens inside a network at one point of its training: the gradient by layer, the slopes of its activations.

In: a model and the graph of its loss. Out: ``Probe``: one compiled function of a few rows, made of the graph that is
trained, and what its arrays say about each layer. Invariant: it reads the weights and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.api.compile import compile as compile_function
from symgrad.api.differentiate import grad, jacobian
from symgrad.frontend.reductions import sum as total
from symgrad.frontend.tensor import Tensor
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, Variable
from symgrad.ir.walk import substitute, topological, variables
from symgrad.nn.network import Network
from symgrad.ops.leaf import variable

GRID = np.linspace(-8.0, 8.0, 321)  # where an activation's largest slope is looked for
_KEY = 0  # random numbers of a probe: always the same


@dataclass(frozen=True, slots=True)
class Slope:
    """An activation a = f(z) of single elements: f'(t) at a variable t of z's shape, and at z."""

    layer: str
    t: Node
    at_t: Node
    at_z: Node

    def weights(self) -> list[Node]:
        """The variables of f itself, such as a PReLU's alpha."""
        return [v for v in variables([self.at_t]) if v is not self.t]

    def largest(self, weights: Mapping[str, np.ndarray]) -> float:
        """The largest abs(f') on the grid, at these weights."""
        shape = (len(GRID), *self.t.shape[1:])
        spread = np.broadcast_to(GRID.reshape(-1, *[1] * (len(shape) - 1)), shape)
        given = {v: weights[v["variable"].name] for v in self.weights()}
        (found,) = evaluate([self.at_t], {**given, self.t: spread})
        return float(np.max(np.abs(found)))


def slopes(network: Network, output: Node) -> Iterator[Slope]:
    """The activations among the named tensors of a graph: those that are a curve, element by element, of one other.

    What is linear in it (a scaling, a dropout) is none, and neither is a softmax, whose elements hang together.
    """
    owners = {name: row.layer for row in network.rows for name in row.tensors}
    order = topological([output])
    named = {n for n in order if n.op.name == "named"}
    for a in (n for n in order if n in named):
        read = [n for n in topological(a.args, stop=named) if n in named]
        if len(read) != 1 or read[0].type != a.type or len(a.shape) < 2 or a.dtype != "real":
            continue
        t = variable(Variable("t", "input"), a.type)  # the derivative of f alone: z is not looked into
        (f,) = map(Tensor, substitute(a.args, {read[0]: t}))
        if any(v is not t and v["variable"].kind != "parameter" for v in variables([f.node])):
            continue
        if jacobian(f, Tensor(t)).structure != "diagonal":
            continue
        slope = grad(total(f), Tensor(t)).node
        if t in variables([slope]):
            yield Slope(owners.get(a["name"], a["name"]), t, slope, *substitute([slope], {t: read[0]}))


def parameters_by_layer(network: Network) -> dict[str, list[str]]:
    """The names of each layer's parameters; where no layers are known, each parameter by itself."""
    found = {row.layer: list(row.parameters) for row in network.rows if row.parameters}
    known = {name for names in found.values() for name in names}
    rest = [w.node["variable"].name for w in network.parameters]
    return found | {name: [name] for name in rest if name not in known}


class Probe:
    """The gradient of the loss and every slope on given rows, by one compiled function."""

    def __init__(self, model: Any, task: Any) -> None:
        network: Network = model.network
        self.layers, self.order = parameters_by_layer(network), [row.layer for row in network.rows]
        self.slopes = list(slopes(network, task.training.loss))
        wrt = [Tensor(w.node) for w in network.parameters]
        self.names = [w.node["variable"].name for w in network.parameters]
        gradients = grad(Tensor(task.loss), wrt)
        self.key = () if task.training.key is None else (_KEY,)
        keys = [] if task.training.key is None else [Tensor(task.training.key)]
        states = [s.node for s in network.states]
        self.weights = [*self.names, *(s["variable"].name for s in states)]
        inputs = [*map(Tensor, task.training.data), *keys, *wrt, *map(Tensor, states)]
        outputs = [*gradients, *(Tensor(s.at_z) for s in self.slopes)]
        self.function = compile_function(outputs, wrt=[], inputs=inputs, dtype=model.dtype)
        self._largest: dict[int, float] = {}

    def look(self, rows: Sequence[np.ndarray], weights: Mapping[str, np.ndarray], share: float) -> dict[str, dict]:
        """Layer -> quantity -> number, at these weights; ``share`` of the largest slope counts as saturated."""
        found = self.function(*rows, *self.key, *(weights[name] for name in self.weights))
        gradients = dict(zip(self.names, found, strict=False))
        told: dict[str, dict[str, float]] = {}
        for layer, names in self.layers.items():
            told[layer] = {"gradient_norm": norm([np.asarray(gradients[name], float) for name in names])}
        for i, (s, values) in enumerate(zip(self.slopes, found[len(self.names) :], strict=True)):
            steep = np.abs(values)
            told.setdefault(s.layer, {})["saturated"] = float(np.mean(steep <= share * self._limit(i, weights)))
            told[s.layer]["dead"] = float(np.mean((steep == 0).all(axis=0)))
        return {layer: told[layer] for layer in (*self.order, *told) if layer in told}

    def _limit(self, i: int, weights: Mapping[str, np.ndarray]) -> float:
        s = self.slopes[i]
        if i not in self._largest or s.weights():
            self._largest[i] = s.largest(weights)
        return self._largest[i]


def norm(arrays: Sequence[np.ndarray]) -> float:
    """The Euclidean norm of all elements together, of any size that is a number.

    >>> norm([np.array([3e-200]), np.array([[4e-200]])])
    5e-200
    """
    whole = np.concatenate([a.ravel() for a in arrays])
    largest = np.abs(whole).max(initial=0.0)
    if not 0 < largest < np.inf:
        return float(largest)
    return float(largest * np.sqrt(np.sum(np.square(whole / largest))))


__all__ = ["Probe", "Slope", "norm", "parameters_by_layer", "slopes"]
