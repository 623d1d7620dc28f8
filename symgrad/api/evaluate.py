"""Values without compiling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.api.bundle import Diagonal
from symgrad.api.elementwise import lifted
from symgrad.errors import CallError
from symgrad.frontend.tensor import as_node
from symgrad.ir.evaluate import evaluate as run
from symgrad.ir.node import Node
from symgrad.ir.walk import named_sizes, variables
from symgrad.ops.diagonal import is_diagonal
from symgrad.passes.stabilise import stabilise
from symgrad.runtime.border import bind, broadcast_together, check_shapes, convert


def evaluate(tensor: Any, /, *args: Any, **values: Any) -> Any:
    """The value of a tensor for values of its variables: its stable form, computed by NumPy node by node.

    Values of other names are passed over: a variable may cancel out. A named size that no variable shows then is given
    by its name. Where all variables are scalar symbols they also take arrays, broadcast together.

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
    if all(v["variable"].kind == "symbol" for v in needed) and any(a.ndim for a in arrays):
        return _each(node, needed, arrays)
    return result(node, needed, arrays, _lengths([node], check_shapes(needed, arrays), values))


def _lengths(nodes: Sequence[Node], shown: Mapping[str, int], values: Mapping[str, Any]) -> dict[str, int]:
    """The named sizes: those that arrays show, the others from the values of their names."""
    found = dict(shown)
    for name in named_sizes(nodes):
        if name in found:
            continue
        if not isinstance(values.get(name), (int, np.integer)):
            raise CallError(f"no value shows the size {name}", fix=f"give it too: {name}=3")
        found[name] = int(values[name])
    return found


def _each(node: Node, needed: Sequence[Node], arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Element by element, as a compiled function of symbols does."""
    together = broadcast_together([v["variable"].name for v in needed], arrays)
    over = lifted([node], [], needed)
    with np.errstate(all="ignore"):
        (value,) = run(over.outputs, {v: a.reshape(-1) for v, a in zip(over.inputs, together, strict=True)})
    return np.array(value, order="C").reshape(together[0].shape + value.shape[1:])


def result(
    node: Node, needed: Sequence[Node], arrays: Sequence[np.ndarray], sizes: Mapping[str, int] | None = None
) -> Any:
    """The value in the form that compiled functions give it."""
    diagonal = is_diagonal(node)
    with np.errstate(all="ignore"):
        (value,) = run([node.args[0] if diagonal else node], dict(zip(needed, arrays, strict=True)), sizes)
    array = np.array(value, order="C")
    if diagonal:
        return Diagonal(array)
    return array if array.ndim else array.item()
