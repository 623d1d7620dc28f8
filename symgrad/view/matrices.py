r"""Identities, diagonals, outer products and transposes, as one writes them by hand.

In: a node of a formula. Out: an equal one: I A = A, (A^T)^T = A, (diag(p) - p p^T)^T = diag(p) - p p^T, the row sums
of diag(v) are v, p \odot (I - p 1^T) = diag(p) - p p^T. For display only; the compiler does not form an identity.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from symgrad.emit.latex_patterns import masked
from symgrad.ir.node import OPS, Node, build, constant, rebuild
from symgrad.ir.types import size_product
from symgrad.ops.contract import split
from symgrad.ops.leaf import cast
from symgrad.ops.shape import broadcast, eye, reshape, transpose
from symgrad.passes.rewrite import Rule, value
from symgrad.view.monomials import Product, bare, is_identity, product, written

SWAP = (1, 0)
_LETTERS = "ijklmnpqrstuvwabcdefghxyzoIJKLMNPQRSTUVWABCDEFGHXYZO"


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


def _is_symmetric(node: Node) -> bool:
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


def _lettered(node: Node) -> Node | None:
    """The same contraction with the same letters, whoever wrote it; what repeats a scalar has its axes in any order."""
    words = split(node["spec"])
    if _repeats_scalar(node.args[0]) and not _repeats_scalar(node.args[1]):
        return build("einsum", *node.args[::-1], spec=f"{words[1]},{words[0]}->{words[2]}")
    letters = dict(zip(dict.fromkeys("".join(words)), _LETTERS, strict=False))
    left, right, out = ("".join(letters[c] for c in word) for word in words)
    args, spelled = list(node.args), [left, right]
    for i, x in enumerate(args):
        if _repeats_scalar(x) and spelled[i] != "".join(sorted(spelled[i])):
            sizes = dict(zip(spelled[i], x.shape, strict=True))
            spelled[i] = "".join(sorted(spelled[i]))
            args[i] = broadcast(x.args[0], tuple(sizes[c] for c in spelled[i]))
    after = build("einsum", *args, spec=f"{spelled[0]},{spelled[1]}->{out}")
    return None if after is node else after


def _repeats_scalar(x: Node) -> bool:
    return x.op.name == "broadcast" and not x.args[0].shape


def _scalars_before(node: Node) -> Node | None:
    """(s A) B = s (A B), (-A) B = -(A B)."""
    for i, x in enumerate(node.args):
        p = product(x)
        scalars = {n: k for n, k in p.powers.items() if not n.shape}
        if not x.shape or not p.coefficient or (p.coefficient == 1 and not scalars) or len(scalars) == len(p.powers):
            continue
        inner = written(Product(powers={n: k for n, k in p.powers.items() if n.shape}))
        if inner is None or inner.shape != x.shape:
            continue
        pair = (inner, node.args[1]) if i == 0 else (node.args[0], inner)
        return written(Product(p.coefficient, {**scalars, build("einsum", *pair, spec=node["spec"]): 1}))
    return None


def _scalar_beside(node: Node) -> Node | None:
    """A scalar that has axes of length 1 only needs none beside an array."""
    inner = [bare(a) if a.op.name == "reshape" else a for a in node.args]
    if all(a is b for a, b in zip(inner, node.args, strict=True)):
        return None
    after = rebuild(node, inner)
    return after if after.shape == node.shape else None


def _pattern(node: Node) -> Node | None:
    """A constant array of equal numbers is the number, one that is an identity is I."""
    if not node.shape or node.dtype != "real":
        return None
    array = node["value"].array
    if array.size and np.all(array == array.flat[0]):
        return broadcast(constant(float(array.flat[0])), node.shape)
    square = array.ndim == 2 and array.shape[0] == array.shape[1]
    return eye(array.shape[0], "real") if square and np.array_equal(array, np.eye(len(array))) else None


def _outer(node: Node) -> Node | None:
    """u_i v_j as u v^T."""
    if node.type.rank != 2 or 1 in node.shape:
        return None
    for column, row in (node.args, node.args[::-1]):
        if column.shape == (node.shape[0], 1) and row.shape in (node.shape[1:], (1, *node.shape[1:])):
            pair = reshape(column, node.shape[:1]), reshape(row, node.shape[1:])
            return build("einsum", *pair, spec="i,k->ik")
    return None


def _over_diagonal(node: Node) -> Node | None:
    """v (I - W) = diag(v) - v W."""
    for v, x in (node.args, node.args[::-1]):
        is_sum = x.op.name in ("add", "sub") and x.type.rank == 2
        if is_sum and _vector(v) is not None and any(map(_is_symmetric, x.args)):
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
    return x.args[0] * x.args[1] if _is_outer(x) else diagonal(x)


def _diagonal_times(node: Node) -> Node | None:
    """diag(v) x = v x for a vector x."""
    left, right, out = split(node["spec"])
    for matrix, x, letters in ((node.args[0], node.args[1], right), (node.args[1], node.args[0], left)):
        v = diagonal(matrix)
        if v is not None and len(letters) == len(out) == 1 and matrix.type.rank == 2 and letters != out:
            return broadcast(v, x.shape) * x
    return None


def _transposed(node: Node) -> Node | None:
    """Through sums and signs where a part needs none, through products with scalars, u v^T to v u^T."""
    (x,) = node.args
    if node["perm"] != SWAP:
        return None
    if _is_symmetric(x):
        return x
    name = x.op.name
    if _is_outer(x):
        return build("einsum", *x.args[::-1], spec="i,k->ik")
    if name == "neg":
        return -transpose(x.args[0], SWAP)
    if name in ("add", "sub") and all(a.type.rank == 2 for a in x.args) and any(map(_turns, x.args)):
        return build(name, *(transpose(a, SWAP) for a in x.args))
    if name in ("mul", "div") and any(not a.shape or _turns(a) for a in x.args):
        return build(name, *(_turned(a, node) for a in x.args))
    return None


def _turned(x: Node, like: Node) -> Node:
    """An operand of an element-wise product, transposed; a row vector becomes a column."""
    if not x.shape:
        return x
    return transpose(x, SWAP) if x.type.rank == 2 else reshape(x, (like.shape[0], 1))


def _turns(x: Node) -> bool:
    """Whether the transpose of a node is no longer than the node."""
    while x.op.name in ("neg", "mul") and not _is_symmetric(x):
        x = x.args[-1] if x.op.name == "neg" or not x.args[0].shape else x.args[0]
        if x.op.name == "mul" and all(a.shape for a in x.args):
            break
    return x.op.name == "transpose" or _is_symmetric(x) or _is_outer(x)


def _is_outer(x: Node) -> bool:
    """u v^T."""
    if x.op.name != "einsum" or x.type.rank != 2:
        return False
    left, right, out = split(x["spec"])
    return left + right == out


def _sum_of_deviations(node: Node) -> Node | None:
    """The deviations from a mean sum to 0."""
    (x,) = node.args
    while x.op.name in ("mul", "div", "neg"):
        i = 1 if x.op.name == "mul" and not x.args[0].shape else 0
        if any(a.shape for j, a in enumerate(x.args) if j != i) or x.args[i].shape != x.shape:
            return None
        x = x.args[i]
    if x.op.name != "sub" or x.args[0].shape != x.shape or not _is_mean(x.args[1], x.args[0], node["axes"]):
        return None
    return broadcast(constant(0.0), node.shape)


def _scalars_out(node: Node) -> Node | None:
    """sum(s x) = s sum(x) for scalars s."""
    (x,) = node.args
    p = product(x)
    scalars = {n: k for n, k in p.powers.items() if not n.shape}
    rest = {n: k for n, k in p.powers.items() if n.shape}
    if not scalars or not rest:
        return None
    inner = written(Product(powers=rest))
    if inner is None or inner.shape != x.shape:
        return None
    return written(Product(p.coefficient, {**scalars, build("sum", inner, axes=node["axes"]): 1}))


def _is_mean(m: Node, x: Node, axes: tuple[int, ...]) -> bool:
    """Whether m is the mean of x over the axes, put back beside it."""
    while m.op.name in ("reshape", "broadcast"):
        (m,) = m.args
    p = product(m)
    total, *counts = p.powers
    while total.op.name == "reshape":
        (total,) = total.args
    if total.op.name != "sum" or total.args[0] is not x or total["axes"] != axes or len(counts) > 1:
        return False
    size = size_product(tuple(x.shape[i] for i in axes))
    if not counts:
        return p.coefficient == Fraction(1, size) if isinstance(size, int) else False
    count = counts[0].args[0] if counts[0].op.name == "cast" else counts[0]
    return count.op.name == "size" and count["size"] == size and p.powers[counts[0]] == -1 and p.coefficient == 1


def _diagonal_choice(node: Node) -> Node | None:
    c, a, b = node.args
    return cast(c, "real") * a if value(b) == 0.0 and a.dtype == "real" and masked(c) == "diag" else None


RULES = [
    Rule("constant patterns", ("constant",), _pattern),
    Rule("s beside an array", tuple(n for n, op in OPS.items() if op.kind == "elementwise"), _scalar_beside),
    Rule("letters of a contraction", ("einsum",), _lettered, "in the order of appearance"),
    Rule("I A = A", ("einsum",), _times_identity),
    Rule("(s A) B = s (A B)", ("einsum",), _scalars_before, "numbers, scalars and signs in front"),
    Rule("where(I, v, 0) = diag(v)", ("where",), _diagonal_choice),
    Rule("I 1 = I", ("mul",), _identity_times),
    Rule("u v^T", ("mul",), _outer),
    Rule("v (I - W) = diag(v) - v W", ("mul",), _over_diagonal),
    Rule("sums of diag(v)", ("sum",), _sum_of_diagonal),
    Rule("diagonal of u v^T", ("diagonal",), _diagonal_of_outer),
    Rule("diag(v) x = v x", ("einsum",), _diagonal_times),
    Rule("sum of s x = s sum of x", ("sum",), _scalars_out, "s a scalar"),
    Rule("sum of deviations", ("sum",), _sum_of_deviations, "from their mean: 0"),
    Rule("(A + B)^T", ("transpose",), _transposed, "where a part needs no transpose then"),
]
