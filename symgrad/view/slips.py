"""What is wrong with a formula that differs from the right one: the first term that differs, and the nearest repair.

In: the claimed and the derived node, and points. Out: a Slip. Terms are matched by their values. A repair is one change
at one place (a sign, a square, a factor 2, e^-x for e^x, an inner derivative) that makes the claim right everywhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, build, constant, rebuild
from symgrad.ir.walk import substitute, topological, variables
from symgrad.view.digits import mismatch
from symgrad.view.points import Point
from symgrad.view.products import gathered

_CLOSE = 1e-9
_LOST = 1e-14  # of the largest value at any point
_MOST_PLACES = 60
_MOST_TERMS = 200
_MOST_EDITS = 2000
_MOST_VARIABLES = 8
_LARGEST_DENOMINATOR = 100


@dataclass(frozen=True, slots=True)
class Slip:
    """The first term that differs (None: it is missing), what stands there (None: nothing), and why."""

    term: Node | None
    expected: Node | None
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where formulas are compared, what factors may have been forgotten, and how a part is written."""

    points: Sequence[Point]
    factors: Sequence[Node]
    show: Callable[[Node], str]


def slip(claimed: Node, derived: Node, setting: Setting) -> Slip:
    """The first difference of two formulas of one shape that are not equal.

    A reason is given only where undoing that one slip makes the whole claim right at every point.
    """
    points = setting.points
    mine, right = terms(claimed), terms(derived)
    mine_left, right_left = _unmatched(mine, right, points)
    if not (mine_left or right_left):  # they differ in digits that are not looked at here
        return Slip(claimed, derived)
    if len(mine_left) == len(mine) != len(right) == len(right_left):  # nothing corresponds: a product beside a sum
        return Slip(claimed, derived, _repair(claimed, derived, setting) or _ratio(claimed, derived, points))
    term = mine_left[0] if mine_left else None
    expected = right_left[0] if right_left else None
    hint = ""
    if term is not None and expected is not None:
        expected = _counterpart(term, right_left, points)
        if len(mine_left) == len(right_left) == 1:
            hint = _repair(term, expected, setting) or _ratio(term, expected, points)
    return Slip(term, expected, hint or _repair(claimed, derived, setting))


def terms(node: Node) -> list[Node]:
    """The additive terms, in the order in which they are written, signs folded in."""
    found: list[Node] = []
    stack = [(node, 1)]
    while stack and len(found) < _MOST_TERMS:
        n, sign = stack.pop()
        name = n.op.name
        if name in ("add", "sub"):
            a, b = n.args
            stack += [(b, -sign if name == "sub" else sign), (a, sign)]
        elif name in ("neg", "named"):
            stack.append((n.args[0], -sign if name == "neg" else sign))
        else:
            found.append(n if sign > 0 else -n)
    return found


def _unmatched(mine: list[Node], right: list[Node], points: Sequence[Point]) -> tuple[list[Node], list[Node]]:
    """Both lists without the pairs of equal values."""
    values = _values([*mine, *right], points)
    open_right = list(range(len(right)))
    left_over = []
    for i, term in enumerate(mine):
        match = next((j for j in open_right if _equal(values[i], values[len(mine) + j])), None)
        if match is None:
            left_over.append(term)
        else:
            open_right.remove(match)
    return left_over, [right[j] for j in open_right]


def _values(nodes: Sequence[Node], points: Sequence[Point]) -> list[list[np.ndarray]]:
    """For each node its values at the points."""
    return [list(column) for column in zip(*(evaluate(nodes, p) for p in points), strict=True)]


