"""The public contract, line by line: declare, differentiate, compile and run, errors."""

import builtins
import concurrent.futures
import copy
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad import errors

NAMES = """
symbols symbol input parameter constant named parse evaluate from_sympy to_sympy elementwise compile
exp log log1p expm1 log2 log10 exp2 sqrt cbrt square reciprocal sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh
arcsinh arccosh arctanh sinc abs sign floor ceil round trunc mod power maximum minimum clip where hypot logaddexp erf
erfc lgamma digamma xlogy logcosh log_sigmoid
equal not_equal logical_and logical_or logical_not stop_gradient
sum mean var std prod max min argmax argmin any all dot matmul outer einsum transpose reshape concatenate stack
expand_dims squeeze norm trace diag tril triu logsumexp softmax log_softmax one_hot take cumsum
linear step piecewise_linear sigmoid relu relu6 leaky_relu prelu elu selu softplus gelu silu mish maxout
grad jacobian hessian jvp vjp hvp check_grads gradcheck check_formula CompiledFunction Tensor
SymgradError DeclarationError ExpressionError ShapeError ModelFileError DtypeError NotDifferentiableError
UnsupportedError IndexRangeError NumericError InternalError
""".split()

x, y, z = sg.symbols("x y z")


# ---- names


@pytest.mark.parametrize("name", NAMES)
def test_name_is_an_attribute(name):
    assert callable(getattr(sg, name))


def test_star_import_leaves_builtins_alone():
    namespace = {}
    exec("from symgrad import *", namespace)
    given = set(namespace) - {"__builtins__"}
    assert given.isdisjoint(dir(builtins))
    assert given >= set(NAMES) - set(dir(builtins))


def test_functions_are_known_by_their_names():
    for name in set(NAMES) - {"symbols", "matmul", "dot"}:
        found = getattr(sg, name)
        assert found.__name__ == name
        assert found.__doc__, name


# ---- declare


def test_symbols():
    assert [t.shape for t in sg.symbols("a b, c")] == [(), (), ()]
    assert isinstance(sg.symbols("a"), sg.Tensor)
    assert [t.name for t in sg.symbols(["a b", "c"])] == ["a b", "c"]
    for bad in ("", " , ", None, 3, []):
        with pytest.raises(errors.DeclarationError, match="at least one name"):
            sg.symbols(bad)


@pytest.mark.parametrize("shape", [None, (2.0,), (-1,), ("1n",), ((2,),), (True,), {2}, (None,)])
def test_shapes_are_tuples_of_sizes(shape):
    with pytest.raises(errors.DeclarationError):
        sg.input("X", shape)


@pytest.mark.parametrize("dtype", ["float32", "complex", np.float64, int, None, []])
def test_kinds_are_real_int_and_bool(dtype):
    with pytest.raises(errors.DeclarationError, match="unknown dtype"):
        sg.input("X", (2,), dtype=dtype)


def test_parameters_start_as_told():
    w = sg.parameter("w", (2, "n"), init=[[1, 2, 3], [4, 5, 6]])
    problem = sg.compile(sg.sum(w**2)).as_scipy()
    assert problem.x0.tolist() == [1, 2, 3, 4, 5, 6]
    for init in ([1, 2, 3], [1, [2]], [1j, 2j], "he_normal"):
        if init == "he_normal":
            assert sg.parameter("w", (2,), init=init).shape == (2,)
            continue
        with pytest.raises(errors.DeclarationError, match="init"):
            sg.parameter("w", (2,), init=init)


