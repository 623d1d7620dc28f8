"""Elements as statements: which values get a line of their own, and in which loop.

In: (node, index) pairs that a loop nest needs. Out: an expression for each, after the assignments it needs.
A value that depends on outer loop variables only is computed in the outer loop; one that is read
more than once gets a name; one that is read once stands in its reader as long as that stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symgrad.errors import UnsupportedError
from symgrad.ir.expression import Expr, apply, const, select, var
from symgrad.ir.node import Node
from symgrad.ir.program import Assign, Statement
from symgrad.lower.access import reads
from symgrad.lower.frame import Frame
from symgrad.lower.sizes import Axis, Flat, Index

Pair = tuple[Node, Index]
READABLE = 45  # characters of a value that may stand inside another


class Writer:
    """Writes the elements that one loop nest needs.

    ``levels`` gives the depth of each loop variable (from 1), ``bodies`` the statements of each depth,
    ``here`` the materialised nodes that this nest computes itself, ``uses`` readings from elsewhere.
    """

    def __init__(
        self,
        frame: Frame,
        levels: Mapping[str, int],
        bodies: list[list[Statement]],
        here: frozenset[Node] = frozenset(),
    ) -> None:
        self.frame, self.levels, self.bodies, self.here = frame, levels, bodies, here
        self.values: dict[Pair, Expr] = {}
        self.level: dict[Pair, int] = {}
        self.uses: dict[Pair, int] = {}
        self.held: set[Pair] = set()
        self._below: dict[Pair, list[Pair]] = {}  # children, during one run
        self._length: dict[int, int] = {}
        self._kept: list[Expr] = []  # what _length knows by identity stays alive

    def run(self, roots: list[Pair], depth: int, named: frozenset[Node] = frozenset()) -> list[Expr]:
        """The expressions of the roots, which are read at that depth; ``named`` nodes get their own line."""
        self._below.clear()
        order = self._discover(roots)
        self._place(order, roots, depth)
        final = {root for root in roots if self.uses[root] == 1}
        for pair in order:
            if pair not in self.values:
                self._write(pair, pair[0] in named, pair in final)
        return [self.values[root] for root in roots]

    def _discover(self, roots: list[Pair]) -> list[Pair]:
        """Every pair that the roots need, operands first; counts the readings of each."""
        order: list[Pair] = []
        seen: set[Pair] = set()
        stack = [(pair, False) for pair in reversed(roots)]
        self._count(roots)
        while stack:
            pair, ready = stack.pop()
            if ready:
                order.append(pair)
            elif pair not in seen:
                seen.add(pair)
                children = self.children(pair) if pair not in self.values else []
                self._count(children)
                stack.append((pair, True))
                stack.extend((child, False) for child in reversed(children))
        return order

    def _count(self, pairs: list[Pair]) -> None:
        for pair in pairs:
            self.uses[pair] = self.uses.get(pair, 0) + 1

    def children(self, pair: Pair) -> list[Pair]:
        """The elements that an element is computed from; none if it is at hand."""
        below = self._below.get(pair)
        if below is None:
            below = self._below[pair] = [] if self._is_leaf(pair) else reads(*pair)
        return below

    def _is_leaf(self, pair: Pair) -> bool:
        node = pair[0]
        if node.op.kind == "leaf" or node in self.frame.scalars:
            return True
        return node in self.frame.buffers and node not in self.here

    def _place(self, order: list[Pair], roots: list[Pair], depth: int) -> None:
        """The depth of every pair; one that is read deeper than it is computed gets a name."""
        for pair in order:
            children = self.children(pair) if pair not in self.values else []
            if pair not in self.level:
                self.level[pair] = max((self.level[c] for c in children), default=0)
                if self._is_leaf(pair):
                    self.level[pair] = self._own_level(pair)
            self.held.update(c for c in children if self.level[c] < self.level[pair])
        self.held.update(root for root in roots if self.level[root] < depth)

    def _own_level(self, pair: Pair) -> int:
        index = pair[1]
        names = [index.var] if isinstance(index, Flat) else [name for a in index for name, _ in a.terms]
        return max((self.levels.get(name, 0) for name in names), default=0) if pair[0].type.rank else 0

    def _write(self, pair: Pair, named: bool, final: bool) -> None:
        node, _ = pair
        expr = self._leaf(pair) if self._is_leaf(pair) else self._compute(pair)
        body = self.bodies[self.level[pair]]
        said = self._name(pair)
        if said is not None:
            expr = self._assign(said, expr, body, node)
        elif expr.op in ("const", "var"):
            pass
        elif named or self.uses[pair] > 1 or pair in self.held or (self.length(expr) > READABLE and not final):
            expr = self._assign(self.frame.fresh("t"), expr, body, node)
        self.values[pair] = expr

    def _name(self, pair: Pair) -> str | None:
        """The user's name for the element, if it is not the name of a buffer and not given already."""
        node = pair[0]
        if node.op.kind == "leaf" or node in self.frame.buffers or node in self.frame.scalars:
            return None
        name = self.frame.name(node)
        if name is None or name in self.frame.said:
            return None
        self.frame.said.add(name)
        return name

    def _assign(self, name: str, expr: Expr, body: list[Statement], node: Node) -> Expr:
        mark = self.frame.mark(node)
        if node in self.here:  # the comment stands at the store
            mark["note"] = ""
        body.append(Assign(name, expr, **mark))
        return var(name, expr.dtype)

    def _leaf(self, pair: Pair) -> Expr:
        node, index = pair
        if node in self.frame.scalars:
            return self.frame.scalars[node]
        if node.op.name == "size":
            return self.frame.size(node["size"])
        if node.op.name == "iota":
            return self.frame.place(Axis(index.var) if isinstance(index, Flat) else index[0])
        if node.op.name == "constant" and not node.type.rank:
            return self.frame.literal(node)
        return self.frame.element(node, index)

    def _compute(self, pair: Pair) -> Expr:
        node = pair[0]
        args = tuple(self.values[child] for child in self.children(pair))
        expr = code(node, args, self.frame.kind(node))
        return self._unshare(expr, pair) if expr.op not in ("const", "var") else expr

    def _unshare(self, expr: Expr, pair: Pair) -> Expr:
        """Name every part that the code of one operation uses twice."""
        order, readings = _parts(expr, self._length)
        if all(n == 1 for n in readings.values()):
            return expr
        new: dict[int, Expr] = {}
        for part in order:
            args = tuple(new.get(id(a), a) for a in part.args)
            fresh = part if args == part.args else replace(part, args=args)
            if readings.get(id(part), 0) > 1:
                fresh = self._assign(self.frame.fresh("t"), fresh, self.bodies[self.level[pair]], pair[0])
            new[id(part)] = fresh
        return new[id(expr)]

    def length(self, expr: Expr) -> int:
        """About how many characters the expression takes."""
        stack = [expr]
        while stack:
            part = stack[-1]
            missing = [a for a in part.args if id(a) not in self._length]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            own = 3 if part.op == "load" else 7 if part.value is None else len(str(part.value))
            self._length[id(part)] = own + sum(self._length[id(a)] + 1 for a in part.args)
            self._kept.append(part)
        return self._length[id(expr)]


