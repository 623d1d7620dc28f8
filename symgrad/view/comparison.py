"""The answer of ``check_formula``: one Comparison for each claim, and how it is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Comparison:
    """One claim beside the derivative: ``name`` is d.../d..., ``formula`` the derivation's own step."""

    name: str
    claimed: str
    formula: str
    equal: bool
    proved: bool = False
    digits: int = 0
    points: int = 0
    counterexample: Mapping[str, Any] | None = None
    claimed_value: Any = None
    derived_value: Any = None
    term: str | None = None
    expected: str | None = None
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.name} = {self.claimed}"
        if self.proved:
            return f"{head}: right (proved)"
        if self.equal:
            return f"{head}: right at {self.points} random points to {self.digits} digits"
        rows = [
            ("your term", self.term),
            ("should be", self.expected),
            ("because", self.hint or None),
            ("derivation", f"{self.name} = {self.formula}"),
        ]
        if self.counterexample is not None:
            values = [("claimed", self.claimed_value), ("derived", self.derived_value)]
            rows += [("at", _shown(self.counterexample)), *((word, _value(v)) for word, v in values if v is not None)]
        width = max(len(word) for word, _ in rows)
        return "\n".join([f"{head}: wrong", *(f"  {word:<{width}}  {text}" for word, text in rows if text is not None)])

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class FormulaReport:
    """The answer to ``check_formula``; of several claims, what is asked of the whole is told of the first wrong one."""

    parts: tuple[Comparison, ...]

    @property
    def first(self) -> Comparison:
        """The first wrong claim, else the one known to fewest digits."""
        wrong = [p for p in self.parts if not p.equal]
        return wrong[0] if wrong else min(self.parts, key=lambda p: (p.proved, p.digits))

    @property
    def equal(self) -> bool:
        """Whether every claim is right."""
        return all(p.equal for p in self.parts)

    @property
    def proved(self) -> bool:
        """Whether every claim is proved, for all points."""
        return all(p.proved for p in self.parts)

    @property
    def digits(self) -> int:
        """To how many digits claim and derivative agree."""
        return self.first.digits

    @property
    def counterexample(self) -> Mapping[str, Any] | None:
        """A point where they differ."""
        return self.first.counterexample

    def __bool__(self) -> bool:
        return self.equal

    def __str__(self) -> str:
        return "\n".join(map(str, self.parts))

    __repr__ = __str__


def _value(value: Any) -> str:
    return (
        f"{value:.12g}"
        if isinstance(value, (int, float))
        else np.array2string(np.asarray(value), precision=6, separator=", ").replace("\n", "")
    )


def _shown(point: Mapping[str, Any]) -> str:
    text = ", ".join(f"{name}={_value(v)}" for name, v in point.items())
    return text if len(text) <= 300 else text[:297] + "..."
