"""Lowered programs compute what the references compute, on random graphs of all primitives and shapes."""

from __future__ import annotations

import pytest

from tests.lower.graphs import Grower, agree

SHAPES = [{"n": 4, "m": 5, "k": 2}, {"n": 3, "m": 1, "k": 1}, {"n": 1, "m": 3, "k": 2}, {"n": 0, "m": 4, "k": 2}, {"n": 5, "m": 0, "k": 3}]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_lowered_program_equals_reference(seed: int, shape: int) -> None:
    grower = Grower(seed * 10 + shape, SHAPES[shape])
    grower.grow(8)
    grown = grower.pool[5:]
    agree([*grower.r.sample(grown, 3), grown[-1]], grower.inputs)


@pytest.mark.parametrize("seed", range(20))
def test_lowered_float32_program_is_near_reference(seed: int) -> None:
    grower = Grower(seed + 5000, SHAPES[0])
    grower.grow(4)
    agree(grower.pool[5:], grower.inputs, "f32")
