"""A text is loaded as what it says: compiled and plain, once, and under a name of its own."""

from __future__ import annotations

import ast
import inspect
import math
import os
import sys
import traceback
from pathlib import Path

import pytest

from symgrad.ir.source import Entry, Source
from symgrad.runtime import cache, compiled
from symgrad.runtime.load import load


def test_compiled_and_plain_agree(emitted):
    loaded = load(emitted.source())
    assert list(loaded.functions) == list(loaded.python) == ["value_and_grad", "total"]
    assert emitted.value(loaded) == loaded.python["value_and_grad"](7.0, 4.0, 2.0)[0] == 6.0
    assert inspect.isfunction(loaded.python["value_and_grad"])
    with pytest.raises(KeyError):
        loaded.functions["absent"]


def test_entries_keep_their_one_signature(emitted):
    function = load(emitted.source()).functions["value_and_grad"]
    assert function(7, 4, 2) == (6.0, 2.0, 2.0, 3.0)
    assert [str(s) for s in function.signatures] == ["(float64, float64, float64)"]
    with pytest.raises(TypeError):
        function(1j, 4, 2)
    assert len(function.signatures) == 1


@pytest.mark.parametrize("signature", ["(float64)", "(float64,)", ("float64",), "( float64 , )"])
def test_spellings_of_a_signature(emitted, signature):
    loaded = load(
        Source(
            emitted.text.replace("SCALE", "3.0") + "\n\n@jit\ndef one(x):\n    return scaled(x)\n",
            (Entry("one", signature),),
        )
    )
    assert loaded.functions["one"](2.0) == 6.0


def test_entry_that_calls_an_entry_is_kept_with_it(emitted, place):
    text = emitted.source().text + "\n\n@jit\ndef twice(x):\n    return 2.0 * value_and_grad(x, 4.0, 2.0)[0]\n"
    both = Source(text, (*emitted.entries, Entry("twice", "(float64,)")))
    for hit in (False, True):
        emitted.forget()
        loaded = load(both)
        assert loaded.functions["twice"](7.0) == 12.0
        assert emitted.value(loaded) == 6.0
        assert loaded.hit == hit
        assert len(emitted.machine_code()) == 2


def test_switched_off_jit_runs_the_text_as_it_is(emitted):
    script = (
        "import sys; from symgrad.runtime.load import load; from symgrad.ir.source import *\n"
        "loaded = load(Source(sys.argv[1], (Entry('value_and_grad', '(float64, float64, float64)'),)))\n"
        "f = loaded.functions['value_and_grad']; print(type(f).__name__, f(7.0, 4.0, 2.0)[0])"
    )
    assert emitted.answer(emitted.python(script, emitted.source().text, NUMBA_DISABLE_JIT="1")) == "function 6.0"


def test_flags_of_numba(emitted):
    import numpy as np

    loaded = load(emitted.source())
    assert loaded.functions["total"](np.zeros(1), 1) == math.inf, "division as NumPy does it"
    options = loaded.functions["total"].targetoptions
    assert options["nogil"]
    assert not options["boundscheck"]
    assert not options.get("fastmath")


def test_second_load_hits(emitted, place):
    first = load(emitted.source())
    emitted.value(first)
    assert not first.hit
    emitted.forget()
    second = load(emitted.source())
    assert emitted.value(second) == 6.0
    assert second.hit
    assert second.path == first.path == place / f"{first.path.stem}.py"
    second.functions["total"]
    assert not second.hit, "this one had to be compiled"


def test_file_is_the_text_and_private(emitted, place):
    loaded = load(emitted.source())
    emitted.value(loaded)
    assert loaded.path.read_text() == emitted.source().text
    for path in place.rglob("*"):
        assert os.lstat(path).st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert len(list(place.rglob("*"))) == 3, "the text, a directory of machine code, one file in it"


