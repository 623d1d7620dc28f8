r"""Printers of what takes elements from places and puts them there: slices, picks, unit vectors.

A slice has NumPy's brackets as an index. Its transpose puts elements back: w_{2} has the gradient g \mathbf{e}_{2},
a row the gradient \mathbf{e}_{0} g^\top, what was picked by an index t the gradient g \mathbf{e}_{t}.
"""

from __future__ import annotations

from dataclasses import replace

from symgrad.emit.latex_literals import numeral, size_piece
from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_patterns import rank
from symgrad.emit.latex_pieces import (
    ATOM,
    INDICES,
    ONES,
    UNIT,
    Piece,
    big,
    fenced,
    multiplied,
    subscripted,
    transposed,
)
from symgrad.ir.node import Node
from symgrad.ir.types import AnySize


def _slice(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """NumPy's brackets as an index: x_{0}, x_{1:3}, X_{:, 1}."""
    marks = [
        size_piece(a).text if n == 1 and m != 1 else _span(a, n, k, m)
        for a, n, k, m in zip(node["start"], node["size"], node["step"], node.args[0].shape, strict=True)
    ]
    while marks and marks[-1] == ":":
        marks.pop()
    return subscripted(args[0], ", ".join(marks)) if marks else args[0]


def _gather(node: Node, args: list[Piece], naming: Naming) -> Piece:
    x, index = args
    return subscripted(x, r"\cdot " * node["axis"] + index.text)


def _pad(node: Node, args: list[Piece], naming: Naming) -> Piece:
    r"""a \mathbf{e}_{0}, \mathbf{e}_{0} v^\top where all stands at one position; else the positions as an index."""
    (x,), (v,) = args, node.args
    fill = node.params.get("fill", 0.0)
    if fill or v.type.rank > 2:
        return Piece(rf"\operatorname{{pad}}{f'_{{{numeral(fill).text}}}' if fill else ''}{fenced(x.text)}", ATOM)
    single = [n == 1 for n in v.shape]
    places = [size_piece(a).text for a in node["start"]]
    if all(single) and len(single) <= 2:
        units = [_unit(p) for p in places]
        return multiplied(x, units[0] if len(units) == 1 else multiplied(units[0], transposed(units[1]), matrix=True))
    if single == [True, False]:
        if v.shape[1] == node.shape[1]:
            return multiplied(_unit(places[0]), transposed(x), matrix=True)
    elif single == [False, True] and v.shape[0] == node.shape[0]:
        return multiplied(x, transposed(_unit(places[1])), matrix=True)
    marks = [
        place if n == 1 else _span(a, n, k, m)
        for place, a, n, k, m in zip(places, node["start"], v.shape, node["step"], node.shape, strict=True)
    ]
    while marks and marks[-1] == ":":
        marks.pop()
    return Piece(rf"\operatorname{{pad}}_{{{', '.join(marks)}}}{fenced(x.text)}", ATOM)


def _unit(place: str) -> Piece:
    return Piece(f"{UNIT}_{{{place}}}", ATOM)


def _span(start: AnySize, count: AnySize, step: int, whole: AnySize) -> str:
    """Positions as NumPy's brackets have them."""
    if (start, count, step) == (0, whole, 1):
        return ":"
    stop = start + count * step
    end = size_piece(stop).text if not isinstance(stop, int) or stop >= 0 else ""
    return f"{size_piece(start).text}:{end}" + (f":{step}" if step != 1 else "")


def _scatter(node: Node, args: list[Piece], naming: Naming) -> Piece:
    r"""v \mathbf{e}_{t}, \mathbf{e}_{t} v^\top for one index; \sum_{m} v_{m} \mathbf{e}_{t_{m}} for several."""
    (index, v), axis, labels = args, node["axis"], node.args[0]
    if node.type.rank > 2 or labels.type.rank > 1:
        return Piece(rf"\operatorname{{scatter}}_{{{index.text}}}{fenced(v.text)}", ATOM)
    letter = next(c for c in "mnrs" + INDICES if naming.is_free(c))
    unit = _unit(index.text if not labels.shape else subscripted(index, letter).text)
    mark = rf"\cdot {letter}" if axis and node.type.rank == 2 else letter
    if labels.shape and rank(node.args[1]):
        v = replace(subscripted(replace(v, negative=False, lead=""), mark), negative=v.negative, lead=v.lead)
    if node.type.rank == 1:
        term = multiplied(v, unit)
    elif not rank(node.args[1]):  # one number at all these places
        ones = Piece(ONES, ATOM)
        pair = (unit, transposed(ones)) if axis == 0 else (ones, transposed(unit))
        term = multiplied(v, multiplied(*pair, matrix=True))
    else:
        pair = (unit, transposed(v)) if axis == 0 else (v, transposed(unit))
        term = multiplied(*pair, matrix=True)
    return big(rf"\sum_{{{letter}}}", term) if labels.shape else term


PLACES: dict[str, Printer] = {"slice": _slice, "gather": _gather, "pad": _pad, "scatter_add": _scatter}
