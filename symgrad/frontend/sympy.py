"""SymPy goes in and comes out: expressions, matrices and lists of them; element-wise functions of the user's own.

Equal SymPy symbols are one variable for as long as anything holds it; Dummies are equal only to themselves.
Every symbol stands for a real number. Text is never sympified: that would run it.
"""

from __future__ import annotations

import inspect
import itertools
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.sympify import converter
from sympy.matrices.expressions.matexpr import MatrixExpr, MatrixSymbol
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array.ndim_array import NDimArray

from symgrad.errors import CallError, DtypeError, ExpressionError, ShapeError, UnsupportedError
from symgrad.frontend.tensor import HOOKS, Tensor, as_node
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.show import described
from symgrad.ir.types import Shape, broadcast_shapes, real
from symgrad.ir.walk import topological
from symgrad.ops.formula import to_expr
from symgrad.ops.leaf import cast, variable
from symgrad.ops.shape import broadcast, reshape
from symgrad.ops.symbolic import LEAVES, to_node

_WORTH_SHARING = range(64, 3000)  # nodes; below nobody gains, above sympy.cse compares all pairs of terms
_declared: weakref.WeakValueDictionary[Any, Variable] = weakref.WeakValueDictionary()


def declare(symbol: Any) -> Tensor:
    """The variable of a SymPy symbol, an element of a MatrixSymbol or of an IndexedBase: always the same one.

    >>> declare(sp.Symbol("u")) == declare(sp.Symbol("u"))
    True
    """
    return Tensor(_variable(symbol))


def _variable(symbol: Any) -> Node:
    known = _declared.get(symbol)
    if known is None:
        known = Variable(_name_of(symbol), "symbol", origin=symbol)
        _declared[symbol] = known
    return variable(known, real())


def _name_of(symbol: Any) -> str:
    if symbol.is_commutative is False or symbol.is_real is False:
        raise UnsupportedError(
            f"the symbol {str(symbol)[:80]!r} does not stand for a real number",
            fix="declare it without assumptions, or real=True",
        )
    if isinstance(symbol, sp.Symbol):
        return symbol.name
    base, *indices = symbol.args
    if isinstance(base, (MatrixSymbol, sp.IndexedBase)) and all(isinstance(i, sp.Integer) for i in indices):
        return f"{base.name}[{', '.join(str(int(i)) for i in indices)}]"
    raise UnsupportedError(
        f"an element of a {type(base).__name__} whose index is not a number", fix="write the expression out in symbols"
    )


class _Symbols(dict):
    """SymPy symbol -> node, declared on first sight; nothing else is a symbol."""

    def __missing__(self, symbol: Any) -> Node:
        if isinstance(symbol, AppliedUndef):
            raise KeyError(symbol)
        node = self[symbol] = _variable(symbol)
        return node


def is_sympy(value: Any) -> bool:
    """Whether ``value`` is a SymPy expression, matrix or array."""
    return isinstance(value, (sp.Basic, MatrixBase))


def from_sympy(expr: Any) -> Tensor:
    """A SymPy expression as a tensor; a Matrix has shape (r, c), a list one axis more than its elements.

    >>> u = sp.Symbol("u")
    >>> from_sympy(sp.Matrix([[u, 1], [sp.sin(u), 2]])).shape
    (2, 2)
    """
    symbols = _Symbols()
    scalars: list[Any] = []

    def convert(scalar: Any) -> Node:
        scalars.append(scalar)
        return to_node(scalar, symbols)

    plain = _node(expr, convert)
    size = len(topological([plain]))
    return Tensor(_shared(expr, scalars, symbols, plain) if size in _WORTH_SHARING else plain)


def _shared(expr: Any, scalars: list[Any], symbols: _Symbols, plain: Node) -> Node:
    """The expression with the partial sums and products that its terms share, where SymPy finds any.

    Interning shares equal subexpressions; ``sympy.cse`` also finds y*z in x*y*z + y*z*w. It only sees
    expressions that ``to_node`` has accepted, so that it never computes a number beyond the budget.
    """
    names = (sp.Dummy(f"s{i}") for i in itertools.count())
    try:
        steps, reduced = sp.cse(scalars, symbols=names, optimizations=None)
    except RecursionError:  # it looks into arguments by recursion: such an expression stays as it is
        return plain
    env = _Symbols(symbols)
    for name, step in steps:
        env[name] = to_node(step, env)
    results = iter(reduced)
    other = _node(expr, lambda scalar: to_node(next(results), env))
    return min(plain, other, key=lambda node: len(topological([node])))


def _node(expr: Any, convert: Callable[[Any], Node]) -> Node:
    if isinstance(expr, str):
        raise ExpressionError("text is not a SymPy expression", ("text", repr(expr[:40])), fix="use sg.parse(text)")
    if isinstance(expr, Tensor):
        return expr.node
    if isinstance(expr, (MatrixBase, NDimArray)):
        return _array(expr.shape, list(expr.flat()) if isinstance(expr, MatrixBase) else list(_flat(expr)), convert)
    if isinstance(expr, (list, tuple, sp.Tuple)):
        return _stacked([_node(e, convert) for e in expr])
    if isinstance(expr, MatrixSymbol):
        return _node(expr.as_explicit(), convert) if _is_explicit(expr) else _refuse(expr)
    if isinstance(expr, MatrixExpr):
        return _refuse(expr)
    if isinstance(expr, (sp.Expr, sp.logic.boolalg.Boolean, *LEAVES)):
        return convert(expr)
    if isinstance(expr, sp.Basic):
        return _refuse(expr)
    return as_node(expr)


