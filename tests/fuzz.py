"""Random graphs over every op and function: each is a scalar of real inputs, with a point where it is smooth.

Grown node by node from inputs with named sizes; every node is evaluated by its reference as it is added, so that
arguments can be brought into a row's domain and values stay of moderate size. A graph depends on its seed alone.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import symgrad as sg
from symgrad.frontend.tensor import Tensor
from symgrad.ir.evaluate import bound_sizes, evaluate
from symgrad.ir.node import Node, build, constant
from symgrad.ir.types import named
from symgrad.ir.walk import topological
from symgrad.ops import errorfree
from symgrad.ops import random as random_ops
from symgrad.ops.registry import ROWS, Elementwise
from tests.lower.graphs import KINDS, LATER, Grower, declare

SIZES = ({"n": 4, "m": 5, "k": 2}, {"n": 3, "m": 1, "k": 1}, {"n": 3, "m": 2, "k": 4})
LARGER = {"n": 19, "m": 9, "k": 5}  # a second point: vectors with tails, blocked sums
SHAPES = [("n", "m"), ("m", 3), ("n",), ("m",), (), (1, "m"), ("n", 1), ("k", "n", "m"), (3,), (2, 3)]
LARGEST = 1e3
TAME = (0.4, 0.75)  # inputs 0 and 1 are drawn from here: what logarithms and roots take as it is, at any sizes
ORDERS = (1, 2, 3)
# A rounding error is not a function of the reals; what carries them is compared through the formulas it corrects.
ERROR_ROWS = {row.name for row in errorfree.TABLE}
PLAIN_ROWS = [row for row in ROWS.values() if row.name not in ERROR_ROWS and row.takes != ("int",)]
REAL_ROWS = [row for row in PLAIN_ROWS if "real" in row.takes]

Function = Callable[[random.Random, Tensor], Tensor]


def _axis(r: random.Random, x: Tensor) -> int:
    return r.randrange(x.ndim)


FUNCTIONS: dict[str, Function] = {
    "mean": lambda r, x: sg.mean(x, axis=_axis(r, x), keepdims=r.random() < 0.5),
    "var": lambda r, x: sg.var(x, axis=_axis(r, x)),
    "std": lambda r, x: sg.std(x, axis=None) if r.random() < 0.5 else sg.std(x, axis=_axis(r, x)),
    "norm": lambda r, x: sg.norm(x, ord=r.choice([None, 1, np.inf]), axis=_axis(r, x)),
    "softmax": lambda r, x: sg.softmax(x, axis=_axis(r, x)),
    "log_softmax": lambda r, x: sg.log_softmax(x, axis=_axis(r, x)),
    "logsumexp": lambda r, x: sg.logsumexp(x, axis=_axis(r, x), keepdims=True),
    "max": lambda r, x: sg.max(x, axis=_axis(r, x)),
    "prod": lambda r, x: sg.prod(sg.tanh(x), axis=_axis(r, x)),
    "cumsum": lambda r, x: sg.cumsum(x, axis=r.choice([None, _axis(r, x)])),
    "flip": lambda r, x: x[::-1],
    "last": lambda r, x: x[-1],
    "tail": lambda r, x: x[1:] if x.shape[0] != 1 else x,
    "gram": lambda r, x: x @ x.T if x.ndim == 2 else sg.outer(x, x) if x.ndim == 1 else x,
    "stack": lambda r, x: sg.stack([x, sg.sin(x)], axis=_axis(r, x)),
    "expand": lambda r, x: sg.expand_dims(x, _axis(r, x)),
    "diag": lambda r, x: sg.diag(x) if x.ndim == 1 else sg.diag(x @ x.T) if x.ndim == 2 else x,
    "triangles": lambda r, x: sg.tril(x) - sg.triu(x, 1) if x.ndim >= 2 else x,
    "einsum": lambda r, x: sg.einsum("ij,kj->ik", x, sg.cos(x)) if x.ndim == 2 else x,
    "one_hot": lambda r, x: sg.one_hot(sg.argmax(x, axis=-1), 3) * 1.5 if x.shape[-1] == 3 else x,
    "take": lambda r, x: sg.take(x, np.array([0, -1, 0]), axis=_axis(r, x)),
    "argmin": lambda r, x: sg.sin(1.0 * sg.argmin(x, axis=_axis(r, x))),
    "named": lambda r, x: sg.named("z2", x * x) + sg.named("z2", sg.cos(x)),
    "jacobian": lambda r, x: sg.jacobian(sg.sin(x), x) @ x if x.ndim == 1 else x,
    "gelu": lambda r, x: sg.gelu(x),
    "silu": lambda r, x: sg.silu(x),
    "mish": lambda r, x: sg.mish(x),
    "elu": lambda r, x: sg.elu(x, 0.7),
    "selu": lambda r, x: sg.selu(x),
    "leaky_relu": lambda r, x: sg.leaky_relu(x),
    "relu6": lambda r, x: sg.relu6(3 * x),
    "piecewise_linear": lambda r, x: sg.piecewise_linear(x),
    "step": lambda r, x: sg.step(x, 0.3) * x,
    "clip": lambda r, x: sg.clip(x, -0.5, 0.8),
    "power": lambda r, x: x ** r.choice([2, 3, -1, 0, 4]),
    "fraction": lambda r, x: (x * x + 0.3) ** r.choice([0.5, -0.5, 1.5, 1 / 3]),
    "quotient": lambda r, x: x / (1.5 + sg.sin(x)),
    "logistic": lambda r, x: 1 / (1 + sg.exp(-x)),
    "log_sum": lambda r, x: sg.log(sg.sum(sg.exp(x), axis=-1)),
    "log_of_one_plus": lambda r, x: sg.log(1 + sg.exp(x)),
    "square_root": lambda r, x: sg.sqrt(x**2 + 0.1) - sg.sqrt(x**2),
    "differences": lambda r, x: (sg.exp(x) - 1) / (1 - sg.cos(x + 0.2)),
    "stop_gradient": lambda r, x: x * sg.stop_gradient(sg.sin(x)),
    "gradient": lambda r, x: sg.grad(sg.sum(sg.sin(x) * sg.exp(-x * x)), x),
}


def graph(seed: int) -> Graph:
    """The graph of a seed; one in four is a formula of scalars."""
    return Graph(seed, scalars=seed % 4 == 3)


class Graph(Grower):
    """A random scalar ``f`` of the real inputs ``wrt``, with ``inputs``: variable -> value."""

    def __init__(self, seed: int, steps: int = 6, scalars: bool = False) -> None:
        self.seed, self.scalars = seed, scalars
        self.r = random.Random(seed)
        self.rng = np.random.default_rng(seed)
        self.sizes = dict(self.r.choice(SIZES))
        self.functions = FUNCTIONS if not scalars else {}
        self.inputs: dict[Node, Any] = {}
        for i, shape in enumerate([()] * 3 if scalars else self.r.sample(SHAPES, 4)):
            self._declare(f"g{seed}_{'s' if scalars else 'x'}{i}", shape, scalars)
        self.pool: list[Node] = list(self.inputs)
        if not scalars:
            self._declare_others(seed)
        self.values = dict(self.inputs)
        self.known_sizes = bound_sizes(self.inputs)
        self._grow(steps, ["row"] if scalars else [*KINDS, *["row", "function"] * 8, "truth", "whole"])
        if seed % 4 == 2:  # what came later: graphs of other seeds stay as they were
            self._grow(2, ["random", *LATER])
        self.f = self._total()

    def _declare(self, name: str, shape: tuple, scalar: bool = False) -> None:
        x = sg.symbol(name).node if scalar else declare(name, *shape)
        self.inputs[x] = self.drawn(x, self.sizes)

    def _declare_others(self, seed: int) -> None:
        self.index, self.mask = declare(f"g{seed}_index", "n", dtype="int"), declare(f"g{seed}_mask", "n", dtype="bool")
        for x in (self.index, self.mask):
            self.inputs[x] = self.drawn(x, self.sizes)
        self.pool += [self.index, self.mask]

    def drawn(self, x: Node, sizes: dict[str, int]) -> Any:
        """A value of a variable; equal numbers, where functions have kinks, do not occur."""
        rng = np.random.default_rng(zlib.crc32(f"{x['variable'].name} {sorted(sizes.items())}".encode()))
        shape = tuple(n if isinstance(n, int) else int(str(n.substitute(sizes))) for n in x.shape)
        if x.dtype == "int":
            return rng.integers(-3, 3, size=shape)
        if x.dtype == "bool":
            return rng.random(shape) < 0.5
        drawn = rng.uniform(*TAME, size=shape) if x["variable"].name.endswith(("0", "1")) else rng.normal(size=shape)
        return drawn if shape else float(drawn)

    @property
    def wrt(self) -> list[Node]:
        """The real inputs."""
        return [x for x in self.inputs if x.dtype == "real"]

    def at(self, sizes: dict[str, int]) -> dict[Node, Any]:
        """Values of the inputs at other sizes."""
        return {x: self.drawn(x, sizes) for x in self.inputs}

    def _grow(self, steps: int, kinds: Sequence[str]) -> None:
        grown = tries = 0
        while grown < steps and tries < 20 * steps:
            tries += 1
            new = getattr(self, "_" + self.r.choice(kinds))()
            if new is not None and new not in self.values and self._fits(new):
                self.pool.append(new)
                grown += 1

    def _fits(self, node: Node) -> bool:
        if math.prod(self.length(n) for n in node.shape) > 400:
            return False
        for each in topological([node], stop=self.values):
            if each not in self.values:
                arguments = {a: self.values[a] for a in each.args}
                self.values[each] = evaluate([each], arguments, self.known_sizes)[0]
        value = self.values[node]
        if node.dtype != "real" or np.all(np.abs(value) < LARGEST):  # false for NaN too
            return True
        del self.values[node]
        return False

    def _total(self) -> Node:
        """The sum of the means of what nothing else uses, so that every node matters."""
        used = {a for node in self.pool for each in topological([node]) for a in each.args}
        ends = [n for n in self.pool if n not in used and n.dtype == "real"] or [self.real()]
        total = constant(0.0)
        for i, node in enumerate(ends):
            total = total + constant(1.0 + 0.25 * i) * sg.mean(Tensor(node)).node
        return total

    # What grows, beside what the lowering's graphs grow

    def _row(self) -> Node | None:
        row = self.r.choice(PLAIN_ROWS if hasattr(self, "mask") else REAL_ROWS)
        if row.takes == ("bool",):
            kinds = ["bool"] * row.arity
        else:
            kinds = ["bool", "real", "real"] if row.name == "where" else ["real"] * row.arity
        arguments = [self._argument(row, i, kind) for i, kind in enumerate(kinds)]
        if any(a is None for a in arguments):
            return None
        params = {name: self.r.choice(ORDERS) for name in row.params}
        try:
            node = build(row.name, *arguments, **params)
        except ValueError:  # shapes that do not broadcast
            return None
        return build("cast", node, to="real") if row.result == "bool" and self.r.random() < 0.5 else node

    def _argument(self, row: Elementwise, i: int, kind: str) -> Node | None:
        fits = [n for n in self.pool if n.dtype == kind]
        if kind == "bool" and not hasattr(self, "mask"):
            return build("less", self.real(), self.real())
        if not fits:
            return None
        samples = [p[i] if isinstance(p, tuple) else p for p in row.domain]
        return self.r.choice(fits) if kind == "bool" else self._into(self.r.choice(fits), min(samples), max(samples))

    def _into(self, node: Node, low: float, high: float) -> Node:
        """The node, brought between the bounds, at any sizes, where the row is not one of the whole line."""
        if low == high:
            return constant(low)
        tame = node.op.name == "variable" and node["variable"].name.endswith(("0", "1"))
        if (low < -1 and high > 1) or (tame and low <= TAME[0] and high >= TAME[1]):
            return node
        squashed = build(self.r.choice(["tanh", "sin"]), node)
        return constant((low + high) / 2) + constant((high - low) / 2) * squashed

    def _function(self) -> Node | None:
        name, x = self.r.choice(list(self.functions)), self.array()
        if 0 in [self.length(n) for n in x.shape] or (name == "tail" and self.length(x.shape[0]) < 2):
            return None
        return self.functions[name](self.r, Tensor(x)).node

    def _truth(self) -> Node:
        """Where the mask holds; or whether any or all of an axis are true."""
        rows = [n for n in self.pool if n.dtype == "real" and n.shape and n.shape[-1] == named("n")]
        if rows and self.r.random() < 0.7:
            x = self.r.choice(rows)
            return build("where", self.mask, x, build("sin", x))
        truths = [n for n in self.pool if n.dtype == "bool" and n.shape]
        x = self.r.choice(truths)
        return build("cast", build(self.r.choice(["any_reduce", "all_reduce"]), x, axes=(0,)), to="real")

    def _random(self) -> Node:
        """Random numbers of the shape of an array, from a key of a layer, and an element drawn by an index."""
        x, key = self.array(), constant(self.r.randrange(9), "int")
        drawn = random_ops.uniform(random_ops.split(key, self.r.randrange(9)), x.shape)
        chosen = build("where", drawn < constant(0.7), x, build("sin", x))
        i = self.r.choice([n for n in self.pool if n.dtype == "int"])
        return chosen + sg.mean(Tensor(build("uniform_bits", key, i))).node

    def _whole(self) -> Node | None:
        """Integers: arithmetic of indices, and as positions."""
        i = self.r.choice([n for n in self.pool if n.dtype == "int"])
        j = build(self.r.choice(["add", "mul", "maximum", "minimum"]), i, constant(self.r.choice([1, 2, 3])))
        made = build("mod", j, constant(3))
        choice = self.r.random()
        if choice < 0.3:
            return made
        if choice < 0.6:
            return build("cast", made, to="real")
        x = self.array()
        return build("gather", x, made, axis=0) if self.length(x.shape[0]) >= 3 else None
