"""Products of symgrad's own: right for every layout, tail and vector width, with the same bits on all of them."""

import ctypes

import numpy as np
import pytest
from llvmlite import binding
from numba import njit

from symgrad.runtime import products
from symgrad.runtime.chains import matmul
from symgrad.runtime.product_code import TILES
from symgrad.runtime.product_kernels import BLOCK, LANES, text

HOST = (
    binding.get_default_triple(), binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(),
)  # fmt: skip
WIDTH = products.width(HOST[2])
DTYPES = {"f32": np.float32, "f64": np.float64}
KEPT = []
UNIT = {"f32": 2.0**-24, "f64": 2.0**-53}
needs_fma = pytest.mark.skipif(not WIDTH, reason="this CPU has no fused multiply-add: products go to BLAS")


def built(kind, width):
    """The three kernels for vectors of that width (narrower ones run on this CPU too), as functions of addresses."""
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_triple(HOST[0]).create_target_machine(cpu=HOST[1], features=HOST[2], opt=2, jit=True)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(text(kind, width)), machine)
    engine.finalize_object()
    counts = {"product": 10, "dots": 6, "sums": 7}
    made = {
        name: ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * n)(engine.get_function_address(f"symgrad_{name}_{kind}"))
        for name, n in counts.items()
    }
    return engine, made


@pytest.fixture(scope="module", params=["f32", "f64"])
def kernels(request):
    """(kind, {width: kernels})."""
    return request.param, {w: built(request.param, w) for w in TILES if w <= max(WIDTH, 16)}


def product(made, a, b):
    size = a.itemsize
    out = np.full((a.shape[0], b.shape[1]), np.nan, a.dtype)
    made["product"](
        a.ctypes.data, a.strides[0] // size, a.strides[1] // size, b.ctypes.data, b.strides[0] // size,
        b.strides[1] // size, out.ctypes.data, out.shape[0], out.shape[1], a.shape[1],
    )  # fmt: skip
    return out


def reference(a, b):
    """Exact enough: float64 products summed in longdouble, and the magnitude that rounding errors scale with."""
    wide = [x.astype(np.longdouble) for x in (a, b)]
    return wide[0] @ wide[1], np.abs(wide[0]) @ np.abs(wide[1])


SIZES = [(1, 1, 1), (6, 16, 16), (7, 17, 33), (13, 300, 5), (30, 2, 70), (97, 257, 9), (25, 513, 31), (3, 0, 4)]


@needs_fma
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_product_is_right_for_every_layout_and_width(kernels, size):
    kind, widths = kernels
    rng = np.random.default_rng(0)
    m, k, n = size
    a, b = rng.normal(size=(m, k)).astype(DTYPES[kind]), rng.normal(size=(k, n)).astype(DTYPES[kind])
    exact, scale = reference(a, b)
    found = []
    for _, made in widths.values():
        for x in (a, np.asfortranarray(a)):
            for y in (b, np.asfortranarray(b)):
                found.append(product(made, x, y))
    bound = (min(k, BLOCK) + k // BLOCK + 1) * UNIT[kind] * scale
    assert np.all(np.abs(found[0] - exact) <= bound)
    assert all(np.array_equal(found[0], other) for other in found[1:])  # the same bits


@needs_fma
def test_product_is_a_chain_in_the_order_of_the_sum(kernels):
    kind, widths = kernels
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 9)).astype(DTYPES[kind]), rng.normal(size=(9, 3)).astype(DTYPES[kind])
    from symgrad.runtime.kernels import fma

    expected = np.zeros((2, 3), DTYPES[kind])
    for i, j in np.ndindex(2, 3):
        for k in range(9):
            expected[i, j] = fma(a[i, k], b[k, j], expected[i, j])
    assert all(np.array_equal(product(made, a, b), expected) for _, made in widths.values())


