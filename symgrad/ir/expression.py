"""Scalar expressions of the loop program: constants, names, elements of buffers, basis operations, calls.

Scalars are typed "f64", "f32", "i64", "i32" or "bool". Basis operations are exact or correctly rounded, so that
every printer, vector width and tail gives the same bits. Numbers among the operands take the other operand's type.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """A scalar.

    ``value`` is a number (const), a name (var), a buffer (load), (buffer, axis) (length), a callee (call).
    """

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
