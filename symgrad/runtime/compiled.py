"""Machine code of one entry: taken from the cache, or compiled by Numba and kept there.

The only module of this room, besides emitted ones, that imports Numba; ``load`` imports it late.
Numba's own disk cache keeps an index a function that processes overwrite for each other, keyed
without constants, and unpickles whatever it finds. An entry here has one signature, so one
sealed file holds it, named by the hash of its source; its directory is named by all else that
decides the code. What is inside is what Numba would have stored: ``CompileResult._reduce()``.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite  # type: ignore[import-untyped]
import numba
import numpy
from numba.core import types
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from symgrad.ir.source import Entry, Source
from symgrad.runtime import cache, products

__all__ = ["compile_entry"]

config: Any = numba.config  # its attributes are made at run time

# Settings of Numba (from NUMBA_* variables) that change the code it makes.
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT")


class _File(NullCache):
    """The part of Numba's cache protocol that a dispatcher uses, on one sealed file for one signature."""

    def __init__(self, path: Path, signature: tuple[types.Type, ...]) -> None:
        self.path = path
        self.signature = signature

    def load_overload(self, sig: tuple[types.Type, ...], target_context: Any) -> CompileResult | None:
        payload = cache.read_sealed(self.path) if sig == self.signature else None
        if payload is None:
            return None
        target_context.refresh()  # the context must know all types before a signature is rebuilt
        return CompileResult._rebuild(target_context, *pickle.loads(payload))

    def save_overload(self, sig: tuple[types.Type, ...], cres: Any) -> None:
        if sig == self.signature and not cres.library.has_dynamic_globals:
            cache.publish(self.path, cache.seal(self.path, dumps(cres._reduce())))


def compile_entry(module: ModuleType, source: Source, name: str, root: Path | None) -> tuple[Callable, bool]:
    """The jitted function with its one signature, and whether it was in the cache (or in memory) already.

    Every entry gets its file first: Numba compiles a callee, and keeps it, while it compiles the caller.
    """
    if config.DISABLE_JIT:
        return getattr(module, name), False
    dispatchers = {entry.name: _dispatcher(module, entry) for entry in source.entries}
    signatures = {entry.name: _types(entry) for entry in source.entries}
    folder = root and _folder(root, dispatchers[name])
    if folder:
        for number, (entry, dispatcher) in enumerate(dispatchers.items()):
            path = folder / f"{module.__name__}-{number}.nbc"
            dispatcher._cache = _File(path, signatures[entry])
    if "matmul(" in source.text:  # kernels that the code refers to by symbol
        kind = "f32" if "\nf32 = " in source.text else "f64"
        products.provide(kind, dispatchers[name].targetctx.codegen().magic_tuple(), folder)
    function, signature = dispatchers[name], signatures[name]
    known = signature in function.overloads
    if not known:
        function.compile(signature)
    function.disable_compile()  # another type is converted or refused, never compiled at a call
    return function, known or bool(function.stats.cache_hits.get(signature))


def _dispatcher(module: ModuleType, entry: Entry) -> Any:
    function = getattr(module, entry.name)
    assert isinstance(function, Dispatcher), f"entry {entry.name} lacks @jit"
    return function


def _types(entry: Entry) -> tuple[types.Type, ...]:
    given = entry.signature
    inner = given.strip()[1:-1].rstrip(", ") if isinstance(given, str) else ", ".join(given)
    return normalize_signature(f"({inner},)" if inner else "()")[0]


def _folder(root: Path, dispatcher: Any) -> Path | None:
    folder = root / fingerprint(*dispatcher.targetctx.codegen().magic_tuple())
    try:
        refusal = cache.claim(folder)
    except OSError as error:
        refusal = f"cannot be used ({error.strerror})"
    if refusal:
        cache.warn(f"{folder} {refusal}; compiling without a cache")
    return None if refusal else folder


@functools.cache
def fingerprint(triple: str, cpu: str, features: str) -> str:
    """All that decides machine code besides the source: versions, the CPU, settings, and what emitted code calls."""
    kernels = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    settings = [f"{name}={getattr(config, name)}" for name in _SETTINGS]
    versions = (sys.version, sys.flags.optimize, numba.__version__, llvmlite.__version__, numpy.__version__)
    return hashlib.sha256(repr((versions, triple, cpu, features, settings, kernels)).encode()).hexdigest()[:32]
