"""The moments of a run at which somebody may be told of it, under Keras's names.

In: callbacks (of this package, or any object with some of the hooks). Out: each hook called where there is one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from symgrad.errors import DeclarationError

BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
EPOCH_HOOKS = ("on_epoch_begin", "on_epoch_end")
HOOKS = ("on_train_begin", "on_train_end", *EPOCH_HOOKS, *BATCH_HOOKS)


class Callback:
    """Somebody who is told of a run; every hook may be overridden. ``model`` is the network.

    ``get_state`` and ``set_state`` carry what the callback has seen through a checkpoint: numbers, text, lists, arrays.
    """

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012  replaced, never changed

    def set_model(self, model: Any) -> None:
        """Who is trained."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """How: epochs, steps, rows."""
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What a resumed run needs."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from there; called after ``on_train_begin``."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Before the first step."""

    def on_train_end(self, logs: Any = None) -> None:
        """After the last step, whatever ended the run."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Before an epoch's first batch."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """After an epoch's last batch; ``logs`` has loss and metrics, with ``val_`` those of the validation."""

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Before a batch."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """After a batch; ``logs`` are those of the epoch so far."""


def has_hook(callback: Any, name: str) -> bool:
    """Whether the callback does something at that moment."""
    own = getattr(callback, name, None)
    return own is not None and getattr(own, "__func__", own) is not getattr(Callback, name, None)


def tell(callback: Any, hook: str, *args: Any) -> None:
    """One hook of one callback, if it has it."""
    function = getattr(callback, hook, None)
    if function is not None:
        function(*args)


def checked(callbacks: Any) -> list[Any]:
    """The callbacks as a list.

    Raises:  DeclarationError for what has no hook, and for a class
    """
    if callbacks is None:
        return []
    found = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for c in found:
        if isinstance(c, type):
            raise DeclarationError(f"{c.__name__} is a class, not a callback", fix=f"write {c.__name__}()")
        if not any(hasattr(c, hook) for hook in HOOKS):
            raise DeclarationError(
                "a callback has at least one of Keras's hooks", ("given", type(c).__name__), ("hooks", ", ".join(HOOKS))
            )
    return found
