"""The worked examples through the public API: the numbers of the text, and other numbers by independent formulas.

Numbers from the text are given to its ten digits, so they are compared to half a unit of the last one. Other numbers
are computed here by NumPy, by hand-derived formulas.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import symgrad as sg

RNG = np.random.default_rng(20240607)
EXACT = {"rtol": 1e-13, "atol": 1e-14}


def same(actual, wanted, **tolerance):
    """Equal to the digits of an independent computation in float64, and of equal shape."""
    assert np.shape(actual) == np.shape(wanted)
    np.testing.assert_allclose(actual, wanted, **(tolerance or EXACT))


def printed(actual, wanted, digits=10):
    """Equal to what is printed with so many decimals."""
    np.testing.assert_allclose(actual, wanted, rtol=0, atol=0.5000001 * 10.0**-digits)


def logistic(z):
    return 1 / (1 + np.exp(-np.asarray(z)))


# 1. Gates


@pytest.fixture(scope="module")
def gate():
    x, y, z = sg.symbols("x y z")
    q = sg.named("q", x + y)
    return sg.compile(sg.named("f", q * z), wrt=[q, x, y, z], inputs=[x, y, z])


def test_gates(gate):
    assert gate.value_and_grad(-2.0, 5.0, -4.0) == (-12.0, (-4.0, -4.0, -4.0, 3.0))
    assert gate.value_and_grad(1.5, 0.25, 8.0) == (14.0, (8.0, 8.0, 8.0, 1.75))
    assert gate.check(-2.0, 5.0, -4.0).ok
    text = str(gate.derivation())
    assert "the add gate passes the gradient on" in text
    assert "the multiply gate swaps its inputs" in text


def test_gates_as_text_and_as_sympy():
    import sympy as sp

    u, v, w = sp.symbols("x y z")
    for f in ("(x + y)*z", (u + v) * w):
        fn = sg.compile(f, wrt=["x", "y", "z"])
        assert fn.value_and_grad(x=-2.0, y=5.0, z=-4.0) == (-12.0, (-4.0, -4.0, 3.0))


def test_the_max_gate_routes():
    x, y, z, w = sg.symbols("x y z w")
    fn = sg.compile(2 * (x * y + sg.maximum(z, w)), wrt=[x, y, z, w])
    assert fn.value_and_grad(3.0, -4.0, 2.0, -1.0) == (-20.0, (-8.0, 6.0, 2.0, 0.0))
    assert fn.value_and_grad(0.5, 3.0, 2.0, 7.0) == (17.0, (6.0, 1.0, 0.0, 2.0))
    assert fn.grad(0.5, 3.0, 2.0, 2.0) == (6.0, 1.0, 1.0, 1.0)  # a tie is shared


def test_gradients_add_at_branches():
    x, y = sg.symbols("x y")
    fn = sg.compile(x * y + x, wrt=[x, y])
    assert fn.value_and_grad(3.0, -4.0) == (-9.0, (-3.0, 3.0))
    assert fn.value_and_grad(-2.5, 7.0) == (-20.0, (8.0, -2.5))
    assert "x feeds two nodes, so gradients add" in str(fn.derivation())


# 2. Sigmoid neuron


def neuron():
    """By gates and as one gate: (functions, names of the inputs)."""
    w0, x0, w1, x1, w2 = variables = list(sg.symbols("w0 x0 w1 x1 w2"))
    q = sg.named("q", w0 * x0 + w1 * x1 + w2)
    m = sg.named("m", -q)
    e = sg.named("e", sg.exp(m))
    p = sg.named("p", 1 + e)
    f = sg.named("f", 1 / p)
    return sg.compile(f, wrt=[p, e, m, q, *variables], inputs=variables), sg.compile(sg.sigmoid(q), wrt=variables)


def test_sigmoid_neuron():
    by_gates, one_gate = neuron()
    value, (dp, de, dm, dq, *rest) = by_gates.value_and_grad(2.0, -1.0, -3.0, -2.0, -3.0)
    printed(value, 0.7310585786)
    printed([dp, de, dm, dq], [-0.5344466454, -0.5344466454, -0.1966119332, 0.1966119332])
    printed(rest, [-0.1966119332, 0.3932238665, -0.3932238665, -0.5898357997, 0.1966119332])
    same(one_gate.grad(2.0, -1.0, -3.0, -2.0, -3.0), rest)
    for at in RNG.normal(size=(5, 5)):
        w0, x0, w1, x1, w2 = at
        s = logistic(w0 * x0 + w1 * x1 + w2)
        wanted = s * (1 - s) * np.array([x0, w0, x1, w1, 1.0])
        same(by_gates(*at), s)
        same(by_gates.grad(*at)[4:], wanted)
        same(one_gate.grad(*at), wanted)


def test_values_at_the_gates_of_the_neuron():
    w0, x0, w1, x1, w2 = sg.symbols("w0 x0 w1 x1 w2")
    q = w0 * x0 + w1 * x1 + w2
    steps = sg.compile([q, -q, sg.exp(-q), 1 + sg.exp(-q), 1 / (1 + sg.exp(-q))], inputs=[w0, x0, w1, x1, w2])
    printed(steps(2.0, -1.0, -3.0, -2.0, -3.0), [1.0, -1.0, 0.3678794412, 1.3678794412, 0.7310585786])


# 3. Composite


def test_composite():
    x = sg.symbol("x")
    b = sg.named("b", 2 * sg.named("a", x + 1))
    h = sg.named("h", b**2)
    fn = sg.compile(h, wrt=[b, x], inputs=[x])
    assert fn.value_and_grad(2.0) == (36.0, (12.0, 24.0))
    expanded, closed = sg.compile(4 * x**2 + 8 * x + 4, wrt=x), sg.compile(8 * x + 8)
    for at in (2.0, -1.0, 0.3, 17.5):
        same(fn(at), (2 * (at + 1)) ** 2)
        same(expanded.value_and_grad(at), (fn(at), fn.grad(at)[1]))
        same(fn.grad(at)[1], closed(at))
    assert sg.check_formula(h, x, "8*x + 8")


def test_chain_rule_keeps_its_factors():
    x = sg.symbol("x")
    fn = sg.compile((3 * x + 2 * x**3) ** 2, wrt=x)
    assert fn.grad(1.0) == 90.0
    assert fn.grad(2.0) == 1188.0
    for at in (-0.7, 0.0, 3.25):
        same(fn.grad(at), 2 * (3 * at + 2 * at**3) * (3 + 6 * at**2))


# 4. Vectorised


@pytest.mark.parametrize("shape", [(2, 2), (3, 5), ("m", "n")])
def test_vectorised(shape):
    W, x = sg.parameter("W", shape), sg.parameter("x", shape[1:])
    q = sg.named("q", W @ x)
    fn = sg.compile(sg.sum(q**2), wrt=[q, W, x], inputs=[W, x])
    if shape != (3, 5):
        value, (dq, dW, dx) = fn.value_and_grad([[0.1, 0.5], [-0.3, 0.8]], [0.2, 0.4])
        same(value, 0.116)
        same(dq, [0.44, 0.52])
        same(dW, [[0.088, 0.176], [0.104, 0.208]])
        same(dx, [-0.112, 0.636])
    if shape != (2, 2):
        w, v = RNG.normal(size=(3, 5)), RNG.normal(size=5)
        value, (dq, dW, dx) = fn.value_and_grad(w, v)
        same(value, np.sum((w @ v) ** 2))
        same(dq, 2 * w @ v)
        same(dW, 2 * np.outer(w @ v, v))
        same(dx, 2 * w.T @ (w @ v))


# 5. The Jacobian nobody forms


@pytest.mark.parametrize("n", [4096, 7])
def test_diagonal_jacobian(n):
    x = sg.input("x", (n,))
    J = sg.jacobian(sg.maximum(0, x), x)
    assert J.shape == (n, n)
    assert J.structure == "diagonal"
    fn, at = sg.compile(J), RNG.normal(size=n)
    assert fn(at).nbytes == 8 * n
    same(fn(at).diagonal, (at > 0) * 1.0)
    same(fn(at) @ at, np.maximum(at, 0))
    assert n * n * 8 == 134_217_728 or n == 7
    if n == 7:
        same(np.asarray(fn(at)), np.diag((at > 0) * 1.0))


# 6. Logistic regression


@pytest.fixture(scope="module")
def logistic_regression():
    x, y = sg.input("x", (2,)), sg.input("y", ())
    w, b = sg.parameter("w", (2,)), sg.parameter("b")
    z = sg.named("z", w @ x + b)
    a = sg.named("a", sg.sigmoid(z))
    L = sg.named("L", -(y * sg.log(a) + (1 - y) * sg.log(1 - a)))
    return sg.compile(L, wrt=[a, z, w, b], inputs=[x, y, w, b])


def test_logistic_regression(logistic_regression):
    fn, x, w, b = logistic_regression, np.array([0.1, 0.7]), np.array([0.8, 0.2]), 0.1
    loss, (da, dz, dw, db) = fn.value_and_grad(x, 1.0, w, b)
    printed([loss, da, dz], [0.5458929372, -1.7261490371, -0.4206757479])
    printed([*dw, db], [-0.0420675748, -0.2944730235, -0.4206757479])
    w, b = w - 0.5 * dw, b - 0.5 * db
    printed([*w, b], [0.8210337874, 0.3472365117, 0.3103378739])
    printed(w @ x + b, 0.6355068109)
    printed(fn(x, 1.0, w, b), 0.4250500511)


@pytest.mark.parametrize("y", [0.0, 1.0, 0.25])
def test_logistic_regression_elsewhere(logistic_regression, y):
    fn, x, w, b = logistic_regression, RNG.normal(size=2), RNG.normal(size=2), -0.4
    a = logistic(w @ x + b)
    loss, (da, dz, dw, db) = fn.value_and_grad(x, y, w, b)
    same(loss, -(y * np.log(a) + (1 - y) * np.log1p(-a)))
    same(da, -y / a + (1 - y) / (1 - a))
    same(dz, a - y)
    same(dw, (a - y) * x)
    same(db, a - y)
    assert fn.check(x, y, w, b).ok


def test_logistic_regression_is_read_as_a_minus_y(logistic_regression):
    text = logistic_regression.latex()
    assert r"\frac{\partial L}{\partial z} &=" in text
    line = next(line for line in text.splitlines() if r"\frac{\partial L}{\partial z} &=" in line)
    assert "a - y" in line


# 7. Two layers by hand


@pytest.fixture(scope="module")
def two_layers():
    X, y = sg.input("X", ("n", 2)), sg.input("y", ("n", 1))
    W1, W2 = sg.parameter("W1", (2, 3)), sg.parameter("W2", (3, 1))
    z2 = sg.named("z2", X @ W1)
    a2 = sg.named("a2", sg.sigmoid(z2))
    z3 = sg.named("z3", a2 @ W2)
    yhat = sg.named("yhat", sg.sigmoid(z3))
    J = sg.named("J", sg.sum((y - yhat) ** 2) / 2)
    return sg.compile(J, wrt=[W1, W2]), sg.compile(yhat, inputs=[X, W1, W2])


HOURS = np.array([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]])
GRADES = np.array([[75.0], [82.0], [93.0]]) / 100
SCALE = HOURS.max(axis=0)
FIRST = np.array([[0.1, -0.2, 0.3], [0.4, 0.5, -0.6]])
SECOND = np.array([[0.7], [-0.8], [0.9]])


def test_two_layers(two_layers):
    cost, predict = two_layers
    value, (d1, d2) = cost.value_and_grad(X=HOURS / SCALE, y=GRADES, W1=FIRST, W2=SECOND)
    printed(value, 0.0897828497)
    printed(d1, [[-0.01964839, 0.02272304, -0.02550049], [-0.01441394, 0.01656414, -0.01847338]], 8)
    printed(d2, [[-0.09675371], [-0.09033292], [-0.08146022]], 8)
    unseen = np.array([[8.0, 3.0]]) / SCALE
    printed(100 * predict(unseen, FIRST, SECOND), [[59.8833002884]])
    stepped = FIRST - 0.01 * d1, SECOND - 0.01 * d2
    printed(cost(HOURS / SCALE, GRADES, *stepped), 0.0895177584)
    printed(100 * predict(unseen, *stepped), [[59.9216067353]])


def by_hand(X, y, W1, W2):
    """J, dJ/dW1, dJ/dW2 of the two layers, as on the blackboard."""
    a2 = logistic(X @ W1)
    yhat = logistic(a2 @ W2)
    delta3 = -(y - yhat) * yhat * (1 - yhat)
    delta2 = delta3 @ W2.T * a2 * (1 - a2)
    return np.sum((y - yhat) ** 2) / 2, X.T @ delta2, a2.T @ delta3


@pytest.mark.parametrize("rows", [1, 3, 50])
def test_two_layers_elsewhere(two_layers, rows):
    cost, _ = two_layers
    at = [RNG.normal(size=shape) for shape in ((rows, 2), (rows, 1), (2, 3), (3, 1))]
    value, d1, d2 = by_hand(*at)
    got, (g1, g2) = cost.value_and_grad(*at)
    same(got, value)
    same(g1, d1, rtol=1e-12, atol=1e-13)
    same(g2, d2, rtol=1e-12, atol=1e-13)
    _, residuals = cost.forward(*at)
    for factor in (1.0, -2.5):
        halves = cost.backward(residuals, factor)
        same(halves[0], factor * d1, rtol=1e-12, atol=1e-13)
        same(halves[1], factor * d2, rtol=1e-12, atol=1e-13)


def test_two_layers_are_read_as_on_the_blackboard(two_layers):
    cost, _ = two_layers
    latex = cost.latex()
    lines = [
        r"z^{(2)} &= X W^{(1)}",
        r"a^{(2)} &= f(z^{(2)})",
        r"z^{(3)} &= a^{(2)} W^{(2)}",
        r"\hat{y} &= f(z^{(3)})",
        r"\delta^{(3)} &= -(y - \hat{y}) \odot f'(z^{(3)})",
        r"\frac{\partial J}{\partial W^{(2)}} &= (a^{(2)})^\top \delta^{(3)}",
        r"\delta^{(2)} &= \delta^{(3)} (W^{(2)})^\top \odot f'(z^{(2)})",
        r"\frac{\partial J}{\partial W^{(1)}} &= X^\top \delta^{(2)}",
    ]
    places = [latex.find(line) for line in lines]
    assert -1 not in places, lines[places.index(-1)]
    assert places == sorted(places)
    assert {"z2", "a2", "z3", "yhat"} <= set(cost.source.replace("[", " ").replace("(", " ").split())


# 8. Twenty lines


def test_twenty_lines():
    """The first 20 of the 2000 steps: the losses of the same lines in NumPy, from the loss that the text gives."""
    x, y = sg.input("x", ("N", 1000)), sg.input("y", ("N", 10))
    w1, w2 = sg.parameter("w1", (1000, 100)), sg.parameter("w2", (100, 10))
    fn = sg.compile(sg.sum((sg.sigmoid(x @ w1) @ w2 - y) ** 2), wrt=[w1, w2])
    state = np.random.RandomState(0)
    xs, ys, v1, v2 = (state.randn(*shape) for shape in ((64, 1000), (64, 10), (1000, 100), (100, 10)))
    u1, u2 = v1.copy(), v2.copy()
    for t in range(20):
        loss, (g1, g2) = fn.value_and_grad(xs, ys, v1, v2)
        h = logistic(xs @ u1)
        slope = 2 * (h @ u2 - ys)
        if t == 0:
            printed(loss, 24635.8935, 4)
        same(loss, np.sum((h @ u2 - ys) ** 2), rtol=1e-11)
        d1, d2 = xs.T @ (slope @ u2.T * h * (1 - h)), h.T @ slope
        same(g1, d1, rtol=1e-9, atol=1e-11 * np.abs(d1).max())
        same(g2, d2, rtol=1e-9, atol=1e-11 * np.abs(d2).max())
        v1, v2, u1, u2 = v1 - 1e-4 * g1, v2 - 1e-4 * g2, u1 - 1e-4 * d1, u2 - 1e-4 * d2
    assert loss < 24635.8935 / 3


# 10. Gradient descent


@pytest.mark.parametrize(("rate", "factor"), [(0.3, 0.4), (1.0, -1.0), (1.5, -2.0), (0.45, 0.1)])
def test_gradient_descent(rate, factor):
    x = sg.symbol("x")
    fn = sg.compile(x**2, wrt=x)
    for start in (1.0, -7.3):
        position = start
        for step in range(1, 9):
            position -= rate * fn.grad(position)
            same(position, start * factor**step, rtol=1e-12)


# 11. Linear regression


@pytest.mark.parametrize(("xs", "ys"), [([1, 2, 3], [2, 3, 5]), ([0.5, -1.0, 4.0, 2.0], [1.0, 0.0, 3.0, -2.0])])
def test_linear_regression(xs, ys):
    xs, ys = np.array(xs, float), np.array(ys, float)
    x, y = sg.input("x", ("n",)), sg.input("y", ("n",))
    w = sg.parameter("w", (2,))
    fn = sg.compile(sg.mean((w[0] * x + w[1] - y) ** 2), wrt=w)
    design = np.stack([xs, np.ones_like(xs)], 1)
    same(fn.grad(xs, ys, [0.0, 0.0]), -2 * design.T @ ys / len(xs))
    best = np.linalg.solve(design.T @ design, design.T @ ys)
    if len(xs) == 3:
        printed(fn.grad(xs, ys, [0.0, 0.0]), [-15.3333333, -6.6666667], 7)
        printed(best, [1.5, 0.3333333], 7)
        same(fn(xs, ys, best), 1 / 18)
    same(fn.grad(xs, ys, best), [0.0, 0.0], atol=1e-13)
    reached = np.zeros(2)
    for _ in range(3000):
        reached -= 0.05 * fn.grad(xs, ys, reached)
    same(reached, best, rtol=1e-9)


def test_gradient_zero_solved_by_sympy():
    import sympy as sp

    w1, w0 = sg.symbols("w1 w0")
    J = sum((w1 * x + w0 - y) ** 2 for x, y in ((1, 2), (2, 3), (3, 5))) / 3
    equations = [sp.nsimplify(sg.to_sympy(g)) for g in sg.grad(J, [w1, w0])]
    unknowns = sorted(set().union(*(e.free_symbols for e in equations)), key=str)
    solution = sp.solve(equations, unknowns)
    assert [solution[u] for u in unknowns] == [sp.Rational(1, 3), sp.Rational(3, 2)]


# 12. XOR

TABLE = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0.0, 1.0, 1.0, 0.0])


def test_one_neuron_cannot_do_xor():
    X, y = sg.input("X", ("n", 2)), sg.input("y", ("n",))
    w, b = sg.parameter("w", (2,)), sg.parameter("b")
    a = sg.sigmoid(X @ w + b)
    fn = sg.compile(-sg.mean(y * sg.log(a) + (1 - y) * sg.log(1 - a)), wrt=[w, b])
    loss, (dw, db) = fn.value_and_grad(TABLE, XOR, [0.0, 0.0], 0.0)
    same(loss, math.log(2))
    assert dw.tolist() == [0.0, 0.0]
    assert db == 0.0
    at = np.array([0.7, -1.2]), 0.3
    s = logistic(TABLE @ at[0] + at[1])
    loss, (dw, db) = fn.value_and_grad(TABLE, XOR, *at)
    same(loss, -np.mean(XOR * np.log(s) + (1 - XOR) * np.log(1 - s)))
    same(dw, TABLE.T @ (s - XOR) / 4)
    same(db, np.mean(s - XOR))


def test_two_rectified_units_are_xor():
    x1, x2 = sg.symbols("x1 x2")
    fn = sg.compile(sg.relu(x1 + x2) - 2 * sg.relu(x1 + x2 - 1), wrt=[x1, x2])
    assert fn(*TABLE.T).tolist() == XOR.tolist()
    assert [g.tolist() for g in fn.grad(*TABLE.T)] == [[0.0, 1.0, 1.0, -1.0]] * 2  # at (0, 0) and 1 by minimum norm
    assert fn.grad(0.25, 0.5) == (1.0, 1.0)
    assert fn.grad(2.0, 0.5) == (-1.0, -1.0)


# 13. Polar features


def test_polar_features():
    x, y = sg.symbols("x y")
    r, phi = sg.compile(sg.hypot(x, y), wrt=[x, y]), sg.compile(sg.arctan2(y, x), wrt=[x, y])
    same(r.value_and_grad(3.0, 4.0)[0], 5.0)
    same(r.grad(3.0, 4.0), (0.6, 0.8))
    printed(phi(3.0, 4.0), 0.9272952180)
    same(phi.grad(3.0, 4.0), (-0.16, 0.12))
    spelled = sg.compile(sg.sqrt(x**2 + y**2), wrt=[x, y])
    for a, b in RNG.normal(size=(6, 2)):
        same(r.value_and_grad(a, b)[1], (a / math.hypot(a, b), b / math.hypot(a, b)))
        same(spelled.grad(a, b), r.grad(a, b))
        same(phi(a, b), math.atan2(b, a))
        same(phi.grad(a, b), (-b / (a * a + b * b), a / (a * a + b * b)))


# 14. Softmax, cross-entropy, KL


@pytest.fixture(scope="module")
def cross_entropy():
    z, p = sg.parameter("z", ("k",)), sg.input("p", ("k",))
    return sg.compile(-sg.sum(p * sg.log_softmax(z)), wrt=z)


def test_softmax_cross_entropy(cross_entropy):
    loss, dz = cross_entropy.value_and_grad(z=[2.0, 1.0, 0.1], p=[1.0, 0.0, 0.0])
    printed(loss, 0.4170300163)
    e = [math.exp(v) for v in (2.0, 1.0, 0.1)]
    same(dz, [e[0] / sum(e) - 1, e[1] / sum(e), e[2] / sum(e)])
    # The text gives dz to ten digits of which the last are off: 0.6590011389 - 1 is -0.3409988611, not ...606.
    printed(dz, [-0.3409988606, 0.2424329707, 0.0985658899], 8)
    same(sum(dz), 0.0, atol=1e-15)


@pytest.mark.parametrize("k", [2, 9])
def test_softmax_cross_entropy_elsewhere(cross_entropy, k):
    z, p = 3 * RNG.normal(size=k), RNG.dirichlet(np.ones(k))
    e = np.exp(z - z.max())
    loss, dz = cross_entropy.value_and_grad(z=z, p=p)
    same(loss, -np.sum(p * np.log(e / e.sum())))
    same(dz, e / e.sum() - p)
    assert cross_entropy.check(z=z, p=p).ok


@pytest.mark.parametrize("spelling", ["log of softmax", "quotient", "logsumexp"])
def test_softmax_in_other_words(spelling):
    z = sg.parameter("z", (3,))
    f = {
        "log of softmax": lambda: -sg.log(sg.softmax(z)[0]),
        "quotient": lambda: -sg.log((sg.exp(z) / sg.sum(sg.exp(z)))[0]),
        "logsumexp": lambda: sg.logsumexp(z) - z[0],
    }[spelling]()
    fn = sg.compile(f, wrt=z)
    loss, dz = fn.value_and_grad([2.0, 1.0, 0.1])
    printed(loss, 0.4170300163)
    e = np.exp([2.0, 1.0, 0.1])
    same(dz, e / e.sum() - [1.0, 0.0, 0.0])
    assert np.isfinite(fn.value_and_grad([1000.0, 0.0, -1000.0])[0])


def test_divergence():
    p, q = sg.input("p", (3,)), sg.input("q", (3,))
    f = {"H": -sg.sum(p * sg.log(p)), "CE": -sg.sum(p * sg.log(q)), "KL": sg.sum(p * sg.log(p / q))}
    fn = sg.compile(f, inputs=[p, q])
    at = fn(p=[0.7, 0.2, 0.1], q=[0.5, 0.3, 0.2])
    printed([at["H"], at["CE"], at["KL"]], [0.8018185525, 0.8869413785, 0.0851228260])
    for _ in range(3):
        u, v = RNG.dirichlet(np.ones(3), size=2)
        at = fn(p=u, q=v)
        same(at["H"], -sum(a * math.log(a) for a in u))
        same(at["CE"], -sum(a * math.log(b) for a, b in zip(u, v, strict=True)))
        same(at["KL"], at["CE"] - at["H"], atol=1e-14, rtol=1e-12)


def test_slope_of_the_divergence_is_q_minus_p():
    p, z = sg.input("p", (3,)), sg.parameter("z", (3,))
    q = sg.softmax(z)
    fn = sg.compile(sg.sum(p * sg.log(p / q)), wrt=z)
    same(fn.grad(p=[0.7, 0.2, 0.1], z=np.log([0.5, 0.3, 0.2])), [-0.2, 0.1, 0.1])
    u, v = RNG.dirichlet(np.ones(3), size=2)
    same(fn.grad(p=u, z=np.log(v) + 11.0), v - u, rtol=1e-12, atol=1e-14)


# 15. The numerical gradient


def test_error_of_the_numerical_gradient():
    fn = sg.compile("1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", wrt="w0")
    at = {"x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    exact = fn.grad(w0=2.0, **at)
    s = logistic(1.0)
    same(exact, -s * (1 - s))

    def forward(h):
        return abs((fn(w0=2 + h, **at) - fn(w0=2.0, **at)) / h - exact)

    def central(h):
        return abs((fn(w0=2 + h, **at) - fn(w0=2 - h, **at)) / (2 * h) - exact)

    assert forward(0.1) == pytest.approx(4.5e-3, rel=0.02)
    assert central(0.1) == pytest.approx(5.9e-5, rel=0.02)
    assert forward(1e-8) < 2e-8  # a rounding of f is 1.1e-16; over 1e-8 that is 1.1e-8
    assert 1e-8 < forward(1e-11) < 2.3e-5
    assert central(1e-5) < 2.2e-11
    assert fn.check(w0=2.0, **at).ok
