"""Whether a rewritten formula is at least as good as the written one at a point, by exact arithmetic.

In: a graph of scalars, a point, the doubles that the written and the rewritten form give there. Out: None, or what
is wrong. The written form sets what must be kept, the exact value what may be better:

- the exact value is finite: a finite written value is kept, to ``ULPS`` or to what one rounding of the inputs changes,
  or no worse than it was written; where the written form overflowed, the rewritten one is right or still no number;
- it is infinite: the sign is kept; beside a zero, it is that of the side on which the zero's own sign lies;
- it is NaN (0/0, inf - inf, outside the domain): NaN, or the limit from inside the domain, where there is one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from symgrad.ir.node import Node
from tests.passes.extended import INF, NAN, REAL, ZERO, is_finite, number, value

ULPS = 4
_TEN = number(10.0)
_RATES = (420, 450)  # exponents that stand for "arbitrarily near": all doubles are far from them
_NUDGES = [sign * number(2.0**-k) for k in (52, 53, 54) for sign in (1, -1)]
Point = Mapping[Node, float]


def verdict(formula: Node, point: Point, written: float, rewritten: float) -> str | None:
    """None where the rewritten value is right; else the complaint."""
    if written == rewritten or (math.isnan(written) and math.isnan(rewritten)):
        return None
    given = {n: number(x) for n, x in point.items()}
    truth = value(formula, given)
    if REAL.isnan(truth):
        return _where_undefined(formula, given, written, rewritten)
    if math.isinf(float(truth)):
        return _where_infinite(formula, point, truth, (written, rewritten))
    return _where_finite(formula, given, truth, (written, rewritten))


SLOPE_DIGITS = 2.0**-36  # how many digits a slope keeps is counted by tests/corpus


def slope_verdict(formula: Node, slope: tuple[Node, Node], point: Point, pair: tuple[float, float]) -> str | None:
    """The same for (a variable, the gradient as written), where the value is finite.

    Few digits are asked for, of the slope, of the terms that it was written as, or of what the value moves by where
    the variable is doubled; but a slope is neither lost nor another one.
    """
    (x, g), (written, rewritten) = slope, pair
    if written == rewritten:
        return None
    given = {n: number(v) for n, v in point.items()}
    truth = value(g, given)
    if REAL.isnan(truth):
        known = limits(g, given)
        return None if not known or any(_is_close(rewritten, v) for v in known) else _if_better(rewritten)
    if not math.isfinite(float(truth)):
        lost = written == float(truth) and not (is_finite(truth) and not math.isfinite(rewritten))
        return "an infinite slope is lost" if lost else None
    if not math.isfinite(rewritten):
        return "a slope is lost" if math.isfinite(written) else None
    error, size = (
        _error(rewritten, truth),
        _terms(g, given) + abs(value(formula, given) / given[x] if given[x] else ZERO),
    )
    allowed = number(SLOPE_DIGITS) * size + _allowed(given, truth, written)
    return None if error <= allowed or _is_change(error, g, given, truth) else "another slope"


def _terms(slope: Node, given: dict) -> Any:
    """The sum of the magnitudes of the terms that a slope is the sum of."""
    total, stack = ZERO, [slope]
    while stack:
        node = stack.pop()
        if node.op.name in ("add", "sub", "neg"):
            stack.extend(node.args)
        else:
            total += abs(value(node, given))
    return total if is_finite(total) else ZERO


def _if_better(x: float) -> str | None:
    return None if math.isnan(x) else "not the slope that it tends to"


def _where_undefined(formula: Node, given: dict, written: float, rewritten: float) -> str | None:
    finite = all(map(is_finite, given.values()))
    if math.isnan(rewritten) or (finite and not math.isnan(written)):  # underflow had moved it into the domain
        return None
    if any(map(REAL.isnan, given.values())):
        return None if math.isinf(rewritten) and math.isnan(written) else "a number in place of NaN"
    return None if any(_is_close(rewritten, x) for x in limits(formula, given)) else "neither NaN nor the limit"


def _where_infinite(formula: Node, point: Point, truth: Any, pair: tuple[float, float]) -> str | None:
    written, rewritten = pair
    if rewritten == float(truth) and (is_finite(truth) or not math.isinf(written)):
        return None
    beside = {n: number(x) if x else number(math.copysign(1.0, x)) / _TEN ** _RATES[0] for n, x in point.items()}
    if 0 in point.values() and rewritten == float(value(formula, beside)):
        return None
    return "not the infinity that it is"


def _where_finite(formula: Node, given: dict, truth: Any, pair: tuple[float, float]) -> str | None:
    written, rewritten = pair
    if not math.isfinite(rewritten):
        return None if not math.isfinite(written) or _error(written, truth) > abs(truth) else "a finite value is lost"
    error = _error(rewritten, truth)
    if error <= _allowed(given, truth, written):
        return None
    finite = all(map(is_finite, given.values()))
    return None if finite and _is_change(error, formula, given, truth) else "inaccurate"


def _allowed(given: dict, truth: Any, written: float) -> Any:
    """A few last places, or the error of the written form; without its overflow it would have lost an input's."""
    lost = 2 * _error(written, truth) if math.isfinite(written) else _ulp(max(abs(x) for x in given.values()))
    return max(ULPS * _ulp(truth), lost)


