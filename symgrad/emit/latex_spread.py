r"""Vectors that stand for matrices: u \mathbf{1}^\top has the column u in all places, \mathbf{1} v^\top the row v.

In: the nodes of one formula, arguments first, with their pieces. Out: pieces in which sizes fit. Axes of length 1 come
and go unseen, so a printed vector may be one column or one row of a matrix, or repeated in all of them. Beside a
matrix a column says so; a row need not, as in X W + b, unless it was summed along rows itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_patterns import is_column, rank
from symgrad.emit.latex_pieces import ATOM, ONES, Piece, multiplied, transposed
from symgrad.ir.node import Node

_MATRIX_ARGUMENTS = ("einsum", "concatenate", "transpose")
_PRODUCTS = ("mul", "zmul", "gate")


class Spread:
    """Which nodes of a formula are printed as vectors though they are matrices: columns or rows of them."""

    def __init__(self, naming: Naming) -> None:
        self._naming = naming
        self._columns: set[Node] = set()
        self._rows: set[Node] = set()
        self._upright: set[Node] = set()  # vectors that run along the first axis of a matrix they come from

    def beside(self, node: Node, given: Sequence[Node], args: list[Piece]) -> list[Piece]:
        """The arguments of an op as they stand in its formula."""
        if self._naming.by_element or not (self._columns or self._rows):
            return args
        if _is_by_element(node):
            return self._joined(node, given, args) if node.type.rank == 2 else args
        if node.op.name in ("reshape", "broadcast", "pad"):
            return args
        return [self._alone(node, a, p) for a, p in zip(given, args, strict=True)]

    def whole(self, node: Node, piece: Piece) -> Piece:
        """A matrix that is all columns or rows of one vector, as a product with ones."""
        if 1 in node.shape:
            return piece
        if node in self._columns:
            return multiplied(piece, transposed(Piece(ONES, ATOM)), matrix=True)
        return multiplied(Piece(ONES, ATOM), transposed(piece), matrix=True) if node in self._rows else piece

    def note(self, node: Node) -> None:
        """Remember how a node, whose arguments are known, is printed."""
        if self._naming.by_element:
            return
        if node.op.name == "sum" and node.args[0].type.rank == 2 and node["axes"] == (1,):
            self._upright.add(node)
        if _is_by_element(node) or node.op.name in ("reshape", "broadcast"):
            self._upright.update([node] if any(a in self._upright for a in node.args) else [])
        if node.type.rank == 2:
            kind = self._kind(node)
            (self._columns if kind == "column" else self._rows if kind == "row" else set()).add(node)

    def _kind(self, node: Node) -> str:
        name, shape = node.op.name, node.shape
        if name in ("reshape", "broadcast", "slice"):
            return self._reshaped(node)
        if name == "einsum" and 1 in shape and any(a in self._columns or a in self._rows for a in node.args):
            return "column" if shape[1] == 1 else "row"
        if name == "transpose":
            return "column" if node.args[0] in self._rows and shape[1] == 1 else ""
        if not _is_by_element(node):
            return ""
        kinds = {self._of(a) for a in node.args if rank(a)}
        return kinds.pop() if len(kinds) == 1 else ""

    def _of(self, node: Node) -> str:
        return "column" if node in self._columns else "row" if node in self._rows or node.type.rank == 1 else ""

    def _reshaped(self, node: Node) -> str:
        """What becomes of a vector, or of a column or a row of a matrix."""
        (x,) = node.args[:1]
        if node.op.name == "slice":
            return "column" if node.shape[1] == 1 != x.shape[1] else "row" if node.shape[0] == 1 != x.shape[0] else ""
        if x.type.rank == 1:
            return "column" if node.shape == (*x.shape, 1) else "row"
        if x.type.rank != 2 or not rank(x):
            return ""
        if node.op.name == "broadcast" and node.shape != x.shape:
            return "column" if x.shape[1] == 1 else "row"
        return self._of(x)

    def _joined(self, node: Node, given: Sequence[Node], args: list[Piece]) -> list[Piece]:
        """Operands that are taken element by element."""
        if node in self._columns or node in self._rows or self._will_be_one(given):
            return args
        full = any(a.type.rank == 2 and not self._of(a) and 1 not in a.shape for a in given)
        return [self._operand(node, a, p, full) for a, p in zip(given, args, strict=True)]

    def _will_be_one(self, given: Sequence[Node]) -> bool:
        return len({self._of(a) for a in given if rank(a)}) == 1

    def _operand(self, node: Node, a: Node, p: Piece, full: bool) -> Piece:
        by_diagonal = node.op.name in _PRODUCTS and is_column(a, self._naming) and full
        if not rank(a) or 1 in node.shape or by_diagonal:
            return p
        if a in self._columns or (not full and a.type.rank == 2 and a.shape[1] == 1):
            return multiplied(p, transposed(Piece(ONES, ATOM)), matrix=True)
        if self._of(a) == "row" and (not full or a in self._upright):
            return multiplied(Piece(ONES, ATOM), transposed(p), matrix=True)
        return p

    def _alone(self, node: Node, a: Node, p: Piece) -> Piece:
        """An operand of what acts on whole axes."""
        if a.type.rank != 2 or (node.op.name == "einsum" and a.op.name == "broadcast"):
            return p
        if a in self._rows and a.shape[0] == 1 and node.op.name in _MATRIX_ARGUMENTS:
            return transposed(p)
        return self.whole(a, p)


def _is_by_element(node: Node) -> bool:
    return node.op.kind in ("elementwise", "identity")
