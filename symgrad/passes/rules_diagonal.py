"""Operations on a diagonal matrix, in its diagonal: J v = d v, J^T = J, 2 J = diag(2 d), row i is d_i e_i.

In: a node with an argument ``diagonal_matrix(d)``. Out: diagonal again where the result is, else an expression in d
of the result's size. What is 0 by structure stays 0, also times infinity; a sum with a dense matrix is dense.
"""

from __future__ import annotations

import functools
import string

import numpy as np

from symgrad.ir.node import Node, build, constant, rebuild
from symgrad.ir.types import size_product
from symgrad.ops.contract import split as words
from symgrad.ops.diagonal import contracted, diagonal_matrix, gathered, is_diagonal, on_diagonal, sliced
from symgrad.ops.registry import ROWS
from symgrad.ops.shape import reshape
from symgrad.passes.rewrite import Rule, value

# The arguments that make the result 0 wherever they are 0 (by structure).
_ABSORBING = {"mul": (0, 1), "zmul": (0, 1), "div": (0,), "zdiv": (0,), "gate": (0,)}


def _elementwise(node: Node) -> Node | None:
    """f(D, ...) is diagonal, where f is 0 off the diagonal."""
    matrices = [a for a in node.args if is_diagonal(a) and a.shape == node.shape]
    if not matrices or node.dtype != "real" or not _is_zero_outside(node):
        return None
    shape = matrices[0].args[0].shape
    return diagonal_matrix(rebuild(node, (_part(a, shape) for a in node.args)))


def _is_zero_outside(node: Node) -> bool:
    name, args = node.op.name, node.args
    if any(is_diagonal(args[i]) and args[i].shape == node.shape for i in _ABSORBING.get(name, ())):
        return True
    if name == "where":
        return all(is_diagonal(a) or value(a) == 0 for a in args[1:])
    known = [0.0 if is_diagonal(a) and a.shape == node.shape else value(a) for a in args]
    return None not in known and _at_zero(name, tuple(known), tuple(sorted(node.params.items()))) == 0


@functools.cache
def _at_zero(name: str, known: tuple, params: tuple) -> float:
    with np.errstate(all="ignore"):
        return float(ROWS[name].reference(*known, **dict(params)))


def _part(a: Node, shape: tuple) -> Node:
    """What an argument is on the diagonal."""
    if is_diagonal(a):
        return a.args[0]
    number = value(a)
    return on_diagonal(a, shape) if number is None else constant(number, a.dtype)


def _letters(rank: int, taken: str = "") -> str:
    return "".join(c for c in string.ascii_letters if c not in taken)[:rank]


def _transposed(node: Node) -> Node | None:
    (x,) = node.args
    if not is_diagonal(x):
        return None
    word = _letters(x.type.rank)
    return contracted(x.args[0], word, None, "".join(word[i] for i in node["perm"]))


def _summed(node: Node) -> Node | None:
    (x,) = node.args
    if not is_diagonal(x):
        return None
    word = _letters(x.type.rank)
    return contracted(x.args[0], word, None, "".join(c for i, c in enumerate(word) if i not in node["axes"]))


def _diagonal(node: Node) -> Node | None:
    """Of two axes that belong together."""
    (x,), axes = node.args, tuple(sorted(node["axes"]))
    if not is_diagonal(x) or axes[1] - axes[0] != x.type.rank // 2:
        return None
    word = _letters(x.type.rank)
    out = "".join(c for i, c in enumerate(word) if i not in axes) + word[axes[0]]
    return contracted(x.args[0], word, None, out)


def _einsum(node: Node) -> Node | None:
    left, right, out = words(node["spec"])
    a, b = node.args
    if is_diagonal(a):
        return contracted(a.args[0], left, (b, right), out)
    return contracted(b.args[0], right, (a, left), out) if is_diagonal(b) else None


def _reshaped(node: Node) -> Node | None:
    """Where rows and columns are regrouped alike."""
    (x,), half = node.args, node.shape[: node.type.rank // 2]
    if not is_diagonal(x) or half * 2 != node.shape or size_product(half) != size_product(x.args[0].shape):
        return None
    return diagonal_matrix(reshape(x.args[0], half))


def _sliced(node: Node) -> Node | None:
    (x,) = node.args
    return sliced(x.args[0], node["start"], node["size"], node["step"]) if is_diagonal(x) else None


def _gathered(node: Node) -> Node | None:
    x, index = node.args
    return gathered(x.args[0], index, node["axis"]) if is_diagonal(x) and x.type.rank == 2 else None


def _norm(node: Node) -> Node | None:
    (x,) = node.args
    if not is_diagonal(x) or len(node["axes"]) < x.type.rank:
        return None
    return build("norm", x.args[0], axes=tuple(range(x.type.rank // 2)))


def _stopped(node: Node) -> Node | None:
    (x,) = node.args
    return diagonal_matrix(rebuild(node, x.args)) if is_diagonal(x) else None


def _nothing(node: Node) -> Node | None:
    """A contraction with zeros (a Jacobian of what does not depend) is 0."""
    return constant(0.0) if any(value(a) == 0 and a.type.rank for a in node.args) else None


RULES = [
    Rule("f(diag(d)) = diag(f(d))", tuple(ROWS), _elementwise, "where f is 0 off the diagonal"),
    Rule("transpose of a diagonal", ("transpose",), _transposed),
    Rule("sum of a diagonal", ("sum",), _summed),
    Rule("diagonal of a diagonal", ("diagonal",), _diagonal),
    Rule("product with a diagonal", ("einsum",), _einsum, "D v = d v"),
    Rule("reshape of a diagonal", ("reshape",), _reshaped),
    Rule("slice of a diagonal", ("slice",), _sliced, "row i is d_i at i"),
    Rule("rows of a diagonal", ("gather",), _gathered),
    Rule("norm of a diagonal", ("norm",), _norm),
    Rule("stopped diagonal", ("stop_gradient",), _stopped),
    Rule("product with nothing", ("einsum",), _nothing, "0 by structure, also beside infinities"),
]
