"""Shapes, sizes and number kinds.

A size is an int or a ``Size``: an integer polynomial of named sizes and of floor divisions of such
polynomials, kept in one canonical form, so that equal forms are equal objects by ``==``. Different
names never broadcast; only a literal 1 does. A size beside anything else (``n * x``, ``n / 2``, ``n < 3``) is a
number in a formula: the frontend says what it gives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any

Dtype = str  # "real" (the float type of the function), "int", "bool"
SHOWN = {"real": "f64", "int": "i64", "bool": "bool"}


# What an operator gives where the result is no size: filled by the frontend, which knows tensors.
AS_NUMBER: dict[str, Callable[..., Any]] = {}


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

    __array_ufunc__ = None  # so that ``array * n`` asks n

    def __add__(self, other: Any) -> Any:
        n = _as_size(other)
        return AS_NUMBER["add"](self, other) if n is None else _collect([*self.terms, *_terms(n)])

    def __radd__(self, other: Any) -> Any:
        return AS_NUMBER["add"](other, self) if _as_size(other) is None else self + other

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        n = _as_size(other)
        return AS_NUMBER["sub"](self, other) if n is None else self + -n

    def __rsub__(self, other: Any) -> Any:
        return AS_NUMBER["sub"](other, self) if _as_size(other) is None else -self + other

    def __mul__(self, other: Any) -> Any:
        n = _as_size(other)
        if n is None:
            return AS_NUMBER["mul"](self, other)
        pairs = [(a + b, m * k) for a, m in self.terms for b, k in _terms(n)]
        return _collect([(tuple(sorted(atoms, key=str)), k) for atoms, k in pairs])

    def __rmul__(self, other: Any) -> Any:
        return AS_NUMBER["mul"](other, self) if _as_size(other) is None else self * other

    def __pow__(self, exponent: Any) -> Any:
        k = _as_size(exponent)
        return size_product((self,) * k) if isinstance(k, int) and 0 <= k <= 8 else AS_NUMBER["pow"](self, exponent)

    def __rpow__(self, base: Any) -> Any:
        return AS_NUMBER["pow"](base, self)

    def __truediv__(self, other: Any) -> Any:
        return AS_NUMBER["div"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return AS_NUMBER["div"](other, self)

    def __mod__(self, other: Any) -> Any:
        return AS_NUMBER["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return AS_NUMBER["mod"](other, self)

    def __lt__(self, other: Any) -> Any:
        return AS_NUMBER["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return AS_NUMBER["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return AS_NUMBER["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return AS_NUMBER["greater_equal"](self, other)

    def __floordiv__(self, divisor: Any) -> AnySize:
        if not isinstance(divisor, Integral):
            return NotImplemented
        divisor = int(divisor)
        if all(n % divisor == 0 for _, n in self.terms):
            return _collect([(atoms, n // divisor) for atoms, n in self.terms])
        whole = [(atoms, n // divisor) for atoms, n in self.terms if not atoms or n % divisor == 0]
        rest = [(atoms, n) for atoms, n in self.terms if atoms and n % divisor]
        rest += [((), n % divisor) for atoms, n in self.terms if not atoms]
        return _collect([*whole, *_terms(_quotient(_collect(rest), divisor))])

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
            alone = len(atoms) == 1 and n == 1
            body = "*".join(str(a) if alone or isinstance(a, str) else f"({a})" for a in atoms)
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


def is_monomial(size: Size) -> bool:
    """Whether a size is written as one positive product: ``2*n``, not ``n+1`` or ``-n``."""
    return len(size.terms) == 1 and size.terms[0][1] > 0


def _as_size(value: Any) -> AnySize | None:
    """An integer or a size as it is; None for what makes a formula of it."""
    if isinstance(value, (int, Size)):
        return value
    return int(value) if isinstance(value, Integral) else None


def _quotient(size: AnySize, divisor: int) -> AnySize:
    """``size // divisor`` of what is not divided term by term, in its least form.

    Maths:   (c a + r) // (c d) = (a + r//c) // d,   (a//b + r) // d = (a + b r) // (b d)
    """
    if isinstance(size, int):
        return size // divisor
    products = [(atoms, n) for atoms, n in size.terms if atoms]
    common = math.gcd(divisor, *(n for _, n in products))
    if common > 1:
        return (size // common) // (divisor // common)
    (atoms, n), rest = products[0], size - Size((products[0],))
    if len(products) == n == len(atoms) == 1 and isinstance(atoms[0], Quotient):
        return (atoms[0].numerator + rest * atoms[0].divisor) // (divisor * atoms[0].divisor)
    return Size((((Quotient(size, divisor),), 1),))


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
