"""Graphs as plain data: what a model file holds of a formula, so that no class and no code is stored.

    graph = {"nodes": [row, ...], "outputs": [place, ...]}
    row   = [operation, [place, ...]] or [operation, [place, ...], {name: parameter, ...}]

Variables come first, in the order of declaration; every other row reads rows before it. Constant arrays are kept
beside the graph, by name. Reading trusts nothing: each row is checked (``ops.verify``) and then built anew, so that
shapes and kinds are inferred; what does not fit is a ModelFileError. Equal graphs give equal data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import ModelFileError, SymgradError, UnsupportedError
from symgrad.frontend.declare import checked_latex, checked_name, declared_type
from symgrad.frontend.stored_values import from_plain, to_plain
from symgrad.ir.node import OPS, Node, Variable, build, constant
from symgrad.ir.show import printable
from symgrad.ir.types import ArrayType
from symgrad.ir.walk import topological, variables
from symgrad.ops.leaf import variable
from symgrad.ops.verify import complaint, unbounded

MOST_NODES = 200_000
# What the rules of ops may raise for parts that no rule expects.
_WRONG = (SymgradError, ValueError, TypeError, AssertionError, IndexError, KeyError, OverflowError)
_KIND = re.compile("[a-z_]{1,20}")  # of a variable
_CONSTANT_KINDS = {"float64": "real", "int64": "int", "bool": "bool"}


def graph_to_json(nodes: Sequence[Node], arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The nodes, and all that they need, as data for JSON; constant arrays are added to ``arrays``.

    Raises:  UnsupportedError for what could not be read back
    >>> from symgrad.frontend.declare import symbol
    >>> graph_to_json([(2 * symbol("x")).node], {})["nodes"][1:]
    [['constant', [], {'value': {'real': '0x1.0000000000000p+1'}}], ['mul', [1, 0]]]
    """
    declared = variables(nodes)
    order = [*declared, *(n for n in topological(nodes) if n.op.name != "variable")]
    if len(order) > MOST_NODES:
        raise UnsupportedError(f"a graph of {len(order)} nodes is not stored; the limit is {MOST_NODES}")
    place = {node: i for i, node in enumerate(order)}
    rows = [_row(node, [place[a] for a in node.args], arrays) for node in order]
    return {"nodes": rows, "outputs": [place[n] for n in nodes]}


def graph_from_json(data: Any, arrays: Mapping[str, np.ndarray], declared: Iterable[Node] = ()) -> list[Node]:
    """The nodes again. ``declared`` are variables to be used for the stored ones of their names, others are new ones.

    Raises:  ModelFileError for anything that ``graph_to_json`` does not write
    >>> from symgrad.frontend.declare import symbol
    >>> x = symbol("x").node
    >>> graph_from_json(graph_to_json([x * x], {}), {}, [x])[0] is x * x
    True
    """
    rows, outputs = _parts(data)
    known: dict[str, list[Node]] = {}
    for node in declared:
        known.setdefault(node["variable"].name, []).append(node)
    made: list[Node] = []
    try:
        for row in rows:
            made.append(_node(row, made, arrays, known))
        return [made[i] for i in _places(outputs, len(made))]
    except _WRONG as error:
        summary = error.summary if isinstance(error, SymgradError) else str(error)
        where = f"node {len(made)} of {len(rows)}" if len(made) < len(rows) else "the outputs"
        raise _refusal(f"{where}: {printable(summary, 200)}") from None


def _refusal(why: str) -> ModelFileError:
    fix = "save the model again from where it was made"
    return ModelFileError("a stored graph is damaged, or not one of symgrad's", ("why", why), fix=fix)


def _parts(data: Any) -> tuple[list, Any]:
    if not isinstance(data, dict) or data.keys() != {"nodes", "outputs"} or not isinstance(data["nodes"], list):
        raise _refusal('it must have the fields "nodes" and "outputs"')
    if len(data["nodes"]) > MOST_NODES:
        raise _refusal(f"{len(data['nodes'])} nodes; the limit is {MOST_NODES}")
    return data["nodes"], data["outputs"]


