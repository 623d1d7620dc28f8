"""Formulas of the schedules: the learning rate as a SymPy expression of the step and of letters for the options.

In: a schedule's options as a namespace. Out: an expression, written in the order in which it is read (its caller keeps
SymPy from evaluating). The step counts from 0.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import sympy as sp

STEP = sp.Symbol("step", integer=True, nonnegative=True)
ETA0, END, STEPS, GAMMA, POWER, ALPHA, TARGET, WARMUP = sp.symbols("eta0 end N gamma p alpha target W", real=True)
TOP, PEAK, DIVISOR, LAST, GROWTH, FACTOR = sp.symbols("top peak divisor last growth factor", real=True)


def exact(value: float) -> Any:
    """A number of SymPy's with all digits."""
    return sp.Integer(value) if isinstance(value, int) else sp.Float(value, 17)


def unchanged(o: SimpleNamespace) -> Any:
    return ETA0


def _stairs(o: SimpleNamespace) -> Any:
    return sp.floor(STEP / STEPS) if o.staircase else STEP / STEPS


def exponential(o: SimpleNamespace) -> Any:
    return ETA0 * GAMMA ** _stairs(o)


def inverse_time(o: SimpleNamespace) -> Any:
    return ETA0 / (1 + GAMMA * _stairs(o))


def polynomial(o: SimpleNamespace) -> Any:
    whole = STEPS * sp.Max(sp.ceiling(STEP / STEPS), 1)
    share = STEP / whole if o.cycle else sp.Min(STEP, STEPS) / STEPS
    return (ETA0 - END) * (1 - share) ** POWER + END


def _half_cosine(share: Any) -> Any:
    return (1 + sp.cos(sp.pi * share)) / 2


def _above(alpha: float, share: Any) -> Any:
    """From 1 down to alpha."""
    return (1 - ALPHA) * share + ALPHA if alpha else share


def cosine(o: SimpleNamespace) -> Any:
    if o.warmup_target is None:
        return ETA0 * _above(o.alpha, _half_cosine(sp.Min(STEP, STEPS) / STEPS))
    decay = TARGET * _above(o.alpha, _half_cosine(sp.Min(STEP - WARMUP, STEPS) / STEPS))
    if not o.warmup_steps:
        return decay
    return sp.Piecewise((ETA0 + (TARGET - ETA0) * STEP / WARMUP, STEP < WARMUP), (decay, True))


def cosine_restarts(o: SimpleNamespace) -> Any:
    """Period i has the length N growth^i; share is how much of it is over.

    The logarithms round: what is added to their quotient keeps the first step of a period out of the one before.
    """
    done = STEP / STEPS
    if o.t_mul == 1.0:
        period, share = sp.floor(done), done - sp.floor(done)
    else:
        period = sp.floor(sp.log(1 + done * (GROWTH - 1)) / sp.log(GROWTH) + sp.Float(1e-6, 17))
        share = (done - (GROWTH**period - 1) / (GROWTH - 1)) / GROWTH**period
    return ETA0 * _above(o.alpha, _half_cosine(share) if o.m_mul == 1.0 else FACTOR**period * _half_cosine(share))


def piecewise_constant(o: SimpleNamespace) -> Any:
    cases = [(sp.Float(v, 17), sp.Le(STEP, exact(b))) for v, b in zip(o.values, o.boundaries, strict=False)]
    return sp.Piecewise(*cases, (sp.Float(o.values[-1], 17), True))


def one_cycle(o: SimpleNamespace) -> Any:
    """Up from top/divisor to top until the peak, then down to top/divisor/last."""
    step = sp.Min(STEP, STEPS - 1)
    peak = PEAK * STEPS - 1

    def between(a: Any, b: Any, share: Any) -> Any:
        return b + (a - b) * (_half_cosine(share) if o.anneal_strategy == "cos" else 1 - share)

    up = between(TOP / DIVISOR, TOP, step / peak)
    down = between(TOP, TOP / (DIVISOR * LAST), (step - peak) / (STEPS - PEAK * STEPS))
    return sp.Piecewise((up, step <= peak), (down, True))


def steps_down(o: SimpleNamespace) -> Any:
    return ETA0 * GAMMA ** sp.floor(STEP / STEPS)


def warmup(o: SimpleNamespace) -> Any:
    after, target = o.after.number_expression().xreplace({STEP: STEP - WARMUP}), exact(o.after(0))
    if not o.warmup_steps:
        return after
    return sp.Piecewise((ETA0 + (target - ETA0) * STEP / WARMUP, STEP < WARMUP), (after, True))
