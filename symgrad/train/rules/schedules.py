"""TABLE: learning rates as functions of the step, one row each: a SymPy expression, its letters, and its source.

In: a row's options, or any expression of one symbol. Out: a ``LearningRateSchedule``: eta(step) as a number, as a node
of the training loop, and as LaTeX, all from the one expression. The step is an integer and starts at 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from symgrad.emit.latex import latex
from symgrad.errors import DeclarationError, DtypeError
from symgrad.frontend.sympy import to_sympy
from symgrad.frontend.tensor import Tensor
from symgrad.frontend.text import parse
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, Variable
from symgrad.ir.show import printable
from symgrad.ir.types import ArrayType, named
from symgrad.nn import rows
from symgrad.ops.leaf import cast, variable
from symgrad.ops.shape import broadcast
from symgrad.ops.symbolic import to_node
from symgrad.train.rules import decays
from symgrad.train.rules.decays import STEP, exact
from symgrad.train.rules.options import (
    FLAG,
    NOT_NEGATIVE,
    POSITIVE,
    REQUIRED,
    SHARE,
    Kind,
    Option,
    Pairs,
    configured,
    constants,
    lettered,
    letters,
    namespace,
    one_of,
    optional,
    plain,
    sign,
    signature,
    spelled,
    where_clause,
    whole,
)


@dataclass(frozen=True, slots=True)
class Row:
    """``expression(options)`` is eta of ``STEP``; ``check`` complains about options that do not fit together."""

    name: str
    options: tuple[Option, ...]
    expression: Callable[[SimpleNamespace], Any]
    source: str
    check: Callable[[SimpleNamespace], None] = lambda o: None


@dataclass(frozen=True, slots=True, repr=False)
class LearningRateSchedule:
    r"""A learning rate that depends on the step.

    >>> schedule = InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> schedule(0), schedule(10)
    (0.1, 0.05)
    >>> print(schedule.latex())
    \eta(t) = \frac{\eta_{0}}{1 + \gamma \frac{t}{N}},\quad \eta_{0} = 0.1,\ N = 10,\ \gamma = 1
    """

    name: str
    options: Pairs

    def __call__(self, step: Any) -> Any:
        """The rate at a step, or at each step of an array."""
        steps = np.asarray(step)
        if steps.dtype.kind not in "iu" or (steps.size and steps.min() < 0):
            raise DeclarationError("a step is a whole number of 0 or more", ("given", repr(step)[:60]))
        given = variable(Variable("step", "input"), ArrayType((named("n"),), "int"))
        (rates,) = evaluate([self.node(given)], {given: steps.reshape(-1)})
        return np.reshape(rates, steps.shape) if steps.ndim else float(rates[0])

    def node(self, step: Node) -> Node:
        """The rate at an integer step."""
        row = ROWS[self.name]
        rate = to_node(self.expression(), constants(row.options, self.options) | {STEP: cast(step, "real")})
        return broadcast(rate, step.shape)

    def expression(self) -> Any:
        """The rate as a SymPy expression of ``STEP`` and the letters of the options."""
        with sp.evaluate(False):
            return ROWS[self.name].expression(namespace(self.options))

    def number_expression(self) -> Any:
        """The rate as a SymPy expression of ``STEP`` alone."""
        values = dict(self.options)
        shown = lettered(ROWS[self.name].options, self.options)
        return self.expression().xreplace({o.letter: exact(values[o.name]) for o in shown})

    def curve(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Steps 0, 1, ..., and the rate at each: what a plot takes."""
        at = np.arange(steps)
        return at, self(at)

    def formula(self, step: str = "t", shift: int = 0) -> str:
        """The rate in LaTeX, in letters; ``step`` is how the step is written, less ``shift``."""
        with sp.evaluate(self.name == "Schedule"):  # the user's own is in SymPy's form anyway
            moved = self.expression().xreplace({STEP: STEP - shift}) if shift else self.expression()
        known = letters(ROWS[self.name].options) | {STEP: sign(step)}
        if not isinstance(moved, sp.Piecewise):
            return latex(to_node(moved, known))
        cases = [f"{latex(to_node(value, known))} & {_condition(holds, known)}" for value, holds in moved.args]
        return r"\begin{cases} " + r" \\ ".join(cases) + r" \end{cases}"

    def values(self) -> str:
        """The values of the formula's letters in LaTeX."""
        return where_clause(ROWS[self.name].options, self.options, self.expression().free_symbols)

    def latex(self) -> str:
        """The formula and the values of its letters."""
        values = self.values()
        return rf"\eta(t) = {self.formula()}" + (rf",\quad {values}" if values else "")

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __repr__(self) -> str:
        return spelled(self.name, ROWS[self.name].options, self.options)


def _condition(holds: Any, known: dict[Any, Node]) -> str:
    return r"\text{otherwise}" if holds == sp.true else latex(to_node(holds, known))


# The options


