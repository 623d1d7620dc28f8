"""Matrix products as LLVM IR: c = a b by a register-blocked kernel made for the vector width of a CPU.

In: the float type and the vector bytes of the CPU. Out: the text of a module with ``product`` (matrices; of
b the steps along rows or along columns are 1), ``dots`` (rows times a vector) and ``sums`` (a vector times rows).
Invariant: an element of c is a chain of fused multiply-adds in the order of the summed index, in blocks of ``BLOCK``
whose sums are added, whatever the vector width, the tails and the other sizes: the same bits on every CPU. ``dots``
sums in ``LANES`` interleaved chains instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]

from symgrad.runtime.product_code import I1, I32, I64, Code

BLOCK = 256  # summed at once: a panel of b stays in the first cache
LANES = 16  # chains of a dot product
ROWS = 16  # tiles of rows between two packings of b: a stays in the second cache
DIRECT = 24  # rows of c below which b is read where it lies


def text(kind: str, width: int) -> str:
    """The module of one float type for vectors of so many bytes."""
    code = Code(kind, width)
    _product(code)
    _dots(code)
    _sums(code)
    return str(code.module)


def _tile(c: Code, rows: int, masked: bool) -> Any:
    """rows x columns elements of c in registers: c (+)= a b over a block of the summed index."""
    types = [c.pointer, I64, I64, c.pointer, I64, c.pointer, I64, I64, I64, I1]
    f = c.function(f"tile_{rows}{'_part' if masked else ''}", types)
    a, row_step, sum_step, panel, panel_step, out, out_step, count, columns, adds = f.args
    for p in (a, panel, out):
        p.add_attribute("noalias")
    masks = c.masks(columns) if masked else [None] * c.vectors
    zero = ir.Constant(c.vector, [0.0] * c.lanes)
    done: list[Any] = []
    with c.summing(count, [a, panel, *[zero] * (rows * c.vectors)], done) as (_, now, following):
        pa, pb, *sums = now
        row = [c.load(pb, v * c.lanes) for v in range(c.vectors)]
        following += [c.b.gep(pa, [sum_step]), c.b.gep(pb, [panel_step])]
        for i in range(rows):
            x = c.splat(c.b.load(c.at(pa, (row_step, I64(i)))))
            following += [c.fma(x, row[v], sums[i * c.vectors + v]) for v in range(c.vectors)]
    with c.b.if_else(adds) as (yes, no):
        with yes:
            _store_tile(c, done[2:], (out, out_step), (masks, True))
        with no:
            _store_tile(c, done[2:], (out, out_step), (masks, False))
    c.b.ret_void()
    return f


def _store_tile(c: Code, sums: list[Any], to: tuple[Any, Any], how: tuple[list[Any], bool]) -> None:
    """The sums of a tile into c, or onto what is there."""
    (out, step), (masks, adding) = to, how
    for n, x in enumerate(sums):
        i, v = divmod(n, c.vectors)
        p = c.at(out, (step, I64(i)))
        x = c.b.fadd(c.load(p, v * c.lanes, masks[v]), x) if adding else x
        c.store(x, p, v * c.lanes, masks[v])


def _pack_rows(c: Code) -> Any:
    """A panel of b whose rows lie in rows: to[k, j] = b[k, j], columns beyond the last are 0."""
    f = c.function("pack_rows", [c.pointer, I64, I64, I64, c.pointer])
    p, step, count, columns, to = f.args
    masks = c.masks(columns)
    with c.loop(I64(0), count) as k:
        for v in range(c.vectors):
            c.store(c.load(c.at(p, (k, step)), v * c.lanes, masks[v]), c.at(to, (k, I64(c.columns))), v * c.lanes)
    c.b.ret_void()
    return f


def _pack_columns(c: Code) -> Any:
    """A panel of b whose columns lie in rows: to[k, j] = b[j, k], by squares of one vector."""
    f = c.function("pack_columns", [c.pointer, I64, I64, I64, c.pointer])
    p, step, count, columns, to = f.args
    lanes, wide = I64(c.lanes), I64(c.columns)
    whole_j, whole_k = (c.b.mul(c.b.sdiv(n, lanes), lanes) for n in (columns, count))

    def one(j: Any, k: Any) -> None:
        c.b.store(c.b.load(c.at(p, (j, step), k)), c.at(to, (k, wide), j))

    with c.loop(I64(0), whole_j, c.lanes) as j:
        with c.loop(I64(0), whole_k, c.lanes) as k:
            rows = [c.load(c.at(p, (c.b.add(j, I64(r)), step), k)) for r in range(c.lanes)]
            for r, x in enumerate(_transposed(c, rows)):
                c.store(x, c.at(to, (c.b.add(k, I64(r)), wide), j))
        with c.loop(whole_k, count) as k:
            for r in range(c.lanes):
                one(c.b.add(j, I64(r)), k)
    with c.loop(whole_j, columns) as j, c.loop(I64(0), count) as k:
        one(j, k)
    c.b.ret_void()
    return f


def _transposed(c: Code, rows: list[Any]) -> list[Any]:
    """A square of vectors, transposed by exchanging ever larger blocks.

    Source:  Eklundh 1972, A fast computer method for matrix transposing
    """
    n, w = c.lanes, 1
    index = ir.VectorType(I32, n)
    while w < n:
        new = list(rows)
        for i in [i for i in range(n) if not i & w]:
            low = [j if not j & w else n + j - w for j in range(n)]
            high = [j + w if not j & w else n + j for j in range(n)]
            new[i] = c.b.shuffle_vector(rows[i], rows[i + w], ir.Constant(index, low))
            new[i + w] = c.b.shuffle_vector(rows[i], rows[i + w], ir.Constant(index, high))
        rows, w = new, 2 * w
    return rows


def _product(c: Code) -> None:
    """c[m, n] = a[m, k] b[k, n] with a at (row step, sum step), b at (sum step, column step), c in rows."""
    tiles = {(r, part): _tile(c, r, part) for r in range(1, c.rows + 1) for part in (False, True)}
    packs = _pack_rows(c), _pack_columns(c)
    types = [c.pointer, I64, I64, c.pointer, I64, I64, c.pointer, I64, I64, I64]
    f = c.function(f"symgrad_product_{c.kind}", types, inner=False)
    a, a_row, a_sum, right, b_sum, b_column, out, m, n, k = f.args
    array = c.b.alloca(ir.ArrayType(c.element, BLOCK * c.columns))
    array.align = 64
    panel = c.b.bitcast(array, c.pointer)
    blocks = c.b.select(c.b.icmp_signed(">", k, I64(0)), k, I64(1))  # an empty sum is stored too
    with c.loop(I64(0), blocks, BLOCK) as k0, c.loop(I64(0), m, ROWS * c.rows) as i0:
        count, adds = c.least(c.b.sub(k, k0), I64(BLOCK)), c.b.icmp_signed(">", k0, I64(0))
        end = c.least(m, c.b.add(i0, I64(ROWS * c.rows)))
        with c.loop(I64(0), n, c.columns) as j:
            columns = c.least(c.b.sub(n, j), I64(c.columns))
            source = c.at(right, (k0, b_sum), (j, b_column))
            few = c.b.icmp_signed("<", m, I64(DIRECT))
            ready, step = _panel(c, packs, (source, b_sum, b_column), (count, columns, panel, few))
            with c.loop(i0, end, c.rows) as i:
                rows = c.least(c.b.sub(end, i), I64(c.rows))
                given = (c.at(a, (i, a_row), (k0, a_sum)), a_row, a_sum, ready, step, c.at(out, (i, n), j), n, count)
                _call_tile(c, tiles, (rows, columns), (*given, columns, adds))
    c.b.ret_void()


def _panel(c: Code, packs: tuple[Any, Any], source: tuple[Any, Any, Any], want: tuple[Any, Any, Any, Any]) -> Any:
    """Where the panel lies, and its step: in b itself, or packed."""
    (p, b_sum, b_column), (count, columns, panel, few) = source, want
    b = c.b
    straight = b.icmp_signed("==", b_column, I64(1))
    whole = b.icmp_signed("==", columns, I64(c.columns))
    before = b.block
    pack, rows, across, go = (b.function.append_basic_block(name) for name in ("pack", "rows", "across", "go"))
    b.cbranch(b.and_(few, b.and_(straight, whole)), go, pack)
    b.position_at_end(pack)
    b.cbranch(straight, rows, across)
    for block, f, step in ((rows, packs[0], b_sum), (across, packs[1], b_column)):
        b.position_at_end(block)
        b.call(f, [p, step, count, columns, panel])
        b.branch(go)
    b.position_at_end(go)
    ready, step = b.phi(c.pointer), b.phi(I64)
    for block, q, s in ((before, p, b_sum), (rows, panel, I64(c.columns)), (across, panel, I64(c.columns))):
        ready.add_incoming(q, block)
        step.add_incoming(s, block)
    return ready, step


def _call_tile(c: Code, tiles: dict[tuple[int, bool], Any], size: tuple[Any, Any], args: Sequence[Any]) -> None:
    """The tile of so many rows, of whole or of partial width."""
    rows, columns = size
    b = c.b
    whole = b.icmp_signed("==", columns, I64(c.columns))
    code = b.add(rows, b.select(whole, I64(0), I64(100)))
    behind = b.function.append_basic_block("behind")
    switch = b.switch(code, behind)
    for (r, part), tile in tiles.items():
        block = b.function.append_basic_block("case")
        switch.add_case(I64(r + 100 * part), block)
        b.position_at_end(block)
        b.call(tile, list(args))
        b.branch(behind)
    b.position_at_end(behind)


def _dots(c: Code) -> None:
    """y[i] = sum_k a[i, k] x[k], rows and x contiguous: LANES chains, folded in halves at the end."""
    f = c.function(f"symgrad_dots_{c.kind}", [c.pointer, I64, c.pointer, c.pointer, I64, I64], inner=False)
    a, step, x, y, m, k = f.args
    wide = ir.VectorType(c.element, LANES)
    whole = c.b.mul(c.b.sdiv(k, I64(LANES)), I64(LANES))
    zero = ir.Constant(wide, [0.0] * LANES)
    for rows in (4, 1):
        first = I64(0) if rows == 4 else c.b.mul(c.b.sdiv(m, I64(4)), I64(4))
        last = c.b.mul(c.b.sdiv(m, I64(4)), I64(4)) if rows == 4 else m
        with c.loop(first, last, rows) as i:
            starts = [c.at(a, (c.b.add(i, I64(r)), step)) for r in range(rows)]
            done: list[Any] = []
            with c.summing(c.b.sdiv(k, I64(LANES)), [zero] * rows, done) as (block, sums, following):
                at = c.b.mul(block, I64(LANES))
                right = c.load(c.at(x, at), kind=wide)
                following += [
                    c.fma(c.load(c.at(p, at), kind=wide), right, s) for p, s in zip(starts, sums, strict=True)
                ]
            totals = [_folded(c, s) for s in done]
            ends: list[Any] = []
            with c.summing(c.b.sub(k, whole), totals, ends) as (rest, sums, following):
                at = c.b.add(whole, rest)
                right = c.b.load(c.at(x, at))
                following += [c.fma(c.b.load(c.at(p, at)), right, s) for p, s in zip(starts, sums, strict=True)]
            for r, s in enumerate(ends):
                c.b.store(s, c.at(y, c.b.add(i, I64(r))))
    c.b.ret_void()


def _folded(c: Code, x: Any) -> Any:
    """The sum of the lanes, by halves."""
    while x.type.count > 1:
        n = x.type.count // 2
        none = ir.Constant(x.type, ir.Undefined)
        low, high = (
            c.b.shuffle_vector(x, none, ir.Constant(ir.VectorType(I32, n), list(range(s, s + n)))) for s in (0, n)
        )
        x = c.b.fadd(low, high)
    return c.b.extract_element(x, I32(0))


def _sums(c: Code) -> None:
    """y[j] = sum_k x[k] b[k, j], rows contiguous: eight rows at a time, each element one chain in the order of k."""
    f = c.function(f"symgrad_sums_{c.kind}", [c.pointer, I64, c.pointer, I64, c.pointer, I64, I64], inner=False)
    x, x_step, right, step, y, n, k = f.args
    zero = ir.Constant(c.element, 0.0)
    with c.loop(I64(0), n) as j:
        c.b.store(zero, c.at(y, j))
    whole = c.b.mul(c.b.sdiv(k, I64(8)), I64(8))
    wide = c.b.mul(c.b.sdiv(n, I64(c.lanes)), I64(c.lanes))
    for rows, first, last in ((8, I64(0), whole), (1, whole, k)):
        with c.loop(first, last, rows) as k0:
            factors = [c.b.load(c.at(x, (c.b.add(k0, I64(r)), x_step))) for r in range(rows)]
            starts = [c.at(right, (c.b.add(k0, I64(r)), step)) for r in range(rows)]
            _add_rows(c, factors, starts, (y, wide, n))
    c.b.ret_void()


def _add_rows(c: Code, factors: list[Any], starts: list[Any], to: tuple[Any, Any, Any]) -> None:
    """y[j] += factor * row[j] for some rows, one after the other."""
    y, wide, n = to
    splats = [c.splat(s) for s in factors]
    with c.loop(I64(0), wide, c.lanes) as j:
        total = c.load(c.at(y, j))
        for s, p in zip(splats, starts, strict=True):
            total = c.fma(s, c.load(c.at(p, j)), total)
        c.store(total, c.at(y, j))
    with c.loop(wide, n) as j:
        total = c.b.load(c.at(y, j))
        for s, p in zip(factors, starts, strict=True):
            total = c.fma(s, c.b.load(c.at(p, j)), total)
        c.b.store(total, c.at(y, j))