def _refuse(expr: Any) -> Node:
    raise UnsupportedError(
        f"a SymPy {type(expr).__name__} is not a scalar expression or an explicit matrix",
        fix="write it out, e.g. with as_explicit()",
    )


def _is_explicit(expr: MatrixSymbol) -> bool:
    return all(isinstance(n, sp.Integer) for n in expr.shape)


def _flat(expr: NDimArray) -> Iterable[Any]:
    return (expr[expr._get_tuple_index(i)] for i in range(len(expr)))


def _array(shape: Iterable[Any], elements: list[Any], convert: Callable[[Any], Node]) -> Node:
    """Elements in C order as a tensor."""
    sizes = tuple(int(n) for n in shape)
    if not elements:
        return broadcast(constant(0.0), sizes)
    return reshape(_stacked([_node(e, convert) for e in elements]), sizes)


def _stacked(nodes: list[Node]) -> Node:
    """Nodes of one shape along a new first axis."""
    if not nodes:
        return broadcast(constant(0.0), (0,))
    first = nodes[0]
    for node in nodes:
        if node.shape != first.shape:
            raise ShapeError(
                "the elements of a list differ in shape", ("first", str(first.type)), ("other", str(node.type))
            )
    kinds = {n.dtype for n in nodes}
    if len(kinds) > 1:
        nodes = [cast(n, "real") for n in nodes]
    rows = [reshape(n, (1, *n.shape)) for n in nodes]
    return rows[0] if len(rows) == 1 else build("concatenate", *rows, axis=0)


def to_sympy(tensor: Any) -> Any:
    """A scalar as a SymPy expression, a matrix as an ImmutableMatrix, another tensor as an ImmutableDenseNDimArray.

    A variable is the symbol that it came from, else a real Symbol of its name.

    >>> u = sp.Symbol("u")
    >>> to_sympy(from_sympy(sp.exp(u) - 1))
    exp(u) - 1
    """
    expr = to_expr(as_node(tensor))
    if isinstance(expr, sp.Basic):
        return expr
    if expr.ndim == 2:
        return sp.ImmutableDenseMatrix(*expr.shape, list(expr.flat))
    return sp.ImmutableDenseNDimArray(list(expr.flat), expr.shape)


def elementwise(fn: Callable[..., Any], *tensors: Any) -> Tensor:
    """A function of the user's own, element by element: ``fn`` is called once, on SymPy symbols.

    >>> import symgrad as sg
    >>> x = sg.input("x", (3,))
    >>> elementwise(lambda t: t * sp.tanh(sp.log(1 + sp.exp(t))), x).shape
    (3,)

    Raises:  DtypeError where ``fn`` gives something else than an expression, UnsupportedError for a SymPy
             function without a rule or a symbol that is not an argument.
    """
    nodes = [as_node(t) for t in tensors]
    nodes = [n if n.dtype == "bool" else cast(n, "real") for n in nodes]
    symbols = [sp.Dummy(f"t{i}", **({} if n.dtype == "bool" else {"real": True})) for i, n in enumerate(nodes)]
    expr = _applied(fn, symbols)
    if isinstance(expr, (bool, int, float)):
        expr = sp.S(expr)
    if not isinstance(expr, (sp.Expr, sp.logic.boolalg.Boolean)):
        raise DtypeError(
            "elementwise: the function must give a SymPy expression",
            ("given", type(expr).__name__),
            fix="use sympy.exp, sympy.Piecewise, ... inside it",
        )
    return Tensor(broadcast(to_node(expr, dict(zip(symbols, nodes, strict=True))), _joined(nodes)))


def _applied(fn: Any, symbols: list[Any]) -> Any:
    if not callable(fn):
        raise DtypeError(
            "elementwise takes a function", ("given", type(fn).__name__), fix="write elementwise(lambda t: ..., x)"
        )
    try:
        inspect.signature(fn).bind(*symbols)
    except TypeError:
        raise CallError(
            f"elementwise: the function does not take {len(symbols)} arguments",
            fix="it is called with one symbol for each tensor",
        ) from None
    except ValueError:
        pass  # a callable that does not tell
    try:
        return fn(*symbols)
    except (TypeError, AttributeError) as error:
        raise DtypeError(
            "elementwise: the function does not take SymPy symbols",
            ("it says", str(error).partition("\n")[0][:80]),
            fix="use SymPy's functions inside it: sympy.sin, not numpy.sin or math.sin",
        ) from error


def _joined(nodes: list[Node]) -> Shape:
    """The shape that the arguments broadcast to; a constant function has it too."""
    shape: Shape = ()
    for n in nodes:
        joined = broadcast_shapes(shape, n.shape)
        if joined is None:
            facts = [(f"argument {i + 1}", str(n.type)) for i, n in enumerate(nodes)]
            raise ShapeError("elementwise: shapes do not broadcast", *facts, fix="reshape one argument")
        shape = joined
    return shape


class TensorInSympyError(DtypeError, sp.SympifyError):
    """SymPy gives way where it sees a SympifyError: in ``symbol * tensor`` to the tensor's own operator."""


def _leave_to_tensor(tensor: Tensor) -> Any:
    raise TensorInSympyError(
        "SymPy's functions take SymPy expressions, not tensors",
        ("given", described(tensor.node)),
        fix="use symgrad's function of that name, as sg.sin(x), or sg.elementwise(lambda t: sympy.sin(t), x)",
    )


converter[Tensor] = _leave_to_tensor
HOOKS["sympy"] = from_sympy
