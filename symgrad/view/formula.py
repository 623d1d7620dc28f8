"""Is my hand gradient right? ``check_formula(f, wrt, claimed)``.

In: a tensor, a variable or named intermediate, and a claim: text, a SymPy expression, a tensor or a NumPy function.
Out: a FormulaReport: equal (proved, or at how many random points to how many digits), or the first term that differs
with a point where it differs, both values, and the derivation's own step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import CallError, ExpressionError
from symgrad.frontend.sympy import from_sympy, is_sympy
from symgrad.frontend.tensor import Tensor, as_node
from symgrad.frontend.text import parse
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, build, constant
from symgrad.ir.show import label, printable
from symgrad.ir.types import named
from symgrad.ir.walk import depends, named_sizes, substitute, topological, variables
from symgrad.ops.leaf import cast
from symgrad.ops.shape import broadcast
from symgrad.passes.differentiate import gradient, jacobian
from symgrad.passes.names import strip
from symgrad.passes.simplify import simplify
from symgrad.view.agreement import agreement, plain_value, shown_point
from symgrad.view.claims import against_function
from symgrad.view.comparison import Comparison, FormulaReport
from symgrad.view.digits import MOST_DIGITS, referenced
from symgrad.view.infix import infix
from symgrad.view.points import Point
from symgrad.view.products import gathered
from symgrad.view.proof import prove
from symgrad.view.slips import Setting, slip

_MOST_FACTORS = 16


def check_formula(f: Any, wrt: Any, claimed: Any, *, seed: int = 0) -> FormulaReport:
    """Compare a hand-written derivative of f with the derived one.

    ``wrt`` is a variable or a named intermediate, or a list of them (then ``claimed`` is a list too); a dict of claims
    names its own (``wrt`` is then ignored). In text, names are f's variables and named intermediates. A derivative of a
    tensor is its Jacobian, or where that is diagonal also its diagonal. Named sizes differ from point to point, and
    there are points on both sides of every threshold that f or the claim holds.

    >>> report = check_formula("(x + y)*z", "x", "z")
    >>> report.equal, report.proved
    (True, True)
    >>> print(check_formula("x**2", "x", "x"))
    df/dx = x: wrong
      your term   x
      should be   2*x
      because     a factor 2 is lost at x
      derivation  df/dx = 2*x
      at          x=0.126
      claimed     0.126
      derived     0.252

    Raises:  CallError for what f does not hold; NumericError where no point is found at which f is finite
    """
    node = parse(f).node if isinstance(f, str) else as_node(f)
    known = _known(node)
    if isinstance(claimed, Mapping):
        pairs = list(claimed.items())
    elif isinstance(wrt, (list, tuple)):
        if not isinstance(claimed, (list, tuple)) or len(claimed) != len(wrt):
            raise CallError(
                "check_formula needs one claim for each variable",
                ("variables", str(len(wrt))),
                fix="give a list of as many claims, or a dict",
            )
        pairs = list(zip(wrt, claimed, strict=True))
    else:
        pairs = [(wrt, claimed)]
    return FormulaReport(tuple(_compared(node, _variable(x, known), claim, known, seed) for x, claim in pairs))


def _known(f: Node) -> dict[str, Node]:
    """Variables and named intermediates by name; variables win."""
    named = {n["name"]: n for n in reversed(topological([f])) if n.op.name == "named"}
    return named | {v["variable"].name: v for v in variables([f])}


def _variable(x: Any, known: Mapping[str, Node]) -> Node:
    if isinstance(x, str) or is_sympy(x):
        if str(x) not in known:
            raise CallError(
                f"the formula holds no {printable(str(x))!r}",
                ("it holds", ", ".join(map(printable, known))),
                fix="name one of these",
            )
        return known[str(x)]
    return as_node(x)


def _compared(f: Node, x: Node, claim: Any, known: Mapping[str, Node], seed: int) -> Comparison:
    derived = gradient(f, [x])[0] if not f.shape else jacobian(f, x)
    name = f"d{_short(f)}/d{_short(x)}"
    if callable(claim) and not isinstance(claim, Tensor) and not is_sympy(claim):
        return against_function(name, (strip([f])[0][0], _neat(derived), strip([derived])[0][0]), claim, seed)
    mine = _claimed(claim, known)
    if derived.op.name == "diagonal_matrix" and mine.shape == derived.args[0].shape:
        derived = derived.args[0]
    derived = _neat(derived)
    if mine.shape != derived.shape and mine.shape == ():
        mine = broadcast(mine, derived.shape)
    if mine.shape != derived.shape:
        turned = mine.shape == tuple(reversed(derived.shape))
        hint = f"a derivative has the shape {_shape(derived)}, the claim {_shape(mine)}" + (
            ": transpose it" if turned else ""
        )
        (_,), table, _ = strip([f])
        names = {n: text for n, (text, _) in table.items()}
        return Comparison(name, _write(strip([mine])[0][0], names), _write(derived, names), False, hint=hint)
    return _against_node(name, f, x, (derived, mine), seed)


def _short(x: Node) -> str:
    return printable(x["name"]) if x.op.name == "named" else label(x) if x.op.name == "variable" else "f"


def _shape(x: Node) -> str:
    return "(" + ", ".join(map(str, x.shape)) + ")"


def _claimed(claim: Any, known: Mapping[str, Node]) -> Node:
    """The claim as a node on f's own variables."""
    if isinstance(claim, str):
        node = parse(claim, {name: Tensor(n) for name, n in known.items()}).node
    elif is_sympy(claim):
        node = from_sympy(claim).node
    else:
        node = as_node(claim)
    mine = set(known.values())
    strange = [v for v in variables([node]) if v not in mine]
    swap = {v: known[v["variable"].name] for v in strange if v["variable"].name in known}
    unknown = [v["variable"].name for v in strange if v not in swap]
    if unknown:
        raise ExpressionError(
            f"the claim holds {printable(unknown[0])!r}, which the formula does not",
            ("the formula holds", ", ".join(map(printable, known))),
        )
    return substitute([node], swap)[0]


