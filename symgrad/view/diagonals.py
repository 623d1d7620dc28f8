r"""Identities and diagonal matrices, as one writes them by hand.

In: a node of a formula. Out: an equal one: I A = A, the row sums of diag(v) are v, p \odot (I - p 1^T) =
diag(p) - p p^T. For display only; the compiler does not form an identity. diag(v) is I times a repeated v.
"""

from __future__ import annotations

import numpy as np

from symgrad.emit.latex_patterns import masked
from symgrad.ir.node import Node, build, constant
from symgrad.ops.contract import split
from symgrad.ops.leaf import cast
from symgrad.ops.shape import broadcast, eye, reshape, transpose
from symgrad.passes.rewrite import Rule, value
from symgrad.view.monomials import is_identity

SWAP = (1, 0)


def diagonal(node: Node) -> Node | None:
    """v of diag(v): I times something that is repeated along rows or columns; None for anything else."""
    if node.op.name != "mul" or node.type.rank != 2:
        return None
    for one, other in (node.args, node.args[::-1]):
        if is_identity(one):
            return _vector(other)
    return None


def _vector(x: Node) -> Node | None:
    """The vector that a matrix repeats along rows or columns; a scalar is one too."""
    if x.type.rank < 2:
        return x
    return reshape(x, (x.shape[0] if x.shape[1] == 1 else x.shape[1],)) if 1 in x.shape else None


def is_symmetric(node: Node) -> bool:
    """Whether a node is written as its own transpose: I, diag(v), A + A^T."""
    return is_identity(node) or diagonal(node) is not None or (node.op.name == "add" and _are_transposes(*node.args))


def _are_transposes(a: Node, b: Node) -> bool:
    return any(x.op.name == "transpose" and x["perm"] == SWAP and x.args[0] is y for x, y in ((a, b), (b, a)))


def _times_identity(node: Node) -> Node | None:
    """I A, A I, with whatever letters: A with one letter renamed, its axes in the order of the result."""
    left, right, out = split(node["spec"])
    for (one, word), (other, letters) in (
        ((node.args[0], left), (node.args[1], right)),
        ((node.args[1], right), (node.args[0], left)),
    ):
        if not is_identity(one) or len(word) != 2:
            continue
        for a, b in (tuple(word), tuple(word[::-1])):
            new = letters.replace(a, b)
            if a in letters and b not in letters and a not in out and sorted(new) == sorted(out):
                return transpose(other, tuple(new.index(c) for c in out))
    return None


def _named_diagonal(node: Node) -> Node | None:
    """diag(v) as I times v, whoever made it."""
    (v,) = node.args
    return eye(v.shape[0], "real") * v if v.type.rank == 1 else None


def _pattern(node: Node) -> Node | None:
    """A constant array of equal numbers is the number, one that is an identity is I."""
    if not node.shape or node.dtype != "real":
        return None
    array = node["value"].array
    if array.size and np.all(array == array.flat[0]):
        return broadcast(constant(float(array.flat[0])), node.shape)
    square = array.ndim == 2 and array.shape[0] == array.shape[1]
    return eye(array.shape[0], "real") if square and np.array_equal(array, np.eye(len(array))) else None


def _over_diagonal(node: Node) -> Node | None:
    """v (I - W) = diag(v) - v W."""
    for v, x in (node.args, node.args[::-1]):
        is_sum = x.op.name in ("add", "sub") and x.type.rank == 2
        if is_sum and _vector(v) is not None and any(map(is_symmetric, x.args)):
            return build(x.op.name, *(v * a for a in x.args))
    return None


def _identity_times(node: Node) -> Node | None:
    """I times a scalar: the scalar in front; what is 1 goes."""
    for one, other in (node.args, node.args[::-1]):
        if is_identity(one) and value(other) == 1.0:
            return one
    return None


def _sum_of_diagonal(node: Node) -> Node | None:
    """Row or column sums of diag(v) are v, those of I are 1."""
    (x,) = node.args
    if len(node["axes"]) != 1 or x.type.rank != 2:
        return None
    v = constant(1.0) if is_identity(x) else diagonal(x)
    if v is None and x.op.name == "mul" and any(map(is_identity, x.args)):
        (m,) = (a for a in x.args if not is_identity(a))
        v = build("diagonal", m, axes=(0, 1)) if m.shape == x.shape else None
    return None if v is None else broadcast(v, node.shape)


def _diagonal_of_outer(node: Node) -> Node | None:
    """The diagonal of u v^T is u v, that of diag(v) is v."""
    (x,) = node.args
    if x.type.rank != 2:
        return None
    if is_outer(x):
        return x.args[0] * x.args[1]
    if x.op.name == "einsum" and repeats_scalar(x.args[1]) and x.args[0].type.rank == x.args[1].type.rank == 2:
        left, right, out = split(x["spec"])  # A 1 1^T, whose rows are the sums of A's
        kept = [i for i, c in enumerate(left) if c in out]
        if len(kept) == 1 and any(c in out for c in right):
            return x.args[1].args[0] * build("sum", x.args[0], axes=(1 - kept[0],))
    return diagonal(x)


def _diagonal_times(node: Node) -> Node | None:
    """diag(v) x = v x for a vector x, diag(v) 1 1^T = v 1^T."""
    left, right, out = split(node["spec"])
    for matrix, x, letters in ((node.args[0], node.args[1], right), (node.args[1], node.args[0], left)):
        v = diagonal(matrix)
        if v is not None and len(letters) == len(out) == 1 and matrix.type.rank == 2 and letters != out:
            return broadcast(v, x.shape) * x
        if v is not None and repeats_scalar(x) and len(letters) == 2 and v.type.rank == 1:
            along = next((i for i, c in enumerate(out) if c not in letters), None)
            if along is not None:
                return x.args[0] * broadcast(reshape(v, (1, *v.shape) if along else (*v.shape, 1)), node.shape)
    return None


def _diagonal_choice(node: Node) -> Node | None:
    c, a, b = node.args
    return cast(c, "real") * a if value(b) == 0.0 and a.dtype == "real" and masked(c) == "diag" else None


def repeats_scalar(x: Node) -> bool:
    """Whether an array is one scalar everywhere."""
    return x.op.name == "broadcast" and not x.args[0].shape


def is_outer(x: Node) -> bool:
    """u v^T."""
    if x.op.name != "einsum" or x.type.rank != 2:
        return False
    left, right, out = split(x["spec"])
    return left + right == out


RULES = [
    Rule("constant patterns", ("constant",), _pattern),
    Rule("diag(v) = I v", ("diagonal_matrix",), _named_diagonal),
    Rule("where(I, v, 0) = diag(v)", ("where",), _diagonal_choice),
    Rule("I A = A", ("einsum",), _times_identity),
    Rule("diag(v) x = v x", ("einsum",), _diagonal_times),
    Rule("I 1 = I", ("mul",), _identity_times),
    Rule("v (I - W) = diag(v) - v W", ("mul",), _over_diagonal),
    Rule("sums of diag(v)", ("sum",), _sum_of_diagonal),
    Rule("diagonal of u v^T", ("diagonal",), _diagonal_of_outer),
]
