r"""Contractions, outer products, transposes and sums over axes, as one writes them by hand.

In: a node of a formula. Out: an equal one: (A^T)^T = A, (u v^T)^T = v u^T, numbers and scalars in front of products and
sums, deviations from a mean sum to 0. For display only.
"""

from __future__ import annotations

from fractions import Fraction

from symgrad.ir.node import Node, build, constant, rebuild
from symgrad.ir.types import size_product
from symgrad.ops.contract import split
from symgrad.ops.shape import broadcast, reshape, transpose
from symgrad.passes.rewrite import Rule
from symgrad.view.diagonals import SWAP, is_outer, is_symmetric, repeats_scalar
from symgrad.view.monomials import Product, bare, product, written

_LETTERS = "ijklmnpqrstuvwabcdefghxyzoIJKLMNPQRSTUVWABCDEFGHXYZO"


def _lettered(node: Node) -> Node | None:
    """The same contraction with the same letters, whoever wrote it; what repeats a scalar has its axes in any order."""
    words = split(node["spec"])
    if repeats_scalar(node.args[0]) and not repeats_scalar(node.args[1]):
        return build("einsum", *node.args[::-1], spec=f"{words[1]},{words[0]}->{words[2]}")
    letters = dict(zip(dict.fromkeys("".join(words)), _LETTERS, strict=False))
    left, right, out = ("".join(letters[c] for c in word) for word in words)
    args, spelled = list(node.args), [left, right]
    for i, x in enumerate(args):
        if repeats_scalar(x) and spelled[i] != "".join(sorted(spelled[i])):
            sizes = dict(zip(spelled[i], x.shape, strict=True))
            spelled[i] = "".join(sorted(spelled[i]))
            args[i] = broadcast(x.args[0], tuple(sizes[c] for c in spelled[i]))
    after = build("einsum", *args, spec=f"{spelled[0]},{spelled[1]}->{out}")
    return None if after is node else after


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


def _between_reshapes(node: Node) -> Node | None:
    """What is done to each element needs no other shape between."""
    (x,) = node.args
    if x.op.kind != "elementwise":
        return None
    inner = [a.args[0] if a.op.name == "reshape" and a.args[0].shape == node.shape else bare(a) for a in x.args]
    if not any(a.shape for a in inner) or any(a.shape not in ((), node.shape) for a in inner):
        return None
    return rebuild(x, inner)


def _outer(node: Node) -> Node | None:
    """u_i v_j as u v^T."""
    if node.type.rank != 2 or 1 in node.shape:
        return None
    for column, row in (node.args, node.args[::-1]):
        if column.shape == (node.shape[0], 1) and row.shape in (node.shape[1:], (1, *node.shape[1:])):
            pair = reshape(column, node.shape[:1]), reshape(row, node.shape[1:])
            return build("einsum", *pair, spec="i,k->ik")
    return None


def _transposed(node: Node) -> Node | None:
    """Through sums and signs where a part needs none, through products with scalars, u v^T to v u^T."""
    (x,) = node.args
    if node["perm"] != SWAP:
        return None
    if is_symmetric(x):
        return x
    name = x.op.name
    if is_outer(x):
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
    while x.op.name in ("neg", "mul") and not is_symmetric(x):
        x = x.args[-1] if x.op.name == "neg" or not x.args[0].shape else x.args[0]
        if x.op.name == "mul" and all(a.shape for a in x.args):
            break
    return x.op.name == "transpose" or is_symmetric(x) or is_outer(x)


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


def _sum_of_placed(node: Node) -> Node | None:
    """What was put somewhere along an axis, summed along it: the place does not matter."""
    (x,) = node.args
    if x.op.name != "scatter_add" or node["axes"] != (x["axis"],):
        return None
    index, v = x.args
    axes = tuple(range(x["axis"], x["axis"] + index.type.rank))
    return build("sum", v, axes=axes) if axes else v


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


RULES = [
    Rule("s beside an array", lambda op: op.kind == "elementwise", _scalar_beside),
    Rule("f between reshapes", ("reshape",), _between_reshapes),
    Rule("letters of a contraction", ("einsum",), _lettered, "in the order of appearance"),
    Rule("(s A) B = s (A B)", ("einsum",), _scalars_before, "numbers, scalars and signs in front"),
    Rule("u v^T", ("mul",), _outer),
    Rule("sum of s x = s sum of x", ("sum",), _scalars_out, "s a scalar"),
    Rule("sum of what was placed", ("sum",), _sum_of_placed),
    Rule("sum of deviations", ("sum",), _sum_of_deviations, "from their mean: 0"),
    Rule("(A + B)^T", ("transpose",), _transposed, "where a part needs no transpose then"),
]
