"""Where a derivation stops to take breath: the nodes that get a line, a name and a cotangent of their own.

In: outputs and variables as they were written. Out: a ``Plan``: stations in the order of evaluation, each with its
body, a small expression of the stations before it (which stand in it as variables), and the names of all.

Named nodes are stations; so are outputs, parts that are used twice, and parts beyond the budget of a line. Where
nothing is named, scalars are taken gate by gate, as lectures draw them, and arrays at every contraction and
activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symgrad.emit.latex import sharing
from symgrad.emit.latex_names import Name
from symgrad.emit.latex_naming import ACTIVATIONS, Naming
from symgrad.ir.node import Node, Variable, build, rebuild
from symgrad.ir.walk import substitute, topological, variables
from symgrad.ops.leaf import variable
from symgrad.passes.names import Names, strip

_LINES = frozenset((*ACTIVATIONS, *"einsum softmax log_softmax logsumexp prelu softplus norm".split()))
_UNSEEN = frozenset("broadcast reshape cast named".split())
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
    _name_outputs(ends, targets, naming)
    for n in _automatic(order, [*ends, *targets], naming, has_names):
        if naming.of(n) is None:
            naming.put(n, naming.fresh("v"))
    return _assembled(order, ends, targets, naming, labels)


def _stripped(outputs: Sequence[Node], wrt: Sequence[Node]) -> tuple[list[Node], list[Node], Names]:
    """Outputs and variables without names, a variable that is an intermediate kept as a node of its own."""
    kept = [x if x.op.name in ("variable", "named") else build("named", x, name="v", latex=None) for x in wrt]
    swap = {x: k for x, k in zip(wrt, kept, strict=True) if x is not k}
    inside = substitute(outputs, swap)
    both, names, _ = strip([*inside, *kept], keep=frozenset(kept))
    ends = [n if n.args else build("named", n, name="f", latex=None) for n in both[: len(outputs)]]
    return ends, both[len(outputs) :], names


def _name_outputs(ends: Sequence[Node], targets: Sequence[Node], naming: Naming) -> None:
    """An output without a name is J where parameters are learned, else f; several are f_{1}, f_{2}, ..."""
    nameless = [n for n in dict.fromkeys(ends) if naming.of(n) is None]
    learned = any(t.op.name == "variable" and t["variable"].kind == "parameter" for t in targets)
    for n in nameless:
        single = ("J", *_OUTPUTS) if learned else _OUTPUTS
        free = next((c for c in single if naming.is_free(c)), None) if len(ends) == 1 else None
        naming.put(n, naming.first_free([free]) if free else naming.fresh("f"))


def _automatic(order: Sequence[Node], ends: Sequence[Node], naming: Naming, has_names: bool) -> list[Node]:
    """Further nodes that get a line."""
    inner = [n for n in order if n.args and n.dtype == "real" and n.op.name not in _UNSEEN]
    if has_names:
        return sharing(ends, naming)
    if all(not n.shape for n in order):
        return [n for n in inner if n not in ends]
    found = [n for n in inner if n.op.name in _LINES and n not in ends]
    return [*found, *(n for n in sharing(ends, naming, stop=found) if n not in found)]


def _assembled(
    order: Sequence[Node], ends: Sequence[Node], targets: Sequence[Node], naming: Naming, labels: dict
) -> Plan:
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
    return Plan(tuple(made.values()), tuple(made[n] for n in ends), tuple(made[n] for n in targets), naming)


def _plain(name: Name) -> str:
    """v_{3} as v3."""
    return "".join(c for c in name.latex if c.isalnum())
