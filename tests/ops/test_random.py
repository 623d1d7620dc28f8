"""Counter-based random numbers: known values, the same bits in every way of running, and their statistics.

Seeds are fixed, so a test of chance passes always or never: p-values are asked to lie within [0.001, 0.999].
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy import stats

import symgrad as sg
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node
from symgrad.ops import random

# The first outputs of splitmix64 seeded with 0, as published with xoshiro (prng.di.unimi.it).
PUBLISHED = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC, 0x1B39896A51A8749B]
MIXED = [-5137267319001854395, -6461814455296669442]  # of 7 and 0, 7 and 1
KEYS = [0, 1, -1, 2**63 - 1, -(2**63)]


def is_likely(p: float) -> bool:
    return 0.001 <= p <= 0.999


def drawn(shape: tuple, dtype: str = "float64"):
    """A compiled function: key -> uniform numbers of that shape (named sizes from a second argument)."""
    key, like = sg.input("key", (), dtype="int"), sg.input("like", shape)
    return sg.compile(Tensor(random.uniform(key.node, shape_of(like))) + 0.0 * like, inputs=[key, like], dtype=dtype)


def shape_of(x: Tensor) -> tuple:
    return x.shape


def test_known_values() -> None:
    assert [int(b) % 2**64 for b in random.random_bits(0, np.arange(5))] == PUBLISHED
    assert [float(u) for u in random.uniform_bits(0, np.arange(5))] == [(b >> 11) / 2**53 for b in PUBLISHED]
    assert int(random.mix(0, 0)) == int(random.random_bits(random.signed(PUBLISHED[0]), 0))
    assert [int(random.mix(7, b)) for b in (0, 1)] == MIXED


@pytest.mark.parametrize("key", KEYS)
def test_references_wrap_without_warnings_and_are_the_exact_integers(key: int) -> None:
    counters = np.array([0, 1, 255, 2**40, 2**63 - 1, -5])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one_by_one = [int(random.random_bits(np.int64(key), c)) for c in counters]
        together = random.random_bits(np.full(6, key), counters)
        mixed = [int(random.mix(key, c)) for c in counters]
    assert one_by_one == list(together) == [random.signed(random._bits(key, c)) for c in counters]
    assert mixed == [int(random.Mix(key, int(c))) for c in counters]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("key", KEYS)
def test_compiled_code_plain_python_and_the_reference_give_the_same_bits(key: int, dtype: str) -> None:
    fn = drawn(("n", 3), dtype)
    like = np.zeros((7, 3), dtype)
    compiled = fn(key, like)
    plain = fn._bundle.loaded.python["value"](key, like)
    wanted = random.uniform_bits(key, np.arange(21)).reshape(7, 3)
    if dtype == "float32":
        wanted = (np.floor(wanted * 2**24) / 2**24).astype(np.float32)
    np.testing.assert_array_equal(compiled, wanted)
    np.testing.assert_array_equal(plain, wanted)


def test_the_counter_is_the_flat_index() -> None:
    like = np.zeros((4, 3, 5))
    flat = random.uniform_bits(9, np.arange(60))
    for shape in [("n", 3, 5), (4, "m", 5), ("n", "m", "k")]:
        np.testing.assert_array_equal(drawn(shape)(9, like), flat.reshape(4, 3, 5))
    np.testing.assert_array_equal(drawn((1, "n", 1, "m"))(9, np.zeros((1, 12, 1, 5))).ravel(), flat)
    assert drawn(())(9, 0.0) == flat[0]
    np.testing.assert_array_equal(drawn(("n", 1))(9, np.zeros((60, 1)))[:, 0], flat)


def test_no_array_of_positions_is_stored() -> None:
    source = drawn(("n", "m")).source
    assert source.count("np.empty") == 1
    assert "uniform_bits(key, " in source


def test_keys_of_layers_differ_from_each_other_and_from_the_numbers_drawn() -> None:
    keys = {int(random.mix(k, n)) for k in range(300) for n in range(300)}
    assert len(keys) == 300 * 300
    assert not keys & {int(b) for k in range(300) for b in random.random_bits(k, np.arange(300))}
    key = sg.input("key", (), dtype="int")
    assert sg.evaluate(Tensor(random.split(key.node, 3)), key=5) == random.mix(5, 3)
    assert isinstance(random.split(key.node, key.node), Node)


@pytest.mark.parametrize("key", [0, 1, 12345])
def test_numbers_are_uniform(key: int) -> None:
    u = random.uniform_bits(key, np.arange(2**20))
    assert u.min() >= 0
    assert u.max() < 1
    assert len(np.unique(u)) == len(u)
    assert is_likely(stats.chisquare(np.bincount((u * 1024).astype(int), minlength=1024)).pvalue)
    assert is_likely(stats.kstest(u, "uniform").pvalue)


@pytest.mark.parametrize("key", [0, 7])
def test_neighbours_in_a_stream_and_across_keys_are_independent(key: int) -> None:
    """Pairs fall evenly into 64 x 64 cells: counters i and i+1, and streams of neighbouring keys and steps."""
    i = np.arange(2**18)
    streams = [
        (random.uniform_bits(key, 2 * i), random.uniform_bits(key, 2 * i + 1)),
        (random.uniform_bits(key, i), random.uniform_bits(key + 1, i)),
        (random.uniform_bits(random.mix(key, i), 0), random.uniform_bits(random.mix(key, i + 1), 0)),
    ]
    for u, v in streams:
        cells = (u * 64).astype(int) * 64 + (v * 64).astype(int)
        assert is_likely(stats.chisquare(np.bincount(cells, minlength=4096)).pvalue)


def test_every_bit_is_set_half_of_the_time() -> None:
    bits = random.random_bits(3, np.arange(2**16)).astype(np.uint64)
    for place in range(64):
        ones = int(np.sum((bits >> np.uint64(place)) & np.uint64(1)))
        assert is_likely(stats.binomtest(ones, 2**16).pvalue), place


def test_a_random_number_is_a_constant_to_derivatives() -> None:
    key, x = sg.input("key", (), dtype="int"), sg.parameter("x", ("n",))
    u = Tensor(random.uniform(key.node, x.shape))
    fn = sg.compile(sg.sum(x * x * u), wrt=x)
    xv = np.linspace(-1, 1, 9)
    np.testing.assert_allclose(fn.grad(4, xv), 2 * xv * random.uniform_bits(4, np.arange(9)), rtol=1e-15)
    assert fn.check(4, xv).ok
    assert "uniform" in fn.latex()
