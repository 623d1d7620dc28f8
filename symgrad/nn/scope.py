"""What a layer may ask for while it builds its expressions: parameters, states, random numbers, names.

In: one layer's name and number, one mode. Out: tensors, recorded in a ``Store`` that the two modes of a network share:
the same parameter is the same tensor in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.frontend import declare
from symgrad.frontend.tensor import Tensor, as_node
from symgrad.ir.node import Node, Variable, build
from symgrad.ir.show import printable
from symgrad.ir.types import AnySize, ArrayType
from symgrad.nn import initializers, regularizers
from symgrad.ops import random
from symgrad.ops.leaf import cast, variable

RANDOM_KEY = "random_key"


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter: its variable, how it starts, what it costs."""

    node: Node
    initializer: Any
    regularizer: Any = None


@dataclass(frozen=True, slots=True)
class Statistic:
    """A state that is not learned, such as a running mean: its variable and first value."""

    node: Node
    start: np.ndarray


@dataclass(slots=True)
class Store:
    """What the layers of a network have declared so far, in both modes."""

    weights: dict[tuple[str, str], Weight] = field(default_factory=dict)
    states: dict[tuple[str, str], Statistic] = field(default_factory=dict)
    updates: dict[Node, Node] = field(default_factory=dict)
    key: Node | None = None
    draws: int = 0
    symbols: dict[str, tuple] = field(default_factory=dict)  # LaTeX -> what it stands for
    made: dict[str, str] = field(default_factory=dict)  # a tensor's name -> the layer that made it

    def symbol(self, latex: str, owner: tuple) -> str:
        """The LaTeX for that owner: primes tell apart what would read alike."""
        while self.symbols.setdefault(latex, owner) != owner:
            latex += "'" if latex.endswith("'") else r"{}'"
        return latex


@dataclass(frozen=True, slots=True)
class Scope:
    """One layer in one mode. ``number`` counts layers of weights, the input being 1: W1 leads from a1 to z2."""

    layer: str
    kind: str
    number: int
    training: bool
    store: Store
    advances: bool = True  # whether this layer made the number what it is

    def parameter(
        self, name: str, shape: Sequence[AnySize], initializer: Any, regularizer: Any = None, latex: str | None = None
    ) -> Tensor:
        """A tensor that is learned, called ``<layer>_<name>``; ``latex`` is its letter."""
        key = self.layer, name
        if key not in self.store.weights:
            sizes = self.known(shape, f"its {name}")
            initializers.get(initializer)  # a wrong name is told at once
            text = self._parameter_latex(key, latex)
            v = declare.parameter(f"{self.layer}_{name}", sizes, init=initializer, latex=text)
            self.store.weights[key] = Weight(v.node, initializer, regularizers.get(regularizer))
        return Tensor(self.store.weights[key].node)

    def _parameter_latex(self, key: tuple[str, str], letter: str | None) -> str | None:
        if letter is None:
            return None
        below = self.number - 1 if self.advances else self.number
        return self.store.symbol(f"{letter}^{{({below})}}", key)

    def known(self, shape: Sequence[AnySize], what: str) -> tuple[int, ...]:
        """The shape as integers.

        Raises:  ShapeError where a size is only a name
        """
        if not all(isinstance(n, int) for n in shape):
            raise self.error(
                f"needs known sizes for {what}", ("shape", str(tuple(shape))), fix="give input_shape numbers"
            )
        return tuple(shape)  # type: ignore[arg-type]

    def state(self, name: str, shape: Sequence[AnySize], start: Any, latex: str | None = None) -> Tensor:
        """A tensor that is carried along but not learned, called ``<layer>_<name>``."""
        key = self.layer, name
        if key not in self.store.states:
            sizes = self.known(shape, f"its {name}")
            text = self._parameter_latex(key, latex)
            node = variable(Variable(f"{self.layer}_{name}", "state", text), ArrayType(sizes, "real"))
            first = initializers.draw(start, node, np.random.default_rng(0))
            self.store.states[key] = Statistic(node, first)
        return Tensor(self.store.states[key].node)

    def update(self, state: Tensor, value: Any) -> None:
        """The state's next value; it changes in training only."""
        if self.training:
            self.store.updates[state.node] = cast(as_node(value), "real")

    def uniform(self, shape: Sequence[AnySize], seed: int | None = None) -> Tensor:
        """Numbers in [0, 1) that are new in every step of training."""
        assert self.training, "inference draws nothing"
        if self.store.key is None:
            self.store.key = declare.input(RANDOM_KEY, (), dtype="int").node
        key = random.split(self.store.key, self.store.draws)
        self.store.draws += 1
        return Tensor(random.uniform(key if seed is None else random.split(key, int(seed)), tuple(shape)))

    def name(self, x: Tensor, stem: str, letter: str | None = None) -> Tensor:
        """The tensor under the layer's number: ``z2`` with the LaTeX z^{(2)}; a name that is taken gets a prime."""
        owner = self.layer, stem
        latex = self.store.symbol(f"{letter or stem}^{{({self.number})}}", owner)
        own = f"{stem}{self.number}" + "_" * latex.count("'")
        self.store.made[own] = self.layer
        return Tensor(build("named", x.node, name=own, latex=latex))

    def error(self, message: str, *facts: tuple[str, str], fix: str) -> ShapeError:
        """A complaint in the layer's name."""
        return ShapeError(f"the layer {printable(self.layer)} ({self.kind}) {message}", *facts, fix=fix)
