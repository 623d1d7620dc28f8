"""Windows and their transpose: against loops over every position, as adjoint maps, with sizes known when called."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import IndexRangeError, ShapeError
from symgrad.frontend.tensor import Tensor
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, build
from symgrad.ir.types import named
from symgrad.ops.window import count, offset_axes, overlap_add, span, window
from tests.lower.graphs import agree, declare

RNG = np.random.default_rng(3)
# shape, axes, sizes, strides, dilations
CASES = {
    "line": ((7,), (0,), (3,), (1,), (1,)),
    "stride beyond the window": ((9,), (0,), (2,), (4,), (1,)),
    "dilation": ((9,), (0,), (3,), (1,), (3,)),
    "dilation and stride share positions": ((9,), (0,), (2,), (2,), (2,)),
    "one position": ((5, 2), (0,), (1,), (2,), (1,)),
    "whole axis": ((4, 3), (1,), (3,), (1,), (1,)),
    "images": ((2, 6, 7, 3), (1, 2), (3, 2), (1, 1), (1, 1)),
    "images, all different": ((2, 8, 7, 2), (1, 2), (2, 3), (3, 2), (4, 2)),
    "first and last axis": ((6, 3, 5), (0, 2), (2, 3), (2, 1), (1, 1)),
    "three axes": ((4, 5, 3, 2), (0, 1, 2), (2, 3, 2), (1, 2, 1), (2, 1, 1)),
    "axes of one": ((1, 5, 1), (0, 1), (1, 2), (1, 1), (1, 1)),
}


def by_loops(x: np.ndarray, axes: tuple, sizes: tuple, strides: tuple, dilations: tuple) -> np.ndarray:
    """The definition, element by element."""
    counts = [
        (x.shape[a] - (k - 1) * d - 1) // s + 1 for a, k, s, d in zip(axes, sizes, strides, dilations, strict=True)
    ]
    shape = [counts[axes.index(i)] if i in axes else n for i, n in enumerate(x.shape)]
    behind = axes[-1] + 1
    y = np.empty((*shape[:behind], *sizes, *shape[behind:]))
    for index in itertools.product(*map(range, y.shape)):
        spot = [*index[:behind], *index[behind + len(axes) :]]
        for i, a in enumerate(axes):
            spot[a] = index[a] * strides[i] + index[behind + i] * dilations[i]
        y[index] = x[tuple(spot)]
    return y


def symbolic(shape: tuple) -> Node:
    """A variable with names for all sizes."""
    return declare("x", *("nmk"[i % 3] + str(i) for i in range(len(shape))))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("make", [lambda shape: declare("x", *shape), symbolic], ids=["known", "symbolic"])
def test_values_by_reference_and_by_loops(case: str, make) -> None:
    shape, *params = CASES[case]
    x = make(shape)
    y = window(x, *params)
    data = RNG.normal(size=shape)
    np.testing.assert_array_equal(evaluate([y], {x: data})[0], by_loops(data, *params))
    sizes = {str(n): m for n, m in zip(x.shape, shape, strict=True)}
    assert tuple(n if isinstance(n, int) else n.substitute(sizes) for n in y.shape) == by_loops(data, *params).shape


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_both_orders(case: str) -> None:
    """Of sum y^3: 3 x^2 and 6 x, times in how many windows an element is."""
    shape, *params = CASES[case]
    x = sg.parameter("x", tuple(f"n{i}" for i in range(len(shape))))
    direction = sg.input("d", x.shape)
    f = sg.sum(Tensor(window(x.node, *params)) ** 3)
    data = RNG.normal(size=shape)
    times = by_loops_transposed(np.ones_like(by_loops(data, *params)), shape, *params)
    first, second = sg.grad(f, x).node, sg.hvp(f, x, direction).node
    values = {x.node: data, direction.node: 2 * data}
    got = evaluate([first, second], values)
    np.testing.assert_allclose(got[0], 3 * data**2 * times, rtol=1e-14)
    np.testing.assert_allclose(got[1], 12 * data**2 * times, rtol=1e-14)
    agree([first, second], values)


@pytest.mark.parametrize("case", ["images", "images, all different"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_compiled(case: str, dtype: str) -> None:
    shape, *params = CASES[case]
    x = sg.parameter("x", tuple(f"n{i}" for i in range(len(shape))))
    fn = sg.compile(sg.sum(Tensor(window(x.node, *params)) ** 3), wrt=x, dtype=dtype)
    data = RNG.normal(size=shape)
    times = by_loops_transposed(np.ones_like(by_loops(data, *params)), shape, *params)
    unit = 2.0**-52 if dtype == "float64" else 2.0**-23
    sizes = np.sum(np.abs(by_loops(data, *params)) ** 3)
    np.testing.assert_allclose(fn(data), np.sum(by_loops(data, *params) ** 3), atol=8 * unit * sizes)
    np.testing.assert_allclose(fn.grad(data), 3 * data**2 * times, rtol=16 * unit)
    assert fn.check(data).ok


def by_loops_transposed(v: np.ndarray, shape: tuple, axes: tuple, *rest: tuple) -> np.ndarray:
    """The transpose of ``by_loops``, column by column."""
    total = np.empty(shape)
    for index in itertools.product(*map(range, shape)):
        unit = np.zeros(shape)
        unit[index] = 1.0
        total[index] = np.sum(by_loops(unit, axes, *rest) * v)
    return total


@pytest.mark.parametrize("case", CASES)
def test_overlap_add_is_the_transpose(case: str) -> None:
    shape, axes, sizes, strides, dilations = CASES[case]
    y = by_loops(np.zeros(shape), axes, sizes, strides, dilations)
    v = declare("v", *y.shape)
    data = RNG.normal(size=y.shape)
    node = overlap_add(v, axes, tuple(shape[a] for a in axes), strides, dilations)
    wanted = by_loops_transposed(data, shape, axes, sizes, strides, dilations)
    assert node.shape == shape
    np.testing.assert_allclose(evaluate([node], {v: data})[0], wanted, rtol=1e-13, atol=1e-14)
    agree([node], {v: data})
    agree([node], {v: data}, "f32")


@pytest.mark.parametrize("n", range(3, 9))
def test_one_text_serves_every_size(n: int) -> None:
    x = sg.parameter("x", ("n", 2))
    fn = sg.compile(sg.sum(sg.max(Tensor(window(x.node, (0,), (3,), (2,), (1,))), axis=1) ** 2), wrt=x)
    data = RNG.normal(size=(n, 2))
    tops = by_loops(data, (0,), (3,), (2,), (1,)).max(axis=1)
    assert fn(data) == pytest.approx(np.sum(tops**2), rel=1e-14)
    assert fn.check(data).ok
    assert np.count_nonzero(fn.grad(data)) <= tops.size


def test_a_tangent_may_carry_leading_axes() -> None:
    x = sg.parameter("x", (5, 2))
    y = Tensor(window(x.node, (0,), (2,), (2,), (1,)))
    jacobian = sg.compile(sg.jacobian(y, x), inputs=[x], wrt=())(np.zeros((5, 2)))
    assert jacobian.shape == (*y.shape, 5, 2)
    for index in np.ndindex(5, 2):
        unit = np.zeros((5, 2))
        unit[index] = 1.0
        np.testing.assert_array_equal(jacobian[(..., *index)], by_loops(unit, (0,), (2,), (2,), (1,)))


def test_a_function_of_scalars_takes_arrays() -> None:
    xs = sg.symbols("a b c d")
    y = Tensor(window(sg.stack(xs).node, (0,), (2,), (1,), (1,)))
    fn = sg.compile(sg.sum(sg.prod(y, axis=1)), wrt=xs)
    rows = RNG.normal(size=(4, 6))
    np.testing.assert_allclose(fn(*rows), np.sum(rows[:-1] * rows[1:], axis=0), rtol=1e-14)


def test_a_diagonal_of_windows_moves_along_both() -> None:
    x = declare("x", 5)
    y = build("diagonal", window(x, (0,), (3,), (1,), (1,)), axes=(0, 1))
    agree([y], {x: RNG.normal(size=5)})
    np.testing.assert_array_equal(evaluate([y], {x: np.arange(5.0)})[0], [0.0, 2.0, 4.0])


def test_windows_are_read_in_place() -> None:
    """Nothing but the result is stored, and the text does not grow with sizes."""

    def source(size: int, room: int) -> str:
        x = sg.input("x", ("n", room, 4))
        return sg.compile(sg.max(Tensor(window(x.node, (1,), (size,), (2,), (1,))), axis=2)).source

    assert source(3, 20).count("np.empty") + source(3, 20).count("np.full") == 1
    assert len(source(3, 20).splitlines()) == len(source(30, 2000).splitlines())


def test_what_is_dear_is_computed_once_for_all_windows() -> None:
    x = sg.input("x", ("n",))
    fn = sg.compile(sg.sum(Tensor(window(sg.exp(sg.tanh(x)).node, (0,), (3,), (1,), (1,))), axis=1))
    assert fn.source.count("tanh(x[") == 1
    assert "range(3)" in fn.source.partition("tanh(x[")[2]


def test_too_large_windows_are_refused() -> None:
    with pytest.raises(ShapeError, match="5 positions do not fit into axis 0 of size 4"):
        window(declare("x", 4), (0,), (3,), (1,), (2,))
    x = sg.input("x", ("n",))
    y = Tensor(window(x.node, (0,), (3,), (1,), (1,)))
    fn = sg.compile(sg.sum(y), wrt=x)
    for call in (fn, fn.grad, fn.value_and_grad, lambda v: sg.evaluate(y, x=v)):
        with pytest.raises(IndexRangeError, match="a window of 3 positions over axis 0"):
            call(np.zeros(2))


def test_sizes() -> None:
    n = named("n")
    assert span(3, 2) == 5
    assert str(count(n, 3, 2, 1)) == "(n+1)//2-1"
    assert count(n + 2, 3, 1, 1) == n
    assert offset_axes((1, 2)) == (3, 4)
