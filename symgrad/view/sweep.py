"""The reverse sweep from station to station: one rule a line.

In: a plan. Out: for each station on the way the formula of its cotangent, in terms of the stations' own values and
the cotangents of the stations that read it. Each rule is applied to a stand-in for the incoming cotangent and
simplified by itself, so that a line shows exactly local times upstream, whatever the compiler later makes of the
whole.

The cotangent of an activation's output has no line on arrays: it goes into the next, delta = (...) f'(z).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symgrad.emit.latex import weigh
from symgrad.emit.latex_naming import ACTIVATIONS
from symgrad.ir.node import Node, Variable, constant
from symgrad.ir.walk import depends, substitute, topological
from symgrad.ops.leaf import variable
from symgrad.ops.registry import partial
from symgrad.passes.differentiate import zeros
from symgrad.passes.reverse import Sweep, contribute, total, with_rules
from symgrad.view.stations import Plan, Station
from symgrad.view.tidy import tidy

_SHORT = 12  # operations of a cotangent that goes into the next line
_SPELLED = frozenset("div zdiv reciprocal".split())  # -1/x^2, not -y^2


@dataclass(slots=True, eq=False)
class Cotangent:
    """x_bar: the variable that stands for it, its formula, who reads x, and whether it has a line of its own."""

    station: Station
    stand: Node
    formula: Node
    readers: tuple[Station, ...]
    has_line: bool = True
    in_jumps: bool = False  # the output depends on x, but only through what is constant between its jumps


def sweep(plan: Plan) -> tuple[list[Cotangent], dict[Station, Node]]:
    """(cotangents from the outputs back, seeds: 1 for one scalar output, else a variable each)."""
    seeds = _seeds(plan)
    active = _active(plan)
    parts: dict[Node, list[tuple[Station, Node]]] = {}
    inlined: dict[Node, Node] = {}
    found: list[Cotangent] = []
    for s in _backwards(plan, active):
        if s.stand not in active or (s not in seeds and s.stand not in parts):
            continue
        own = _gathered(s, seeds.get(s), parts.get(s.stand, []), inlined)
        own.has_line = bool(own.readers) and (s in plan.wrt or not _goes_into_next(s, own.formula, plan))
        if not own.has_line:
            inlined[own.stand] = own.formula
        found.append(own)
        if s.body is not None:
            _hand_on(s, own.stand, active, parts, plan)
    reached = {c.station for c in found}
    above = depends([s.node for s in plan.outputs], [s.node for s in plan.wrt])
    read = {a for n in topological([s.node for s in plan.outputs]) for a in n.args if n in above}
    found += [
        Cotangent(x, _stand(x), zeros(x.node.shape), (), in_jumps=x.node in read)
        for x in dict.fromkeys(plan.wrt)
        if x not in reached
    ]
    return found, seeds


def _gathered(s: Station, seed: Node | None, parts: list[tuple[Station, Node]], inlined: dict[Node, Node]) -> Cotangent:
    """The sum of what the readers of a station hand to it, in the order in which they were written."""
    terms = [] if seed is None else [seed]
    terms += [g for _, g in reversed(parts)]
    formula = put_in(total(terms), inlined)
    return Cotangent(s, _stand(s), tidy([formula])[formula], tuple(dict.fromkeys(r for r, _ in parts)))


def put_in(node: Node, values: Mapping[Node, Node]) -> Node:
    """The node with variables replaced; costs nothing for those that it does not read."""
    found = {n: values[n] for n in topological([node]) if n in values}
    return substitute([node], found)[0] if found else node


def _backwards(plan: Plan, active: set[Node]) -> list[Station]:
    """Stations in reverse, each variable as soon as the last that reads it is done."""
    first: dict[Node, Station] = {}
    for s in plan.lines:
        for n in topological([s.body] if s.stand in active and s.body is not None else []):
            first.setdefault(n, s)
    ready: dict[Station, list[Station]] = {}
    for x in plan.stations:
        if x.body is None and x.stand in first:
            ready.setdefault(first[x.stand], []).append(x)
    return [each for s in reversed(plan.lines) for each in (s, *ready.get(s, ()))]


def _seeds(plan: Plan) -> dict[Station, Node]:
    ends = [s for s in dict.fromkeys(plan.outputs) if s.node.dtype == "real"]
    if len(plan.outputs) == 1 and ends and not ends[0].node.shape:
        return {ends[0]: constant(1.0)}
    return {s: variable(Variable(f"{s.name}_bar", "cotangent"), s.node.type) for s in ends}


def _stand(s: Station) -> Node:
    return variable(Variable(f"{s.name}_bar", "cotangent"), s.node.type)


def _active(plan: Plan) -> set[Node]:
    """Stand-ins of the real stations between the variables and the outputs, where a slope leads on."""
    live = {s.node for s in plan.wrt}
    for n in topological([s.node for s in plan.outputs]):
        if n.dtype == "real" and any(a in live and _has_slope(n, i) for i, a in enumerate(n.args)):
            live.add(n)
    return {s.stand for s in plan.stations if s.node in live and s.node.dtype == "real"}


def _has_slope(n: Node, i: int) -> bool:
    """Whether the derivative of a node by its argument i is not 0 by its kind, as that of floor is."""
    return n.op.name != "stop_gradient" and (n.op.row is None or n.op.name == "where" or partial(n, i) is not None)


def _hand_on(s: Station, bar: Node, active: set[Node], parts: dict, plan: Plan) -> None:
    """Apply the rules inside one body; its own value appears by its name."""
    assert s.body is not None
    body = with_rules([s.body])[0]
    leaves = [n for n in topological([body]) if n in active]
    given = _inside(body, bar, leaves)
    handed = [(x, given[x]) for x in leaves if x in given]
    new = tidy([*(g for _, g in handed), body])
    if new[body].op.kind != "leaf" and body.op.name not in _SPELLED:
        name = plan.naming.of(s.node)
        assert name is not None
        plan.naming.alias(new[body], name)
    for x, g in handed:
        parts.setdefault(x, []).append((s, new[g]))


def _inside(body: Node, bar: Node, leaves: list[Node]) -> dict[Node, Node]:
    """``reverse.bars`` of one body, with contributions summed in the order in which the terms were written."""
    reached = depends([body], leaves)
    live = {n for n in reached if n.dtype == "real"}
    inner = Sweep(live, {body: [bar]})
    found: dict[Node, Node] = {}
    for node in reversed(topological([body])):
        if node in live and node in inner.parts:
            found[node] = total(inner.parts[node][::-1])
            contribute(node, found[node], inner)
    return found


def _goes_into_next(s: Station, formula: Node, plan: Plan) -> bool:
    """Whether the station is an activation of one other, on arrays, and its cotangent short."""
    body = s.body
    if body is None or not body.shape or body.op.name not in ACTIVATIONS:
        return False
    return body.args[0].op.name == "variable" and weigh(formula, plan.naming) <= _SHORT
