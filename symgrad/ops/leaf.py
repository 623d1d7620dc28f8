"""Nodes without arguments (constants, variables, sizes, ranges), changes of kind, and marks.

``constant`` value; ``variable`` its declaration; ``size`` a named size as an integer; ``iota`` 0..n-1;
``cast`` between kinds; ``named`` an identity that carries the reader's name (the first pass strips
it); ``stop_gradient`` an identity whose derivative is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.ir.node import OPS, Node, Op, Variable, build, constant, intern, register
from symgrad.ir.types import AnySize, ArrayType
from symgrad.ops.elements import spread


def _never(*types: ArrayType, **params: Any) -> ArrayType:
    raise AssertionError("leaves are made by their own builders")


def _same(t: ArrayType, **_: Any) -> ArrayType:
    return t


CONSTANT = register(Op("constant", "leaf", _never, source="a literal"))
VARIABLE = register(Op("variable", "leaf", _never, source="a declaration"))
SIZE = register(Op("size", "leaf", lambda size: ArrayType((), "int"), source="the length of an axis"))
IOTA = register(
    Op(
        "iota",
        "leaf",
        lambda size: ArrayType((size,), "int"),
        reference=lambda size: np.arange(size),
        source="0, 1, ..., n-1",
    )
)
CAST = register(
    Op(
        "cast",
        "elementwise",
        lambda t, to: ArrayType(t.shape, to),
        vjp=lambda y_bar, y, x, to: (None,),
        jvp=lambda xs_dot, y, x, to: None,
        reference=lambda x, to: np.asarray(x).astype({"real": np.float64, "int": np.int64, "bool": np.bool_}[to]),
        latex=lambda x, to: x,
        source="a change of number kind; derivative 0 (between integers and reals)",
        traits=frozenset({"silent"}),
    )
)
NAMED = register(
    Op(
        "named",
        "identity",
        lambda t, name, latex: t,
        vjp=lambda y_bar, y, x, name, latex: (y_bar,),
        jvp=lambda xs_dot, y, x, name, latex: xs_dot[0],
        reference=lambda x, name, latex: x,
        latex=lambda x, name, latex: x,
        source="the reader's name for a node",
        element=spread,
        traits=frozenset({"silent"}),
    )
)
STOP = register(
    Op(
        "stop_gradient",
        "identity",
        _same,
        vjp=lambda y_bar, y, x: (None,),
        jvp=lambda xs_dot, y, x: None,
        reference=lambda x: x,
        latex=lambda x: rf"\operatorname{{stop}}\left({x}\right)",
        source="the identity, taken as a constant by derivatives",
        rule="nothing passes",
    )
)


def variable(declaration: Variable, kind: ArrayType) -> Node:
    """The node of a declaration."""
    return intern(VARIABLE, (), {"variable": declaration}, kind)


def size(n: AnySize) -> Node:
    """A size as a real scalar, for means."""
    if isinstance(n, int):
        return constant(float(n))
    return cast(build("size", size=n), "real")


def cast(x: Node, to: str) -> Node:
    """x as another kind of number."""
    if x.dtype == to:
        return x
    if x.op is OPS["constant"] and x.type.rank == 0:
        return constant(x["value"], to)
    return build("cast", x, to=to)
