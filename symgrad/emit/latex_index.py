r"""Formulas with indices and sums: z_{nj} = \sum_{k} X_{nk} W_{kj}.

In: a node, an index for each of its axes, a ``Naming``. Out: a piece for one element. Axes that are only repeated
have the index 0. Softmax and its kin are spelled out; what has no element form is written as a matrix with an index
behind. Letters: n, m, ... for axes of symbolic size, i, j, k, ... for others, none that a name already uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from symgrad.emit.latex import piece, write
from symgrad.emit.latex_literals import numeral, size_piece
from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_pieces import ATOM, FUNCTION, POWER, Piece, at_least, big, multiplied, named_piece, subscripted
from symgrad.ir.node import Node, build
from symgrad.ir.types import AnySize, Shape
from symgrad.ops.contract import split
from symgrad.ops.reduce import spread
from symgrad.ops.window import offset_axes

Index = tuple[str, ...]
Wanted = list[tuple[Node, Index]]
_OWN_INDEX = re.compile(r"(.*_\{[^{}]*)\}(\^\{[^_]*\})?")
_SYMBOLIC, _KNOWN = "nmrst", "ijklpquvw"


class Letters:
    """Index letters of one line."""

    def __init__(self, naming: Naming, avoid: Iterable[str] = ()) -> None:
        self._free = naming.is_free
        self._used: set[str] = set(avoid)

    def take(self, size: AnySize) -> str:
        """A letter that this line has not used."""
        pools = (_KNOWN, _SYMBOLIC) if isinstance(size, int) else (_SYMBOLIC, _KNOWN)
        numbered = (f"{c}_{{{n}}}" for n in range(1, 1000) for c in _KNOWN)
        letter = next(c for pool in (*pools, numbered) for c in pool if c not in self._used and self._free(c))
        self._used.add(letter)
        return letter

    def index(self, shape: Shape) -> Index:
        """One for each axis."""
        return tuple(self.take(n) for n in shape)


def element(node: Node, index: Index, naming: Naming, letters: Letters, expand: bool = False) -> Piece:
    """One element of a node; named parts appear by name, the node itself too unless ``expand``."""
    root = (node, index)
    done: dict[tuple[Node, Index], Piece] = {}
    plans: dict[tuple[Node, Index], tuple[Wanted, Callable[[list[Piece]], Piece]]] = {}
    stack = [root]
    while stack:
        here = stack[-1]
        if here in done:
            stack.pop()
            continue
        name = None if expand and here == root and node.args else naming.of(here[0])
        if name is not None:
            done[here] = with_index(name.latex, name.raised, here[1])
            continue
        if here not in plans:
            plans[here] = _plan(*here, naming, letters)
        wanted, make = plans[here]
        missing = [w for w in wanted if w not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        done[here] = make([done[w] for w in wanted])
    return done[root]


def with_index(latex: str, is_raised: bool, index: Index) -> Piece:
    r"""W^{(2)}_{ij}, v_{1, ij}, \frac{\partial J}{\partial W^{(2)}_{ij}}."""
    text = "".join(index)
    if not text:
        return named_piece(latex, is_raised)
    if latex.startswith(r"\frac"):
        inner = latex[latex.index("}{") + 2 : -1]
        return named_piece(f"{latex[: -1 - len(inner)]}{_indexed(inner, text)}}}", False)
    return Piece(_indexed(latex, text), POWER if is_raised else ATOM)


def _indexed(latex: str, text: str) -> str:
    own = _OWN_INDEX.fullmatch(latex)
    return f"{own[1]}, {text}}}{own[2] or ''}" if own else f"{latex}_{{{text}}}"


def _total(x: Node, axes: tuple[int, ...]) -> Node:
    return build("sum", x, axes=axes)


def _log_softmax(n: Node) -> Node:
    (x,), axes = n.args, n["axes"]
    return x - spread(build("log", _total(build("exp", x), axes)), x, axes)


def _softmax(n: Node) -> Node:
    (x,), axes = n.args, n["axes"]
    return build("exp", x) / spread(_total(build("exp", x), axes), x, axes)


_SPELLED: dict[str, Callable[[Node], Node]] = {
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "logsumexp": lambda n: build("log", _total(build("exp", n.args[0]), n["axes"])),
    "norm": lambda n: build("sqrt", _total(build("square", n.args[0]), n["axes"])),
}


def _plan(node: Node, index: Index, naming: Naming, letters: Letters) -> tuple[Wanted, Callable[[list[Piece]], Piece]]:
    """(the elements that one element is made of, how)."""
    if node.op.name in _SPELLED:
        return [(_SPELLED[node.op.name](node), index)], _first
    rule = _RULES.get(node.op.name)
    found = rule(node, index, letters) if rule is not None else None
    if found is not None:
        return found
    if node.op.kind == "elementwise" and node.args:
        return [(a, aligned_index(a.shape, node.shape, index)) for a in node.args], lambda pieces: write(
            node, pieces, naming
        )
    whole = piece(node, naming)
    return [], lambda pieces: subscripted(whole, "".join(index)) if "".join(index) else whole


def aligned_index(shape: Shape, whole: Shape, index: Index) -> Index:
    """The index of a broadcast operand: from the right, 0 along axes that it only repeats."""
    offset = len(whole) - len(shape)
    return tuple("0" if n == 1 != whole[i + offset] else index[i + offset] for i, n in enumerate(shape))


def _first(pieces: list[Piece]) -> Piece:
    return pieces[0]


def _spread(node: Node, index: Index, letters: Letters) -> Any:
    return [(node.args[0], aligned_index(node.args[0].shape, node.shape, index))], _first


def _reshape(node: Node, index: Index, letters: Letters) -> Any:
    (x,) = node.args
    if [n for n in x.shape if n != 1] != [n for n in node.shape if n != 1]:
        return None
    real = iter([c for c, n in zip(index, node.shape, strict=True) if n != 1])
    return [(x, tuple("0" if n == 1 else next(real) for n in x.shape))], _first


def _transpose(node: Node, index: Index, letters: Letters) -> Any:
    perm = node["perm"]
    return [(node.args[0], tuple(index[perm.index(i)] for i in range(len(perm))))], _first


def _einsum(node: Node, index: Index, letters: Letters) -> Any:
    left, right, out = split(node["spec"])
    names = dict(zip(out, index, strict=True))
    for word, x in ((left, node.args[0]), (right, node.args[1])):
        for c, n in zip(word, x.shape, strict=True):
            if c not in names:
                names[c] = letters.take(n)
    summed = "".join(names[c] for c in names if c not in out)
    wanted = [(x, tuple(names[c] for c in word)) for word, x in ((left, node.args[0]), (right, node.args[1]))]
    return wanted, lambda pieces: _over(r"\sum", summed, multiplied(*pieces))


def _over(operator: str, running: str, body: Piece) -> Piece:
    return big(rf"{operator}_{{{running}}}", body) if running else body


def _reduced(operator: str, is_sum: bool) -> Callable[[Node, Index, Letters], Any]:
    def rule(node: Node, index: Index, letters: Letters) -> Any:
        (x,), axes = node.args, node["axes"]
        rest = iter(index)
        inner = tuple(letters.take(n) if i in axes else next(rest) for i, n in enumerate(x.shape))
        running = "".join(c for i, c in enumerate(inner) if i in axes)
        if is_sum:
            return [(x, inner)], lambda pieces: _over(operator, running, pieces[0])
        symbol = rf"{operator}_{{{running}}}" if running else operator
        return [(x, inner)], lambda pieces: Piece(f"{symbol} {at_least(pieces[0], POWER)}", FUNCTION)

    return rule


def _slice(node: Node, index: Index, letters: Letters) -> Any:
    marks = []
    for c, a, n, k in zip(map(_bare, index), node["start"], node["size"], node["step"], strict=True):
        scaled = _scaled(c, k) if k > 0 else f"-{_scaled(c, 1)}"
        moved = (
            size_piece(a).text
            if n == 1
            else c
            if (a, k) == (0, 1)
            else f"{scaled}+{size_piece(a).text}"
            if k > 0
            else f"{size_piece(a).text}{scaled}"
        )
        marks.append(moved)
    return [(node.args[0], _separated(marks))], _first


def _bare(c: str) -> str:
    """An index without the comma behind it."""
    return c.rstrip(", ")


def _scaled(c: str, k: int) -> str:
    """k times an index."""
    return c if k == 1 else f"{k}{c}" if c.isalnum() or c.startswith("\\") else f"{k}({c})"


def _separated(marks: list[str]) -> Index:
    """Indices of one letter stand side by side, others between commas."""
    if all(len(m) <= 1 for m in marks):
        return tuple(marks)
    return tuple(m if i == len(marks) - 1 else f"{m}, " for i, m in enumerate(marks))


def _window(node: Node, index: Index, letters: Letters) -> Any:
    """x_{n, 2i+k, 2j+l, c}."""
    marks, axes = [_bare(c) for c in index], node["axes"]
    for axis, k, stride, dilation in zip(axes, offset_axes(axes), node["strides"], node["dilations"], strict=True):
        marks[axis] = f"{_scaled(marks[axis], stride)}+{_scaled(marks[k], dilation)}"
    del marks[axes[-1] + 1 : axes[-1] + 1 + len(axes)]
    return [(node.args[0], _separated(marks))], _first


def _overlap_add(node: Node, index: Index, letters: Letters) -> Any:
    r"""\sum_{ik: 2i+k=h} v_{nikc}."""
    (v,), axes = node.args, node["axes"]
    marks, offsets, bounds = [_bare(c) for c in index], [], []
    for axis, k, stride, dilation in zip(axes, offset_axes(axes), node["strides"], node["dilations"], strict=True):
        position, offset = letters.take(v.shape[axis]), letters.take(v.shape[k])
        bounds.append(f"{_scaled(position, stride)}+{_scaled(offset, dilation)}={marks[axis]}")
        marks[axis] = position
        offsets.append(offset)
    running = "".join([*(marks[a] for a in axes), *offsets]) + r":\ " + r",\ ".join(bounds)
    inner = [*marks[: axes[-1] + 1], *offsets, *marks[axes[-1] + 1 :]]
    return [(v, _separated(inner))], lambda pieces: _over(r"\sum", running, pieces[0])


def _cumsum(node: Node, index: Index, letters: Letters) -> Any:
    r"""\sum_{j \le i} x_{j}, or from i to the end."""
    (x,), axis = node.args, node["axis"]
    running = letters.take(x.shape[axis])
    relation = r"\ge" if node["reverse"] else r"\le"
    bound = f"{running} {relation} {index[axis].rstrip(', ')}"
    inner = tuple(running if i == axis else c for i, c in enumerate(index))
    return [(x, inner)], lambda pieces: _over(r"\sum", bound, pieces[0])


def _number(node: Node, index: Index, letters: Letters) -> Any:
    """A number in the kind of an operand that is not shown."""
    return [], lambda pieces: numeral(node["value"])


def _iota(node: Node, index: Index, letters: Letters) -> Any:
    return [], lambda pieces: Piece(index[0] or "0", ATOM)


_RULES: dict[str, Callable[[Node, Index, Letters], Any]] = {
    "broadcast": _spread,
    "named": _spread,
    "reshape": _reshape,
    "transpose": _transpose,
    "einsum": _einsum,
    "slice": _slice,
    "window": _window,
    "overlap_add": _overlap_add,
    "iota": _iota,
    "constant_like": _number,
    "cumsum": _cumsum,
    "sum": _reduced(r"\sum", True),
    "prod": _reduced(r"\prod", True),
    "max_reduce": _reduced(r"\max", False),
    "min_reduce": _reduced(r"\min", False),
}
