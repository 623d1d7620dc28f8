"""Printers of arithmetic, powers, activations and slopes: element-wise ops that are more than their template.

A printer takes (node, pieces of its arguments, naming) and gives a piece. Guarded products and quotients are shown as
plain ones: the guard is a matter of code.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from symgrad.emit.latex_choices import of_mask
from symgrad.emit.latex_literals import numeral
from symgrad.emit.latex_naming import ACTIVATIONS, SLOPES, Naming, Printer
from symgrad.emit.latex_patterns import is_column, masked, rank, vector_like
from symgrad.emit.latex_pieces import (
    ATOM,
    FRACTION,
    FUNCTION,
    ONE,
    SUM,
    Piece,
    added,
    at_least,
    divided,
    fenced,
    hadamard,
    multiplied,
    named_piece,
    negated,
    raised,
    subtracted,
)
from symgrad.ir.node import Node, build, is_constant


def product(pieces: Sequence[Piece], nodes: Sequence[Node], naming: Naming) -> Piece:
    """The element-wise product of two: juxtaposed where a factor is a scalar, or elements are written."""
    for mask, x, shown in ((nodes[0], nodes[1], pieces[1]), (nodes[1], nodes[0], pieces[0])):
        name = "" if naming.by_element or mask.op.name != "cast" or naming.of(mask) else masked(mask.args[0])
        if name and rank(x) and (name != "diag" or vector_like(x)):
            return of_mask(name, shown)
    if naming.by_element or not all(rank(n) for n in nodes):
        return multiplied(pieces[0], pieces[1])
    for i in (0, 1):
        if is_column(nodes[i], naming) and rank(nodes[1 - i]) == 2 and not vector_like(nodes[1 - i]):
            return multiplied(of_mask("diag", pieces[i]), pieces[1 - i], matrix=True)
    return hadamard(*pieces)


def _sum(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Of positions, the 0th diagonal's offset is not written."""
    return args[0] if node.dtype == "int" and args[1].text == "0" else added(*args)


def _product(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """A product; NaN times x, as where no case of a function holds, is NaN."""
    nowhere = [piece for piece, x in zip(args, node.args, strict=True) if is_constant(x, math.nan)]
    return nowhere[0] if nowhere else product(args, node.args, naming)


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


def _applied(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return applied(node.op.name, node.args[0], args[0], naming)


def _power(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return raised(args[0], args[1].text)


def _power_slope(node: Node, args: list[Piece], naming: Naming) -> Piece:
    x, y = args
    return multiplied(y, raised(x, subtracted(y, ONE).text))


def _power_growth(node: Node, args: list[Piece], naming: Naming) -> Piece:
    x, y = args
    return multiplied(raised(x, y.text), Piece(rf"\ln {at_least(x, FRACTION)}", FUNCTION))


def _square(node: Node, args: list[Piece], naming: Naming) -> Piece:
    r"""x^{2}; of a norm in elements, the sum below its root."""
    (x,), (p,) = node.args, args
    if naming.by_element and x.op.name == "norm" and naming.of(x) is None and p.body.startswith(r"\sqrt{"):
        inside = p.body.removeprefix(r"\sqrt{")[:-1]
        return Piece(inside, FUNCTION, big=inside)
    return raised(p, "2")


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
    "square": _square,
    "power": _power,
    "dpower_dx": _power_slope,
    "dpower_dy": _power_growth,
    **dict.fromkeys((*ACTIVATIONS, *SLOPES), _applied),
}