@needs_fma
@pytest.mark.parametrize("m", [1, 3, 4, 9])
@pytest.mark.parametrize("k", [0, 1, LANES - 1, LANES, 5 * LANES + 3])
def test_vectors(kernels, m, k):
    kind, widths = kernels
    rng = np.random.default_rng(2)
    a, x = rng.normal(size=(m, k)).astype(DTYPES[kind]), rng.normal(size=k).astype(DTYPES[kind])
    exact, scale = reference(a, x.reshape(-1, 1))
    dots, sums = [], []
    for _, made in widths.values():
        y, z = (np.full(m, np.nan, a.dtype) for _ in range(2))
        made["dots"](a.ctypes.data, k, x.ctypes.data, y.ctypes.data, m, k)
        columns = np.ascontiguousarray(a.T)
        made["sums"](x.ctypes.data, 1, columns.ctypes.data, m, z.ctypes.data, m, k)
        dots.append(y)
        sums.append(z)
    bound = (k + 1) * UNIT[kind] * scale[:, 0]
    assert np.all(np.abs(dots[0] - exact[:, 0]) <= bound)
    assert np.all(np.abs(sums[0] - exact[:, 0]) <= bound)
    assert all(np.array_equal(dots[0], y) for y in dots)
    assert all(np.array_equal(sums[0], z) for z in sums)


@njit
def _times(a, b, out):
    matmul(a, b, out)


@njit
def _transposed_both(a, b, out):
    matmul(a.T, b.T, out)


@pytest.mark.parametrize("kind", ["f32", "f64"])
def test_compiled_code_calls_them_whatever_the_ranks(kind):
    products.provide(kind, HOST, None)
    rng = np.random.default_rng(3)
    for m, k, n in ((4, 5, 6), (1, 5, 6), (4, 5, 1), (1, 5, 1), (4, 1, 6), (40, 30, 20)):
        a, b = (rng.normal(size=s).astype(DTYPES[kind]) for s in ((m, k), (k, n)))
        tolerance = 4 * k * UNIT[kind]
        out = np.full((m, n), np.nan, a.dtype)
        _times(a, b, out)
        np.testing.assert_allclose(out, a @ b, rtol=0, atol=tolerance * k)
        out[:] = np.nan
        _transposed_both(np.ascontiguousarray(a.T), np.ascontiguousarray(b.T), out)
        np.testing.assert_allclose(out, a @ b, rtol=0, atol=tolerance * k)
        vector = np.full(m, np.nan, a.dtype)
        _times(a, np.ascontiguousarray(b[:, 0]), vector)
        np.testing.assert_allclose(vector, a @ b[:, 0], rtol=0, atol=tolerance * k)
        vector = np.full(n, np.nan, a.dtype)
        _times(np.ascontiguousarray(a[0]), b, vector)
        np.testing.assert_allclose(vector, a[0] @ b, rtol=0, atol=tolerance * k)


@needs_fma
def test_nan_and_infinity_stay_where_they_belong(kernels):
    kind, widths = kernels
    a, b = np.ones((7, 5), DTYPES[kind]), np.ones((5, 9), DTYPES[kind])
    a[2, 1], b[3, 4] = np.nan, np.inf
    for _, made in widths.values():
        out = product(made, a, b)
        assert np.isnan(out[2]).all()
        assert np.isposinf(np.delete(out[:, 4], 2)).all()
        assert (np.delete(np.delete(out, 2, 0), 4, 1) == 5).all()


def test_kernels_are_kept_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(products, "_engines", {})
    tmp_path.chmod(0o700)
    if not WIDTH:
        pytest.skip("this CPU has no fused multiply-add: products go to BLAS")
    kept = []  # code that other tests were linked with stays where it is
    assert products.provide("f64", HOST, tmp_path) is False
    kept.append(products._engines.pop("f64"))
    assert products.provide("f64", HOST, tmp_path) is True
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    kept.append(products._engines.pop("f64"))
    with pytest.warns(RuntimeWarning, match="damaged") if not products.cache._warned else pytest.MonkeyPatch.context():
        assert products.provide("f64", HOST, tmp_path) is False  # damaged: compiled again
    KEPT.extend([*kept, *products._engines.values()])


@needs_fma
@pytest.mark.parametrize("size", [(3, 5, 4), (7, 300, 2), (1, 40, 6), (5, 33, 1)], ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e-160])
def test_plain_python_has_the_same_bits(size, scale):
    products.provide("f32", HOST, None)
    products.provide("f64", HOST, None)
    rng = np.random.default_rng(5)
    m, k, n = size
    for dtype in (np.float64, np.float32):
        a, b = ((scale * rng.normal(size=s)).astype(dtype) for s in ((m, k), (k, n)))
        a[0, 1] = 0.0
        for x, y in ((a, b), (np.ascontiguousarray(a.T).T, b), (a, np.ascontiguousarray(b.T).T)):
            compiled, plain = np.full((m, n), np.nan, dtype), np.full((m, n), np.nan, dtype)
            _times(x, y, compiled)
            matmul(x, y, plain)
            assert np.array_equal(compiled, plain)
