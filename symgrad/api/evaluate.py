"""Values without compiling."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from symgrad.api.bundle import Diagonal
from symgrad.frontend.tensor import as_node
from symgrad.ir.evaluate import evaluate as run
from symgrad.ir.node import Node
from symgrad.ir.walk import variables
from symgrad.ops.diagonal import is_diagonal
from symgrad.passes.stabilise import stabilise
from symgrad.runtime.border import bind, check_shapes, convert


def evaluate(tensor: Any, /, *args: Any, **values: Any) -> Any:
    """The value of a tensor for values of its variables: its stable form, computed by NumPy node by node.

    Values of other names are passed over: a variable may cancel out.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> evaluate(x * y, x=2.0, y=3.0)
    6.0
    """
    given_node = as_node(tensor)
    node = stabilise([given_node])[given_node]
    needed = variables([given_node])
    names = {v["variable"].name for v in needed}
    given = bind(needed, args, {name: value for name, value in values.items() if name in names})
    arrays = [convert(v["variable"].name, g, v.type, "float64") for v, g in zip(needed, given, strict=True)]
    check_shapes(needed, arrays)
    return result(node, needed, arrays)


def result(node: Node, needed: Sequence[Node], arrays: Sequence[np.ndarray]) -> Any:
    """The value in the form that compiled functions give it."""
    diagonal = is_diagonal(node)
    with np.errstate(all="ignore"):
        (value,) = run([node.args[0] if diagonal else node], dict(zip(needed, arrays, strict=True)))
    array = np.array(value, order="C")
    if diagonal:
        return Diagonal(array)
    return array if array.ndim else array.item()
