"""Printers of element-wise ops that are more than their template: arithmetic, powers, slopes, choices, numbers.

A printer takes (node, pieces of its arguments, naming) and gives a piece. Guarded products and quotients are shown as
plain ones: the guard is a matter of code.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from symgrad.emit.latex_names import automatic
from symgrad.emit.latex_naming import ACTIVATIONS, SLOPES, Naming
from symgrad.emit.latex_numbers import number
from symgrad.emit.latex_pieces import (
    ATOM,
    FRACTION,
    FUNCTION,
    ONES_MATRIX,
    POWER,
    RELATION,
    SUM,
    Piece,
    added,
    at_least,
    divided,
    fenced,
    hadamard,
    is_tall,
    multiplied,
    negated,
    raised,
    subtracted,
)
from symgrad.ir.node import Node, build
from symgrad.ir.types import AnySize, Quotient

Printer = Callable[[Node, list[Piece], Naming], Piece]
ONE = Piece("", ATOM, False, "1")
_WEAK = {">": r"\ge", "<": r"\le"}
_MASKS = {"equal": "diag", "greater_equal": "tril", "less_equal": "triu"}
_TRANSPARENT = ("broadcast", "reshape", "cast", "named", "neg")


def rank(node: Node) -> int:
    """The rank of what is printed: a scalar that is only repeated is a scalar."""
    while node.op.name in _TRANSPARENT and node.shape:
        node = node.args[0]
    return node.type.rank


def product(pieces: Sequence[Piece], nodes: Sequence[Node], naming: Naming) -> Piece:
    """The element-wise product of two: juxtaposed where a factor is a scalar, or elements are written."""
    for mask, x, shown in ((nodes[0], nodes[1], pieces[1]), (nodes[1], nodes[0], pieces[0])):
        name = "" if naming.by_element or mask.op.name != "cast" or naming.of(mask) else masked(mask.args[0])
        if name and rank(x) and (name != "diag" or vector_like(x)):
            return _of_mask(name, shown)
    arrays = not naming.by_element and all(rank(n) for n in nodes)
    return hadamard(*pieces) if arrays else multiplied(pieces[0], pieces[1])


def _sum(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Of positions, the 0th diagonal's offset is not written."""
    return args[0] if node.dtype == "int" and args[1].text == "0" else added(*args)


