"""TABLE: optimizers, one row each: options with Keras 3's defaults, slots, and update equations in SymPy.

A row's equations are (symbol, expression) in order; a later one reads the new value of an earlier left side. theta is
the parameter, g its gradient, eta the rate, t the number of the update from 1; slots are the optimizer's state, of the
parameter's shape or (shared) one number. Clipping and decoupled weight decay come before every row's equations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import sympy as sp

from symgrad.emit.latex_numbers import number
from symgrad.errors import CallError, DeclarationError
from symgrad.ir.node import Node, build, constant
from symgrad.nn import rows
from symgrad.ops.symbolic import to_node
from symgrad.train import updates
from symgrad.train.rates import rate_node, start
from symgrad.train.updates import ETA, THETA, Equations, G, T


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of state: its name, where it starts, whether the optimizer has one for all parameters."""

    name: str
    start: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row: ``slots(o)`` and ``equations(o, s)`` for options o (letters of their names) and slots s (symbols)."""

    name: str
    title: str
    learning_rate: float
    options: rows.Options
    slots: Callable[[Any], list[Slot]]
    equations: Callable[[Any, Any, Any], Equations]
    source: str
    names: tuple[str, ...] = ()


GENERAL: rows.Options = (("weight_decay", None), ("clipnorm", None), ("clipvalue", None), ("global_clipnorm", None))
LETTERS = {
    "momentum": r"\mu", "beta_1": r"\beta_1", "beta_2": r"\beta_2", "rho": r"\rho", "epsilon": r"\varepsilon",
    "weight_decay": r"\lambda", "theta": r"\theta", "g": "g", "eta": r"\eta", "t": "t",
    "accumulator": "G", "delta": r"\Delta", "average": r"\bar g", "largest": r"\hat v", "u_product": r"\pi",
}  # fmt: skip


def _slots(*names: str) -> Callable[[Any], list[Slot]]:
    return lambda on: [Slot(name) for name in names]


_EPSILON = ("epsilon", 1e-7)
_BETAS = (("beta_1", 0.9), ("beta_2", 0.999), _EPSILON)
TABLE = [
    Row("sgd", "SGD", 0.01, (("momentum", 0.0), ("nesterov", False)),
        lambda on: [Slot("v")] if on.momentum else [], updates.sgd, "Robbins and Monro 1951"),
    Row("momentum", "Momentum", 0.01, (("momentum", 0.9), ("nesterov", False)),
        lambda on: [Slot("v")] if on.momentum else [], updates.sgd, "Polyak 1964"),
    Row("nesterov", "Nesterov", 0.01, (("momentum", 0.9), ("nesterov", True)),
        lambda on: [Slot("v")] if on.momentum else [], updates.sgd, "Nesterov 1983; Sutskever et al. 2013"),
    Row("adagrad", "Adagrad", 0.001, (("initial_accumulator_value", 0.1), _EPSILON),
        lambda on: [Slot("accumulator", on.initial_accumulator_value)], updates.adagrad, "Duchi et al. 2011"),
    Row("rmsprop", "RMSprop", 0.001, (("rho", 0.9), ("momentum", 0.0), _EPSILON, ("centered", False)),
        lambda on: [Slot("v"), *[Slot("average")] * on.centered, *[Slot("m")] * bool(on.momentum)], updates.rmsprop,
        "Tieleman and Hinton 2012"),
    Row("adam", "Adam", 0.001, (*_BETAS, ("amsgrad", False)),
        lambda on: [Slot("m"), Slot("v"), *[Slot("largest")] * on.amsgrad], updates.adam, "Kingma and Ba 2015"),
    Row("adamw", "AdamW", 0.001, (("weight_decay", 0.004), *_BETAS, ("amsgrad", False)),
        lambda on: [Slot("m"), Slot("v"), *[Slot("largest")] * on.amsgrad], updates.adam, "Loshchilov and Hutter 2019"),
    Row("adamax", "Adamax", 0.001, _BETAS, _slots("m", "u"), updates.adamax, "Kingma and Ba 2015, section 7"),
    Row("nadam", "Nadam", 0.001, _BETAS, lambda on: [Slot("m"), Slot("v"), Slot("u_product", 1.0, True)], updates.nadam,
        "Dozat 2016"),
    Row("adadelta", "Adadelta", 0.001, (("rho", 0.95), _EPSILON), _slots("accumulator", "delta"), updates.adadelta,
        "Zeiler 2012"),
    Row("lion", "Lion", 0.001, (("beta_1", 0.9), ("beta_2", 0.99)), _slots("m"), updates.lion, "Chen et al. 2023"),
]  # fmt: skip
OPTIMIZERS = rows.all_names(TABLE)
_UNIT = ("momentum", "beta_1", "beta_2", "rho")
_POSITIVE = ("clipnorm", "clipvalue", "global_clipnorm")


@dataclass(frozen=True, slots=True, repr=False)
class Optimizer:
    """A row with its options and its learning rate (a number or a schedule)."""

    row: Row
    learning_rate: Any
    options: rows.Options

    full_batch = False

    @property
    def name(self) -> str:
        """The row's name."""
        return self.row.name

    @property
    def on(self) -> Any:
        """The options by attribute."""
        return SimpleNamespace(**dict(self.options))

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The state: what is kept for each parameter, and what is shared."""
        return tuple(self.row.slots(self.on))

    @property
    def learning_rate_start(self) -> float:
        """The learning rate of the first step."""
        return start(self.learning_rate)

    def equations(self) -> Equations:
        """The update equations in SymPy."""
        letters = SimpleNamespace(**{name: sp.Symbol(name) for name, _ in self.options})
        slots = SimpleNamespace(**{s.name: sp.Symbol(f"slot_{s.name}") for s in self.slots})
        return self.row.equations(letters, slots, self.on)

    def rate(self, step: Node, learning_rate: Node) -> Node:
        """eta(t): the schedule's value at the step (from 0), or the rate that is given at run time."""
        return rate_node(self.learning_rate, step, learning_rate)

    def update(
        self, thetas: Sequence[Node], gradients: Sequence[Node], slots: Sequence[Mapping[str, Node]],
        shared: Mapping[str, Node], clock: tuple[Node, Node],
    ) -> tuple[list[Node], list[dict[str, Node]], dict[str, Node]]:  # fmt: skip
        """Next parameters, next slots of each, next shared slots; ``clock`` is (eta, t)."""
        eta, t = clock
        clipped = self._clipped(gradients)
        fixed = {sp.Symbol(name): constant(float(v)) for name, v in self.options if isinstance(v, (int, float))}
        new_thetas, new_slots, new_shared = [], [], dict(shared)
        for theta, g, own in zip(thetas, clipped, slots, strict=True):
            if self.on.weight_decay:
                theta = theta - theta * (eta * constant(float(self.on.weight_decay)))
            env: dict[Any, Node] = {**fixed, THETA: theta, G: g, ETA: eta, T: t}
            env |= {sp.Symbol(f"slot_{name}"): node for name, node in {**own, **shared}.items()}
            for left, right in self.equations():
                env[left] = to_node(right, env)
            new_thetas.append(env[THETA])
            new_slots.append({name: env[sp.Symbol(f"slot_{name}")] for name in own})
            new_shared = {name: env[sp.Symbol(f"slot_{name}")] for name in shared}
        return new_thetas, new_slots, new_shared

    def _clipped(self, gradients: Sequence[Node]) -> list[Node]:
        """Keras's clipping: by value, by each gradient's norm, or by the norm of all together."""
        on = self.on
        if on.clipvalue is not None:
            bound = constant(float(on.clipvalue))
            return [build("clip", g, -bound, bound) for g in gradients]
        if on.clipnorm is not None:
            return [_scaled(g, _norm([g]), on.clipnorm) for g in gradients]
        if on.global_clipnorm is not None:
            whole = _norm(gradients)
            return [_scaled(g, whole, on.global_clipnorm) for g in gradients]
        return list(gradients)

    def latex(self) -> str:
        r"""The update equations, aligned, with the values of the letters.

        >>> print(get("sgd").latex())
        \begin{aligned}
        \theta_{t} &= \theta_{t-1} - \eta g_{t}
        \end{aligned}
        """
        done: set[sp.Symbol] = set()
        lines = []
        decay = self.on.weight_decay
        if decay:
            lines.append(r"\theta_{t-1} &\leftarrow \theta_{t-1} - \eta\lambda\,\theta_{t-1}")
        for left, right in self.equations():
            text = sp.latex(right, order="none", symbol_names=_written(right, done))
            done.add(left)
            lines.append(f"{_written(left, done)[left]} &= {text}")
        used = {str(s) for _, right in self.equations() for s in right.free_symbols}
        values = [
            f"{LETTERS[n]} = {number(v)}" for n, v in self.options if n in used or (n == "weight_decay" and decay)
        ]
        end = [r"&\text{with } " + ",\\ ".join(values)] if values else []
        return "\\begin{aligned}\n" + " \\\\\n".join([*lines, *end]) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

    def __reduce__(self) -> tuple:
        return _restored, (self.row.title, self.learning_rate, self.options)

    def __repr__(self) -> str:
        defaults = dict((*self.row.options, *[o for o in GENERAL if o[0] not in dict(self.row.options)]))
        shown = [f"{n}={v!r}" for n, v in self.options if v != defaults[n]]
        return f"{self.row.title}({', '.join([f'learning_rate={self.learning_rate!r}', *shown])})"


