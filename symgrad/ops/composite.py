"""Functions of a whole axis that a reader knows by name, and how they are computed.

A composite is one node for the derivation (its rule is the hand form) and is expanded into primitives,
in its stable form, before code is made: ``lower`` is that expansion.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.ir.node import Node, Op, build, constant, register
from symgrad.ir.types import ArrayType
from symgrad.ops.reduce import Axes, _shift, dropped, spread
from symgrad.ops.reference import special
from symgrad.ops.registry import zdiv, zmul
from symgrad.ops.shape import broadcast, reshape


def _sum(x: Node, axes: Axes) -> Node:
    return build("sum", x, axes=axes)


def finite_max(x: Node, axes: Axes) -> Node:
    """The largest element beside x, 0 where that is not finite: the shift of log-sum-exp."""
    top = spread(build("max_reduce", x, axes=axes, lowest=True), x, axes)
    return build("where", build("abs", top) < constant(np.inf), top, constant(0.0))


def expand_logsumexp(x: Node, axes: Axes) -> Node:
    """m + log(sum(exp(x - m))) with m the largest element."""
    top = finite_max(x, axes)
    total = _sum(build("exp", x - top), axes)
    return reshape(top, total.shape) + build("log", total)


def expand_softmax(x: Node, axes: Axes) -> Node:
    """exp(x - m) / sum(exp(x - m)), ties of infinities sharing; 0 where every element is -inf."""
    top = spread(build("max_reduce", x, axes=axes, lowest=True), x, axes)
    infinite = build("equal", build("abs", top), constant(np.inf))
    tied = build(
        "where",
        build("equal", x, top),
        build("where", top > constant(0.0), constant(1.0), constant(0.0)),
        constant(0.0),
    )
    weights = build("where", infinite, tied, build("exp", x - finite_max(x, axes)))  # the exp of log-softmax
    return zdiv(weights, spread(_sum(weights, axes), x, axes))


def expand_log_softmax(x: Node, axes: Axes) -> Node:
    """x - m - log(sum(exp(x - m)))."""
    shifted = x - finite_max(x, axes)
    return shifted - spread(build("log", _sum(build("exp", shifted), axes)), x, axes)


def expand_norm(x: Node, axes: Axes) -> Node:
    """m sqrt(sum((x/m)^2)) with m the largest magnitude: no overflow, no underflow."""
    top = build("max_reduce", build("abs", x), axes=axes, lowest=True)
    usable = build("logical_and", top > constant(0.0), top < constant(np.inf))
    scale = build("where", usable, top, constant(1.0))
    ratio = x / spread(scale, x, axes)
    return scale * build("sqrt", _sum(build("square", ratio), axes))


def _reduced(t: ArrayType, axes: Axes) -> ArrayType:
    return ArrayType(dropped(t.shape, axes), t.dtype)


def _as_quotient(n: Node) -> Node:
    """e^x over its sum."""
    (x,), axes = n.args, n["axes"]
    return build("exp", x) / spread(_sum(build("exp", x), axes), x, axes)


def _as_difference(n: Node) -> Node:
    """x minus the logarithm of the sum of e^x."""
    (x,), axes = n.args, n["axes"]
    return x - spread(build("log", _sum(build("exp", x), axes)), x, axes)


def _back(y_bar: Node, x: Node, axes: Axes) -> Node:
    return broadcast(spread(y_bar, x, axes), x.shape)


def _slope_jvp(slope: Any) -> Any:
    """The pushforward of a reduction with a known gradient: sum of tangent times gradient."""

    def jvp(xs_dot: tuple, y: Node, x: Node, axes: Axes) -> Node:
        return _sum(zmul(xs_dot[0], slope(y, x, axes)), _shift(xs_dot[0], x, axes))

    return jvp


def _soft(y: Node, x: Node, axes: Axes) -> Node:
    return build("softmax", x, axes=axes)


def _unit(y: Node, x: Node, axes: Axes) -> Node:
    return zdiv(x, spread(y, x, axes))


def _inner(a: Node, p: Node, x: Node, axes: Axes) -> Node:
    """sum(a p) over the axes, beside a (which may have extra leading axes)."""
    moved = _shift(a, x, axes)
    return spread(_sum(a * p, moved), a, moved)


def _softmax_vjp(y_bar: Node, y: Node, x: Node, axes: Axes) -> tuple[Node]:
    """Maths:  x_bar = p (y_bar - sum(y_bar p)), the transpose of diag(p) - p p^T."""
    return (y * (y_bar - _inner(y_bar, y, x, axes)),)


def _softmax_jvp(xs_dot: tuple, y: Node, x: Node, axes: Axes) -> Node:
    return y * (xs_dot[0] - _inner(xs_dot[0], y, x, axes))


def _log_softmax_vjp(y_bar: Node, y: Node, x: Node, axes: Axes) -> tuple[Node]:
    """Maths:  x_bar = y_bar - p sum(y_bar), the transpose of I - 1 p^T."""
    return (y_bar - _soft(y, x, axes) * spread(_sum(y_bar, axes), x, axes),)


def _log_softmax_jvp(xs_dot: tuple, y: Node, x: Node, axes: Axes) -> Node:
    return xs_dot[0] - _inner(xs_dot[0], _soft(y, x, axes), x, axes)


_SAMPLES = ((((4,),), {"axes": (0,)}), (((3, 4),), {"axes": (1,)}), (((3, 4),), {"axes": (0, 1)}))
register(
    Op(
        "logsumexp",
        "composite",
        _reduced,
        vjp=lambda y_bar, y, x, axes: (_back(y_bar, x, axes) * _soft(y, x, axes),),
        jvp=_slope_jvp(_soft),
        reference=lambda x, axes: special.logsumexp(x, axis=axes),
        lower=expand_logsumexp,
        latex=lambda x, axes: rf"\ln \sum e^{{{x}}}",
        samples=_SAMPLES,
        source="gradient: softmax",
        definition=lambda n: build("log", _sum(build("exp", n.args[0]), n["axes"])),
        traits=frozenset({"activation"}),
    )
)
register(
    Op(
        "softmax",
        "composite",
        lambda t, axes: t,
        vjp=_softmax_vjp,
        jvp=_softmax_jvp,
        reference=lambda x, axes: special.softmax(x, axis=axes) if np.size(x) else np.asarray(x),
        lower=expand_softmax,
        latex=lambda x, axes: rf"\operatorname{{softmax}}\left({x}\right)",
        samples=_SAMPLES,
        source="Jacobian diag(p) - p p^T",
        definition=_as_quotient,
        traits=frozenset({"activation"}),
    )
)
register(
    Op(
        "log_softmax",
        "composite",
        lambda t, axes: t,
        vjp=_log_softmax_vjp,
        jvp=_log_softmax_jvp,
        reference=lambda x, axes: special.log_softmax(x, axis=axes),
        lower=expand_log_softmax,
        latex=lambda x, axes: rf"\ln\operatorname{{softmax}}\left({x}\right)",
        samples=_SAMPLES,
        source="Jacobian I - 1 p^T",
        definition=_as_difference,
        traits=frozenset({"activation"}),
    )
)
register(
    Op(
        "norm",
        "composite",
        _reduced,
        vjp=lambda y_bar, y, x, axes: (_back(y_bar, x, axes) * _unit(y, x, axes),),
        jvp=_slope_jvp(_unit),
        reference=lambda x, axes: np.sqrt(np.sum(np.square(x), axis=axes)),
        lower=expand_norm,
        latex=lambda x, axes: rf"\left\lVert {x} \right\rVert",
        samples=_SAMPLES,
        source="Euclidean; gradient x/|x|, 0 at the origin (minimum norm)",
        definition=lambda n: build("sqrt", _sum(build("square", n.args[0]), n["axes"])),
        word="the norm",
    )
)
