"""Python's search for reference cycles, put off while a graph is worked on.

Graphs have no cycles, but each full search walks all of their nodes, and millions of new objects start many.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0  # passes under way, in all threads
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles until the last thread has left; what was switched off before stays off."""
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()
