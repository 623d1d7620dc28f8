"""A body that is cut into several loops reads the diagonal of a matrix at the position of its own turn."""

from __future__ import annotations

import numpy as np
import pytest

import symgrad as sg


@pytest.mark.parametrize("offset", [0, 1])
def test_diagonal_in_a_long_body(offset):
    """A position that is computed in one loop is not taken for granted in the next."""
    x = sg.parameter("x", ("m", "m"))
    d = sg.diag(x[offset:, : x.shape[1] - offset] if offset else x)
    long = sg.mean(1 / (1 + sg.exp(-d))) + sg.mean(sg.log(1 + sg.exp(d))) + sg.mean(sg.arcsin(0.05 + 0.85 * sg.sin(d)))
    fn = sg.compile(long, wrt=x)
    at = np.random.default_rng(3).uniform(0.2, 1.4, size=(9, 9))
    v = np.diag(at, -offset)
    wanted = np.mean(1 / (1 + np.exp(-v))) + np.mean(np.log1p(np.exp(v))) + np.mean(np.arcsin(0.05 + 0.85 * np.sin(v)))
    assert fn(at) == pytest.approx(wanted, rel=1e-14)
    assert fn.check(at).ok
