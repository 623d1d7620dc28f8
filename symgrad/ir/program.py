"""The loop program: the language below the border, from which all code is printed.

    Expr      = const | var | load | length | basis operation | call of a Function       (a scalar)
    Statement = Assign | Store | Accumulate | Loop | If | Exit | Call | Allocate | Return
    Function  = parameters, body, results
    Program   = functions in the order of definition; the last ones are entry points

Scalars are typed "f64", "f32", "i64", "i32" or "bool"; a program is concrete. A name is
assigned once in its scope, except by Accumulate, and by an Assign in a loop to a name from outside it. Basis operations are exact or correctly rounded,
so that every printer, vector width and tail gives the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# op -> number of arguments. Results have the type of the first argument unless RESULT says more.
BASIS: dict[str, int] = {
    "add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1, "fma": 3, "sqrt": 1, "abs": 1,
    "floor": 1, "rint": 1, "trunc": 1, "copysign": 2, "floordiv": 2, "mod": 2,
    "lt": 2, "le": 2, "gt": 2, "ge": 2, "eq": 2, "ne": 2, "and": 2, "or": 2, "not": 1,
    "select": 3, "bits": 1, "from_bits": 1, "shl": 2, "shr": 2, "iand": 2, "ior": 2, "ixor": 2,
    "to_int": 1, "to_real": 1, "widen": 1, "narrow": 1,
}  # fmt: skip
_BOOL = {"lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"}
INT_OF = {"f64": "i64", "f32": "i32"}
REAL_OF = {"i64": "f64", "i32": "f32"}


@dataclass(frozen=True, slots=True, eq=False)
class Expr:
    """A scalar. ``value`` is a number (const), a name (var), a buffer (load), (buffer, axis) (length), a callee (call)."""

    op: str
    args: tuple[Expr, ...]
    dtype: str
    value: object = None

    def __add__(self, other: Operand) -> Expr:
        return apply("add", self, other)

    def __radd__(self, other: Operand) -> Expr:
        return apply("add", lift(other, self), self)

    def __sub__(self, other: Operand) -> Expr:
        return apply("sub", self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return apply("sub", lift(other, self), self)

    def __mul__(self, other: Operand) -> Expr:
        return apply("mul", self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return apply("mul", lift(other, self), self)

    def __truediv__(self, other: Operand) -> Expr:
        return apply("div", self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return apply("div", lift(other, self), self)

    def __floordiv__(self, other: Operand) -> Expr:
        return apply("floordiv", self, other)

    def __mod__(self, other: Operand) -> Expr:
        return apply("mod", self, other)

    def __neg__(self) -> Expr:
        return apply("neg", self)

    def __abs__(self) -> Expr:
        return apply("abs", self)

    def __lt__(self, other: Operand) -> Expr:
        return apply("lt", self, other)

    def __le__(self, other: Operand) -> Expr:
        return apply("le", self, other)

    def __gt__(self, other: Operand) -> Expr:
        return apply("gt", self, other)

    def __ge__(self, other: Operand) -> Expr:
        return apply("ge", self, other)

    def __and__(self, other: Operand) -> Expr:
        return apply("and" if self.dtype == "bool" else "iand", self, other)

    def __or__(self, other: Operand) -> Expr:
        return apply("or" if self.dtype == "bool" else "ior", self, other)

    def __xor__(self, other: Operand) -> Expr:
        return apply("ixor", self, other)

    def __invert__(self) -> Expr:
        return apply("not", self)

    def __lshift__(self, other: Operand) -> Expr:
        return apply("shl", self, other)

    def __rshift__(self, other: Operand) -> Expr:
        return apply("shr", self, other)


Operand = Expr | float | int | bool


def const(value: float | int | bool, dtype: str) -> Expr:
    """A literal of the given type."""
    return Expr("const", (), dtype, value)


def var(name: str, dtype: str) -> Expr:
    """A scalar by its name."""
    return Expr("var", (), dtype, name)


def load(buffer: str, index: tuple[Expr, ...], dtype: str) -> Expr:
    """One element of a buffer."""
    return Expr("load", index, dtype, buffer)


def length(buffer: str, axis: int) -> Expr:
    """The size of an axis of a buffer."""
    return Expr("length", (), "i64", (buffer, axis))


def call(function: str, args: tuple[Expr, ...], dtype: str) -> Expr:
    """The value of a Function of the same Program (``exp``, ``sigmoid``, ...)."""
    return Expr("call", args, dtype, function)


def lift(value: Operand, like: Expr) -> Expr:
    """A number as a literal of the type of ``like``."""
    return value if isinstance(value, Expr) else const(value, like.dtype)


def apply(op: str, *args: Operand) -> Expr:
    """A basis operation; numbers among the arguments take the type of the first expression."""
    first = next(a for a in args if isinstance(a, Expr) and (op != "select" or a is not args[0]))
    exprs = tuple(lift(a, first) for a in args)
    assert len(exprs) == BASIS[op], f"{op} takes {BASIS[op]} arguments"
    return Expr(op, exprs, result_dtype(op, exprs))


def result_dtype(op: str, args: tuple[Expr, ...]) -> str:
    """The type of a basis operation's result."""
    if op in _BOOL:
        return "bool"
    if op in ("bits", "to_int"):
        return INT_OF[args[0].dtype]
    if op in ("from_bits", "to_real"):
        return REAL_OF[args[0].dtype]
    if op in ("widen", "narrow"):
        return "f64" if op == "widen" else "f32"
    return args[1].dtype if op == "select" else args[0].dtype


