r"""The derivation of a gradient as it stands on a blackboard.

In: a derived function. Out: forward lines in the order of evaluation, then a line for each cotangent from the output
back, each local times upstream, in the reader's names and in matrix form; the hand form of f' below. ``\delta^{(k)}``
is the cotangent of a layer's z^{(k)}. Where the cotangents before it, put in, cancel to something short, that stands
behind.

Everything is printed from nodes, and from those that the user wrote; that a step's ``bar`` has the value of the
compiled gradient is a theorem of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from symgrad.emit.unicode import unicode
from symgrad.errors import UnsupportedError
from symgrad.frontend.freeze import restore_nodes, store
from symgrad.view.lines import Line, Step, Written, written
from symgrad.view.stations import Plan, plan
from symgrad.view.styles import STYLES

_WIDEST = 60  # columns before the words of a rule


def _restored(rows: list, places: list, count: int) -> Derivation:
    """The derivation of a function that was stored as a flat list."""
    nodes = restore_nodes(rows, places)
    return Derivation(SimpleNamespace(written=nodes[:count], asked=nodes[count:]))


class Derivation:
    """Forward lines and steps of a function; iterates over the steps.

    ``latex()`` is the matrix form, ``latex("closed")`` each gradient as one formula, ``latex("elementwise")`` with
    indices, ``latex("chain")`` the chain rule one replacement a line; ``str()`` one line an equation, for terminals.
    """

    def __init__(self, derived: Any) -> None:
        self._made_of = tuple(derived.written), tuple(derived.asked)
        self.plan: Plan = plan(*self._made_of)
        self.written: Written = written(self.plan)

    def __reduce__(self) -> tuple:
        outputs, asked = self._made_of
        return _restored, (*store([*outputs, *asked]), len(outputs))

    @property
    def forward(self) -> tuple[Line, ...]:
        """The equations of the function itself."""
        return self.written.forward

    @property
    def steps(self) -> tuple[Step, ...]:
        """One for each cotangent, from the output back."""
        return self.written.steps

    @property
    def lines(self) -> list[Line]:
        """All equations in order."""
        return [*self.forward, *(line for s in self.steps for line in (*s.terms, s.line)), *self.written.below]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, i: int) -> Step:
        return self.steps[i]

    def latex(self, style: str = "matrix") -> str:
        """The derivation as aligned lines; styles "matrix", "closed", "elementwise", "chain"."""
        if style not in STYLES:
            raise UnsupportedError(f"there is no style {str(style)[:40]!r}", fix=f"use one of {', '.join(STYLES)}")
        return STYLES[style](self.plan, self.written)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __str__(self) -> str:
        rows = [row for s in self.steps for row in (*((unicode(t.latex), "") for t in s.terms), (s.text, s.rule))]
        width = min(max((len(text) for text, words in rows if words), default=0), _WIDEST)
        parts = (
            [unicode(line.latex) for line in self.forward],
            [f"{text:<{width}}   {words}".rstrip() for text, words in rows],
            [unicode(line.latex) for line in self.written.below],
        )
        return "\n".join(line for part in parts for line in part)

    def __repr__(self) -> str:
        return f"<Derivation: {len(self.forward)} lines, {len(self.steps)} steps>"
