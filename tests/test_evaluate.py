"""sg.evaluate gives what a compiled function gives, also where symbols take arrays."""

import numpy as np
import pytest

import symgrad as sg

x, y = sg.symbols("x y")


@pytest.mark.parametrize(
    "f",
    [x * y + sg.sin(x), sg.where(x > y, x, y), x > y, sg.stack([x, 2 * y]), sg.stack([x, y]) @ sg.stack([y, x])],
    ids=repr,
)
@pytest.mark.parametrize("at", [(np.ones((2, 1)), np.arange(3.0)), ([1, 2], 1.5), (np.zeros((0, 3)), 1.0)], ids=repr)
def test_symbols_take_arrays(f, at):
    found, expected = sg.evaluate(f, x=at[0], y=at[1]), sg.compile(f, inputs=[x, y])(*at)
    assert np.array_equal(found, expected)
    assert found.dtype == expected.dtype
    assert found.flags.c_contiguous
    assert found.flags.writeable


def test_indices_outside_are_refused_as_compiled_functions_do():
    picked = sg.take(sg.input("v", (3,)), sg.input("i", ("n",), dtype="int"))
    with pytest.raises(sg.IndexRangeError, match="index 3 is out of bounds"):
        sg.evaluate(picked, v=np.ones(3), i=[0, 3])


def test_arrays_that_do_not_broadcast():
    with pytest.raises(sg.ShapeError, match="do not broadcast"):
        sg.evaluate(x * y, x=[1, 2], y=[1, 2, 3])


def test_declared_tensors_keep_their_shape():
    c = sg.input("c", ())
    with pytest.raises(sg.ShapeError, match="another number of axes"):
        sg.evaluate(c * x, c=[1.0, 2.0], x=1.0)
