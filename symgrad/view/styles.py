r"""The forms in which a derivation is written: matrix, closed, elementwise.

In: a plan and what was written of it. Out: LaTeX. "matrix" is a line for each node; "closed" each gradient as one
formula in the inputs, terms that are used twice or that would make it too long named in a "where" list; "elementwise"
the lines with indices and sums, which answer why there is a transpose.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence

from symgrad.emit.latex import aligned, latex, sharing
from symgrad.emit.latex_index import Letters, element, with_index
from symgrad.emit.latex_names import Name
from symgrad.emit.latex_naming import Naming
from symgrad.ir.element import Index
from symgrad.ir.node import Node, build
from symgrad.ir.types import Size
from symgrad.ir.walk import topological, variables
from symgrad.passes.names import strip
from symgrad.view.chain import chain
from symgrad.view.lines import Written, shown
from symgrad.view.stations import Plan
from symgrad.view.sweep import put_in
from symgrad.view.tidy import tidy

_ROUNDS, _MANY = 4, 1000  # of putting together again, in a derivation of so many stations at most
CLOSED = (200, 6)  # signs of a formula, and of a term that is named when it is read twice


def matrix(plan: Plan, written: Written) -> str:
    """The default: a node a line."""
    steps = [line for s in written.steps for line in (*s.terms, s.line)]
    return aligned([line.aligned for line in (*written.forward, *steps, *written.below)])


def closed(plan: Plan, written: Written) -> str:
    """Each gradient in the inputs; a function without gradients as it is."""
    if not plan.wrt:
        return matrix(plan, written)
    wanted = [c for x in dict.fromkeys(plan.wrt) for c in written.cotangents if c.station is x]
    names = {s.stand: plan.naming.of(s.node) for s in plan.lines if s.user_name}
    named = [c for c in written.cotangents if c.has_line and c.station.user_name]
    names |= {c.stand: plan.naming.of(c.stand) for c in (*wanted, *named) if c.has_line}
    used = {stand: name for stand, name in names.items() if name is not None}
    rounds = _ROUNDS if len(plan.stations) <= _MANY else 1
    for _ in range(rounds):  # what is read once after all goes into the formula that reads it
        roots, known = _put_together(plan, written, [c.stand for c in wanted], used)
        naming = _names(plan, roots)
        chosen = sharing(roots, naming, CLOSED, known=known)
        shared = set(chosen)
        left = {stand: used[stand] for n, stand in known.items() if n in shared}
        if len(left) == len(used):
            break
        used = left
    for n in sorted(chosen, key=lambda n: n not in known):
        naming.put(n, names[known[n]] or naming.part() if n in known else naming.part())
    lines = [_closed_line(shown(c.stand, plan.naming), root, naming) for c, root in zip(wanted, roots, strict=True)]
    given = {line.split(" &= ")[0] for line in lines}
    where = [f"{latex(n, naming)} &= {latex(n, naming, expand=True)}" for n in chosen if latex(n, naming) not in given]
    return aligned([*lines, *([r"\text{where}\quad " + where[0], *where[1:]] if where else [])])


def _names(plan: Plan, roots: Sequence[Node]) -> Naming:
    """The names of variables, as the plan has them."""
    naming = Naming()
    for v in variables(roots):
        naming.put(v, plan.naming.of(v) or naming.of(v))  # type: ignore[arg-type]
    return naming


def _put_together(
    plan: Plan, written: Written, ends: Sequence[Node], whole: Mapping[Node, Name]
) -> tuple[list[Node], dict[Node, Node]]:
    """(formulas in the inputs, which of their parts is which of the ``whole``, that rules keep together)."""
    full = composed(plan, written, whole)
    new = tidy(list(full.values()))
    bare, _, _ = strip([new[full[stand]] for stand in (*ends, *whole)])
    parts = zip(bare[len(ends) :], whole, strict=True)
    return bare[: len(ends)], {n: stand for n, stand in reversed(list(parts)) if n.args}


def _closed_line(left: str, root: Node, naming: Naming) -> str:
    own = naming.of(root)
    return f"{left} &= {latex(root, naming, expand=own is not None and own.latex == left)}"


def composed(plan: Plan, written: Written, whole: Container[Node] = ()) -> dict[Node, Node]:
    """Every stand-in as a node of the inputs; cotangents in their shortest form.

    Those in ``whole`` are marked, so that rules keep them together.
    """
    full: dict[Node, Node] = {}
    for s in plan.stations:
        full[s.stand] = _marked(put_in(s.body, full), s.stand in whole) if s.body is not None else s.node
    for c in written.cotangents:
        full[c.stand] = _marked(put_in(written.forms.get(c, c.formula), full), c.stand in whole)
    return full


def _marked(node: Node, whole: bool) -> Node:
    return build("named", node, name="whole", latex=None) if whole and node.args else node


def elementwise(plan: Plan, written: Written) -> str:
    """The lines of the matrix form with an index on every array."""
    naming = plan.naming
    avoid = _printed_sizes(plan, written)
    repeated, same = _repeated(plan, written), {s.stand: names for s, names in plan.same.items()}
    pairs = [(s.stand, s.body) for s in plan.lines if s.body is not None]
    pairs += [(c.stand, c.formula) for c in written.cotangents if c.has_line]
    lines = []
    naming.by_element = True
    try:
        for left, body in _with_terms(pairs, written):
            index, right = _elements(left, body, naming, avoid, repeated.get(left, ()))
            name = naming.of(left)
            assert name is not None
            shown_left = with_index(name.latex, name.raised, index).text
            lines.append(f"{shown_left} &= {right}")
            lines += [f"{with_index(n.latex, n.raised, index).text} &= {shown_left}" for n in same.get(left, ())]
    finally:
        naming.by_element = False
    return aligned([*lines, *(line.aligned for line in written.below)])


def _elements(left: Node, body: Node, naming: Naming, avoid: set[str], repeated: Container[int]) -> tuple[Index, str]:
    """(the index of an element, its formula); no letter looks like a size that the formula says."""
    letters = Letters(naming, avoid)
    index = letters.index(left.shape, repeated)
    right = element(body, index, naming, letters, expand=True).text
    if letters.mistaken - avoid:
        return _elements(left, body, naming, avoid | letters.mistaken, repeated)
    return index, right


def _with_terms(pairs: Sequence[tuple[Node, Node]], written: Written) -> Iterator[tuple[Node, Node]]:
    """Equations, and before the first that reads a named term that of the term."""
    waiting = dict.fromkeys(n for nodes in written.terms.values() for n in nodes)
    for left, body in pairs:
        for n in topological([body]) if waiting else ():
            if waiting.pop(n, 0) is None:
                yield n, n
        yield left, body


def _repeated(plan: Plan, written: Written) -> dict[Node, set[int]]:
    """Axes of length 1 along which a station is repeated somewhere: no letter runs there, nor in its cotangent."""
    found: dict[Node, set[int]] = {}
    bodies = [s.body for s in plan.lines if s.body is not None]
    for n in topological([*bodies, *(c.formula for c in written.cotangents)]):
        for a in n.args if n.op.kind == "elementwise" or n.op.name == "broadcast" else ():
            offset = n.type.rank - a.type.rank
            axes = {i for i, m in enumerate(a.shape) if m == 1 != n.shape[i + offset]}
            if axes and a.op.name == "variable":
                found.setdefault(a, set()).update(axes)
    return found | {c.stand: found.get(c.stand, set()) | found.get(c.station.stand, set()) for c in written.cotangents}


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
