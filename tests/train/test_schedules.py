"""Schedules against Keras 3's definitions in NumPy, at the ends of every piece, and in the compiled loop."""

import copy
import math
import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.ir.node import Variable
from symgrad.ir.types import ArrayType
from symgrad.ops.leaf import variable
from symgrad.train.rules import schedules as s

STEPS = [*range(41), 99, 100, 101, 1000]


def cosine(t, first=0.1, steps=20, alpha=0.1, target=None, warm=0):
    if target is not None:
        if t < warm:
            return first + (target - first) * t / warm
        first, t = target, t - warm
    return first * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(t, steps) / steps)) + alpha)


def cycled(t):
    steps = 10 * max(1, math.ceil(t / 10))
    return (0.1 - 0.01) * (1 - t / steps) ** 2 + 0.01


def restarts(t, first, steps, grows=2.0, shrinks=1.0, alpha=0.0):
    """The period that holds the step, found by counting."""
    begin, length, height = 0.0, steps, 1.0
    while t - begin >= length:
        begin, length, height = begin + length, length * grows, height * shrinks
    return first * ((1 - alpha) * height * 0.5 * (1 + math.cos(math.pi * (t - begin) / length)) + alpha)


def one_cycle(t, top, steps, pct=0.3, div=25.0, last=1e4, linear=False):
    """PyTorch's OneCycleLR, which ends at the step total_steps - 1."""
    t, peak, end = min(t, steps - 1), pct * steps - 1, steps - 1
    first = top / div
    a, b, share = (first, top, t / peak) if t <= peak else (top, first / last, (t - peak) / (end - peak))
    return a + (b - a) * share if linear else b + (a - b) / 2 * (1 + math.cos(math.pi * share))


