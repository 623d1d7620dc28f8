"""SciPy's special functions as references, imported when one is first used.

Importing scipy.special takes as long as importing all of symgrad, and most sessions never evaluate a reference.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class _Special:
    """``special.erf`` and the like: functions that find themselves in scipy.special when they are called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: getattr(import_module("scipy.special"), name)(*args, **kwargs)


special = _Special()
