"""Networks as records: a stack of layers, or any symbolic tensor, as inputs, outputs, parameters and states.

In: layers and an input shape, or tensors. Out: a ``Network``: graphs only; no array but the first values of states.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import DeclarationError, DtypeError, ShapeError, SymgradError
from symgrad.frontend import declare
from symgrad.frontend.freeze import restore_nodes, store
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node, build
from symgrad.ir.show import described, printable
from symgrad.ir.types import Shape, Size, size_product
from symgrad.ir.walk import variables
from symgrad.nn.layers.shape import Input
from symgrad.nn.losses import made_by
from symgrad.nn.scope import RANDOM_KEY, Scope, Statistic, Store, Weight

OUTPUT = "yhat"  # the name of a stack's prediction


@dataclass(frozen=True, slots=True)
class Row:
    """A line of ``summary``: a layer, its output's shape, how many of its numbers are learned and how many are not;
    ``parameters`` and ``tensors`` are the names of what it has and of what it makes.
    """

    layer: str
    kind: str
    shape: Shape
    learned: int
    fixed: int = 0
    parameters: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    """``output`` is that of inference, ``training`` that of training; ``logits`` the output before its last activation
    where that is a softmax or a sigmoid; ``updates`` give the next values of ``states`` in training; ``key`` is the
    integer input that random numbers are made of, where there are any.
    """

    inputs: tuple[Node, ...]
    output: Node
    training: Node
    parameters: tuple[Weight, ...]
    states: tuple[Statistic, ...] = ()
    updates: tuple[tuple[Node, Node], ...] = ()
    key: Node | None = None
    logits: Node | None = None
    rows: tuple[Row, ...] = ()

    def __reduce__(self) -> tuple:
        nodes = [*self.inputs, self.output, self.training, *(w.node for w in self.parameters)]
        nodes += [*(s.node for s in self.states), *(n for pair in self.updates for n in pair)]
        nodes += [n for n in (self.key, self.logits) if n is not None]
        weights = [(w.initializer, w.regularizer) for w in self.parameters]
        starts = [s.start for s in self.states]
        counts = (len(self.inputs), len(self.updates), self.key is not None, self.logits is not None)
        return _restored, (store(nodes), counts, weights, starts, self.rows)

    @property
    def learned(self) -> int:
        """How many numbers are learned."""
        return sum(_count(w.node) for w in self.parameters)

    @property
    def table_rows(self) -> int | None:
        """How many rows the table has that the integers of the input name; None where no Embedding comes first."""
        first = next((row for row in self.rows if row.kind not in ("Flatten", "Reshape")), None)
        if first is None or first.kind != "Embedding":
            return None
        table = f"{first.layer}_embeddings"
        return next((w.node.shape[0] for w in self.parameters if w.node["variable"].name == table), None)


def _restored(stored: tuple, counts: tuple, weights: list, starts: list, rows: tuple) -> Network:
    """A network from its stored graph."""
    nodes = iter(restore_nodes(*stored))
    inputs, updates, has_key, has_logits = counts
    return Network(
        tuple(next(nodes) for _ in range(inputs)), next(nodes), next(nodes),
        tuple(Weight(next(nodes), *w) for w in weights), tuple(Statistic(next(nodes), s) for s in starts),
        tuple((next(nodes), next(nodes)) for _ in range(updates)),
        next(nodes) if has_key else None, next(nodes) if has_logits else None, rows,
    )  # fmt: skip


def sequential(layers: Iterable[Any], input_shape: Any = None, batch: str = "n") -> Network:
    """A stack of layers on an input of shape (batch, *input_shape).

    Maths:   a1 = X, z_l+1 = a_l W_l + b_l, a_l+1 = f(z_l+1), yhat the last
    Raises:  ShapeError in a layer's name where its input does not fit, DeclarationError for names given twice

    >>> from symgrad.nn.layers import Dense
    >>> net = sequential([Dense(3, activation="relu"), Dense(1)], input_shape=(2,))
    >>> net.output.shape, net.learned
    ((n, 1), 13)
    """
    stack = list(layers)
    if stack and isinstance(stack[0], Input):
        first = stack.pop(0)
        input_shape, dtype = (first.shape if input_shape is None else input_shape), first.dtype
    else:
        dtype = None
    named = list(zip(_names(stack), stack, strict=True))
    if not named:
        raise DeclarationError("a network needs at least one layer")
    taken = (getattr(layer, "input_dtype", "real") for layer in stack)  # None: whatever comes
    x = declare.input("X", (batch, *_sizes(input_shape)), dtype=dtype or next(filter(None, taken), "real"))
    store = Store()
    training, _ = _applied(named, x, store, True)
    output, rows = _applied(named, x, store, False)
    return Network(
        (x.node,), output.node, training.node, tuple(store.weights.values()), tuple(store.states.values()),
        tuple(store.updates.items()), store.key, _before_activation(output), tuple(rows),
    )  # fmt: skip


def _sizes(input_shape: Any) -> tuple:
    if input_shape is None:
        fix = "give input_shape=(64,), without the batch"
        raise DeclarationError("a network needs the shape of its input", fix=fix)
    return tuple(input_shape) if isinstance(input_shape, (tuple, list)) else (input_shape,)


def _names(layers: Sequence[Any]) -> list[str]:
    """Each layer's own name, or Keras's: ``dense``, ``dense_1``, ..."""
    own = [getattr(layer, "name", None) for layer in layers]
    seen = Counter(name for name in own if name is not None)
    for name, times in seen.items():
        declare.checked_name(name)
        if times > 1:
            raise DeclarationError(f"two layers are named {printable(name)}", fix="give each its own name, or none")
    counts: Counter[str] = Counter()
    names = []
    for layer, name in zip(layers, own, strict=True):
        while name is None:
            stem = snake(type(layer).__name__)
            name = f"{stem}_{counts[stem]}" if counts[stem] else stem
            counts[stem] += 1
            name = None if name in seen else name
        names.append(name)
    return names


def snake(title: str) -> str:
    """Keras's default name of a class.

    >>> snake("MaxPooling2D"), snake("PReLU")
    ('max_pooling2d', 'p_re_lu')
    """
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", title)).lower()


def _applied(named: list[tuple[str, Any]], x: Tensor, store: Store, training: bool) -> tuple[Tensor, list[Row]]:
    """The output in one mode, and the lines of the summary."""
    number, rows = 1, []
    for name, layer in named:
        if not hasattr(layer, "apply"):
            fix = "use sg.nn.Dense(...) and the like; sg.nn.Activation(f) for a function"
            raise DtypeError("a network is made of layers", ("given", type(layer).__name__), fix=fix)
        advances = getattr(layer, "advances", False)
        number += advances
        x = _one(layer, x, Scope(name, type(layer).__name__, number, training, store, advances))
        own = [w.node for (owner, _), w in store.weights.items() if owner == name]
        kept = sum(_count(s.node) for (owner, _), s in store.states.items() if owner == name)
        known = tuple(w["variable"].name for w in own)
        made = tuple(tensor for tensor, owner in store.made.items() if owner == name)
        rows.append(Row(name, type(layer).__name__, x.shape, sum(map(_count, own)), kept, known, made))
    rows[-1] = replace(rows[-1], tensors=(*rows[-1].tensors, OUTPUT))
    return _renamed(x), rows


def _one(layer: Any, x: Tensor, scope: Scope) -> Tensor:
    """A layer on its input; a complaint of symgrad's is made in the layer's name."""
    try:
        return layer.apply(x, scope)
    except ShapeError as error:
        if error.summary.startswith("the layer "):
            raise
        where = f"the layer {printable(scope.layer)} ({scope.kind}): "
        raise _again(error, where, x) from None


def _again(error: SymgradError, where: str, x: Tensor) -> SymgradError:
    kind = str(x.node.type)
    facts = error.facts if any(kind in text for _, text in error.facts) else (("input", kind), *error.facts)
    return type(error)(where + error.summary, *facts, fix=error.fix, at=error.at)


def _renamed(x: Tensor) -> Tensor:
    """The last layer's result is the prediction, whatever the layer called it."""
    inner = x.node.args[0] if x.node.op.name == "named" else x.node
    return Tensor(build("named", inner, name=OUTPUT, latex=r"\hat{y}"))


