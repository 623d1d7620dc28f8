"""Schedules against Keras 3's definitions in NumPy, at the ends of every piece, and in the compiled loop."""

import copy
import math
import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.errors import CallError, DeclarationError
from symgrad.train import schedules as s

STEPS = [0, 1, 2, 9, 10, 11, 19, 20, 21, 35, 100]


def cosine(t, first=0.1, steps=20, alpha=0.1, target=None, warm=0):
    if target is not None:
        if t < warm:
            return first + (target - first) * t / warm
        first, t = target, t - warm
    return first * ((1 - alpha) * 0.5 * (1 + math.cos(math.pi * min(t, steps) / steps)) + alpha)


def cycled(t):
    steps = 10 * max(1, math.ceil(t / 10))
    return (0.1 - 0.01) * (1 - t / steps) ** 2 + 0.01


CASES = {
    "exponential": (s.ExponentialDecay(0.1, 10, 0.9), lambda t: 0.1 * 0.9 ** (t / 10)),
    "stairs": (s.ExponentialDecay(0.1, 10, 0.9, staircase=True), lambda t: 0.1 * 0.9 ** (t // 10)),
    "inverse": (s.InverseTimeDecay(0.1, 10, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 10)),
    "polynomial": (
        s.PolynomialDecay(0.1, 20, 0.01, 2.0), lambda t: (0.1 - 0.01) * (1 - min(t, 20) / 20) ** 2 + 0.01,
    ),
    "cycle": (s.PolynomialDecay(0.1, 10, 0.01, 2.0, cycle=True), cycled),
    "cosine": (s.CosineDecay(0.1, 20, 0.1), cosine),
    "warm": (s.CosineDecay(0.0, 20, 0.1, 0.2, 10), lambda t: cosine(t, 0.0, 20, 0.1, 0.2, 10)),
    "pieces": (
        s.PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1]), lambda t: 1.0 if t <= 10 else 0.5 if t <= 20 else 0.1,
    ),
    "step": (s.StepDecay(0.8, 0.5, 10), lambda t: 0.8 * 0.5 ** (t // 10)),
    "constant": (s.Constant(0.3), lambda t: 0.3),
    "own": (s.Schedule(lambda t: 0.1 / sp.sqrt(1 + t)), lambda t: 0.1 / math.sqrt(1 + t)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_formulas(case):
    schedule, expected = CASES[case]
    np.testing.assert_allclose(schedule(np.array(STEPS)), [expected(t) for t in STEPS], rtol=1e-13, atol=1e-16)
    assert schedule.latex().count("{") == schedule.latex().count("}")
    assert pickle.loads(pickle.dumps(schedule)) == schedule == copy.deepcopy(schedule)


def test_one_cycle_rises_and_falls():
    cycle = s.OneCycle(1.0, 100)
    values = cycle(np.arange(101))
    assert values[0] == pytest.approx(1 / 25)
    assert values.argmax() == 30
    assert values.max() == pytest.approx(1.0)
    assert values[-1] == pytest.approx(1 / 25 / 10000)


def test_the_loop_follows_a_schedule():
    x, w = sg.input("x", ("n",)), sg.parameter("w", init=0.0)
    net = sg.Model(inputs=x, outputs=x * w)
    net.compile(sg.optimizers.SGD(CASES["exponential"][0]), loss=sg.mean(x * w))  # a slope of 1
    net.fit(np.ones(4), batch_size=1, epochs=3, shuffle=False)
    assert net.state_dict()["w"] == pytest.approx(-sum(0.1 * 0.9 ** (t / 10) for t in range(12)), rel=1e-13)


def test_mistakes_are_answered():
    with pytest.raises(DeclarationError, match="needs decay_rate"):
        s.ExponentialDecay(0.1, 10)
    with pytest.raises(CallError, match="no option"):
        s.ExponentialDecay(0.1, 10, decay=0.5)
    with pytest.raises(DeclarationError, match="above 0"):
        s.StepDecay(0.1, 0.5, 0)
    with pytest.raises(DeclarationError, match="one symbol"):
        s.Schedule(sp.Symbol("a") * sp.Symbol("b"))
