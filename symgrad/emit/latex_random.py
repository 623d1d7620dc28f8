r"""Printers of random numbers: \operatorname{uniform}(k_{3}), and with a counter where elements are written.

A whole array of them is drawn with its positions as counters, which go without saying.
"""

from __future__ import annotations

from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_pieces import ATOM, Piece, fenced, subscripted
from symgrad.ir.node import Node
from symgrad.ir.walk import topological


def _mix(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """The key of a number has it as its index."""
    if node.args[1].op.name == "constant":
        return subscripted(args[0], args[1].text)
    return Piece(rf"\operatorname{{mix}}{fenced(f'{args[0].text}, {args[1].text}')}", ATOM)


def _uniform(node: Node, args: list[Piece], naming: Naming) -> Piece:
    inside = args[0].text if _is_position(node) and not naming.by_element else f"{args[0].text}, {args[1].text}"
    return Piece(rf"\operatorname{{uniform}}{fenced(inside)}", ATOM)


def _is_position(node: Node) -> bool:
    """Whether the counter is made of positions alone."""
    return all(n.args or n.op.name in ("iota", "size", "constant") for n in topological([node.args[1]]))


RANDOM: dict[str, Printer] = {"mix": _mix, "uniform_bits": _uniform}
