"""Operation counts of a function: how many additions, products, divisions and calls, in its sizes.

In: a Function. Out: kind -> count, where a count is a polynomial with rational coefficients in sizes
(``Count``). A body is counted once and multiplied by the number of rounds of its loop; both arms of a branch
are counted. Exact where bounds are linear in outer loop variables; index arithmetic is not counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from symgrad.emit.scalar import text
from symgrad.ir.expression import Expr
from symgrad.ir.program import Accumulate, Assign, Call, Function, If, Loop, Return, Statement, Store

Count = dict[tuple[str, ...], Fraction]  # product of atoms, sorted -> coefficient

# Kinds in the order of the table. Signs, comparisons and roundings of bits cost next to nothing beside these.
KINDS = {"add": "add", "sub": "add", "mul": "mul", "fma": "fma", "div": "div", "sqrt": "sqrt"}
_ORDER = ("add", "mul", "fma", "div", "sqrt")
NOTHING: Mapping[str, Count] = {}
_REALS = ("f64", "f32")


def count(function: Function) -> dict[str, Count]:
    """Operations of each kind, basis operations first, then calls by name."""
    totals: dict[str, Count] = {}
    known: dict[str, Count] = {}
    for statement, loops in _visit(function.body):
        if isinstance(statement, Assign) and statement.expr.dtype == "i64":
            _remember(statement, known)
        rounds: Count = {(): Fraction(1)}
        own = _operations(statement)
        for loop in reversed(loops if own else ()):
            rounds = _sum_over(rounds, loop, known)
        for kind, number in own.items():
            totals[kind] = _plus(totals.get(kind, {}), rounds, Fraction(number))
    found = {kind: total for kind, total in totals.items() if total}
    return {kind: found[kind] for kind in (*_ORDER, *sorted(set(found) - set(_ORDER))) if kind in found}


def weight(function: Function) -> int:
    """Statements and operations of a function's text, whatever the rounds of its loops: what a compiler must read."""
    return sum(1 + sum(_operations(statement).values()) for statement, _ in _visit(function.body))


def shown(counts: dict[str, Count]) -> str:
    """One line of the table.

    >>> shown({"mul": {("n",): Fraction(3)}, "exp": {(): Fraction(1)}})
    '3*n mul, 1 exp'
    """
    return ", ".join(f"{_polynomial(number)} {kind}" for kind, number in counts.items()) or "none"


def _visit(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, tuple[Loop, ...]]]:
    """Every statement with the loops around it, outermost first."""
    stack: list[tuple[Statement, tuple[Loop, ...]]] = [(s, ()) for s in reversed(body)]
    while stack:
        statement, loops = stack.pop()
        yield statement, loops
        if isinstance(statement, Loop):
            stack.extend((s, (*loops, statement)) for s in reversed(statement.body))
        elif isinstance(statement, If):
            stack.extend((s, loops) for s in reversed(statement.body + statement.orelse))


def _operations(statement: Statement) -> dict[str, int]:
    """What one execution of the statement itself does."""
    found: dict[str, int] = {}
    if isinstance(statement, Call) and statement.kernel not in ("flat", "reshape", "row", "rows"):
        found[statement.kernel] = 1
    if isinstance(statement, Accumulate) and statement.op in KINDS:
        found[KINDS[statement.op]] = 1
    stack = _expressions(statement)
    while stack:
        expr = stack.pop()
        kind = str(expr.value) if expr.op == "call" else KINDS.get(expr.op) if expr.dtype in _REALS else None
        if kind:
            found[kind] = found.get(kind, 0) + 1
        if expr.op != "load":
            stack.extend(expr.args)
    return found


def _expressions(statement: Statement) -> list[Expr]:
    if isinstance(statement, Assign | Store | Accumulate):
        return [statement.expr]
    if isinstance(statement, If):
        return [statement.condition]
    found, stack = [], list(statement.values) if isinstance(statement, Return) else []
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(item)
        elif isinstance(item, Expr):
            found.append(item)
    return found


def _remember(statement: Assign, known: dict[str, Count]) -> None:
    """An integer that is computed from sizes is counted as what it is (total = n*m), a size itself by its name."""
    number = measure(statement.expr, known)
    if all(atom.isidentifier() for atoms in number for atom in atoms):
        known[statement.target] = number


