"""Text to callables: the file is the cache.

In: a Source. Out: a Loaded, whose functions are compiled when they are first asked for, each
for its one signature. Invariant: a module's name is the SHA-256 of its text, entries and
flags; Numba's symbols carry that name, so equal symbols mean equal code.

The text is plain Python: ``@jit`` on every entry, ``@helper`` on what entries call. It begins, after
the docstring, with these lines (``helper`` may be left out: ``@jit`` on a helper means the same code,
but Numba then spends 0.02 s on each for wrappers that nobody calls):

    try:
        from numba import njit
        from numba.extending import register_jitable
    except ImportError:  # the same text runs, slowly, as plain Python

        def jit(function):
            return function

        helper = inline = jit
    else:
        FLAGS = {"error_model": "numpy", "nogil": True, "boundscheck": False, "no_cfunc_wrapper": True}
        jit = njit(**FLAGS)
        helper = register_jitable(**FLAGS)
        inline = register_jitable(forceinline=True, **FLAGS)

What else differs without Numba goes into the same two branches. ``python`` is this text run where
``import numba`` fails: exactly what someone without Numba has.
"""

from __future__ import annotations

import builtins
import hashlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.abc import ExecutionLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from symgrad.ir.source import Source
from symgrad.runtime import cache

__all__ = ["Loaded", "load"]

# Held while importing and compiling, and while forking: a child never inherits a half-done compilation.
_LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release)


class _Deferred(Mapping[str, Callable]):
    """name -> function, where a function is made when it is first looked up, and then kept."""

    def __init__(self, names: tuple[str, ...], make: Callable[[str], Callable]) -> None:
        self._names = names
        self._make = make
        self._made: dict[str, Callable] = {}

    def __getitem__(self, name: str) -> Callable:
        if name not in self._made:
            if name not in self._names:
                raise KeyError(name)
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What the text offers. ``functions`` are compiled, ``python`` is plain; looking one up makes it.

    ``path`` is the importable file, or None when no directory can be written.
    """

    source: Source
    path: Path | None
    functions: Mapping[str, Callable]
    python: Mapping[str, Callable]
    _misses: list[str] = field(repr=False)

    @property
    def hit(self) -> bool:
        """Whether the file, and the code of every function made so far, were there already."""
        return not self._misses


def load(source: Source, *, parallel: bool = False) -> Loaded:
    """Put the text into the cache, if it is not there, and offer its entries. Imports no Numba.

    Whatever the file system does, the functions are right; see ``cache`` for its warning.
    """
    data = source.text.encode()
    entries = [(entry.name, entry.signature) for entry in source.entries]
    digest = hashlib.sha256(data + b"\0" + repr((entries, parallel)).encode())
    loader = _Text(f"sg_{digest.hexdigest()}", source.text)
    root = cache.root()
    misses = [] if root and cache.read(root / loader.file, len(data)) == data else [loader.file]
    if misses and root and not cache.replace(root / loader.file, data):
        root = None
    if root:
        loader.file = str(root / loader.file)
    names = tuple(entry.name for entry in source.entries)
    functions = _Deferred(names, partial(_jitted, source, loader, root, misses))
    return Loaded(source, Path(loader.file) if root else None, functions, _Deferred(names, loader.plain), misses)


def _jitted(source: Source, loader: _Text, root: Path | None, misses: list[str], name: str) -> Callable:
    with _LOCK:
        module = sys.modules.get(loader.name) or loader.module()
        if "numba" not in sys.modules:
            warnings.warn("Numba cannot be imported: running as plain Python", RuntimeWarning, stacklevel=3)
            return getattr(module, name)
        from symgrad.runtime.compiled import compile_entry

        function, found = compile_entry(module, source, name, root)
        if not found:
            misses.append(name)
        return function


class _Text(ExecutionLoader):
    """An import loader over the text in hand: no ``.pyc`` is read or written, and tracebacks show the lines."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.file = f"{name}.py"

    def get_filename(self, fullname: str) -> str:
        return self.file

    def get_source(self, fullname: str) -> str:
        return self.text

    def module(self) -> ModuleType:
        """The imported module; in ``sys.modules``, because Numba looks up by name what it has cached."""
        module = self._empty()
        sys.modules[self.name] = module
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[self.name]
            raise
        return module

    @cached_property
    def without_numba(self) -> ModuleType:
        """The same text, run where ``import numba`` fails; in no one's way, so not in ``sys.modules``."""
        module = self._empty()
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": _import_without_numba}
        self.exec_module(module)
        return module

    def plain(self, name: str) -> Callable:
        """The function as someone without Numba has it."""
        return getattr(self.without_numba, name)

    def _empty(self) -> ModuleType:
        spec = spec_from_loader(self.name, self)
        assert spec is not None
        return module_from_spec(spec)


def _import_without_numba(name: str, *args: Any, **kwargs: Any) -> Any:
    if name.partition(".")[0] == "numba":
        raise ImportError("this copy runs without Numba", name=name)
    return builtins.__import__(name, *args, **kwargs)
