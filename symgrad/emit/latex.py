r"""Nodes as LaTeX, as a person writes them on a blackboard.

In: nodes, and a ``Naming`` that says which of them have names. Out: formulas with as few parentheses as precedence
allows. Walks are iterative. Nothing expands: ``sharing`` chooses nodes that get a name and a line of their own, where
a part is used twice or a formula grows beyond a budget, so that a DAG of 2^200 paths prints in linear time.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from symgrad.emit.latex_arrays import ARRAYS
from symgrad.emit.latex_choices import CHOICES
from symgrad.emit.latex_contractions import CONTRACTIONS
from symgrad.emit.latex_literals import LITERALS
from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_patterns import parts
from symgrad.emit.latex_pieces import Piece, named_piece
from symgrad.emit.latex_places import PLACES
from symgrad.emit.latex_random import RANDOM
from symgrad.emit.latex_scalars import SCALARS
from symgrad.emit.latex_spread import Spread
from symgrad.emit.latex_templates import by_template
from symgrad.emit.latex_windows import WINDOWS
from symgrad.ir.node import Node
from symgrad.ir.walk import topological

BUDGET = 60  # signs in one line
SHARED = 3  # signs that are worth a name when they are used twice
_SIGNLESS = ("neg", "window", "pad")  # what is no sign of its own in a formula
_PRINTERS = {**SCALARS, **CHOICES, **LITERALS, **ARRAYS, **CONTRACTIONS, **PLACES, **RANDOM, **WINDOWS}


def latex(node: Node, naming: Naming | None = None, expand: bool = False) -> str:
    """The formula of a node; named parts appear by name, the node itself too unless ``expand``.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y, z = symbols("x y z")
    >>> latex(((x + y) * z).node)
    '(x + y) z'
    """
    return piece(node, naming or Naming(), expand).text


def piece(node: Node, naming: Naming, expand: bool = False) -> Piece:
    """``latex`` as a piece, to be joined to others."""
    done: dict[Node, Piece] = {}
    spread = Spread(naming)
    stack: list[Node] = [node]
    while stack:
        n = stack[-1]
        if n in done:
            stack.pop()
            continue
        name = None if expand and n is node and n.args else naming.of(n)
        if name is not None:
            done[n] = named_piece(name.latex, name.raised)
            continue
        inner = parts(n, naming)
        missing = [a for a in inner if a not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        done[n] = write(n, spread.beside(n, inner, [done[a] for a in inner]), naming)
        spread.note(n)
    return spread.whole(node, done[node])


def write(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """One op on printed arguments."""
    printer = _PRINTERS.get(node.op.name)
    return printer(node, args, naming) if printer is not None else by_template(node, args)


def sharing(
    roots: Sequence[Node],
    naming: Naming,
    limits: tuple[int, int] = (BUDGET, SHARED),
    stop: Iterable[Node] = (),
    known: Container[Node] = (),
) -> list[Node]:
    """The nodes that should have a name of their own, arguments first, so that every line stays short.

    Maths:  with limits (m, k) a node is chosen if it has more than m signs, or k signs and is read twice;
            one that has a name already (``known``) if it is read twice. ``stop`` nodes are leaves
    """
    budget, shared = limits
    ends_here = set(stop)
    uses: dict[Node, int] = {}
    order = topological(roots, stop=ends_here)
    for n in order:
        if n not in ends_here:
            for a in n.args:
                uses[a] = uses.get(a, 0) + 1
    for r in roots:
        uses[r] = uses.get(r, 0) + 1
    ends = set(roots)
    weight: dict[Node, int] = {}
    chosen: list[Node] = []
    for n in order:
        if n in ends_here or not n.args or naming.of(n) is not None:
            weight[n] = 1 if n.op.kind == "leaf" else 0
            continue
        weight[n] = _is_sign(n) + sum(weight[a] for a in n.args)
        twice = uses[n] > 1
        heavy = _is_sign(n) and (weight[n] > budget or (twice and weight[n] >= shared))
        if (heavy and (twice or n not in ends)) or (twice and n in known):
            chosen.append(n)
            weight[n] = 1
    return chosen


def _is_sign(n: Node) -> bool:
    return n.op.name not in _SIGNLESS and "silent" not in n.op.traits


def weigh(node: Node, naming: Naming, limit: int = 10**6) -> int:
    """How many signs the written formula has, named parts counting as one; never more than ``limit``."""
    weight: dict[Node, int] = {}
    for n in topological([node]):
        if not n.args or (naming.of(n) is not None and n is not node):
            weight[n] = 1
        else:
            weight[n] = min(limit, _is_sign(n) + sum(weight[a] for a in n.args))
    return weight[node]


def aligned(lines: Sequence[str]) -> str:
    """Lines with & before their =, one below the other."""
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"