t = sp.Symbol("t")
CASES = {
    "constant": (s.Constant(0.3), lambda t: 0.3),
    "exponential": (s.ExponentialDecay(0.1, 10, 0.9), lambda t: 0.1 * 0.9 ** (t / 10)),
    "stairs": (s.ExponentialDecay(0.1, 10, 0.9, staircase=True), lambda t: 0.1 * 0.9 ** (t // 10)),
    "step": (s.StepDecay(0.8, 10), lambda t: 0.8 * 0.5 ** (t // 10)),
    "inverse": (s.InverseTimeDecay(0.1, 10, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 10)),
    "inverse stairs": (s.InverseTimeDecay(0.1, 10, 0.5, True), lambda t: 0.1 / (1 + 0.5 * (t // 10))),
    "polynomial": (
        s.PolynomialDecay(0.1, 20, 0.01, 2.0), lambda t: (0.1 - 0.01) * (1 - min(t, 20) / 20) ** 2 + 0.01,
    ),
    "cycle": (s.PolynomialDecay(0.1, 10, 0.01, 2.0, cycle=True), cycled),
    "cosine": (s.CosineDecay(0.1, 20, 0.1), cosine),
    "cosine to 0": (s.CosineDecay(0.1, 20), lambda t: cosine(t, alpha=0.0)),
    "warm": (s.CosineDecay(0.0, 20, 0.1, 0.2, 10), lambda t: cosine(t, 0.0, 20, 0.1, 0.2, 10)),
    "warm at once": (s.CosineDecay(0.0, 20, 0.1, 0.2), lambda t: cosine(t, 0.2, 20, 0.1)),
    "restarts": (s.CosineDecayRestarts(0.1, 3), lambda t: restarts(t, 0.1, 3)),
    "restarts by 1.5": (s.CosineDecayRestarts(0.1, 4, 1.5, 0.9, 0.1), lambda t: restarts(t, 0.1, 4, 1.5, 0.9, 0.1)),
    "restarts of one length": (s.CosineDecayRestarts(0.1, 7, 1.0, 0.5), lambda t: restarts(t, 0.1, 7, 1.0, 0.5)),
    "pieces": (
        s.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1]), lambda t: 1.0 if t <= 10 else 0.5 if t <= 20 else 0.1,
    ),
    "one cycle": (s.OneCycle(1.0, 30), lambda t: one_cycle(t, 1.0, 30)),
    "linear cycle": (
        s.OneCycle(1.0, 30, 0.5, "linear", 10.0, 100.0), lambda t: one_cycle(t, 1.0, 30, 0.5, 10.0, 100.0, True),
    ),
    "warm-up": (s.Warmup(0.5, 10), lambda t: min(t, 10) * 0.05),
    "warm-up of another": (
        s.Warmup(s.CosineDecay(0.1, 20, 0.1), 10, 0.02), lambda t: cosine(t, 0.02, 20, 0.1, 0.1, 10),
    ),
    "warm-up of none": (s.Warmup(s.StepDecay(0.8, 10), 0), lambda t: 0.8 * 0.5 ** (t // 10)),
    "expression": (s.Schedule(sp.exp(-t / 10) / 3), lambda t: math.exp(-t / 10) / 3),
    "cases": (s.Schedule(sp.Piecewise((1, t < 5), (1 / t, True))), lambda t: 1 if t < 5 else 1 / t),
    "function": (s.Schedule(lambda t: 0.1 / sp.sqrt(1 + t)), lambda t: 0.1 / math.sqrt(1 + t)),
    "function of tensors": (s.Schedule(lambda t: 0.1 * sg.exp(-t / 9)), lambda t: 0.1 * math.exp(-t / 9)),
    "text": (s.Schedule("0.1*exp(-k/9)"), lambda t: 0.1 * math.exp(-t / 9)),
    "number": (s.Schedule(0.1), lambda t: 0.1),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rates_are_those_of_the_definition(case):
    schedule, expected = CASES[case]
    np.testing.assert_allclose(schedule(STEPS), [expected(t) for t in STEPS], rtol=1e-12, atol=1e-16)
    assert schedule(3) == pytest.approx(expected(3), rel=1e-12)
    at, rates = schedule.curve(5)
    np.testing.assert_array_equal(at, np.arange(5))
    np.testing.assert_array_equal(rates, schedule(at))


@pytest.mark.parametrize("case", CASES)
def test_compiled_rates_are_the_same(case):
    """The loop's node, compiled: the same formula, elementary functions within some ulp."""
    schedule, _ = CASES[case]
    step = variable(Variable("step", "input"), ArrayType((), "int"))
    fn = sg.compile(sg.Tensor(schedule.node(step)), wrt=[], inputs=[sg.Tensor(step)])
    for k in (0, 1, 9, 10, 11, 100):
        assert fn(k) == pytest.approx(schedule(k), rel=1e-13, abs=1e-18)


def test_first_steps_of_periods_start_anew():
    """The logarithm of a power is not always the whole number that it should be."""
    for length in (1, 3, 10, 1000):
        for grows in (2.0, 3.0, 5.0, 10.0):
            starts = [length * (grows**i - 1) / (grows - 1) for i in range(9)]
            rates = s.CosineDecayRestarts(1.0, length, grows)(np.array(starts).round().astype(int))
            np.testing.assert_allclose(rates, 1.0, rtol=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_what_is_printed(case, snapshot):
    schedule = CASES[case][0]
    assert schedule.latex() == snapshot
    assert schedule._repr_latex_() == f"$$\n{schedule.latex()}\n$$"


@pytest.mark.parametrize("case", CASES)
def test_schedules_are_values(case):
    schedule = CASES[case][0]
    for other in (copy.copy(schedule), copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert other == schedule
        assert hash(other) == hash(schedule)
    assert s.get(schedule) is schedule
    assert schedule != s.Constant(0.123)
    if schedule.name != "Schedule":
        assert eval(repr(schedule), s.MAKERS) == schedule


def test_rows_are_whole():
    assert {case.name for case, _ in CASES.values()} == set(s.ROWS)
    assert all(row.source for row in s.TABLE)


def test_names_are_found():
    assert s.get("step_decay", initial_learning_rate=1.0, decay_steps=3) == s.StepDecay(1.0, 3)
    assert s.get("CosineDecay", initial_learning_rate=1.0, decay_steps=3) == s.CosineDecay(1.0, 3)
    assert s.get(1 / (1 + t)) == s.Schedule(lambda k: 1 / (1 + k))


def test_the_loop_follows_a_schedule():
    x, w = sg.input("x", ("n",)), sg.parameter("w", init=0.0)
    net = sg.Model(inputs=x, outputs=x * w)
    net.compile(sg.optimizers.SGD(CASES["exponential"][0]), loss=sg.mean(x * w))  # a slope of 1
    net.fit(np.ones(4), batch_size=1, epochs=3, shuffle=False)
    assert net.state_dict()["w"] == pytest.approx(-sum(0.1 * 0.9 ** (t / 10) for t in range(12)), rel=1e-13)


MISTAKES = {
    "missing": lambda: s.ExponentialDecay(0.1, 10),
    "option": lambda: s.ExponentialDecay(0.1, 10, 0.5, steps=3),
    "no steps": lambda: s.StepDecay(0.1, 0),
    "negative": lambda: s.Constant(-0.1),
    "nan": lambda: s.CosineDecay(math.nan, 10),
    "alpha": lambda: s.CosineDecay(0.1, 10, alpha=2.0),
    "pieces": lambda: s.PiecewiseConstantDecay([1, 2], [0.1, 0.2]),
    "order": lambda: s.PiecewiseConstantDecay([2, 1], [0.1, 0.2, 0.3]),
    "no list": lambda: s.PiecewiseConstantDecay(2, [0.1, 0.2]),
    "short cycle": lambda: s.OneCycle(0.1, 3),
    "strategy": lambda: s.OneCycle(0.1, 30, anneal_strategy="cosine"),
    "periods shrink": lambda: s.CosineDecayRestarts(0.1, 10, t_mul=0.5),
    "two symbols": lambda: s.Schedule(sp.Symbol("a") * sp.Symbol("b")),
    "branch": lambda: s.Schedule(lambda t: 0.1 if t > 3 else 0.2),
    "math": lambda: s.Schedule(lambda t: math.exp(-t)),
    "no rule": lambda: s.Schedule(sp.zeta(t)),
    "bad text": lambda: s.Schedule("0.1*exp("),
    "nothing": lambda: s.Schedule(None),
    "name": lambda: s.get("CosinDecay"),
    "step": lambda: s.Constant(0.1)(-1),
    "half a step": lambda: s.Constant(0.1)(0.5),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_answered(name, snapshot):
    with pytest.raises(SymgradError) as caught:
        MISTAKES[name]()
    error = caught.value
    assert [type(error).__name__, error.summary, *map(list, error.facts), error.fix] == snapshot
