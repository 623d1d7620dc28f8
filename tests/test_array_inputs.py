"""What may be handed to a compiled function, and what comes back: the array rows of facts/bad_inputs.json."""

import threading
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from scipy import sparse

import symgrad as sg
from symgrad.errors import CallError, DtypeError, IndexRangeError, ShapeError

DATA = np.random.default_rng(0).normal(size=(4, 2))
WEIGHTS = np.array([1.0, 2.0])


def network():
    X, w, b = sg.input("X", ("n", 2)), sg.parameter("w", (2,)), sg.input("b")
    return sg.compile(sg.sum(sg.tanh(X @ w + b)), wrt=[X, w, b])


@pytest.fixture(scope="module")
def net():
    return network()


@pytest.fixture(scope="module")
def scalar():
    x, y = sg.symbols("x y")
    return sg.compile(sg.sin(x) * y + x**2, wrt=[x, y])


@pytest.fixture(scope="module")
def vector():
    y = sg.input("y", ("n",))
    return sg.compile(sg.sum(sg.sin(y) * y), wrt=y)


def misaligned(array):
    raw = b"x" + array.tobytes()
    return np.frombuffer(raw, np.float64, offset=1).reshape(array.shape)


def read_only(array):
    array = array.copy()
    array.setflags(write=False)
    return array


def memmap(array, path):
    made = np.memmap(path / "data.bin", dtype="f8", mode="w+", shape=array.shape)
    made[:] = array
    return np.memmap(path / "data.bin", dtype="f8", mode="r", shape=array.shape)


class Foreign:
    """Anything with ``__array__``, as pandas and others have it."""

    def __array__(self, dtype=None, copy=None):
        return np.array(DATA, dtype=dtype)


LAYOUTS = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda a: a[::-1].copy()[::-1],
    "strided": lambda a: np.repeat(a, 2, axis=0)[::2],
    "reversed and strided": lambda a: np.repeat(a[::-1], 2, axis=0)[::-2],
    "byte-swapped": lambda a: a.astype(">f8"),
    "misaligned": misaligned,
    "read-only": read_only,
    "list of lists": lambda a: a.tolist(),
    "tuple of arrays": tuple,
    "__array__": lambda a: Foreign(),
    "masked array without a mask": np.ma.array,
    "subclass": lambda a: a.view(type("Own", (np.ndarray,), {})),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_changes_nothing(net, layout):
    value, gradients = net.value_and_grad(DATA, WEIGHTS, 0.5)
    given = LAYOUTS[layout](DATA)
    other, others = net.value_and_grad(given, WEIGHTS, 0.5)
    assert other == value
    assert all(np.array_equal(a, b) for a, b in zip(gradients, others, strict=True))
    assert all(type(g) in (np.ndarray, float) for g in others)
    assert np.array_equal(np.asarray(given), DATA)


def test_memmap_is_read(net, tmp_path):
    mapped = memmap(DATA, tmp_path)
    assert net(mapped, WEIGHTS, 0.5) == net(DATA, WEIGHTS, 0.5)
    del mapped


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_matrix_gives_arrays(net):
    gradient = net.grad(np.matrix(DATA), WEIGHTS, 0.5)[0]
    assert type(gradient) is np.ndarray
    assert np.array_equal(gradient, net.grad(DATA, WEIGHTS, 0.5)[0])


def test_pandas_is_converted(net):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(DATA, columns=["a", "b"])
    assert net(frame, pd.Series(WEIGHTS), 0.5) == net(DATA, WEIGHTS, 0.5)


def test_broadcast_view_is_read_once_and_not_written(net):
    row = DATA[0].copy()
    spread = np.broadcast_to(row, (4, 2))
    assert np.array_equal(net.grad(spread, WEIGHTS, 0.5)[0], net.grad(np.array(spread), WEIGHTS, 0.5)[0])
    assert np.array_equal(row, DATA[0])


