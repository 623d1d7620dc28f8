"""The DAG above the border: interned tensor nodes.

Two nodes of one op, arguments, parameters and type are one object, so that common
subexpressions are found by building. Constants are keyed by type and bit pattern
(0.0 is not -0.0, 1 is not True). Nodes are immutable; every pass builds new ones.
"""

from __future__ import annotations

import itertools
import os
import struct
import threading
import uuid
import weakref
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symgrad.ir.types import ArrayType


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One primitive, whole, in one place.

    infer(*types, **params) -> ArrayType; vjp(y_bar, y, *xs, **params) -> one node or None per argument;
    jvp(xs_dot, y, *xs, **params) -> node or None, where a tangent may carry extra leading axes;
    reference(*arrays, **params) -> array; latex(*texts, **params) -> text. ``kind`` tells lower how to
    make loops of it: "leaf", "elementwise", "reduce", "contract", "index" (a change of index), ...
    """

    name: str
    kind: str
    infer: Callable[..., ArrayType]
    vjp: Callable[..., tuple] | None = None
    jvp: Callable[..., Any] | None = None
    reference: Callable[..., Any] | None = None
    lower: Callable[..., Any] | None = None
    latex: Callable[..., str] | None = None
    samples: tuple = ()
    source: str = ""
    row: Any = None  # the Elementwise row, where there is one
    element: Callable[..., Any] | None = None  # one element in elements of the arguments: see ``ir/element``
    definition: Callable[[Node], Node] | None = None  # the textbook's form in simpler ops, for formulas with indices
    word: str = ""  # what a sentence calls it: "the product"
    rule: str | tuple[str, ...] = ""  # what its pullback does, in words; or a phrase for each argument
    traits: frozenset[str] = frozenset()  # see ``TRAITS``
    fits: Callable[..., bool] | None = None  # (*types, **params): whether a file may hold such a node; see ops/verify
    odd: tuple[int, ...] = ()  # arguments in which it is odd: a sign comes out


TRAITS = {
    "silent": "a change of shape or kind that a formula does not show",
    "linear": "in a derivation said only where nothing else is to be said",
    "chooses": "cotangents behind it may be 0 for what was not chosen",
    "mask": "a partial that is 0 where nothing is taken",
    "even": "f(-x) = f(x)",
    "activation": "a layer ends here",
}
OPS: dict[str, Op] = {}


def register(op: Op) -> Op:
    """Add a primitive to the table."""
    assert op.name not in OPS, f"{op.name} is registered twice"
    assert op.traits <= TRAITS.keys(), f"{op.name} has an unknown trait"
    OPS[op.name] = op
    return op


_counter = itertools.count()
_variables: weakref.WeakValueDictionary[tuple, Variable] = weakref.WeakValueDictionary()
_process = uuid.uuid4().hex


def _renew() -> None:
    """A forked child counts on from the same number: its variables are its own all the same."""
    global _process
    _process = uuid.uuid4().hex


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


@dataclass(frozen=True, eq=False)
class Variable:
    """What a declaration said: one object for each call of ``symbols``, ``input`` or ``parameter``."""

    name: str
    kind: str  # "symbol", "input", "parameter", "cotangent"
    latex: str | None = None
    init: Any = None
    origin: Any = None  # the SymPy symbol it stands for
    order: int = field(default_factory=lambda: next(_counter))
    uid: tuple = ()

    def __post_init__(self) -> None:
        if not self.uid:
            object.__setattr__(self, "uid", (_process, self.order))
        _variables[self.uid] = self

    def __reduce__(self) -> tuple:
        return _variable, (self.name, self.kind, self.latex, self.init, self.origin, self.order, self.uid)

    def __deepcopy__(self, memo: dict) -> Variable:
        return self


def _variable(*fields: Any) -> Variable:
    """The variable of these fields, of which the last identifies it: within one process it stays one object."""
    known = _variables.get(fields[-1])
    return known if known is not None else Variable(*fields)


class Frozen:
    """A constant array, compared by type, shape and bits."""

    __slots__ = ("__weakref__", "array", "key")

    def __init__(self, array: np.ndarray) -> None:
        self.array = np.array(array, order="C", copy=True)
        self.array.setflags(write=False)
        self.key = (self.array.dtype.str, self.array.shape, self.array.tobytes())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frozen) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __reduce__(self) -> tuple:
        return Frozen, (np.array(self.array),)


class Node:
    """An interned application of an op; read ``params`` with ``node["axis"]``."""

    __slots__ = ("__weakref__", "args", "op", "params", "serial", "type")
    op: Op
    args: tuple[Node, ...]
    params: Mapping[str, Any]
    type: ArrayType
    serial: int

    def __getitem__(self, key: str) -> Any:
        return self.params[key]

    @property
    def shape(self) -> tuple:
        return self.type.shape

    @property
    def dtype(self) -> str:
        return self.type.dtype

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.type} #{self.serial}>"

    def __add__(self, other: Any) -> Node:
        return build("add", self, as_node(other))

    def __radd__(self, other: Any) -> Node:
        return build("add", as_node(other), self)

    def __sub__(self, other: Any) -> Node:
        return build("sub", self, as_node(other))

    def __rsub__(self, other: Any) -> Node:
        return build("sub", as_node(other), self)

    def __mul__(self, other: Any) -> Node:
        return build("mul", self, as_node(other))

    def __rmul__(self, other: Any) -> Node:
        return build("mul", as_node(other), self)

    def __truediv__(self, other: Any) -> Node:
        return build("div", self, as_node(other))

    def __rtruediv__(self, other: Any) -> Node:
        return build("div", as_node(other), self)

    def __neg__(self) -> Node:
        return build("neg", self)

    def __pow__(self, other: Any) -> Node:
        return build("power", self, as_node(other))

    def __rpow__(self, other: Any) -> Node:
        return build("power", as_node(other), self)

    def __lt__(self, other: Any) -> Node:
        return build("less", self, as_node(other))

    def __le__(self, other: Any) -> Node:
        return build("less_equal", self, as_node(other))

    def __gt__(self, other: Any) -> Node:
        return build("greater", self, as_node(other))

    def __ge__(self, other: Any) -> Node:
        return build("greater_equal", self, as_node(other))


_interned: weakref.WeakValueDictionary[tuple, Node] = weakref.WeakValueDictionary()
_serials = itertools.count()
_lock = threading.RLock()


def bits_key(value: Any) -> Any:
    """A hashable key that tells 0.0 from -0.0, 1 from True and from 1.0, and one NaN from another."""
    if isinstance(value, float):
        return "f", struct.pack("<d", value)
    if isinstance(value, tuple):
        return tuple(bits_key(v) for v in value)
    return type(value).__name__, value


def build(name: str, /, *args: Node, **params: Any) -> Node:
    """The node of that op, interned; shapes and kinds are checked by the op's ``infer``."""
    op = OPS[name]
    return intern(op, args, params, op.infer(*(a.type for a in args), **params))


