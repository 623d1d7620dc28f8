"""Maxima and minima of arguments that depend on each other: at a tie the gradient of least norm in what they share."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.ir.walk import topological

x, y, c = sg.symbols("x y c")
v = sg.input("v", (3,))
ZERO = {"x": 0.0, "y": 0.0}
SLOPES = [(2.0, 1.0), (-2.0, -1.0), (3.0, -0.5), (1.0, 0.0), (0.1, -0.3), (1.0, 1.0), (4.0, 2.0, 3.0), (4.0, -1.0, 3.0)]


def gradient(f, *wrt, **at):
    found = sg.grad(f, list(wrt))
    return [float(sg.evaluate(g, **{**ZERO, **at})) for g in found]


def least(slopes):
    """The element of the interval of slopes that is nearest to 0."""
    return min(max(0.0, min(slopes)), max(slopes))


def folded(extreme, parts):
    result = parts[0]
    for part in parts[1:]:
        result = extreme(result, part)
    return result


@pytest.mark.parametrize("extreme", [sg.maximum, sg.minimum], ids=["max", "min"])
@pytest.mark.parametrize("slopes", SLOPES, ids=str)
def test_lines_through_one_point(slopes, extreme):
    """max of c_i (x - p) + q, with terms of second order, at p: the least of the slopes in magnitude, or 0."""
    for order in itertools.permutations(slopes):
        for shift in (0.0, 1.5):
            u = x - shift
            straight = folded(extreme, [s * u + 3 for s in order])
            curved = folded(extreme, [s * sg.sin(u) + k * u**2 for k, s in enumerate(order)])
            for f in (straight, curved):
                assert gradient(f, x, x=shift) == [least(slopes)]
    (tangent,) = [sg.jvp(folded(extreme, [s * x for s in slopes]), x, sg.constant(1.0))]
    assert sg.evaluate(tangent, x=0.0) == least(slopes)


PLANES = [((1, 1), (1, -1)), ((2, 0), (1, 0)), ((1, 2), (-1, 2)), ((3, 1), (1, 3)), ((1, 0), (5, 1)), ((1, 1), (2, 2))]


@pytest.mark.parametrize(("p", "q"), PLANES, ids=str)
def test_planes_share_by_the_foot_of_the_perpendicular(p, q):
    t = np.linspace(0.0, 1.0, 100_001)[:, None]
    segment = t * np.array(p) + (1 - t) * np.array(q)
    expected = segment[np.argmin(np.sum(segment**2, axis=1))]
    f = sg.maximum(p[0] * x + p[1] * y, q[0] * x + q[1] * y)
    np.testing.assert_allclose(gradient(f, x, y), expected, atol=2e-5)


def test_independent_arguments_share_equally():
    for extreme in (sg.maximum, sg.minimum):
        assert gradient(extreme(x, y), x, y) == [0.5, 0.5]
        assert gradient(extreme(2 * x, sg.sin(y)), x, y) == [1.0, 0.5]
        assert gradient(extreme(extreme(x, y), c), x, y, c, c=0.0) == [0.25, 0.25, 0.5]


def test_named_intermediates_are_variables_of_their_own():
    q, r = sg.named("q", 2 * x), sg.named("r", x * 1.0)
    assert gradient(sg.maximum(q, r), q, r) == [0.5, 0.5]
    assert gradient(sg.maximum(q, r), x) == [1.0]


def test_a_constant_takes_nothing():
    flat = np.zeros(3)
    for zero in (flat, sg.stop_gradient(v * 0), sg.where(v > 0, 1.0, 0.0) * 0.0, sg.log(sg.constant(1.0))):
        assert not np.any(sg.evaluate(sg.grad(sg.sum(sg.maximum(v, zero)), v), v=flat))


def test_a_slope_that_is_a_variable():
    """max(a x, x) at 0 is leaky relu: slope a for 0 < a < 1, and 0 where the slopes have two signs."""
    f = sg.maximum(c * x, x)
    for a, slope in ((0.3, 0.3), (0.9, 0.9), (2.0, 1.0), (-0.5, 0.0)):
        np.testing.assert_allclose(gradient(f, x, c, c=a), [slope, 0.0], atol=1e-16)
    assert gradient(f, x, c, x=2.0, c=0.25) == [1.0, 0.0]


def test_an_infinite_slope_loses():
    assert gradient(sg.maximum(sg.sqrt(x), x), x) == [1.0]


RELU = [
    sg.relu(x), sg.maximum(x, 0), sg.maximum(0, x), (x + abs(x)) / 2, -sg.minimum(-x, 0), sg.clip(x, 0, np.inf),
    sg.where(x > 0, x, 0), sg.maximum(sg.maximum(x, 0), x), sg.max(sg.stack([x, x * 0])), x - sg.minimum(x, 0),
]  # fmt: skip
ABS = [
    abs(x), sg.maximum(x, -x), -sg.minimum(x, -x), sg.relu(x) + sg.relu(-x), sg.max(sg.stack([x, -x])),
    sg.maximum(2 * x, -2 * x) / 2, sg.sqrt(x**2), sg.norm(sg.stack([x, 0 * x])), sg.maximum(abs(x), -x),
    abs(x - y), sg.maximum(x - y, y - x),
]  # fmt: skip
IDENTITY = [
    sg.maximum(x, x), sg.relu(x) - sg.relu(-x), sg.minimum(x, sg.maximum(x, x)), sg.max(sg.stack([x, x, x])),
    sg.maximum(x + x, 2 * x) / 2, sg.maximum(x, sg.maximum(x, 1 * x)), sg.clip(x, x, x + 1),
]  # fmt: skip
LEAKY = [sg.leaky_relu(x, 0.25), sg.prelu(x, 0.25), sg.maximum(0.25 * x, x), sg.maximum(x, x / 4)]
SPELLINGS = {"relu": (RELU, 0.0), "abs": (ABS, 0.0), "identity": (IDENTITY, 1.0), "leaky relu": (LEAKY, 0.25)}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_of_one_function_agree(name):
    functions, slope = SPELLINGS[name]
    for f in functions:
        assert gradient(f, x) == [slope], f
        assert sg.evaluate(f, x=0.0, y=0.0) == 0.0
        values = [[sg.evaluate(g, x=at, y=0.0) for g in (f, functions[0])] for at in (-2.0, 0.5)]
        np.testing.assert_array_equal(*zip(*values, strict=True))
        slopes = [[gradient(g, x, x=at) for g in (f, functions[0])] for at in (-2.0, 0.5)]
        np.testing.assert_array_equal(*zip(*slopes, strict=True))


def test_sympy_extremes_follow():
    t = sp.Symbol("t", real=True)
    f = sg.from_sympy(sp.Max(3 * t, sp.sin(t), -t))
    assert sg.evaluate(sg.grad(f, t), t=0.0) == 0.0
    assert sg.evaluate(sg.grad(sg.from_sympy(sp.Max(t, sp.sinh(t)) + sp.Min(t, 2 * t)), t), t=0.0) == 2.0


def test_a_clip_at_bounds_that_move_along():
    assert gradient(sg.clip(2 * x, x, 5.0), x) == [1.0]
    assert gradient(sg.clip(x, 2 * x, 5.0), x) == [1.0]
    assert gradient(sg.clip(x, -5.0, 3 * x), x) == [1.0]
    assert gradient(sg.clip(x, -c, c), x, c, c=2.0) == [1.0, 0.0]


def test_compiled_functions_and_arrays():
    f = sg.sum(sg.maximum(2 * v, v) + sg.minimum(v, -3 * v))
    fn = sg.compile(f, wrt=v)
    value, slopes = fn.value_and_grad(np.array([-1.0, 0.0, 2.0]))
    assert value == -1.0 - 1.0 + 4.0 - 6.0
    np.testing.assert_array_equal(slopes, [2.0, 1.0, -1.0])
    report = fn.check(np.array([-1.0, 0.0, 2.0]))
    assert report.ok, report


def test_weights_cost_nothing_where_arguments_are_independent_or_large():
    """A tie of two networks, or of long formulas, is not weighed."""
    a, b = x, x
    for k in range(40):
        a, b = sg.tanh(a + k), sg.sin(b * k)
    for f in (sg.maximum(a, b), sg.maximum(sg.exp(x), sg.exp(y))):
        weights = [n for n in topological([sg.grad(f, x).node]) if n.op.name == "dmaximum"]
        assert all(w.args[2].op.name == "constant" for w in weights)


def test_many_nested_maxima_are_derived_in_linear_time():
    start = time.perf_counter()
    f = x
    for k in range(1, 400):
        f = sg.maximum(f, k * x - 0.5 * k)
    sg.grad(f, x)
    assert time.perf_counter() - start < 5
