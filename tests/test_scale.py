"""Costs that theory promises: Speelpenning's product, minors that are shared, and time linear in the nodes."""

import copy
import functools
import gc
import math
import pickle
import time

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.emit.count import count
from symgrad.ir.walk import topological
from symgrad.pipeline import compile_source, derive
from symgrad.view.derivation import Derivation

SHORT, LONG = 5_000, 20_000  # nested operations
# Four times the nodes may take four times as long, and twice that for what a loaded machine and its caches add;
# quadratic time would be sixteen times as long.
GROWTH = 8 * (LONG / SHORT) / 4


def operations(fn, entry="value_and_grad"):
    """Operations of an entry without loops, by kind."""
    return {kind: int(sum(number.values())) for kind, number in count(fn._bundle.functions[entry]).items()}


@pytest.mark.parametrize("n", [2, 3, 10, 100, 400])
def test_speelpenning_costs_three_products_a_variable(n):
    xs = sg.symbols([f"x{i}" for i in range(n)])
    fn = sg.compile(math.prod(xs[1:], start=xs[0]), wrt=list(xs))
    cost = operations(fn)
    assert set(cost) <= {"mul"}
    assert cost["mul"] <= 3 * n
    at = np.random.default_rng(n).uniform(0.5, 1.5, n)
    value, gradient = fn.value_and_grad(*at.tolist())
    assert value == pytest.approx(np.prod(at), rel=1e-13)
    assert np.allclose(gradient, np.prod(at) / at, rtol=1e-13, atol=0)


def test_speelpenning_in_sympy_costs_the_same():
    xs = sp.symbols("x0:50")
    assert operations(sg.compile(sp.Mul(*xs), wrt=list(xs)))["mul"] <= 150


def test_speelpenning_at_a_zero():
    xs = sg.symbols("x0 x1 x2 x3")
    fn = sg.compile(math.prod(xs[1:], start=xs[0]), wrt=list(xs))
    assert fn.value_and_grad(2.0, 0.0, 3.0, 4.0) == (0.0, (0.0, 24.0, 0.0, 0.0))


def by_minors(rows):
    """The determinant by its first row, as the definition has it, without a table of minors."""
    if len(rows) == 1:
        return rows[0][0]
    terms = [a * by_minors([r[:j] + r[j + 1 :] for r in rows[1:]]) for j, a in enumerate(rows[0])]
    total = terms[0]
    for j, term in enumerate(terms[1:], 1):
        total = total + term if j % 2 == 0 else total - term
    return total


def test_minors_are_shared():
    """8 * 2**7 products (each subset of columns once), not 8! = 40320."""
    n = 8
    names = [[f"m{i}{j}" for j in range(n)] for i in range(n)]
    matrix = [list(sg.symbols(row)) for row in names]
    f = by_minors(matrix)
    variables = [x for row in matrix for x in row]
    products = [node for node in topological([f.node]) if node.op.name == "mul"]
    assert len(products) <= n * 2 ** (n - 1)
    fn = sg.compile(f, wrt=variables)
    assert operations(fn, "value")["mul"] + operations(fn, "value").get("fma", 0) <= n * 2 ** (n - 1)
    assert sum(operations(fn).values()) <= 5 * 2 * n * 2 ** (n - 1)  # a gradient costs at most 5 values
    at = np.random.default_rng(0).normal(size=(n, n))
    value, gradient = fn.value_and_grad(*at.reshape(-1).tolist())
    assert value == pytest.approx(np.linalg.det(at), rel=1e-11)
    assert np.allclose(np.reshape(gradient, (n, n)), np.linalg.det(at) * np.linalg.inv(at).T, rtol=1e-9, atol=1e-11)


def test_minors_of_sympy_are_shared():
    n = 5
    symbols = sp.Matrix(n, n, lambda i, j: sp.Symbol(f"m{i}{j}"))
    f = sg.from_sympy(symbols.det(method="laplace"))
    products = [node for node in topological([f.node]) if node.op.name == "mul"]
    assert len(products) <= 2 * n * 2 ** (n - 1)  # expanded it has 5! * 4 products