def _restored(title: str, rate: Any, options: rows.Options) -> Optimizer:
    return Optimizer(OPTIMIZERS[title], rate, options)


def _norm(gradients: Sequence[Node]) -> Node:
    """The Euclidean norm of all elements."""
    norms = [build("norm", g, axes=tuple(range(g.type.rank))) if g.type.rank else build("abs", g) for g in gradients]
    total = norms[0]
    for n in norms[1:]:
        total = build("hypot", total, n)
    return total


def _scaled(g: Node, norm: Node, bound: float) -> Node:
    """g c / max(norm, c)."""
    c = constant(float(bound))
    return g * (c / build("maximum", norm, c))


def _written(expr: sp.Expr, done: set[sp.Symbol]) -> dict[sp.Symbol, str]:
    """Symbols in LaTeX: state with the time of its value."""
    found = {}
    for s in expr.free_symbols:
        plain = str(s).removeprefix("slot_")
        letter = LETTERS.get(plain, plain)
        if s == G:
            found[s] = "g_{t}"
        elif s == THETA or str(s).startswith("slot_"):
            found[s] = f"{letter}_{{t}}" if s in done else f"{letter}_{{t-1}}"
        else:
            found[s] = letter
    return found


@dataclass(frozen=True, slots=True)
class Maker:
    """``Adam(learning_rate=0.001, ...)``: the row's optimizer."""

    row: Row

    def __repr__(self) -> str:
        return f"<optimizer {self()!r}>"

    def __call__(self, *args: Any, **given: Any) -> Optimizer:
        names = dict(self.row.options)
        known = (
            ("learning_rate", self.row.learning_rate),
            *self.row.options,
            *[o for o in GENERAL if o[0] not in names],
        )
        if "lr" in given:
            if "learning_rate" in given or args:
                raise CallError(f"{self.row.title}: learning_rate is given twice")
            given["learning_rate"] = given.pop("lr")
        (_, rate), *options = rows.settled(self.row.title, known, args, given)
        return Optimizer(
            self.row, _checked_rate(self.row.title, rate), tuple(_checked(self.row.title, o) for o in options)
        )


