"""Forward mode where a slope is infinite and nothing moves: what was filled in, and what an identity leaves at 0."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg


@pytest.mark.parametrize("n", [4, 20])
def test_jacobian_beside_an_infinite_slope(n):
    """W sqrt(x) at x[0] = 0: the first column is infinite, the others are W / (2 sqrt x)."""
    x, W = sg.parameter("x", (n,)), np.random.default_rng(0).normal(size=(n, n))
    at = np.arange(n) * 1.0
    J = sg.compile(sg.jacobian(sg.constant(W) @ sg.sqrt(x), x))(at)
    assert np.all(np.isinf(J[:, 0]))
    np.testing.assert_allclose(J[:, 1:], W[:, 1:] / (2 * np.sqrt(at[1:])), rtol=1e-14)


@pytest.mark.parametrize("f", [sg.sqrt, sg.log], ids=["sqrt", "log"])
def test_zeros_that_were_filled_in_do_not_move(f):
    x, d = sg.parameter("x", (3,)), sg.input("d", (3,))
    padded = sg.sum(f(sg.concatenate([x, np.zeros(2)])))
    at, along = np.array([1.0, 4.0, 9.0]), np.array([1.0, -2.0, 0.5])
    tangent = sg.compile(sg.jvp(padded, x, d), inputs=[x, d])(at, along)
    assert tangent == pytest.approx(sg.compile(padded, wrt=x).grad(at) @ along, rel=1e-14)
