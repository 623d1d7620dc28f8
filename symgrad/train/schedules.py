"""TABLE: learning rates as functions of the step t = 0, 1, ...: one row each, a formula in SymPy with its source.

In: a row's arguments (Keras 3's names and meanings), or any expression of t. Out: a ``Schedule``: a number at a step, a
node for the compiled loop, LaTeX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import DeclarationError
from symgrad.frontend.sympy import from_sympy
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.ir.walk import variables
from symgrad.nn import rows
from symgrad.ops.leaf import cast
from symgrad.ops.symbolic import to_node

T = sp.Symbol("t", nonnegative=True)


@dataclass(frozen=True, slots=True, repr=False)
class Schedule:
    """eta(t), by a SymPy expression of one symbol (or a function of it).

    >>> halved = Schedule(lambda t: 0.1 / 2 ** (t / 10))
    >>> halved(10)
    0.05
    """

    expression: sp.Expr
    name: str = "Schedule"
    options: rows.Options = ()

    def __post_init__(self) -> None:
        given = self.expression(T) if callable(self.expression) and not isinstance(self.expression, sp.Basic) else None
        expr = sp.S(given if given is not None else self.expression)
        symbols = sorted(expr.free_symbols, key=str)
        if len(symbols) > 1:
            names = ", ".join(map(str, symbols))
            raise DeclarationError("a schedule is an expression of one symbol, the step", ("symbols", names))
        object.__setattr__(self, "expression", expr.subs(symbols[0], T) if symbols else expr)

    def node(self, step: Node) -> Node:
        """The rate at an integer step, as a real scalar node."""
        return to_node(self.expression, {T: cast(step, "real")})

    def __call__(self, step: Any) -> Any:
        """The rate at a step, or at an array of them."""
        node = from_sympy(self.expression).node
        at = np.asarray(step, dtype=float)
        values = []
        with np.errstate(all="ignore"):
            for t in at.reshape(-1):
                (value,) = evaluate([node], dict.fromkeys(variables([node]), t))
                values.append(float(value))
        return values[0] if not at.ndim else np.array(values).reshape(at.shape)

    def latex(self) -> str:
        r"""The formula: ``\eta(t) = ...``."""
        return rf"\eta(t) = {sp.latex(self.expression)}"

    def _repr_latex_(self) -> str:
        return f"$${self.latex()}$$"

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.options) or str(self.expression)
        return f"{self.name}({shown})"


@dataclass(frozen=True, slots=True)
class Row:
    """A row: ``formula(**options)`` is the expression of t."""

    title: str
    options: rows.Options
    formula: Callable[..., Any]
    source: str

    def __call__(self, *args: Any, **given: Any) -> Schedule:
        options = rows.settled(self.title, self.options, args, given)
        for name, value in options:
            if value is _REQUIRED:
                raise DeclarationError(f"{self.title} needs {name}", ("options", ", ".join(n for n, _ in options)))
            _check(self.title, name, value)
        return Schedule(self.formula(**dict(options)), self.title, options)


class _Required:
    def __repr__(self) -> str:
        return "required"


_REQUIRED = _Required()


def _check(title: str, name: str, value: Any) -> None:
    """Numbers, truth values and lists of numbers.

    Raises:  DeclarationError
    """
    items = value if isinstance(value, (list, tuple)) else [value]
    is_number = all(isinstance(x, (bool, int, float, np.integer, np.floating)) for x in items)
    steps = name.endswith("steps") and name != "warmup_steps"
    if value is None and name == "warmup_target":
        return
    if not is_number or not np.all(np.isfinite(np.asarray(items, float))) or (steps and not value > 0):
        words = "a number above 0" if steps else "a finite number"
        raise DeclarationError(f"{title}: {name} is {words}", ("given", repr(value)[:40]))


def _n(x: Any) -> sp.Expr:
    """A number as SymPy keeps it exactly."""
    return sp.Integer(x) if isinstance(x, (int, np.integer)) else sp.Float(repr(float(x)), 17)


def _progress(t: sp.Expr, steps: Any, staircase: bool) -> sp.Expr:
    return sp.floor(t / _n(steps)) if staircase else t / _n(steps)


def _exponential(initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool) -> sp.Expr:
    return _n(initial_learning_rate) * _n(decay_rate) ** _progress(T, decay_steps, staircase)


def _inverse(initial_learning_rate: Any, decay_steps: Any, decay_rate: Any, staircase: bool) -> sp.Expr:
    return _n(initial_learning_rate) / (1 + _n(decay_rate) * _progress(T, decay_steps, staircase))


def _polynomial(
    initial_learning_rate: Any, decay_steps: Any, end_learning_rate: Any, power: Any, cycle: bool
) -> sp.Expr:
    first, last, steps = map(_n, (initial_learning_rate, end_learning_rate, decay_steps))
    part = T / (steps * sp.Max(1, sp.ceiling(T / steps))) if cycle else sp.Min(T, steps) / steps
    return (first - last) * (1 - part) ** _n(power) + last


def _cosine(initial_learning_rate: Any, decay_steps: Any, alpha: Any, warmup_target: Any, warmup_steps: Any) -> sp.Expr:
    first, steps, share = map(_n, (initial_learning_rate, decay_steps, alpha))
    warm = _n(warmup_steps)
    top = first if warmup_target is None else _n(warmup_target)
    t = T if warmup_target is None else T - warm
    falling = top * ((1 - share) * (1 + sp.cos(sp.pi * sp.Min(t, steps) / steps)) / 2 + share)
    if warmup_target is None:
        return falling
    return sp.Piecewise((first + (top - first) * T / warm, warm > T), (falling, True))


def _pieces(boundaries: Sequence[Any], values: Sequence[Any]) -> sp.Expr:
    if len(values) != len(boundaries) + 1:
        raise DeclarationError("PiecewiseConstantDecay needs one value more than boundaries")
    arms = [(_n(v), _n(b) >= T) for v, b in zip(values, boundaries, strict=False)]
    return sp.Piecewise(*arms, (_n(values[-1]), True))


def _stairs(initial_learning_rate: Any, drop: Any, drop_steps: Any) -> sp.Expr:
    return _n(initial_learning_rate) * _n(drop) ** sp.floor(T / _n(drop_steps))


def _one_cycle(
    max_learning_rate: Any, total_steps: Any, warmup_share: Any, start_factor: Any, end_factor: Any
) -> sp.Expr:
    top, steps = _n(max_learning_rate), _n(total_steps)
    first, last = top / _n(start_factor), top / _n(start_factor) / _n(end_factor)
    rise = _n(warmup_share) * steps
    up = first + (top - first) * (1 - sp.cos(sp.pi * T / rise)) / 2
    down = last + (top - last) * (1 + sp.cos(sp.pi * (sp.Min(T, steps) - rise) / (steps - rise))) / 2
    return sp.Piecewise((up, rise > T), (down, True))


_FIRST = ("initial_learning_rate", _REQUIRED)
_DECAY = (_FIRST, ("decay_steps", _REQUIRED), ("decay_rate", _REQUIRED), ("staircase", False))
TABLE = [
    Row("Constant", (("learning_rate", _REQUIRED),), lambda learning_rate: _n(learning_rate), "a number"),
    Row("ExponentialDecay", _DECAY, _exponential, "Keras 3"),
    Row("InverseTimeDecay", _DECAY, _inverse, "Robbins and Monro 1951; Keras 3"),
    Row("PolynomialDecay", (_FIRST, ("decay_steps", _REQUIRED), ("end_learning_rate", 0.0001), ("power", 1.0),
                            ("cycle", False)), _polynomial, "Keras 3"),
    Row("CosineDecay", (_FIRST, ("decay_steps", _REQUIRED), ("alpha", 0.0), ("warmup_target", None),
                        ("warmup_steps", 0)), _cosine, "Loshchilov and Hutter 2017; Keras 3"),
    Row("PiecewiseConstantDecay", (("boundaries", _REQUIRED), ("values", _REQUIRED)), _pieces, "Keras 3"),
    Row("StepDecay", (_FIRST, ("drop", 0.5), ("drop_steps", _REQUIRED)), _stairs, "by a factor every so many steps"),
    Row("OneCycle", (("max_learning_rate", _REQUIRED), ("total_steps", _REQUIRED), ("warmup_share", 0.3),
                     ("start_factor", 25.0), ("end_factor", 10000.0)), _one_cycle, "Smith and Topin 2019"),
]  # fmt: skip
SCHEDULES = {row.title: row for row in TABLE}


def __getattr__(name: str) -> Any:
    """Rows under their titles: ``ExponentialDecay(0.1, 1000, 0.96)``."""
    if name not in SCHEDULES:
        raise AttributeError(f"there is no schedule {name!r}")
    return SCHEDULES[name]


def __dir__() -> list[str]:
    return sorted([*globals(), *SCHEDULES])


__all__ = ["SCHEDULES", "TABLE", "Schedule"]
