"""Bugs that other libraries have had: facts/known_bugs.json, class by class, as far as it is not about training.

``ELSEWHERE`` names the test of each class that is tried in a file of its own.
"""

import gc
import itertools
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.ir import node
from symgrad.ir.evaluate import evaluate
from symgrad.pipeline import PRIMAL, run

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


@pytest.mark.parametrize("parallel", [False, True])
def test_19_same_bits_on_every_run(parallel):
    v = sg.input("v", ("n", 7))
    fn = sg.compile(sg.sum(sg.exp(sg.sin(v) @ np.arange(7.0))), wrt=v, parallel=parallel)
    data = np.random.default_rng(0).normal(size=(1001, 7))
    runs = {(value, gradient.tobytes()) for value, gradient in (fn.value_and_grad(data) for _ in range(30))}
    assert len(runs) == 1
    results = []
    threads = [threading.Thread(target=lambda: results.append(fn.value_and_grad(data)[1].tobytes())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {bits for _, bits in runs} == set(results)


def test_22_vectorised_code_at_every_length_and_alignment():
    """Loops with their tails, at every length and start: each element has the bits that it has alone."""
    v = sg.input("v", ("n",))
    fn = sg.compile([sg.exp(v) * sg.sin(v) - v / 3, sg.sum(v)], wrt=v)
    data = np.random.default_rng(0).normal(size=64) * 5
    alone = np.array([fn(data[i : i + 1])[0][0] for i in range(64)])
    for length in range(41):
        for start in range(0, 9):
            found, total = fn(data[start : start + length])
            assert np.array_equal(found, alone[start : start + length])
            assert total == pytest.approx(math.fsum(data[start : start + length]), rel=1e-13, abs=1e-13)


def test_23_compiled_and_plain_python_agree():
    v, w = sg.input("v", ("n",)), sg.parameter("w", (3, "n"))
    fn = sg.compile(sg.sum(sg.tanh(w @ sg.softmax(v)) ** 2), wrt=[v, w])
    bundle = fn._bundle
    rng = np.random.default_rng(0)
    at = [rng.normal(size=5), rng.normal(size=(3, 5))]
    plain, fast = bundle.loaded.python["value_and_grad"](*at), bundle.loaded.functions["value_and_grad"](*at)
    assert plain[0] == pytest.approx(fast[0], rel=1e-15)
    for a, b in zip(plain[1], fast[1], strict=True):
        assert np.allclose(a, b, rtol=1e-14, atol=0)


def test_24_functions_that_differ_in_the_last_bit_of_a_constant():
    x = sg.symbol("x")
    constants = [1.5, 2.5, math.nextafter(1.5, 2), -1.5, 0.0, -0.0]
    functions = [sg.compile(sg.where(x < 0, c, x), wrt=x) for c in constants]
    for c, fn in zip(constants, functions, strict=True):
        assert fn(-10.0) == c
        assert math.copysign(1, fn(-10.0)) == math.copysign(1, c)


def test_26_functions_that_differ_in_the_order_of_arguments():
    a, b = sg.symbols("a b")
    assert sg.compile(a - b)(5.0, 3.0) == 2.0
    assert sg.compile(b - a)(5.0, 3.0) == -2.0
    assert sg.compile(a - b, inputs=[b, a])(5.0, 3.0) == -2.0


@pytest.mark.slow
def test_29_derived_functions_are_given_back():
    """What symgrad itself holds of a function goes when the function goes (Numba keeps what it has compiled)."""
    x = sg.symbol("x")

    def work(rounds):
        for i in range(rounds):
            sg.compile(sg.sin(x * (i + 0.5)) ** 2, wrt=x).latex()
        gc.collect()
        return len(node._interned), len(node._variables)

    before = work(20)
    after = work(200)
    assert after[0] <= before[0] + 50
    assert after[1] <= before[1] + 50


def test_30_temporaries_and_symbols():
    names = "x0 x1 x2 t0 t1 v0 v1 r0 f value"
    u = sp.symbols(names)
    shared = [sp.exp(a * b) for a, b in itertools.pairwise(u)]
    f = sum(s + sp.sin(s) for s in shared)
    at = [0.1 * i for i in range(len(u))]
    exact = sum(math.exp(a * b) + math.sin(math.exp(a * b)) for a, b in itertools.pairwise(at))
    assert sg.compile(f, wrt=list(u))(*at) == pytest.approx(exact, rel=1e-14)


SEEDED = """
import sympy as sp, symgrad as sg
u = sp.symbols("a b c d e g")
f = sum(sp.sin(p * q) * sp.exp(p) for p in u for q in u) + sp.Max(*u)
X, w = sg.input("X", ("n", "m")), sg.parameter("w", ("m",))
for fn in (sg.compile(f, wrt=list(u)), sg.compile(sg.sum(sg.tanh(X @ w) ** 2 + sg.logsumexp(X * w, 1)))):
    print(fn.source, fn.latex(), fn.latex("closed"), fn.derivation())
"""


@pytest.mark.slow
def test_31_texts_do_not_depend_on_the_hash_seed():
    def text(seed):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        command = [sys.executable, "-W", "error", "-c", SEEDED]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert len({text(seed) for seed in range(4)}) == 1


def trees(seed, count):
    """Random arithmetic in SymPy, with the signs and powers that printers get wrong."""
    rng = np.random.default_rng(seed)
    x, y = sp.symbols("x y", positive=True)
    forms = [
        lambda a, b: a + b,
        lambda a, b: a - b,
        lambda a, b: a * b,
        lambda a, b: a / (b**2 + 1),
        lambda a, b: -(a**2),
        lambda a, b: (-a) ** 3,
        lambda a, b: (a**2 + 1) ** sp.Rational(-1, 2),
        lambda a, b: 2 ** -(b**2),
        lambda a, b: -2 * sp.Mod(a, 3),
        lambda a, b: a - (b - a),
        lambda a, b: a / 3 / (b**2 + 2),
        lambda a, b: -sp.exp(-sp.Abs(a)),
    ]
    for _ in range(count):
        pool = [x, y, sp.Integer(2), sp.Rational(1, 3)]
        for _ in range(5):
            i, j = rng.integers(len(pool), size=2)
            pool.append(forms[rng.integers(len(forms))](pool[i], pool[j]))
        yield pool[-1], x, y


def test_33_precedence_in_printed_code():
    u = sp.Symbol("u")
    assert sg.compile(-2 * sp.Mod(u, 3))(1.0) == -2.0
    with mpmath.workdps(40):
        for f, x, y in trees(0, 60):
            fn = sg.compile(f + 0 * x, inputs=[sg.from_sympy(x), sg.from_sympy(y)], wrt=[])
            exact = f.evalf(30, subs={x: sp.Float("0.7", 30), y: sp.Float("1.3", 30)})
            assert fn(0.7, 1.3) == pytest.approx(float(exact), rel=1e-11, abs=1e-11), f


@pytest.mark.parametrize(
    "c", [4.347249999999999, 0.1, 1 / 3, 5e-324, 1.7976931348623157e308, 2**53 + 2.0, 1e22, 123456789.123456789]
)
def test_34_constants_keep_every_bit(c):
    x = sg.symbol("x")
    for f in (sp.Symbol("x") + sp.Float(c, 17), x + c, f"x + {c!r}"):
        assert sg.compile(f)(0.0) == c
        assert repr(c) in sg.compile(f).source


def random_graph(rng, v, w):
    pool = [v, w, sg.sum(v), v[::-1]]
    unary = [
        sg.exp,
        sg.log,
        sg.sqrt,
        sg.sigmoid,
        lambda t: t**2,
        lambda t: 1 / t,
        lambda t: t * 0,
        lambda t: t - t,
        abs,
    ]
    binary = [
        lambda a, b: a + b,
        lambda a, b: a * b,
        lambda a, b: a / b,
        sg.maximum,
        lambda a, b: sg.where(a > b, a, b),
    ]
    for _ in range(6):
        if rng.random() < 0.5:
            pool.append(unary[rng.integers(len(unary))](pool[rng.integers(len(pool))]))
        else:
            i, j = rng.integers(len(pool), size=2)
            pool.append(binary[rng.integers(len(binary))](pool[i], pool[j]))
    return pool[-1]


def test_43_rewriting_keeps_values_shapes_and_nans():
    """The graph as built, node by node, against the rewritten and compiled one, at ordinary and hostile points."""
    rng = np.random.default_rng(43)
    v, w = sg.input("v", (4,)), sg.input("w")
    points = [(np.array([0.5, 1.5, -2.0, 3.0]), 0.7), (np.array([0.0, np.inf, -1.0, np.nan]), 0.0)]
    for _ in range(60):
        f = random_graph(rng, v, w)
        new = run(PRIMAL, [f.node], [])[f.node]
        assert new.type == f.node.type
        for at, scalar in points:
            given = {v.node: at, w.node: scalar}
            (before,), (after,) = evaluate([f.node], given), evaluate([new], given)
            assert before.shape == after.shape
            assert before.dtype == after.dtype
            assert np.array_equal(np.isnan(before), np.isnan(after)), f
            assert np.allclose(before, after, rtol=1e-12, atol=0, equal_nan=True), f
