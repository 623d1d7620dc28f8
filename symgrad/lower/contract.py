"""Contractions: products of matrices by a kernel, all others as loops.

``normal_form`` turns an einsum into one of the forms of ``FORMS`` (products of matrices, of a matrix and a vector,
and stacks of them), by merging axes that stay together, or into a sum of products, which the loops fuse.
Letters: i of the left operand, k of the right, j summed, b stacked.
"""

from __future__ import annotations

from symgrad.ir.node import Node, build
from symgrad.ir.program import Call, Loop, Statement
from symgrad.ir.types import AnySize, size_product
from symgrad.lower.frame import Frame
from symgrad.lower.sizes import integer
from symgrad.lower.window import in_runs
from symgrad.ops.contract import split
from symgrad.ops.shape import reshape, transpose

TINY = 4096  # products up to this many multiplications, all sizes known, are loops
LONGEST = 32

_MATRICES = {f"{a},{b}->{c}" for a in ("ij", "ji") for b in ("jk", "kj") for c in ("ik", "ki")}
_VECTORS = {"ij,j->i", "ji,j->i", "j,jk->k", "j,kj->k"}
_STACKS = {f"b{a},b{b}->b{c}" for a in ("ij", "ji") for b in ("jk", "kj") for c in ("ik", "ki")}
FORMS = _MATRICES | _VECTORS | _STACKS


def normal_form(node: Node) -> Node:
    """An einsum of ``FORMS``, or a sum of products."""
    left, right, out = split(node["spec"])
    a, b = node.args
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))
    groups = _Groups(left, right, out)
    if node.dtype != "real" or not groups.summed or not groups.is_product or _is_tiny(sizes):
        return _sum_of_products(node, sizes)
    return node if node["spec"] in FORMS else _merged(node, groups, sizes)


def _is_tiny(sizes: dict[str, AnySize]) -> bool:
    if any(not isinstance(n, int) or n > LONGEST for n in sizes.values()):
        return False
    return size_product(tuple(sizes.values())) <= TINY  # type: ignore[operator]


class _Groups:
    """The letters by where they stand: stacked (in all), kept of left, kept of right, summed."""

    def __init__(self, left: str, right: str, out: str) -> None:
        self.left, self.right, self.out = left, right, out
        self.stacked = "".join(c for c in out if c in left and c in right)
        self.rows = "".join(c for c in out if c in left and c not in right)
        self.columns = "".join(c for c in out if c in right and c not in left)
        self.summed = "".join(c for c in left if c not in out)

    @property
    def is_product(self) -> bool:
        """Whether a kernel computes it: a stack needs matrices on both sides."""
        return bool(self.rows and self.columns) or bool((self.rows or self.columns) and not self.stacked)


def _merged(node: Node, g: _Groups, sizes: dict[str, AnySize]) -> Node:
    """The same product on operands whose groups of axes are one axis each."""
    a, left = _grouped(node.args[0], g.left, (g.stacked, "b"), (g.rows, "i"), (g.summed, "j"))
    b, right = _grouped(node.args[1], g.right, (g.stacked, "b"), (g.summed, "j"), (g.columns, "k"))
    straight = g.out.startswith(g.stacked) and g.out[len(g.stacked) :] in (g.rows + g.columns, g.columns + g.rows)
    tail = g.out[len(g.stacked) :] if straight else g.rows + g.columns
    first, second = ("i" if g.rows else "", "k" if g.columns else "")
    flipped = straight and g.rows and g.columns and tail == g.columns + g.rows
    result = ("b" if g.stacked else "") + (second + first if flipped else first + second)
    y = build("einsum", a, b, spec=f"{left},{right}->{result}")
    y = reshape(y, tuple(sizes[c] for c in g.stacked + tail))
    return transpose(y, tuple((g.stacked + tail).index(c) for c in g.out))


def _grouped(x: Node, letters: str, *groups: tuple[str, str]) -> tuple[Node, str]:
    """The operand with every group one axis, and its new letters; transposed only where no order of groups fits."""
    stack, *pair = [(g, name) for g, name in groups if g] if groups[0][0] else [("", ""), *(p for p in groups if p[0])]
    orders = [pair, pair[::-1]]
    fitting = next((o for o in orders if stack[0] + "".join(g for g, _ in o) == letters), None)
    if fitting is None:
        fitting = pair
        wanted = stack[0] + "".join(g for g, _ in pair)
        x = transpose(x, tuple(letters.index(c) for c in wanted))
        letters = wanted
    sizes = dict(zip(letters, x.shape, strict=True))
    shape = tuple(size_product(tuple(sizes[c] for c in g)) for g, _ in [stack, *fitting] if g)
    return reshape(in_runs(x), shape), stack[1] + "".join(name for _, name in fitting)


def _sum_of_products(node: Node, sizes: dict[str, AnySize]) -> Node:
    """sum over j of a * b, the axes of both laid out in the order of the loops."""
    left, right, out = split(node["spec"])
    summed = "".join(c for c in left if c not in out)
    larger = left if len(left) >= len(right) else right
    inside = not out or out[-1] != larger[-1:] or _is_tiny(sizes)
    order = out + summed if inside else out[:-1] + summed + out[-1]
    a, b = (_laid_out(x, letters, order) for x, letters in zip(node.args, (left, right), strict=True))
    product = build("mul", a, b)
    axes = tuple(order.index(c) for c in order if c in summed)
    return build("sum", product, axes=axes) if axes else product


def _laid_out(x: Node, letters: str, order: str) -> Node:
    """The operand with an axis for every letter of the order, of length 1 where it has none."""
    own = [c for c in order if c in letters]
    x = transpose(x, tuple(letters.index(c) for c in own))
    sizes = dict(zip(own, x.shape, strict=True))
    return reshape(x, tuple(sizes.get(c, 1) for c in order))


def emit_product(frame: Frame, node: Node) -> None:
    """A product of matrices, or of a matrix and a vector, by the kernel ``dot``."""
    left, right, out = split(node["spec"])
    names = [frame.buffer(a) for a in node.args]
    mark = frame.mark(node)
    target = frame.allocate(node)
    if out.startswith("b"):
        _emit_stack(frame, (left, right, out), (*names, target), node)
        return
    frame.body.append(Call("dot", (*_operands(left, right, out, names), target), **mark))


def _operands(left: str, right: str, out: str, names: list[str]) -> list[str]:
    """The two operands in the order in which their product has the axes of ``out``, transposed views marked."""
    pairs = [(left, names[0]), (right, names[1])]
    if len(out) == 2 and out[0] in right:
        pairs.reverse()
    elif len(out) == 1 and len(pairs[0][0]) == len(pairs[1][0]):
        raise AssertionError(f"not a product: {left},{right}->{out}")
    first, second = pairs
    if len(first[0]) == 2 and first[0][0] == "j":
        first = (first[0], f"T:{first[1]}")
    if len(second[0]) == 2 and second[0][1] == "j":
        second = (second[0], f"T:{second[1]}")
    return [first[1], second[1]]


def _emit_stack(frame: Frame, letters: tuple[str, str, str], names: tuple[str, ...], node: Node) -> None:
    """One product for each matrix of the stack."""
    position = frame.loop(0)
    views = [frame.fresh(f"{name}_part") for name in names]
    body: list[Statement] = [Call("row", (n, v, position)) for n, v in zip(names, views, strict=True)]
    left, right, out = (word[1:] for word in letters)
    body.append(Call("dot", (*_operands(left, right, out, views[:2]), views[2]), **frame.mark(node)))
    frame.body.append(Loop(position, integer(0), frame.size(node.shape[0]), tuple(body)))
