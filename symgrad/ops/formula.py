"""Nodes as SymPy expressions: the inverse of ``symbolic``.

In: nodes of known sizes. Out: for each a SymPy expression, or an object array of them. Element-wise nodes are spelled
by their rows, changes of index and sums by their NumPy references, which take arrays of expressions as they are.
Numbers come back in the simplest form that rounds to them (``numerals.from_double``).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import DeclarationError, UnsupportedError
from symgrad.ir.node import Frozen, Node
from symgrad.ir.show import described
from symgrad.ir.walk import topological
from symgrad.ops.numerals import from_double
from symgrad.ops.reduce import Axes

ELEMENT_LIMIT = 100_000  # of one tensor written out


def to_expr(node: Node, names: Mapping[Node, Any] | None = None) -> Any:
    """The SymPy expression of one node; ``names`` gives the expressions that stand for some nodes.

    A variable is the SymPy symbol that it came from, else a real Symbol of its name; an element of a tensor
    is an ``Indexed``. Raises UnsupportedError for named sizes and for what has no SymPy form.
    """
    return to_exprs([node], names)[0]


def to_exprs(nodes: Iterable[Node], names: Mapping[Node, Any] | None = None) -> list[Any]:
    """Several at once; what they share is built once."""
    wanted = list(nodes)
    try:
        found = _spell(wanted, names or {})
    except RecursionError:
        # SymPy's constructors look into their arguments, some hundred levels deep at most
        with sp.evaluate(False):
            found = _spell(wanted, names or {})
    return [found[n].item() if found[n].ndim == 0 else found[n] for n in wanted]


def _spell(wanted: list[Node], names: Mapping[Node, Any]) -> dict[Node, np.ndarray]:
    found: dict[Node, np.ndarray] = {}
    taken: dict[Any, Node] = {}
    for node in topological(wanted, stop=names):
        if node in names:
            found[node] = _boxed(names[node])
            continue
        _check_size(node)
        if node.op.name == "variable":
            found[node] = _variable(node, taken)
        elif node.op.row is not None:
            found[node] = _by_row(node, [found[a] for a in node.args])
        else:
            found[node] = _by_reference(node, [found[a] for a in node.args])
    return found


def _boxed(value: Any) -> np.ndarray:
    """An expression or nested sequence of them as an object array."""
    if isinstance(value, sp.Basic):
        box = np.empty((), object)
        box[()] = value
        return box
    return np.asarray(value, object)


def _check_size(node: Node) -> None:
    known = all(isinstance(n, int) for n in node.shape)
    if not known or np.prod(node.shape, dtype=float) > ELEMENT_LIMIT:
        raise UnsupportedError(
            "a SymPy expression needs known sizes",
            ("tensor", described(node)),
            fix=f"declare sizes as numbers, {ELEMENT_LIMIT} elements at most",
        )


def symbol_of(node: Node) -> sp.Basic:
    """The SymPy symbol (or, for a tensor, the indexed base) of a variable."""
    declaration = node["variable"]
    if declaration.origin is not None:
        return declaration.origin
    assumptions = {"real": {"real": True}, "int": {"integer": True}, "bool": {}}[node.dtype]
    return sp.IndexedBase(declaration.name, **assumptions) if node.shape else sp.Symbol(declaration.name, **assumptions)


def _variable(node: Node, taken: dict[Any, Node]) -> np.ndarray:
    symbol = symbol_of(node)
    if taken.setdefault(symbol, node) is not node:
        raise DeclarationError(f"two variables are named {symbol.name[:80]!r}", fix="give them different names")
    if not node.shape:
        return _boxed(symbol)
    box = np.empty(node.shape, object)
    for index in itertools.product(*map(range, node.shape)):
        box[index] = symbol[index]
    return box


def _by_row(node: Node, args: list[np.ndarray]) -> np.ndarray:
    row = node.op.row
    if row.sympy is None:
        raise UnsupportedError(f"{row.name} has no SymPy form")
    spelled = np.frompyfunc(lambda *xs: sp.S(row.sympy(*xs, **node.params)), row.arity, 1)(*args)
    return _boxed(spelled)


def _constant(value: Any) -> np.ndarray:
    if isinstance(value, Frozen):
        return np.frompyfunc(lambda v: _number(v.item() if isinstance(v, np.generic) else v), 1, 1)(value.array)
    return _boxed(_number(value))


def _number(value: float | bool) -> sp.Basic:
    if isinstance(value, bool):
        return sp.true if value else sp.false
    return sp.Integer(value) if isinstance(value, int) else from_double(value)


def _indicator(c: sp.Basic) -> sp.Basic:
    return sp.Piecewise((1, c), (0, True))


def _truncate(x: sp.Expr) -> sp.Expr:
    return sp.sign(x) * sp.floor(sp.Abs(x))


def _cast(x: np.ndarray, to: str) -> np.ndarray:
    first = x.flat[0] if x.size else sp.Integer(0)
    if isinstance(first, (sp.logic.boolalg.Boolean)) and not isinstance(first, sp.Symbol):
        change = _indicator
    else:
        change = {"real": lambda e: e, "int": _truncate, "bool": lambda e: sp.Ne(e, 0)}[to]
    return _boxed(np.frompyfunc(change, 1, 1)(x))


_exp = np.frompyfunc(sp.exp, 1, 1)
_log = np.frompyfunc(sp.log, 1, 1)
_sqrt = np.frompyfunc(sp.sqrt, 1, 1)


def _total(x: np.ndarray, axes: Axes, keep: bool = False) -> np.ndarray:
    return np.asarray(np.sum(x, axis=axes, keepdims=keep), object)


def _extreme(pick: Callable[..., sp.Expr]) -> Callable[..., np.ndarray]:
    def fold(x: np.ndarray, axes: Axes, lowest: bool = False) -> np.ndarray:
        for axis in sorted(axes, reverse=True):
            x = _boxed(np.frompyfunc(pick, 2, 1).reduce(x, axis=axis))
        return x

    return fold


# On object arrays, where the reference is not arithmetic alone
_SPELLED: dict[str, Callable[..., Any]] = {
    "constant": _constant,
    "constant_like": lambda x, value: _boxed(_number(value)),
    "cast": _cast,
    "iota": lambda size: np.array([sp.Integer(i) for i in range(size)], object),
    "size": lambda size: _boxed(sp.Integer(size)),
    "max_reduce": _extreme(sp.Max),
    "min_reduce": _extreme(sp.Min),
    "norm": lambda x, axes: _sqrt(_total(x**2, axes)),
    "logsumexp": lambda x, axes: _log(_total(_exp(x), axes)),
    "softmax": lambda x, axes: _exp(x) / _total(_exp(x), axes, keep=True),
    "log_softmax": lambda x, axes: x - _log(_total(_exp(x), axes, keep=True)),
}


def _by_reference(node: Node, args: list[np.ndarray]) -> np.ndarray:
    """What a reference makes of arrays of expressions, if it makes expressions of the right shape."""
    spell = _SPELLED.get(node.op.name, node.op.reference)
    try:
        box = _boxed(spell(*args, **node.params)) if spell is not None else None
    except (TypeError, ValueError, AttributeError, IndexError):
        box = None
    if box is not None:
        box = np.frompyfunc(
            lambda v: v if isinstance(v, sp.Basic) else sp.Integer(v) if isinstance(v, int) else None, 1, 1
        )(box)
        box = _boxed(box) if box is not None else None
    if box is None or box.shape != node.shape or any(e is None for e in box.flat):
        raise UnsupportedError(f"{node.op.name} has no SymPy form", ("tensor", str(node.type)))
    return box
