"""Printers of what has no arguments: numbers, sizes, positions, constant arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symgrad.emit.latex_names import automatic
from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_numbers import number
from symgrad.emit.latex_pieces import ATOM, Piece, added, multiplied
from symgrad.ir.node import Node
from symgrad.ir.types import AnySize, Quotient

_FEW = 4  # positions that are written out


def numeral(value: Any) -> Piece:
    """A number; booleans are words."""
    if isinstance(value, bool):
        return Piece(number(value), ATOM)
    text = number(value)
    return Piece("", ATOM, _is_negative(value), text)


def _is_negative(value: float | int) -> bool:
    return value < 0 or (isinstance(value, float) and str(value).startswith("-"))


def size_piece(size: AnySize) -> Piece:
    """A size: a number, or a polynomial of named sizes."""
    if isinstance(size, int):
        return numeral(size)
    total: Piece | None = None
    for atoms, n in size.terms:
        term = numeral(n) if n != 1 or not atoms else None
        for atom in atoms:
            factor = _floored(atom) if isinstance(atom, Quotient) else Piece(automatic(atom, 0).latex, ATOM)
            term = factor if term is None else multiplied(term, factor)
        assert term is not None
        total = term if total is None else added(total, term)
    assert total is not None
    if total.lead == "1" and total.body:
        total = replace(total, lead="")
    return total


def positions(size: AnySize) -> Piece:
    r"""(0, 1, \ldots, n - 1)."""
    if isinstance(size, int) and size <= _FEW:
        return Piece(f"({', '.join(map(str, range(size)))})", ATOM)
    return Piece(rf"(0, 1, \ldots, {size_piece(size - 1).text})", ATOM)


def _floored(quotient: Quotient) -> Piece:
    return Piece(rf"\lfloor {size_piece(quotient.numerator).text} / {quotient.divisor} \rfloor", ATOM)


def _constant(node: Node, args: list[Piece], naming: Naming) -> Piece:
    if not node.shape:
        return numeral(node["value"])
    rows = node["value"].array.reshape(-1, node.shape[-1] if node.type.rank > 1 else 1).tolist()
    body = r" \\ ".join(" & ".join(numeral(v).text for v in row) for row in rows)
    return Piece(rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", ATOM)


LITERALS: dict[str, Printer] = {
    "constant": _constant,
    "constant_like": lambda node, args, naming: numeral(node["value"]),
    "size": lambda node, args, naming: size_piece(node["size"]),
    "iota": lambda node, args, naming: positions(node["size"]),
}
