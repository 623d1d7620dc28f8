"""The forward sweep: tangents from variables to outputs.

A tangent has its primal's shape behind any number of extra leading axes, one position for each direction: a
Jacobian is the sweep of an identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.errors import NotDifferentiableError
from symgrad.ir.node import Node
from symgrad.ir.show import described
from symgrad.ir.types import Shape
from symgrad.ir.walk import topological
from symgrad.ops.registry import partial
from symgrad.ops.shape import broadcast, reshape
from symgrad.passes.reverse import choose, times, total

# Ops that fill: tangents are 0 of what was filled in.
FILLING = frozenset("pad concatenate scatter_add overlap_add diagonal_matrix".split())


def forward(outputs: Sequence[Node], tangents: Mapping[Node, Node], sparse: bool = False) -> list[Node | None]:
    """Tangents of the outputs; None where there is no dependence.

    ``sparse`` tangents (an identity) are 0 of what does not move: products are guarded from the start.

    Maths:  y_dot = sum over arguments x of (dy/dx) x_dot
    """
    dots: dict[Node, Node | None] = dict(tangents)
    guarded: set[Node] = set(tangents) if sparse else set()
    for node in topological(outputs, stop=tangents):
        if node in dots:
            continue
        given = tuple(dots.get(a) for a in node.args)
        active = any(d is not None for d in given) and node.dtype == "real"
        dots[node] = push(node, given, any(a in guarded for a in node.args)) if active else None
        if "chooses" in node.op.traits or node.op.name in FILLING or any(a in guarded for a in node.args):
            guarded.add(node)
    return [dots[n] for n in outputs]


def push(node: Node, xs_dot: tuple, guard: bool) -> Node | None:
    """One node's rule."""
    if node.op.jvp is not None:
        return node.op.jvp(xs_dot, node, *node.args, **node.params)
    if node.op.row is None:
        raise NotDifferentiableError(
            f"{node.op.name} has no derivative", ("node", described(node)), fix="use sg.stop_gradient"
        )
    front = next(lead(d, x) for d, x in zip(xs_dot, node.args, strict=True) if d is not None)
    terms = []
    for i, (x, x_dot) in enumerate(zip(node.args, xs_dot, strict=True)):
        if x_dot is None:
            continue
        aligned = align(x_dot, x, node)
        if node.op.name == "where":
            terms.append(choose(node.args[0], aligned, 0.0) if i == 1 else choose(node.args[0], 0.0, aligned))
        elif (p := partial(node, i)) is not None:
            terms.append(times(aligned, p, guard))
    return grown(total(terms), front + node.shape) if terms else None


def lead(x_dot: Node, x: Node) -> Shape:
    """The leading axes of a tangent."""
    return x_dot.shape[: x_dot.type.rank - x.type.rank]


def align(x_dot: Node, x: Node, y: Node) -> Node:
    """Room for the axes that broadcasting puts between the leading axes and the primal's own."""
    front = lead(x_dot, x)
    return reshape(x_dot, front + (1,) * (y.type.rank - x.type.rank) + x.shape) if front else x_dot


def grown(y_dot: Node, shape: Shape) -> Node:
    """A tangent repeated to its full shape."""
    return broadcast(y_dot, shape)
