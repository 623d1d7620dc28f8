"""Writing an elementary function down: names are given, constants chosen by type, numbers taken apart.

A builder receives a ``Draft`` and its arguments, records assignments in it and returns the result.
It is called once with "f64" and once with "f32" and holds no branch on values: choices are
``select``, so that a loop over the function becomes vector code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.ir.expression import Expr, apply, call, const, fma, select, var
from symgrad.ir.program import Assign, Parameter, Statement


@dataclass(frozen=True, slots=True)
class Format:
    """An IEEE 754 binary format: where its exponent starts and what its exponent of 0 is."""

    shift: int
    bias: int
    rounder: float  # 1.5 * 2^shift: adding it rounds to an integer, which its low bits then hold
    tiny: float  # the smallest normal number
    sqrt_half: int  # the bits of sqrt(1/2), where mantissas are cut

    @property
    def sign(self) -> int:
        """The shift that makes bit 1 the sign."""
        return 62 if self.shift == 52 else 30


FORMAT = {
    "f64": Format(52, 1023, 1.5 * 2.0**52, 2.0**-1022, 0x3FE6A09E667F3BCD),
    "f32": Format(23, 127, 1.5 * 2.0**23, 2.0**-126, 0x3F3504F3),
}


class Draft:
    """The statements of one function in the making."""

    def __init__(self, dtype: str, suffix: str = "") -> None:
        self.dtype = dtype
        self.suffix = suffix
        self.body: list[Statement] = []
        self.called: dict[str, None] = {}
        self._names: set[str] = set()

    @property
    def format(self) -> Format:
        """That of the type."""
        return FORMAT[self.dtype]

    def let(self, name: str, expr: Expr) -> Expr:
        """A name for a value; a taken name gets the next free number."""
        free = self._free(name)
        self.body.append(Assign(free, expr))
        return var(free, expr.dtype)

    def fork(self) -> Draft:
        """A draft of a nested body: new names, its own statements."""
        inner = Draft(self.dtype, self.suffix)
        inner._names, inner.called = self._names, self.called
        return inner

    def _free(self, name: str) -> str:
        number, free = 2, name
        while free in self._names:
            free, number = f"{name}{number}", number + 1
        self._names.add(free)
        return free

    def parameter(self, name: str, dtype: str = "") -> Expr:
        """An argument, of the draft's type if none is given."""
        self._names.add(name)
        return var(name, dtype or self.dtype)

    def real(self, value: float) -> Expr:
        """A literal."""
        return const(value, self.dtype)

    def pick(self, f64: float, f32: float) -> Expr:
        """The literal of this type."""
        return const(f64 if self.dtype == "f64" else f32, self.dtype)

    def call(self, name: str, *args: Expr) -> Expr:
        """Another elementary function of the same type."""
        self.called[name] = None
        return call(name + self.suffix, args, self.dtype)

    def horner(self, name: str, x: Expr, table: Coefficients) -> Expr:
        """The polynomial with the coefficients of this type, lowest degree first.

        From degree 8 on even and odd powers go side by side, which halves the chain that a result waits for;
        the last step, whose rounding counts, is as in Horner's scheme.
        """
        first, *rest = table[self.dtype]
        if len(rest) < 8:
            return self.chain(name, x, (first, *rest))
        square = self.let("square", x * x)
        even, odd = (self.chain(name, square, tuple(rest[start::2])) for start in (0, 1))
        return self.let(name, fma(fma(odd, x, even), x, self.real(first)))

    def chain(self, name: str, x: Expr, coefficients: tuple[float, ...]) -> Expr:
        """Horner's scheme, four steps a line."""
        *low, value = [self.real(c) for c in coefficients]
        steps = list(reversed(low))
        for i, c in enumerate(steps):
            value = fma(value, x, c)
            if i % 4 == 3 or i == len(steps) - 1:
                value = self.let(name, value)
        return value


Coefficients = dict[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Row:
    """One function: ``build(draft, *arguments)`` gives its value; ``takes`` names arguments of types of their own."""

    name: str
    build: Callable[..., Expr]
    source: str
    arity: int = 1
    limit: dict[str, float] | None = None  # dtype -> the largest |x| that ``build`` takes
    order: bool = False  # the name ends in _n, and ``build`` receives n after the draft
    through: bool = False  # float32 is computed in float64 and rounded once more
    takes: tuple[tuple[str, str], ...] = ()


NAMES = ("x", "y")


def parameters(row: Row, dtype: str) -> tuple[Parameter, ...]:
    """The arguments of a row."""
    if row.takes:
        return tuple(Parameter(name, own) for name, own in row.takes)
    return tuple(Parameter(name, dtype) for name in NAMES[: row.arity])


def equal(a: Expr, b: Expr | float) -> Expr:
    """a == b."""
    return apply("eq", a, b)


def bits(x: Expr) -> Expr:
    """The representation as an integer."""
    return apply("bits", x)


def from_bits(k: Expr) -> Expr:
    """The number with that representation."""
    return apply("from_bits", k)


def copysign(x: Expr, sign: Expr) -> Expr:
    """|x| with the sign of ``sign``."""
    return apply("copysign", x, sign)


def at_most(x: Expr, bound: Expr | float) -> Expr:
    """min(x, bound), NaN kept."""
    return select(x > bound, bound, x)


def at_least(x: Expr, bound: Expr | float) -> Expr:
    """max(x, bound), NaN kept."""
    return select(x < bound, bound, x)


def power_of_two(d: Draft, k: Expr, offset: int = 0) -> Expr:
    """2^(k + offset) where the low bits of the integer ``k`` hold the exponent, in the normal range."""
    return from_bits((k << d.format.shift) + ((d.format.bias + offset) << d.format.shift))


def quotient(d: Draft, top: Expr, a: Expr, b: Expr) -> Expr:
    """top/(1 + a b), corrected by what the sum and the division lost."""
    b = d.let("b", b)
    u = d.let("u", fma(a, b, 1.0))
    inverse = d.let("inverse", 1.0 / u)
    y = d.let("y", top * inverse)
    lost = d.let("lost", fma(-y, fma(a, b, 1.0 - u), fma(-y, u, top)))
    return fma(lost, inverse, y)
