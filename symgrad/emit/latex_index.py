r"""Formulas with indices and sums: z_{nj} = \sum_{k} X_{nk} W_{kj}.

In: a node, a place for each of its axes, a ``Naming``. Out: a piece for one element, as the op states it in
``Op.element`` or by its ``definition``; an element-wise op is printed on elements. What has no such form is written as
a matrix with an index behind. Letters: n, m, ... for axes of symbolic size, i, j, k, ... for others, none that a name
already uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import pairwise

from symgrad.emit.latex import piece, write
from symgrad.emit.latex_choices import indicator
from symgrad.emit.latex_literals import size_piece
from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_pieces import (
    ATOM,
    FUNCTION,
    POWER,
    PRODUCT,
    Piece,
    added,
    at_least,
    big,
    multiplied,
    named_piece,
    raised,
    subscripted,
)
from symgrad.ir.element import Bound, Element, Index, Picked, Place, at, letter
from symgrad.ir.node import Node
from symgrad.ir.types import AnySize, Shape, Size
from symgrad.ops.elements import aligned

Wanted = list[tuple[Node, Index]]
Plan = tuple[Wanted, Callable[[list[Piece]], Piece]]
_OWN_INDEX = re.compile(r"(.*_\{[^{}]*)\}(\^\{[^_]*\})?")
_SYMBOLIC, _KNOWN = "nmrst", "ijklpquvw"
_SUM = re.compile(r"\\sum_\{([a-z]+)\} (.*)")
_SUMS = {"sum": r"\sum", "prod": r"\prod"}
_RELATIONS = {"<=": r"\le", ">=": r"\ge", "!=": r"\ne", "=": "=", "<": "<"}


class Letters:
    """Index letters of one line."""

    def __init__(self, naming: Naming, avoid: Iterable[str] = ()) -> None:
        self._free = naming.is_free
        self._used: set[str] = set(avoid)
        self._sizes: dict[Place, AnySize] = {}
        self._limits: dict[Place, set[AnySize]] = {}
        self._printed: set[str] = set()

    def take(self, size: AnySize) -> Place:
        """A letter that this line has not used."""
        pools = (_KNOWN, _SYMBOLIC) if isinstance(size, int) else (_SYMBOLIC, _KNOWN)
        numbered = (f"{c}_{{{n}}}" for n in range(1, 1000) for c in _KNOWN)
        found = next(c for pool in (*pools, numbered) for c in pool if c not in self._used and self._free(c))
        self._used.add(found)
        place = letter(found)
        self._sizes[place] = size
        return place

    def read(self, shape: Shape, index: Index) -> None:
        """Elements of something with a name are read: where an index says how far a letter runs."""
        for n, p in zip(shape, index, strict=True):
            if len(p.terms) == 1:
                (k, c), start = p.terms[0], p.offset
                limit = n - start if k == 1 else start + 1 if k == -1 else (n - start + k - 1) // k if k > 0 else None
                self._limits.setdefault(Place(((1, c),)), set()).add(-1 if limit is None else limit)

    def is_clear(self, place: Place) -> bool:
        """Whether what was read says how far a letter runs."""
        return self._sizes.get(place) in self._limits.get(place, ())

    def bound(self, place: Place) -> Bound:
        """How far a letter runs."""
        size = self._sizes[place]
        self._printed.update(size.names() if isinstance(size, Size) else ())
        return Bound(place, "<", at(size))

    @property
    def mistaken(self) -> set[str]:
        """Letters that look like a size which this line says."""
        return self._used & self._printed

    def index(self, shape: Shape, repeated: Container[int] = ()) -> Index:
        """One for each axis; 0 along an axis of length 1 that is only repeated."""
        return tuple(at(0) if i in repeated else self.take(n) for i, n in enumerate(shape))


def element(node: Node, index: Index, naming: Naming, letters: Letters, expand: bool = False) -> Piece:
    """One element of a node; named parts appear by name, the node itself too unless ``expand``."""
    root = (node, index)
    done: dict[tuple[Node, Index], Piece] = {}
    plans: dict[tuple[Node, Index], Plan] = {}
    stack = [root]
    while stack:
        here = stack[-1]
        if here in done:
            stack.pop()
            continue
        name = None if expand and here == root and node.args else naming.of(here[0])
        if name is not None:
            letters.read(here[0].shape, here[1])
            done[here] = with_index(name.latex, name.raised, here[1])
            continue
        if here not in plans:
            plans[here] = _plan(here, naming, letters, expand and here == root)
        wanted, make = plans[here]
        missing = [w for w in wanted if w not in done]
        if missing:
            stack.extend(reversed(missing))
            continue
        done[here] = make([done[w] for w in wanted])
    return done[root]


def with_index(latex: str, is_raised: bool, index: Index) -> Piece:
    r"""W^{(2)}_{ij}, v_{1, ij}, \frac{\partial J}{\partial W^{(2)}_{ij}}."""
    text = index_text(index)
    if not text:
        return named_piece(latex, is_raised)
    if latex.startswith(r"\frac"):
        inner = latex[latex.index("}{") + 2 : -1]
        return named_piece(f"{latex[: -1 - len(inner)]}{_indexed(inner, text)}}}", False)
    return Piece(_indexed(latex, text), POWER if is_raised else ATOM)


def _indexed(latex: str, text: str) -> str:
    own = _OWN_INDEX.fullmatch(latex)
    return f"{own[1]}, {text}}}{own[2] or ''}" if own else f"{latex}_{{{text}}}"


def index_text(index: Index) -> str:
    """Places side by side where each is one letter, else between commas."""
    marks = [place_text(p) for p in index]
    digits = any(a.isdigit() and b.isdigit() for a, b in pairwise(marks))
    return "".join(marks) if all(len(m) == 1 for m in marks) and not digits else ", ".join(marks)


def place_text(place: Place) -> str:
    """2i+k+1, n-1-i, k_{m}: what is added stands before what is subtracted."""
    parts = [(k, _scaled(abs(k), c)) for k, c in place.terms if isinstance(c, str)]
    offset = place.offset
    if not parts or offset != 0:
        text = size_piece(offset).text
        parts.insert(0 if any(k < 0 for k, _ in parts) else len(parts), (-1, text[1:]) if text[0] == "-" else (1, text))
    parts.sort(key=lambda part: part[0] < 0)
    return "".join(("-" if k < 0 else "+" if i else "") + text for i, (k, text) in enumerate(parts))


def _scaled(k: int, c: str) -> str:
    """k times a letter."""
    return c if k == 1 else f"{k}{c}" if c.isalnum() or c.startswith("\\") else f"{k}({c})"


def _plan(here: tuple[Node, Index], naming: Naming, letters: Letters, expand: bool) -> Plan:
    """(the elements that one element is made of, how)."""
    node, index = here
    op = node.op
    if op.definition is not None:
        return [(op.definition(node), index)], _first
    found = op.element(node, index, letters.take) if op.element is not None else None
    if found is not None:
        elements = found if isinstance(found, tuple) else (found,)
        return _read([_resolved(e, node, naming, letters) for e in elements], node, letters)
    if op.name == "iota":
        return [], lambda pieces: Piece(place_text(index[0]), ATOM)
    if op.kind in ("elementwise", "identity") and (node.args or not node.shape):
        inner: Sequence[Node] = () if op.name == "constant_like" else node.args  # the operand is not shown
        wanted = [(a, aligned(a.shape, node.shape, index)) for a in inner]
        return wanted, lambda pieces: write(node, pieces, naming)
    whole, text = piece(node, naming, expand), index_text(index)
    return [], lambda pieces: subscripted(whole, text) if text else whole


def _first(pieces: list[Piece]) -> Piece:
    return pieces[0]


def _resolved(e: Element, node: Node, naming: Naming, letters: Letters) -> Element:
    """The element with positions that an argument holds written as that argument's elements."""

    def place(p: Place) -> Place:
        terms = []
        for k, c in p.terms:
            if isinstance(c, Picked):
                c = element(node.args[c.argument], tuple(map(place, c.index)), naming, letters).text
            terms.append((k, c))
        whole = p.terms and all(isinstance(c, str) and c.isdigit() for _, c in terms)
        return at(p.offset + sum(k * int(str(c)) for k, c in terms)) if whole else Place(tuple(terms), p.offset)

    def bounds(given: tuple[Bound, ...]) -> tuple[Bound, ...]:
        return tuple(Bound(place(b.left), b.relation, place(b.right)) for b in given)

    reads = tuple((i, tuple(map(place, index))) for i, index in e.reads)
    return Element(reads, e.over, e.running, bounds(e.bounds), bounds(e.when))


