r"""Printers of contractions.

A contraction of matrices and vectors is a matrix product with transposes (vectors are columns); any other is its own
sum over indices.
"""

from __future__ import annotations

from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_pieces import (
    ATOM,
    HADAMARD,
    INDICES,
    ONES,
    ONES_MATRIX,
    PRODUCT,
    Piece,
    big,
    multiplied,
    subscripted,
    transposed,
)
from symgrad.ir.node import Node
from symgrad.ops.contract import split

_SPREADING = ("broadcast", "reshape", "named", "transpose")


def _einsum(node: Node, args: list[Piece], naming: Naming) -> Piece:
    spec = split(node["spec"])
    left, right, out = _unstacked(*spec)
    scalars = [is_uniform(a, naming) for a in node.args]
    shown = [_spread(*p, naming) for p in zip(node.args, args, strict=True)]
    if not (left and right) or not any(scalars):
        found = _matrix_form(left, right, out, *shown)
        return found if found is not None else _indexed(*spec, args[0], args[1])
    ones = [_ones(len(word)) if s else p for word, p, s in zip((left, right), shown, scalars, strict=True)]
    found = _matrix_form(left, right, out, *ones)
    if found is None:
        words = ("" if is_scalar else word for word, is_scalar in zip(spec[:2], scalars, strict=True))
        return _indexed(*spec, args[0], args[1], shown=tuple(words))
    for p, is_scalar in zip(args, scalars, strict=True):
        found = multiplied(p, found) if is_scalar else found
    return found


def is_uniform(node: Node, naming: Naming) -> bool:
    """Whether an array repeats one scalar, and has no name of its own."""
    stack, is_array = [node], bool(node.shape)
    while stack:
        n = stack.pop()
        if not n.shape:
            continue
        if not n.args or naming.of(n) is not None or not (n.op.kind == "elementwise" or n.op.name in _SPREADING):
            return False
        stack.extend(n.args)
    return is_array


def _ones(rank: int) -> Piece:
    r"""\mathbf{1}, \mathbf{1} \mathbf{1}^\top."""
    return Piece(ONES, ATOM) if rank == 1 else Piece(ONES_MATRIX, PRODUCT)


def _spread(node: Node, x: Piece, naming: Naming) -> Piece:
    r"""A vector that a matrix repeats: u \mathbf{1}^\top, \mathbf{1} v^\top."""
    while node.op.name in ("cast", "named", "neg") and naming.of(node) is None:
        (node,) = node.args
    if node.op.name != "broadcast" or node.type.rank != 2 or naming.of(node) is not None:
        return x
    shape = node.args[0].shape
    if shape == node.shape[1:] or (len(shape) == 2 and shape[0] == 1 != node.shape[0]):
        return multiplied(Piece(ONES, ATOM), transposed(x), matrix=True)
    if len(shape) == 2 and shape[1] == 1 != node.shape[1]:
        return multiplied(x, transposed(Piece(ONES, ATOM)), matrix=True)
    return x


def _unstacked(left: str, right: str, out: str) -> tuple[str, str, str]:
    """Without the leading axes of a stack: every matrix of it is multiplied alike."""
    while len(left) > 2 and out[:1] == left[0] and (right[:1] == left[0] or left[0] not in right):
        right = right[1:] if right[:1] == left[0] else right
        left, out = left[1:], out[1:]
    return left, right, out


def _matrix_form(left: str, right: str, out: str, a: Piece, b: Piece) -> Piece | None:
    """The product of two matrices or vectors with the transposes that the letters ask for; None where it is none."""
    if not (left and right):
        return multiplied(a, b)
    if max(len(left), len(right), len(out)) > 2:
        return None
    shared = [c for c in left if c in right]
    if not out:
        return _inner(left, right, a, b)
    if len(shared) != (0 if len(left) == len(right) == 1 else 1) or any(c in out for c in shared):
        return None
    if (out[0] not in left and len(out) == 2) or (len(out) == 1 and len(left) == 1):
        left, right, a, b = right, left, b, a
    if not shared:
        return multiplied(a, transposed(b), matrix=True)
    k = shared[0]
    first = a if left[-1] == k else transposed(a)
    second = b if right[0] == k else transposed(b)
    return multiplied(first, second, matrix=True)


def _inner(left: str, right: str, a: Piece, b: Piece) -> Piece | None:
    if len(left) == 1 and left == right:
        p = multiplied(transposed(a), b, matrix=True)
        return Piece(p.body, HADAMARD, p.negative, p.lead)
    if left == right:
        return Piece(rf"\left\langle {a.text}, {b.text} \right\rangle", ATOM)
    return Piece(rf"\operatorname{{tr}}({multiplied(a, b, matrix=True).text})", ATOM) if left == right[::-1] else None


def _indexed(left: str, right: str, out: str, a: Piece, b: Piece, shown: tuple[str, ...] = ()) -> Piece:
    r"""[\sum_k a_{ik} b_{jk}]_{ij}; ``shown``: the letters that the operands carry, none on a scalar."""
    letters = {c: INDICES[i] for i, c in enumerate(dict.fromkeys(out + left + right))}
    summed = "".join(letters[c] for c in dict.fromkeys(left + right) if c not in out)
    pairs = zip((a, b), shown or (left, right), strict=True)
    factors = [subscripted(p, "".join(letters[c] for c in word)) if word else p for p, word in pairs]
    body = multiplied(factors[0], factors[1])
    total = big(rf"\sum_{{{summed}}}", body) if summed else body
    free = "".join(letters[c] for c in out)
    return Piece(rf"\left[{total.text}\right]_{{{free}}}", ATOM) if free else total


CONTRACTIONS: dict[str, Printer] = {"einsum": _einsum}
