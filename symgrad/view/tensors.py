r"""Tensors as LaTeX, one or several: what ``sg.latex`` and notebooks show.

In: nodes, in a list, in rows or under names. Out: a formula, or aligned lines where named, shared or very large parts
have lines of their own. Noise is left out and like terms come together, as in derivations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.emit.latex import aligned, latex, sharing
from symgrad.emit.latex_names import automatic
from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_pieces import fenced
from symgrad.frontend.tensor import HOOKS
from symgrad.ir.node import Node
from symgrad.ir.walk import topological, variables
from symgrad.view.tidy import as_written


def latex_of(node: Node) -> str:
    r"""A tensor as LaTeX.

    >>> from symgrad.frontend.declare import named, symbols
    >>> x, y, z = symbols("x y z")
    >>> print(latex_of((named("q", x + y) * z).node))
    \begin{aligned}
    q &= x + y \\
    &= q z
    \end{aligned}
    """
    lines, (formula,) = _formulas([node])
    return aligned([*lines, f"&= {formula}"]) if lines else formula


def latex_of_list(nodes: Sequence[Node]) -> str:
    r"""Several as a tuple.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> latex_of_list([(x * y).node, (x / y).node])
    '\\left(x y,\\ \\frac{x}{y}\\right)'
    """
    lines, formulas = _formulas(nodes)
    whole = fenced(r",\ ".join(formulas))
    return aligned([*lines, f"&= {whole}"]) if lines else whole


def latex_of_rows(rows: Sequence[Sequence[Node]]) -> str:
    r"""Rows of equal length as a matrix: the Hessian by several variables is one of blocks."""
    lines, formulas = _formulas([n for row in rows for n in row])
    rest = iter(formulas)
    body = r" \\ ".join(" & ".join(next(rest) for _ in row) for row in rows)
    whole = rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
    return aligned([*lines, f"&= {whole}"]) if lines else whole


def latex_of_names(nodes: Mapping[str, Node]) -> str:
    """Each on a line, under its name."""
    lines, formulas = _formulas(list(nodes.values()))
    lefts = (automatic(name, n.type.rank).latex for name, n in nodes.items())
    return aligned([*lines, *(f"{left} &= {formula}" for left, formula in zip(lefts, formulas, strict=True))])


def _formulas(nodes: Sequence[Node]) -> tuple[list[str], list[str]]:
    """(lines of named and shared parts, a formula for each node)."""
    new = as_written(nodes)
    roots = [new[n] for n in nodes]
    naming = Naming()
    for v in variables(roots):
        naming.of(v)
    order = topological(roots)
    given = [n for n in order if n.op.name == "named" and n not in roots]
    for n in given:
        naming.give(n, n["name"], n["latex"])
    chosen = [n for n in sharing([*(n.args[0] for n in given), *roots], naming, stop=given) if n not in roots]
    for n in chosen:
        naming.put(n, naming.part())
    lined = {*given, *chosen}
    lines = [f"{latex(n, naming)} &= {latex(n, naming, expand=True)}" for n in order if n in lined]
    return lines, [latex(n, naming, expand=True) for n in roots]


HOOKS["latex"] = lambda tensor: f"$$\n{latex_of(tensor.node)}\n$$"  # how a notebook shows a tensor
