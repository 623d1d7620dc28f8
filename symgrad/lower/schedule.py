"""What is stored, and when: stages of kernels.

In: expanded outputs and given inputs. Out: a ``Plan``. Within a stage nothing depends on anything else of the stage,
except element by element inside one kernel, so kernels of one stage and one domain are one loop nest.
A value that several kernels need is stored if it is dearer to compute than to load.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from symgrad.ir.node import Node
from symgrad.ir.types import Shape, size_product
from symgrad.ir.walk import topological
from symgrad.lower.access import MOVING, is_view
from symgrad.lower.lanes import profile
from symgrad.lower.loops import Kernel, Part
from symgrad.lower.nest import is_short
from symgrad.lower.sizes import squeeze

DEAR = 16  # additions; above it a value read by several kernels is stored
REPEATED = 8  # the same for a value that a broadcast would compute again for every row
_CAP = 10**6
_OWN_NEST = {"cumsum", "prod_others", "gather", "scatter_add", "einsum", "argmax", "argmin", "overlap_add"}
_READS_BUFFERS = {"einsum": (0, 1), "gather": (0,), "prod_others": (0,), "scatter_add": (), "overlap_add": ()}


@dataclass(slots=True)
class Stage:
    """Views come first, then scalars, in order; then tasks: kernels and nodes with a nest of their own."""

    views: list[Node] = field(default_factory=list)
    scalars: list[Node] = field(default_factory=list)
    tasks: list[Kernel | Node] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """Stages in order; ``named`` scalars need a line of their own."""

    stages: list[Stage]
    named: frozenset[Node]
    order: list[Node]


def is_barrier(node: Node) -> bool:
    """Whether the node is complete only when its loops have ended."""
    return node.op.kind == "reduce" or node.op.name in _OWN_NEST or node.op.name in ("pad", "concatenate")


def is_inline(node: Node) -> bool:
    """Whether an element can be computed where it is read."""
    return not is_barrier(node) and not is_view(node)


class Scheduler:
    """Decides what is stored and assigns stages."""

    def __init__(self, outputs: list[Node], inputs: frozenset[Node]) -> None:
        self.order = topological(outputs, stop=inputs)
        self.inputs = inputs
        self.leaves = {n for n in self.order if n in inputs or (n.op.kind == "leaf" and n.op.name != "iota")}
        self.inner = [n for n in self.order if n not in self.leaves]
        self.users: dict[Node, list[Node]] = {n: [] for n in self.order}
        for node in self.inner:
            for a in node.args:
                self.users[a].append(node)
        self.outputs = outputs
        self.asked = Counter(outputs)
        self.stored = self._must_be_stored()
        self.flat = {n for n in self.inner if _wants_flat(n)}
        for node in self.flat:
            self.stored.add(node)
            self.stored |= {a for a in node.args if squeeze(a.shape) and a not in self.leaves}
        self.cost = self._costs()

    def _must_be_stored(self) -> set[Node]:
        wanted = {n for n in self.outputs if n.type.rank and n not in self.leaves}
        for node in self.inner:
            if node.type.rank and is_barrier(node):
                wanted.add(node)
            positions = (0,) if is_view(node) else _READS_BUFFERS.get(node.op.name, ())
            wanted.update(node.args[i] for i in positions if node.args[i] not in self.leaves)
        return wanted

    def _costs(self) -> dict[Node, int]:
        """About how many additions an element of each node costs, down to what is stored."""
        cost: dict[Node, int] = {}
        for node in self.order:
            if node in self.leaves or not is_inline(node) or not node.type.rank:
                cost[node] = 0
            else:
                cost[node] = min(_CAP, profile(node)[0] + sum(cost[a] for a in node.args if a not in self.stored))
        return cost

    def plan(self) -> Plan:
        """Stages for what is stored; storing more until nothing dear is computed twice.

        One sweep stores what is dear in all layers of a deep function, so that two or three sweeps do.
        """
        while True:
            stages = self._stages()
            if not self._store_dear(stages):
                return self._collect(stages)
            self.cost = self._costs()

    def _stages(self) -> dict[Node, int]:
        """The stage in which each node is computed.

        ``same`` is the first stage that can read an element in the node's own iteration, ``other`` any element.
        """
        at: dict[Node, int] = {}
        same, other = dict.fromkeys(self.leaves, 0), dict.fromkeys(self.leaves, 0)
        for node in self.inner:
            own = max((self._arrival(node, a, same, other) for a in node.args), default=0)
            all_ready = max((other[a] for a in node.args), default=0)
            if is_view(node):
                at[node], same[node], other[node] = all_ready, all_ready, all_ready
            elif not is_inline(node):
                own = all_ready if node.op.name in _OWN_NEST else own
                at[node], same[node], other[node] = own, own + 1, own + 1
            else:
                at[node], same[node] = own, own
                other[node] = own + 1 if node in self.stored else all_ready
        return at

    def _arrival(self, node: Node, a: Node, same: dict[Node, int], other: dict[Node, int]) -> int:
        crosses = a not in self.leaves and (node in self.flat) != (a in self.flat)
        return same[a] if _reads_in_place(node, a) and not crosses else other[a]

    def key(self, node: Node, at: dict[Node, int]) -> tuple:
        """The kernel that computes a node: one nest for a stage and a domain."""
        if node.op.name in _OWN_NEST:
            return (at[node], node)
        return (at[node], domain(node), node in self.flat)

    def _store_dear(self, at: dict[Node, int]) -> bool:
        """Store nodes that would be computed in several kernels, or again for every row, at a cost that counts.

        From the outputs back: a node that is stored reads its arguments in one kernel only, which may make them cheap.
        """
        reader: dict[Node, object] = {}
        before = len(self.stored)
        for node in reversed(self.inner):
            if not node.type.rank or not is_inline(node):
                continue
            keys = {self._reader(node, u, reader, at) for u in self.users[node]}
            reader[node] = next(iter(keys)) if len(keys) == 1 else _MANY
            again = reader[node] is _MANY and self.cost[node] >= DEAR
            if again or (self.cost[node] >= REPEATED and any(_repeats(u, node) for u in self.users[node])):
                self.stored.add(node)
        return len(self.stored) > before

    def _reader(self, node: Node, user: Node, reader: dict[Node, object], at: dict[Node, int]) -> object:
        if user.op.name == "concatenate" or user.op.name == "pad":
            return (at[user], squeeze(node.shape), False)
        if is_inline(user) and user not in self.stored:
            return reader[user] if user.type.rank else (at[user], user)
        return self.key(user, at)

    def _collect(self, at: dict[Node, int]) -> Plan:
        stages: dict[int, Stage] = {}
        kernels: dict[tuple, Kernel] = {}
        for node in self.inner:
            stage = stages.setdefault(at[node], Stage())
            if is_view(node):
                stage.views.append(node)
            elif node.op.name in _OWN_NEST:
                stage.tasks.append(node)
            elif not node.type.rank and is_inline(node):
                stage.scalars.append(node)
            elif node in self.stored or is_barrier(node):
                self._join(node, at, stage, kernels)
        return Plan([stages[s] for s in sorted(stages)], self._named(at), self.order)

    def _join(self, node: Node, at: dict[Node, int], stage: Stage, kernels: dict[tuple, Kernel]) -> None:
        """Add the node to the kernels of its stage."""
        for size, part in _parts(node):
            key = (at[node], size, node in self.flat)
            if key not in kernels:
                kernels[key] = Kernel(size)
                stage.tasks.append(kernels[key])
            if part is None:
                kernels[key].reductions.append(node)
            else:
                kernels[key].parts.append(part)

    def _named(self, at: dict[Node, int]) -> frozenset[Node]:
        """Scalars read by loops, by a later stage, or more than once."""
        named = set()
        scalars = [n for n in self.inner if not n.type.rank and is_inline(n)]
        for node in scalars:
            users = self.users[node]
            readings = len(users) + self.asked[node]
            if readings > 1 or any(u.type.rank or not is_inline(u) or at[u] != at[node] for u in users):
                named.add(node)
        return frozenset(named)


_MANY = object()


def _wants_flat(node: Node) -> bool:
    """Whether an element calls a function and the innermost axis is too short for lanes, but all are read in order."""
    own = squeeze(node.shape)
    if len(own) < 2 or not is_short(own[-1]) or is_short(size_product(own)) or not profile(node)[1]:
        return False
    return all(squeeze(a.shape) in ((), own) for a in node.args)


def domain(node: Node) -> Shape:
    """The loops that a node's kernel runs over."""
    return squeeze(node.args[0].shape if node.op.kind == "reduce" else node.shape)


