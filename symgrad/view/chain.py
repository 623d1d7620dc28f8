r"""The chain rule written out: one replacement a line, equations numbered.

In: a plan and what was written of it. Out: LaTeX, for each variable the way from the output to it:

    dJ/dW1 = -(y - yhat) dyhat/dz3 dz3/dW1      (1)
           = delta3 dz3/da2 da2/dW1             (2)
           = delta3 W2^T da2/dz2 dz2/dW1        (3)
           = X^T delta2                         (4)

A way starts at the output, or at the last node before the variable that feeds several others: there gradients add.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from symgrad.emit.latex import aligned, latex, piece
from symgrad.emit.latex_pieces import PRODUCT, at_least, negated
from symgrad.view.lines import Written, shown
from symgrad.view.stations import Plan, Station
from symgrad.view.sweep import Cotangent

LONGEST_WAY = 30  # nodes from the first to the variable


def chain(plan: Plan, written: Written) -> str:
    """Each gradient by the chain rule; a function without gradients as it is."""
    if not plan.wrt:
        return aligned([line.aligned for line in written.forward])
    found = {c.station: c for c in written.cotangents}
    lines: list[str] = []
    for x in (c for c in written.cotangents if c.station in set(plan.wrt)):
        left = shown(x.stand, plan.naming)
        for right in dict.fromkeys(_replacements(x, found, plan, written)):
            lines.append(f"{left} &= {right} && ({len(lines) + 1})")
            left = ""
    terms = [n for named in written.terms.values() for n in named]
    where = [f"{shown(n, plan.naming)} &= {latex(n, plan.naming, expand=True)}" for n in terms]
    return aligned([*lines, *([r"\text{where}\quad " + where[0], *where[1:]] if where else [])])


def _replacements(x: Cotangent, found: dict[Station, Cotangent], plan: Plan, written: Written) -> Iterator[str]:
    """The right-hand sides, one replacement after the other."""
    way = _way(x, found)
    for here, after in pairwise(way):
        if here.has_line and after is x and len(way) > 2:
            continue
        rest = [_local(here, after, plan)] + ([_local(after, x, plan)] if after is not x else [])
        yield " ".join([_upstream(here, plan), *rest])
    if len(x.readers) > 1 and all(found[r].readers for r in x.readers):
        yield " + ".join(f"{_upstream(found[r], plan)} {_local(found[r], x, plan)}" for r in x.readers)
    yield latex(x.formula, plan.naming)
    if x in written.forms:
        yield latex(written.forms[x], plan.naming)


def _way(x: Cotangent, found: dict[Station, Cotangent]) -> list[Cotangent]:
    """From the first node behind the output, or behind which gradients add, to x."""
    way = [x]
    while len(way[-1].readers) == 1 and found[way[-1].readers[0]].readers:
        way.append(found[way[-1].readers[0]])
        if len(way) > LONGEST_WAY:
            break
    return way[::-1]


def _upstream(c: Cotangent, plan: Plan) -> str:
    """A cotangent by its name, or as its formula where it has no line of its own."""
    if c.has_line:
        return shown(c.stand, plan.naming)
    formula = piece(c.formula, plan.naming)
    return f"-{at_least(negated(formula), PRODUCT)}" if formula.negative else at_least(formula, PRODUCT)


def _local(y: Cotangent, x: Cotangent, plan: Plan) -> str:
    above, below = shown(y.station.node, plan.naming), shown(x.station.node, plan.naming)
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"