def _product(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return product(args, node.args, naming)


def _quotient(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return divided(args[0], args[1], not naming.by_element and rank(node.args[1]) > 0)


def _gate(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """The pullback of relu: g relu'(z)."""
    slope = applied("relu_slope", node.args[1], args[1], naming)
    return product([args[0], slope], node.args, naming)


def applied(op: str, x: Node, piece: Piece, naming: Naming) -> Piece:
    r"""An activation or its slope: by its letter on arrays, f(z) and f'(z); \sigma(z), a (1 - a) otherwise."""
    primal = SLOPES.get(op, op)
    if rank(x) and primal in naming.functions:
        prime = "'" if op in SLOPES else ""
        return Piece(f"{naming.functions[primal]}{prime}{fenced(piece.text)}", ATOM)
    if op == "relu":
        return Piece(rf"\max{fenced(f'0, {piece.text}')}", ATOM)
    if op == "relu_slope":
        return Piece(rf"\mathbb{{1}}[{at_least(piece, SUM)} > 0]", ATOM)
    function = (
        Piece(rf"\sigma{fenced(piece.text)}", ATOM)
        if primal == "sigmoid"
        else Piece(rf"\tanh {at_least(piece, FRACTION)}", FUNCTION)
    )
    if op in ACTIVATIONS:
        return function
    name = naming.of(build(primal, x))
    y = function if name is None else named_piece(name.latex, name.raised)
    if primal == "tanh":
        return subtracted(ONE, raised(y, "2"))
    return product([y, subtracted(ONE, y)], (x, x), naming)


def named_piece(latex: str, is_raised: bool) -> Piece:
    """A name as a piece."""
    return Piece(latex, POWER if is_raised else FRACTION if latex.startswith(r"\frac") else ATOM)


def _applied(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return applied(node.op.name, node.args[0], args[0], naming)


def numeral(value: Any) -> Piece:
    """A number; booleans are words."""
    if isinstance(value, bool):
        return Piece(number(value), ATOM)
    text = number(value)
    return Piece("", ATOM, _is_negative(value), text)


def _is_negative(value: float | int) -> bool:
    return value < 0 or (isinstance(value, float) and str(value).startswith("-"))


def _power(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return raised(args[0], args[1].text)


def _power_slope(node: Node, args: list[Piece], naming: Naming) -> Piece:
    x, y = args
    return multiplied(y, raised(x, subtracted(y, ONE).text))


def _power_growth(node: Node, args: list[Piece], naming: Naming) -> Piece:
    x, y = args
    return multiplied(raised(x, y.text), Piece(rf"\ln {at_least(x, FRACTION)}", FUNCTION))


def _where(node: Node, args: list[Piece], naming: Naming) -> Piece:
    condition, yes, no = (a.text for a in args)
    mask = masked(node.args[0]) if no == "0" and not naming.by_element else ""
    if mask and (mask != "diag" or vector_like(node.args[1])):
        return _of_mask(mask, args[1])
    if (yes, no) == ("1", "0"):
        return Piece(rf"\mathbb{{1}}[{condition}]", ATOM)
    return Piece(rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}", FUNCTION)


def masked(condition: Node) -> str:
    """Which of "diag", "tril", "triu" a condition on row i, column j is: i = j, i + k >= j, i + k <= j; "" if none.

    A diagonal k other than 0 is written behind: "tril_{1}".
    """
    name = _MASKS.get(condition.op.name)
    if name is None or condition.type.rank != 2:
        return ""
    row, column = condition.args
    offset = 0
    if row.op.name == "add" and row.args[1].op.name == "constant" and not row.args[1].shape:
        row, offset = row.args[0], row.args[1]["value"]
    sources = [p.args[0] if p.op.name == "reshape" else p for p in (row, column)]
    if any(p.op.name != "iota" for p in sources) or row.shape[-1] != 1 or column.shape[0] != 1:
        return ""
    square = row.shape[0] == column.shape[-1]
    if len(row.shape) != 2 or len(column.shape) != 2 or (name == "diag" and (offset or not square)):
        return ""
    return f"{name}_{{{int(offset)}}}" if offset else name


def vector_like(node: Node) -> bool:
    """Whether a matrix of this element-wise product is a vector that is repeated."""
    return sum(n != 1 for n in node.shape) == 1


def _of_mask(mask: str, x: Piece) -> Piece:
    r"""\operatorname{tril}(A); the sign and numbers in front."""
    name, _, index = mask.partition("_")
    symbol = rf"\operatorname{{{name}}}" + (f"_{index}" if index else "")
    body = x.body or ONES_MATRIX
    return Piece(f"{symbol}{fenced(body)}", ATOM, x.negative, x.lead if x.lead != "1" else "")


def _cast(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Numbers of another kind look alike; a boolean becomes an indicator."""
    if node.args[0].dtype == "bool" and node.dtype != "bool" and not naming.by_element:
        mask = masked(node.args[0])
        if mask:
            return Piece("I", ATOM) if mask == "diag" else _of_mask(mask, ONE)
    if node.args[0].dtype == "bool" and node.dtype != "bool":
        return Piece(rf"\mathbb{{1}}[{args[0].text}]", ATOM)
    return args[0]


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


def _floored(quotient: Quotient) -> Piece:
    return Piece(rf"\lfloor {size_piece(quotient.numerator).text} / {quotient.divisor} \rfloor", ATOM)


def _constant(node: Node, args: list[Piece], naming: Naming) -> Piece:
    if not node.shape:
        return numeral(node["value"])
    rows = node["value"].array.reshape(-1, node.shape[-1] if node.type.rank > 1 else 1).tolist()
    body = r" \\ ".join(" & ".join(numeral(v).text for v in row) for row in rows)
    return Piece(rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", ATOM)


def _extreme_weight(relation: str) -> Printer:
    r"""\mathbb{1}[a > b] + t \mathbb{1}[a = b], the share t at a tie; \ge where it is 1, no more where it is 0."""

    def weight(node: Node, args: list[Piece], naming: Naming) -> Piece:
        a, b = (at_least(p, SUM) for p in args[:2])
        tie = args[2].text
        if tie == "1":
            return Piece(_indicator(rf"{a} {_WEAK[relation]} {b}"), ATOM)
        whole = Piece(_indicator(f"{a} {relation} {b}"), ATOM)
        return whole if tie == "0" else added(whole, multiplied(args[2], Piece(_indicator(f"{a} = {b}"), ATOM)))

    return weight


def _indicator(condition: str) -> str:
    left, right = (r"\left[", r"\right]") if is_tall(condition) else "[]"
    return rf"\mathbb{{1}}{left}{condition}{right}"


def _not(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return Piece(rf"\neg {at_least(args[0], ATOM) if args[0].level == RELATION else args[0].text}", FUNCTION)


def _square_slope(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """1/(2 y): the slope of a root in terms of the root."""
    return divided(ONE, multiplied(numeral(2), args[0]))


SCALARS: dict[str, Printer] = {
    "add": _sum,
    "sub": lambda node, args, naming: subtracted(*args),
    "neg": lambda node, args, naming: negated(args[0]),
    "mul": _product,
    "zmul": _product,
    "gate": _gate,
    "div": _quotient,
    "zdiv": _quotient,
    "dxlogy": _quotient,
    "reciprocal": lambda node, args, naming: divided(ONE, args[0]),
    "dlog": lambda node, args, naming: divided(ONE, args[0]),
    "dsqrt": _square_slope,
    "square": lambda node, args, naming: raised(args[0], "2"),
    "power": _power,
    "dpower_dx": _power_slope,
    "dpower_dy": _power_growth,
    "where": _where,
    "dmaximum": _extreme_weight(">"),
    "dminimum": _extreme_weight("<"),
    "logical_not": _not,
    "cast": _cast,
    "constant": _constant,
    "constant_like": lambda node, args, naming: numeral(node["value"]),
    "size": lambda node, args, naming: size_piece(node["size"]),
    "iota": lambda node, args, naming: Piece("k", ATOM),
} | dict.fromkeys((*ACTIVATIONS, *SLOPES), _applied)