def _parts(expr: Expr, known: Mapping[int, int]) -> tuple[list[Expr], dict[int, int]]:
    """The new parts of an expression, operands first, and how often each compound part is read.

    Parts whose length is known were written before, but count as read.
    """
    order: list[Expr] = []
    readings: dict[int, int] = {}
    stack = [(expr, False)]
    seen: set[int] = set()
    while stack:
        part, ready = stack.pop()
        if ready:
            order.append(part)
        elif id(part) not in seen:
            seen.add(id(part))
            stack.append((part, True))
            inside = part.args if part is expr or id(part) not in known else ()
            for a in [a for a in inside if a.op not in ("const", "var")]:
                readings[id(a)] = readings.get(id(a), 0) + 1
                stack.append((a, False))
    return order, readings


def code(node: Node, args: tuple[Expr, ...], dtype: str) -> Expr:
    """The expression of one element-wise operation; a change of index is its operand."""
    if node.op.kind == "index":
        return args[0]
    if node.op.name == "constant_like":
        return const(node["value"], dtype)
    if node.op.name == "cast":
        return cast(args[0], dtype)
    if node.op.row.code is None:
        raise UnsupportedError(f"{node.op.name} has no code")
    return node.op.row.spelled(args, node.params, dtype)


def cast(x: Expr, dtype: str) -> Expr:
    """A number as another kind; reals are cut towards zero."""
    if x.dtype == dtype:
        return x
    if dtype == "bool":
        return apply("ne", x, 0)
    if x.dtype == "bool":
        return select(x, const(1, dtype), const(0, dtype))
    if dtype == "i64":
        return apply("to_int", apply("widen", x) if x.dtype == "f32" else x)
    wide = apply("to_real", x)
    return apply("narrow", wide) if dtype == "f32" else wide
