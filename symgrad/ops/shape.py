"""Changes of index: reshape, transpose, broadcast, slice, pad, diagonal, concatenate.

All are linear, so a pushforward is the op itself on the tangent; a tangent may carry extra leading
axes, which the parameters are shifted by. Each pullback is the transposed map.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.errors import ShapeError
from symgrad.ir.node import Node, Op, build, register
from symgrad.ir.types import AnySize, ArrayType, Shape, size_product
from symgrad.ops import elements
from symgrad.ops.span import positions


def lead(x_dot: Node, x: Node) -> Shape:
    """The extra leading axes of a tangent."""
    return x_dot.shape[: x_dot.type.rank - x.type.rank]


def reshape(x: Node, shape: Shape) -> Node:
    """x with another shape of as many elements, in C order."""
    return x if x.shape == tuple(shape) else build("reshape", x, shape=tuple(shape))


def transpose(x: Node, perm: tuple[int, ...]) -> Node:
    """Axis i of the result is axis perm[i] of x."""
    return x if tuple(perm) == tuple(range(len(perm))) else build("transpose", x, perm=tuple(perm))


def broadcast(x: Node, shape: Shape) -> Node:
    """x repeated to a larger shape by NumPy's rule."""
    return x if x.shape == tuple(shape) else build("broadcast", x, shape=tuple(shape))


def unbroadcast(g: Node, shape: Shape) -> Node:
    """Sum a cotangent over the axes that broadcasting had repeated: the transpose of ``broadcast``."""
    extra = g.type.rank - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    return reshape(build("sum", g, axes=axes) if axes else g, shape)


def take_slice(x: Node, start: tuple, size: tuple, step: tuple[int, ...]) -> Node:
    """x[start : start + size*step : step] on every axis; sizes are counts."""
    if size == x.shape and all(k == 1 for k in step):
        return x
    return build("slice", x, start=tuple(start), size=tuple(size), step=tuple(step))


def _reshape_infer(t: ArrayType, shape: Shape) -> ArrayType:
    if size_product(t.shape) != size_product(shape):
        raise ShapeError(
            "reshape: the number of elements changes",
            ("from", str(t)),
            ("to", str(ArrayType(shape, t.dtype))),
            fix="give a shape with as many elements",
        )
    return ArrayType(shape, t.dtype)


register(
    Op(
        "reshape",
        "index",
        _reshape_infer,
        vjp=lambda y_bar, y, x, shape: (reshape(y_bar, x.shape),),
        jvp=lambda xs_dot, y, x, shape: reshape(xs_dot[0], lead(xs_dot[0], x) + shape),
        reference=lambda x, shape: np.reshape(x, shape),
        latex=lambda x, shape: rf"\operatorname{{reshape}}\left({x}\right)",
        samples=((((2, 3),), {"shape": (3, 2)}), (((4,),), {"shape": (2, 2)})),
        source="numpy.reshape, C order",
        element=elements.reshaped,
        traits=frozenset({"silent"}),
        odd=(0,),
    )
)


def _transpose_vjp(y_bar: Node, y: Node, x: Node, perm: tuple[int, ...]) -> tuple[Node]:
    return (transpose(y_bar, tuple(int(i) for i in np.argsort(perm))),)


def _transpose_jvp(xs_dot: tuple, y: Node, x: Node, perm: tuple[int, ...]) -> Node:
    k = len(lead(xs_dot[0], x))
    return transpose(xs_dot[0], (*range(k), *(i + k for i in perm)))


register(
    Op(
        "transpose",
        "index",
        lambda t, perm: ArrayType(tuple(t.shape[i] for i in perm), t.dtype),
        vjp=_transpose_vjp,
        jvp=_transpose_jvp,
        reference=lambda x, perm: np.transpose(x, perm),
        latex=lambda x, perm: rf"{x}^\top",
        samples=((((2, 3),), {"perm": (1, 0)}), (((2, 3, 4),), {"perm": (2, 0, 1)})),
        source="numpy.transpose",
        element=elements.transposed,
        word="the transpose",
        rule="the transpose of the gradient",
    )
)


def _broadcast_jvp(xs_dot: tuple, y: Node, x: Node, shape: Shape) -> Node:
    front = lead(xs_dot[0], x)
    padded = front + (1,) * (len(shape) - x.type.rank) + x.shape
    return broadcast(reshape(xs_dot[0], padded), front + shape)


register(
    Op(
        "broadcast",
        "index",
        lambda t, shape: ArrayType(tuple(shape), t.dtype),
        vjp=lambda y_bar, y, x, shape: (unbroadcast(y_bar, x.shape),),
        jvp=_broadcast_jvp,
        reference=lambda x, shape: np.broadcast_to(x, shape),
        latex=lambda x, shape: x,
        samples=((((3,),), {"shape": (2, 3)}), (((2, 1),), {"shape": (2, 3)})),
        source="numpy.broadcast_to",
        element=elements.spread,
        traits=frozenset({"silent"}),
        odd=(0,),
    )
)


def _slice_jvp(xs_dot: tuple, y: Node, x: Node, start: tuple, size: tuple, step: tuple) -> Node:
    front = lead(xs_dot[0], x)
    k = len(front)
    return take_slice(xs_dot[0], (0,) * k + start, front + size, (1,) * k + step)