def _before_activation(output: Tensor) -> Node | None:
    if not (made_by(output, "softmax") or made_by(output, "sigmoid")):
        return None
    node = output.node
    while node.op.name == "named":
        node = node.args[0]
    return node.args[0]


def _count(node: Node) -> int:
    count = size_product(node.shape)
    return count if isinstance(count, int) else 0


def from_tensors(inputs: Any, output: Any) -> Network:
    """Any symbolic tensor as a network: its parameters are those that it is made of, in order of declaration.

    Raises:  DeclarationError where the inputs are no declared inputs with a batch axis, or one is missing
    """
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    for x in given:
        is_input = isinstance(x, Tensor) and x.node.op.name == "variable" and x.node["variable"].kind == "input"
        if not is_input or not x.shape:
            shown = described(x.node) if isinstance(x, Tensor) else type(x).__name__
            fix = 'declare it as sg.input("X", ("n", 2))'
            raise DeclarationError("a model's input is a declared input with a batch axis", ("given", shown), fix=fix)
    if not isinstance(output, Tensor):
        raise DeclarationError("a model's output is a tensor", ("given", type(output).__name__))
    _check_batch(given, output)
    found = variables([output.node])
    everything = dict.fromkeys([*(x.node for x in given), *found])
    for name, times in Counter(v["variable"].name for v in everything).items():
        if times > 1:
            raise DeclarationError(f"two variables of the model are named {printable(name)}", fix="rename one of them")
    own = {x.node for x in given}
    for v in found:
        if v["variable"].kind != "parameter" and v not in own:
            fix = "add it to inputs, or declare it as a parameter"
            raise DeclarationError("the output needs an input that is not given", ("missing", described(v)), fix=fix)
    weights = tuple(Weight(v, v["variable"].init) for v in found if v["variable"].kind == "parameter")
    network = Network(tuple(x.node for x in given), output.node, output.node, weights)
    return replace(network, logits=_before_activation(output))