@pytest.mark.parametrize("dtype", ["f2", "f4", "i1", "i8", "u1", "u8", "?"])
def test_real_numbers_are_cast(net, dtype):
    given = np.array([[0, 1], [1, 1], [1, 0]], dtype=dtype)
    assert net(given, WEIGHTS, 0) == net(given.astype(float), WEIGHTS, 0.0)


def test_integer_power_is_no_integer(scalar):
    x = sg.symbol("x")
    fn = sg.compile([1 / x, x**-1, x**-2], wrt=x)
    assert fn(2) == (0.5, 0.5, 0.25)
    assert [a.tolist() for a in fn(np.array([2, 4]))] == [[0.5, 0.25], [0.5, 0.25], [0.25, 0.0625]]


@pytest.mark.parametrize(
    "number", [2, np.float64(2), np.float32(2), np.int8(2), np.array(2.0), Fraction(2), sp.Integer(2)]
)
def test_scalars_of_any_kind(scalar, number):
    assert scalar(number, 1.0) == scalar(2.0, 1.0)
    assert type(scalar(number, 1)) is float
    assert scalar.grad(number, 1) == scalar.grad(2.0, 1.0)


def test_integers_beyond_64_bits(scalar):
    x = sg.symbol("x")
    assert sg.compile(x * 0.5)(2**70) == 2.0**69
    with pytest.raises(DtypeError, match="largest float"):
        sg.compile(x * 0.5)(10**400)


REFUSED = {
    "longdouble": np.longdouble(2),
    "complex": 2j,
    "complex array": np.ones((4, 2), dtype=complex),
    "text": "2",
    "bytes": b"2",
    "array of text": np.array(["1", "2"]),
    "objects": np.array([1, 2], dtype=object),
    "datetime": np.datetime64("2020"),
    "timedelta": np.array([3], dtype="m8[s]"),
    "structured": np.array([(1, 2)], dtype="i,i"),
    "None": None,
    "dict": {"a": 1},
    "set": {1, 2},
    "ragged": [[1], [2, 3]],
    "deeply ragged": [1, [2]],
    "iterator": iter([1.0]),
    "tensor": sg.symbol("q"),
    "symbol": sp.Symbol("q"),
    "mask": np.ma.array([1.0, 2.0], mask=[False, True]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_real_number_is_a_type_error(scalar, net, what):
    for call in (scalar, scalar.grad, scalar.value_and_grad, scalar.forward):
        with pytest.raises(DtypeError, match=r"^x "):
            call(REFUSED[what], 1.0)
    with pytest.raises(DtypeError, match=r"^X "):
        net(REFUSED[what], WEIGHTS, 0.5)


def test_a_sparse_matrix_is_told_to_be_made_dense(net):
    with pytest.raises(DtypeError) as caught:
        net(sparse.csr_array(DATA), WEIGHTS, 0.5)
    assert caught.value.fix == "make it dense: x.toarray()"


def test_nan_and_infinity_are_those_of_numpy(vector, scalar):
    data = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300, 5e-324])
    with np.errstate(all="ignore"):
        assert np.isnan(vector(data))
        assert np.array_equal(vector.grad(data), np.cos(data) * data + np.sin(data), equal_nan=True)
        assert np.array_equal(scalar(data, 2.0), np.sin(data) * 2 + data**2, equal_nan=True)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_arrays(scalar, shape):
    assert scalar(np.zeros(shape), 1.0).shape == shape
    assert [g.shape for g in scalar.grad(np.zeros(shape), 1.0)] == [shape, shape]


def test_reductions_of_nothing():
    y = sg.input("y", ("n",))
    nothing = np.zeros(0)
    value, gradient = sg.compile(sg.sum(y), wrt=y).value_and_grad(nothing)
    assert (value, gradient.shape) == (0.0, (0,))
    value, gradient = sg.compile(sg.mean(y), wrt=y).value_and_grad(nothing)
    assert np.isnan(value)
    assert gradient.shape == (0,)
    for reduction in (sg.max, sg.min, sg.argmax, sg.argmin):
        with pytest.raises(ValueError, match="empty"):
            sg.compile(reduction(y))(nothing)