def intern(op: Op, args: tuple[Node, ...], params: Mapping[str, Any], kind: ArrayType) -> Node:
    """The one node of these parts."""
    key = (op.name, args, tuple((k, bits_key(v)) for k, v in sorted(params.items())), kind)
    with _lock:
        node = _interned.get(key)
        if node is None:
            node = Node()
            node.op, node.args, node.params, node.type = op, args, dict(params), kind
            node.serial = next(_serials)
            _interned[key] = node
        return node


def rebuild(node: Node, args: Iterable[Node]) -> Node:
    """The same op on other arguments (types are inferred anew)."""
    new = tuple(args)
    return node if new == node.args else build(node.op.name, *new, **node.params)


def constant(value: Any, dtype: str | None = None) -> Node:
    """A number or array as a node; ``dtype`` "real", "int" or "bool" is taken from the value if not given."""
    if isinstance(value, Frozen):
        value = value.array
    array = np.asarray(value)
    kind = dtype or {"b": "bool", "i": "int", "u": "int", "f": "real"}[array.dtype.kind]
    array = array.astype({"real": np.float64, "int": np.int64, "bool": np.bool_}[kind])
    held = array.item() if array.ndim == 0 else Frozen(array)
    return intern(OPS["constant"], (), {"value": held}, ArrayType(array.shape, kind))


def as_node(value: Any) -> Node:
    """A node as it is; a Python number as a real constant (a bool stays one)."""
    if isinstance(value, Node):
        return value
    return constant(value, "bool" if isinstance(value, (bool, np.bool_)) else "real")


def is_constant(node: Node, value: float | None = None) -> bool:
    """Whether the node is a scalar constant (of that value, bit for bit except that ints compare as reals)."""
    if node.op.name != "constant" or node.type.rank:
        return False
    return value is None or bits_key(float(node["value"])) == bits_key(float(value))
