"""Products of whole arrays, under NumPy's names."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from symgrad.errors import CallError, ShapeError, UnsupportedError
from symgrad.frontend.tensor import HOOKS, Tensor, named_errors, product, unify
from symgrad.ir.node import Node, build
from symgrad.ir.show import described
from symgrad.ir.types import size_product
from symgrad.ops import contract
from symgrad.ops import shape as shapes
from symgrad.ops.leaf import cast

_LETTERS = string.ascii_letters


def matmul(a: Any, b: Any) -> Tensor:
    """Matrix product ``a @ b`` of vectors, matrices or stacks."""
    return product(a, b)


def dot(a: Any, b: Any) -> Tensor:
    """NumPy's dot: a product with a scalar, else the sum over a's last and b's last but one axis."""
    left, right = unify(a, b)
    if not left.shape or not right.shape:
        return Tensor(left) * Tensor(right)
    if left.type.rank > 2 or right.type.rank > 2:
        raise UnsupportedError(
            "dot of more than two axes",
            ("left", described(left)),
            ("right", described(right)),
            fix="use sg.matmul or sg.einsum",
        )
    return product(a, b)


def outer(a: Any, b: Any) -> Tensor:
    """a b^T of two (flattened) vectors."""
    left, right = (cast(n, "real") for n in unify(a, b))
    left, right = (shapes.reshape(n, (size_product(n.shape),)) for n in (left, right))
    return named_errors(lambda p, q: build("einsum", p, q, spec="i,j->ij"), left, right)


def einsum(spec: str, *operands: Any) -> Tensor:
    """Einstein summation of one or more operands: ``einsum("ij,jk->ik", a, b)``; ``...`` stands for the axes between.

    >>> from symgrad.frontend.declare import input
    >>> einsum("...i,i->...", input("x", ("n", 3)), input("w", (3,))).shape
    (n,)
    """
    if not operands or not isinstance(spec, str):
        raise CallError("einsum takes a specification and operands", fix='write einsum("ij,jk->ik", a, b)')
    nodes = [cast(n, "real") for n in unify(*operands)]
    words, out, nodes = _words(spec, nodes)
    pairs = [_distinct(word, node, spec) for word, node in zip(words, nodes, strict=True)]
    while len(pairs) > 1:
        (left, a), (right, b), *rest = pairs
        needed = set(out).union(*(w for w, _ in rest))
        kept = "".join(c for c in dict.fromkeys(left + right) if c in needed)
        made = named_errors(lambda p, q, w=f"{left},{right}->{kept}": contract.einsum(w, p, q), a, b).node
        pairs = [(kept, made), *rest]
    return Tensor(_arrange(*pairs[0], out))


def _words(spec: str, nodes: list[Node]) -> tuple[list[str], str, list[Node]]:
    """A word of letters for each operand, the result's, and the operands without what broadcasts."""
    compact = spec.replace(" ", "")
    left, arrow, out = compact.partition("->")
    words = left.split(",")
    if len(words) == len(nodes) and "..." in compact:
        words, between = _without_ellipsis(words, nodes, spec)
        words, nodes = _without_ones(words, nodes, between)
        out = between + _once(words, between) if not arrow else out.replace("...", between, 1) if "..." in out else "."
    elif not arrow:
        out = _once(words, "")
    letters = "".join(words)
    fits = (
        len(words) == len(nodes)
        and all(c in _LETTERS for c in letters)
        and len(set(out)) == len(out)
        and set(out) <= set(letters)
    )
    if not fits:
        raise ShapeError(
            "einsum: the specification does not fit",
            ("spec", repr(spec[:60])),
            ("operands", str(len(nodes))),
            fix='one word of letters an operand, each result letter once: "ij,jk->ik"',
        )
    return words, out, nodes


def _once(words: Sequence[str], between: str) -> str:
    """The letters that come once, in the order of the alphabet: the result where none is written."""
    letters = "".join(words)
    return "".join(sorted(c for c in set(letters) if letters.count(c) == 1 and c not in between))


def _without_ellipsis(words: Sequence[str], nodes: Sequence[Node], spec: str) -> tuple[list[str], str]:
    """Letters in place of ``...``, the last one of all operands for the last axis between; and those letters."""
    counts = [n.type.rank - len(w.replace("...", "")) if "..." in w else 0 for w, n in zip(words, nodes, strict=True)]
    free = [c for c in _LETTERS if c not in spec]
    most = max(counts)
    if min(counts) < 0 or most > len(free):
        return list(words), ""
    between = "".join(free[:most])
    return [w.replace("...", between[most - k :], 1) for w, k in zip(words, counts, strict=True)], between


def _without_ones(words: list[str], nodes: list[Node], between: str) -> tuple[list[str], list[Node]]:
    """Without the axes between that have length 1 where another operand's is longer."""
    if any(len(w) != n.type.rank for w, n in zip(words, nodes, strict=True)):
        return words, nodes  # told below, in the user's own letters
    sizes: dict[str, set] = {c: set() for c in between}
    for word, node in zip(words, nodes, strict=True):
        for c, size in zip(word, node.shape, strict=True):
            sizes.get(c, set()).add(size)
    ones = [
        {i for i, c in enumerate(w) if c in between and n.shape[i] == 1 and len(sizes[c]) > 1}
        for w, n in zip(words, nodes, strict=True)
    ]
    short = [
        shapes.reshape(n, tuple(s for i, s in enumerate(n.shape) if i not in at))
        for n, at in zip(nodes, ones, strict=True)
    ]
    return ["".join(c for i, c in enumerate(w) if i not in at) for w, at in zip(words, ones, strict=True)], short


def _distinct(word: str, node: Node, spec: str) -> tuple[str, Node]:
    """Repeated letters of one operand become its diagonal."""
    if len(word) != node.type.rank:
        raise ShapeError(
            f"einsum: {word!r} names {len(word)} axes", ("spec", repr(spec[:60])), ("operand", described(node))
        )
    while len(set(word)) < len(word):
        letter = next(c for c in word if word.count(c) > 1)
        i = word.index(letter)
        j = word.index(letter, i + 1)
        node = build("diagonal", node, axes=(i, j))
        word = "".join(c for k, c in enumerate(word) if k not in (i, j)) + letter
    return word, node


def _arrange(word: str, node: Node, out: str) -> Node:
    axes = tuple(i for i, c in enumerate(word) if c not in out)
    node = build("sum", node, axes=axes) if axes else node
    word = "".join(c for c in word if c in out)
    return shapes.transpose(node, tuple(word.index(c) for c in out))


HOOKS.update({"matmul": matmul, "numpy.dot": dot, "numpy.einsum": einsum, "numpy.outer": outer})

__all__ = ["dot", "einsum", "matmul", "outer"]