@pytest.mark.parametrize(
    ("X", "w", "b"),
    [
        (DATA[0], WEIGHTS, 0.5),
        (DATA[:, :1], WEIGHTS, 0.5),
        (DATA, WEIGHTS[:, None], 0.5),
        (DATA, np.ones(3), 0.5),
        (DATA, WEIGHTS, [0.5]),
        (DATA, WEIGHTS, [[0.5]]),
        (DATA[None], WEIGHTS, 0.5),
    ],
)
def test_other_shapes_are_refused_with_both_shapes(net, X, w, b):
    with pytest.raises(ShapeError, match=r"declared .*\n.*given") as caught:
        net(X, w, b)
    assert isinstance(caught.value, ValueError)


def test_column_and_vector_never_broadcast():
    n, y = sg.input("h", ("n", 1)), sg.input("y", ("n", 1))
    loss = sg.compile(sg.mean((n - y) ** 2), wrt=n)
    with pytest.raises(ShapeError, match=r"y\.reshape\(-1, 1\)"):
        loss(np.ones((5, 1)), np.ones(5))


def test_one_name_is_one_size():
    a, b = sg.input("a", ("n",)), sg.input("b", ("n",))
    fn = sg.compile(sg.sum(a * b))
    with pytest.raises(ShapeError, match="n is 3, from a"):
        fn(np.ones(3), np.ones(1))


def test_scalar_symbols_that_do_not_broadcast(scalar):
    with pytest.raises(ShapeError, match=r"x +\(3,\)\n +y +\(2,\)"):
        scalar([1, 2, 3], [1, 2])


def test_same_array_twice(vector):
    p, q = sg.input("p", ("n",)), sg.input("q", ("n",))
    fn = sg.compile([p + q, p * q], wrt=[p, q])
    v = np.arange(3.0)
    total, product = fn(v, v)
    assert total.tolist() == [0, 2, 4]
    assert product.tolist() == [0, 1, 4]
    _, residuals = fn.forward(v, v)
    assert [g.tolist() for g in fn.backward(residuals, [v, v])] == [[0, 2, 6], [0, 2, 6]]


def test_outputs_share_memory_with_nothing():
    y = sg.input("y", ("n",))
    outputs = [y, y * 1.0, y + 0.0, y[::-1], y.reshape(-1, 1), y.T, sg.stop_gradient(y), sg.broadcast_to(y, (2, "n"))]
    fn = sg.compile(outputs, wrt=y)
    v = np.arange(3.0)
    results = (*fn(v), v)
    for i, one in enumerate(results[:-1]):
        assert one.flags.c_contiguous
        assert one.flags.writeable
        assert not any(np.shares_memory(one, other) for j, other in enumerate(results) if i != j)


def test_equal_gradients_are_two_arrays():
    p, q = sg.input("p", ("n",)), sg.input("q", ("n",))
    a, b = sg.compile(sg.sum(p) + sg.sum(q), wrt=[p, q]).grad(np.ones(3), np.ones(3))
    assert not np.shares_memory(a, b)


def test_gradient_is_not_the_cotangent():
    y = sg.input("y", ("n",))
    fn = sg.compile(y, wrt=y)
    cotangent = np.ones(3)
    _, residuals = fn.forward(np.arange(3.0))
    gradient = fn.backward(residuals, cotangent)
    gradient[:] = 7
    assert cotangent.tolist() == [1, 1, 1]


def test_a_later_call_leaves_earlier_results_alone(vector):
    first = vector.grad(np.arange(3.0))
    kept = first.copy()
    second = vector.grad(np.arange(3.0) + 1)
    assert np.array_equal(first, kept)
    assert not np.shares_memory(first, second)


def test_residuals_hold_their_own_data(vector):
    data = np.arange(3.0)
    _, residuals = vector.forward(data)
    expected = vector.backward(residuals)
    data[:] = 100
    assert np.array_equal(vector.backward(residuals), expected)


