"""Bugs that other libraries have had in generated code: facts/known_bugs.json from class 19 on."""

import gc
import math
import os
import subprocess
import sys
import threading
from itertools import pairwise
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
    shared = [sp.exp(a * b) for a, b in pairwise(u)]
    f = sum(s + sp.sin(s) for s in shared)
    at = [0.1 * i for i in range(len(u))]
    exact = sum(math.exp(a * b) + math.sin(math.exp(a * b)) for a, b in pairwise(at))
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
