r"""The derivation of a gradient as it stands on a blackboard.

In: a derived function. Out: forward lines in the order of evaluation, then a line for each cotangent from the output back, each
local times upstream, in the reader's names and in matrix form; the hand form of f' below. ``\delta^{(k)}`` is the cotangent of
a layer's z^{(k)}. Where the cotangents before it, put in, cancel to something short, that stands behind.

Everything is printed from nodes: a step's ``bar`` is its formula with all steps before it put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from symgrad.emit.latex import BUDGET, SHARED, aligned, latex, sharing
from symgrad.emit.latex_names import Name
from symgrad.emit.latex_naming import ACTIVATIONS, Naming
from symgrad.emit.unicode import unicode
from symgrad.ir.node import Node, Variable, build
from symgrad.ir.types import Shape, real
from symgrad.ir.walk import substitute, topological
from symgrad.ops.leaf import variable
from symgrad.passes.rewrite import rewrite
from symgrad.view.forms import short_forms
from symgrad.view.stations import Plan, Station, plan
from symgrad.view.styles import STYLES
from symgrad.view.sweep import Cotangent, sweep
from symgrad.view.tidy import WRITTEN
from symgrad.view.words import rule

_LAYER = re.compile(r"z\^\{\((\d+)\)\}")
_MOST_CANCELLED = 400  # cotangents of a derivation whose lines are followed by their shorter forms


@dataclass(frozen=True, slots=True)
class Line:
    """left = right [= after]: what is defined, and its formula (LaTeX)."""

    left: str
    right: str
    after: str = ""
    shape: Shape = ()

    @property
    def latex(self) -> str:
        """One equation."""
        return " = ".join(part for part in (self.left, self.right, self.after) if part)

    @property
    def aligned(self) -> str:
        """The equation with its first = to align at."""
        return f"{self.left} &= {self.right}" + (f" = {self.after}" if self.after else "")


@dataclass(frozen=True, slots=True)
class Step:
    """One cotangent: whose, its formula before and after, the rule in words, its shape (that of its variable)."""

    name: str
    line: Line
    rule: str
    node: Node = field(repr=False)
    bar: Node = field(repr=False)
    local: str = ""  # the local derivative of a scalar gate (LaTeX)
    terms: tuple[Line, ...] = ()  # shared terms that are defined just before

    @property
    def formula(self) -> str:
        """LaTeX of the equation."""
        return self.line.latex

    @property
    def text(self) -> str:
        """The equation in Unicode, on one line."""
        return unicode(self.line.latex)

    @property
    def shape(self) -> Shape:
        """The shape of the cotangent, which is that of its variable."""
        return self.line.shape


class Derivation:
    """Forward lines and steps of a function; iterates over the steps.

    ``latex()`` is the matrix form, ``latex("closed")`` each gradient as one formula, ``latex("elementwise")`` with indices;
    ``str()`` one line an equation, for terminals.
    """

    def __init__(self, derived: Any) -> None:
        self.derived = derived
        self.plan: Plan = plan(derived.written or derived.outputs, derived.asked or derived.wrt)
        self.naming: Naming = self.plan.naming
        for op in _abstracted(self.plan):
            self.naming.abstract(op)
        self.forward: tuple[Line, ...] = tuple(_forward(s, self.naming) for s in self.plan.lines)
        self.cotangents: tuple[Cotangent, ...] = ()
        self.forms: dict[Cotangent, Node] = {}  # what some cotangents come to
        self.steps: tuple[Step, ...] = tuple(_steps(self)) if self.plan.wrt else ()
        self.below: tuple[Line, ...] = tuple(_hand_forms(self))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, i: int) -> Step:
        return self.steps[i]

    @property
    def lines(self) -> list[Line]:
        """All equations in order."""
        return [*self.forward, *(line for s in self.steps for line in (*s.terms, s.line)), *self.below]

    def latex(self, style: str = "matrix") -> str:
        """The derivation as aligned lines; styles "matrix", "closed", "elementwise"."""
        return STYLES[_checked(style)](self)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __str__(self) -> str:
        forward = [unicode(line.latex) for line in self.forward]
        rows = [row for s in self.steps for row in (*((unicode(t.latex), "") for t in s.terms), (s.text, s.rule))]
        width = min(max((len(text) for text, words in rows if words), default=0), 60)
        backward = [f"{text:<{width}}   {words}".rstrip() for text, words in rows]
        below = [unicode(line.latex) for line in self.below]
        return "\n".join("\n".join(part) for part in (forward, backward, below) if part)

    def __repr__(self) -> str:
        return f"<Derivation: {len(self.forward)} lines, {len(self.steps)} steps>"


def _abstracted(plan: Plan) -> list[str]:
    """Activations of arrays, in order of appearance: they get letters."""
    found = [n.op.name for s in plan.lines for n in topological([s.body]) if n.op.name in ACTIVATIONS and n.shape]
    return list(dict.fromkeys(found))


def _forward(s: Station, naming: Naming) -> Line:
    assert s.body is not None
    body = rewrite([s.body], WRITTEN)[s.body]
    return Line(shown(s.node, naming), latex(body, naming, expand=True), shape=s.node.shape)


def shown(node: Node, naming: Naming) -> str:
    """The name of a node that has one."""
    name = naming.of(node)
    assert name is not None
    return name.latex


def cotangent_name(s: Station, plan: Plan) -> Name:
    r"""\delta^{(k)} of a layer's z^{(k)}, \frac{\partial J}{\partial q} otherwise, \bar{q} where there are several outputs."""
    own = shown(s.node, plan.naming)
    layer = _LAYER.fullmatch(own)
    delta = rf"\delta^{{({layer[1]})}}" if layer and s.body is not None and s.node.shape else ""
    if delta and plan.naming.is_free(delta):
        return Name(delta, True)
    if len(plan.outputs) == 1 and not plan.outputs[0].node.shape:
        return Name(rf"\frac{{\partial {shown(plan.outputs[0].node, plan.naming)}}}{{\partial {own}}}")
    return Name(rf"\bar{{{own}}}" if re.fullmatch(r"\\?[a-zA-Z]+", own) else rf"\overline{{{own}}}")


