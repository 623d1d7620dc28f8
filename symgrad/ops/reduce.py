"""Reductions over axes, and running sums.

``axes`` is a sorted tuple; reduced axes are dropped (keeping them is a reshape). Extremes share the
gradient equally among ties, and keep NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.ir.node import Node, Op, build, constant, register
from symgrad.ir.types import ArrayType, Shape
from symgrad.ops.elements import others, reduced, running_sum
from symgrad.ops.registry import zmul
from symgrad.ops.shape import broadcast, eye, lead, reshape, transpose

Axes = tuple[int, ...]


def kept(shape: Shape, axes: Axes) -> Shape:
    """The shape with reduced axes of length 1."""
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def dropped(shape: Shape, axes: Axes) -> Shape:
    """The shape without the reduced axes."""
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def spread(y: Node, x: Node, axes: Axes) -> Node:
    """A reduced result, put back beside its operand (broadcastable to it)."""
    return reshape(y, kept(x.shape, axes))


def _shift(x_dot: Node, x: Node, axes: Axes) -> Axes:
    k = len(lead(x_dot, x))
    return tuple(i + k for i in axes)


def _infer(dtype: str | None) -> Any:
    return lambda t, axes: ArrayType(dropped(t.shape, axes), dtype or t.dtype)


register(
    Op(
        "sum",
        "reduce",
        lambda t, axes: ArrayType(dropped(t.shape, axes), "int" if t.dtype == "bool" else t.dtype),
        vjp=lambda y_bar, y, x, axes: (broadcast(spread(y_bar, x, axes), x.shape),),
        jvp=lambda xs_dot, y, x, axes: build("sum", xs_dot[0], axes=_shift(xs_dot[0], x, axes)),
        reference=lambda x, axes: np.sum(x, axis=axes),
        latex=lambda x, axes: rf"\sum {x}",
        samples=((((3, 4),), {"axes": (0,)}), (((3, 4),), {"axes": (1,)}), (((3, 4),), {"axes": (0, 1)})),
        source="numpy.sum",
        element=reduced("sum"),
        word="the sum over elements",
        rule="a sum hands its gradient to every term",
        odd=(0,),
    )
)


def extreme_weights(y: Node, x: Node, axes: Axes) -> Node:
    """1/m at each of the m elements that attain the extreme, 0 elsewhere; NaN where the extreme is NaN."""
    hit = build("cast", build("equal", x, spread(y, x, axes)), to="real")
    return hit / spread(build("sum", hit, axes=axes), x, axes)


def _extreme_vjp(y_bar: Node, y: Node, x: Node, axes: Axes, lowest: bool = False) -> tuple[Node]:
    return (zmul(broadcast(spread(y_bar, x, axes), x.shape), extreme_weights(y, x, axes)),)


def _extreme_jvp(xs_dot: tuple, y: Node, x: Node, axes: Axes, lowest: bool = False) -> Node:
    return build("sum", zmul(xs_dot[0], extreme_weights(y, x, axes)), axes=_shift(xs_dot[0], x, axes))


_SAMPLES = ((((3, 4),), {"axes": (0,)}), (((3, 4),), {"axes": (1,)}), (((5,),), {"axes": (0,)}))
for _name, _reference, _symbol in (("max_reduce", np.max, r"\max"), ("min_reduce", np.min, r"\min")):
    register(
        Op(
            _name,
            "reduce",
            lambda t, axes, lowest=False: ArrayType(dropped(t.shape, axes), t.dtype),
            vjp=_extreme_vjp,
            jvp=_extreme_jvp,
            reference=lambda x, axes, lowest=False, _f=_reference: (
                _f(x, axis=axes, initial=-np.inf) if lowest else _f(x, axis=axes)
            ),
            latex=lambda x, axes, lowest=False, _s=_symbol: rf"{_s} {x}",
            samples=_SAMPLES,
            element=reduced(_name[:3]),
            word=_name[:3],
            rule=f"{_name[:3]} routes the gradient to the {'largest' if _name == 'max_reduce' else 'smallest'} element",
            traits=frozenset({"chooses"}),
            source="numpy.max, numpy.min; ties share; the maximum of nothing is refused, or -inf where lowest is set",
        )
    )


def _others(x: Node, axes: Axes) -> Node:
    return build("prod_others", x, axes=axes)


register(
    Op(
        "prod",
        "reduce",
        _infer(None),
        vjp=lambda y_bar, y, x, axes: (broadcast(spread(y_bar, x, axes), x.shape) * _others(x, axes),),
        jvp=lambda xs_dot, y, x, axes: build("sum", zmul(xs_dot[0], _others(x, axes)), axes=_shift(xs_dot[0], x, axes)),
        reference=lambda x, axes: np.prod(x, axis=axes),
        latex=lambda x, axes: rf"\prod {x}",
        samples=_SAMPLES,
        source="numpy.prod",
        element=reduced("prod"),
        word="the product over elements",
    )
)


def others_as_product(x: Node, axes: Axes) -> Node:
    """``prod_others`` as a product over a square: x_k with x_i replaced by 1, for each i (its derivatives use this)."""
    rest = tuple(i for i in range(x.type.rank) if i not in axes)
    outer = dropped(x.shape, axes)
    flat_shape = (*outer, _count(x, axes))
    flat = reshape(transpose(x, rest + axes), flat_shape)
    n = flat_shape[-1]
    square = build("where", eye(n), constant(1.0), reshape(flat, (*outer, 1, n)))
    square = broadcast(square, (*outer, n, n))
    products = build("prod", square, axes=(len(outer) + 1,))
    back = reshape(products, tuple(x.shape[i] for i in rest + axes))
    return transpose(back, tuple(int(i) for i in np.argsort(rest + axes)))


def _count(x: Node, axes: Axes) -> Any:
    total: Any = 1
    for i in axes:
        total = total * x.shape[i]
    return total


def _others_reference(x: Any, axes: Axes) -> Any:
    x = np.asarray(x)
    y = np.empty_like(x)
    for index in np.ndindex(*x.shape):
        line = tuple(slice(None) if i in axes else index[i] for i in range(x.ndim))
        rest = x.copy()
        rest[index] = 1
        y[index] = np.prod(rest[line])
    return y


register(
    Op(
        "prod_others",
        "scan",
        lambda t, axes: t,
        vjp=None,
        jvp=None,
        reference=_others_reference,
        lower=others_as_product,
        latex=lambda x, axes: rf"\prod_{{k \ne i}} {x}_k",
        samples=_SAMPLES,
        source="the product of all the others, right at zeros",
        element=others,
    )
)

_arg: Any
for _name, _arg in (("argmax", np.argmax), ("argmin", np.argmin)):
    register(
        Op(
            _name,
            "reduce",
            lambda t, axes: ArrayType(dropped(t.shape, axes), "int"),
            vjp=lambda y_bar, y, x, axes: (None,),
            jvp=lambda xs_dot, y, x, axes: None,
            reference=lambda x, axes, _f=_arg: _f(x, axis=axes[0]),
            latex=lambda x, axes, _n=_name: rf"\operatorname{{{_n}}} {x}",
            element=reduced(_name),
            samples=_SAMPLES[:2],
            source="numpy.argmax, numpy.argmin: the first; derivative 0",
        )
    )
for _name, _arg in (("any_reduce", np.any), ("all_reduce", np.all)):
    register(
        Op(
            _name,
            "reduce",
            _infer("bool"),
            vjp=lambda y_bar, y, x, axes: (None,),
            jvp=lambda xs_dot, y, x, axes: None,
            reference=lambda x, axes, _f=_arg: _f(x, axis=axes),
            latex=lambda x, axes, _n=_name: rf"\operatorname{{{_n[:3]}}} {x}",
            element=reduced(_name[:3]),
            source="numpy.any, numpy.all",
        )
    )


register(
    Op(
        "cumsum",
        "scan",
        lambda t, axis, reverse: t,
        vjp=lambda y_bar, y, x, axis, reverse: (build("cumsum", y_bar, axis=axis, reverse=not reverse),),
        jvp=lambda xs_dot, y, x, axis, reverse: build(
            "cumsum", xs_dot[0], axis=axis + len(lead(xs_dot[0], x)), reverse=reverse
        ),
        reference=lambda x, axis, reverse: (
            np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)
        ),
        latex=lambda x, axis, reverse: rf"\operatorname{{cumsum}} {x}",
        samples=((((3, 4),), {"axis": 1, "reverse": False}), (((3, 4),), {"axis": 0, "reverse": True})),
        source="numpy.cumsum; its transpose sums from the end",
        element=running_sum,
        word="the running sum",
        rule="the running sum of the gradient, from the end",
    )
)
