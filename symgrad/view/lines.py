r"""The lines of a derivation: equations, and steps with their rule in words.

In: a plan. Out: ``Written``, what ``Derivation`` shows: the forward equations, a step for each cotangent that has a
line, shared terms before the first line that reads them, and below the hand forms of activations that have a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from symgrad.emit.latex import BUDGET, SHARED, latex, sharing
from symgrad.emit.latex_names import Name
from symgrad.emit.latex_naming import ACTIVATIONS, Naming
from symgrad.emit.unicode import unicode
from symgrad.ir.node import Node, Variable, build
from symgrad.ir.types import Shape, real
from symgrad.ir.walk import topological
from symgrad.ops.leaf import variable
from symgrad.view.forms import canceller, reduced, short_forms
from symgrad.view.stations import Plan, Station
from symgrad.view.sweep import Cotangent, put_in, sweep
from symgrad.view.tidy import as_written
from symgrad.view.words import rule

_LAYER = re.compile(r"z\^\{\((\d+)\)\}")
_BASE = re.compile(r"(\\?[a-zA-Z]+)([_^]\{.*\})?")
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
    """One cotangent: whose, its formula, the rule in words, its shape (that of its variable).

    ``bar`` is the formula as a node of the function's inputs: all steps before it put in, nothing simplified.
    """

    name: str
    line: Line
    rule: str
    node: Node = field(repr=False)
    bar: Node = field(repr=False)
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


@dataclass(slots=True)
class Written:
    """Everything that is shown, and the nodes it is printed from."""

    forward: tuple[Line, ...] = ()
    steps: tuple[Step, ...] = ()
    below: tuple[Line, ...] = ()
    cotangents: tuple[Cotangent, ...] = ()
    forms: dict[Cotangent, Node] = field(default_factory=dict)  # what some come to
    terms: dict[Cotangent, list[Node]] = field(default_factory=dict)  # named just before
    seeds: dict[Station, Node] = field(default_factory=dict)  # the cotangents of outputs: 1 of one scalar


def written(plan: Plan) -> Written:
    """All lines of a plan."""
    bodies = [s.body for s in plan.lines if s.body is not None]
    for op in dict.fromkeys(n.op.name for n in topological(bodies) if n.op.name in ACTIVATIONS and n.shape):
        plan.naming.abstract(op)
    result = Written(tuple(line for s in plan.lines for line in _forward(s, plan)))
    if plan.wrt:
        _backward(plan, result)
    result.below = tuple(_hand_forms(plan.naming, result))
    return result


def _forward(s: Station, plan: Plan) -> Iterator[Line]:
    """The equation of a station, and those of outputs that are equal to it."""
    assert s.body is not None
    body = as_written([s.body])[s.body]
    left = shown(s.node, plan.naming)
    yield Line(left, latex(body, plan.naming, expand=True), shape=s.node.shape)
    yield from (Line(name.latex, left, shape=s.node.shape) for name in plan.same.get(s, ()))


def shown(node: Node, naming: Naming) -> str:
    """The name of a node that has one."""
    name = naming.of(node)
    assert name is not None
    return name.latex


def cotangent_name(s: Station, plan: Plan) -> Name:
    r"""\delta^{(k)} of a layer's z^{(k)}, \frac{\partial J}{\partial q} otherwise, \bar{q} for several outputs."""
    own = shown(s.node, plan.naming)
    layer = _LAYER.fullmatch(own)
    delta = rf"\delta^{{({layer[1]})}}" if layer and s.body is not None and s.node.shape else ""
    if delta and plan.naming.is_free(delta):
        return Name(delta, True)
    if len(plan.outputs) == 1 and not plan.outputs[0].node.shape:
        return Name(rf"\frac{{\partial {shown(plan.outputs[0].node, plan.naming)}}}{{\partial {own}}}")
    base = _BASE.fullmatch(own)
    if base is None:
        return Name(rf"\overline{{{own}}}")
    return Name(rf"\bar{{{base[1]}}}{base[2] or ''}", "^" in (base[2] or ""))


