"""Compile and run: calls, gradients, halves, structures, SciPy, sources, copies."""

import concurrent.futures
import copy
import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad import errors

x, y, z = sg.symbols("x y z")


def test_order_of_inputs():
    assert sg.compile(z * x).inputs == ("x", "z")
    u, v, w = sp.symbols("u v w")
    assert sg.compile(u * v * w, wrt=[w, u]).inputs == ("w", "u", "v")
    assert sg.compile("b*a + c").inputs == ("b", "a", "c")
    fn = sg.compile(x - y, inputs=[y, "x"])
    assert fn.inputs == ("y", "x")
    assert fn(1.0, 5.0) == fn(x=5.0, y=1.0) == fn(1.0, x=5.0) == 4.0


def test_defaults_of_wrt():
    w, X = sg.parameter("w", (2,)), sg.input("X", ("n", 2))
    assert sg.compile(sg.sum(X @ w)).wrt == ("w",)
    assert sg.compile(x * y).wrt == ("x", "y")
    with pytest.raises(errors.CallError, match="nothing to differentiate"):
        sg.compile(sg.sum(X)).grad(np.ones((1, 2)))


def test_one_wrt_gives_one_result_and_a_list_a_tuple():
    assert sg.compile(x * y, wrt=x).grad(2.0, 3.0) == 3.0
    assert sg.compile(x * y, wrt=[x]).grad(2.0, 3.0) == (3.0,)
    assert sg.compile(x * y, wrt="y").grad(2.0, 3.0) == 2.0


def test_unused_variable_has_gradient_zero():
    w = sg.symbol("w")
    assert sg.compile(x * 2, wrt=[x, w]).value_and_grad(3.0, 4.0) == (6.0, (2.0, 0.0))
    v = sg.input("v", ("n",))
    value, gradient = sg.compile(x * 2, wrt=v).value_and_grad(3.0, np.ones(4))
    assert (value, gradient.tolist()) == (6.0, [0, 0, 0, 0])


def test_structures_of_outputs():
    assert sg.compile([x * y], wrt=x)(2.0, 3.0) == (6.0,)
    assert sg.compile((x * y, x), wrt=x)(2.0, 3.0) == (6.0, 2.0)
    assert sg.compile({"p": x * y, "s": x + y})(2.0, 3.0) == {"p": 6.0, "s": 5.0}
    for nothing in ([], {}):
        with pytest.raises(errors.DeclarationError, match="nothing to compile"):
            sg.compile(nothing)
    for f in ([x], {"x": x}, sg.input("v", (2,))):
        with pytest.raises(errors.NotDifferentiableError, match="one real scalar output"):
            sg.compile(f, wrt=x).grad(*[1.0] * len(sg.compile(f, wrt=x).inputs))


def test_backward_takes_the_structure_and_may_be_called_again():
    fn = sg.compile({"p": x * y, "s": x + y}, wrt=[x, y])
    outputs, residuals = fn.forward(2.0, 3.0)
    assert outputs == {"p": 6.0, "s": 5.0}
    for _ in range(2):
        assert fn.backward(residuals, {"s": 2.0, "p": 1.0}) == (5.0, 4.0)
        assert fn.backward(residuals, [1.0, 2.0]) == (5.0, 4.0)
    for bad in ({"p": 1.0}, {"p": 1.0, "s": 2.0, "t": 3.0}, [1.0], 1.0, None, "a"):
        with pytest.raises((errors.CallError, errors.ShapeError, errors.DtypeError)):
            fn.backward(residuals, bad)
    with pytest.raises(errors.CallError, match="residuals"):
        fn.backward(None)


def test_cotangents_have_the_shape_of_the_output():
    v = sg.input("v", ("n",))
    fn = sg.compile(sg.sin(v), wrt=v)
    _, residuals = fn.forward(np.ones(3))
    assert np.allclose(fn.backward(residuals, [1, 2, 3]), np.cos(1) * np.arange(1, 4))
    for bad in (1.0, np.ones(2), np.ones((3, 1)), np.ones(3) * 1j):
        with pytest.raises((errors.ShapeError, errors.DtypeError)):
            fn.backward(residuals, bad)


def test_integers_and_booleans_among_the_outputs_have_no_cotangent():
    fn = sg.compile({"p": x * y, "less": x < y, "at": sg.argmax(sg.stack([x, y]))}, wrt=[x, y])
    for point, gradient in (((2.0, 3.0), (3.0, 2.0)), (([2.0, 3.0], 3.0), ([3.0, 3.0], [2.0, 3.0]))):
        _, residuals = fn.forward(*point)
        for rest in (0.0, None):
            found = fn.backward(residuals, {"p": 1.0, "less": rest, "at": rest})
            assert np.array_equal(found, gradient)
        assert fn.check(*point).ok  # the second point stands on the jump of both


