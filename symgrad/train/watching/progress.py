"""What a run shows of itself: a bar on a terminal or in a notebook, or a line for each epoch, or nothing.

In: how far a run is, after each slice and each epoch. Out: text. Invariant: showing asks for no Python between two
epochs, so it does not slow the loop.
"""

from __future__ import annotations

import html
import sys
import time
from typing import Any, Protocol

from symgrad.errors import CallError, DeclarationError
from symgrad.train.watching.hooks import Callback

PAUSE = 0.1  # seconds between two pictures of a bar


def shown(verbose: Any) -> list[Callback]:
    """Who shows a run: 0 nobody, 1 a bar, 2 a line for each epoch; "auto" is 1 where somebody is looking, else 0.

    Raises:  DeclarationError for another value
    """
    if verbose not in ("auto", 0, 1, 2):
        raise DeclarationError('verbose is "auto", 0, 1 or 2', ("given", repr(verbose)[:40]))
    display = _notebook()
    is_seen = display is not None or sys.stdout.isatty()
    if verbose == 0 or (verbose == "auto" and not is_seen):
        return []
    return [Bar(_Cell(display) if display else _Terminal()) if verbose != 2 and is_seen else Lines()]


def words(logs: dict[str, float]) -> str:
    """Quantities with their values.

    >>> words({"loss": 0.51234, "val_loss": 1e-7})
    'loss 0.5123  val_loss 1e-07'
    """
    return "  ".join(f"{name} {value:.4g}" for name, value in logs.items())


class Lines(Callback):
    """One line for each epoch."""

    is_passive = True

    def on_train_begin(self, logs: Any = None) -> None:
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        seconds, epochs = time.perf_counter() - self.begun, self.params["epochs"]
        print(f"epoch {epoch + 1:>{len(str(epochs))}}/{epochs}  {words(logs)}  {seconds:.1f} s", flush=True)


class Picture(Protocol):
    """Where a bar is drawn."""

    def open(self, whole: int) -> None: ...
    def show(self, done: int, whole: int, text: str) -> None: ...
    def close(self) -> None: ...


class Bar(Callback):
    """The share of the run that is done, and the quantities of the last epoch."""

    is_passive = True

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self.picture = picture

    def on_train_begin(self, logs: Any = None) -> None:
        self.done, self.text, self.last = 0, "", -PAUSE
        self.picture.open(self._whole())

    def on_advance(self, step: int, totals: Any) -> None:
        """After a slice."""
        self.done = step
        if time.perf_counter() - self.last >= PAUSE:
            self._show()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.text = words(logs)

    def on_train_end(self, logs: Any = None) -> None:
        try:
            self._show()
        finally:
            self.picture.close()

    def _whole(self) -> int:
        return max(1, self.params["epochs"] * self.params["steps"])

    def _show(self) -> None:
        epochs, epoch = self.params["epochs"], self.done // self.params["steps"]
        self.picture.show(self.done, self._whole(), f"epoch {epoch}/{epochs}  {self.text}".rstrip())
        self.last = time.perf_counter()


class _Terminal:
    """A bar by rich, drawn when it is told to: no thread waits for the loop."""

    def open(self, whole: int) -> None:
        try:
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        except ImportError:
            raise CallError(
                "a progress bar needs rich", fix="pip install 'symgrad[train]', or fit(verbose=2)"
            ) from None
        columns = (
            BarColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        self.progress = Progress(*columns, auto_refresh=False)
        self.task = self.progress.add_task("", total=whole)
        self.progress.start()

    def show(self, done: int, whole: int, text: str) -> None:
        self.progress.update(self.task, completed=done, total=whole, description=text, refresh=True)

    def close(self) -> None:
        self.progress.stop()


class _Cell:
    """A bar in the output of a notebook's cell."""

    def __init__(self, display: Any) -> None:
        self.display, self.handle = display, None

    def open(self, whole: int) -> None:
        self.handle = self.display(_bundle(0, whole, ""), raw=True, display_id=True)

    def show(self, done: int, whole: int, text: str) -> None:
        if self.handle is not None:
            self.handle.update(_bundle(done, whole, text), raw=True)

    def close(self) -> None:
        """The last picture stays."""


def _bundle(done: int, whole: int, text: str) -> dict[str, str]:
    bar = f'<progress value="{done}" max="{whole}" style="width: 20em"></progress>'
    return {"text/plain": f"{done}/{whole} {text}", "text/html": f"{bar} <code>{html.escape(text)}</code>"}


def _notebook() -> Any:
    """IPython's ``display`` in the kernel of a notebook, where it is loaded already."""
    kernel, display = sys.modules.get("ipykernel"), sys.modules.get("IPython.display")
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    is_cell = kernel is not None and shell is not None and getattr(shell, "kernel", None) is not None
    return display.display if is_cell and display is not None else None
