r"""Printers of choices: cases, indicators, masks, extremes.

A printer takes (node, pieces of its arguments, naming) and gives a piece.
"""

from __future__ import annotations

from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_patterns import label_axis, masked, vector_like
from symgrad.emit.latex_pieces import (
    ATOM,
    FUNCTION,
    ONE,
    ONES_MATRIX,
    RELATION,
    SUM,
    Piece,
    added,
    at_least,
    fenced,
    is_tall,
    multiplied,
)
from symgrad.ir.node import Node

_CASES = r"\begin{cases}"
_WEAK = {">": r"\ge", "<": r"\le"}


def _where(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """An indicator or a mask where one branch is 0; else cases, those of the other branch in the same braces."""
    condition, yes, no = (a.text for a in args)
    if args[2].level == FUNCTION and args[2].body.startswith(_CASES) and not (args[2].negative or args[2].lead):
        rest = args[2].body.removeprefix(_CASES)
        return Piece(rf"{_CASES} {yes} & {condition} \\{rest}", FUNCTION)
    mask = masked(node.args[0]) if no == "0" else ""
    if mask and naming.by_element:
        return multiplied(Piece(indicator(condition), ATOM), args[1])
    if mask and (mask != "diag" or vector_like(node.args[1])):
        return of_mask(mask, args[1])
    if (yes, no) == ("1", "0"):
        return Piece(indicator(condition), ATOM)
    return Piece(rf"{_CASES} {yes} & {condition} \\ {no} & \text{{otherwise}} \end{{cases}}", FUNCTION)


def of_mask(mask: str, x: Piece) -> Piece:
    r"""\operatorname{tril}(A); the sign and numbers in front."""
    name, _, index = mask.partition("_")
    symbol = rf"\operatorname{{{name}}}" + (f"_{index}" if index else "")
    body = x.body or ONES_MATRIX
    lead = x.lead if x.lead != "1" else ""
    return Piece(f"{symbol}{fenced(body)}", ATOM, x.negative, lead, symmetric=name == "diag")


def identity(naming: Naming) -> Piece:
    """I, where nothing else is called so."""
    return Piece("I" if naming.is_free("I") else r"\mathbf{I}", ATOM, symmetric=True)


def _cast(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Numbers of another kind look alike; a boolean becomes an indicator."""
    if node.args[0].dtype == "bool" and node.dtype != "bool" and not naming.by_element:
        mask = masked(node.args[0])
        if mask:
            return identity(naming) if mask == "diag" else of_mask(mask, ONE)
        if label_axis(node) == node.type.rank - 1:
            return Piece(rf"\operatorname{{onehot}}{fenced(args[0].text)}", ATOM)
    if node.args[0].dtype == "bool" and node.dtype != "bool":
        return Piece(indicator(args[0].text), ATOM)
    return args[0]


def _extreme(name: str) -> Printer:
    r"""\max(a, b), of more than two in one pair of parentheses."""

    def extreme(node: Node, args: list[Piece], naming: Naming) -> Piece:
        texts = []
        for x, p in zip(node.args, args, strict=True):
            same = x.op is node.op and naming.of(x) is None
            inside = p.body.removeprefix(name).removeprefix(r"\left")[1:-1].removesuffix(r"\right")
            texts.append(inside if same else p.text)
        return Piece(f"{name}{fenced(', '.join(texts))}", ATOM)

    return extreme


def _extreme_weight(relation: str) -> Printer:
    r"""\mathbb{1}[a > b] + t \mathbb{1}[a = b], the share t at a tie; \ge where it is 1, no more where it is 0."""

    def weight(node: Node, args: list[Piece], naming: Naming) -> Piece:
        a, b = (at_least(p, SUM) for p in args[:2])
        tie = args[2].text
        if tie == "1":
            return Piece(indicator(rf"{a} {_WEAK[relation]} {b}"), ATOM)
        whole = Piece(indicator(f"{a} {relation} {b}"), ATOM)
        return whole if tie == "0" else added(whole, multiplied(args[2], Piece(indicator(f"{a} = {b}"), ATOM)))

    return weight


def indicator(condition: str) -> str:
    r"""\mathbb{1}[i = j]."""
    left, right = (r"\left[", r"\right]") if is_tall(condition) else "[]"
    return rf"\mathbb{{1}}{left}{condition}{right}"


def _not(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return Piece(rf"\neg {at_least(args[0], ATOM) if args[0].level == RELATION else args[0].text}", FUNCTION)


CHOICES: dict[str, Printer] = {
    "where": _where,
    "maximum": _extreme(r"\max"),
    "minimum": _extreme(r"\min"),
    "dmaximum": _extreme_weight(">"),
    "dminimum": _extreme_weight("<"),
    "logical_not": _not,
    "cast": _cast,
}
