"""Whether a file can be written where somebody wants it: asked before a training, not found out after it."""

from __future__ import annotations

import os
from pathlib import Path

from symgrad.errors import DeclarationError
from symgrad.ir.show import printable


def check_writable(what: str, path: Path) -> None:
    """``what`` names the wish in the message: an option, a callback.

    Raises:  DeclarationError for a directory, or a file in a directory that is not there or cannot be written
    """
    folder = printable(str(path.parent))
    if path.is_dir():
        raise DeclarationError(f"{what}: {printable(str(path))} is a directory", fix="name a file in it")
    if not path.parent.is_dir():
        raise DeclarationError(f"{what}: there is no directory {folder}", fix="make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise DeclarationError(f"{what}: the directory {folder} cannot be written")


__all__ = ["check_writable"]
