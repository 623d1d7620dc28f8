"""Tensor: what users hold. A thin wrapper of a node with NumPy's operators.

Equality is identity of the interned node, so tensors are hashable. Every error that a rule raises while
an expression is built is completed here with the operands' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, ShapeError, SymgradError
from symgrad.frontend.operands import constant_node, with_names
from symgrad.ir.node import Node, build
from symgrad.ir.show import described
from symgrad.ir.types import Shape, Size
from symgrad.ops.contract import matmul
from symgrad.ops.leaf import cast
from symgrad.ops.shape import transpose

_KIND_ORDER = ("bool", "int", "real")
_Binary = Callable[[Any, Any], Any]


def _both_ways(rule: _Binary) -> tuple[_Binary, _Binary]:
    """The methods of ``self op other`` and of ``other op self``."""
    return (lambda self, other: rule(self, other)), (lambda self, other: rule(other, self))


class Tensor:
    """A symbolic tensor: shape, kind of number, and NumPy's operators.

    >>> import symgrad as sg
    >>> x, y = sg.symbols("x y")
    >>> x * y + 1
    Tensor(x * y + 1: f64)
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
        node = self.node
        return node["variable"].name if node.op.name == "variable" else node.params.get("name")

    @property
    def structure(self) -> str:
        """``"diagonal"``, ``"zero"`` or ``"dense"``: what is known of a Jacobian without computing it."""
        return HOOKS["structure"](self.node)

    @property
    def T(self) -> Tensor:  # noqa: N802  NumPy's name
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
            fix = "use .shape[0]; it is known when the function is called"
            raise self._no(f"len() of the symbolic size {self.shape[0]}", fix, ShapeError)
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self.shape and isinstance(self.shape[0], Size):
            fix = "use operations on whole axes, such as sum, or declare the size as a number"
            raise self._no(f"iteration over the symbolic size {self.shape[0]}", fix, ShapeError)
        return (self[i] for i in range(len(self)))

    def _no(self, why: str, fix: str, kind: type[SymgradError] = DtypeError) -> SymgradError:
        return kind(why, ("tensor", described(self.node)), fix=fix)

    def __bool__(self) -> bool:
        fix = "use sg.where(condition, a, b) and & | ~ instead of if, and, or, not"
        raise self._no("a symbolic tensor is neither true nor false", fix)

    def __float__(self) -> float:
        raise self._no("a symbolic tensor has no value yet", "compile it, or use sg.evaluate(tensor, x=..., ...)")

    __int__ = __complex__ = __float__

    def __index__(self) -> int:
        raise self._no("a symbolic tensor is not an index", "use sg.take(x, index, axis) with an int tensor")

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

    __add__, __radd__ = _both_ways(lambda a, b: same_op("add", a, b))
    __sub__, __rsub__ = _both_ways(lambda a, b: same_op("sub", a, b))
    __mul__, __rmul__ = _both_ways(lambda a, b: same_op("mul", a, b))
    __mod__, __rmod__ = _both_ways(lambda a, b: same_op("mod", a, b))
    __truediv__, __rtruediv__ = _both_ways(lambda a, b: real_op("div", a, b))
    __pow__, __rpow__ = _both_ways(lambda a, b: power(a, b))
    __matmul__, __rmatmul__ = _both_ways(lambda a, b: product(a, b))
    __and__, __rand__ = _both_ways(lambda a, b: logical("logical_and", a, b))
    __or__, __ror__ = _both_ways(lambda a, b: logical("logical_or", a, b))

    __lt__, _ = _both_ways(lambda a, b: compare("less", a, b))
    __le__, _ = _both_ways(lambda a, b: compare("less_equal", a, b))
    __gt__, _ = _both_ways(lambda a, b: compare("greater", a, b))
    __ge__, _ = _both_ways(lambda a, b: compare("greater_equal", a, b))
    del _

    def __neg__(self) -> Tensor:
        return same_op("neg", self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return same_op("abs", self)

    def __invert__(self) -> Tensor:
        return logical("logical_not", self)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """NumPy's ufuncs on tensors build nodes; ``out=`` and the like are refused."""
        fn = HOOKS.get(f"numpy.{ufunc.__name__}")
        if fn is None or method != "__call__" or kwargs:
            raise DtypeError(
                f"numpy.{ufunc.__name__} has no symbolic form here", fix="use the function of that name in symgrad"
            )
        return fn(*inputs)

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        """``np.sum(x, axis=0)`` and the like are symgrad's own functions of that name."""
        fn = HOOKS.get(f"numpy.{function.__name__}")
        if fn is None:
            raise self._no(f"numpy.{function.__name__} has no symbolic form here", "use symgrad's own functions")
        return fn(*args, **kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise self._no("a symbolic tensor is not an array", "compile it, or use sg.evaluate")


# Methods that live beside their functions, and displays from the rooms above.
HOOKS: dict[str, Callable[..., Any]] = {"numpy.shape": lambda x: x.shape, "numpy.ndim": lambda x: x.ndim}


def as_node(value: Any, like: str | None = None) -> Node:
    """A tensor's node; numbers, arrays and SymPy expressions become nodes. ``like`` is the kind a number may take."""
    if isinstance(value, Tensor):
        return value.node
    if is_expression(value):
        return HOOKS["sympy"](value).node
    if isinstance(value, (list, tuple)) and any(isinstance(v, Tensor) or is_expression(v) for v in value):
        return HOOKS["stack"](value).node
    if isinstance(value, Size):
        return build("size", size=value)
    return constant_node(value, like)


def is_expression(value: Any) -> bool:
    """Whether a value is SymPy's; asked of the type, for the property itself recurses."""
    return hasattr(type(value), "free_symbols")


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
        raise with_names(error, nodes) from None


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
            raise DtypeError(
                f"{name} takes booleans", ("operand", described(n)), fix="compare first: (x > 0) & (y > 0)"
            )
    return named_errors(lambda *ns: build(name, *ns), *nodes)


def power(base: Any, exponent: Any) -> Tensor:
    """base**exponent; always real, so that an integer to the power -1 is 0.5 and not 0."""
    return real_op("power", base, exponent)


def product(left: Any, right: Any) -> Tensor:
    """NumPy's ``@``."""
    a, b = (cast(n, "real") for n in unify(left, right))
    for n in (a, b):
        if not n.shape:
            raise ShapeError(
                "matmul: a scalar has no axes to sum over", ("operand", described(n)), fix="use * for scalars"
            )
    return named_errors(matmul, a, b)


__all__ = [
    "HOOKS",
    "Tensor",
    "as_node",
    "compare",
    "logical",
    "named_errors",
    "power",
    "product",
    "real_op",
    "same_op",
    "unify",
]
