r"""An optimizer's equations as nodes of the training loop, and as LaTeX.

In: a row, its options, nodes of parameters, gradients and state. Out: nodes of the new parameters and state, element by
element, so that the loop updates in place. What is printed is made of the same equations.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import sympy as sp

from symgrad.emit.latex import aligned
from symgrad.emit.latex import latex as formula
from symgrad.ir.node import Node, build, constant
from symgrad.ops.shape import broadcast
from symgrad.ops.symbolic import to_node
from symgrad.train.rules.options import Option, Pairs, constants, letters, namespace, sign, signed, where_clause
from symgrad.train.rules.schedules import LearningRateSchedule

Equation = tuple[sp.Symbol, Any]

# The parameter, its gradient (clipped), the learning rate, the number of the step (from 1), and the weight decay.
THETA, G, ETA, T, DECAY = sp.symbols("theta g eta t decay", real=True)


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of state: an array like its parameter, or (``shared``) one number for the optimizer."""

    name: str
    start: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An optimizer. ``equations(options)`` are one step: (symbol, expression) gives a symbol its next value.

    A later equation reads the new value. ``slots`` says which symbols last from step to step; ``starts`` names the
    options that slots start with. A ``full_batch`` row has no step of its own: what it
    does is only ``shown``, as lines of LaTeX.
    """

    name: str
    options: tuple[Option, ...]
    slots: Mapping[sp.Symbol, Slot]
    equations: Callable[[SimpleNamespace], list[Equation]]
    source: str
    starts: tuple[tuple[sp.Symbol, str], ...] = ()
    full_batch: bool = False
    shown: tuple[str, ...] = ()


def equations(row: Row, pairs: Pairs) -> list[Equation]:
    """One step, decoupled weight decay included, in the order and form in which the row writes it."""
    values = dict(pairs)
    with sp.evaluate(False):
        step = row.equations(namespace(pairs))
        if not values.get("weight_decay"):
            return step
        decayed = THETA - ETA * DECAY * THETA
        return [(s, sp.Add(decayed, *e.args[1:]) if s is THETA else e) for s, e in step]


def slots(row: Row, pairs: Pairs) -> list[tuple[sp.Symbol, Slot]]:
    """The state that the equations of these options change."""
    values, starts = dict(pairs), dict(row.starts)
    changed = {symbol for symbol, _ in equations(row, pairs)}
    found = [(symbol, slot) for symbol, slot in row.slots.items() if symbol in changed]
    return [(s, replace(slot, start=values[starts[s]]) if s in starts else slot) for s, slot in found]


# Nodes


def stepped(
    row: Row, pairs: Pairs, owned: Sequence[tuple[Node, Node, Mapping[str, Node]]],
    shared: Mapping[str, Node], clock: tuple[Node, Node],
) -> tuple[list[Node], list[dict[str, Node]], dict[str, Node]]:  # fmt: skip
    """New parameters, slots and shared slots from (parameter, gradient, slots) of each and ``clock``, (eta, t)."""
    eta, t = clock
    step, state = equations(row, pairs), slots(row, pairs)
    known = constants(row.options, pairs) | {ETA: eta, T: t}
    thetas, own, common = [], [], dict(shared)
    for theta, gradient, mine in owned:
        held = {symbol: (shared if slot.shared else mine)[slot.name] for symbol, slot in state}
        env = _advanced(step, known | held | {THETA: theta, G: gradient})
        thetas.append(broadcast(env[THETA], theta.shape))
        new = {slot.name: broadcast(env[s], held[s].shape) for s, slot in state}
        own.append({slot.name: new[slot.name] for _, slot in state if not slot.shared})
        common |= {slot.name: new[slot.name] for _, slot in state if slot.shared}
    return thetas, own, common


def _advanced(step: Sequence[Equation], env: dict[sp.Symbol, Node]) -> dict[sp.Symbol, Node]:
    """The symbols after the equations, each of which reads those before it."""
    for symbol, expression in step:
        env[symbol] = to_node(expression, env)
    return env


def clipped(pairs: Pairs, gradients: Sequence[Node]) -> list[Node]:
    """The gradients, clipped as the options say."""
    for name, limit in pairs:
        if name in CLIPS and limit is not None:
            return CLIPS[name].apply(list(gradients), constant(limit))
    return list(gradients)


def _norm(x: Node) -> Node:
    axes = tuple(range(x.type.rank))
    return build("norm", x, axes=axes) if axes else build("abs", x)


def _scaled(x: Node, norm: Node, limit: Node) -> Node:
    return x * (limit / build("maximum", norm, limit))


def _by_norm(gradients: list[Node], limit: Node) -> list[Node]:
    return [_scaled(g, _norm(g), limit) for g in gradients]


def _by_global_norm(gradients: list[Node], limit: Node) -> list[Node]:
    norm = functools.reduce(lambda a, b: build("hypot", a, b), map(_norm, gradients), constant(0.0))
    return [_scaled(g, norm, limit) for g in gradients]


def _by_value(gradients: list[Node], limit: Node) -> list[Node]:
    return [build("clip", g, -limit, limit) for g in gradients]


@dataclass(frozen=True, slots=True)
class Clip:
    """A way to bound gradients: of nodes, and as LaTeX of the gradient and the limit."""

    apply: Callable[[list[Node], Node], list[Node]]
    formula: str
    source: str


CLIPS = {
    "clipnorm": Clip(_by_norm, r"{g} \min\left(1, \frac{{{c}}}{{\lVert {g} \rVert}}\right)", "each parameter"),
    "global_clipnorm": Clip(
        _by_global_norm,
        r"{g} \min\left(1, \frac{{{c}}}{{\sqrt{{\sum_{{\theta}} \lVert {g} \rVert^2}}}}\right)",
        "all parameters as one vector: Pascanu, Mikolov, Bengio 2013",
    ),
    "clipvalue": Clip(_by_value, r"\min(\max({g}, -{c}), {c})", "each element"),
}


# LaTeX


def latex(row: Row, pairs: Pairs, shown: Mapping[sp.Symbol, str]) -> str:
    """The gradient, the equations in order, and the values of their letters, as aligned lines.

    ``shown`` is how symbols are written; they get the step's number: v_{t} is new, v_{t-1} what was before.
    """
    timed = {THETA: r"\theta", G: "g", **shown}
    env = letters(row.options) | {T: sign("t"), G: sign("g_{t}"), DECAY: sign(r"\lambda")}
    env |= {symbol: sign(f"{text}_{{t-1}}") for symbol, text in timed.items() if symbol is not G}
    step = equations(row, pairs)
    lines = [r"g_{t} &= \nabla_{\theta} J(\theta_{t-1})", *_clip_lines(pairs), *_schedule_lines(pairs, env)]
    for symbol, expression in step:
        right = formula(to_node(expression, env))
        env[symbol] = sign(f"{timed[symbol]}_{{t}}")
        lines.append(f"{formula(env[symbol])} &= {right}")
    lines += row.shown
    used = {s for _, expression in step for s in expression.free_symbols}
    values = where_clause(row.options, pairs, used)
    return aligned([*lines, *([rf"&\quad {values}"] if values else [])])


def _clip_lines(pairs: Pairs) -> list[str]:
    found = [(CLIPS[name], limit) for name, limit in pairs if name in CLIPS and limit is not None]
    return [rf"g_{{t}} &\leftarrow {clip.formula.format(g='g_{t}', c=signed(limit))}" for clip, limit in found]


def _schedule_lines(pairs: Pairs, env: dict[sp.Symbol, Node]) -> list[str]:
    """The learning rate of the step, where a schedule gives it (its own steps count from 0)."""
    schedule = dict(pairs).get("learning_rate")
    if not isinstance(schedule, LearningRateSchedule):
        return []
    env[ETA] = sign(r"\eta_{t}")
    values = schedule.values()
    return [rf"\eta_{{t}} &= {schedule.formula('t', 1)}" + (rf" \quad ({values})" if values else "")]
