"""TABLE: optimizers, one row each: options, state, and one step's equations in SymPy.

In: a name, or options. Out: an ``Optimizer``: nodes of the training loop, LaTeX, both made of the row's equations by
``train.update``. Names, defaults and equations are those of Keras 3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import sympy as sp

from symgrad.errors import CallError, DeclarationError, DtypeError
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.nn import rows
from symgrad.train.rules import update
from symgrad.train.rules.options import (
    BELOW_ONE,
    FLAG,
    NOT_NEGATIVE,
    POSITIVE,
    SHARE,
    Kind,
    Option,
    Pairs,
    configured,
    optional,
    signature,
    spelled,
    whole,
)  # fmt: skip
from symgrad.train.rules.schedules import LearningRateSchedule, rate
from symgrad.train.rules.update import DECAY, ETA, THETA, Equation, G, Row, Slot, T

RHO, MU, B1, B2, EPS = sp.symbols("rho mu beta1 beta2 epsilon", real=True)
M, V, TOP, MEAN, B, SQUARES, MOVES, PRODUCT = sp.symbols("m v top mean b squares moves product", real=True)
STEP, U, NEXT, M_HAT, V_HAT, ALPHA = sp.symbols("step u next m_hat v_hat alpha", real=True)

# How the symbols of state and of intermediate results are written, with the step's number; NEXT belongs to the next.
LETTERS = {
    M: "m", V: "v", TOP: r"\bar{v}", MEAN: r"\bar{g}", B: "b", SQUARES: "E[g^2]", MOVES: r"E[\Delta\theta^2]",
    PRODUCT: r"\pi", STEP: r"\Delta\theta", U: "u", NEXT: r"u^{+}", M_HAT: r"\hat{m}", V_HAT: r"\hat{v}",
    ALPHA: r"\alpha",
}  # fmt: skip


# The equations


def _sgd(o: SimpleNamespace) -> list[Equation]:
    if not o.momentum:
        return [(THETA, THETA - ETA * G)]
    step = MU * V - ETA * G
    return [(V, step), (THETA, THETA + step if o.nesterov else THETA + V)]


def _average(old: sp.Symbol, share: sp.Symbol, new: Any) -> Equation:
    """The running mean: share of the old, the rest of the new."""
    return old, share * old + (1 - share) * new


def _adagrad(o: SimpleNamespace) -> list[Equation]:
    return [(V, V + G**2), (THETA, THETA - ETA * G / sp.sqrt(V + EPS))]


def _rmsprop(o: SimpleNamespace) -> list[Equation]:
    means = [_average(V, RHO, G**2)] + ([_average(MEAN, RHO, G)] if o.centered else [])
    change = ETA * G / sp.sqrt(V - MEAN**2 + EPS if o.centered else V + EPS)
    if not o.momentum:
        return [*means, (THETA, THETA - change)]
    return [*means, (B, MU * B + change), (THETA, THETA - B)]


def _adam(o: SimpleNamespace) -> list[Equation]:
    top = [(TOP, sp.Max(TOP, V))] if o.amsgrad else []
    change = ALPHA * M / (sp.sqrt(TOP if o.amsgrad else V) + EPS)
    return [
        _average(M, B1, G), _average(V, B2, G**2), *top,
        (ALPHA, ETA * sp.sqrt(1 - B2**T) / (1 - B1**T)), (THETA, THETA - change),
    ]  # fmt: skip


def _adamax(o: SimpleNamespace) -> list[Equation]:
    change = ETA * M / ((1 - B1**T) * (U + EPS))
    return [_average(M, B1, G), (U, sp.Max(B2 * U, sp.Abs(G))), (THETA, THETA - change)]


def _nadam(o: SimpleNamespace) -> list[Equation]:
    decay = sp.Rational(96, 100)
    return [
        (U, B1 * (1 - decay**T / 2)), (NEXT, B1 * (1 - decay ** (T + 1) / 2)), (PRODUCT, PRODUCT * U),
        _average(M, B1, G), _average(V, B2, G**2),
        (M_HAT, NEXT * M / (1 - PRODUCT * NEXT) + (1 - U) * G / (1 - PRODUCT)), (V_HAT, V / (1 - B2**T)),
        (THETA, THETA - ETA * M_HAT / (sp.sqrt(V_HAT) + EPS)),
    ]  # fmt: skip


def _adadelta(o: SimpleNamespace) -> list[Equation]:
    return [
        _average(SQUARES, RHO, G**2),
        (STEP, -(sp.sqrt(MOVES + EPS) * G / sp.sqrt(SQUARES + EPS))),
        _average(MOVES, RHO, STEP**2),
        (THETA, THETA + ETA * STEP),
    ]


def _lion(o: SimpleNamespace) -> list[Equation]:
    return [(THETA, THETA - ETA * sp.sign(B1 * M + (1 - B1) * G)), _average(M, B2, G)]


def _none(o: SimpleNamespace) -> list[Equation]:
    return []


# The options

_RATE_KIND = Kind("a number of 0 or more, a schedule, or an expression of the step", rate)


def _rate(default: float) -> Option:
    return Option("learning_rate", _RATE_KIND, default, ETA, r"\eta", alias="lr")


def _momentum(kind: Kind) -> Option:
    return Option("momentum", kind, 0.0, MU, r"\mu")


def _beta(number: int, letter: sp.Symbol, default: float) -> Option:
    return Option(f"beta_{number}", BELOW_ONE, default, letter, rf"\beta_{{{number}}}")


def _decay(default: float | None) -> Option:
    kind = NOT_NEGATIVE if default else optional(NOT_NEGATIVE)
    return Option("weight_decay", kind, default, DECAY, r"\lambda")


def _mean(default: float) -> Option:
    return Option("rho", BELOW_ONE, default, RHO, r"\rho")


_EPSILON = Option("epsilon", NOT_NEGATIVE, 1e-7, EPS, r"\epsilon")
_NO_DECAY = _decay(None)
CLIPS = tuple(Option(name, optional(POSITIVE), None) for name in ("clipnorm", "clipvalue", "global_clipnorm"))
_LAST = (_NO_DECAY, *CLIPS)
_AMSGRAD = Option("amsgrad", FLAG, False)
_BETAS = (_beta(1, B1, 0.9), _beta(2, B2, 0.999), _EPSILON)
_ADAM_SLOTS = {M: Slot("m"), V: Slot("v"), TOP: Slot("largest")}

_LBFGS_STEP = (
    r"\theta_{t} &= \theta_{t-1} - \alpha_{t} H_{t} g_{t}",
    r"&\quad H_{t} \approx \left(\nabla^2_{\theta} J\right)^{-1} \text{ from the last changes of } \theta, g",
)

TABLE = [
    Row("SGD", (_rate(0.01), _momentum(SHARE), Option("nesterov", FLAG, False), *_LAST),
        {V: Slot("v")}, _sgd,
        "Robbins, Monro 1951; Polyak 1964 (momentum); Nesterov 1983, as Sutskever et al. 2013"),
    Row("Adagrad", (_rate(0.001), Option("initial_accumulator_value", NOT_NEGATIVE, 0.1), _EPSILON, *_LAST),
        {V: Slot("accumulator")}, _adagrad, "Duchi, Hazan, Singer 2011", ((V, "initial_accumulator_value"),)),
    Row("RMSprop", (_rate(0.001), _mean(0.9), _momentum(SHARE), _EPSILON, Option("centered", FLAG, False), *_LAST),
        {V: Slot("v"), MEAN: Slot("average"), B: Slot("m")}, _rmsprop,
        "Tieleman, Hinton 2012, lecture 6e; centered: Graves 2013"),
    Row("Adam", (_rate(0.001), *_BETAS, _AMSGRAD, *_LAST),
        _ADAM_SLOTS, _adam, "Kingma, Ba 2015, end of section 2; amsgrad: Reddi, Kale, Kumar 2018"),
    Row("AdamW", (_rate(0.001), _decay(0.004), *_BETAS, _AMSGRAD, *CLIPS),
        _ADAM_SLOTS, _adam, "Loshchilov, Hutter 2019, Decoupled weight decay"),
    Row("Adamax", (_rate(0.001), *_BETAS, *_LAST),
        {M: Slot("m"), U: Slot("u")}, _adamax, "Kingma, Ba 2015, section 7"),
    Row("Nadam", (_rate(0.001), *_BETAS, *_LAST),
        {M: Slot("m"), V: Slot("v"), PRODUCT: Slot("u_product", 1.0, shared=True)}, _nadam, "Dozat 2016"),
    Row("Adadelta", (_rate(0.001), _mean(0.95), _EPSILON, *_LAST),
        {SQUARES: Slot("accumulator"), MOVES: Slot("delta")}, _adadelta, "Zeiler 2012"),
    Row("Lion", (_rate(0.001), _beta(1, B1, 0.9), _beta(2, B2, 0.99), *_LAST),
        {M: Slot("m")}, _lion, "Chen et al. 2023, Symbolic discovery of optimization algorithms"),
    Row("LBFGS", (
        Option("maxcor", whole(1), 10), Option("ftol", NOT_NEGATIVE, 2.220446049250313e-09),
        Option("gtol", NOT_NEGATIVE, 1e-05), Option("maxfun", whole(1), 15000), Option("maxiter", whole(1), 15000),
        Option("maxls", whole(1), 20),
    ), {}, _none, "Liu, Nocedal 1989; options of scipy.optimize.minimize, method L-BFGS-B", full_batch=True,
        shown=_LBFGS_STEP),
]  # fmt: skip
ROWS = {row.name: row for row in TABLE}

# Other names: a row, and what is set unless the call says otherwise.
ALIASES: dict[str, tuple[str, dict[str, Any]]] = {
    "Momentum": ("SGD", {"momentum": 0.9}),
    "Nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
}


@dataclass(frozen=True, slots=True, repr=False)
class Optimizer:
    r"""A row with its options, which are also attributes.

    >>> SGD(learning_rate=0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9)
    >>> SGD(0.1).beta_1
    Traceback (most recent call last):
    AttributeError: SGD has no option beta_1
    >>> print(SGD(0.1).latex())
    \begin{aligned}
    g_{t} &= \nabla_{\theta} J(\theta_{t-1}) \\
    \theta_{t} &= \theta_{t-1} - \eta g_{t} \\
    &\quad \eta = 0.1
    \end{aligned}
    """

    name: str
    options: Pairs

    @property
    def row(self) -> Row:
        """The row of the table."""
        return ROWS[self.name]

    @property
    def full_batch(self) -> bool:
        """Whether it minimises over all rows at once, in a loop of its own, and has no steps of a batch."""
        return self.row.full_batch

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its state, for these options."""
        return tuple(slot for _, slot in update.slots(self.row, self.options))

    @property
    def learning_rate_start(self) -> float:
        """The learning rate before the first step (1 where the row has none)."""
        rate = dict(self.options).get("learning_rate", 1.0)
        return rate(0) if isinstance(rate, LearningRateSchedule) else rate

    def rate(self, step: Node, learning_rate: Node) -> Node:
        """The learning rate at a step (an int scalar, 0 at the first): the schedule's, else the run-time one."""
        own = dict(self.options).get("learning_rate")
        return own.node(step) if isinstance(own, LearningRateSchedule) else learning_rate

    def update(
        self, thetas: Sequence[Node], gradients: Sequence[Node], slots: Sequence[Mapping[str, Node]],
        shared: Mapping[str, Node], clock: tuple[Node, Node],
    ) -> tuple[list[Node], list[dict[str, Node]], dict[str, Node]]:  # fmt: skip
        """One step: new parameters, new slots of each, new shared slots, as nodes.

        Shapes:  of each parameter; ``shared`` and ``clock``, (eta, t) with t from 1, are real scalars
        """
        clipped = update.clipped(self.options, gradients)
        return update.stepped(self.row, self.options, list(zip(thetas, clipped, slots, strict=True)), shared, clock)

    def latex(self) -> str:
        """One step as aligned equations, and the values of their letters."""
        return update.latex(self.row, self.options, LETTERS)

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __repr__(self) -> str:
        always = ("learning_rate",) if not self.full_batch else ()
        return spelled(self.name, self.row.options, self.options, always)

    def __getattr__(self, name: str) -> Any:
        if name != "options" and not name.startswith("__"):
            for option, value in self.options:
                if option == name:
                    return value
            raise AttributeError(f"{self.name} has no option {name}")
        raise AttributeError(name)