def _parts(node: Node) -> list[tuple[Shape, Part | None]]:
    """What each kernel does for the node."""
    if node.op.kind == "reduce":
        return [(domain(node), None)]
    if node.op.name == "pad":
        return [(squeeze(node.args[0].shape), Part(node, node.args[0], node["start"], node["step"]))]
    if node.op.name != "concatenate":
        return [(domain(node), Part(node, node))]
    parts: list[tuple[Shape, Part | None]] = []
    offset: object = 0
    for a in node.args:
        start = tuple(offset if d == node["axis"] else 0 for d in range(a.type.rank))
        parts.append((squeeze(a.shape), Part(node, a, start, (1,) * a.type.rank)))
        offset = offset + a.shape[node["axis"]]  # type: ignore[operator]
    return parts


def _reads_in_place(node: Node, a: Node) -> bool:
    """Whether element i of the node reads element i of the argument."""
    if node.op.kind == "reduce" or node.op.name in ("pad", "concatenate"):
        return True
    if node.op.name in MOVING or is_view(node) or not is_inline(node):
        return False
    return bool(node.type.rank) and squeeze(a.shape) == squeeze(node.shape)


def _repeats(user: Node, node: Node) -> bool:
    """Whether reading the node in the user repeats its rows: the innermost axis is its own, one further out is not.

    Windows may hold an element several times.
    """
    if user.op.name == "window":
        return True
    if not is_inline(user) or user.op.name in MOVING or not user.type.rank:
        return False
    own, target = node.shape, user.shape
    if squeeze(own) in ((), squeeze(target)):
        return False
    padded = (1,) * (len(target) - len(own)) + own
    last = next(n for n in reversed(list(zip(padded, target, strict=True))) if n[1] != 1)
    return last[0] != 1