def _checked_rate(title: str, rate: Any) -> Any:
    if callable(rate):
        return rate
    return _number(title, "learning_rate", rate, lambda x: x >= 0, "0 or more, or a schedule")


def _checked(title: str, option: tuple[str, Any]) -> tuple[str, Any]:
    """A value that makes sense.

    Raises:  DeclarationError
    """
    name, value = option
    if name in ("nesterov", "centered", "amsgrad"):
        if not isinstance(value, bool):
            raise DeclarationError(f"{title}: {name} is True or False", ("given", repr(value)[:40]))
        return option
    if value is None and name in dict(GENERAL):
        return option
    if name in _UNIT:
        return name, _number(title, name, value, lambda x: 0 <= x < 1, "from 0 to 1, 1 excluded")
    if name in _POSITIVE:
        return name, _number(title, name, value, lambda x: x > 0, "above 0")
    return name, _number(title, name, value, lambda x: x >= 0, "0 or more")


def _number(title: str, name: str, value: Any, holds: Callable[[float], bool], words: str) -> float:
    is_number = isinstance(value, (int, float)) or hasattr(value, "__float__")
    if isinstance(value, (bool, str)) or not is_number or not holds(float(value)) or float(value) == float("inf"):
        raise DeclarationError(f"{title}: {name} is a number {words}", ("given", repr(value)[:40]))
    return float(value)


def get(spec: Any) -> Any:
    """An optimizer by name, or as it is.

    >>> get("adam")
    Adam(learning_rate=0.001)
    """
    if isinstance(spec, str):
        return Maker(rows.find("optimizer", spec, OPTIMIZERS))()
    if isinstance(spec, Maker):
        return spec()
    if isinstance(spec, Optimizer) or getattr(spec, "full_batch", False):
        return spec
    raise DeclarationError("an optimizer is a name or one of sg.optimizers", ("given", type(spec).__name__))


def __getattr__(name: str) -> Any:
    """Makers under the rows' titles: ``SGD``, ``Adam``, ..."""
    row = next((r for r in TABLE if r.title == name), None)
    if row is None:
        raise AttributeError(f"there is no optimizer {name!r}")
    return Maker(row)


def __dir__() -> list[str]:
    return sorted([*globals(), *(r.title for r in TABLE)])
