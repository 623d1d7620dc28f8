"""From a row of the element-wise table to an Op.

An element-wise row states a function once: as SymPy (its mathematics), as basis operations (its code),
as NumPy (its reference) and as LaTeX. Its partial derivatives are stated in the form a person would
write, and proved equal to SymPy's by a test; where they are not stated SymPy derives them. Broadcasting
is never a row's business: the sweeps undo it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import DtypeError, ShapeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import ArrayType, Size, broadcast_shapes

Partial = Callable[..., Node | None]


@dataclass(frozen=True, slots=True, eq=False)
class Elementwise:
    """One function of real (or other) scalars.

    sympy(*symbols, **params) -> SymPy expression. partials[i](y, *xs, **params) -> Node, or None where the
    derivative is 0; partials None asks SymPy. code(*exprs, **params) -> program Expr, or None: the SymPy
    expression is compiled. reference(*arrays, **params) -> NumPy array. latex is a format of "{0}", "{1}", ...
    or a function of texts; ``precedence`` is that of the LaTeX result ("add", "mul", "pow", "atom", "fn").
    ``domain`` lists sample points (one per argument); ``result`` "real", "bool" or "same" as the arguments;
    ``takes`` lists the kinds the arguments may have. Where the result is real and no argument is, the row is
    ``typed``: code also takes dtype=, the float type of the program.
    """

    name: str
    arity: int
    sympy: Callable[..., Any] | None
    partials: tuple[Partial, ...] | None
    code: Callable[..., Any] | None
    reference: Callable[..., Any]
    latex: Any
    domain: tuple
    source: str = ""
    result: str = "real"
    takes: tuple[str, ...] = ("real",)
    precedence: str = "fn"
    params: tuple[str, ...] = ()
    typed: bool = False
    word: str = ""  # these four as in ``Op``
    rule: str | tuple[str, ...] = ""
    traits: frozenset[str] = frozenset()
    odd: tuple[int, ...] = ()

    def spelled(self, args: tuple[Any, ...], params: Mapping[str, Any], dtype: str) -> Any:
        """The program expression of one element; ``dtype`` is the program's float type."""
        assert self.code is not None, f"{self.name} has no code"
        return self.code(*args, **params, **({"dtype": dtype} if self.typed else {}))


ROWS: dict[str, Elementwise] = {}
HOOKS: dict[str, Callable[..., Any]] = {}  # what ``symbolic`` hands in: it is built on the table itself


def register_row(row: Elementwise) -> Op:
    """Turn a row into an Op and add both to their tables."""
    ROWS[row.name] = row

    def infer(*types: ArrayType, **params: Any) -> ArrayType:
        return infer_elementwise(row, types)

    op = Op(row.name, "elementwise", infer, reference=row.reference, source=row.source, row=row)
    return register(replace(op, word=row.word, rule=row.rule, traits=row.traits, odd=row.odd))


def _broadcast_fix(types: tuple[ArrayType, ...]) -> str:
    """Sizes of different names may be one size that was declared twice."""
    pairs = itertools.combinations(types, 2)
    names = any(
        m != n and (isinstance(m, Size) or isinstance(n, Size)) and 1 not in (m, n)
        for a, b in pairs
        for m, n in zip(a.shape[::-1], b.shape[::-1], strict=False)
    )
    return "declare equal sizes by one name, or reshape one operand" if names else "reshape one operand"


def infer_elementwise(row: Elementwise, types: tuple[ArrayType, ...]) -> ArrayType:
    """Broadcast the shapes and check the kinds."""
    assert len(types) == row.arity, f"{row.name} takes {row.arity} arguments"
    shape: tuple = ()
    for t in types:
        joined = broadcast_shapes(shape, t.shape)
        if joined is None:
            facts = [(f"argument {i + 1}", str(t)) for i, t in enumerate(types)]
            raise ShapeError(f"{row.name}: shapes do not broadcast", *facts, fix=_broadcast_fix(types))
        shape = joined
    kinds = {t.dtype for t in types[1:]} if row.name == "where" else {t.dtype for t in types}
    if not kinds <= set(row.takes) or len(kinds) > 1:
        facts = [(f"argument {i + 1}", str(t)) for i, t in enumerate(types)]
        raise DtypeError(f"{row.name} takes {' or '.join(row.takes)} arguments of one kind", *facts)
    return ArrayType(shape, types[-1].dtype if row.result == "same" else row.result)


def partial(node: Node, i: int) -> Node | None:
    """The derivative of an element-wise node by its i-th argument, as a node; None where it is 0."""
    row = node.op.row
    if row.partials is not None:
        return row.partials[i](node, *node.args, **node.params)
    return HOOKS["derived_partial"](row, i, node)  # SymPy is asked only where a row states nothing


def zmul(g: Node, p: Node) -> Node:
    """g*p, but 0 where g is 0: what is not taken contributes nothing, even where p is not finite."""
    return build("zmul", g, p)


def zdiv(g: Node, p: Node) -> Node:
    """g/p, but 0 where g is 0."""
    return build("zdiv", g, p)