def _name_cotangents(plan: Plan, found: list[Cotangent], seeds: dict[Station, Node]) -> None:
    """Names of cotangents; that of an output which is also read on is told from its seed."""
    lined = {c.station: c for c in found if c.has_line}
    for s, seed in seeds.items():
        if seed.op.name == "variable":
            name = cotangent_name(s, plan)
            plan.naming.put(seed, Name(rf"{name.latex}^{{\mathrm{{out}}}}", True) if s in lined else name)
    for c in lined.values():
        plan.naming.put(c.stand, cotangent_name(c.station, plan))


def _backward(plan: Plan, result: Written) -> None:
    found, seeds = sweep(plan)
    _name_cotangents(plan, found, seeds)
    result.cotangents, result.seeds = tuple(found), seeds
    if len(found) <= _MOST_CANCELLED:
        cancel = canceller(plan)
        reduced(found, plan, cancel)
        result.forms = dict(short_forms(found, plan, cancel))
    result.terms = _terms([c for c in found if c.has_line], plan)
    full: dict[Node, Node] = {s.stand: s.node for s in plan.stations}
    steps = []
    for c in found:
        full[c.stand] = put_in(c.formula, full)
        if c.has_line:
            steps.append(_step(c, full[c.stand], result, plan.naming))
    result.steps = tuple(steps)


def _step(c: Cotangent, bar: Node, result: Written, naming: Naming) -> Step:
    s = c.station
    left, right = shown(c.stand, naming), latex(c.formula, naming)
    after = latex(result.forms[c], naming) if c in result.forms else ""
    line = Line(left, right, after if after != right else "", s.node.shape)
    terms = tuple(Line(shown(n, naming), latex(n, naming, expand=True), shape=n.shape) for n in result.terms.get(c, ()))
    return Step(s.name, line, rule(s, unicode(shown(s.node, naming)), c.readers, c.in_jumps), s.node, bar, terms)


def _terms(lined: list[Cotangent], plan: Plan) -> dict[Cotangent, list[Node]]:
    """Named parts of long formulas, each with the first line that reads it."""
    chosen = sharing([c.formula for c in lined], plan.naming, (BUDGET, 2 * SHARED))
    for n in chosen:
        plan.naming.put(n, plan.naming.part())
    waiting, done = dict.fromkeys(chosen), set[Node]()
    found: dict[Cotangent, list[Node]] = {}
    for c in lined:
        if not waiting:
            break
        found[c] = [n for n in topological([c.formula], stop=done) if n in waiting]
        done.update(found[c])
        for n in found[c]:
            del waiting[n]
    return found


def _hand_forms(naming: Naming, result: Written) -> Iterator[Line]:
    r"""f(z) = \sigma(z), f'(z) = \sigma(z) (1 - \sigma(z)) = a (1 - a), once for each activation that has a letter."""
    z = variable(Variable("z", "station"), real())
    plain, short = Naming(), Naming()
    for fresh in (plain, short):
        fresh.put(z, Name("z"))
    formulas = [line.right for s in result.steps for line in (*s.terms, s.line)]
    for op, letter in naming.functions.items():
        y = build(op, z)
        short.alias(y, Name("a"))
        written_out, by_value = latex(build(ACTIVATIONS[op], z), plain), latex(build(ACTIVATIONS[op], z), short)
        spelled = latex(build("reciprocal", 1.0 + build("exp", -z)), plain) if op == "sigmoid" else ""
        yield Line(f"{letter}(z)", latex(y, plain), spelled)
        if any(f"{letter}'" in formula for formula in formulas):
            more = rf"{by_value} \quad \text{{with }} a = {letter}(z)" if by_value != written_out else ""
            yield Line(f"{letter}'(z)", written_out, more)