def _equal(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    with np.errstate(all="ignore"):
        return all(np.shape(x) == np.shape(y) and mismatch(x, y) <= _CLOSE for x, y in zip(a, b, strict=True))


def _counterpart(term: Node, right: Sequence[Node], points: Sequence[Point]) -> Node:
    """The term that is meant: a constant multiple if there is one, else the first that is left."""
    return next((r for r in right if _constant_ratio(term, r, points) is not None), right[0])


def _constant_ratio(a: Node, b: Node, points: Sequence[Point]) -> float | None:
    with np.errstate(all="ignore"):
        try:
            both = [np.broadcast_arrays(*map(np.asarray, v)) for v in zip(*_values([a, b], points), strict=True)]
        except ValueError:
            return None
        ratios = np.concatenate([(y / x)[(x != 0) | (y != 0)].ravel() for x, y in both])
    if not ratios.size or not np.all(np.isfinite(ratios)):
        return None
    return float(ratios[0]) if np.all(np.abs(ratios - ratios[0]) <= _CLOSE * abs(ratios[0])) else None


def _ratio(a: Node, b: Node, points: Sequence[Point]) -> str:
    k = _constant_ratio(a, b, points)
    if k is None or k == 0.0 or abs(k - 1.0) <= _CLOSE:
        return ""
    if abs(k + 1.0) <= _CLOSE:
        return "the sign is wrong"
    factor = Fraction(k).limit_denominator(_LARGEST_DENOMINATOR)
    if abs(factor.numerator) > _LARGEST_DENOMINATOR or abs(float(factor) - k) > _CLOSE * abs(k):
        return ""  # no factor that is forgotten, but a constant that is off
    return f"it lacks the factor {factor}" if abs(k) >= 1.0 else f"it has the factor {1 / factor} too many"


def _repair(claimed: Node, derived: Node, setting: Setting) -> str:
    """The change at one place that makes the claim right, in words; "" where none does."""
    points, show = setting.points, setting.show
    parts = [f for f in setting.factors if _constant_ratio(f, derived, points) is None]  # not the answer itself
    setting = replace(setting, factors=parts)
    wanted = _values([derived], points)[0]
    others = [v for v in variables([claimed, derived]) if v.dtype == "real"][:_MOST_VARIABLES]
    for (parent, i), new, words in itertools.islice(_edits(claimed, others, setting), _MOST_EDITS):
        repaired = new if parent is None else _with_argument(claimed, parent, i, new)
        if repaired is not None and repaired.shape == derived.shape and _is(repaired, wanted, points):
            within = "" if parent is None or parent is claimed else f" in {show(parent)}"
            return words.format(show(claimed if parent is None else parent.args[i])) + within
    return ""


def _with_argument(root: Node, parent: Node, i: int, new: Node) -> Node | None:
    """The formula with one argument of one node changed; None where the shapes do not allow it."""
    if new.shape != parent.args[i].shape:
        return None
    changed = rebuild(parent, (*parent.args[:i], new, *parent.args[i + 1 :]))
    return substitute([root], {parent: changed})[0]


def _is(node: Node, wanted: Sequence[np.ndarray], points: Sequence[Point]) -> bool:
    """Whether a node has these values; the first point refuses most."""
    least = _LOST * max((float(np.max(np.abs(w), initial=0.0)) for w in wanted), default=0.0)
    with np.errstate(all="ignore"):
        return all(_near(evaluate([node], p)[0], w, least) for p, w in zip(points, wanted, strict=True))


def _near(a: np.ndarray, b: np.ndarray, least: float) -> bool:
    """Equal, or apart by what 1 - sigmoid(30) loses."""
    return mismatch(a, b) <= _CLOSE or float(np.max(np.abs(np.asarray(a) - np.asarray(b)), initial=0.0)) <= least


_EDITS: tuple[tuple[str, Callable[[Node], Node]], ...] = (
    ("the sign of {} is wrong", lambda n: -n),
    ("the square of {} is lost", lambda n: build("square", n)),
    ("a factor 2 is lost at {}", lambda n: constant(2.0) * n),
    ("there is a factor 2 too many at {}", lambda n: constant(0.5) * n),
    ("{} should be its reciprocal", lambda n: build("reciprocal", n)),
    ("{} should be taken from 1", lambda n: constant(1.0) - n),
    ("{} should be its square root", lambda n: build("sqrt", n)),
)


def _edits(
    claimed: Node, others: Sequence[Node], setting: Setting
) -> Iterator[tuple[tuple[Node | None, int], Node, str]]:
    """Every change at every place (a node's argument, or the whole): exponents first, then from the outside in."""
    nodes = [n for n in reversed(topological([claimed])) if n.dtype == "real"][:_MOST_PLACES]
    places: list[tuple[Node | None, int, Node]] = [(None, 0, claimed)]
    places += [(n, i, a) for n in nodes for i, a in enumerate(n.args) if a.dtype == "real"]
    for n, i, a in places:
        if n is not None and n.op.name == "exp":
            yield (n, i), -a, "the sign of the exponent {} is wrong"
    for n, i, a in places:
        if a.op.name == "square":
            yield (n, i), a.args[0], "{} should not be squared"
        if a.op.name != "constant":
            yield from (((n, i), change(a), words) for words, change in _EDITS)
        if a.op.name == "variable":
            yield from (
                ((n, i), v, "{} should be " + setting.show(v)) for v in others if v is not a and v.shape == a.shape
            )
    for n, i, a in places:
        for factor in setting.factors if a.op.name != "constant" else ():  # 1 times the answer explains nothing
            if factor.shape in ((), a.shape):
                written = setting.show(gathered(factor)).replace("{", "{{").replace("}", "}}")
                yield (n, i), a * factor, f"the factor {written} is lost at {{}}"
                yield (n, i), a / factor, f"the factor {written} is too many at {{}}"
