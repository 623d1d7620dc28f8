r"""How one element of a primitive's result is made of elements of its arguments: what index notation says.

An op states it in ``Op.element(node, index, take)``: ``index`` has a ``Place`` for each axis of the result, ``take(n)``
gives a new letter for an axis of size n. The answer is an ``Element``: a product of elements of arguments, under a sum
or another big operator, 0 unless its conditions hold; or several, which are added; or None where there is no such form.

    y = a @ b        sum over k of a[i, k] b[k, j]           Element(((0, (i, k)), (1, (k, j))), "sum", (k,))
    y = x[1:]        x[i + 1]                                Element(((0, (i + 1,)),))
    y = cumsum(x)    sum over j <= i of x[j]                 Element(((0, (j,)),), "sum", (j,), (Bound(j, "<=", i),))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symgrad.ir.types import AnySize


@dataclass(frozen=True, slots=True)
class Picked:
    """A position that an argument holds: element ``index`` of argument ``argument``."""

    argument: int
    index: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A position along an axis: sum of coefficient * letter, and an offset."""

    terms: tuple[tuple[int, str | Picked], ...] = ()
    offset: AnySize = 0

    def __add__(self, other: Place | AnySize) -> Place:
        if isinstance(other, Place):
            return Place(self.terms + other.terms, self.offset + other.offset)
        return Place(self.terms, self.offset + other)

    def __mul__(self, factor: int) -> Place:
        return Place(tuple((factor * k, letter) for k, letter in self.terms), self.offset * factor)


Index = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition on a position; ``relation`` is =, <, <=, >=, !=."""

    left: Place
    relation: str
    right: Place


@dataclass(frozen=True, slots=True)
class Element:
    """The product of ``reads`` (argument, index), under the operator ``over`` with the letters ``running``.

    ``bounds`` limit the letters that run; ``when`` are conditions on the index, the element being 0 where one fails.
    """

    reads: tuple[tuple[int, Index], ...]
    over: str = ""  # "sum", "prod", "max", "min", "argmax", "argmin", "any", "all"
    running: Index = ()
    bounds: tuple[Bound, ...] = ()
    when: tuple[Bound, ...] = ()


Take = Callable[[AnySize], Place]


def at(position: AnySize) -> Place:
    """A fixed position."""
    return Place((), position)


def letter(name: str) -> Place:
    """A position that has a letter."""
    return Place(((1, name),))