def _places(places: Any, before: int) -> list[int]:
    """References to rows that stand before: there are no cycles."""
    if not isinstance(places, list) or not all(type(i) is int and 0 <= i < before for i in places):
        raise ValueError("it names nodes that do not stand before it")
    return places


# One row


def _row(node: Node, places: list[int], arrays: dict[str, np.ndarray]) -> list:
    name = node.op.name
    if name == "variable":
        return [name, [], _declaration(node)]
    why = unbounded(node.type)
    if name != "constant":
        why = why or complaint(node.op, [a.type for a in node.args], node.params)
    if why:
        raise UnsupportedError(f"a graph that holds this is not stored: {printable(why, 200)}")
    params = {key: to_plain(value, arrays) for key, value in sorted(node.params.items())}
    return [name, places, params] if params else [name, places]


def _node(row: Any, made: list[Node], arrays: Mapping[str, np.ndarray], known: dict[str, list[Node]]) -> Node:
    if not isinstance(row, list) or not 2 <= len(row) <= 3 or not isinstance(row[0], str):
        raise ValueError("a row must be [operation, places, parameters]")
    name, places, given = row[0], row[1], row[2] if len(row) == 3 else {}
    if name not in OPS:
        raise ValueError(f"unknown operation {printable(name)}")
    if not isinstance(given, dict):
        raise ValueError("parameters must have names")
    args = [made[i] for i in _places(places, len(made))]
    if name == "variable" and not args:
        return _variable(given, known)
    params = {key: from_plain(value, arrays) for key, value in given.items()}
    return _constant(params) if name == "constant" and not args else _applied(name, args, params)


def _applied(name: str, args: list[Node], params: dict[str, Any]) -> Node:
    why = complaint(OPS[name], [a.type for a in args], params)
    node = None if why else build(name, *args, **params)
    if node is None or unbounded(node.type):
        raise ValueError(why or f"{name}: {unbounded(node.type)}")  # type: ignore[union-attr]
    return node


def _constant(params: dict[str, Any]) -> Node:
    value = params.pop("value", None)
    kind = _CONSTANT_KINDS.get(str(value.dtype)) if isinstance(value, np.ndarray) else _kind_of(value)
    if kind is None or params or (isinstance(value, np.ndarray) and not value.ndim):
        raise ValueError("a constant must be a number, or an array of float64, int64 or bool")
    return constant(value, kind)


def _kind_of(value: Any) -> str | None:
    return {float: "real", int: "int", bool: "bool"}.get(type(value))


# Variables


def _declaration(node: Node) -> dict[str, Any]:
    v = node["variable"]
    declared_type(checked_name(v.name), node.shape, node.dtype)
    shape = [to_plain(n, {}) for n in node.shape]
    return {"name": v.name, "kind": v.kind, "latex": v.latex, "shape": shape, "dtype": node.dtype}


def _variable(given: dict[str, Any], known: dict[str, list[Node]]) -> Node:
    """The declared variable of that name, or a new one."""
    if given.keys() != {"name", "kind", "latex", "shape", "dtype"}:
        raise ValueError("a variable has a name, kind, latex, shape and dtype")
    if not isinstance(given["kind"], str) or not _KIND.fullmatch(given["kind"]):
        raise ValueError("the kind of a variable is a word")
    name, latex = checked_name(given["name"]), checked_latex(given["latex"])
    kind = _type(name, given["shape"], given["dtype"])
    found = known.get(name)
    if not found:
        return variable(Variable(name, given["kind"], latex), kind)
    node = found.pop(0)
    if node.type != kind:
        raise ValueError(f"{printable(name)} is stored as {kind}, here it is {node.type}")
    return node


def _type(name: str, shape: Any, dtype: Any) -> ArrayType:
    sizes = from_plain(shape, {})
    if not isinstance(sizes, tuple) or any(isinstance(n, str) for n in sizes) or not isinstance(dtype, str):
        raise ValueError(f"{printable(name)}: a shape is a list of sizes")
    kind = declared_type(name, sizes, dtype)
    if unbounded(kind):
        raise ValueError(f"{printable(name)}: {unbounded(kind)}")
    return kind
