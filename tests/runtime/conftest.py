"""A module as ``emit`` prints it, a cold cache for it, and fresh interpreters to load it in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from symgrad.ir.source import Entry, Source
from symgrad.runtime import cache
from symgrad.runtime import load as room

REPOSITORY = Path(room.__file__).parents[2]


def head():
    """The lines that the docstring of ``load`` asks for, taken from there."""
    lines = room.__doc__.splitlines()
    first, last = (lines.index("    try:"), next(i for i, s in enumerate(lines) if "register_jitable(**" in s))
    return "\n".join(line[4:] for line in lines[first : last + 1])


TEXT = f'''"""A module as ``emit`` prints it."""

import math

import numpy as np

{head()}


@helper
def scaled(x):
    return x * SCALE


@jit
def value_and_grad(x, y, z):
    q = x + y
    return scaled(q * z), z, z, q


@jit
def total(a, n):
    s = 0.0
    for i in range(n):
        s += 1.0 / a[i]
    return s
'''
ENTRIES = (Entry("value_and_grad", "(float64, float64, float64)"), Entry("total", ("float64[::1]", "int64")))


def source(scale="1.0", body="x - y"):
    return Source(TEXT.replace("SCALE", scale).replace("x + y", body), ENTRIES)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A cold cache of its own; what this process has imported from another one is forgotten."""
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_warned", False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache._temporary.cache_clear()
    forget()
    yield tmp_path / "cache"
    forget()
    cache._temporary.cache_clear()


def forget():
    for name in [name for name in sys.modules if name.startswith("sg_")]:
        del sys.modules[name]


def value(loaded, *args):
    return loaded.functions["value_and_grad"](*(args or (7.0, 4.0, 2.0)))[0]


def machine_code(place):
    return sorted(place.glob("*/*.nbc"))


def python(script, *args, **environment):
    """A fresh interpreter on this tree."""
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), **environment}
    return subprocess.Popen([sys.executable, "-c", script, *args], env=env, stdout=subprocess.PIPE, text=True)


def answer(process, timeout=120):
    out, _ = process.communicate(timeout=timeout)
    assert process.returncode == 0
    return out.strip()


def remade():
    """Load and call, in a process that knows nothing: right, with at most one warning. Was anything compiled?"""
    forget()
    cache._warned = False
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        loaded = room.load(source())
        assert value(loaded) == 6.0
    assert [w.category for w in seen] in ([], [cache.CacheWarning])
    return not loaded.hit


@pytest.fixture
def emitted(place):
    """All of the above, with a cold cache."""
    tools = (head, source, forget, value, python, answer, remade)
    offered = {tool.__name__: tool for tool in tools}
    return SimpleNamespace(text=TEXT, entries=ENTRIES, machine_code=lambda: machine_code(place), **offered)
