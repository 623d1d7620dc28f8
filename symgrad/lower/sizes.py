"""Sizes and indices as scalar expressions of the loop program.

An index of an array is one ``Axis`` a dimension, a sum of var*step and an offset, where var is a loop variable; every
change of index (transpose, broadcast, slice, diagonal, window) keeps this form. ``Flat`` is the position in a
contiguous array seen as a vector.
"""

from __future__ import annotations

from dataclasses import dataclass

from symgrad.ir.expression import Expr, apply, const, var
from symgrad.ir.types import AnySize, Quotient, Shape, Size


@dataclass(frozen=True, slots=True)
class Axis:
    """var*step + offset; without a variable a fixed position. ``more`` are further products (var, step)."""

    var: str | None
    step: int = 1
    offset: AnySize = 0
    more: tuple[tuple[str, int], ...] = ()

    @property
    def terms(self) -> tuple[tuple[str, int], ...]:
        """Every (var, step)."""
        return ((self.var, self.step), *self.more) if self.var else ()


def moved(axis: Axis, start: AnySize, step: int) -> Axis:
    """start + step*axis."""
    more = tuple((name, k * step) for name, k in axis.more)
    return Axis(axis.var, axis.step * step, start + step * axis.offset, more)


def joined(a: Axis, b: Axis) -> Axis:
    """a + b."""
    steps: dict[str, int] = {}
    for name, k in (*a.terms, *b.terms):
        steps[name] = steps.get(name, 0) + k
    terms = [term for term in steps.items() if term[1]]
    offset = a.offset + b.offset
    return Axis(*terms[0], offset, tuple(terms[1:])) if terms else Axis(None, 0, offset)


@dataclass(frozen=True, slots=True)
class Flat:
    """The position in C order."""

    var: str


ZERO = Axis(None, 0, 0)
Index = tuple[Axis, ...] | Flat


def squeeze(shape: Shape) -> Shape:
    """The shape without axes of literal length 1."""
    return tuple(n for n in shape if n != 1)


def integer(value: int) -> Expr:
    """A literal index."""
    return const(value, "i64")


def size_expr(size: AnySize, names: dict[str, str]) -> Expr:
    """A size as an expression of the named sizes; ``names`` gives their identifiers."""
    if isinstance(size, int):
        return integer(size)
    total: Expr | None = None
    for atoms, factor in _positive_first(size):
        product: Expr | None = None
        for atom in atoms:
            part = _atom(atom, names)
            product = part if product is None else product * part
        total = _plus(total, product, factor)
    assert total is not None
    return total


def _positive_first(size: Size) -> list:
    return sorted(size.terms, key=lambda term: term[1] < 0)


def _atom(atom: str | Quotient, names: dict[str, str]) -> Expr:
    if isinstance(atom, Quotient):
        return size_expr(atom.numerator, names) // atom.divisor
    return var(names[atom], "i64")


def _plus(total: Expr | None, product: Expr | None, factor: int) -> Expr:
    """total + factor*product, written as a person would."""
    scale = abs(factor)
    part = integer(scale) if product is None else product if scale == 1 else product * scale
    if total is None:
        return part if factor > 0 else -part
    return total + part if factor > 0 else total - part


def weight(expr: Expr) -> int:
    """How many operations an expression holds."""
    stack, total = [expr], 0
    while stack:
        part = stack.pop()
        total += bool(part.args)
        stack.extend(part.args)
    return total


def least(a: Expr, b: Expr) -> Expr:
    """min(a, b) of two integers."""
    return apply("select", a < b, a, b)


def same_expr(a: Expr, b: Expr) -> bool:
    """Whether two short expressions are written alike."""
    stack = [(a, b)]
    while stack:
        x, y = stack.pop()
        if (x.op, x.dtype, x.value, len(x.args)) != (y.op, y.dtype, y.value, len(y.args)):
            return False
        stack.extend(zip(x.args, y.args, strict=True))
    return True