def test_threads_that_change_the_data_do_no_harm(vector):
    data = np.ones(1000)
    stop = threading.Event()

    def scribble():
        while not stop.is_set():
            data[:] = np.random.default_rng(1).normal(size=1000)

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        shapes = {vector.grad(data).shape for _ in range(50)}
    finally:
        stop.set()
        writer.join()
    assert shapes == {(1000,)}


def test_threads_call_one_function(net):
    expected = net(DATA, WEIGHTS, 0.5)
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(net(DATA, WEIGHTS, 0.5) for _ in range(50))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {expected}
    assert len(found) == 400


@pytest.fixture(scope="module")
def gather():
    X, i = sg.input("X", ("n", 2)), sg.input("i", ("m",), dtype="int")
    return sg.compile(sg.sum(sg.take(X, i, 0) ** 2), wrt=X)


@pytest.mark.parametrize("index", [[4], [-5], [0, 4], [2**40], [-(2**62)], [2**63 - 1], [-(2**63)]])
def test_indices_outside_are_refused_by_gather_and_scatter(gather, index):
    for call in (gather, gather.grad, gather.value_and_grad, gather.forward):
        with pytest.raises(IndexRangeError) as caught:
            call(DATA, index)
        assert isinstance(caught.value, IndexError)


@pytest.mark.parametrize("index", [[0, 3], [-4, -1], [2, 2, -2], []])
def test_indices_inside_are_numpys(gather, index):
    index = np.array(index, dtype=int)
    value, gradient = gather.value_and_grad(DATA, index)
    expected = np.zeros_like(DATA)
    np.add.at(expected, index, 2 * DATA[index])
    assert value == pytest.approx(np.sum(DATA[index] ** 2), rel=1e-15)
    assert np.allclose(gradient, expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("index", [np.array([0.0]), np.array([2**63], dtype="u8"), np.array(["0"]), [None]])
def test_indices_are_integers(gather, index):
    with pytest.raises(DtypeError, match=r"^i "):
        gather(DATA, index)


def test_known_indices_are_checked_when_built():
    v = sg.input("v", (5,))
    for build in (lambda: v[5], lambda: v[-6], lambda: v[[0, 7]], lambda: sg.take(v, [-6]), lambda: v[np.array(5)]):
        with pytest.raises(IndexRangeError, match="outside axis 0 of size 5"):
            build()


@pytest.mark.parametrize(
    ("cut", "fits"),
    [
        (lambda y: y[2:4], 4),
        (lambda y: y[3], 4),
        (lambda y: y[-3], 3),
        (lambda y: y[-3:], 3),
        (lambda y: y[5:6:2], 6),
    ],
)
def test_slices_of_named_sizes_are_checked_when_run(cut, fits):
    y = sg.input("y", ("n",))
    fn = sg.compile(sg.sum(cut(y) * 1.0), wrt=y)
    data = np.arange(float(fits))
    assert fn(data) == np.sum(cut(data))
    assert np.array_equal(fn.grad(data) != 0, np.isin(data, cut(data)))
    for call in (fn, fn.grad, fn.forward):
        with pytest.raises(IndexRangeError):
            call(np.arange(float(fits - 1)))


def test_booleans_and_integers_are_not_guessed():
    mask, k = sg.input("mask", ("n",), dtype="bool"), sg.input("k", ("n",), dtype="int")
    with pytest.raises(DtypeError, match=r"values != 0"):
        sg.compile(sg.sum(sg.where(mask, 1.0, 0.0)))([1, 0])
    with pytest.raises(DtypeError, match=r"astype\(int\)"):
        sg.compile(sg.sum(sg.one_hot(k, 3)))([0.5])


def test_arguments_are_counted(scalar):
    for args, kwargs, said in [
        ((1.0,), {}, "missing input y"),
        ((1.0, 2.0, 3.0), {}, "3 arguments for 2 inputs"),
        ((1.0,), {"x": 2.0}, "x is given twice"),
        ((1.0,), {"y": 2.0, "q": 3.0}, "q is not an input"),
    ]:
        with pytest.raises(CallError, match=said) as caught:
            scalar(*args, **kwargs)
        assert isinstance(caught.value, TypeError)
