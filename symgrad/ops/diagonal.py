"""Diagonal matrices, stored as their diagonal, and how an op acts on one without making it dense.

``diagonal_matrix(d)`` has the shape d.shape + d.shape, with d where both halves of an index agree and 0 elsewhere:
the Jacobian of an element-wise function. Functions here give the result of one op, diagonal again where it is;
what is 0 by structure stays 0 beside values that are not finite.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from symgrad.ir.node import Node, Op, build, constant, register
from symgrad.ir.types import AnySize, ArrayType, Shape, size_product
from symgrad.ops import contract
from symgrad.ops.elements import diagonal_only
from symgrad.ops.shape import broadcast, embed_diagonal, eye, lead, reshape, take_slice, transpose


def _expand(d: Node) -> Node:
    """Zeros, with d on the diagonal."""
    flat = reshape(d, (size_product(d.shape),))
    return reshape(embed_diagonal(flat, (0, 1)), d.shape + d.shape)


def _vjp(y_bar: Node, y: Node, d: Node) -> tuple[Node]:
    return (on_diagonal(y_bar, d.shape),)


def _jvp(xs_dot: tuple, y: Node, d: Node) -> Node:
    front = lead(xs_dot[0], d)
    k = len(front)
    flat = reshape(xs_dot[0], (*front, size_product(d.shape)))
    return reshape(embed_diagonal(flat, (k, k + 1)), front + d.shape + d.shape)


register(
    Op(
        "diagonal_matrix",
        "composite",
        lambda t: ArrayType(t.shape + t.shape, t.dtype),
        vjp=_vjp,
        jvp=_jvp,
        reference=lambda d: np.diag(np.ravel(d)).reshape(np.shape(d) * 2),
        lower=_expand,
        latex=lambda d: rf"\operatorname{{diag}}\left({d}\right)",
        samples=((((4,),), {}), (((2, 3),), {})),
        source="the Jacobian of an element-wise function",
        element=diagonal_only,
        word="the diagonal matrix",
    )
)


def diagonal_matrix(d: Node) -> Node:
    """The matrix (of shape d.shape + d.shape) with that diagonal; of one element it is that element."""
    return reshape(d, d.shape * 2) if size_product(d.shape) == 1 else build("diagonal_matrix", d)


def identity(shape: Shape) -> Node:
    """The derivative of a tensor of that shape by itself."""
    return diagonal_matrix(broadcast(constant(1.0), shape))


def is_diagonal(node: Node) -> bool:
    """Whether the node is stored as its diagonal."""
    return node.op.name == "diagonal_matrix"


def held(node: Node) -> Node:
    """What is kept of a node: of a diagonal matrix its diagonal."""
    return node.args[0] if is_diagonal(node) else node


def held_as(kept: Node, like: Node) -> Node:
    """The node of which that is kept, being diagonal where ``like`` is (a cotangent beside its primal)."""
    return diagonal_matrix(kept) if is_diagonal(like) else kept


def on_diagonal(x: Node, shape: Shape) -> Node:
    """The elements of x (broadcast to shape + shape) at which both halves of the index agree."""
    k = len(shape)
    if not x.type.rank:
        return x
    wide = (1,) * (2 * k - x.type.rank) + x.shape
    for ones, half in ((wide[:k], wide[k:]), (wide[k:], wide[:k])):
        if all(n == 1 for n in ones):
            return reshape(x, half)
    y = broadcast(reshape(x, wide), shape + shape)
    for left in range(k, 0, -1):
        y = build("diagonal", y, axes=(0, left))
    return y


def contracted(d: Node, word: str, other: tuple[Node, str] | None, out: str) -> Node:
    """Einstein summation of ``diagonal_matrix(d)``, whose axes have the letters of ``word``, with another tensor.

    Maths:  y_out = sum over the letters not in ``out`` of d_r [r = c] x_other; one of r, c takes the other's place
    """
    k = d.type.rank
    pairs = list(zip(word[:k], word[k:], strict=True))
    both = [(r, c) for r, c in pairs if r in out and c in out]
    swap = {(r if c in out and r not in out else c): (c if c in out and r not in out else r) for r, c in pairs}
    names = "".join(swap.get(r, r) for r in word[:k])
    kept = "".join(c for c in out if c not in {c for _, c in both})
    y = _summed(d, names, kept) if other is None else _multiplied((d, names), _merged(*other, swap), kept)
    return _spread(y, kept, dict(both), out) if both else y


def _merged(x: Node, letters: str, swap: dict[str, str]) -> tuple[Node, str]:
    """x with letters replaced; a letter that stands twice is x's diagonal."""
    letters = "".join(swap.get(c, c) for c in letters)
    while twice := [c for c in letters if letters.count(c) > 1]:
        i, j = letters.index(twice[0]), letters.rindex(twice[0])
        x = build("diagonal", x, axes=(i, j))
        letters = "".join(c for n, c in enumerate(letters) if n not in (i, j)) + twice[0]
    return x, letters


