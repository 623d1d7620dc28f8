"""Symbolic derivatives: tensors in, tensors out, so that they nest.

``wrt`` is a tensor, its name, a SymPy symbol, or a list of these; it may be any variable, or any intermediate of
the expression. One ``wrt`` gives one result, a list a tuple.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from symgrad.errors import DeclarationError, DtypeError, NotDifferentiableError, ShapeError, UnsupportedError
from symgrad.frontend.tensor import HOOKS, Tensor, as_node
from symgrad.ir.node import Node
from symgrad.ir.show import described, printable
from symgrad.ir.types import size_product
from symgrad.ir.walk import substitute, topological
from symgrad.passes import differentiate
from symgrad.passes.eliminate import eliminate
from symgrad.passes.names import Names, carried, renamed, strip
from symgrad.passes.simplify import simplify
from symgrad.passes.stabilise import stabilise
from symgrad.passes.structure import structure
from symgrad.pipeline import marked
from symgrad.runtime.border import shown

LARGEST_DENSE = 2**26  # elements of a Jacobian, half a gigabyte


class Stable(NamedTuple):
    """A function in its stable form, what stands there for each variable, and the names of its nodes."""

    f: Node
    xs: list[Node]
    names: Names


def resolve(wrt: Any, f: Sequence[Node]) -> list[Node]:
    """Tensors, names and SymPy symbols as nodes of the graph of ``f``."""
    items = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    nodes = [_one(item, f) for item in items]
    unnamed = [n for n in nodes if n.args and n.op.name != "named"]
    reached = set(topological(f)) if unnamed else set()
    for n in unnamed:
        if n not in reached:
            raise DeclarationError(
                "the function is not made of this intermediate",
                ("wrt", described(n)),
                fix="name it, q = sg.named(...), and build the function from q",
            )
    return nodes


def _meant(item: str, known: Sequence[str]) -> str:
    """What a name that is not there may have stood for."""
    parts = [part for part in re.split(r"[,\s]+", item) if part]
    if len(parts) > 1 and set(parts) <= set(known):
        return f"give a list: [{', '.join(map(repr, parts))}]"
    near = difflib.get_close_matches(item, known, 1)
    return f"did you mean {printable(near[0])}?" if near else ""


def _one(item: Any, f: Sequence[Node]) -> Node:
    if isinstance(item, str):
        found = [n for n in topological(f) if n.op.name in ("variable", "named") and name_of(n) == item]
        if not found:
            known = sorted({name for n in topological(f) if (name := name_of(n))})
            raise DeclarationError(
                f"no variable or named intermediate {printable(item)!r}",
                ("names", ", ".join(map(printable, known[:12]))),
                fix=_meant(item, known),
            )
        if len(found) > 1:
            raise DeclarationError(
                f"{len(found)} variables or intermediates are called {printable(item)!r}", fix="give the tensor itself"
            )
        return found[0]
    node = as_node(item)
    if node.dtype != "real":
        raise DtypeError("a derivative needs a real variable", ("wrt", described(node)))
    if node.op.name == "constant":
        raise DeclarationError("a constant is not a variable", ("wrt", described(node)))
    return node


def name_of(node: Node) -> str:
    """The name of a variable or a named intermediate; "" of any other node."""
    if node.op.name == "variable":
        return node["variable"].name
    return node["name"] if node.op.name == "named" else ""


def _stable(f: Node, xs: Sequence[Node]) -> Stable:
    """f in its stable form, and what stands there for each x: an intermediate keeps its place as a named node."""
    marks = [marked(x) for x in xs]
    swap = {x: m for x, m in zip(xs, marks, strict=True) if x is not m}
    (inside,) = substitute([f], swap) if swap else (f,)
    plain, names, _ = strip([inside, *marks], keep=frozenset(marks))
    new = stabilise([*plain, *names])
    return Stable(new[plain[0]], [new[m] for m in plain[1:]], carried(names, new))


def _tidy(nodes: Sequence[Node], names: Names) -> list[Tensor]:
    """Derivatives in their shortest form; what had a name in the primal has it again."""
    new = simplify([*nodes, *names])
    shared = eliminate([new[n] for n in (*nodes, *names)])
    final = {n: shared[m] for n, m in new.items() if m in shared}
    return list(map(Tensor, renamed([final[n] for n in nodes], carried(names, final))))


def _affordable(matrices: list[Tensor]) -> list[Tensor]:
    """Refuse a dense matrix that would have to be computed, of more elements than the budget."""
    for m in matrices:
        count = size_product(m.shape)
        if m.structure == "dense" and isinstance(count, int) and count > LARGEST_DENSE and not _is_given(m.node):
            raise UnsupportedError(
                f"a dense Jacobian of {count} elements; the limit is {LARGEST_DENSE}",
                ("shape", str(m.shape)),
                fix="multiply it by vectors with sg.jvp, sg.vjp or sg.hvp, without storing it",
            )
    return matrices


def _is_given(matrix: Node) -> bool:
    """Whether it is an array of that size in another order: that of ``sum(A * X)`` is A."""
    inner = matrix
    while inner.op.kind in ("index", "identity"):
        inner = inner.args[0]
    return inner.op.kind == "leaf" and size_product(inner.shape) == size_product(matrix.shape)


def _scalar(f: Node, what: str = "grad") -> Node:
    if f.shape:
        fix = "sum it first, or use sg.jacobian" + (" twice" if what == "hessian" else "")
        raise NotDifferentiableError(f"{what} needs a scalar", ("f", described(f)), fix=fix)
    if f.dtype != "real":
        raise NotDifferentiableError("only real values have a gradient", ("f", described(f)))
    return f


def _each(wrt: Any, results: Sequence[Any]) -> Any:
    return tuple(results) if isinstance(wrt, (list, tuple)) else results[0]


def grad(f: Any, wrt: Any) -> Any:
    """The gradient of a scalar, of the shape of each variable.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> grad(x * y + x, x)
    Tensor(1 + y: f64)
    """
    node = _scalar(as_node(f))
    xs = resolve(wrt, [node])
    stable = _stable(node, xs)
    return _each(wrt, _tidy(differentiate.gradient(stable.f, stable.xs), stable.names))


def jacobian(f: Any, wrt: Any) -> Any:
    """All first derivatives; ``.structure`` tells a diagonal or zero one, which is never stored dense.

    Maths:   J_ij = df_i/dx_j
    Shapes:  f.shape + x.shape
    Raises:  UnsupportedError where a dense one would be computed with more elements than memory should hold

    >>> from symgrad.frontend.declare import input, parameter
    >>> v = parameter("v", (3,))
    >>> jacobian(input("A", (2, 3)) @ v, v)
    Tensor(A: f64[2, 3])
    >>> jacobian(v * v, v).structure
    'diagonal'
    """
    node = as_node(f)
    xs = resolve(wrt, [node])
    f, xs, names = _stable(node, xs)
    return _each(wrt, _affordable(_tidy([differentiate.jacobian(f, x) for x in xs], names)))


def hessian(f: Any, wrt: Any) -> Any:
    """The second derivatives of a scalar; of a list a tuple of tuples H[i][j].

    Maths:   H_ij = d2f/(dx_i dx_j)
    Shapes:  x_i.shape + x_j.shape
    Raises:  NotDifferentiableError if f is no real scalar

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> hessian(x * y, [x, y])
    ((Tensor(0: f64), Tensor(1: f64)), (Tensor(1: f64), Tensor(0: f64)))
    """
    node = _scalar(as_node(f), "hessian")
    xs = resolve(wrt, [node])
    stable, xs, names = _stable(node, xs)
    gradients = differentiate.gradient(stable, xs)
    rows = [tuple(_affordable(_tidy([differentiate.jacobian(g, x) for x in xs], names))) for g in gradients]
    return tuple(rows) if isinstance(wrt, (list, tuple)) else rows[0][0]


def jvp(f: Any, wrt: Any, tangents: Any) -> Tensor:
    """The tangent of f for tangents of the variables.

    Maths:   f_dot = sum over x of (df/dx) x_dot
    Shapes:  x_dot that of x, f_dot that of f
    Raises:  ShapeError if a tangent has another shape than its variable

    >>> from symgrad.frontend.declare import input, parameter
    >>> v = parameter("v", (3,))
    >>> jvp(input("A", (2, 3)) @ v, v, input("u", (3,)))
    Tensor(A @ u: f64[2])
    """
    node = as_node(f)
    xs = resolve(wrt, [node])
    dots = _matching(xs, tangents, wrt)
    stable = _stable(node, xs)
    return _tidy([differentiate.pushforward(stable.f, stable.xs, dots)], stable.names)[0]


def vjp(f: Any, wrt: Any, cotangents: Any) -> Any:
    """The pullback of a cotangent of f to each variable.

    Maths:   x_bar = (df/dx)^T f_bar
    Shapes:  f_bar that of f, x_bar that of x
    Raises:  ShapeError if the cotangent has another shape than f

    >>> from symgrad.frontend.declare import input, parameter
    >>> v = parameter("v", (3,))
    >>> vjp(input("A", (2, 3)) @ v, v, input("c", (2,)))
    Tensor(einsum(A, c): f64[3])
    """
    node = as_node(f)
    xs = resolve(wrt, [node])
    (seed,) = _matching([node], cotangents, node)
    stable = _stable(node, xs)
    return _each(wrt, _tidy(differentiate.gradient(stable.f, stable.xs, seed), stable.names))


def hvp(f: Any, wrt: Any, vectors: Any) -> Any:
    """The Hessian of a scalar times a vector, without the Hessian.

    Maths:   H v, the pushforward of the gradient along v
    Shapes:  v and the result that of x
    Raises:  NotDifferentiableError if f is no real scalar, ShapeError if a vector has another shape than its variable

    >>> from symgrad.frontend.declare import symbols
    >>> x, y, u = symbols("x y u")
    >>> hvp(x * x * y, y, u)
    Tensor(0: f64)
    """
    node = _scalar(as_node(f), "hvp")
    xs = resolve(wrt, [node])
    dots = _matching(xs, vectors, wrt)
    stable, xs, names = _stable(node, xs)
    gradients = differentiate.gradient(stable, xs)
    return _each(wrt, _tidy([differentiate.pushforward(g, xs, dots) for g in gradients], names))


def _matching(xs: Sequence[Node], values: Any, wrt: Any) -> list[Node]:
    """One value a variable, of its shape."""
    given = list(values) if isinstance(wrt, (list, tuple)) and isinstance(values, (list, tuple)) else [values]
    if len(given) != len(xs):
        raise ShapeError(
            f"{len(given)} vectors for {len(xs)} variables",
            ("variables", ", ".join(printable(name_of(x)) for x in xs[:12])),
            fix="give a list of one vector for each, in this order",
        )
    nodes = [as_node(v) for v in given]
    for x, v in zip(xs, nodes, strict=True):
        if x.shape != v.shape:
            raise ShapeError(
                "a tangent or cotangent has the shape of its variable",
                ("variable", described(x)),
                ("vector", described(v)),
                fix=f"give one of shape {shown(x.shape)}",
            )
    return nodes


HOOKS["structure"] = structure
