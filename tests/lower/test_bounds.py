"""Slices by named sizes: inside the axis a value, outside it an IndexRangeError, whatever way the function is run."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import IndexRangeError
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import build
from symgrad.ir.types import named
from symgrad.ops.shape import broadcast
from symgrad.ops.span import room
from tests.lower.graphs import declare, run

CUTS = {
    "x[3:]": (lambda x: x[3:], 3),
    "x[:-3]": (lambda x: x[:-3], 3),
    "x[-3:]": (lambda x: x[-3:], 3),
    "x[-3]": (lambda x: x[-3], 3),
    "x[2]": (lambda x: x[2], 3),
    "x[2:5]": (lambda x: x[2:5], 5),
    "x[1:-1]": (lambda x: x[1:-1], 2),
    "x[3::2]": (lambda x: x[3::2], 3),
    "x[3::-1]": (lambda x: x[3::-1], 4),
    "x[-3::-1]": (lambda x: x[-3::-1], 2),
    "x[-2::-2]": (lambda x: x[-2::-2], 1),
    "x[::-1]": (lambda x: x[::-1], 0),
    "x[::2]": (lambda x: x[::2], 0),
    "x[5:2]": (lambda x: x[5:2], 5),
}


@pytest.mark.parametrize("cut", CUTS)
def test_every_size_gives_numpys_value_or_refuses(cut: str) -> None:
    take, fits = CUTS[cut]
    x = sg.input("x", ("n",))
    total = sg.compile(sg.sum(sg.exp(take(x))), wrt=x)
    stored = sg.compile(sg.exp(take(x)), wrt=())
    for n in range(7):
        data = np.arange(1.0, n + 1)
        calls = (total, total.grad, stored, lambda v: sg.evaluate(take(x), x=v))
        if n < fits:
            for call in calls:
                with pytest.raises(IndexRangeError):
                    call(data)
            continue
        wanted = take(data)
        np.testing.assert_array_equal(calls[3](data), wanted)
        np.testing.assert_allclose(stored(data), np.exp(wanted), rtol=1e-15)
        assert total(data) == pytest.approx(np.exp(wanted).sum(), rel=1e-15)
        assert np.array_equal(total.grad(data) != 0, np.isin(data, wanted))


def test_a_mean_of_what_is_not_there() -> None:
    x = sg.input("x", ("n",))
    fn = sg.compile(sg.mean(x[3:]), wrt=x)
    for call in (fn, fn.grad, fn.value_and_grad):
        with pytest.raises(IndexRangeError, match="slice 3: of axis 0 of x of size n: n must be at least 3"):
            call(np.ones(1))


def test_axes_are_named_and_each_condition_is_tested_once() -> None:
    x = sg.input("x", ("m", "n"))
    fn = sg.compile(sg.sum(x[:, 1:] * x[:, :-1]), wrt=x)
    assert fn.source.count("n must be at least 1") == fn.source.count("raise IndexError")
    with pytest.raises(IndexRangeError, match="axis 1 of x of size n"):
        fn(np.ones((2, 0)))
    assert fn(np.ones((0, 3))) == 0.0


def test_a_slice_that_no_size_allows() -> None:
    n = named("n")
    x = declare("x", "n")
    beyond = build("slice", x, start=(n,), size=(1,), step=(1,))
    with pytest.raises(IndexRangeError, match="index n of axis 0 of x of size n: no size allows it"):
        run(beyond, {x: np.ones(3)})


def test_an_array_of_a_negative_size() -> None:
    x = declare("x", "n")
    ones = broadcast(build("sum", x, axes=(0,)), (named("n") - 2,))
    np.testing.assert_array_equal(run(ones, {x: np.ones(4)}), [4.0, 4.0])
    with pytest.raises(IndexRangeError, match="an array of size n-2: n must be at least 2"):
        run(ones, {x: np.ones(1)})
    with pytest.raises(IndexRangeError, match="it would be -1"):
        evaluate([ones], {x: np.ones(1)})


@pytest.mark.parametrize("step", [-3, -2, -1, 1, 2, 3])
def test_room_is_exactly_what_is_inside(step: int) -> None:
    for whole in range(5):
        for start in range(-3, 8):
            for count in range(1, 6):
                read = [start + step * i for i in range(count)]
                assert (min(room(count, whole, start, step)) >= 0) == all(0 <= p < whole for p in read)