def _read(elements: list[Element], node: Node, letters: Letters) -> Plan:
    """What several elements read, and their sum."""
    wanted = [(node.args[i], index) for e in elements for i, index in e.reads]

    def make(pieces: list[Piece]) -> Piece:
        rest, total = iter(pieces), None
        for e in elements:
            own = _joined(e, [next(rest) for _ in e.reads], letters)
            total = own if total is None else added(total, own)
        assert total is not None
        return total

    return wanted, make


def _joined(e: Element, pieces: list[Piece], letters: Letters) -> Piece:
    """One element from what it reads."""
    body, *rest = pieces
    for p in rest:
        body = raised(body, "2") if p == body else multiplied(body, p)
    if e.when:
        body = multiplied(Piece(indicator(_conditions(e.when)), ATOM), body)
    if not e.over:
        return body
    running = "".join(map(place_text, e.running))
    bounds = (*e.bounds, *(letters.bound(p) for p in e.running if not (e.bounds or letters.is_clear(p))))
    if bounds:
        plain = len(bounds) == 1 and len(e.running) == 1 and bounds[0].left == e.running[0]
        running = _conditions(bounds) if plain else rf"{running}:\ {_conditions(bounds)}"
    if e.over in _SUMS:
        inner = _SUM.fullmatch(body.big) if e.over == "sum" and not bounds and not body.functions else None
        front = body.body.removesuffix(body.big).rstrip()
        if inner and "(" not in front:  # one sum over the letters of both
            whole = Piece(f"{front} {inner[2]}".strip(), PRODUCT, body.negative, body.lead)
            return big(rf"\sum_{{{running}{inner[1]}}}", whole)
        return big(f"{_SUMS[e.over]}_{{{running}}}", body)
    name = rf"\{e.over}" if e.over in ("max", "min") else rf"\operatorname{{{e.over}}}"
    return Piece(f"{name}_{{{running}}} {at_least(body, POWER)}", FUNCTION)


def _conditions(bounds: Sequence[Bound]) -> str:
    r"""1 \le i < 4, j = 0."""
    texts, rest = [], list(bounds)
    while rest:
        b = rest.pop(0)
        upper = next((c for c in rest if b.relation == ">=" and c.relation == "<" and c.left == b.left), None)
        if upper is not None:
            rest.remove(upper)
            texts.append(rf"{place_text(b.right)} \le {place_text(b.left)} < {place_text(upper.right)}")
        else:
            turned = b.relation == "=" and not b.left.terms  # the letter before the number
            left, right = (b.right, b.left) if turned else (b.left, b.right)
            texts.append(f"{place_text(left)} {_RELATIONS[b.relation]} {place_text(right)}")
    return r",\ ".join(texts)
