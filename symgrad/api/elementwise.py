"""A function of scalars, evaluated element by element over arrays: each symbol becomes a vector."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, Variable
from symgrad.ir.types import ArrayType, named
from symgrad.ir.walk import substitute
from symgrad.ops.leaf import variable
from symgrad.ops.shape import broadcast
from symgrad.pipeline import Derived, derive


def lifted(outputs: Sequence[Node], wrt: Sequence[Node], inputs: Sequence[Node]) -> Derived:
    """The derived function over vectors of one length; gradients are the partials of each element."""
    size = (named(_free_name(inputs)),)
    vector = {
        v: variable(Variable(v["variable"].name, "input", v["variable"].latex), ArrayType(size, "real")) for v in inputs
    }
    new = substitute([*outputs, *wrt], vector)
    grown = [broadcast(f, size) for f in new[: len(outputs)]]
    return derive(grown, new[len(outputs) :], tuple(vector[v] for v in inputs), elementwise=True)


def _free_name(inputs: Sequence[Node]) -> str:
    taken = {v["variable"].name for v in inputs}
    return (
        next(name for name in ("n", "count", "elements", "n_elements") if name not in taken)
        if len(taken) < 4
        else "n_" + "_" * max(map(len, taken))
    )
