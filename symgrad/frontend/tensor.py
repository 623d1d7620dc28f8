"""Tensor: what users hold. A thin wrapper of a node with NumPy's operators.

Equality is identity of the interned node, so tensors are hashable. Every error that a rule raises while
an expression is built is completed here with the operands' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, ShapeError, SymgradError
from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ir.show import described, label
from symgrad.ir.types import Shape, Size
from symgrad.ops.contract import matmul
from symgrad.ops.leaf import cast
from symgrad.ops.shape import transpose

_KIND_ORDER = ("bool", "int", "real")


class Tensor:
    """A symbolic tensor: shape, kind of number, and NumPy's operators.

    >>> import symgrad as sg
    >>> x, y = sg.symbols("x y")
    >>> x * y + 1
    Tensor(x*y + 1: f64)
    """

    __slots__ = ("__weakref__", "node")
    __array_priority__ = 1000

    def __init__(self, node: Node) -> None:
        self.node = node

    @property
    def shape(self) -> Shape:
        """The sizes: integers, or named sizes."""
        return self.node.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.node.type.rank

    @property
    def dtype(self) -> str:
        """``"real"`` (the float type of the function), ``"int"`` or ``"bool"``."""
        return self.node.dtype

    @property
    def name(self) -> str | None:
        """The reader's name, if it has one."""
        op = self.node.op.name
        return self.node["variable"].name if op == "variable" else self.node["name"] if op == "named" else None

    @property
    def structure(self) -> str:
        """``"diagonal"``, ``"zero"`` or ``"dense"``: what is known of a Jacobian without computing it."""
        node = self.node
        if node.op.name == "diagonal_matrix":
            return "diagonal"
        inner = node.args[0] if node.op.name == "broadcast" else node
        return "zero" if is_constant(inner, 0.0) else "dense"

    @property
    def T(self) -> Tensor:
        """The transpose (all axes reversed)."""
        return Tensor(transpose(self.node, tuple(reversed(range(self.ndim)))))

    def reshape(self, *shape: Any) -> Tensor:
        """Another shape of as many elements; one size may be -1."""
        return HOOKS["reshape"](self, shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Sum over one axis, several, or all."""
        return HOOKS["sum"](self, axis, keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Mean over one axis, several, or all."""
        return HOOKS["mean"](self, axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Largest element; ties share the gradient."""
        return HOOKS["max"](self, axis, keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Smallest element; ties share the gradient."""
        return HOOKS["min"](self, axis, keepdims)

    def __getitem__(self, index: Any) -> Tensor:
        return named_errors(lambda node: HOOKS["index"](node, index), self)

    def __len__(self) -> int:
        if not self.shape:
            raise DtypeError("len() of a scalar", ("tensor", described(self.node)))
        if isinstance(self.shape[0], Size):
            raise ShapeError(f"len() of the symbolic size {self.shape[0]}", ("tensor", described(self.node)), fix="use .shape[0]; it is known when the function is called")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.shape and isinstance(self.shape[0], Size):
            raise ShapeError(f"iteration over the symbolic size {self.shape[0]}", ("tensor", described(self.node)), fix="use operations on whole axes, such as sum, or declare the size as a number")
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        raise DtypeError("a symbolic tensor is neither true nor false", ("tensor", described(self.node)), fix="use sg.where(condition, a, b) and & | ~ instead of if, and, or, not")

    def __float__(self) -> float:
        raise DtypeError("a symbolic tensor has no value yet", ("tensor", described(self.node)), fix="compile it, or use sg.evaluate(tensor, x=..., ...)")

    __int__ = __float__

    def __index__(self) -> int:
        raise DtypeError("a symbolic tensor is not an index", ("tensor", described(self.node)), fix="use sg.take(x, index, axis) with an int tensor")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tensor) and other.node is self.node

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.node)

    def __repr__(self) -> str:
        return f"Tensor({described(self.node)})"

    def __reduce__(self) -> tuple:
        return HOOKS["restore"], HOOKS["store"]((self.node,))

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: dict) -> Tensor:
        return self

    def _repr_latex_(self) -> str:
        return HOOKS["latex"](self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's ufuncs on tensors build nodes; ``out=`` and the like are refused."""
        fn = HOOKS.get(f"numpy.{ufunc.__name__}")
        if fn is None or method != "__call__" or kwargs:
            raise DtypeError(f"numpy.{ufunc.__name__} has no symbolic form here", fix="use the function of that name in symgrad")
        return fn(*inputs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise DtypeError("a symbolic tensor is not an array", ("tensor", described(self.node)), fix="compile it, or use sg.evaluate")


HOOKS: dict[str, Callable[..., Any]] = {}  # methods that live beside their functions, and displays from the rooms above


def as_node(value: Any, like: str | None = None) -> Node:
    """A tensor's node; numbers, arrays and SymPy expressions become nodes. ``like`` is the kind a number may take."""
    if isinstance(value, Tensor):
        return value.node
    if isinstance(value, (bool, np.bool_)):
        return constant(bool(value), "bool")
    if isinstance(value, (int, np.integer)):
        return constant(_checked_int(int(value)), "int" if like == "int" else "real")
    if isinstance(value, (float, np.floating)):
        return constant(float(value))
    if hasattr(value, "free_symbols"):
        return HOOKS["sympy"](value).node
    return _array(value)


def _checked_int(value: int) -> int:
    if abs(value) > 2**1023:
        raise DtypeError("an integer constant is too large for a float", fix="write it as a float")
    return value


def _array(value: Any) -> Node:
    if isinstance(value, str):
        raise DtypeError("text is not a tensor", ("value", repr(value[:40])), fix="use sg.parse(text)")
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) for v in value):
        return HOOKS["stack"](value).node
    if isinstance(value, np.ma.MaskedArray):
        raise DtypeError("masked arrays are not constants", fix="fill the masked elements first")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DtypeError("a constant must be a number or a regular array", ("value", type(value).__name__)) from error
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise DtypeError("a constant must hold real numbers, integers or booleans", ("value", f"{type(value).__name__} of {array.dtype}"))
    return constant(array)


