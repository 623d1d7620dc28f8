"""How much compiled code does between two looks at the clock, so that Ctrl-C need not wait.

In: how long the last slice took, or a graph. Out: how much the next one takes, or how many rows one call takes. What
follows the clock must not change a result: slices of steps do not, rows of a call may; so these follow the graph.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod

from symgrad.ir.node import Node
from symgrad.ir.walk import topological

SLICE = 0.05  # seconds of compiled code between two looks at the clock
GROWTH = 8  # of a slice at most, to the next one
WORK, MOST_ROWS = 10**7, 4096  # operations of one call, about; rows


class Pace:
    """How much fits into a slice, counted in steps or in rows.

    >>> pace = Pace()
    >>> pace.adapt((0.0, 0.0), 100, (0.01, 0.01))
    >>> pace.amount
    500
    """

    def __init__(self) -> None:
        self.amount = 1

    def adapt(self, begun: tuple[float, float], done: int, now: tuple[float, float] | None = None) -> None:
        """As much as takes ``SLICE``, at most ``GROWTH`` times as much as before."""
        if done > 0:
            seconds = max(b - a for a, b in zip(begun, now or clocks(), strict=True))
            self.amount = max(1, min(int(SLICE * done / max(seconds, 1e-7)), GROWTH * done))


def clocks() -> tuple[float, float]:
    """The wall's and the processor's: a clock that stands still (a paused machine) must not make slices long."""
    return time.perf_counter(), time.thread_time()


def rows_at_once(outputs: Sequence[Node]) -> int:
    """Rows of a batch that one call takes: a function of the graph alone."""
    return max(1, min(MOST_ROWS, WORK // max(1, sum(map(_work, topological(outputs))))))


def _work(node: Node) -> int:
    """Operations for one row of the batch: elements, times what is summed for each."""
    sizes = list(node.shape)
    if node.op.name == "einsum":
        left, right = node["spec"].partition("->")[0].split(",")
        letters = dict(zip(left + right, (*node.args[0].shape, *node.args[1].shape), strict=True))
        sizes = list(letters.values())
    elif node.op.kind == "leaf" or not node.args:
        return 0
    return prod(n for n in sizes if isinstance(n, int))


__all__ = ["MOST_ROWS", "SLICE", "Pace", "clocks", "rows_at_once"]
