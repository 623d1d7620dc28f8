r"""The forms in which a derivation is written: matrix, closed, elementwise.

In: a plan and what was written of it. Out: LaTeX. "matrix" is a line for each node; "closed" each gradient as one
formula in the inputs, terms that are used twice or that would make it too long named in a "where" list; "elementwise"
the lines with indices and sums, which answer why there is a transpose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.emit.latex import aligned, latex, sharing
from symgrad.emit.latex_index import Letters, element, with_index
from symgrad.emit.latex_naming import Naming
from symgrad.ir.node import Node
from symgrad.ir.types import Size
from symgrad.ir.walk import topological, variables
from symgrad.view.chain import chain
from symgrad.view.lines import Written, shown
from symgrad.view.stations import Plan
from symgrad.view.sweep import put_in
from symgrad.view.tidy import tidy

CLOSED = (200, 9)  # signs of a formula, and of a term that is named when it is read twice


def matrix(plan: Plan, written: Written) -> str:
    """The default: a node a line."""
    steps = [line for s in written.steps for line in (*s.terms, s.line)]
    return aligned([line.aligned for line in (*written.forward, *steps, *written.below)])


def closed(plan: Plan, written: Written) -> str:
    """Each gradient in the inputs; a function without gradients as it is."""
    if not plan.wrt:
        return matrix(plan, written)
    wanted = [c for x in dict.fromkeys(plan.wrt) for c in written.cotangents if c.station is x]
    full = composed(plan, written)
    own = {s.node: plan.naming.of(s.node) for s in plan.lines if s.user_name}
    own |= {
        full[c.stand]: plan.naming.of(c.stand)
        for c in written.cotangents
        if c.has_line and (c.station.user_name or c in wanted)
    }
    new = tidy([*(full[c.stand] for c in wanted), *own])
    known = {new[n]: name for n, name in own.items() if name is not None and new[n].args}
    roots = [new[full[c.stand]] for c in wanted]
    naming = Naming()
    for v in variables(roots):
        naming.put(v, plan.naming.of(v) or naming.of(v))  # type: ignore[arg-type]
    chosen = sharing(roots, naming, CLOSED, known=known)
    for n in chosen:
        naming.put(n, known[n] if n in known else naming.fresh("v"))
    lines = [_closed_line(shown(c.stand, plan.naming), root, naming) for c, root in zip(wanted, roots, strict=True)]
    given = {line.split(" &= ")[0] for line in lines}
    where = [f"{latex(n, naming)} &= {latex(n, naming, expand=True)}" for n in chosen if latex(n, naming) not in given]
    return aligned([*lines, *([r"\text{where}\quad " + where[0], *where[1:]] if where else [])])


def _closed_line(left: str, root: Node, naming: Naming) -> str:
    own = naming.of(root)
    return f"{left} &= {latex(root, naming, expand=own is not None and own.latex == left)}"


def composed(plan: Plan, written: Written) -> dict[Node, Node]:
    """Every stand-in as a node of the inputs; cotangents in their shortest form."""
    full: dict[Node, Node] = {s.stand: s.node for s in plan.stations}
    for c in written.cotangents:
        full[c.stand] = put_in(written.forms.get(c, c.formula), full)
    return full


def elementwise(plan: Plan, written: Written) -> str:
    """The lines of the matrix form with an index on every array."""
    naming = plan.naming
    avoid = _printed_sizes(plan, written)
    pairs = [(s.stand, s.body) for s in plan.lines if s.body is not None]
    for c in written.cotangents:
        pairs += [(n, n) for n in written.terms.get(c, ())]
        pairs += [(c.stand, c.formula)] if c.has_line else []
    lines = []
    naming.by_element = True
    try:
        for left, body in pairs:
            letters = Letters(naming, avoid)
            index = letters.index(left.shape)
            name = naming.of(left)
            assert name is not None
            right = element(body, index, naming, letters, expand=True).text
            lines.append(f"{with_index(name.latex, name.raised, index).text} &= {right}")
    finally:
        naming.by_element = False
    return aligned([*lines, *(line.aligned for line in written.below)])


def _printed_sizes(plan: Plan, written: Written) -> set[str]:
    """Names of sizes that stand in formulas as numbers: no index may look like them."""
    bodies = [s.body for s in plan.lines if s.body is not None]
    nodes = topological([*bodies, *(c.formula for c in written.cotangents)])
    return {name for n in nodes if n.op.name == "size" and isinstance(n["size"], Size) for name in n["size"].names()}


STYLES: Mapping[str, Callable[[Plan, Written], str]] = {
    "matrix": matrix,
    "closed": closed,
    "elementwise": elementwise,
    "chain": chain,
}