def _increasing(value: Any) -> tuple[float, ...]:
    kept = tuple(plain(v) for v in _listed(value))
    if not kept or any(b <= a for a, b in itertools.pairwise(kept)):
        raise ValueError
    return kept


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return value


def _rates(value: Any) -> tuple[float, ...]:
    return tuple(NOT_NEGATIVE.keep(v) for v in _listed(value))


def _following(value: Any) -> LearningRateSchedule:
    return Constant(value) if _is_number(value) else get(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _pieces_fit(o: SimpleNamespace) -> None:
    if len(o.values) != len(o.boundaries) + 1:
        raise DeclarationError(
            "PiecewiseConstantDecay: there is one value more than boundaries",
            ("boundaries", str(len(o.boundaries))), ("values", str(len(o.values))),
        )  # fmt: skip


def _cycle_fits(o: SimpleNamespace) -> None:
    peak = o.pct_start * o.total_steps - 1
    if not 0 < peak < o.total_steps - 1:
        raise DeclarationError(
            "OneCycle: the rate has no steps to rise, or none to fall",
            ("total_steps", str(o.total_steps)), ("pct_start", repr(o.pct_start)),
            fix="take more steps, or pct_start nearer to 1/2",
        )  # fmt: skip


def _restarts_fit(o: SimpleNamespace) -> None:
    if o.t_mul < 1.0:
        raise DeclarationError("CosineDecayRestarts: t_mul is a number of 1 or more", ("given", repr(o.t_mul)))


_COUNT = whole(1)
_INITIAL = Option("initial_learning_rate", NOT_NEGATIVE, REQUIRED, decays.ETA0, r"\eta_{0}")
_STEPS = Option("decay_steps", _COUNT, REQUIRED, decays.STEPS, "N")
_RATE = Option("decay_rate", NOT_NEGATIVE, REQUIRED, decays.GAMMA, r"\gamma")
_STAIRS = Option("staircase", FLAG, False)
_ALPHA = Option("alpha", SHARE, 0.0, decays.ALPHA, r"\alpha")
_KERAS = "Keras 3, keras.optimizers.schedules"

_EXPRESSION = Option(
    "expression", Kind("an expression of the step, or a function of it", lambda given: _symbolic(given))
)

TABLE = [
    Row("Constant", (Option("learning_rate", NOT_NEGATIVE, REQUIRED, decays.ETA0, r"\eta_{0}", alias="lr"),),
        decays.unchanged, "the rate of plain gradient descent"),
    Row("ExponentialDecay", (_INITIAL, _STEPS, _RATE, _STAIRS), decays.exponential, _KERAS),
    Row("StepDecay", (_INITIAL, _STEPS, Option("decay_rate", NOT_NEGATIVE, 0.5, decays.GAMMA, r"\gamma")),
        decays.steps_down, "ExponentialDecay in stairs; torch.optim.lr_scheduler.StepLR"),
    Row("InverseTimeDecay", (_INITIAL, _STEPS, _RATE, _STAIRS), decays.inverse_time, _KERAS),
    Row("PolynomialDecay", (
        _INITIAL, _STEPS, Option("end_learning_rate", NOT_NEGATIVE, 0.0001, decays.END, r"\eta_{\mathrm{end}}"),
        Option("power", NOT_NEGATIVE, 1.0, decays.POWER, "p"), Option("cycle", FLAG, False),
    ), decays.polynomial, _KERAS),
    Row("CosineDecay", (
        _INITIAL, _STEPS, _ALPHA, Option("warmup_target", optional(NOT_NEGATIVE), None, decays.TARGET, r"\eta_{1}"),
        Option("warmup_steps", whole(0), 0, decays.WARMUP, "W"),
    ), decays.cosine, "Loshchilov, Hutter 2017, SGDR; warm-up and names as Keras 3"),
    Row("CosineDecayRestarts", (
        _INITIAL, Option("first_decay_steps", _COUNT, REQUIRED, decays.STEPS, "N"),
        Option("t_mul", POSITIVE, 2.0, decays.GROWTH, r"\tau"),
        Option("m_mul", NOT_NEGATIVE, 1.0, decays.FACTOR, r"\mu"), _ALPHA,
    ), decays.cosine_restarts, "Loshchilov, Hutter 2017, SGDR; names as Keras 3", _restarts_fit),
    Row("PiecewiseConstantDecay", (
        Option("boundaries", Kind("a list of increasing numbers", _increasing)),
        Option("values", Kind("a list of numbers of 0 or more", _rates)),
    ), decays.piecewise_constant, _KERAS, _pieces_fit),
    Row("OneCycle", (
        Option("max_learning_rate", NOT_NEGATIVE, REQUIRED, decays.TOP, r"\eta_{\mathrm{max}}"),
        Option("total_steps", _COUNT, REQUIRED, decays.STEPS, "N"),
        Option("pct_start", SHARE, 0.3, decays.PEAK, r"\varphi"),
        Option("anneal_strategy", one_of("cos", "linear"), "cos"),
        Option("div_factor", POSITIVE, 25.0, decays.DIVISOR, "d"),
        Option("final_div_factor", POSITIVE, 1e4, decays.LAST, "D"),
    ), decays.one_cycle, "Smith, Topin 2018, Super-convergence; names as torch.optim's OneCycleLR", _cycle_fits),
    Row("Warmup", (
        Option("after", Kind("a number of 0 or more, or a schedule", _following)),
        Option("warmup_steps", whole(0), REQUIRED, decays.WARMUP, "W"),
        Option("initial_learning_rate", NOT_NEGATIVE, 0.0, decays.ETA0, r"\eta_{0}"),
    ), decays.warmup, "Goyal et al. 2017, Accurate large minibatch SGD, 2.2: a linear rise, then any schedule"),
    Row("Schedule", (_EXPRESSION,), lambda o: o.expression, "any function of the step"),
]  # fmt: skip
ROWS = {row.name: row for row in TABLE}


def _symbolic(given: Any) -> Any:
    """A SymPy expression of one symbol, or a function of it, as an expression of ``STEP``."""
    given = parse(given) if isinstance(given, str) else given
    expr = _applied(given) if callable(given) and not isinstance(given, (sp.Basic, Tensor)) else given
    expr = to_sympy(expr) if isinstance(expr, Tensor) else expr
    if _is_number(expr):
        expr = sp.Float(plain(expr), 17)
    if not isinstance(expr, sp.Expr):
        raise TypeError
    symbols = sorted(expr.free_symbols, key=str)
    if len(symbols) > 1:
        raise DeclarationError(
            "a schedule is a function of one symbol, the step", ("found", printable(", ".join(map(str, symbols)), 60))
        )
    if symbols != [STEP]:
        expr = expr.xreplace(dict.fromkeys(symbols, STEP))
    to_node(expr, {STEP: sign("t")})  # complains about functions without a rule
    return expr


def _applied(function: Callable[..., Any]) -> Any:
    try:
        return function(STEP)
    except TypeError as error:
        raise DtypeError(
            "a schedule's function is called once, on a symbol for the step", ("it says", printable(str(error))[:80]),
            fix="use sympy.exp, sympy.Piecewise, ... on it instead of math, numpy and if",
        ) from error  # fmt: skip


def _made(name: str, args: tuple, given: dict[str, Any]) -> LearningRateSchedule:
    row = ROWS[name]
    pairs = configured(name, row.options, args, given)
    row.check(namespace(pairs))
    return LearningRateSchedule(name, pairs)


def _maker(row: Row) -> Callable[..., LearningRateSchedule]:
    def make(*args: Any, **given: Any) -> LearningRateSchedule:
        return _made(row.name, args, given)

    make.__name__ = make.__qualname__ = row.name
    make.__doc__ = f"{row.source}. Options: {', '.join(o.name for o in row.options)}."
    make.__signature__ = signature(row.options)  # type: ignore[attr-defined]
    return make


MAKERS = {row.name: _maker(row) for row in TABLE}
Constant, ExponentialDecay, StepDecay = (MAKERS[n] for n in ("Constant", "ExponentialDecay", "StepDecay"))
InverseTimeDecay, PolynomialDecay = MAKERS["InverseTimeDecay"], MAKERS["PolynomialDecay"]
CosineDecay, CosineDecayRestarts = MAKERS["CosineDecay"], MAKERS["CosineDecayRestarts"]
PiecewiseConstantDecay, OneCycle = MAKERS["PiecewiseConstantDecay"], MAKERS["OneCycle"]
Warmup, Schedule = MAKERS["Warmup"], MAKERS["Schedule"]


def get(spec: Any, **options: Any) -> LearningRateSchedule:
    """A schedule: as it is, by its name with options, or from an expression or function of the step.

    Raises:  DeclarationError for an unknown name

    >>> get("StepDecay", initial_learning_rate=1.0, decay_steps=2)(5)
    0.25
    >>> get(lambda t: 1 / (1 + t))(3)
    0.25
    """
    if isinstance(spec, LearningRateSchedule):
        return spec
    if not isinstance(spec, str):
        return _made("Schedule", (spec,), options)
    known = {n: n for n in ROWS if n != "Schedule"}
    found = {n.casefold(): n for n in known}.get(spec.replace("_", "").casefold())
    return _made(found or rows.find("schedule", spec, known), (), options)


def rate(value: Any) -> Any:
    """A learning rate: a number, or a schedule.

    Raises:  TypeError for another thing, ValueError for a negative number
    """
    if _is_number(value):
        return NOT_NEGATIVE.keep(value)
    if value is None or isinstance(value, (str, bool)):
        raise TypeError
    return get(value)


__all__ = ["LearningRateSchedule", "get", *MAKERS]