def test_wrt_has_the_names_that_were_given():
    one, inside = sg.named("one", sg.constant(2.0) * 3), sg.named("x", x * y)
    fn = sg.compile(one * inside * sg.named("same", x * y), wrt=["one", inside, "same", x])
    assert fn.wrt == ("one", "x", "same", "x")
    assert fn.grad(2.0, 3.0) == (36.0, 36.0, 36.0, 6 * 2 * 2.0 * 3.0**2)
    assert "with respect to one, x, same, x." in fn.source


def test_scalars_broadcast_like_a_ufunc():
    fn = sg.compile(sg.sin(x) * y + x**2, wrt=[x, y])
    a, b = np.linspace(0, 1, 5), np.array([[1.0], [2.0]])
    assert np.allclose(fn(a, b), np.sin(a) * b + a**2, rtol=1e-15)
    by_x, by_y = fn.grad(a, b)
    assert np.allclose(by_x, np.cos(a) * b + 2 * a, rtol=1e-15)
    assert np.allclose(by_y, np.sin(a) * np.ones_like(b), rtol=1e-15)
    assert fn(a, 2).shape == fn(a.tolist(), np.float32(2)).shape == (5,)
    value, residuals = fn.forward(a, b)
    assert value.shape == (2, 5)
    pulled = fn.backward(residuals, np.full((2, 5), 2.0))
    assert np.allclose(pulled, 2 * np.array([by_x, by_y]), rtol=1e-15)
    many = sg.compile({"s": x > 0, "c": sg.constant(2.0)}, wrt=x)(a - 0.5)
    assert many["s"].dtype == bool
    assert many["c"].tolist() == [2.0] * 5


def test_declared_scalars_take_no_arrays():
    fn = sg.compile(sg.input("a") * 2)
    assert fn(1) == 2.0
    with pytest.raises(errors.ShapeError, match="declared  a: f64"):
        fn([1.0])


@pytest.mark.parametrize("dtype", ["float64", "float32", np.float32])
def test_results_have_the_type_of_the_function(dtype):
    v = sg.input("v", ("n",))
    fn = sg.compile([sg.sin(v), sg.sum(v), sg.argmax(v), v > 0], wrt=v, dtype=dtype)
    arrays, total, position, mask = fn([1.0, 2.0])
    assert arrays.dtype == np.dtype(fn.dtype)
    assert (type(total), type(position), mask.dtype) == (float, int, bool)
    assert sg.compile(sg.sum(v**2), wrt=v, dtype=dtype).grad([1.0, 2.0]).dtype == np.dtype(fn.dtype)
    batch = sg.compile(sg.sin(x), wrt=x, dtype=dtype)
    assert batch([1.0]).dtype == batch.grad([1.0]).dtype == np.dtype(fn.dtype)


def test_unknown_types_are_refused():
    for dtype in ("float16", "f8", int, None):
        with pytest.raises(errors.DtypeError, match="unknown dtype"):
            sg.compile(x, dtype=dtype)


@pytest.mark.parametrize("name", ["self", "args", "seed", "x0", "fixed", "function", "residuals", "tensor"])
def test_inputs_of_any_name_go_by_keyword(name):
    u = sg.symbol(name)
    fn = sg.compile(u**2 * y, wrt=[y])
    at = {name: 3.0, "y": 2.0}
    assert fn(**at) == 18.0
    assert fn.grad(**at) == (9.0,)
    assert fn.forward(**at)[0] == 18.0
    assert fn.check(**at).ok
    assert fn.as_scipy([2.0], **{name: 3.0}).fun([2.0]) == 18.0
    assert sg.evaluate(u * 2, **{name: 3.0}) == 6.0


def test_evaluate():
    assert sg.evaluate(x * y, 2, 3) == sg.evaluate(x * y, x=2, y=3, z=4) == 6.0
    assert sg.evaluate(sp.sin(sp.Symbol("u")), u=0.0) == 0.0
    assert sg.evaluate(sg.input("v", ("n",)) * 2, v=[1, 2]).tolist() == [2, 4]
    assert sg.evaluate(sg.constant(3.0)) == 3.0
    with pytest.raises(errors.CallError, match="missing input"):
        sg.evaluate(x * y, x=1)


def test_scipy_problem():
    v = sg.input("v", ("n",))
    rosenbrock = sg.sum(100 * (v[1:] - v[:-1] ** 2) ** 2 + (1 - v[:-1]) ** 2)
    problem = sg.compile(rosenbrock, wrt=v).as_scipy(x0=np.zeros(4))
    optimize = pytest.importorskip("scipy.optimize")
    found = optimize.minimize(
        problem.fun, problem.x0, jac=problem.jac, hess=problem.hess, method="trust-exact", tol=1e-10
    )
    assert np.allclose(found.x, 1, atol=1e-6)
    bounded = optimize.minimize(problem.fun, problem.x0, jac=problem.jac, bounds=problem.bounds, method="L-BFGS-B")
    assert np.allclose(bounded.x, 1, atol=1e-3)
    assert np.allclose(problem.hessp(problem.x0, np.ones(4)), problem.hess(problem.x0) @ np.ones(4))
    assert np.array_equal(problem.unflatten(problem.flatten(np.arange(4.0))), np.arange(4.0))


