"""The reverse sweep: from cotangents of outputs to cotangents of what they depend on.

Each node's rule is applied once, in reverse topological order; contributions are summed in the order in which
they arise; broadcasting is undone here. Where a value may not be taken (below ``where``, max, an index)
products are guarded: 0 times anything is 0 there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.errors import NotDifferentiableError
from symgrad.ir.node import Node, build, constant, is_constant
from symgrad.ir.show import described
from symgrad.ir.types import Shape
from symgrad.ir.walk import depends, topological, transform
from symgrad.ops.registry import partial, zdiv, zmul
from symgrad.ops.shape import broadcast, reshape, unbroadcast
from symgrad.passes.branch import ALWAYS, Branch, joined, passed, pull_product, selected


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep knows on its way: the nodes that depend on a variable, contributions to their cotangents, the nodes
    behind a choice, and (where it is to be followed) the branch in which a node is taken."""

    active: set[Node]
    parts: dict[Node, list[Node]]
    guarded: set[Node] = field(default_factory=set)
    taken: dict[Node, Branch] | None = None


def bars(seeds: Mapping[Node, Node], wrt: Sequence[Node]) -> dict[Node, Node]:
    """Cotangents of every node between the outputs and ``wrt``, from the outputs back.

    Maths:  x_bar = sum over uses y of (dy/dx)^T y_bar
    """
    active = {n for n in depends(seeds, wrt) if n.dtype == "real"}
    sweep = Sweep(active, {n: [s] for n, s in seeds.items()}, taken=dict.fromkeys(seeds, ALWAYS))
    found: dict[Node, Node] = {}
    for node in reversed(topological(seeds)):
        if node in active and node in sweep.parts:
            found[node] = total(sweep.parts[node])
            contribute(node, found[node], sweep)
    return found


def reverse(seeds: Mapping[Node, Node], wrt: Sequence[Node]) -> list[Node | None]:
    """Cotangents of ``wrt``, given those of some outputs; None where there is no dependence."""
    found = bars(seeds, wrt)
    return [found.get(x) for x in wrt]


def contribute(node: Node, y_bar: Node, sweep: Sweep) -> None:
    """Hand a node's cotangent to its active arguments."""
    if not any(a in sweep.active for a in node.args):
        return
    branch = sweep.taken[node] if sweep.taken is not None else ALWAYS
    mask = node in sweep.guarded or "chooses" in node.op.traits
    for i, (x, x_bar) in enumerate(zip(node.args, pull(node, y_bar, node in sweep.guarded, branch), strict=True)):
        if x not in sweep.active or x_bar is None:
            continue
        sweep.parts.setdefault(x, []).append(fit(x_bar, x.shape))
        if mask:
            sweep.guarded.add(x)
        if sweep.taken is not None:
            sweep.taken[x] = joined(sweep.taken.get(x, ()), passed(node, i, branch))


def pull(node: Node, y_bar: Node, guard: bool, branch: Branch = ALWAYS) -> Sequence[Node | None]:
    """One node's rule: a cotangent for each argument (of the result's shape where it is element-wise)."""
    if node.op.vjp is not None:
        return _pull_whole(node, y_bar, guard, branch)
    if node.op.row is None:
        raise NotDifferentiableError(
            f"{node.op.name} has no derivative", ("node", described(node)), fix="use sg.stop_gradient"
        )
    if node.op.name == "where":
        c = node.args[0]
        return None, choose(c, y_bar, 0.0), choose(c, 0.0, y_bar)
    if node.op.name == "div" and not guard:
        b = node.args[1]
        return y_bar / b, negative(times(y_bar, node, False) / b)
    return [None if p is None else times(y_bar, p, guard) for p in (partial(node, i) for i in range(len(node.args)))]


