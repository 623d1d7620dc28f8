"""The published formulas, their exact points, values and partial derivatives, and how far a double is from them.

Points are doubles in hexadecimal; values have 25 and partials 20 digits. A partial of exactly 0 that the tables give
as 0 with other digits behind it counts as any other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from symgrad.frontend.declare import symbol
from symgrad.frontend.text import parse
from symgrad.ir.node import Node

FACTS = Path(__file__).parents[1] / "facts"
NAMES = ("fpbench", "herbie")


@dataclass(frozen=True)
class Formula:
    """A formula of scalars; ``points`` are (arguments, value, partials), the last two as decimal text."""

    name: str
    output: Node
    inputs: tuple[Node, ...]
    points: tuple[tuple[tuple[float, ...], str, tuple[str, ...]], ...]


def formulas() -> Iterator[Formula]:
    """Both corpora, in their order."""
    for corpus in NAMES:
        rows = json.loads((FACTS / f"{corpus}_exprs.json").read_text(encoding="utf-8"))["exprs"]
        for i, row in enumerate(rows):
            symbols = {name: symbol(name) for name in row["args"]}
            text = re.sub(r'mpf\("?([^")]*)"?\)', r"(\1)", row["expr"])  # an exact decimal is written mpf("0.1")
            points = [(tuple(map(float.fromhex, p["x"])), p["f"], tuple(p["grad"])) for p in row["points"]]
            yield Formula(
                f"{corpus} {i}", parse(text, symbols).node, tuple(s.node for s in symbols.values()), tuple(points)
            )


def ulps(value: float, truth: str) -> float:
    """The distance in units of the truth's last place."""
    exact = Decimal(truth)
    nearest = float(exact)
    if not math.isfinite(value):
        return 0.0 if value == nearest else math.inf
    return float(abs(Decimal(value) - exact) / Decimal(math.ulp(nearest)))


@dataclass
class Tally:
    """Errors in ulp, of values or of partials, and how many of them are not numbers."""

    errors: list[float]
    not_finite: int = 0

    def add(self, value: float, truth: str) -> None:
        self.errors.append(ulps(value, truth))
        self.not_finite += not math.isfinite(value) and math.isfinite(float(truth))

    def above(self, limit: float) -> int:
        return sum(e > limit for e in self.errors)


def judged(compute: Callable[[Formula], Callable[..., tuple[float, Sequence[float]]]]) -> tuple[Tally, Tally]:
    """(values, partials) over both corpora; ``compute(formula)`` gives the function of value and partials."""
    values, partials = Tally([]), Tally([])
    for formula in formulas():
        function = compute(formula)
        for point, value, slopes in formula.points:
            got, gradient = function(*point)
            values.add(float(got), value)
            for g, s in zip(gradient, slopes, strict=True):
                partials.add(float(g), s)
    return values, partials
