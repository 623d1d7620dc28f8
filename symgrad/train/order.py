"""The order of an epoch's samples outside the loop: the same numbers as inside it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from symgrad.emit.module import emit
from symgrad.lower import lower_order
from symgrad.runtime.load import load


@cache
def permutation() -> Callable[..., Any]:
    """``permutation(order, seed, epoch)`` fills an int64 vector, compiled."""
    source = emit(lower_order(), doc="A random order.", regenerate="symgrad.train.order.permutation()")
    return load(source).functions["permutation"]