def unify(*values: Any) -> list[Node]:
    """Operands of one operation as nodes of one kind: bool < int < real; a Python number takes the others' kind."""
    kinds = [v.dtype for v in values if isinstance(v, Tensor)]
    like = "int" if kinds and all(k in ("int", "bool") for k in kinds) else None
    nodes = [as_node(v, like) for v in values]
    top = max((n.dtype for n in nodes), key=_KIND_ORDER.index)
    return [cast(n, top) for n in nodes]


def named_errors(make: Callable[..., Node], *operands: Tensor | Node) -> Tensor:
    """Build a node; a complaint is completed with the operands' names."""
    nodes = [t.node if isinstance(t, Tensor) else t for t in operands]
    try:
        return Tensor(make(*nodes))
    except SymgradError as error:
        by_type = {str(n.type): n for n in reversed(nodes)}
        used = iter(nodes)
        facts = []
        for text_label, text in error.facts:
            node = next(used, None) if text in by_type else None
            node = node if node is not None and str(node.type) == text else by_type.get(text)
            facts.append((text_label, described(node) if node is not None else text))
        raise type(error)(error.summary, *facts, fix=_named_fix(error.fix, nodes), at=error.at) from None


def _named_fix(fix: str, nodes: list[Node]) -> str:
    for which, node in zip(("left", "right"), nodes, strict=False):
        fix = fix.replace(f"the {which} operand", label(node))
    return fix


def real_op(name: str, *values: Any, **params: Any) -> Tensor:
    """An element-wise function of reals."""
    nodes = [cast(as_node(v), "real") for v in values]
    return named_errors(lambda *ns: build(name, *ns, **params), *nodes)


def same_op(name: str, *values: Any) -> Tensor:
    """An element-wise operation on one kind; booleans count as integers."""
    nodes = unify(*values)
    if nodes[0].dtype == "bool" and "bool" not in nodes[0].op.name:
        nodes = [cast(n, "int") for n in nodes]
    return named_errors(lambda *ns: build(name, *ns), *nodes)


def compare(name: str, left: Any, right: Any) -> Tensor:
    """A comparison: a boolean tensor."""
    return named_errors(lambda a, b: build(name, a, b), *unify(left, right))


def logical(name: str, *values: Any) -> Tensor:
    """An operation on booleans."""
    nodes = [as_node(v) for v in values]
    for n in nodes:
        if n.dtype != "bool":
            raise DtypeError(f"{name} takes booleans", ("operand", described(n)), fix="compare first: (x > 0) & (y > 0)")
    return named_errors(lambda *ns: build(name, *ns), *nodes)


def power(base: Any, exponent: Any) -> Tensor:
    """base**exponent; always real, so that an integer to the power -1 is 0.5 and not 0."""
    return real_op("power", base, exponent)


def product(left: Any, right: Any) -> Tensor:
    """NumPy's ``@``."""
    a, b = (cast(n, "real") for n in unify(left, right))
    for n in (a, b):
        if not n.shape:
            raise ShapeError("matmul: a scalar has no axes to sum over", ("operand", described(n)), fix="use * for scalars")
    return named_errors(matmul, a, b)


def _install() -> None:
    """The operators, from one table: method, its function, and whether there is a reflected form."""
    arithmetic = {"add": "add", "sub": "sub", "mul": "mul", "mod": "mod"}
    for method, op in arithmetic.items():
        setattr(Tensor, f"__{method}__", lambda a, b, _op=op: same_op(_op, a, b))
        setattr(Tensor, f"__r{method}__", lambda a, b, _op=op: same_op(_op, b, a))
    for method, rule in {"truediv": lambda a, b: real_op("div", a, b), "pow": power, "matmul": product}.items():
        setattr(Tensor, f"__{method}__", lambda a, b, _rule=rule: _rule(a, b))
        setattr(Tensor, f"__r{method}__", lambda a, b, _rule=rule: _rule(b, a))
    for method, op in {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}.items():
        setattr(Tensor, f"__{method}__", lambda a, b, _op=op: compare(_op, a, b))
    for method, op in {"and": "logical_and", "or": "logical_or"}.items():
        setattr(Tensor, f"__{method}__", lambda a, b, _op=op: logical(_op, a, b))
        setattr(Tensor, f"__r{method}__", lambda a, b, _op=op: logical(_op, b, a))
    for method, make in {"neg": lambda a: same_op("neg", a), "pos": lambda a: a, "abs": lambda a: same_op("abs", a), "invert": lambda a: logical("logical_not", a)}.items():
        setattr(Tensor, f"__{method}__", make)


_install()
__all__ = ["HOOKS", "Tensor", "as_node", "compare", "logical", "named_errors", "power", "product", "real_op", "same_op", "unify"]