def select(condition: Expr, yes: Operand, no: Operand) -> Expr:
    """``yes`` where the condition holds, else ``no``; both are evaluated."""
    return apply("select", condition, yes, no)


def fma(a: Operand, b: Operand, c: Operand) -> Expr:
    """a*b + c, rounded once."""
    return apply("fma", a, b, c)


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = expr``. ``note`` is printed as a comment above, ``node`` is its origin in the graph."""

    target: str
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """``buffer[index] = expr``."""

    buffer: str
    index: tuple[Expr, ...]
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Accumulate:
    """``target += expr`` (or buffer[index] where index is not None); op is "add", "mul", "or", "and"."""

    target: str
    index: tuple[Expr, ...] | None
    op: str
    expr: Expr
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """``for var in range(start, stop, step)``; ``mark`` "unroll" or "vector" is a hint to a printer."""

    var: str
    start: Expr
    stop: Expr
    body: tuple[Statement, ...]
    step: int = 1
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class If:
    """Two-way branch."""

    condition: Expr
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """Leave with an error: kind is "index" or "value", the message is symgrad's own text."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """A kernel on buffers: ``dot(a, b, out)``; operands may be transposed views ("T:name").

    Views bind a name to memory that exists: ``flat(a, view)``, ``reshape(a, view, size, ...)``, ``row(a, view,
    position)``, which is a[position], and ``same(a, view)``, whose old content is read no more.
    """

    kernel: str
    args: tuple[str, ...]
    note: str = ""
    node: int | None = None


@dataclass(frozen=True, slots=True)
class Allocate:
    """A C-contiguous buffer; ``fill`` None leaves it uninitialised."""

    name: str
    shape: tuple[Expr, ...]
    dtype: str
    fill: float | int | bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """Leave with results: scalars and buffers, by name or expression; nested tuples are kept."""

    values: tuple


Statement = Assign | Store | Accumulate | Loop | If | Exit | Call | Allocate | Return


@dataclass(frozen=True, slots=True)
class Parameter:
    """rank 0 is a scalar, otherwise a C-contiguous array."""

    name: str
    dtype: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the program; ``doc`` becomes its docstring.

    ``packed`` names scalar parameters that travel in one vector, the first parameter (where they are many);
    ``hidden`` names trailing parameters that are constants of the program, not of the caller.
    """

    name: str
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    doc: str = ""
    packed: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """Functions in the order of definition; ``entries`` names those that are called from outside.

    ``dtype`` is the float type; ``constants`` are small module-level arrays, ``hidden`` the values of hidden
    parameters, both by name.
    """

    functions: tuple[Function, ...]
    entries: tuple[str, ...]
    dtype: str = "f64"
    constants: tuple[tuple[str, Any], ...] = ()
    hidden: tuple[tuple[str, Any], ...] = ()


def statements(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """Every statement, outer before inner."""
    stack = list(reversed(body))
    while stack:
        statement = stack.pop()
        yield statement
        if isinstance(statement, Loop):
            stack.extend(reversed(statement.body))
        elif isinstance(statement, If):
            stack.extend(reversed(statement.body + statement.orelse))
