"""Products of two tensors summed over shared axes.

``einsum`` takes one lower-case letter an axis, no letter twice in an operand, and every letter in
at least two of (left, right, result): what is summed in one operand alone is summed before.
"""

from __future__ import annotations

import string

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import AnySize, ArrayType, broadcast_shapes
from symgrad.ops.elements import contracted
from symgrad.ops.shape import broadcast, lead, reshape


def einsum(spec: str, a: Node, b: Node) -> Node:
    """The contraction of two nodes; letters that only one of them has are summed first."""
    left, right, out = split(spec)
    for letters, other, which in ((left, right, 0), (right, left, 1)):
        axes = tuple(i for i, c in enumerate(letters) if c not in other and c not in out)
        if axes:
            kept = "".join(c for c in letters if c in other or c in out)
            parts = [a, b]
            parts[which] = build("sum", parts[which], axes=axes)
            new = f"{kept},{right}->{out}" if which == 0 else f"{left},{kept}->{out}"
            return einsum(new, *parts)
    return build("einsum", a, b, spec=spec)


def split(spec: str) -> tuple[str, str, str]:
    """``"ij,jk->ik"`` as its three words."""
    operands, out = spec.split("->")
    left, right = operands.split(",")
    return left, right, out


def matmul(a: Node, b: Node) -> Node:
    """NumPy's ``a @ b``: vectors, matrices, and stacks of matrices that broadcast.

    Maths:   y_ik = sum_j a_ij b_jk
    Raises:  ShapeError if the inner sizes differ
    """
    if a.shape[-1] != b.shape[0 if b.type.rank == 1 else -2]:
        raise ShapeError(
            "matmul: inner sizes differ", ("left", str(a.type)), ("right", str(b.type)), fix=_matmul_fix(a, b)
        )
    if a.type.rank == 1 and b.type.rank == 1:
        return build("einsum", a, b, spec="i,i->")
    if a.type.rank <= 2 and b.type.rank <= 2:
        left, right = "ij"[2 - a.type.rank :], "jk"[: b.type.rank]
        return build("einsum", a, b, spec=f"{left},{right}->{left[:-1]}{right[1:]}")
    return _stacked_matmul(a, b)


def _matmul_fix(a: Node, b: Node) -> str:
    inner = a.shape[-1]
    if b.type.rank == 2 and b.shape[1] == inner:
        return "transpose the right operand"
    if a.type.rank == 2 and a.shape[0] == b.shape[0]:
        return "transpose the left operand"
    rest = ", ".join(str(n) for n in b.shape[1:]) if b.type.rank <= 2 else "..."
    return f"declare the right operand as ({inner}, {rest})" if rest else f"declare the right operand as ({inner},)"


def _stacked_matmul(a: Node, b: Node) -> Node:
    """Stacks: leading axes broadcast, so both operands get all of them."""
    if a.type.rank == 1:
        y = _stacked_matmul(reshape(a, (1, *a.shape)), b)
        return reshape(y, (*y.shape[:-2], y.shape[-1]))
    if b.type.rank == 1:
        y = _stacked_matmul(a, reshape(b, (*b.shape, 1)))
        return reshape(y, y.shape[:-1])
    if b.type.rank == 2:  # one matrix for the whole stack
        lettered = string.ascii_lowercase[: a.type.rank]
        return build("einsum", a, b, spec=f"{lettered},{lettered[-1]}z->{lettered[:-1]}z")
    stack = broadcast_shapes(a.shape[:-2], b.shape[:-2])
    if stack is None:
        raise ShapeError("matmul: leading axes do not broadcast", ("left", str(a.type)), ("right", str(b.type)))
    letters = string.ascii_lowercase[: len(stack)]
    left = broadcast(a, stack + a.shape[-2:])
    right = broadcast(b, stack + b.shape[-2:])
    return build("einsum", left, right, spec=f"{letters}xy,{letters}yz->{letters}xz")


def _infer(a: ArrayType, b: ArrayType, spec: str) -> ArrayType:
    left, right, out = split(spec)
    sizes: dict[str, AnySize] = {}
    for letters, t in ((left, a), (right, b)):
        assert len(letters) == t.rank == len(set(letters)), f"einsum {spec} on {a}, {b}"
        for c, n in zip(letters, t.shape, strict=True):
            if sizes.setdefault(c, n) != n:
                facts = ("left", str(a)), ("right", str(b))
                raise ShapeError(
                    f"einsum {spec}: axis {c!r} has two sizes", *facts, fix="give each size its own letter"
                )
    return ArrayType(tuple(sizes[c] for c in out), a.dtype)


def _vjp(y_bar: Node, y: Node, a: Node, b: Node, spec: str) -> tuple[Node, Node]:
    """Maths:  a_bar = contraction of y_bar with b, b_bar = contraction of a with y_bar."""
    left, right, out = split(spec)
    return _pull(y_bar, b, f"{out},{right}", left, a), _pull(a, y_bar, f"{left},{out}", right, b)


def _pull(p: Node, q: Node, operands: str, wanted: str, x: Node) -> Node:
    present = "".join(c for c in wanted if c in operands)
    result = einsum(f"{operands}->{present}", p, q)
    assert present == wanted, f"{operands}->{wanted}: every letter stands in two of the three"
    return result


def _jvp(xs_dot: tuple, y: Node, a: Node, b: Node, spec: str) -> Node | None:
    left, right, out = split(spec)
    a_dot, b_dot = xs_dot
    free = "".join(c for c in reversed(string.ascii_letters) if c not in spec)
    terms = []
    if a_dot is not None:
        front = free[: len(lead(a_dot, a))]
        terms.append(einsum(f"{front}{left},{right}->{front}{out}", a_dot, b))
    if b_dot is not None:
        front = free[: len(lead(b_dot, b))]
        terms.append(einsum(f"{left},{front}{right}->{front}{out}", a, b_dot))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _latex(a: str, b: str, spec: str) -> str:
    return {"i,i->": rf"{a}^\top {b}", "i,k->ik": rf"{a} {b}^\top"}.get(spec, f"{a} {b}")


register(
    Op(
        "einsum",
        "contract",
        _infer,
        vjp=_vjp,
        jvp=_jvp,
        reference=lambda a, b, spec: np.einsum(spec, a, b),
        latex=_latex,
        samples=(
            (((3, 4), (4, 2)), {"spec": "ij,jk->ik"}),
            (((4,), (4,)), {"spec": "i,i->"}),
            (((4,), (3,)), {"spec": "i,j->ij"}),
            (((3, 4), (3, 2)), {"spec": "ji,jk->ik"}),
            (((2, 3, 4), (2, 4, 5)), {"spec": "bij,bjk->bik"}),
        ),
        source="Giles 2008, Collected matrix derivative results, 2.2.2",
        element=contracted,
        word="the matrix product",
        rule="product rule: the matrix product hands back its other factor, transposed",
    )
)
