"""What the scheduler costs: a number of sweeps that does not grow with the depth of the function."""

from __future__ import annotations

import pytest

from symgrad.ir.node import Node, build, constant
from symgrad.lower.schedule import Scheduler
from tests.lower.graphs import declare


def layers(count: int) -> Node:
    """Each layer has a dear value that two kernels read: the exponentials of a softmax."""
    f = declare("x", "n", 8)
    for _ in range(count):
        e = build("exp", f)
        total = build("broadcast", build("sum", e, axes=(0,)), shape=e.shape)
        f = build("mul", build("div", e, total), constant(2.0))
    return f


def sweeps(count: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    calls = []
    real = Scheduler._stages
    monkeypatch.setattr(Scheduler, "_stages", lambda self: calls.append(0) or real(self))
    scheduler = Scheduler([layers(count)], frozenset())
    scheduler.plan()
    monkeypatch.undo()
    return len(calls), sum(n.op.name == "exp" for n in scheduler.stored)


@pytest.mark.parametrize("count", [2, 5, 50])
def test_sweeps_do_not_grow_with_the_layers(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    passes, stored = sweeps(count, monkeypatch)
    assert passes <= 3
    assert stored == count
