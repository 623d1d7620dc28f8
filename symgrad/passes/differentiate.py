"""Gradient, Jacobian, Hessian, products: what the two sweeps are used for."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, build, constant
from symgrad.ir.types import Shape, size_product
from symgrad.ir.walk import depends, topological
from symgrad.ops.diagonal import diagonal_matrix, identity
from symgrad.ops.shape import broadcast, reshape, take_slice, transpose
from symgrad.passes.forward import forward
from symgrad.passes.reverse import reverse, with_rules
from symgrad.passes.structure import is_elementwise_in

_FEW = 16  # Jacobians of so few components go row by row, in reverse


def zeros(shape: Shape) -> Node:
    """A tensor of zeros that is never stored."""
    return broadcast(constant(0.0), shape)


def gradient(f: Node, wrt: Sequence[Node], seed: Node | None = None) -> list[Node]:
    """df/dx for a scalar f, or the pullback of ``seed`` through f."""
    (ruled,) = with_rules([f]) if _ruleless(f) else (f,)
    found = reverse({ruled: constant(1.0) if seed is None else seed}, wrt)
    return [zeros(x.shape) if g is None else g for x, g in zip(wrt, found, strict=True)]


def pushforward(f: Node, wrt: Sequence[Node], tangents: Sequence[Node], sparse: bool = False) -> Node:
    """The tangent of f for tangents of ``wrt``, which are mostly 0 if ``sparse``."""
    (ruled,) = with_rules([f]) if _ruleless(f) else (f,)
    (found,) = forward([ruled], dict(zip(wrt, tangents, strict=True)), sparse)
    return zeros(f.shape) if found is None else found


def _ruleless(f: Node) -> bool:
    return any(n.op.vjp is None and n.op.row is None and n.op.lower is not None for n in topological([f]))


def jacobian(f: Node, x: Node) -> Node:
    """df/dx of shape f.shape + x.shape; diagonal and zero structure are kept."""
    if x not in depends([f], [x]) or f not in depends([f], [x]):
        return zeros(f.shape + x.shape)
    if not f.shape:
        return gradient(f, [x])[0]
    if not x.shape:
        return pushforward(f, [x], [constant(1.0)])
    if f.shape == x.shape and is_elementwise_in(f, x):
        ones = broadcast(constant(1.0), x.shape)
        d = pushforward(f, [x], [ones])
        return zeros(f.shape + x.shape) if _is_zero(d) else diagonal_matrix(d)
    if _is_wide(f, x):
        return _by_rows(f, x)
    return _by_identity(f, x)


def _is_wide(f: Node, x: Node) -> bool:
    """Whether f has few components, and x (as far as is known) many more."""
    rows, columns = size_product(f.shape), size_product(x.shape)
    return isinstance(rows, int) and rows <= _FEW and (not isinstance(columns, int) or 4 * rows <= columns)


def _is_zero(node: Node) -> bool:
    inner = node.args[0] if node.op.name == "broadcast" else node
    return inner.op.name == "constant" and inner["value"] == 0.0


def _by_identity(f: Node, x: Node) -> Node:
    """The pushforward of an identity: leading axes are x's; it stays diagonal for as long as rules keep it so."""
    tangent = pushforward(f, [x], [identity(x.shape)], sparse=True)
    k, m = x.type.rank, f.type.rank
    return transpose(broadcast(tangent, x.shape + f.shape), (*range(k, k + m), *range(k)))


def _by_rows(f: Node, x: Node) -> Node:
    """One reverse sweep for each component."""
    count = size_product(f.shape)
    assert isinstance(count, int)
    flat = reshape(f, (count,))
    rows = []
    for i in range(count):
        component = reshape(take_slice(flat, (i,), (1,), (1,)), ())
        rows.append(reshape(gradient(component, [x])[0], (1, *x.shape)))
    joined = build("concatenate", *rows, axis=0) if count > 1 else rows[0]
    return reshape(joined, f.shape + x.shape)
