"""Graphs of arrays on which the rules of shapes fire, and arrays of special values to try them on."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from symgrad.ir.node import OPS, Node, Variable
from symgrad.ir.types import ArrayType
from symgrad.ir.walk import topological, variables
from symgrad.ops.leaf import variable
from tests.passes.examples import SIMPLIFY, STABILISE, A, f, v, x

_INPUTS = {
    kind: [variable(Variable(f"{kind}{i}", "input"), ArrayType((4,), kind)) for i in range(3)]
    for kind in ("real", "int", "bool")
}


def _spread(name: str) -> Node:
    """The op of arguments that are all repeated along a new axis."""
    op = OPS[name]
    kind = op.row.takes[0]
    kinds = ["bool", "real", "real"] if name == "where" else [kind] * op.row.arity
    args = [f("broadcast", _INPUTS[kind][i], shape=(3, 4)) for i, kind in enumerate(kinds)]
    return f(name, *args, **dict.fromkeys(op.row.params, 1))


def _elementwise() -> list[str]:
    return [n for n, op in OPS.items() if op.kind == "elementwise" and n not in ("neg", "constant_like", "cast")]


_SHAPES = [example.formula for example in SIMPLIFY.values() if any(n.shape for n in topological([example.formula]))]
_REDUCED = [
    f("sum", f("sum", A, axes=(1,)), axes=(0,)), f("sum", f("broadcast", v, shape=(3, 4)), axes=(0,)),
    f("sum", f("neg", A), axes=(0, 1)),
    f("max_reduce", f("reshape", v, shape=(1, 4)), axes=(0,)),
    f("min_reduce", f("reshape", v, shape=(1, 4)), axes=(0,)),
    f("prod", f("reshape", v, shape=(1, 4)), axes=(0,)),
]  # fmt: skip
_MOVED = [
    f("broadcast", f("neg", v), shape=(3, 4)), f("reshape", f("neg", A), shape=(12,)),
    f("cast", f("broadcast", _INPUTS["int"][0], shape=(3, 4)), to="real"),
    f("reshape", f("broadcast", x, shape=(3, 4)), shape=(12,)),
    f("transpose", f("broadcast", x, shape=(3, 4)), perm=(1, 0)),
    f("broadcast", f("reshape", v, shape=(1, 4)), shape=(3, 4)),
]  # fmt: skip
_PIECES = [f("reshape", p, shape=(1, 4)) for p in (v, 2.0 * v)]
_EXTREMES = [f(op, f("concatenate", *_PIECES, axis=0), axes=(0,)) for op in ("max_reduce", "min_reduce")]
TENSORS = [*_SHAPES, *_REDUCED, *_MOVED, *_EXTREMES, *(_spread(name) for name in _elementwise())]
SOFTMAX = STABILISE["softmax"].formula
_ADDS = frozenset(["sum", "einsum", "prod"])


def filled(formula: Node, pool: Sequence[float], shift: int) -> dict[Node, np.ndarray]:
    """Arrays that go round through the pool, each input from another place; sums only of what adds up exactly."""
    adds = any(n.op.name in _ADDS for n in topological([formula]))
    usable = [p for p in pool if not adds or math.isinf(p) or math.isnan(p) or p in (0, 1, -1, 800, 3)]
    found = {}
    for i, n in enumerate(variables([formula])):
        size = math.prod(n.shape)
        start = shift * (i + 1)
        values = np.array(list(itertools.islice(itertools.cycle(usable), start, start + size))).reshape(n.shape)
        found[n] = (
            values
            if n.dtype == "real"
            else (np.nan_to_num(values, posinf=2, neginf=-2).clip(-5, 5) > 0).astype(
                "int64" if n.dtype == "int" else "bool"
            )
        )
    return found
