"""What a cotangent comes to when those before it are put in, where that is short.

In: the cotangents of a sweep. Out: for some of them a second formula without upstream: dL/dz = dL/da a(1-a) = a - y.
A form that is hardly longer than the line itself is shown; a long one is not, and nothing is put into another beyond
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from symgrad.emit.latex import weigh
from symgrad.emit.latex_patterns import label_axis
from symgrad.ir.node import Node
from symgrad.ir.walk import topological
from symgrad.view.cancel import Cancel
from symgrad.view.monomials import product
from symgrad.view.stations import Plan
from symgrad.view.sweep import Cotangent, put_in
from symgrad.view.tidy import tidy, upstream_first

MORE = 2  # signs that a form may have more than its line; a scalar's one more
LONGEST = 12  # signs of a form that is shown
CARRIED = 24  # signs of one that is put into the next


def canceller(plan: Plan) -> Cancel:
    """What brings the formulas of a plan to lowest terms."""
    return Cancel(_values(plan), one_hot_rows(plan))


def _values(plan: Plan) -> dict[Node, Node]:
    return {s.body: s.stand for s in plan.lines if s.body is not None and s.body.args}


def short_forms(found: Sequence[Cotangent], plan: Plan, cancel: Cancel) -> Iterator[tuple[Cotangent, Node]]:
    """(cotangent, its form) for those that have one."""
    values = _values(plan)
    carried: dict[Node, Node] = {}
    same: dict[Node, Node] = {}  # cotangents that are another one, or a number times another one
    stands = {c.stand for c in found}
    for c in found:
        if not c.has_line:
            continue
        upstream = [n for n in topological([c.formula]) if n in stands]
        if len(upstream) == 1 and set(product(c.formula).powers) == set(upstream):
            same[c.stand] = put_in(c.formula, same)
        if not all(n in carried for n in upstream):
            continue
        form = cancel(_put_together(upstream_first(put_in(c.formula, same)), carried, values))
        if not upstream and _sums(form) >= _sums(c.formula):
            form = c.formula
        weight = weigh(form, plan.naming)
        if weight <= CARRIED:
            carried[c.stand] = form
        if form is not c.formula and weight <= min(
            weigh(c.formula, plan.naming) + MORE + (not c.formula.shape), LONGEST
        ):
            yield c, form


def reduced(found: Sequence[Cotangent], plan: Plan, cancel: Cancel) -> None:
    """Bring every term of every line to lowest terms where that is shorter; what stands between + and - stays apart."""

    def shorter(node: Node) -> Node:
        weight = weigh(node, plan.naming)
        form = cancel(node) if weight <= CARRIED else node
        return form if weigh(form, plan.naming) < weight else node

    for c in found:
        terms = _terms(c.formula)
        change = {t: shorter(t) for t in terms}
        changed = put_in(c.formula, {t: new for t, new in change.items() if t is not new})
        c.formula = changed if changed is c.formula else tidy([changed])[changed]


def _terms(node: Node) -> list[Node]:
    terms, stack = [], [node]
    while stack:
        n = stack.pop()
        if n.op.name in ("add", "sub", "neg", "broadcast"):
            stack.extend(reversed(n.args))
        else:
            terms.append(n)
    return terms


def _sums(node: Node) -> int:
    return sum(n.op.kind in ("reduce", "contract") for n in topological([node]))


def _put_together(formula: Node, carried: dict[Node, Node], values: dict[Node, Node]) -> Node:
    whole = put_in(formula, carried)
    return put_in(tidy([whole])[whole], values)


def one_hot_rows(plan: Plan) -> Callable[[Node, int], bool]:
    """Whose rows along an axis hold a single 1: the comparison of labels with positions, or a station that is one."""
    bodies = {s.stand: s.body for s in plan.lines}

    def test(x: Node, axis: int) -> bool:
        body = bodies.get(x, x)
        return body is not None and label_axis(body) == axis

    return test