def _summed(x: Node, letters: str, out: str) -> Node:
    axes = tuple(i for i, c in enumerate(letters) if c not in out)
    rest = "".join(c for c in letters if c in out)
    return transpose(build("sum", x, axes=axes) if axes else x, tuple(rest.index(c) for c in out))


def _multiplied(left: tuple[Node, str], right: tuple[Node, str], out: str) -> Node:
    (a, p), (b, q) = left, right
    if set(p) | set(q) <= set(out):  # nothing is summed
        return _aligned(a, p, out) * _aligned(b, q, out)
    return contract.einsum(f"{p},{q}->{out}", a, b)


def _aligned(x: Node, letters: str, out: str) -> Node:
    """x with its axes in the order of ``out``, of length 1 where it has none (before its first none at all)."""
    moved = transpose(x, tuple(letters.index(c) for c in out if c in letters))
    sizes = iter(moved.shape)
    first = min((out.index(c) for c in letters), default=len(out))
    return reshape(moved, tuple(next(sizes) if c in letters else 1 for c in out[first:]))


def _spread(y: Node, letters: str, pairs: dict[str, str], out: str) -> Node:
    """y with a second letter for each of ``pairs``, 0 where the two differ."""
    if len(letters) == len(pairs):
        half = len(pairs)
        partner = pairs | {c: r for r, c in pairs.items()}
        if all(partner[c] == out[half + i] for i, c in enumerate(out[:half])):
            order = tuple(letters.index(c if c in letters else partner[c]) for c in out[:half])
            return diagonal_matrix(transpose(y, order))
    spread = _aligned(y, letters, out)
    sizes = dict(zip(letters, y.shape, strict=True))
    masks = [_mask(out, r, c, sizes[r]) for r, c in pairs.items()]
    return _where_all(masks, spread)


def _mask(out: str, row: str, column: str, n: AnySize) -> Node:
    first, last = sorted((out.index(row), out.index(column)))
    return reshape(eye(n), tuple(n if i in (first, last) else 1 for i in range(len(out))))


def _where_all(masks: Sequence[Node], x: Node) -> Node:
    both = masks[0]
    for mask in masks[1:]:
        both = build("logical_and", both, mask)
    return build("where", both, x, constant(0.0))


def sliced(d: Node, start: tuple, size: tuple, step: tuple[int, ...]) -> Node:
    """A slice of ``diagonal_matrix(d)``: diagonal where rows and columns are cut alike."""
    k = d.type.rank
    rows = take_slice(d, start[:k], size[:k], step[:k])
    if (start[:k], size[:k], step[:k]) == (start[k:], size[k:], step[k:]):
        return diagonal_matrix(rows)
    at = [_places(*cut, i, 2 * k) for i, cut in enumerate(zip(start, size, step, strict=True))]
    masks = [build("equal", at[i], at[i + k]) for i in range(k)]
    return _where_all(masks, reshape(rows, size[:k] + (1,) * k))


def _places(start: AnySize, count: AnySize, step: int, axis: int, rank: int) -> Node:
    """start + step i, along one axis of ``rank``."""
    first = constant(start, "int") if isinstance(start, int) else build("size", size=start)
    if count == 1:
        return first
    i = build("iota", size=count)
    scaled = i if step == 1 else build("mul", i, constant(step, "int"))
    moved = scaled if start == 0 else build("add", scaled, first)
    return reshape(moved, tuple(count if j == axis else 1 for j in range(rank)))


def gathered(d: Node, index: Node, axis: int) -> Node:
    """Rows (axis 0) or columns (axis 1) of a diagonal matrix with a vector as diagonal."""
    (n,) = d.shape
    own = index.shape
    taken = build("gather", d, index, axis=0)
    size = constant(n, "int") if isinstance(n, int) else build("size", size=n)
    place = build("mod", index, size)  # counted from the end where negative
    if axis == 0:
        taken, place, all_places = (reshape(taken, (*own, 1)), reshape(place, (*own, 1)), build("iota", size=n))
    else:
        all_places = reshape(build("iota", size=n), (n,) + (1,) * len(own))
    return build("where", build("equal", place, all_places), taken, constant(0.0))
