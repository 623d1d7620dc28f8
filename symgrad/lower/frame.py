"""The state of one function while it is lowered: names, buffers, scalars known so far, statements."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from symgrad.ir.expression import Expr, const, load, var
from symgrad.ir.node import Frozen, Node
from symgrad.ir.program import Allocate, Assign, Call, Statement
from symgrad.ir.types import AnySize, Shape, size_product
from symgrad.lower.origin import Origin
from symgrad.lower.sizes import Axis, Flat, Index, integer, size_expr, weight

BLOCK = 256  # terms of a reduction that are folded at once
SMALL = 64  # constant arrays up to this many elements stand in the module
LONG = 4  # operations of a size that gets a name
UNROLL = 16  # a known size up to this is a plain loop, marked for unrolling


class SizeNames(dict):
    """Identifiers of named sizes, asked for on first use, so that only used ones are bound."""

    def __init__(self, names: Any) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, name: str) -> str:
        self[name] = self._names.size(name)
        return self[name]


class Module:
    """What the functions of one program share: constants and the elementary functions' type."""

    def __init__(self, names: Any, dtype: str) -> None:
        self.names = names
        self.dtype = dtype
        self.constants: dict[Frozen, str] = {}
        self.hidden: dict[Frozen, str] = {}


class Frame:
    """One function in the making.

    ``buffers`` are the arrays that exist, by node; ``scalars`` the values of rank 0; ``places`` what a loop
    variable of an index stands for; ``here`` the nodes that the present loop nest computes.
    """

    def __init__(self, module: Module, notes: Mapping[Node, str], origin: Origin) -> None:
        self.module = module
        self.names = module.names.scope()
        self.sizes = SizeNames(self.names)
        self.notes, self.origin = notes, origin
        self.inputs: frozenset[Node] = frozenset()
        self.said: set[str] = set()  # names of elements that were given once
        self.body: list[Statement] = []
        self.checks: list[Statement] = []
        self.buffers: dict[Node, str] = {}
        self.scalars: dict[Node, Expr] = {}
        self.places: dict[str, Expr] = {}
        self.hidden: list[tuple[str, Node]] = []
        self.ahead: list[Statement] = []
        self._compound: dict[AnySize, str] = {}
        self._flats: dict[str, str] = {}
        self._memory: dict[str, str] = {}
        self._shapes: dict[str, tuple[Shape, str]] = {}
        self._loops: list[str] = []
        self._scratch: dict[tuple[str, str], str] = {}

    def sequel(self, inputs: frozenset[Node]) -> Frame:
        """A frame for what follows in the same function: it shares names and blocks, but has statements,
        inputs and values of its own."""
        frame = copy(self)
        frame.inputs, frame.body, frame.checks = inputs, [], []
        frame.buffers, frame.scalars, frame.places, frame._flats = {}, {}, {}, {}
        return frame

    def kind(self, node: Node) -> str:
        """The program type of a node's elements."""
        return {"real": self.module.dtype, "int": "i64", "bool": "bool"}[node.dtype]

    def fresh(self, stem: str) -> str:
        """A new name."""
        return self.names.fresh(stem)

    def name(self, node: Node) -> str | None:
        """The name that the user, or the sweep, gave to a node."""
        return self.names.of(self.origin.same.get(node, node))

    def mark(self, node: Node) -> dict[str, Any]:
        """Origin and comment of a statement that computes the node."""
        same = self.origin.same.get(node, node)
        source = self.origin.same.get(node) or self.origin.part_of.get(node, node)
        return {"node": source.serial, "note": self.notes.get(same, "")}

    def size(self, size: AnySize) -> Expr:
        """A size as an expression; a long one gets a name ahead of everything else."""
        expr = size_expr(size, self.sizes)
        if weight(expr) < LONG:
            return expr
        if size not in self._compound:
            self._compound[size] = self.fresh("size")
            self.ahead.append(Assign(self._compound[size], expr))
        return var(self._compound[size], "i64")

    def loop(self, depth: int) -> str:
        """The loop variable of that depth: i, j, k."""
        while len(self._loops) <= depth:
            self._loops.append(self.fresh("i"))
        return self._loops[depth]

    def own(self, buffer: str, shape: Shape, dtype: str) -> None:
        """Make a buffer known by shape and type."""
        self._shapes[buffer] = (shape, dtype)

    def described(self, buffer: str) -> tuple[Shape, str]:
        """Shape and type of a buffer."""
        return self._shapes[buffer]

    def allocate(self, node: Node, fill: float | int | bool | None = None, **mark: Any) -> str:
        """The buffer of a node, new memory if it has none yet."""
        if node not in self.buffers:
            name = self.name(node) or self.fresh("v")
            self.buffers[node] = name
            self.own(name, node.shape, self.kind(node))
            self.body.append(Allocate(name, tuple(map(self.size, node.shape)), self.kind(node), fill, **mark))
        return self.buffers[node]

    def buffer(self, node: Node) -> str:
        """The buffer of a node that exists, or that is a constant."""
        if node not in self.buffers:
            assert node.op.name == "constant", f"{node} is read before it is computed"
            self.buffers[node] = self._constant(node)
        return self.buffers[node]

    def _constant(self, node: Node) -> str:
        frozen = node["value"]
        small = frozen.array.size <= SMALL
        table = self.module.constants if small else self.module.hidden
        name = table.setdefault(frozen, "") or self.module.names.fresh("constants")
        table[frozen] = name
        if not small:
            self.hidden.append((name, node))
        self.own(name, node.shape, self.kind(node))
        return name

    def flat(self, buffer: str) -> str:
        """The buffer seen as a vector."""
        shape, _ = self._shapes[buffer]
        if len(shape) == 1:
            return buffer
        if buffer not in self._flats:
            view = self.fresh(f"{buffer}_flat")
            self._flats[buffer] = view
            self.body.append(Call("flat", (buffer, view)))
        return self._flats[buffer]

    def view(self, buffer: str, shape: Shape, name: str | None = None) -> str:
        """The buffer with another shape, under a name of its own."""
        old, dtype = self._shapes[buffer]
        if old == shape:
            return buffer
        name = name or self.fresh(f"{buffer}_view")
        self.body.append(Call("reshape", (buffer, name, *map(self.extent, shape))))
        self._memory[name] = self.memory(buffer)
        self.own(name, shape, dtype)
        return name

    def memory(self, buffer: str) -> str:
        """The buffer that a view looks at."""
        return self._memory.get(buffer, buffer)

    def extent(self, size: AnySize) -> str:
        """A size as a digit or a name, for kernels."""
        expr = self.size(size)
        if expr.op in ("const", "var"):
            return str(expr.value)
        key = f"size {size}"
        if key not in self._flats:
            self._flats[key] = self.fresh("size")
            self.body.append(Assign(self._flats[key], expr))
        return self._flats[key]

    def place(self, axis: Axis) -> Expr:
        """The position that an axis of an index stands for: what is added comes first."""
        total: Expr | None = None
        for name, step in axis.terms:
            if step > 0:
                part = self._multiple(name, step)
                total = part if total is None else total + part
        if total is None:
            total = self.size(axis.offset)
        elif not isinstance(axis.offset, int):
            total = total + self.size(axis.offset)
        elif axis.offset:
            total = total + axis.offset if axis.offset > 0 else total - -axis.offset
        for name, step in axis.terms:
            total = total - self._multiple(name, -step) if step < 0 else total
        return total

    def _multiple(self, name: str, step: int) -> Expr:
        spot = self.places.get(name, var(name, "i64"))
        return spot if step == 1 else spot * step

    def target(self, buffer: str, index: Index) -> tuple[str, tuple[Expr, ...]]:
        """The name and index expressions of an element."""
        if isinstance(index, Flat):
            return self.flat(buffer), (self.place(Axis(index.var)),)
        return buffer, tuple(map(self.place, index))

    def element(self, node: Node, index: Index) -> Expr:
        """A load of an element of a buffer."""
        name, spots = self.target(self.buffer(node), index)
        return load(name, spots, self.kind(node))

    def scratch(self, use: str, dtype: str, stem: str = "terms") -> str:
        """A block of lanes for that use, allocated once a function."""
        key = (use, dtype)
        if key not in self._scratch:
            self._scratch[key] = self.fresh(stem)
            self.body.append(Allocate(self._scratch[key], (integer(BLOCK),), dtype))
        return self._scratch[key]

    @property
    def scratch_names(self) -> frozenset[str]:
        """Blocks that are written before they are read in every iteration."""
        return frozenset(self._scratch.values())

    def literal(self, node: Node) -> Expr:
        """A scalar constant."""
        value = node["value"]
        return const(value, self.kind(node))


def count(shape: Shape) -> AnySize:
    """The number of elements."""
    return size_product(shape)
