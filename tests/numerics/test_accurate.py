"""``accurate=True``: rounding errors are carried where terms cancel."""

from fractions import Fraction

import numpy as np

import symgrad as sg


def test_a_determinant_keeps_its_digits():
    a, b, c, d = sg.symbols("a b c d")
    at = (134217729.0, 134217730.0, 134217727.0, 134217728.0)
    exact = float(Fraction(at[0]) * Fraction(at[3]) - Fraction(at[1]) * Fraction(at[2]))
    assert sg.compile(a * d - b * c, accurate=True)(*at) == exact
    assert sg.compile(a * d - b * c)(*at) != exact


def test_arrays_and_scalars_give_the_same_bits():
    x, y = sg.symbols("x y")
    f = sg.exp(x * y) - x / y + sg.sin(x) * y
    rng = np.random.default_rng(0)
    points = rng.uniform(0.5, 3.0, (2, 50))
    for accurate in (False, True):
        fn = sg.compile(f, wrt=[x, y], accurate=accurate)
        values, slopes = fn.value_and_grad(*points)
        one = [fn.value_and_grad(*map(float, p)) for p in points.T]
        assert values.tolist() == [v for v, _ in one]
        assert [s.tolist() for s in slopes] == [list(s) for s in zip(*(g for _, g in one), strict=True)]
