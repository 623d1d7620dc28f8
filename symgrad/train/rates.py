"""Learning rates: a number that may be changed while training runs, or a schedule, a function of the step."""

from __future__ import annotations

from typing import Any

from symgrad.ir.node import Node


def start(rate: Any) -> float:
    """The rate of the first step."""
    return float(rate(0)) if callable(rate) else float(rate)


def rate_node(rate: Any, step: Node, given: Node) -> Node:
    """eta at the step (an integer from 0): the schedule's expression, or what is given at run time."""
    return rate.node(step) if callable(rate) else given
