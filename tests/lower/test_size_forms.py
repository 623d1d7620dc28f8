"""Named sizes: integer polynomials with floor divisions, equal by form where they are equal."""

from __future__ import annotations

import itertools

import pytest

from symgrad.ir.types import Size, named, substitute
from symgrad.lower.bounds import _always

N, M = named("n"), named("m")


def test_floor_divisions_have_the_value_of_integers() -> None:
    for a, b, c, d in itertools.product((-4, -1, 0, 2, 3), (-2, 0, 1, 6), (-5, 0, 1, 4), (1, 2, 3, 4, 12)):
        size = (N * a + M * b + c) // d
        for n, m in itertools.product(range(5), range(3)):
            assert substitute(size, {"n": n, "m": m}) == (a * n + b * m + c) // d, size


def test_nested_floor_divisions_have_the_value_of_integers() -> None:
    for a, c, d, k, e, f in itertools.product((-2, 1, 3), (-1, 0, 2), (1, 2, 3), (-1, 1, 2), (-2, 0, 3), (1, 2, 6)):
        size = ((N * a + c) // d * k + e) // f
        for n in range(13):
            assert substitute(size, {"n": n}) == ((a * n + c) // d * k + e) // f, size


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((N * 2 + 2) // 4, (N + 1) // 2),
        ((N * 2 + 3) // 4, (N + 1) // 2),
        (((N + 1) // 2 + 1) // 2, (N + 3) // 4),
        ((N * 6 - 6) // 4, (N * 3 - 3) // 2),
        (((N + 1) // 2 * 2) // 2, (N + 1) // 2),
        ((N * M * 3 + 6) // 6, (N * M + 2) // 2),
    ],
)
def test_equal_sizes_have_one_form(one: Size, other: Size) -> None:
    assert one == other


def test_text_is_read_as_it_was_built() -> None:
    half = (N + 1) // 2
    texts = [str(s) for s in (half, half * 2, -half, half * M, half - 3, N * 2 - M + 1)]
    assert texts == ["(n+1)//2", "2*((n+1)//2)", "-((n+1)//2)", "((n+1)//2)*m", "(n+1)//2-3", "-m+2*n+1"]


def test_what_holds_for_all_sizes_is_not_tested() -> None:
    half = (N + 1) // 2
    assert all(map(_always, [0, 7, N, half, half * 2 - N, N - N // 2, half - N // 2, (N + 5) // 3 - N // 3, N * M]))
    assert not any(map(_always, [-1, N - 1, N // 2 * 2 - N, half - 1, N - M, N // 2 - N // 3 - 1, -N, 5 - N]))
