"""Shapes, sizes and number kinds.

A size is an int or a ``Size``: an integer polynomial of named sizes and of floor divisions of such
polynomials, kept in one canonical form, so that equal forms are equal objects by ``==``. Different
names never broadcast; only a literal 1 does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Dtype = str  # "real" (the float type of the function), "int", "bool"
SHOWN = {"real": "f64", "int": "i64", "bool": "bool"}


@dataclass(frozen=True, slots=True)
class Quotient:
    """``numerator // divisor``, an atom of a Size."""

    numerator: Size
    divisor: int

    def __str__(self) -> str:
        inner = str(self.numerator)
        return f"({inner})//{self.divisor}" if not inner.isidentifier() else f"{inner}//{self.divisor}"


Atom = str | Quotient


@dataclass(frozen=True, slots=True)
class Size:
    """Sum of ``coefficient * product of atoms``; terms are sorted and none is 0."""

    terms: tuple[tuple[tuple[Atom, ...], int], ...]

    def __add__(self, other: AnySize) -> AnySize:
        return _collect([*self.terms, *_terms(other)])

    __radd__ = __add__

    def __neg__(self) -> AnySize:
        return self * -1

    def __sub__(self, other: AnySize) -> AnySize:
        return self + -other

    def __rsub__(self, other: AnySize) -> AnySize:
        return -self + other

    def __mul__(self, other: AnySize) -> AnySize:
        pairs = [(a + b, m * n) for a, m in self.terms for b, n in _terms(other)]
        return _collect([(tuple(sorted(atoms, key=str)), n) for atoms, n in pairs])

    __rmul__ = __mul__

    def __floordiv__(self, divisor: int) -> AnySize:
        if all(n % divisor == 0 for _, n in self.terms):
            return _collect([(atoms, n // divisor) for atoms, n in self.terms])
        whole = [(atoms, n // divisor) for atoms, n in self.terms if not atoms or n % divisor == 0]
        rest = [(atoms, n) for atoms, n in self.terms if atoms and n % divisor]
        rest += [((), n % divisor) for atoms, n in self.terms if not atoms]
        below = _collect(rest)
        if isinstance(below, int):
            return _collect([*whole, ((), below // divisor)])
        return _collect([*whole, ((Quotient(below, divisor),), 1)])

    def names(self) -> tuple[str, ...]:
        """The named sizes in it, sorted."""
        found: set[str] = set()
        for atoms, _ in self.terms:
            for atom in atoms:
                found.update((atom,) if isinstance(atom, str) else atom.numerator.names())
        return tuple(sorted(found))

    def substitute(self, values: Mapping[str, AnySize]) -> AnySize:
        """The size with named sizes replaced."""
        total: AnySize = 0
        for atoms, n in self.terms:
            product: AnySize = n
            for atom in atoms:
                if isinstance(atom, str):
                    product = product * values.get(atom, named(atom))
                else:
                    product = product * (substitute(atom.numerator, values) // atom.divisor)
            total = total + product
        return total

    def __str__(self) -> str:
        parts: list[str] = []
        for atoms, n in self.terms:
            body = "*".join(str(a) for a in atoms)
            text = str(abs(n)) if not body else body if abs(n) == 1 else f"{abs(n)}*{body}"
            parts.append(("-" if n < 0 else "+" if parts else "") + text)
        return "".join(parts)

    __repr__ = __str__


AnySize = int | Size
Shape = tuple[AnySize, ...]


def named(name: str) -> Size:
    """The size of that name."""
    return Size((((name,), 1),))


def substitute(size: AnySize, values: Mapping[str, AnySize]) -> AnySize:
    """Named sizes replaced; an int stays."""
    return size if isinstance(size, int) else size.substitute(values)


def _terms(size: AnySize) -> tuple:
    return (((), size),) if isinstance(size, int) else size.terms


def _collect(pairs: list[tuple[tuple[Atom, ...], int]]) -> AnySize:
    sums: dict[tuple[Atom, ...], int] = {}
    for atoms, n in pairs:
        sums[atoms] = sums.get(atoms, 0) + n
    terms = sorted(((a, n) for a, n in sums.items() if n), key=lambda t: (-len(t[0]), str(t[0])))
    if not terms:
        return 0
    if len(terms) == 1 and not terms[0][0]:
        return terms[0][1]
    return Size(tuple(terms))


def size_product(shape: Shape) -> AnySize:
    """The number of elements."""
    total: AnySize = 1
    for n in shape:
        total = total * n
    return total


@dataclass(frozen=True, slots=True)
class ArrayType:
    """Shape and number kind of a tensor; a scalar has shape ()."""

    shape: Shape
    dtype: Dtype

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        sizes = ", ".join(map(str, self.shape))
        return f"{SHOWN[self.dtype]}[{sizes}]" if self.shape else SHOWN[self.dtype]


def real(*shape: AnySize) -> ArrayType:
    """A real tensor type."""
    return ArrayType(shape, "real")


def broadcast_shapes(left: Shape, right: Shape) -> Shape | None:
    """NumPy's rule on sizes that may be symbolic; None where they do not fit."""
    if left == right or not left or not right:  # most operands are scalars or fit already
        return left or right
    rank = max(len(left), len(right))
    a = (1,) * (rank - len(left)) + left
    b = (1,) * (rank - len(right)) + right
    if any(m != n and m != 1 and n != 1 for m, n in zip(a, b, strict=True)):
        return None
    return tuple(n if m == 1 else m for m, n in zip(a, b, strict=True))