def _unchanged(self: Optimizer, name: str, value: Any) -> None:
    fix = "between two fits set net.learning_rate, or call net.compile with another optimizer"
    raise CallError(f"{self.name}: an optimizer's options do not change, so not {printable(name)}", fix=fix)


Optimizer.__setattr__ = _unchanged  # type: ignore[method-assign,assignment]  # in words of ours: it is frozen anyway


def _made(name: str, args: tuple, given: Mapping[str, Any]) -> Optimizer:
    """An optimizer by the name of a row or an alias.

    Raises:  CallError for an unknown option; DtypeError, DeclarationError for a bad value; DeclarationError for two
             ways of clipping at once
    """
    row, preset = ALIASES.get(name, (name, {}))
    options = ROWS[row].options
    positional = {o.name for o in options[: len(args)]}
    pairs = configured(row, options, args, {k: v for k, v in preset.items() if k not in positional} | dict(given))
    clips = [n for n, value in pairs if n in update.CLIPS and value is not None]
    if len(clips) > 1:
        raise DeclarationError(f"{row}: gradients are clipped in one way", ("given", ", ".join(clips)))
    return Optimizer(row, pairs)


def _maker(name: str) -> Callable[..., Optimizer]:
    row, preset = ALIASES.get(name, (name, {}))

    def make(*args: Any, **given: Any) -> Optimizer:
        return _made(name, args, given)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"{ROWS[row].source}. Options: {', '.join(o.name for o in ROWS[row].options)}."
    make.__signature__ = signature(  # type: ignore[attr-defined]
        [replace(o, default=preset.get(o.name, o.default)) for o in ROWS[row].options]
    )
    return make