def test_operators_are_numpys():
    rng = np.random.default_rng(0)
    A, B, v = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=3)
    tA, tB, tv = sg.input("A", (2, 3)), sg.input("B", (3, 4)), sg.input("v", (3,))
    given = {"A": A, "B": B, "v": v}
    for make in (
        lambda a, b, c: a + c,
        lambda a, b, c: 2 - a,
        lambda a, b, c: a * c / 3 - -a,
        lambda a, b, c: 1 / (2 + a**2),
        lambda a, b, c: 2**a,
        lambda a, b, c: (a @ b).T,
        lambda a, b, c: a @ c,
        lambda a, b, c: c @ b,
        lambda a, b, c: c @ c,
        lambda a, b, c: c @ np.ones((3, 2)),
        lambda a, b, c: np.ones((4, 2)) @ a,
        lambda a, b, c: np.arange(3.0) + a,
        lambda a, b, c: np.arange(3.0) < a,
        lambda a, b, c: (a > 0) & (a < 1) | ~(a <= 0.5) & (a >= -1),
        lambda a, b, c: a % 2,
        lambda a, b, c: abs(a) + +a,
        lambda a, b, c: a.reshape(3, -1) + a.reshape((3, 2)),
        lambda a, b, c: a.sum(0) + a.mean(axis=0) + a.max(axis=-2) + a.min(axis=(0,)),
        lambda a, b, c: a.sum(axis=1, keepdims=True) * a,
        lambda a, b, c: a[0] + a[-1, 1:][:, None][0] + a[..., 0][1],
        lambda a, b, c: a[::-1, ::2],
        lambda a, b, c: b[[0, 2], :] + b[[1, -1]],
        lambda a, b, c: b[:, [1, 2]][None],
        lambda a, b, c: np.sin(a) + np.maximum(a, 0) + np.exp(c),
        lambda a, b, c: np.sum(a, axis=1) + np.mean(a) + np.transpose(a)[0],
    ):
        expected = make(A, B, v)
        tensor = make(tA, tB, tv)
        names = {n for n in "ABv" if sg.compile(tensor).inputs.count(n)}
        found = sg.compile(tensor)(**{n: given[n] for n in names})
        assert np.shape(found) == expected.shape == tuple(tensor.shape)
        assert np.allclose(found, expected, rtol=1e-14, atol=1e-14)
        assert np.asarray(found).dtype == expected.dtype


def test_equality_is_identity():
    assert (x == x, x == y, x != y, x + 1 == x + 1, x == 1) == (True, False, True, True, False)
    assert {x: 1, y: 2}[x] == 1
    assert x in [y, x]
    assert sg.evaluate(sg.equal(x, 1), x=1.0) is True


@pytest.mark.parametrize(
    "use",
    [
        bool,
        float,
        int,
        complex,
        len,
        list,
        range,
        lambda t: 0 < t < 1,
        lambda t: not t,
        lambda t: [1, 2][t],
        np.asarray,
        np.linalg.det,
    ],
)
def test_what_a_symbol_is_not(use):
    with pytest.raises(errors.DtypeError):
        use(x)


def test_named_sizes_have_no_length():
    v = sg.input("v", ("n",))
    for use in (len, list, sum):
        with pytest.raises(errors.ShapeError, match="symbolic size n"):
            use(v)
    assert [r.shape for r in sg.input("M", (3, 4))] == [(4,)] * 3
    assert len(sg.input("M", (3, "n"))) == 3


@pytest.mark.parametrize("index", [3, -4, (0, 4), (0, 0, 0), "a", 1.0, True, (..., ...), slice(None, None, 0), [0, 3]])
def test_indices_that_do_not_fit(index):
    with pytest.raises((errors.IndexRangeError, errors.ShapeError, errors.DtypeError)):
        sg.input("M", (3, 4))[index]


@pytest.mark.parametrize("shape", [(5,), (-1, -1), (2.0, 6), (-2, -6), "n", (5, -1)])
def test_reshapes_that_do_not_fit(shape):
    with pytest.raises((errors.ShapeError, errors.DeclarationError)):
        sg.input("M", (3, 4)).reshape(shape)


@pytest.mark.parametrize("value", ["a", None, {}, 1j, [1, [2]], object(), np.longdouble(1), 10**400, b"a"])
def test_what_is_no_number_is_no_constant(value):
    with pytest.raises(errors.DtypeError):
        sg.constant(value)
    with pytest.raises(errors.DtypeError):
        x + value


# ---- differentiate


def test_gradients_nest_and_take_intermediates():
    q = sg.named("q", x + y)
    f = q * z
    assert sg.grad(f, q) == z
    assert sg.grad(f, "q") == z
    assert sg.grad(f, [x, y, z])[:2] == (z, z)
    assert isinstance(sg.grad(f, (x,)), tuple)
    assert sg.evaluate(sg.grad(sg.grad(x**3 * y, x), y), x=2.0, y=1.0) == 12.0
    assert sg.compile(f, wrt=["q", z]).value_and_grad(-2.0, 5.0, -4.0) == (-12.0, (-4.0, 3.0))


