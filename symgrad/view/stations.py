"""Where a derivation stops to take breath: the nodes that get a line, a name and a cotangent of their own.

In: outputs and variables as they were written. Out: a ``Plan``: stations in the order of evaluation, each with its
body, a small expression of the stations before it (which stand in it as variables), and the names of all.

Named nodes are stations; so are outputs, parts that are used twice, and parts beyond the budget of a line. Where
nothing is named and a gradient is asked for, scalars are taken gate by gate, as lectures draw them, and arrays layer by
layer: what goes into an activation, and what comes out of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symgrad.emit.latex import sharing
from symgrad.emit.latex_names import Name
from symgrad.emit.latex_naming import Naming
from symgrad.ir.node import Node, Variable, build, rebuild
from symgrad.ir.walk import substitute, topological, variables
from symgrad.ops.leaf import variable
from symgrad.passes.names import Names, strip
from symgrad.view.tidy import as_written

_OUTPUTS = ("f", "g", "h")


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """A node, the variable that stands for it in later bodies, and its body (None for a variable)."""

    node: Node
    stand: Node
    body: Node | None
    name: str
    user_name: tuple[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Stations in order of evaluation; ``outputs`` and ``wrt`` are among them (variables included)."""

    stations: tuple[Station, ...]
    outputs: tuple[Station, ...]
    wrt: tuple[Station, ...]
    naming: Naming = field(repr=False)
    same: Mapping[Station, list[Name]] = field(default_factory=dict)  # further names of equal outputs

    @property
    def lines(self) -> list[Station]:
        """Those with a body."""
        return [s for s in self.stations if s.body is not None]


def plan(outputs: Sequence[Node], wrt: Sequence[Node]) -> Plan:
    """Choose stations for a function that is differentiated by ``wrt``."""
    ends, targets, names = _stripped(outputs, wrt)
    order = topological([*ends, *targets])
    naming = Naming()
    for v in variables(order):
        naming.of(v)
    labels: dict[Node, tuple[str, str | None] | None] = {n: names[n] for n in order if n in names}
    labels |= {t: (t["name"], t["latex"]) for t in targets if t.op.name == "named"}
    has_names = any(n not in ends for n in labels)
    for n, label in labels.items():
        naming.give(n, *label)  # type: ignore[misc]
    again = _name_outputs(ends, targets, naming)
    for n in _automatic(order, [*ends, *targets], naming, bool(targets) and not has_names):
        if naming.of(n) is None:
            naming.put(n, naming.part())
    made = _assembled(order, naming, labels)
    same: dict[Station, list[Name]] = {}
    for name, n in again:
        same.setdefault(made[n], []).append(name)
    return Plan(tuple(made.values()), tuple(made[n] for n in ends), tuple(made[n] for n in targets), naming, same)


def _stripped(outputs: Sequence[Node], wrt: Sequence[Node]) -> tuple[list[Node], list[Node], Names]:
    """Outputs and variables without names, a variable that is an intermediate kept as a node of its own."""
    kept = [x if x.op.name in ("variable", "named") else build("named", x, name="v", latex=None) for x in wrt]
    swap = {x: k for x, k in zip(wrt, kept, strict=True) if x is not k}
    inside = substitute(outputs, swap)
    new = as_written([*inside, *kept])
    kept = [new[k] for k in kept]
    both, names, _ = strip([*(new[n] for n in inside), *kept], keep=frozenset(kept))
    ends = [n if n.args else build("named", n, name="f", latex=None) for n in both[: len(outputs)]]
    return ends, both[len(outputs) :], names


def _name_outputs(ends: Sequence[Node], targets: Sequence[Node], naming: Naming) -> list[tuple[Name, Node]]:
    """An output without a name is J where parameters are learned, else f; several are f_{1}, f_{2}, ...

    Gives the names of those that are equal to one before.
    """
    nameless = [n for n in dict.fromkeys(ends) if naming.of(n) is None]
    again: list[tuple[Name, Node]] = []
    learned = any(t.op.name == "variable" and t["variable"].kind == "parameter" for t in targets)
    for n in ends:
        single = ("J", *_OUTPUTS) if learned else _OUTPUTS
        free = next((c for c in single if naming.is_free(c)), None) if len(ends) == 1 else None
        if n in nameless and naming.of(n) is None:
            naming.put(n, naming.first_free([free]) if free else naming.fresh("f"))
        elif n in nameless:
            again.append((naming.fresh("f"), n))
    return again


def _automatic(order: Sequence[Node], ends: Sequence[Node], naming: Naming, gates: bool) -> list[Node]:
    """Further nodes that get a line: shared and long parts; ``gates``: of scalars every gate, of arrays every layer."""
    if not gates:
        return sharing(ends, naming)
    if all(not n.shape for n in order):
        chosen = _below_choices(order, ends)
        found = [n for n in order if _is_gate(n) and n not in ends and n not in chosen]
    else:
        found = [n for n in dict.fromkeys(_layers(order)) if n not in ends]
    return [*found, *(n for n in sharing(ends, naming, stop=found) if n not in found)]


def _is_gate(n: Node) -> bool:
    return bool(n.args) and n.dtype == "real" and "silent" not in n.op.traits


def _below_choices(order: Sequence[Node], ends: Sequence[Node]) -> set[Node]:
    """The parts of a choice, which is one formula: x^2 if x > 0, else -x."""
    readers: dict[Node, list[Node]] = {}
    for n in order:
        for a in n.args:
            readers.setdefault(a, []).append(n)
    found: set[Node] = set()
    for n in reversed(order):
        if n.args and n not in ends and all(r.op.name == "where" or r in found for r in readers.get(n, ())):
            found.add(n)
    return found


def _layers(order: Sequence[Node]) -> Iterator[Node]:
    """Activations of arrays, each after the layer that goes into it."""
    linear: set[Node] = set()  # made of a matrix product, no activation between
    for n in order:
        if n.op.kind == "contract" or any(a in linear for a in n.args if "activation" not in a.op.traits):
            linear.add(n)
        if n.shape and "activation" in n.op.traits:
            x = n.args[0]
            while "silent" in x.op.traits:
                (x,) = x.args
            yield from (m for m in (x, n) if m is n or (x in linear and "activation" not in x.op.traits))


def _assembled(order: Sequence[Node], naming: Naming, labels: dict) -> dict[Node, Station]:
    new: dict[Node, Node] = {}
    made: dict[Node, Station] = {}
    for n in order:
        body = rebuild(n, (new[a] for a in n.args))
        name = naming.of(n)
        if n.op.name == "variable":
            made[n] = Station(n, n, None, n["variable"].name)
        elif name is not None and n.args:
            label = labels.get(n)
            stand = variable(Variable(label[0] if label else _plain(name), "station"), n.type)
            naming.alias(stand, name)
            made[n] = Station(
                n, stand, body.args[0] if body.op.name == "named" else body, stand["variable"].name, label
            )
            body = stand
        new[n] = made[n].stand if n in made else body
    return made


def _plain(name: Name) -> str:
    """v_{3} as v3."""
    return "".join(c for c in name.latex if c.isalnum())