def _sum_over(body: Count, loop: Loop, known: Mapping[str, Count]) -> Count:
    """The sum of the body's count over the rounds of a loop: rounds * (value at the middle), exact where linear."""
    start, stop = measure(loop.start, known), measure(loop.stop, known)
    rounds = _scaled(_plus(stop, start, Fraction(-1)), Fraction(1, loop.step))
    middle = _scaled(_plus(_plus(start, stop), {(): Fraction(-loop.step)}), Fraction(1, 2))
    total: Count = {}
    for atoms, coefficient in body.items():
        rest = tuple(a for a in atoms if a != loop.var)
        term: Count = {rest: coefficient}
        for _ in range(len(atoms) - len(rest)):
            term = _times(term, middle)
        total = _plus(total, term)
    return _times(total, rounds)


def measure(expr: Expr, known: Mapping[str, Count] = NOTHING) -> Count:
    """An integer expression as a polynomial; a//m is (a - a % m)/m, so that blocks and tails add up again.

    The last block counts as the part it is: (a + m-1)//m is a/m, and of a choice (the end of a block, or of
    all) the value with fewer names counts, else the first.
    """
    done: list[Count] = []
    stack = [(expr, False)]
    while stack:
        e, ready = stack.pop()
        if e.op == "select" and not ready:
            stack += [(e, True), (e.args[2], False), (e.args[1], False)]
        elif e.op == "select":
            done[-2:] = [min(done[-2:], key=lambda c: len({a for atoms in c for a in atoms}))]
        elif e.op == "const":
            done.append(_plus({}, {(): Fraction(int(e.value))}))  # type: ignore[call-overload]
        elif e.op == "var" and e.value in known:
            done.append(known[str(e.value)])
        elif e.op not in ("add", "sub", "mul", "neg", "floordiv"):
            done.append({(text(e),): Fraction(1)})
        elif not ready:
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args))
        else:
            parts = done[len(done) - len(e.args) :]
            del done[len(done) - len(e.args) :]
            done.append(_combine(e, parts))
    return done[0]


def _combine(expr: Expr, parts: list[Count]) -> Count:
    left, right = parts[0], parts[-1]
    if expr.op == "neg":
        return _scaled(left, Fraction(-1))
    if expr.op == "mul":
        return _times(left, right)
    if expr.op != "floordiv":
        return _plus(left, right, Fraction(1 if expr.op == "add" else -1))
    if list(right) != [()]:
        return {(text(expr),): Fraction(1)}
    divisor = right[()]
    if all(c % divisor == 0 for c in left.values()):
        return _scaled(left, 1 / divisor)
    if len(left) > 1 and left.get(()) == divisor - 1:
        return _scaled(_plus(left, {(): 1 - divisor}), 1 / divisor)
    remainder = text(Expr("mod", expr.args, expr.dtype))
    return _scaled(_plus(left, {(remainder,): Fraction(-1)}), 1 / divisor)


def _plus(a: Count, b: Count, factor: Fraction = Fraction(1)) -> Count:
    total = dict(a)
    for atoms, coefficient in b.items():
        total[atoms] = total.get(atoms, Fraction(0)) + factor * coefficient
    return {atoms: coefficient for atoms, coefficient in total.items() if coefficient}


def _scaled(a: Count, factor: Fraction) -> Count:
    return {atoms: factor * coefficient for atoms, coefficient in a.items()}


def _times(a: Count, b: Count) -> Count:
    total: Count = {}
    for atoms, coefficient in a.items():
        total = _plus(total, {tuple(sorted(atoms + more)): c for more, c in b.items()}, coefficient)
    return total


def _polynomial(number: Count) -> str:
    """Highest degree first, then by name."""
    terms: list[str] = []
    for atoms, c in sorted(number.items(), key=lambda item: (-len(item[0]), item[0])):
        factors = [a if a.isidentifier() else f"({a})" for a in atoms]
        factors = factors if abs(c.numerator) == 1 and atoms else [str(abs(c.numerator)), *factors]
        body = "*".join(factors) + (f"/{c.denominator}" if c.denominator > 1 else "")
        terms.append(("-" if c < 0 else "+" if terms else "") + body)
    return "".join(terms)
