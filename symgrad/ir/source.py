"""Emitted text and what it offers: the value that passes from ``emit`` to ``runtime``.

A Source is complete: the same text, entry points and flags always mean the same machine
code, so its hash may name it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Entry", "Source"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A function of the text that is called from outside, with the types of its arguments.

    ``signature`` is one string, ``"(float64[:,::1], float64)"``, or one string an argument.
    """

    name: str
    signature: str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """``provenance`` maps a line of the text (from 1) to the number of the graph node it computes."""

    text: str
    entries: tuple[Entry, ...]
    provenance: Mapping[int, int] = field(default_factory=dict, compare=False)
