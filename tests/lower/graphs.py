"""Random graphs over all primitives, with named sizes, and the checks that a lowered program must pass."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.emit.names import Names
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.program import Program
from symgrad.ir.types import ArrayType, broadcast_shapes, named
from symgrad.lower import Target, lower
from symgrad.ops.contract import einsum
from symgrad.ops.leaf import variable
from symgrad.ops.shape import broadcast, reshape, take_slice, transpose
from symgrad.ops.window import count, offset_axes, overlap_add, span
from tests.lower.interpret import Machine

SIZES = ("n", "m", "k")


def declare(name: str, *shape: Any, dtype: str = "real") -> Node:
    """A variable; strings in the shape are named sizes."""
    sizes = tuple(named(s) if isinstance(s, str) else s for s in shape)
    return variable(Variable(name, "input"), ArrayType(sizes, dtype))


def program(results: Any, inputs: tuple[Node, ...], dtype: str = "f64", **target: Any) -> Program:
    """The lowered program of one target, variables keeping their names."""
    names = Names({x: x["variable"].name for x in inputs if x.op.name == "variable"}, SIZES)
    return lower((Target("value", inputs, results, **target),), names, dtype)


def run(results: Any, values: dict[Node, Any], dtype: str = "f64") -> Any:
    """The results by the interpreter, of values given as the reference takes them."""
    inputs = tuple(values)
    return Machine(program(results, inputs, dtype)).run("value", *(stored(x, v, dtype) for x, v in values.items()))


def stored(x: Node, value: Any, dtype: str) -> Any:
    """A value as the program takes it."""
    kind = {"real": {"f64": "f8", "f32": "f4"}[dtype], "int": "i8", "bool": "?"}[x.dtype]
    return np.ascontiguousarray(np.asarray(value, kind)) if x.type.rank else np.dtype(kind).type(value)


def agree(results: list[Node], values: dict[Node, Any], dtype: str = "f64") -> None:
    """Every result equals the reference; results are separate arrays that alias no input."""
    got = run(tuple(results), values, dtype)
    got = got if len(results) > 1 else (got,) if not isinstance(got, tuple) else got
    wanted = evaluate(results, values)
    arrays = [g for g in got if isinstance(g, np.ndarray)]
    for i, a in enumerate(arrays):
        others = arrays[i + 1 :] + [v for v in values.values() if isinstance(v, np.ndarray)]
        assert a.flags.c_contiguous
        assert not any(np.shares_memory(a, b) for b in others)
    for node, g, w in zip(results, got, wanted, strict=True):
        assert np.shape(g) == np.shape(w), (node, np.shape(g), np.shape(w))
        tolerance = 1e-11 if dtype == "f64" else 2e-4
        scale = np.abs(w[np.isfinite(w)]).max(initial=1.0) if node.dtype == "real" else 0.0
        np.testing.assert_allclose(np.asarray(g, float), np.asarray(w, float), rtol=tolerance, atol=tolerance * scale)


UNARY = ("neg", "square", "abs", "tanh", "sin", "sigmoid", "relu", "sign", "floor", "sqrt_abs", "cast")
BINARY = ("add", "sub", "mul", "maximum", "zmul", "where", "less")


class Grower:
    """Grows a random graph from variables; every shape is one that the sizes allow."""

    def __init__(self, seed: int, sizes: dict[str, int]) -> None:
        self.r = random.Random(seed)
        self.sizes = sizes
        shapes = [("n", "m"), ("m", 3), ("n",), ("m",), (), (1, "m"), ("n", 1), ("k", "n", "m"), (3,), (2, 3)]
        self.inputs = {}
        rng = np.random.default_rng(seed)
        for i, shape in enumerate(self.r.sample(shapes, 5)):
            x = declare(f"x{i}", *shape)
            self.inputs[x] = rng.normal(size=[sizes.get(s, s) for s in shape]).round(2)
        index = declare("index", "n", dtype="int")
        self.index = index
        self.pool: list[Node] = list(self.inputs)
        self.inputs[index] = rng.integers(-3, 3, size=sizes["n"])

    def length(self, n: Any) -> int:
        return n if isinstance(n, int) else int(str(n.substitute(self.sizes)))

    def real(self) -> Node:
        return self.r.choice([n for n in self.pool if n.dtype == "real"])

    def array(self) -> Node:
        return self.r.choice([n for n in self.pool if n.dtype == "real" and n.type.rank])

    def grow(self, steps: int, kinds: Sequence[str] = ()) -> None:
        """Add that many nodes, of all kinds but those of ``LATER``, or of the given ones."""
        grown = 0
        while grown < steps:
            new = getattr(self, "_" + self.r.choice(kinds or KINDS))()
            if new is not None and np.prod([self.length(n) for n in new.shape], dtype=int) < 3000:
                self.pool.append(new)
                grown += 1

    def _unary(self) -> Node:
        name, x = self.r.choice(UNARY), self.real()
        if name == "sqrt_abs":
            return build("sqrt", build("abs", x))
        if name == "cast":
            return build("cast", build("cast", build("floor", x), to="int"), to="real")
        return build(name, x)

    def _binary(self) -> Node | None:
        a, b, name = self.real(), self.real(), self.r.choice(BINARY)
        if broadcast_shapes(a.shape, b.shape) is None:
            return None
        if name == "where":
            return build("where", build("greater", a, constant(0.1)), a, b)
        if name == "less":
            return build("cast", build("logical_not", build("less", a, b)), to="real")
        return build(name, a, b)

    def _reduce(self) -> Node | None:
        x = self.array()
        axes = tuple(sorted(self.r.sample(range(x.type.rank), self.r.randint(1, x.type.rank))))
        name = self.r.choice(("sum", "sum", "max_reduce", "min_reduce", "prod", "argmax", "any_reduce"))
        if 0 in [self.length(x.shape[d]) for d in axes] and name not in ("sum", "prod", "any_reduce"):
            return None
        if name == "argmax":
            return build("cast", build("argmax", x, axes=axes[:1]), to="real")
        if name == "any_reduce":
            return build("cast", build("any_reduce", build("greater", x, constant(0.5)), axes=axes), to="real")
        return build(name, build("sin", x) if name == "prod" else x, axes=axes)

    def _transpose(self) -> Node:
        x = self.array()
        return transpose(x, tuple(self.r.sample(range(x.type.rank), x.type.rank)))

    def _reshape(self) -> Node:
        x = self.array()
        total: Any = 1
        for n in x.shape:
            total = total * n
        shape = self.r.choice([(total,), (1, *x.shape), (*x.shape, 1), (1, total), tuple(n for n in x.shape if n != 1)])
        return reshape(x, shape)

    def _broadcast(self) -> Node | None:
        x = self.real()
        shown = [n for node in self.inputs for n in node.shape if n in map(named, SIZES)]
        shape = tuple(self.r.choice([named("n"), 2]) if n == 1 else n for n in x.shape)
        return broadcast(x, (*self.r.choice([(), (2,), (self.r.choice(shown),)]), *shape))

    def _slice(self) -> Node | None:
        x = self.array()
        starts, counts, steps = [], [], []
        for n in x.shape:
            if self.length(n) < 2:
                starts.append(0), counts.append(n), steps.append(1)
                continue
            start, size, step = self.r.choice([(0, n, 1), (n - 1, n, -1), (1, n - 1, 1), (0, n - 1, 1), (1, 1, 1)])
            starts.append(start), counts.append(size), steps.append(step)
        return take_slice(x, tuple(starts), tuple(counts), tuple(steps))

    def _pad(self) -> Node:
        x = self.array()
        d = self.r.randrange(x.type.rank)
        step = self.r.choice([1, 2, -1])
        shape = tuple(n * abs(step) + 1 if i == d else n for i, n in enumerate(x.shape))
        first = x.shape[d] - 1 if step < 0 else self.r.choice([0, 1]) if step == 1 else 0
        start = tuple(first if i == d else 0 for i in range(len(shape)))
        return build("pad", x, shape=shape, start=start, step=tuple(step if i == d else 1 for i in range(len(shape))))

    def _diagonal(self) -> Node | None:
        x = self.array()
        pairs = [(a, b) for a in range(x.type.rank) for b in range(a + 1, x.type.rank) if x.shape[a] == x.shape[b]]
        return build("diagonal", x, axes=self.r.choice(pairs)) if pairs else None

    def _scan(self) -> Node:
        x = self.array()
        d = self.r.randrange(x.type.rank)
        if self.r.random() < 0.3:
            return build("prod_others", build("sin", x), axes=(d,))
        return build("cumsum", x, axis=d, reverse=self.r.random() < 0.5)

    def _concatenate(self) -> Node:
        x = self.array()
        d = self.r.randrange(x.type.rank)
        fits = [n for n in self.pool if n.dtype == "real" and n.type.rank == x.type.rank]
        fits = [n for n in fits if all(p == q for i, (p, q) in enumerate(zip(n.shape, x.shape, strict=True)) if i != d)]
        return build("concatenate", x, self.r.choice(fits), x, axis=d)

    def _gather(self) -> Node | None:
        x = self.array()
        d = self.r.randrange(x.type.rank)
        return build("gather", x, self.index, axis=d) if self.length(x.shape[d]) >= 3 else None

    def _scatter(self) -> Node | None:
        x = self.array()
        axes = [d for d, n in enumerate(x.shape) if n == named("n")]
        return build("scatter_add", self.index, x, axis=axes[0], size=3) if axes else None

    def _einsum(self) -> Node | None:
        a, b = self.array(), self.array()
        left = "abcdefgh"[: a.type.rank]
        letters = dict(zip(left, a.shape, strict=True))
        right = ""
        for n in b.shape:
            fits = [c for c in left if letters[c] == n and c not in right]
            new = "stuvwxyz"[len(right)]
            c = self.r.choice(fits) if fits and self.r.random() < 0.8 else new
            letters[c] = n
            right += c
        shared = [c for c in left if c in right]
        kept = [c for c in dict.fromkeys(left + right) if c not in shared or self.r.random() < 0.4]
        self.r.shuffle(kept)
        return einsum(f"{left},{right}->{''.join(kept)}", a, b)

    def _composite(self) -> Node | None:
        x = self.array()
        axes = tuple(sorted(self.r.sample(range(x.type.rank), self.r.randint(1, x.type.rank))))
        if 0 in [self.length(n) for n in x.shape]:
            return None
        return build(self.r.choice(("softmax", "logsumexp", "log_softmax", "norm")), x, axes=axes)

    def _window(self) -> Node | None:
        """Windows along one axis or two that have room for them."""
        x = self.array()
        room = [d for d, n in enumerate(x.shape) if self.length(n) >= 1]
        if not room:
            return None
        axes = tuple(sorted(self.r.sample(room, min(len(room), self.r.choice([1, 1, 2])))))
        sizes, strides, dilations = [], [], []
        for d in axes:
            size, stride, dilation = self.r.choice([(1, 1, 1), (2, 1, 1), (2, 2, 1), (2, 1, 2), (3, 1, 1), (1, 2, 1)])
            fits = span(size, dilation) <= self.length(x.shape[d])
            sizes.append(size if fits else 1), strides.append(stride), dilations.append(dilation)
        params = {"sizes": tuple(sizes), "strides": tuple(strides), "dilations": tuple(dilations)}
        return build("window", x, axes=axes, **params)

    def _overlap(self) -> Node | None:
        """Windows, weighed and added up where they were read (or into a little more room)."""
        y = self._window()
        if y is None:
            return None
        (x,) = y.args
        more = self.r.choice([0, 0, 1]) if y["strides"] == (2,) * len(y["axes"]) else 0
        lengths = tuple(x.shape[a] for a in y["axes"])
        grown = tuple(n + more for n in lengths)
        sizes = [y.shape[a] for a in offset_axes(y["axes"])]
        same = all(
            count(n, *rest) == count(m, *rest)
            for n, m, *rest in zip(lengths, grown, sizes, y["strides"], y["dilations"], strict=True)
        )
        v = build("mul", y, build("sin", y)) if self.r.random() < 0.5 else y
        return overlap_add(v, y["axes"], grown if same else lengths, y["strides"], y["dilations"])


LATER = ["window", "overlap"]  # random graphs without them stay as they were
KINDS = [name[1:] for name in vars(Grower) if name.startswith("_") and not name.startswith("__")]
KINDS = [kind for kind in KINDS if kind not in LATER]
KINDS += ["unary", "binary", "binary", "reduce", "einsum"]
