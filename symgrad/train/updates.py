"""Update equations of the optimizers in SymPy, over the parameter, its gradient, the rate, the time and the slots.

In: letters of the options, symbols of the slots, the options' values. Out: (symbol, expression) in order.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

THETA, G, ETA, T = sp.symbols("theta g eta t")
Equations = list[tuple[sp.Symbol, sp.Expr]]


def _add(*terms: Any) -> sp.Expr:
    """A sum in the order in which it is written."""
    return sp.Add(*terms, evaluate=False)


def sgd(o: Any, s: Any, on: Any) -> Equations:
    if not on.momentum:
        return [(THETA, _add(THETA, -ETA * G))]
    velocity = (s.v, _add(o.momentum * s.v, -ETA * G))
    return [velocity, (THETA, _add(THETA, o.momentum * s.v, -ETA * G) if on.nesterov else _add(THETA, s.v))]


def adagrad(o: Any, s: Any, on: Any) -> Equations:
    return [
        (s.accumulator, _add(s.accumulator, G**2)),
        (THETA, _add(THETA, -ETA * G / sp.sqrt(s.accumulator + o.epsilon))),
    ]


def rmsprop(o: Any, s: Any, on: Any) -> Equations:
    found: Equations = [(s.v, _add(o.rho * s.v, (1 - o.rho) * G**2))]
    spread = s.v
    if on.centered:
        found.append((s.average, _add(o.rho * s.average, (1 - o.rho) * G)))
        spread = s.v - s.average**2
    moved = ETA * G / sp.sqrt(spread + o.epsilon)
    if not on.momentum:
        return [*found, (THETA, _add(THETA, -moved))]
    return [*found, (s.m, _add(o.momentum * s.m, moved)), (THETA, _add(THETA, -s.m))]


def _moments(o: Any, s: Any) -> Equations:
    return [
        (s.m, _add(o.beta_1 * s.m, (1 - o.beta_1) * G)),
        (s.v, _add(o.beta_2 * s.v, (1 - o.beta_2) * G**2)),
    ]


def adam(o: Any, s: Any, on: Any) -> Equations:
    found, second = _moments(o, s), s.v
    if on.amsgrad:
        found.append((s.largest, sp.Max(s.largest, s.v)))
        second = s.largest
    rate = ETA * sp.sqrt(1 - o.beta_2**T) / (1 - o.beta_1**T)
    return [*found, (THETA, _add(THETA, -rate * s.m / (sp.sqrt(second) + o.epsilon)))]


def adamax(o: Any, s: Any, on: Any) -> Equations:
    return [
        (s.m, _add(o.beta_1 * s.m, (1 - o.beta_1) * G)),
        (s.u, sp.Max(o.beta_2 * s.u, sp.Abs(G))),
        (THETA, _add(THETA, -ETA * s.m / ((1 - o.beta_1**T) * (s.u + o.epsilon)))),
    ]


def nadam(o: Any, s: Any, on: Any) -> Equations:
    decay = sp.Float("0.96")
    now, following = (o.beta_1 * (1 - decay**k / 2) for k in (T, T + 1))
    first = _add(following * s.m / (1 - s.u_product * following), (1 - now) * G / (1 - s.u_product))
    second = sp.sqrt(s.v / (1 - o.beta_2**T))
    return [
        (s.u_product, s.u_product * now),
        *_moments(o, s),
        (THETA, _add(THETA, -ETA * first / (second + o.epsilon))),
    ]


def adadelta(o: Any, s: Any, on: Any) -> Equations:
    step = -sp.sqrt(s.delta + o.epsilon) / sp.sqrt(s.accumulator + o.epsilon) * G
    return [
        (s.accumulator, _add(o.rho * s.accumulator, (1 - o.rho) * G**2)),
        (THETA, _add(THETA, ETA * step)),
        (s.delta, _add(o.rho * s.delta, (1 - o.rho) * step**2)),
    ]


def lion(o: Any, s: Any, on: Any) -> Equations:
    return [
        (THETA, _add(THETA, -ETA * sp.sign(_add(o.beta_1 * s.m, (1 - o.beta_1) * G)))),
        (s.m, _add(o.beta_2 * s.m, (1 - o.beta_2) * G)),
    ]