def test_scipy_starts():
    W, b = sg.parameter("W", (2, 2), init=np.eye(2)), sg.parameter("b", (2,))
    X = sg.input("X", ("n", 2))
    fn = sg.compile(sg.sum((X @ W + b) ** 2), wrt=[W, b])
    data = np.ones((3, 2))
    assert fn.as_scipy(X=data).x0.tolist() == [1, 0, 0, 1, 0, 0]
    starts = [{"W": np.ones((2, 2)), "b": [2, 3]}, [np.ones((2, 2)), [2, 3]], [1, 1, 1, 1, 2, 3]]
    for start in starts:
        assert fn.as_scipy(start, X=data).x0.tolist() == [1, 1, 1, 1, 2, 3]
    for kwargs in ({}, {"X": data, "q": 1}, {"X": data, "W": np.eye(2)}):
        with pytest.raises(errors.CallError):
            fn.as_scipy(**kwargs)
    for start in ([1.0], np.ones(7), {"W": np.eye(2)}, [np.eye(3), [2, 3]]):
        with pytest.raises((errors.CallError, errors.ShapeError)):
            fn.as_scipy(start, X=data)
    for start in ("abc", np.ones(6) * 1j):
        with pytest.raises(errors.DtypeError, match="x0"):
            fn.as_scipy(start, X=data)


def test_report_says_what_each_pass_did():
    fn = sg.compile(x * sg.exp(y), wrt=[x, y])
    report = fn.report()
    assert {p.name for p in report.passes} >= {"stabilise", "simplify", "eliminate"}
    assert all(p.seconds >= 0 and p.nodes_before and p.operations_before for p in report.passes)
    assert report.lines == fn.source.count("\n")
    assert set(report.operations) == {"value", "forward", "backward", "value_and_grad"}
    assert "operations" in str(report)


def test_source_is_the_file():
    fn = sg.compile(x * sg.exp(y), wrt=[x, y])
    assert fn.source_path.read_text(encoding="utf-8") == fn.source
    assert fn.source == sg.compile(x * sg.exp(y), wrt=[x, y]).source


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_saved_source_runs_alone_and_checks_itself(tmp_path, dtype):
    X, w, k = sg.input("X", ("n", 3)), sg.parameter("w", (3,)), sg.input("k", ("n",), dtype="int")
    table = np.arange(100.0).reshape(10, 10)
    f = sg.sum(sg.sigmoid(X @ w) * sg.take(sg.constant(table)[0], k)) + sg.sum(table)
    fn = sg.compile(f, wrt=[w, X], dtype=dtype)
    paths = [fn.save_source(str(tmp_path / "net.py"), standalone=True), fn.save_source(tmp_path / "bare.py")]
    assert paths == [tmp_path / "net.py", tmp_path / "bare.py"]
    assert "symgrad" not in {
        line.split()[1].split(".")[0]
        for line in paths[0].read_text().split("\n")
        if line.startswith(("import ", "from "))
    }
    done = subprocess.run([sys.executable, "-I", "net.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert paths[1].read_text() == fn.source


def square_at(fn, point):
    return fn.value_and_grad(*point)


def test_everything_copies_and_pickles():
    v = sg.input("v", ("n",))
    fn = sg.compile({"a": x * sg.sum(sg.sin(v))}, wrt=[x, v])
    outputs, residuals = fn.forward(2.0, [1.0, 2.0])
    expected = fn.backward(residuals, {"a": 1.0})
    for same in (lambda o: pickle.loads(pickle.dumps(o)), copy.copy, copy.deepcopy):
        assert same(fn)(2.0, [1.0, 2.0]) == outputs
        found = fn.backward(same(residuals), {"a": 1.0})
        assert found[0] == expected[0]
        assert np.array_equal(found[1], expected[1])
        assert same(x * v) == x * v
        assert str(same(fn.derivation())) == str(fn.derivation())
        assert same(fn.derivation().steps[0]) == fn.derivation().steps[0]
        assert str(same(fn.report())) == str(fn.report())
    problem = sg.compile(x**2 * y, wrt=x).as_scipy(y=3.0)
    assert pickle.loads(pickle.dumps(problem)).fun([2.0]) == copy.deepcopy(problem).fun([2.0]) == 12.0
    error = pickle.loads(pickle.dumps(errors.ShapeError("a", ("b", "c"), fix="d")))
    assert str(error).endswith("fix  d")


def test_pickles_through_a_fresh_process():
    fn = sg.compile(sg.sin(x) * y, wrt=[x, y])
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=spawn) as pool:
        found = pool.submit(square_at, fn, (1.0, 2.0)).result(timeout=120)
    assert found == fn.value_and_grad(1.0, 2.0)
