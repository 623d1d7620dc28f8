"""Ctrl-C while compiled code runs: kept until the state is whole again.

Python raises KeyboardInterrupt between any two of its instructions, also between a slice and the note of how far it
came. A slice is short, so the interrupt waits for its end; a second one does not wait.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Deferred:
    """``with deferred: ...`` keeps one SIGINT; ``raise_kept()`` raises it. Elsewhere than in the main thread, nothing.

    >>> before = signal.signal(signal.SIGINT, signal.default_int_handler)
    >>> deferred = Deferred()
    >>> with deferred:
    ...     signal.raise_signal(signal.SIGINT)
    >>> deferred.is_kept
    True
    >>> _ = signal.signal(signal.SIGINT, before)
    """

    def __init__(self) -> None:
        self.is_kept = False
        self._before: Any = None

    def __enter__(self) -> None:
        handler = signal.getsignal(signal.SIGINT)
        is_ours = handler is signal.default_int_handler and threading.current_thread() is threading.main_thread()
        self._before = handler if is_ours else None
        if is_ours:
            signal.signal(signal.SIGINT, self._keep)

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _keep(self, number: int, frame: FrameType | None) -> None:
        if self.is_kept:
            raise KeyboardInterrupt
        self.is_kept = True

    def raise_kept(self) -> None:
        """The interrupt that was kept.

        Raises:  KeyboardInterrupt
        """
        if self.is_kept:
            self.is_kept = False
            raise KeyboardInterrupt