def _slice_reference(x: Any, start: tuple, size: tuple, step: tuple) -> Any:
    x = np.asarray(x)
    index = positions(size, x.shape, start, step)
    return x[np.ix_(*index)] if index else x


register(
    Op(
        "slice",
        "index",
        lambda t, start, size, step: ArrayType(tuple(size), t.dtype),
        vjp=lambda y_bar, y, x, start, size, step: (build("pad", y_bar, shape=x.shape, start=start, step=step),),
        jvp=_slice_jvp,
        reference=_slice_reference,
        latex=lambda x, start, size, step: rf"{x}_{{[{', '.join(f'{a}:' for a in start)}]}}",
        samples=((((4, 5),), {"start": (1, 4), "size": (2, 3), "step": (1, -2)}),),
        source="numpy basic slicing",
        element=elements.sliced,
        word="the index",
        traits=frozenset({"chooses"}),
    )
)


def _pad_vjp(y_bar: Node, y: Node, x: Node, start: tuple, step: tuple, **_: Any) -> tuple[Node]:
    return (take_slice(y_bar, start, x.shape, step),)


def _pad_jvp(xs_dot: tuple, y: Node, x: Node, shape: Shape, start: tuple, step: tuple, fill: float = 0.0) -> Node:
    front = lead(xs_dot[0], x)
    k = len(front)
    return build("pad", xs_dot[0], shape=front + shape, start=(0,) * k + start, step=(1,) * k + step)


def _pad_reference(x: Any, shape: Any, start: tuple, step: tuple, fill: float = 0) -> Any:
    x = np.asarray(x)
    y = np.full(shape, fill, x.dtype)
    index = positions(x.shape, np.shape(y), start, step)
    y[np.ix_(*index) if index else ()] = x
    return y


register(
    Op(
        "pad",
        "index",
        lambda t, shape, start, step, fill=0.0: ArrayType(tuple(shape), t.dtype),
        vjp=_pad_vjp,
        jvp=_pad_jvp,
        reference=_pad_reference,
        latex=lambda x, shape, start, step, fill=0.0: rf"\operatorname{{pad}}\left({x}\right)",
        samples=(
            (((2, 3),), {"shape": (4, 6), "start": (1, 5), "step": (2, -2)}),
            (((2,),), {"shape": (4,), "start": (1,), "step": (1,), "fill": 2.5}),
        ),
        source="zeros (or ``fill``), with x at start + i*step: the transpose of slice",
        element=elements.padded,
        word="the padding",
        traits=frozenset({"linear"}),
    )
)


def _diagonal_infer(t: ArrayType, axes: tuple[int, int]) -> ArrayType:
    a, b = axes
    if t.shape[a] != t.shape[b]:
        raise ShapeError("diagonal: the two axes differ in size", ("operand", str(t)), fix="the matrix must be square")
    rest = tuple(n for i, n in enumerate(t.shape) if i not in axes)
    return ArrayType((*rest, t.shape[a]), t.dtype)


def eye(n: AnySize, dtype: str = "bool") -> Node:
    """The identity pattern, as booleans (or as numbers)."""
    i = build("iota", size=n)
    same = build("equal", reshape(i, (n, 1)), reshape(i, (1, n)))
    return same if dtype == "bool" else build("cast", same, to=dtype)


def embed_diagonal(d: Node, axes: tuple[int, int]) -> Node:
    """The array whose ``axes`` diagonal is the last axis of d, 0 elsewhere: the transpose of ``diagonal``."""
    a = min(axes)
    rank = d.type.rank + 1
    n = d.shape[-1]
    rest = [i for i in range(rank) if i not in axes]
    spread = reshape(d, (*d.shape[:-1], 1, n))
    square = build("where", eye(n), spread, build("constant_like", spread, value=0.0))
    order = [rest.index(i) if i in rest else (rank - 2 if i == a else rank - 1) for i in range(rank)]
    return transpose(square, tuple(order))


register(
    Op(
        "constant_like",
        "elementwise",
        lambda t, value: ArrayType((), t.dtype),
        vjp=lambda y_bar, y, x, value: (None,),
        jvp=lambda xs_dot, y, x, value: None,
        reference=lambda x, value: np.asarray(value, np.asarray(x).dtype),
        latex=lambda x, value: f"{value:g}",
        source="a scalar constant of the kind of x",
    )
)


def _diagonal_jvp(xs_dot: tuple, y: Node, x: Node, axes: tuple[int, int]) -> Node:
    k = len(lead(xs_dot[0], x))
    return build("diagonal", xs_dot[0], axes=(axes[0] + k, axes[1] + k))


register(
    Op(
        "diagonal",
        "index",
        _diagonal_infer,
        vjp=lambda y_bar, y, x, axes: (embed_diagonal(y_bar, axes),),
        jvp=_diagonal_jvp,
        reference=lambda x, axes: np.diagonal(x, axis1=axes[0], axis2=axes[1]),
        latex=lambda x, axes: rf"\operatorname{{diag}}\left({x}\right)",
        samples=((((3, 3),), {"axes": (0, 1)}), (((3, 2, 3),), {"axes": (0, 2)})),
        source="numpy.diagonal: the diagonal comes last",
        element=elements.on_diagonal,
        word="the diagonal",
        traits=frozenset({"chooses"}),
    )
)