def _check_batch(inputs: Sequence[Tensor], output: Tensor) -> None:
    """The first axes are one batch, of any number of rows."""
    sizes = {x.shape[0] for x in inputs}
    if len(sizes) != 1 or not all(isinstance(n, Size) for n in sizes):
        shown = [(printable(x.node["variable"].name), described(x.node)) for x in inputs[:8]]
        fix = 'name it, the same in all inputs: sg.input("X", ("n", 2))'
        raise DeclarationError("the first axis of a model's inputs is one batch of any size", *shown, fix=fix)
    if not output.shape or not isinstance(output.shape[0], Size):
        fix = "leave out the reduction over the batch: it belongs into the loss"
        raise DeclarationError("a model's output has a row for each sample", ("given", described(output.node)), fix=fix)


class Summary(str):
    """Text that shows itself as it is."""

    __slots__ = ()
    __repr__ = str.__str__


def summary(network: Network, title: str = "model") -> Summary:
    """The layers with output shapes and numbers of parameters, as text."""
    head = ("layer", "output shape", "parameters")
    lines = [(f"{r.layer} ({r.kind})", str(r.shape), f"{r.learned + r.fixed:,}") for r in network.rows]
    if not lines:
        lines = [
            (printable(w.node["variable"].name), str(w.node.shape), f"{_count(w.node):,}") for w in network.parameters
        ]
    wide = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    rule = "  ".join("-" * w for w in wide)
    text = [f"{a:<{wide[0]}}  {b:<{wide[1]}}  {c:>{wide[2]}}" for a, b, c in (head, *lines)]
    fixed = sum(_count(s.node) for s in network.states)
    total = f"{network.learned + fixed:,} parameters, {network.learned:,} learned"
    return Summary("\n".join([title, text[0].rstrip(), rule, *text[1:], rule, total]))


__all__ = ["RANDOM_KEY", "Network", "Row", "Statistic", "Summary", "Weight", "from_tensors", "sequential", "summary"]