def _steps(derivation: Derivation) -> Iterator[Step]:
    plan = derivation.plan
    found, seeds = sweep(plan)
    derivation.cotangents = tuple(found)
    for s, seed in seeds.items():
        if seed.op.name == "variable":
            plan.naming.put(seed, cotangent_name(s, plan))
    lined = [c for c in found if c.has_line]
    for c in lined:
        plan.naming.put(c.stand, cotangent_name(c.station, plan))
    if len(found) <= _MOST_CANCELLED:
        derivation.forms = dict(short_forms(found, plan))
    full: dict[Node, Node] = {s.stand: s.node for s in plan.stations}
    terms = _terms(lined, plan)
    for c in found:
        full[c.stand] = substitute([c.formula], full)[0]
    for c in lined:
        left, right = shown(c.stand, plan.naming), latex(c.formula, plan.naming)
        shorter = latex(derivation.forms[c], plan.naming) if c in derivation.forms else ""
        line = Line(left, right, shorter if shorter != right else "", c.station.node.shape)
        yield Step(c.station.name, line, rule(c.station, c.readers), c.station.node, full[c.stand], terms=tuple(terms.get(c, ())))


def _terms(lined: list[Cotangent], plan: Plan) -> dict[Cotangent, list[Line]]:
    """Names for parts of long formulas, each defined before the first line that reads it."""
    chosen = sharing([c.formula for c in lined], plan.naming, (BUDGET, 2 * SHARED))
    for n in chosen:
        plan.naming.put(n, plan.naming.fresh("v"))
    waiting = dict.fromkeys(chosen)
    found: dict[Cotangent, list[Line]] = {}
    for c in lined:
        if not waiting:
            break
        needed = [n for n in topological([c.formula], stop=set(chosen) - set(waiting)) if n in waiting]
        found[c] = [Line(shown(n, plan.naming), latex(n, plan.naming, expand=True), shape=n.shape) for n in needed]
        for n in needed:
            del waiting[n]
    return found


def _hand_forms(derivation: Derivation) -> Iterator[Line]:
    r"""f(z) = \sigma(z), f'(z) = \sigma(z) (1 - \sigma(z)) = a (1 - a), once for each activation that has a letter."""
    z = variable(Variable("z", "station"), real())
    for op, letter in derivation.naming.functions.items():
        plain, short = Naming(), Naming()
        for naming in (plain, short):
            naming.put(z, Name("z"))
        y = build(op, z)
        short.put(y, Name("a"))
        slope = build(ACTIVATIONS[op], z)
        written, by_value = latex(slope, plain), latex(slope, short)
        spelled = latex(build("reciprocal", 1.0 + build("exp", -z)), plain) if op == "sigmoid" else ""
        yield Line(f"{letter}(z)", latex(y, plain), spelled)
        if any(f"{letter}'" in s.formula for s in derivation.steps):
            more = rf"{by_value} \quad \text{{with }} a = {letter}(z)" if by_value != written else ""
            yield Line(f"{letter}'(z)", written, more)


def _checked(style: str) -> str:
    if style not in STYLES:
        raise ValueError(f"unknown style {style!r}; use one of {', '.join(STYLES)}")
    return style

