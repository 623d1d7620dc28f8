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
    POWER,
    RELATION,
    SUM,
    Piece,
    added,
    at_least,
    divided,
    fenced,
    hadamard,
    multiplied,
    negated,
    raised,
    subtracted,
)
from symgrad.ir.node import Node, build
from symgrad.ir.types import AnySize, Quotient

Printer = Callable[[Node, list[Piece], Naming], Piece]
ONE = Piece("", ATOM, False, "1")
_TRANSPARENT = ("broadcast", "reshape", "cast", "named", "neg")


def rank(node: Node) -> int:
    """The rank of what is printed: a scalar that is only repeated is a scalar."""
    while node.op.name in _TRANSPARENT and node.shape:
        node = node.args[0]
    return node.type.rank


def product(pieces: Sequence[Piece], nodes: Sequence[Node], naming: Naming) -> Piece:
    """The element-wise product of two: juxtaposed where a factor is a scalar, or elements are written."""
    arrays = not naming.by_element and all(rank(n) for n in nodes)
    return hadamard(*pieces) if arrays else multiplied(pieces[0], pieces[1])


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
    if (yes, no) == ("1", "0"):
        return Piece(rf"\mathbb{{1}}[{condition}]", ATOM)
    return Piece(rf"\begin{{cases}} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}", FUNCTION)


def _cast(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Numbers of another kind look alike; a boolean becomes an indicator."""
    if is_identity(node):
        return Piece("I", ATOM)
    if node.args[0].dtype == "bool" and node.dtype != "bool":
        return Piece(rf"\mathbb{{1}}[{args[0].text}]", ATOM)
    return args[0]


def is_identity(node: Node) -> bool:
    """Whether a cast comparison is the identity matrix."""
    same = node.args[0]
    if same.op.name != "equal" or node.type.rank != 2:
        return False
    positions = [a.args[0] if a.op.name == "reshape" else a for a in same.args]
    return (
        all(p.op.name == "iota" for p in positions)
        and same.args[0].shape == same.args[1].shape[::-1] != same.args[1].shape
    )


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


def _not(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return Piece(rf"\neg {at_least(args[0], ATOM) if args[0].level == RELATION else args[0].text}", FUNCTION)


def _square_slope(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """1/(2 y): the slope of a root in terms of the root."""
    return divided(ONE, multiplied(numeral(2), args[0]))


SCALARS: dict[str, Printer] = {
    "add": lambda node, args, naming: added(*args),
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
    "logical_not": _not,
    "cast": _cast,
    "constant": _constant,
    "constant_like": lambda node, args, naming: numeral(node["value"]),
    "size": lambda node, args, naming: size_piece(node["size"]),
    "iota": lambda node, args, naming: Piece("k", ATOM),
} | dict.fromkeys((*ACTIVATIONS, *SLOPES), _applied)
