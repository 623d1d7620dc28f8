"""Random orders: permutations, a function of seed and epoch alone, each as likely as any other."""

from __future__ import annotations

import itertools
from math import factorial

import numpy as np
import pytest
from scipy import stats

from symgrad.emit.module import emit
from symgrad.ir.expression import var
from symgrad.ir.program import Allocate, Call, Function, Parameter, Program, Return
from symgrad.lower import called
from symgrad.runtime.load import load
from tests.lower.interpret import Machine

ORDER = Function(
    "order_of",
    tuple(Parameter(name, "i64") for name in ("n", "seed", "epoch")),
    (
        Allocate("order", (var("n", "i64"),), "i64"),
        Call("permutation", ("order", "seed", "epoch")),
        Return(("order",)),
    ),
)
PROGRAM = Program((*called((ORDER,), "f64"), ORDER), ("order_of",))


@pytest.fixture(scope="module")
def orders():
    """The compiled function and the plain one."""
    return load(emit(PROGRAM, doc="An order.", regenerate="tests"))


def test_what_is_called_is_there_callees_first() -> None:
    assert [f.name for f in PROGRAM.functions] == ["mix", "random_bits", "permutation", "order_of"]


def test_known_orders(orders) -> None:
    """Trainings of one seed agree between versions of this package."""
    run = orders.functions["order_of"]
    assert list(run(8, 0, 0)) == [6, 5, 3, 2, 7, 1, 0, 4]
    assert list(run(8, 0, 1)) == [4, 5, 0, 6, 3, 1, 2, 7]
    assert list(run(8, 1, 0)) == [3, 4, 0, 7, 1, 2, 5, 6]


@pytest.mark.parametrize(
    ("n", "seed", "epoch"), [(0, 0, 0), (1, 5, 5), (2, -1, 7), (7, 2**63 - 1, 0), (1000, 3, 2**40)]
)
def test_compiled_plain_and_interpreted_orders_are_equal(orders, n: int, seed: int, epoch: int) -> None:
    compiled = orders.functions["order_of"](n, seed, epoch)
    assert compiled.dtype == np.int64
    assert sorted(compiled) == list(range(n))
    np.testing.assert_array_equal(orders.python["order_of"](n, seed, epoch), compiled)
    np.testing.assert_array_equal(Machine(PROGRAM).run("order_of", n, seed, epoch), compiled)


def test_seed_and_epoch_both_count(orders) -> None:
    found = {tuple(orders.functions["order_of"](20, seed, epoch)) for seed in range(20) for epoch in range(20)}
    assert len(found) == 400


def test_every_order_is_as_likely_as_any_other(orders) -> None:
    n = 5
    number = {order: i for i, order in enumerate(itertools.permutations(range(n)))}
    run = orders.functions["order_of"]
    counts = np.zeros(factorial(n))
    for seed in range(20):
        for epoch in range(600):
            counts[number[tuple(int(i) for i in run(n, seed, epoch))]] += 1
    assert 0.001 <= stats.chisquare(counts).pvalue <= 0.999


def test_every_place_is_as_likely_as_any_other(orders) -> None:
    """Where each of 50 elements comes to stand: for permutation matrices the statistic is n/(n-1) times chi-square."""
    n, rounds = 50, 20_000
    stands = np.zeros((n, n))
    run = orders.functions["order_of"]
    for epoch in range(rounds):
        stands[np.arange(n), run(n, 11, epoch)] += 1
    squared = np.sum((stands - rounds / n) ** 2) / (rounds / n) * (n - 1) / n
    assert 0.001 <= stats.chi2.sf(squared, (n - 1) ** 2) <= 0.999
