"""Bugs that other libraries have had: facts/known_bugs.json, class by class, as far as it is not about training.

Classes from 19 on, about generated code, are in ``test_known_bugs_of_code``;
``ELSEWHERE`` names the test of each class that is tried in a file of its own.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import symgrad as sg

ROOT = Path(__file__).parents[1]
FACTS = ROOT.parent / "shared" / "facts" / "known_bugs.json"
ELSEWHERE = {
    1: "tests/numerics/test_extremal.py",
    8: "tests/numerics/test_extremal.py",
    16: "tests/runtime/test_load.py",
    20: "tests/runtime/test_load_races.py",
    25: "tests/runtime/test_load_races.py",
    27: "tests/runtime/test_cache.py",
    28: "tests/runtime/test_load_damage.py",
    32: "tests/test_limits.py",
    35: "tests/test_bad_inputs.py",
    36: "tests/test_bad_inputs.py",
    42: "tests/runtime/test_check.py",
}
TRAINING = {15, 21, 37, 38, 39, 40, 41}
HERE = {2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 17, 18, 19, 22, 23, 24, 26, 29, 30, 31, 33, 34, 43}


def test_every_class_is_tried():
    if not FACTS.exists():
        pytest.skip("the facts are not beside this checkout")
    known = {bug["id"] for bug in json.loads(FACTS.read_text(encoding="utf-8"))["bugs"]}
    assert known == HERE | set(ELSEWHERE) | TRAINING
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())


def value_and_grad(f, *at, wrt=None):
    return sg.compile(f, wrt=wrt).value_and_grad(*at)


def test_2_branches_that_are_not_taken_raise_nothing():
    u = sp.Symbol("u")
    fn = sg.compile(sp.Piecewise((sp.log(-u), u < 0), (sp.log(u), True)), wrt=u)
    with np.errstate(all="raise"):
        assert fn.grad(10.0) == 0.1
        assert fn.grad(-10.0) == -0.1
        assert fn.grad(np.array([10.0, -10.0])).tolist() == [0.1, -0.1]


def test_3_sinc_at_its_hole():
    x = sg.symbol("x")
    second = sg.grad(sg.grad(sg.sinc(x), x), x)
    assert sg.compile(second)(0.0) == pytest.approx(-(math.pi**2) / 3, rel=4e-16)
    u = sp.Symbol("u", real=True)
    unnormalised = sg.from_sympy(sp.sinc(u))
    (v,) = sg.compile(unnormalised).inputs
    second = sg.grad(sg.grad(unnormalised, v), v)
    assert sg.compile(second)(0.0) == pytest.approx(-1 / 3, rel=4e-16)


def test_4_norms_and_deviations_at_zero():
    v = sg.input("v", (3,))
    for f, at, value in [
        (sg.norm(v), np.zeros(3), 0.0),
        (sg.norm(v) ** 2, np.zeros(3), 0.0),
        (sg.std(v), np.full(3, 2.0), 0.0),
    ]:
        found, gradient = value_and_grad(f, at, wrt=v)
        assert found == value
        assert gradient.tolist() == [0, 0, 0]


def test_5_powers_agree_however_they_are_written():
    x, y = sg.symbols("x y")
    for at in (-3.0, -0.0, 0.0, 1e-200, 0.3, 7.5, np.inf):
        written = [x**2, x**2.0, sg.square(x), sg.power(x, 2), x * x]
        values = [value_and_grad(f, at, wrt=x) for f in written]
        values.append(sg.compile(x**y, wrt=x).value_and_grad(at, 2.0))
        assert len(set(values)) == 1, (at, values)
    assert value_and_grad(x**y, 0.0, 2.0) == (0.0, (0.0, 0.0))
    assert value_and_grad(x**y, 0.0, 0.0)[0] == 1.0


def test_6_one_rule_for_ties():
    x, y = sg.symbols("x y")
    for tie in (sg.maximum, sg.minimum):
        assert value_and_grad(tie(x, y), 2.0, 2.0) == (2.0, (0.5, 0.5))
    v = sg.input("v", (4,))
    for reduction in (sg.max, sg.min):
        _, gradient = value_and_grad(reduction(v), np.full(4, 3.0), wrt=v)
        assert gradient.sum() == 1.0
        assert len(set(gradient.tolist())) == 1
    for f in (sg.relu(x), sg.maximum(x, 0), sg.maximum(0.0, x), sg.clip(x, 0, None), sg.where(x > 0, x, 0)):
        assert value_and_grad(f, 0.0, wrt=x) == (0.0, 0.0)
    assert sg.compile(sg.clip(x, -1, 1), wrt=x).grad(np.array([-1.0, 1.0, 0.5])).tolist() == [0, 0, 1]


def test_7_logsumexp_far_out():
    x, y = sg.symbols("x y")
    assert value_and_grad(sg.logaddexp(x, y), 1e20, 1e20) == (1e20, (0.5, 0.5))
    v = sg.input("v", (2,))
    fn = sg.compile(sg.logsumexp(v), wrt=v)
    assert fn([1000.0, 1000.0]) == pytest.approx(1000 + math.log(2), rel=1e-16)
    assert fn([-np.inf, -np.inf]) == -np.inf
    value, gradient = fn.value_and_grad([-np.inf, 3.0])
    assert (value, gradient.tolist()) == (3.0, [0.0, 1.0])


def test_9_angles_and_distances_without_overflow():
    x, y = sg.symbols("x y")
    assert value_and_grad(sg.arctan2(y, x), 1e-200, 1e-200)[1] == pytest.approx((-5e199, 5e199), rel=1e-15)
    for scale in (1e200, 1e-200, 1.0):
        value, gradient = value_and_grad(sg.hypot(x, y), 3 * scale, 4 * scale)
        assert value == pytest.approx(5 * scale, rel=1e-15, abs=0)
        assert gradient == pytest.approx((0.6, 0.8), rel=1e-15)


def test_10_absolute_value_without_assumptions():
    u = sp.Symbol("u")
    fn = sg.compile(sp.Abs(u), wrt=u)
    assert [fn.grad(at) for at in (-2.0, 0.0, 3.0)] == [-1.0, 0.0, 1.0]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 1), (2, 1), (1, 3), (2, 3)])
def test_11_gradients_have_the_shape_of_the_input(shape):
    a, b = sg.input("a", shape), sg.input("b", (2, 3))
    rng = np.random.default_rng(1)
    at, other = rng.normal(size=shape), rng.normal(size=(2, 3))
    _, gradient = value_and_grad(sg.sum(a * b + sg.sin(a)), at, other, wrt=a)
    full = other + np.cos(at)
    extra = tuple(range(2 - len(shape)))
    axes = (*extra, *(i + len(extra) for i, n in enumerate(shape) if n == 1))
    assert np.shape(gradient) == shape
    assert np.allclose(gradient, full.sum(axis=axes, keepdims=True).reshape(shape), rtol=1e-14)


def test_11_an_axis_of_length_one_at_run_time():
    """A named size that happens to be 1 is no broadcast."""
    a, b = sg.input("a", ("n", "m")), sg.input("b", ("m",))
    fn = sg.compile(sg.sum(a * b), wrt=[a, b])
    _, (by_a, by_b) = fn.value_and_grad(np.ones((5, 1)), np.ones(1))
    assert (by_a.shape, by_b.tolist()) == ((5, 1), [5.0])
    with pytest.raises(sg.ShapeError):
        fn(np.ones((5, 1)), np.ones(3))


def test_12_equal_outputs_are_two_arrays():
    v = sg.input("v", ("n",))
    first, second = sg.compile([v * 2, v * 2])(np.ones(3))
    first[:] = 7
    assert second.tolist() == [2, 2, 2]


def test_13_reading_and_writing_one_array():
    A = sg.input("A", ("n", "n"))
    data = np.arange(9.0).reshape(3, 3)
    fn = sg.compile([A + A.T, sg.concatenate([A[1:], A[:-1]])])
    total, moved = fn(data)
    assert np.array_equal(total, data + data.T)
    assert np.array_equal(moved, np.concatenate([data[1:], data[:-1]]))
    assert np.array_equal(data, np.arange(9.0).reshape(3, 3))


def test_14_integers_are_promoted():
    k = sg.input("k", ("n",), dtype="int")
    found = sg.compile([1 / k, k**-1, k**0.5, k * 2, k / 2, sg.mean(k)])(np.array([2, 4]))
    for one, expected in zip(found[:5], [[0.5, 0.25], [0.5, 0.25], [2**0.5, 2.0], [4, 8], [1.0, 2.0]], strict=True):
        assert one.tolist() == expected
    assert (found[3].dtype, found[5]) == (np.int64, 3.0)
    single = sg.compile([k**-1, k * 0.5], dtype="float32")(np.array([2, 4]))
    assert {a.dtype for a in single} == {np.dtype("float32")}


def test_17_largest_of_nothing_and_of_nan():
    v = sg.input("v", ("n",))
    for reduction in (sg.max, sg.min):
        fn = sg.compile(reduction(v))
        with pytest.raises(ValueError, match="empty"):
            fn([])
        assert math.isnan(fn([np.nan, 1.0]))
        assert math.isnan(fn([1.0, np.nan]))


def test_18_sums_in_single_precision():
    v = sg.input("v", ("n",))
    fn = sg.compile([sg.sum(v), sg.mean(v)], dtype="float32")
    data = np.full(1_000_000, 1 / 255, dtype=np.float32)
    total, mean = fn(data)
    exact = 1_000_000 * float(data[0])
    assert total == pytest.approx(exact, rel=1e-5)
    assert mean == pytest.approx(exact / 1e6, rel=1e-5)