def test_two_to_the_two_hundred_paths():
    x = sg.symbol("x")
    y = x
    for _ in range(200):
        y = y + y
    z = x
    for _ in range(200):
        z = sg.sin(z) * z
    fn = sg.compile(y, wrt=x)
    assert fn.value_and_grad(1.5) == (1.5 * 2.0**200, 2.0**200)
    expected, slope = 0.9, 1.0
    for _ in range(200):
        slope *= math.cos(expected) * expected + math.sin(expected)
        expected *= math.sin(expected)
    deep = sg.compile(z, wrt=x)
    assert deep.value_and_grad(0.9) == pytest.approx((expected, slope), rel=1e-11, abs=1e-300)
    assert deep.source.count("\n") < 4000
    for f, function in ((y, fn), (z, deep)):
        assert pickle.loads(pickle.dumps(f)) == f
        assert copy.deepcopy(f) == f
        assert len(repr(f)) < 200
        assert len(str(function.derivation())) < 200_000
        for style in ("matrix", "closed", "elementwise"):
            assert len(function.latex(style)) < 200_000
        assert sg.evaluate(sg.grad(f, x), x=0.9) == pytest.approx(function.grad(0.9), rel=1e-11, abs=1e-300)


def chain(steps):
    x, c = sg.symbols("x c")
    y = x
    for _ in range(steps // 2):
        y = sg.sin(y) + c
    return y, x, c


def everything(derivation):
    """All that a derivation prints."""
    return str(derivation), *(derivation.latex(style) for style in ("matrix", "closed", "elementwise"))


@functools.cache
def derived(steps):
    y, x, c = chain(steps)
    return derive([y.node], [x.node, c.node], [x.node, c.node])


STAGES = {
    "grad": lambda y, x, c, d: sg.grad(y, [x, c]),
    "derive": lambda y, x, c, d: derive([y.node], [x.node, c.node], [x.node, c.node]),
    "emit": lambda y, x, c, d: compile_source(d, "f64"),
    "evaluate": lambda y, x, c, d: sg.evaluate(y, x=0.5, c=0.1),
    "pickle": lambda y, x, c, d: pickle.loads(pickle.dumps(y)),
    "deepcopy": lambda y, x, c, d: copy.deepcopy(y),
    "repr": lambda y, x, c, d: repr(y),
    "derivation": lambda y, x, c, d: everything(Derivation(d)),
    "to_sympy": lambda y, x, c, d: sg.to_sympy(y),
}


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_time_is_linear_in_the_nodes(stage):
    seconds = []
    for steps in (SHORT, LONG):
        y, x, c = chain(steps)
        d = derived(steps) if stage in ("emit", "derivation") else None
        gc.collect()
        start = time.process_time()
        STAGES[stage](y, x, c, d)
        seconds.append(time.process_time() - start)
    assert seconds[1] <= GROWTH * seconds[0] + 0.05


def test_text_grows_with_the_nodes():
    lengths = []
    for steps in (500, 1000, 2000):
        y, x, c = chain(steps)
        _, _, source = compile_source(derive([y.node], [x.node, c.node], [x.node, c.node]), "f64")
        lengths.append(len(source.text))
    assert lengths[2] - lengths[1] == pytest.approx(2 * (lengths[1] - lengths[0]), rel=0.05)


def test_lines_do_not_depend_on_sizes():
    def lines(rows, columns):
        X, w = sg.input("X", (rows, columns)), sg.parameter("w", (columns,))
        return sg.compile(sg.sum(sg.tanh(X @ w) ** 2), wrt=w).source.count("\n")

    assert abs(lines("n", 64) - lines("n", 4096)) == 0
    assert lines(1000, 64) == lines(2000, 64)