def test_wrt_that_is_none():
    k = sg.input("k", (), dtype="int")
    for wrt, kind in [("nope", ValueError), (3, ValueError), (k, TypeError)]:
        with pytest.raises(kind):
            sg.grad(x * y, wrt)
    assert sg.evaluate(sg.grad(x, y)) == 0.0


@pytest.mark.parametrize("f", [sg.input("v", (3,)), x > 0, sg.argmax(sg.input("v", (3,)))])
def test_gradients_need_a_real_scalar(f):
    with pytest.raises(errors.NotDifferentiableError):
        sg.grad(f, x)


def test_shapes_and_structure_of_jacobians():
    M, v, n = sg.parameter("M", (2, 3)), sg.input("v", (3,)), sg.input("n", ("n",))
    assert sg.jacobian(M @ v, v).shape == (2, 3)
    assert [j.shape for j in sg.jacobian(M @ v, [v, M])] == [(2, 3), (2, 2, 3)]
    assert sg.jacobian(sg.sin(n), n).structure == "diagonal"
    assert sg.jacobian(M @ v, v).structure == "dense"
    assert sg.jacobian(sg.sin(n), x).structure == "zero"
    A = np.arange(6.0).reshape(2, 3)
    assert np.array_equal(sg.evaluate(sg.jacobian(M @ v, v), M=A, v=np.ones(3)), A)
    H = sg.hessian(sg.sum((M @ v) ** 2), [M, v])
    assert [[h.shape for h in row] for row in H] == [[(2, 3, 2, 3), (2, 3, 3)], [(3, 2, 3), (3, 3)]]
    assert np.allclose(sg.evaluate(H[1][1], M=A, v=np.ones(3)), 2 * A.T @ A)


def test_products_with_vectors():
    v = sg.input("v", (3,))
    at, along = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, -1.0])
    f = sg.sin(v) * v[::-1]
    J = sg.evaluate(sg.jacobian(f, v), v=at)
    assert np.allclose(sg.evaluate(sg.jvp(f, v, along), v=at), J @ along)
    assert np.allclose(sg.evaluate(sg.vjp(f, v, along), v=at), J.T @ along)
    g = sg.sum(f**2)
    assert np.allclose(sg.evaluate(sg.hvp(g, v, along), v=at), sg.evaluate(sg.hessian(g, v), v=at) @ along)
    nested = sg.vjp(sg.jvp(sg.sin(v), v, v), v, np.ones(3))
    assert np.allclose(sg.evaluate(nested, v=at), np.cos(at) - at * np.sin(at))
    assert sg.evaluate(sg.jvp(x * y, [x, y], [1.0, 2.0]), x=3.0, y=5.0) == 11.0
    for tangents in ([1.0], np.ones(3), [np.ones(2), 1.0]):
        with pytest.raises(errors.ShapeError):
            sg.jvp(x * y, [x, y], tangents)


# ---- compile and run


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


# ---- copies


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


# ---- errors


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("DeclarationError", ValueError),
        ("ExpressionError", ValueError),
        ("ShapeError", ValueError),
        ("ModelFileError", ValueError),
        ("DtypeError", TypeError),
        ("NotDifferentiableError", TypeError),
        ("UnsupportedError", NotImplementedError),
        ("IndexRangeError", IndexError),
        ("NumericError", ArithmeticError),
        ("InternalError", RuntimeError),
    ],
)
def test_error_is_also_the_builtin_one(name, builtin):
    kind = getattr(sg, name)
    assert issubclass(kind, sg.SymgradError)
    assert issubclass(kind, builtin)


def test_layout_of_an_error():
    W2, h1 = sg.parameter("W2", (10, 64)), sg.input("h1", (32, "n"))
    with pytest.raises(sg.ShapeError) as caught:
        W2 @ h1
    lines = str(caught.value).split("\n")
    assert lines[:3] == ["matmul: inner sizes differ", "  left   W2: f64[10, 64]", "  right  h1: f64[32, n]"]
    assert lines[3].startswith(f"  at     {Path(__file__).name}:")
    assert lines[3].endswith("W2 @ h1")
    assert lines[4].startswith("  fix    ")
