"""The public contract, line by line: names, declare, differentiate, errors. ``test_run`` has what compiles and runs."""

import builtins
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


def test_ranges_of_symbols_are_sympys():
    for text in ("x:3", "x2:5", "a:d", "x:2y:2", "x:1", "w x:2, y3:5"):
        assert [s.node["variable"].name for s in sg.symbols(text)] == [s.name for s in sp.symbols(text)]


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


M = sg.input("M", (3, 4))
AXES = [
    *(lambda a=a: sg.transpose(M, a) for a in ((0, 3), (-3, 0), (0,), (0, 0), (0.0, 1), 1, (None, 0))),
    *(lambda a=a: sg.expand_dims(M, a) for a in (3, -4, 0.5, True, "a", (0, 0), (0, -4))),
    *(lambda a=a: sg.sum(M, a) for a in (2, -3, 1.5, True, "a", (0, 0), (0, -2))),
]


@pytest.mark.parametrize("build", AXES)
def test_axes_that_there_are_not(build):
    with pytest.raises(errors.ShapeError) as caught:
        build()
    assert caught.value.fix


@pytest.mark.parametrize("value", ["a", None, {}, 1j, [1, [2]], object(), np.longdouble(1), 10**400, b"a"])
def test_what_is_no_number_is_no_constant(value):
    with pytest.raises(errors.DtypeError):
        sg.constant(value)
    with pytest.raises(errors.DtypeError):
        x + value


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