def _is_change(error: Any, formula: Node, given: dict, truth: Any) -> bool:
    """Whether the error is that of rounded inputs; where these leave no digit, none is asked for."""
    change = _change(formula, given, truth)
    return error <= ULPS * (change + _ulp(truth)) or change * 1000 > abs(truth)


def _ulp(x: Any) -> Any:
    return number(math.ulp(min(abs(float(x)), 1.7e308)))


def _error(x: float, truth: Any) -> Any:
    return abs(number(x) - truth)


def _is_close(x: float, truth: Any) -> bool:
    if truth is NAN:  # infinite, with a sign on each side
        return math.isinf(x)
    limit = float(truth)
    return x == limit or (math.isfinite(x) and math.isfinite(limit) and _error(x, truth) <= ULPS * _ulp(truth))


def _change(formula: Node, given: dict, truth: Any) -> Any:
    """How far the value moves where each input moves by its rounding."""
    total = ZERO
    for n, x in given.items():
        moved = [value(formula, {**given, n: x * (1 + step)}) for step in _NUDGES] if x else []
        total += max((abs(m - truth) for m in moved if is_finite(m)), default=ZERO)
    return total


def limits(formula: Node, given: dict) -> list:
    """What the value tends to, inside the domain, where zeros and infinities are approached at different rates.

    NaN stands for a value that grows without bound, in different directions on different sides.
    """
    sides = [[value(formula, p) for p in paths] for paths in _paths(given)]
    sides = [side for side in sides if not any(map(REAL.isnan, side))]
    if not sides:
        return []
    first, found = sides[0][0], []
    everywhere = [x for side in sides for x in side]
    if all(is_finite(x) and abs(x - first) <= abs(first) / _TEN**100 for x in everywhere):
        found.append(first)
    ends = [(abs(side[0]), abs(side[-1])) for side in sides]
    if all(near > far * 10**5 for near, far in ends):
        found.append(ZERO)
    if all(far > near + 1 or far > near * 10**5 or near == far == INF for near, far in ends):
        found.append(INF * REAL.sign(first) if len({x > 0 for x in everywhere}) == 1 else NAN)
    return found


def _paths(given: dict) -> Iterator[list[dict]]:
    """For each choice of sides the points at all combinations of rates, the slowest first."""
    special = [n for n, x in given.items() if x == 0 or not is_finite(x)]
    for signs in itertools.product(*((1, -1) if given[n] == 0 else (REAL.sign(given[n]),) for n in special)):
        combined = []
        for rates in itertools.product(_RATES, repeat=len(special)):
            moved = [s * _TEN ** (-r if given[n] == 0 else r) for n, s, r in zip(special, signs, rates, strict=True)]
            combined.append({**given, **dict(zip(special, moved, strict=True))})
        yield combined