def _pull_whole(node: Node, y_bar: Node, guard: bool, branch: Branch) -> Sequence[Node | None]:
    """The rule of an op on whole arrays; where it is not taken, nothing is multiplied by what is not finite."""
    if node.op.name == "einsum" and branch != ALWAYS:
        return pull_product(node, y_bar, branch)
    assert node.op.vjp is not None
    bars: Sequence[Node | None] = node.op.vjp(y_bar, node, *node.args, **node.params)
    if guard and node.op.kind in ("reduce", "composite"):
        bars = [_masked(bar) for bar in bars]
    if node.op.kind != "composite":
        return bars
    return [bar if bar is None else selected(bar, passed(node, i, branch)) for i, bar in enumerate(bars)]


def _masked(bar: Node | None) -> Node | None:
    """A rule's product of the cotangent with a slope, where the cotangent may be that of what is not taken."""
    return zmul(*bar.args) if bar is not None and bar.op.name == "mul" else bar


def times(g: Node, p: Node, guard: bool) -> Node:
    """g*p in the form a person would write: signs in front, no factor 1, quotients as quotients, gates as gates."""
    if is_constant(p, 1.0):
        return g
    if is_constant(g, 1.0):
        return p
    if is_constant(p, -1.0):
        return negative(g)
    if p.op.name == "neg":
        return negative(times(g, p.args[0], guard))
    if g.op.name == "neg":
        return negative(times(g.args[0], p, guard))
    if p.op.name == "relu_slope":
        return build("gate", g, p.args[0])
    if p.op.name == "reciprocal":
        return zdiv(g, p.args[0]) if guard else g / p.args[0]
    if "mask" in p.op.traits or (guard and not _is_number(p)):
        return zmul(g, p)
    return g * p


def _is_number(p: Node) -> bool:
    """A constant that makes 0 of 0."""
    return p.op.name == "constant" and (p.type.rank > 0 or math.isfinite(p["value"]))


def negative(x: Node) -> Node:
    """-x; two signs cancel."""
    return x.args[0] if x.op.name == "neg" else constant(-x["value"]) if is_constant(x) else -x


def choose(condition: Node, yes: Node | float, no: Node | float) -> Node:
    """A select between a cotangent and 0."""
    a, b = (constant(v) if isinstance(v, float) else v for v in (yes, no))
    return build("where", condition, a, b)


def total(parts: Sequence[Node]) -> Node:
    """The sum of contributions; a subtracted one stays a subtraction, a common factor stands in front."""
    result = parts[0]
    for part in parts[1:]:
        result = _joined(result, part)
    return result


def _joined(a: Node, b: Node) -> Node:
    """a + b."""
    factors = []
    minus = b.op.name == "neg"
    term = b.args[0] if minus else b
    while a.op.name == "mul" and term.op.name == "mul" and a.args[0] is term.args[0] and a.shape == term.shape:
        factors.append(a.args[0])
        a, term = a.args[1], term.args[1]
        if term.op.name == "neg":
            minus, term = not minus, term.args[0]
    if minus and a.op.name == "sigmoid":  # the slope of a logistic loss: no digits lost where both are near 1
        result = build("sigmoid_minus", a.args[0], term)
    else:
        result = a - term if minus else a + term
    for factor in reversed(factors):
        result = factor * result
    return result


def fit(g: Node, shape: Shape) -> Node:
    """A contribution in its variable's shape: repeated or summed along broadcast axes."""
    if g.shape == shape:
        return g
    if g.type.rank < len(shape):
        g = reshape(g, (1,) * (len(shape) - g.type.rank) + g.shape)
    offset = g.type.rank - len(shape)
    wide = g.shape[:offset] + tuple(n if m == 1 else m for m, n in zip(g.shape[offset:], shape, strict=True))
    return unbroadcast(broadcast(g, wide), shape)


def with_rules(outputs: Sequence[Node]) -> list[Node]:
    """Nodes that have an expansion but no rule are expanded."""

    def expanded(node: Node) -> Node:
        if node.op.vjp is not None or node.op.row is not None or node.op.lower is None:
            return node
        return with_rules([node.op.lower(*node.args, **node.params)])[0]

    new = transform(outputs, expanded)
    return [new[n] for n in outputs]
