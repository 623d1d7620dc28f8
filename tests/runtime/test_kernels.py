"""The interpreted and the compiled form of fma and select."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numba import njit

from symgrad.runtime.kernels import fma, select

ANY = st.floats()
ANY32 = st.floats(width=32)


@njit(["f8(f8, f8, f8)", "f4(f4, f4, f4)"], error_model="numpy")
def compiled_fma(a, b, c):
    return fma(a, b, c)


@njit(error_model="numpy")
def compiled_select(condition, yes, no):
    return select(condition, yes, no)


def same(a, b):
    return type(a) is type(b) and (a.tobytes() == b.tobytes() or (np.isnan(a) and np.isnan(b)))


@given(ANY, ANY, ANY)
@example(0.1, 10.0, -1.0)
@example(5e-324, 0.5, 5e-324)
@example(1e-200, -1e-200, 0.0)
@example(1e200, 1e200, -math.inf)
@example(1e308, 10.0, -math.inf)
@example(math.inf, 0.0, 1.0)
@example(-0.0, 1.0, -0.0)
@example(1.0, -1.0, 1.0)
@example(3.9e301, -3.2e29, 0.0)
def test_interpreted_float64_is_the_hardware_s(a, b, c):
    with np.errstate(all="ignore"):
        assert same(fma(np.float64(a), np.float64(b), np.float64(c)), np.float64(compiled_fma(a, b, c)))


@given(ANY32, ANY32, ANY32)
@example(2.0**-75, 2.0**-75, 2.0**-149)
@example(1.0 + 2.0**-23, 1.0 + 2.0**-23, 2.0**-80)
@example(3e38, 3e38, -math.inf)
def test_interpreted_float32_is_the_hardware_s(a, b, c):
    values = [np.float32(v) for v in (a, b, c)]
    with np.errstate(all="ignore"):
        assert same(fma(*values), np.float32(compiled_fma(*values)))


@given(*[st.floats(-1e100, 1e100)] * 3)
def test_fma_rounds_once(a, b, c):
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    got = Fraction(float(fma(np.float64(a), np.float64(b), np.float64(c))))
    step = Fraction(float(np.spacing(abs(float(got)))))
    assert abs(got - exact) <= step / 2


@pytest.mark.parametrize("condition", [True, False])
def test_select_chooses(condition):
    for yes, no in [(1.0, math.nan), (2, 3), (True, False)]:
        wanted = yes if condition else no
        for got in (select(np.bool_(condition), yes, no), compiled_select(condition, yes, no)):
            assert got == wanted or (got != got and wanted != wanted)


def test_select_of_bare_numbers_divides_as_the_hardware_does():
    with np.errstate(all="ignore"):
        assert 1.0 / select(True, 0.0, 1.0) == math.inf