MAKERS = {name: _maker(name) for name in (*ROWS, *ALIASES)}
SGD, Momentum, Nesterov, Adagrad = MAKERS["SGD"], MAKERS["Momentum"], MAKERS["Nesterov"], MAKERS["Adagrad"]
RMSprop, Adam, AdamW, Nadam = MAKERS["RMSprop"], MAKERS["Adam"], MAKERS["AdamW"], MAKERS["Nadam"]
Adamax, Adadelta, Lion, LBFGS = MAKERS["Adamax"], MAKERS["Adadelta"], MAKERS["Lion"], MAKERS["LBFGS"]


_NAMES = {name.lower(): name for name in MAKERS}


def get(spec: Any, **options: Any) -> Optimizer:
    """An optimizer: as it is, or by its name (in any case) with options.

    Raises:  DeclarationError for an unknown name, DtypeError for anything else

    >>> get("adam")
    Adam(learning_rate=0.001)
    >>> get("nesterov", lr=0.1)
    SGD(learning_rate=0.1, momentum=0.9, nesterov=True)
    """
    if isinstance(spec, Optimizer) and not options:
        return spec
    if any(spec is make for make in MAKERS.values()):
        return spec(**options)
    if not isinstance(spec, str):
        raise DtypeError("an optimizer is a name, or made by sg.optimizers", ("given", printable(repr(spec), 60)))
    name = {n.casefold(): n for n in MAKERS}.get(spec.casefold()) or rows.find("optimizer", spec, _NAMES)
    return _made(name, (), options)


__all__ = ["Optimizer", "get", *MAKERS]
