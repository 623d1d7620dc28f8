"""Networks, symbolically: layers, and tables of activations, losses, initializers, regularizers.

Layers are attributes of this package, and so are ``Sequential`` and ``load``, which a higher room hands in
(``HIGHER``).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

HIGHER: dict[str, Callable[[], Any]] = {}  # name -> what gives it


def __getattr__(name: str) -> Any:
    """Layers, when they are first asked for."""
    if name in HIGHER:
        return HIGHER[name]()
    layers = import_module("symgrad.nn.layers")
    if name.startswith("_") or name not in layers.__all__:
        raise AttributeError(f"there is no layer {name!r}")
    return getattr(layers, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *HIGHER, *import_module("symgrad.nn.layers").__all__])