def _neat(node: Node) -> Node:
    (plain,), _, _ = strip([node])
    return simplify([plain])[plain]


def _against_node(name: str, f: Node, x: Node, pair: tuple[Node, Node], seed: int) -> Comparison:
    derived, mine = pair
    (plain_f, plain), table, _ = strip([f, mine])
    names = {n: text for n, (text, _) in table.items()} | {
        n: n["name"] for n in topological([mine]) if n.op.name == "named"
    }
    written = _write(mine, names), _write(derived, names)
    lost = _factors(plain_f, strip([x])[0][0], derived)
    tested = referenced([plain, derived, plain_f, *table, *lost])
    found, digits, wrong = agreement(tested[0], tested[1], tested[2], seed)
    if wrong is None:
        proved = prove(mine, derived)
        return Comparison(name, *written, True, proved, MOST_DIGITS if proved else digits, len(found))
    read = dict(zip(tested[3 : 3 + len(table)], (text for text, _ in table.values()), strict=True))
    found = [wrong, *(p for p in found if p is not wrong)]  # the point that refuses most comes first
    setting = Setting(_finite(tested, found), tested[3 + len(table) :], lambda n: _write(n, read))
    first = slip(tested[0], tested[1], setting)
    a, b = evaluate(tested[:2], wrong)
    return Comparison(
        name,
        *written,
        equal=False,
        points=len(found),
        counterexample=shown_point(wrong),
        claimed_value=plain_value(a),
        derived_value=plain_value(b),
        term="nothing" if first.term is None else _write(first.term, read),
        expected="nothing" if first.expected is None else _write(gathered(first.expected), read),
        hint=first.hint,
    )


def _factors(f: Node, x: Node, derived: Node) -> list[Node]:
    """What a chain rule by hand may have dropped: the inner derivatives, and the parts of the derived formula."""
    inner = [
        n
        for n in topological([f])
        if n in depends([f], [x]) and n is not f and n is not x and not n.shape and not x.shape
    ]
    slopes = [_neat(gradient(n, [x])[0]) for n in inner[-_MOST_FACTORS:] if n.dtype == "real"]
    parts = [n for n in reversed(topological([derived])) if n.dtype == "real"]
    lengths = [build("size", size=named(n)) for n in named_sizes([derived])]
    means = [constant(k) / cast(n, "real") for n in lengths for k in (1.0, 2.0)]  # of a mean, and a mean of squares
    found = dict.fromkeys([*slopes, *means, *parts[:_MOST_FACTORS]])
    return [n for n in found if n.op.name not in ("constant", "broadcast")]


def _write(node: Node, names: Mapping[Node, str]) -> str:
    """A node in the reader's names; what it is itself called does not tell what it is."""
    return infix(node, {n: text for n, text in names.items() if n is not node})


def _finite(tested: Sequence[Node], found: Sequence[Point]) -> list[Point]:
    """The points at which the claim has a value too."""
    good = [p for p in found if np.all(np.isfinite(evaluate([tested[0]], p)[0]))]
    return good or list(found)
