"""Convolution and pooling: against loops over every output, as Keras pads, with gradients of both orders."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import IndexRangeError, ShapeError
from symgrad.frontend import windows
from symgrad.frontend.declare import input as declare
from symgrad.ir.types import named
from tests.lower.graphs import agree

RNG = np.random.default_rng(11)


def padded(x: np.ndarray, sizes: tuple, strides: tuple, dilations: tuple, fill: float = 0.0) -> np.ndarray:
    """TensorFlow's "same": ceil(n/s) outputs, the smaller half of what is missing in front."""
    widths = [(0, 0)]
    for n, k, s, d in zip(x.shape[1:-1], sizes, strides, dilations, strict=True):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        widths.append((missing // 2, missing - missing // 2))
    return np.pad(x, [*widths, (0, 0)], constant_values=fill)


def patches(x: np.ndarray, sizes: tuple, strides: tuple, dilations: tuple):
    """(position, window) for every output: the window is (batch, *sizes, channels)."""
    counts = [
        (n - (k - 1) * d - 1) // s + 1 for n, k, s, d in zip(x.shape[1:-1], sizes, strides, dilations, strict=True)
    ]
    for position in itertools.product(*map(range, counts)):
        cut = [
            slice(o * s, o * s + (k - 1) * d + 1, d)
            for o, k, s, d in zip(position, sizes, strides, dilations, strict=True)
        ]
        yield position, x[(slice(None), *cut)]


def assembled(x: np.ndarray, geometry: tuple, of_patch) -> np.ndarray:
    outputs = {position: of_patch(patch) for position, patch in patches(x, *geometry)}
    counts = tuple(1 + max(p[i] for p in outputs) for i in range(x.ndim - 2))
    y = np.empty((len(x), *counts, next(iter(outputs.values())).shape[-1]))
    for position, value in outputs.items():
        y[(slice(None), *position)] = value
    return y


def convolution(x: np.ndarray, kernel: np.ndarray, geometry: tuple, padding: str) -> np.ndarray:
    x = padded(x, *geometry) if padding == "same" else x
    return assembled(x, geometry, lambda patch: patch.reshape(len(x), -1) @ kernel.reshape(-1, kernel.shape[-1]))


def pooled(x: np.ndarray, geometry: tuple, padding: str, reduce) -> np.ndarray:
    """NaN where there is no image, which ``reduce`` passes over."""
    x = padded(x, *geometry, fill=np.nan) if padding == "same" else x
    return assembled(x, geometry, lambda patch: reduce(patch, axis=(1, 2)))


# image (height, width, channels), kernel (height, width, filters), strides, dilation
IMAGES = {
    "plain": ((6, 5, 2), (3, 2, 3), (1, 1), (1, 1)),
    "one channel": ((5, 5, 1), (3, 3, 1), (1, 1), (1, 1)),
    "strides": ((7, 8, 2), (3, 3, 2), (2, 3), (1, 1)),
    "strides beyond the kernel": ((9, 7, 2), (2, 1, 3), (4, 3), (1, 1)),
    "dilation": ((9, 8, 2), (3, 2, 2), (1, 1), (2, 3)),
    "dilation and strides": ((9, 10, 1), (2, 3, 2), (3, 2), (3, 2)),
    "one by one": ((4, 3, 3), (1, 1, 2), (1, 1), (1, 1)),
    "whole image": ((4, 3, 2), (4, 3, 5), (1, 1), (1, 1)),
    "one row": ((1, 6, 2), (1, 4, 2), (1, 1), (1, 1)),
}
BOTH = pytest.mark.parametrize("padding", ["valid", "same"])


def close(ours: np.ndarray, wanted: np.ndarray, dtype: str = "float64") -> None:
    unit = 2.0**-52 if dtype == "float64" else 2.0**-23
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=64 * unit * max(1.0, np.abs(wanted).max()))


def values(*shapes: tuple, dtype: str = "float64") -> list[np.ndarray]:
    return [RNG.normal(size=shape).astype(dtype) for shape in shapes]


@pytest.mark.parametrize("case", IMAGES)
@BOTH
def test_convolution_of_images(case: str, padding: str) -> None:
    """The value by its reference, for sizes that are known and for sizes that are read when called."""
    (h, w, c), (kh, kw, f), strides, dilation = IMAGES[case]
    xv, kv = values((2, h, w, c), (kh, kw, c, f))
    wanted = convolution(xv, kv, ((kh, kw), strides, dilation), padding)
    kernel = sg.parameter("K", kv.shape)
    for shape in [("n", h, w, c), ("n", "h", "w", c)]:
        y = sg.conv2d(sg.input("x", shape), kernel, strides, padding, dilation)
        close(sg.evaluate(y, x=xv, K=kv), wanted)
        assert [n for n in y.shape[1:] if isinstance(n, int)] == list(wanted.shape[1:] if shape[1] == h else [f])


@pytest.mark.parametrize("case", IMAGES)
@BOTH
@pytest.mark.parametrize("shape", ["known", "batch", "all"])
def test_emitted_loops_compute_what_the_references_do(case: str, padding: str, shape: str) -> None:
    """Value and both gradients; where every size is known and small, loops read the windows in place."""
    (h, w, c), (kh, kw, f), strides, dilation = IMAGES[case]
    shapes = {"known": (2, h, w, c), "batch": ("n", h, w, c), "all": ("n", "h", "w", c)}
    x, kernel = sg.parameter("x", shapes[shape]), sg.parameter("K", (kh, kw, c, f))
    y = sg.conv2d(x, kernel, strides, padding, dilation)
    slopes = sg.grad(sg.sum(y**2), [x, kernel])
    xv, kv = values((2, h, w, c), (kh, kw, c, f))
    given = {x.node: xv, kernel.node: kv}
    agree([y.node, *(s.node for s in slopes)], given)
    agree([slopes[0].node], given)


COMPILED = [
    ("strides", "valid", "float64"),
    ("dilation and strides", "same", "float64"),
    ("strides beyond the kernel", "same", "float32"),
]


@pytest.mark.parametrize(("case", "padding", "dtype"), COMPILED)
def test_compiled_convolution_with_its_gradients(case: str, padding: str, dtype: str) -> None:
    """d/dx and d/dK of sum(y cos y) are sums over the windows: each linear map is tried on the loops."""
    (h, w, c), (kh, kw, f), strides, dilation = IMAGES[case]
    geometry = (kh, kw), strides, dilation
    x, kernel = sg.parameter("x", ("n", "h", "w", c)), sg.parameter("K", (kh, kw, c, f))
    y = sg.conv2d(x, kernel, strides, padding, dilation)
    fn = sg.compile(sg.sum(sg.sin(y)), wrt=[x, kernel], dtype=dtype)
    xv, kv, dx, dk = values((3, h, w, c), (kh, kw, c, f), (3, h, w, c), (kh, kw, c, f), dtype=dtype)
    value, (x_bar, k_bar) = fn.value_and_grad(xv, kv)
    made = convolution(xv, kv, geometry, padding)
    close(value, np.sum(np.sin(made)), dtype)
    slope = np.cos(made)
    close(np.sum(x_bar * dx), np.sum(slope * convolution(dx, kv, geometry, padding)), dtype)
    close(np.sum(k_bar * dk), np.sum(slope * convolution(xv, dk, geometry, padding)), dtype)
    if case == "strides":
        assert fn.check(xv, kv).ok


@pytest.mark.parametrize("case", IMAGES)
@BOTH
def test_second_order(case: str, padding: str) -> None:
    """y is bilinear: with f = sum y^2/2 the curvature along dx is |conv(dx, K)|^2, and there are mixed terms."""
    (h, w, c), (kh, kw, f), strides, dilation = IMAGES[case]
    geometry = (kh, kw), strides, dilation
    x, kernel = sg.parameter("x", (2, h, w, c)), sg.parameter("K", (kh, kw, c, f))
    y = sg.conv2d(x, kernel, strides, padding, dilation)
    xv, kv, dx, dk = values((2, h, w, c), (kh, kw, c, f), (2, h, w, c), (kh, kw, c, f))
    hx, hk = sg.hvp(0.5 * sg.sum(y**2), [x, kernel], [sg.constant(dx), sg.constant(dk)])
    at = {"x": xv, "K": kv}
    conv = lambda a, b: convolution(a, b, geometry, padding)  # noqa: E731
    moved = conv(dx, kv) + conv(xv, dk)
    close(np.sum(sg.evaluate(hx, **at) * dx), np.sum(moved * conv(dx, kv)) + np.sum(conv(xv, kv) * conv(dx, dk)))
    close(np.sum(sg.evaluate(hk, **at) * dk), np.sum(moved * conv(xv, dk)) + np.sum(conv(xv, kv) * conv(dx, dk)))


@pytest.mark.parametrize(("n", "k", "stride", "dilation"), [(9, 3, 1, 1), (9, 3, 2, 1), (10, 2, 3, 2), (7, 1, 2, 1)])
@BOTH
def test_convolution_of_signals(n: int, k: int, stride: int, dilation: int, padding: str) -> None:
    x, kernel = sg.parameter("x", ("n", "m", 2)), sg.parameter("K", (k, 2, 3))
    xv, kv = values((4, n, 2), (k, 2, 3))
    y = sg.conv1d(x, kernel, stride, padding, dilation)
    close(sg.evaluate(y, x=xv, K=kv), convolution(xv, kv, ((k,), (stride,), (dilation,)), padding))
    if k == 3:
        assert sg.compile(sg.sum(y**2), wrt=[x, kernel]).check(xv, kv).ok


POOLS = [((2, 2), None), ((3, 3), (2, 2)), ((3, 2), (1, 3)), ((1, 1), (2, 2)), ((4, 5), (4, 5))]


@pytest.mark.parametrize(("sizes", "strides"), POOLS)
@pytest.mark.parametrize("image", [(8, 10), (7, 5)])
@BOTH
def test_pooling(sizes: tuple, strides: tuple | None, image: tuple, padding: str) -> None:
    """Values of largest element and mean; what is added around the image takes no part, also where all is negative."""
    geometry = sizes, strides or sizes, (1, 1)
    xv = values((2, *image, 3))[0] - 5.0
    for shape in [("n", *image, 3), ("n", "h", "w", 3)]:
        x = sg.input("x", shape)
        top, mean = (f(x, sizes, strides, padding) for f in (sg.max_pool2d, sg.average_pool2d))
        close(sg.evaluate(top, x=xv), pooled(xv, geometry, padding, np.nanmax))
        close(sg.evaluate(mean, x=xv), pooled(xv, geometry, padding, np.nanmean))


@pytest.mark.parametrize(("dtype", "padding"), [("float64", "same"), ("float32", "valid")])
def test_compiled_pooling_with_its_gradients(dtype: str, padding: str) -> None:
    x = sg.parameter("x", ("n", 7, 5, 2))
    top, mean = sg.max_pool2d(x, 3, 2, padding), sg.average_pool2d(x, (2, 3), None, padding)
    fn = sg.compile([top, mean], wrt=x, dtype=dtype)
    (xv,) = values((3, 7, 5, 2), dtype=dtype)
    got = fn(xv)
    close(got[0], pooled(xv, ((3, 3), (2, 2), (1, 1)), padding, np.nanmax), dtype)
    close(got[1], pooled(xv, ((2, 3), (2, 3), (1, 1)), padding, np.nanmean), dtype)
    if padding == "same":
        assert sg.compile(sg.sum(top**2) + sg.sum(sg.sin(mean)), wrt=x, dtype=dtype).check(xv).ok


def test_second_order_of_pooling() -> None:
    x, d = sg.parameter("x", (1, 6, 6, 1)), sg.input("d", (1, 6, 6, 1))
    f = sg.sum(sg.max_pool2d(x, 3, 2, "same") ** 3) + sg.sum(sg.average_pool2d(x, 3, 2, "same") ** 3)
    product = sg.compile(sg.sum(sg.grad(f, x) * d), wrt=x, inputs=[x, d])
    xv, dv = values((1, 6, 6, 1), (1, 6, 6, 1))
    assert product.check(xv, dv).ok


def test_ties_share_the_gradient() -> None:
    x = sg.parameter("x", (1, 2, 4, 1))
    fn = sg.compile(sg.sum(sg.max_pool2d(x)), wrt=x)
    xv = np.array([[1.0, 1.0, 2.0, 3.0], [0.0, 1.0, 3.0, 0.0]]).reshape(1, 2, 4, 1)
    wanted = np.array([[1 / 3, 1 / 3, 0, 0.5], [0, 1 / 3, 0.5, 0]])
    np.testing.assert_allclose(fn.grad(xv)[0, :, :, 0], wanted, rtol=1e-15)
    whole = sg.compile(sg.sum(sg.max_pool2d(x, 3, 3, "same")), wrt=x)
    np.testing.assert_allclose(whole.grad(np.zeros((1, 2, 4, 1)))[0, :, :, 0], np.full((2, 4), 0.25), rtol=1e-15)


def test_nan_is_kept() -> None:
    x = sg.input("x", (1, 4, 4, 1))
    xv = np.zeros((1, 4, 4, 1))
    xv[0, 0, 0, 0] = np.nan
    for pool in (sg.max_pool2d, sg.average_pool2d):
        assert np.isnan(sg.compile(pool(x))(xv)).sum() == 1


def test_same_padding_of_every_size() -> None:
    """What is missing as TensorFlow counts it, for sizes that are not known before the call too."""
    n = named("n")
    for size, stride, dilation in itertools.product((1, 2, 3, 5), (1, 2, 3, 4, 7), (1, 2)):
        geometry = windows.Geometry("pool", (size,), (stride,), (dilation,), True)
        reach = (size - 1) * dilation + 1
        for length in range(1, 30):
            wanted = max((-(-length // stride) - 1) * stride + reach - length, 0)
            assert geometry.missing(length, 0) == wanted
            unknown = geometry.missing(n, 0)
            assert (unknown if isinstance(unknown, int) else unknown.substitute({"n": length})) == wanted
    five, four = (windows.Geometry("conv", (3,), (2,), (1,), True).missing(m, 0) for m in (5, 4))
    assert (five // 2, five - five // 2) == (1, 1)  # as in TensorFlow's guide
    assert (four // 2, four - four // 2) == (0, 1)


def source(image: int, size: int, **options: object) -> str:
    x, kernel = sg.parameter("x", ("n", image, image, 8)), sg.parameter("K", (size, size, 8, 16))
    y = sg.max_pool2d(sg.relu(sg.conv2d(x, kernel, **options)), size)
    return sg.compile(sg.sum(y**2), wrt=[x, kernel]).source.partition("import")[2]  # without the table of counts


def test_one_product_forward_and_two_backward() -> None:
    x, kernel = sg.parameter("x", ("n", 20, 20, 8)), sg.parameter("K", (3, 3, 8, 16))
    fn = sg.compile(sg.sum(sg.conv2d(x, kernel, padding="same") ** 2), wrt=[x, kernel])
    value, joint = (
        fn.source.partition(f"def {name}(")[2].partition("\n\n\n")[0] for name in ("value", "value_and_grad")
    )
    assert value.count("    matmul(") == 1
    assert joint.count("    matmul(") == 3
    assert joint.count("np.empty((n, 20, 20, 3, 24)") == 1  # the windows, copied once, in runs of three pixels


@pytest.mark.parametrize("options", [{}, {"padding": "same"}, {"strides": 2}, {"dilation": 2}], ids=str)
def test_lines_do_not_grow_with_kernel_or_image(options: dict) -> None:
    counts = {len(source(image, size, **options).splitlines()) for image, size in ((40, 3), (200, 3), (200, 11))}
    assert len(counts) == 1


def test_an_image_that_is_too_small_when_called() -> None:
    x, kernel = sg.parameter("x", ("n", "h", "w", 2)), sg.parameter("K", (3, 3, 2, 4))
    fn = sg.compile(sg.sum(sg.conv2d(x, kernel)), wrt=[x, kernel])
    with pytest.raises(
        IndexRangeError, match="a window of 3 positions over axis 2 of x of size w: w must be at least 3"
    ):
        fn.grad(np.zeros((1, 5, 2, 2)), np.zeros((3, 3, 2, 4)))
    assert fn(np.zeros((0, 5, 5, 2)), np.zeros((3, 3, 2, 4))) == 0.0


X, K = declare("X", ("n", 8, 8, 3)), declare("K", (3, 3, 3, 16))
WRONG = {
    "axes of the input": lambda: sg.conv2d(declare("X", ("n", 64)), K),
    "axes of the kernel": lambda: sg.conv2d(X, declare("K", (3, 3, 3))),
    "size of the kernel": lambda: sg.conv2d(X, declare("K", ("k", 3, 3, 16))),
    "channels": lambda: sg.conv2d(X, declare("K", (3, 3, 1, 16))),
    "too large": lambda: sg.conv2d(X, declare("K", (3, 9, 3, 16))),
    "too large with dilation": lambda: sg.conv2d(X, K, dilation=4),
    "too large signal": lambda: sg.conv1d(declare("X", ("n", 4, 2)), declare("K", (5, 2, 1))),
    "strides": lambda: sg.conv2d(X, K, strides=0),
    "number of strides": lambda: sg.conv2d(X, K, strides=(1, 1, 1)),
    "stride of a signal": lambda: sg.conv1d(declare("X", ("n", 4, 2)), declare("K", (5, 2, 1)), strides=1.5),
    "padding": lambda: sg.conv2d(X, K, padding="full"),
    "pool axes": lambda: sg.max_pool2d(declare("X", ("n", 8, 8))),
    "pool size": lambda: sg.average_pool2d(X, pool_size="2"),
    "pool too large": lambda: sg.max_pool2d(X, 9),
}


@pytest.mark.parametrize("name", WRONG)
def test_messages(name: str, snapshot) -> None:
    with pytest.raises(ShapeError) as found:
        WRONG[name]()
    assert re.sub(r"\n  at .*", "", str(found.value)) == snapshot


def test_formulas(snapshot) -> None:
    """As read in review: the convolution, its pullbacks, pooling."""
    x, kernel, b = sg.input("x", ("n", 12, 12, 2)), sg.parameter("K", (3, 3, 2, 4)), sg.parameter("b", (4,))
    z = sg.named("z", sg.conv2d(x, kernel, padding="same") + b)
    p = sg.named("p", sg.max_pool2d(sg.relu(z)))
    y = sg.named("y", sg.conv2d(p, sg.parameter("K2", (3, 3, 4, 2)), strides=2, dilation=2))
    fn = sg.compile(sg.sum(y**2) / 2)
    assert {form: fn.latex(form) for form in ("matrix", "elementwise")} == snapshot
    assert str(fn.derivation()) == snapshot
    pools = [sg.max_pool2d(x, 3, 1, "same"), sg.average_pool2d(x), sg.average_pool2d(x, 3, 2, "same")]
    assert [sg.latex(p) for p in pools] == snapshot


def test_everything_is_public() -> None:
    assert set(windows.__all__) <= set(sg.__all__)
