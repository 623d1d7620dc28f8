"""Lowered programs compute what the references compute, on random graphs of all primitives and shapes."""

from __future__ import annotations

import pytest

from tests.lower.graphs import LATER, Grower, agree

SHAPES = [dict(zip("nmk", sizes, strict=True)) for sizes in ((4, 5, 2), (3, 1, 1), (1, 3, 2), (0, 4, 2), (5, 0, 3))]


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_lowered_program_equals_reference(seed: int, shape: int) -> None:
    grower = Grower(seed * 10 + shape, SHAPES[shape])
    grower.grow(8)
    grower.grow(1, LATER)
    grown = grower.pool[5:]
    agree([*grower.r.sample(grown, 3), grown[-1]], grower.inputs)


@pytest.mark.parametrize("seed", range(20))
def test_lowered_float32_program_is_near_reference(seed: int) -> None:
    grower = Grower(seed + 5000, SHAPES[0])
    grower.grow(4)
    grower.grow(1, LATER)
    agree(grower.pool[5:], grower.inputs, "f32")
