"""What the kernels of matrix products are written with: LLVM IR for the vectors of one CPU.

In: the float type and the bytes of a vector. Out: ``Code``, a module in the making, with vectors, masks and loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]

I64, I32, I1, VOID = ir.IntType(64), ir.IntType(32), ir.IntType(1), ir.VoidType()
# vector bytes -> (rows, vectors) of the tile that registers hold: 32 registers for AVX-512 and NEON, 16 for AVX2
TILES = {64: (14, 2), 32: (6, 2), 16: (8, 2)}


class Code:
    """The module of one float type; ``b`` is the builder of the function in the making."""

    def __init__(self, kind: str, width: int) -> None:
        self.kind, self.size = kind, 4 if kind == "f32" else 8
        self.element = ir.FloatType() if kind == "f32" else ir.DoubleType()
        self.lanes = width // self.size
        self.rows, self.vectors = TILES[width]
        self.columns = self.vectors * self.lanes
        self.vector = ir.VectorType(self.element, self.lanes)
        self.pointer = self.element.as_pointer()
        self.module = ir.Module(f"symgrad_products_{kind}")
        self._declared: dict[str, Any] = {}
        self.b: Any = None

    def function(self, name: str, types: Sequence[Any], inner: bool = True) -> Any:
        """A new function, with the builder in it."""
        f = ir.Function(self.module, ir.FunctionType(VOID, types), name)
        if inner:
            f.linkage = "internal"
            f.attributes.add("noinline")
        self.b = ir.IRBuilder(f.append_basic_block("entry"))
        return f

    def intrinsic(self, name: str, result: Any, types: Sequence[Any]) -> Any:
        """A function of LLVM's own."""
        if name not in self._declared:
            self._declared[name] = ir.Function(self.module, ir.FunctionType(result, types), name)
        return self._declared[name]

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """x*y + z, rounded once."""
        kind = x.type
        suffix = f"f{8 * self.size}" if kind is self.element else f"v{kind.count}f{8 * self.size}"
        return self.b.call(self.intrinsic(f"llvm.fma.{suffix}", kind, [kind] * 3), [x, y, z])

    def at(self, p: Any, *terms: Any) -> Any:
        """A pointer some elements further; a term is an integer value or a pair to be multiplied."""
        total = None
        for t in terms:
            part = self.b.mul(*t) if isinstance(t, tuple) else t
            total = part if total is None else self.b.add(total, part)
        return self.b.gep(p, [total])

    def splat(self, x: Any, kind: Any = None) -> Any:
        """x in all lanes."""
        kind = kind or self.vector
        none = ir.Constant(kind, ir.Undefined)
        first = self.b.insert_element(none, x, I32(0))
        return self.b.shuffle_vector(first, none, ir.Constant(ir.VectorType(I32, kind.count), [0] * kind.count))

    def masks(self, n: Any) -> list[Any]:
        """For each vector of a tile's row, which lanes are among the first n."""
        kind = ir.VectorType(I64, self.lanes)
        limit = self.splat(n, kind)
        first = [range(v * self.lanes, (v + 1) * self.lanes) for v in range(self.vectors)]
        return [self.b.icmp_signed("<", ir.Constant(kind, list(lanes)), limit) for lanes in first]

    def load(self, p: Any, place: int = 0, mask: Any = None, kind: Any = None) -> Any:
        """A vector from memory; lanes outside the mask are 0."""
        kind = kind or self.vector
        q = self.b.bitcast(self.b.gep(p, [I64(place)]), kind.as_pointer())
        if mask is None:
            x = self.b.load(q)
            x.align = self.size
            return x
        f = self.intrinsic(f"llvm.masked.load.v{kind.count}f{8 * self.size}.p0", kind, [q.type, I32, mask.type, kind])
        return self.b.call(f, [q, I32(self.size), mask, ir.Constant(kind, [0.0] * kind.count)])

    def store(self, x: Any, p: Any, place: int = 0, mask: Any = None) -> None:
        """A vector to memory; lanes outside the mask are not written."""
        q = self.b.bitcast(self.b.gep(p, [I64(place)]), x.type.as_pointer())
        if mask is None:
            self.b.store(x, q).align = self.size
            return
        name = f"llvm.masked.store.v{x.type.count}f{8 * self.size}.p0"
        f = self.intrinsic(name, VOID, [x.type, q.type, I32, mask.type])
        self.b.call(f, [x, q, I32(self.size), mask])

    def least(self, x: Any, y: Any) -> Any:
        """min(x, y)."""
        return self.b.select(self.b.icmp_signed("<", x, y), x, y)

    @contextmanager
    def loop(self, start: Any, stop: Any, step: int = 1) -> Iterator[Any]:
        """``for i in range(start, stop, step)``; the builder is inside, then behind it."""
        b, before = self.b, self.b.block
        head, body, end = (b.function.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(I64)
        i.add_incoming(start, before)
        b.cbranch(b.icmp_signed("<", i, stop), body, end)
        b.position_at_end(body)
        yield i
        i.add_incoming(b.add(i, I64(step)), b.block)
        b.branch(head)
        b.position_at_end(end)

    @contextmanager
    def summing(self, count: Any, sums: list[Any], done: list[Any]) -> Iterator[tuple[Any, list[Any], list[Any]]]:
        """A loop that carries values: yields (i, values so far, a list to fill with the next ones).

        ``sums`` are the first values; ``done`` receives the last ones.
        """
        b, before = self.b, self.b.block
        head, body, end = (b.function.append_basic_block(name) for name in ("head", "body", "end"))
        b.branch(head)
        b.position_at_end(head)
        i = b.phi(I64)
        i.add_incoming(I64(0), before)
        carried = [b.phi(x.type) for x in sums]
        for phi, x in zip(carried, sums, strict=True):
            phi.add_incoming(x, before)
        b.cbranch(b.icmp_signed("<", i, count), body, end)
        b.position_at_end(body)
        following: list[Any] = []
        yield i, carried, following
        i.add_incoming(b.add(i, I64(1)), b.block)
        for phi, x in zip(carried, following, strict=True):
            phi.add_incoming(x, b.block)
        b.branch(head)
        b.position_at_end(end)
        done.extend(carried)
