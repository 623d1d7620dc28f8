"""What a callback may change while training runs: the learning rate."""

from __future__ import annotations

from typing import Any

from symgrad.errors import DeclarationError


def set_rate(model: Any, rate: Any) -> None:
    """Another learning rate for the next steps of a run.

    Raises:  DeclarationError where the optimizer has a schedule or no rate, or the rate is no number of 0 or more
    """
    if model.optimizer.full_batch:
        raise DeclarationError(
            f"{model.optimizer.name} has no learning rate: it searches along each direction",
            fix="leave the callback out, or take an optimizer with a learning rate, such as Adam",
        )
    if _has_schedule(model):
        raise DeclarationError(
            "the learning rate is a schedule, which no callback changes",
            fix="give the optimizer a number, or leave the callback out",
        )
    model.learning_rate = checked_rate(rate)


def rate_of(model: Any) -> float:
    """The learning rate of the next steps; where there is a schedule, which the compiled loop follows, its start.

    Raises:  DeclarationError where somebody has set what is none, or set one beside a schedule
    """
    rate = checked_rate(model.learning_rate)
    if _has_schedule(model) and rate != model.optimizer.learning_rate_start:
        raise DeclarationError(
            "the learning rate is a schedule: net.learning_rate has no effect", ("given", f"{rate:g}"),
            fix="compile with an optimizer that has a number",
        )  # fmt: skip
    return rate


def _has_schedule(model: Any) -> bool:
    return callable(getattr(model.optimizer, "learning_rate", None))


def checked_rate(rate: Any) -> float:
    """A learning rate.

    Raises:  DeclarationError where it is no number of 0 or more
    """
    is_number = hasattr(rate, "__float__") and not isinstance(rate, (bool, str))
    if not is_number or not 0 <= float(rate) < float("inf"):
        raise DeclarationError("a learning rate is a number of 0 or more", ("given", repr(rate)[:40]))
    return float(rate)