def test_load_imports_no_numba_and_writes_nowhere_else(emitted, tmp_path):
    script = (
        "import sys; from symgrad.runtime.load import load; from symgrad.ir.source import *\n"
        "loaded = load(Source(sys.argv[1], (Entry('value_and_grad', '(float64, float64, float64)'),)))\n"
        "loaded.python['value_and_grad'](7.0, 4.0, 2.0); print('numba' in sys.modules, end=' ')\n"
        "path = list(sys.path); print(loaded.functions['value_and_grad'](7.0, 4.0, 2.0)[0], sys.path == path)"
    )
    home = tmp_path / "home"
    home.mkdir()
    run = emitted.python(script, emitted.source().text, HOME=str(home), TMPDIR=str(home), PYTHONDONTWRITEBYTECODE="1")
    assert emitted.answer(run) == "False 6.0 True"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("numba", ["", "sys.modules['numba'] = None;"])
def test_file_stands_alone(emitted, numba):
    path = load(emitted.source()).path
    script = (
        f"import sys; {numba} sys.path.insert(0, sys.argv[1])\n"
        "print(__import__(sys.argv[2]).value_and_grad(7.0, 4.0, 2.0)[0])"
    )
    assert emitted.answer(emitted.python(script, str(path.parent), path.stem, PYTHONDONTWRITEBYTECODE="1")) == "6.0"


def test_traceback_shows_the_line_even_without_a_file(emitted, monkeypatch):
    monkeypatch.setattr(cache, "root", lambda: None)
    loaded = load(emitted.source())
    assert loaded.path is None
    with pytest.raises(TypeError) as caught:
        loaded.python["value_and_grad"](None, 1.0, 1.0)
    assert "q = x - y" in "".join(traceback.format_exception(caught.value))


def test_text_that_fails_leaves_no_module(emitted):
    bad = Source("raise ValueError('at import')\n", (Entry("f", "()"),))
    with pytest.raises(ValueError, match="at import"):
        load(bad).functions["f"]
    assert not any(name.startswith("sg_") for name in sys.modules)


def test_whatever_changes_the_code_changes_the_name(emitted):
    variants = [
        emitted.source(),
        emitted.source(body="y - x"),
        emitted.source(scale="1.0000000000000002"),
        emitted.source(scale="-1.0"),
        Source(emitted.source().text, (Entry("value_and_grad", "(float32, float32, float32)"),)),
        Source(emitted.source().text, emitted.entries[::-1]),
    ]
    paths = [load(s).path for s in variants] + [load(emitted.source(), parallel=True).path]
    assert len(set(paths)) == len(paths)


def test_swapped_operands_in_one_cache(emitted):
    for _ in range(2):
        emitted.forget()
        assert emitted.value(load(emitted.source(body="x - y"))) == 6.0
        assert emitted.value(load(emitted.source(body="y - x"))) == -6.0


def test_other_versions_have_another_directory(emitted, monkeypatch):
    import numpy

    seen = [compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2")]
    seen.append(compiled.fingerprint.__wrapped__("triple", "znver4", "+avx2"))
    seen.append(compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2,+avx512f"))
    for module, name in [(numpy, "__version__"), (compiled.numba, "__version__"), (compiled.llvmlite, "__version__")]:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, "0.0")
            seen.append(compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2"))
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version", "3.99")
        seen.append(compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2"))
    with monkeypatch.context() as patch:
        patch.setattr(compiled.config, "BOUNDSCHECK", 1)
        seen.append(compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2"))
    with monkeypatch.context() as patch:  # the kernels that emitted code calls are symgrad's own version
        patch.setattr(Path, "read_bytes", lambda path: b"changed")
        seen.append(compiled.fingerprint.__wrapped__("triple", "znver5", "+avx2"))
    assert len(set(seen)) == len(seen)


def test_code_of_another_version_is_not_used(emitted, place, monkeypatch):
    emitted.value(load(emitted.source()))
    (old,) = emitted.machine_code()
    emitted.forget()
    monkeypatch.setattr(compiled, "fingerprint", lambda *args: "0" * 32)
    loaded = load(emitted.source())
    assert emitted.value(loaded) == 6.0
    assert not loaded.hit
    assert [p.parent.name for p in emitted.machine_code()] == sorted(["0" * 32, old.parent.name])


def test_head_is_python_of_our_width(emitted):
    ast.parse(emitted.head())
    assert max(map(len, emitted.head().splitlines())) <= 120
