"""Whatever lies in the cache, whoever else writes there: the functions compute what their text says."""

from __future__ import annotations

import ast
import inspect
import math
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from pathlib import Path

import pytest

from symgrad.ir.source import Entry, Source
from symgrad.runtime import cache, compiled
from symgrad.runtime import load as room
from symgrad.runtime.load import load

REPOSITORY = Path(room.__file__).parents[2]
posix = pytest.mark.skipif(sys.platform == "win32", reason="fork, modes and signals of POSIX")


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


@pytest.fixture(autouse=True)
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


# ---- what is loaded


def test_compiled_and_plain_agree():
    loaded = load(source())
    assert list(loaded.functions) == list(loaded.python) == ["value_and_grad", "total"]
    assert value(loaded) == loaded.python["value_and_grad"](7.0, 4.0, 2.0)[0] == 6.0
    assert inspect.isfunction(loaded.python["value_and_grad"])
    with pytest.raises(KeyError):
        loaded.functions["absent"]


def test_entries_keep_their_one_signature():
    function = load(source()).functions["value_and_grad"]
    assert function(7, 4, 2) == (6.0, 2.0, 2.0, 3.0)
    assert [str(s) for s in function.signatures] == ["(float64, float64, float64)"]
    with pytest.raises(TypeError):
        function(1j, 4, 2)
    assert len(function.signatures) == 1


@pytest.mark.parametrize("signature", ["(float64)", "(float64,)", ("float64",), "( float64 , )"])
def test_spellings_of_a_signature(signature):
    loaded = load(
        Source(
            TEXT.replace("SCALE", "3.0") + "\n\n@jit\ndef one(x):\n    return scaled(x)\n", (Entry("one", signature),)
        )
    )
    assert loaded.functions["one"](2.0) == 6.0


def test_entry_that_calls_an_entry_is_kept_with_it(place):
    text = source().text + "\n\n@jit\ndef twice(x):\n    return 2.0 * value_and_grad(x, 4.0, 2.0)[0]\n"
    both = Source(text, (*ENTRIES, Entry("twice", "(float64,)")))
    for hit in (False, True):
        forget()
        loaded = load(both)
        assert loaded.functions["twice"](7.0) == 12.0 and value(loaded) == 6.0
        assert loaded.hit == hit and len(machine_code(place)) == 2


def test_switched_off_jit_runs_the_text_as_it_is():
    script = (
        "import sys; from symgrad.runtime.load import load; from symgrad.ir.source import *\n"
        "loaded = load(Source(sys.argv[1], (Entry('value_and_grad', '(float64, float64, float64)'),)))\n"
        "f = loaded.functions['value_and_grad']; print(type(f).__name__, f(7.0, 4.0, 2.0)[0])"
    )
    assert answer(python(script, source().text, NUMBA_DISABLE_JIT="1")) == "function 6.0"


def test_flags_of_numba():
    import numpy as np

    loaded = load(source())
    assert loaded.functions["total"](np.zeros(1), 1) == math.inf, "division as NumPy does it"
    options = loaded.functions["total"].targetoptions
    assert options["nogil"] and not options["boundscheck"] and not options.get("fastmath")


def test_second_load_hits(place):
    first = load(source())
    value(first)
    assert not first.hit
    forget()
    second = load(source())
    assert value(second) == 6.0 and second.hit and second.path == first.path == place / f"{first.path.stem}.py"
    second.functions["total"]
    assert not second.hit, "this one had to be compiled"


def test_file_is_the_text_and_private(place):
    loaded = load(source())
    value(loaded)
    assert loaded.path.read_text() == source().text
    for path in place.rglob("*"):
        assert os.lstat(path).st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert len(list(place.rglob("*"))) == 3, "the text, a directory of machine code, one file in it"


def test_load_imports_no_numba_and_writes_nowhere_else(tmp_path):
    script = (
        "import sys; from symgrad.runtime.load import load; from symgrad.ir.source import *\n"
        "loaded = load(Source(sys.argv[1], (Entry('value_and_grad', '(float64, float64, float64)'),)))\n"
        "loaded.python['value_and_grad'](7.0, 4.0, 2.0); print('numba' in sys.modules, end=' ')\n"
        "path = list(sys.path); print(loaded.functions['value_and_grad'](7.0, 4.0, 2.0)[0], sys.path == path)"
    )
    home = tmp_path / "home"
    home.mkdir()
    run = python(script, source().text, HOME=str(home), TMPDIR=str(home), PYTHONDONTWRITEBYTECODE="1")
    assert answer(run) == "False 6.0 True"
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("numba", ["", "sys.modules['numba'] = None;"])
def test_file_stands_alone(numba):
    path = load(source()).path
    script = f"import sys; {numba} sys.path.insert(0, sys.argv[1]); m = __import__(sys.argv[2])\nprint(m.value_and_grad(7., 4., 2.)[0])"
    assert answer(python(script, str(path.parent), path.stem, PYTHONDONTWRITEBYTECODE="1")) == "6.0"


def test_traceback_shows_the_line_even_without_a_file(monkeypatch):
    monkeypatch.setattr(cache, "root", lambda: None)
    loaded = load(source())
    assert loaded.path is None
    with pytest.raises(TypeError) as caught:
        loaded.python["value_and_grad"](None, 1.0, 1.0)
    assert "q = x - y" in "".join(traceback.format_exception(caught.value))


def test_text_that_fails_leaves_no_module():
    bad = Source("raise ValueError('at import')\n", (Entry("f", "()"),))
    with pytest.raises(ValueError, match="at import"):
        load(bad).functions["f"]
    assert not any(name.startswith("sg_") for name in sys.modules)


# ---- one text, one name


def test_whatever_changes_the_code_changes_the_name():
    variants = [
        source(),
        source(body="y - x"),
        source(scale="1.0000000000000002"),
        source(scale="-1.0"),
        Source(source().text, (Entry("value_and_grad", "(float32, float32, float32)"),)),
        Source(source().text, ENTRIES[::-1]),
    ]
    paths = [load(s).path for s in variants] + [load(source(), parallel=True).path]
    assert len(set(paths)) == len(paths)


def test_swapped_operands_in_one_cache():
    for _ in range(2):
        forget()
        assert value(load(source(body="x - y"))) == 6.0
        assert value(load(source(body="y - x"))) == -6.0


def test_other_versions_have_another_directory(monkeypatch):
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


def test_code_of_another_version_is_not_used(place, monkeypatch):
    value(load(source()))
    (old,) = machine_code(place)
    forget()
    monkeypatch.setattr(compiled, "fingerprint", lambda *args: "0" * 32)
    loaded = load(source())
    assert value(loaded) == 6.0 and not loaded.hit
    assert [p.parent.name for p in machine_code(place)] == sorted(["0" * 32, old.parent.name])


# ---- damage and malice


def quietly_right():
    """Answer from this cache after ``forget``: right, with at most one warning; whether anything was compiled."""
    forget()
    cache._warned = False
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        loaded = load(source())
        assert value(loaded) == 6.0
    assert len(seen) <= 1 and all(w.category is cache.CacheWarning for w in seen)
    return not loaded.hit


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.py", "*/*.nbc"])
def test_truncated_or_flipped_entry_is_made_again(place, kind):
    value(load(source()))
    (path,) = place.glob(kind)
    good, draw = path.read_bytes(), random.Random(kind)
    for round_ in range(100):
        bad = bytearray(good)
        if round_ % 2:
            del bad[draw.randrange(len(good)) :]
        else:
            bad[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
        path.write_bytes(bad)
        assert quietly_right()
        assert kind != "*.py" or path.read_bytes() == good
        path.write_bytes(good)
        assert not quietly_right()


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("sealed_elsewhere", [False, True])
def test_foreign_pickle_is_never_opened(place, tmp_path, sealed_elsewhere):
    value(load(source()))
    (path,) = machine_code(place)
    payload = pickle.dumps(Evil(tmp_path / "marker"))
    path.write_bytes(cache.seal(path.with_name("other"), payload) if sealed_elsewhere else payload)
    for numba_name in ("nbi", "1.nbc"):  # what Numba's own cache would look for
        (place / f"{path.stem}.{numba_name}").write_bytes(payload)
    assert quietly_right() and not (tmp_path / "marker").exists()


def test_code_of_another_function_is_not_taken_for_this_one(place):
    value(load(source()))
    (mine,) = machine_code(place)
    value(load(source(body="y - x")))
    (other,) = set(machine_code(place)) - {mine}
    mine.write_bytes(other.read_bytes())
    assert quietly_right()


@posix
@pytest.mark.parametrize("kind", ["*.py", "*/*.nbc", "*/"])
def test_link_in_the_cache_is_not_followed(place, tmp_path, kind):
    value(load(source()))
    (path,) = (p for p in place.glob(kind) if p.is_dir() == (kind == "*/"))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    before = os.lstat(tmp_path / "elsewhere")
    assert quietly_right()
    after = os.lstat(tmp_path / "elsewhere")
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


@posix
def test_world_writable_cache_is_not_used(place, tmp_path):
    value(load(source()))
    (path,) = machine_code(place)
    path.write_bytes(cache.seal(path, pickle.dumps(Evil(tmp_path / "marker"))))
    place.chmod(0o777)
    assert quietly_right() and not (tmp_path / "marker").exists()


@pytest.mark.parametrize("step", ["mkstemp", "replace", "mkdir"])
def test_no_file_can_be_written(monkeypatch, step):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"mkstemp": tempfile, "replace": os, "mkdir": Path}[step], step, fail)
    assert quietly_right()
    assert load(source()).path is None


# ---- many at once

SHARED = """
import sys
from symgrad.ir.source import Entry, Source
from symgrad.runtime.load import load
texts = sys.argv[2].split("\\0")
mine = int(sys.argv[1])
for text in texts[mine:] + texts[:mine]:
    loaded = load(Source(text, (Entry("value_and_grad", "(float64, float64, float64)"),)))
    print(loaded.functions["value_and_grad"](1.0, 0.0, 1.0)[0].hex())
"""


def neighbours(count):
    """Constants that differ in the last bit only."""
    scales = [0.1]
    while len(scales) < count:
        scales.append(math.nextafter(scales[-1], 1.0))
    return scales


def in_turn(scales, first):
    return [scale.hex() for scale in scales[first:] + scales[:first]]


def hexes(scales, first, out):
    texts = [source(scale=repr(scale)) for scale in scales]
    out.put((first, [value(load(s), 1.0, 0.0, 1.0).hex() for s in texts[first:] + texts[:first]]))


@pytest.mark.slow
def test_sixteen_processes_in_one_cold_cache():
    scales = neighbours(16)
    texts = "\x1f".join(source(scale=repr(s)).text for s in scales)
    script = SHARED.replace("\\0", "\\x1f")
    running = [python(script, str(i), texts) for i in range(16)]
    for i, process in enumerate(running):
        assert answer(process).split() == in_turn(scales, i)


@posix
@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pool_of_workers_in_one_cold_cache(method):
    scales, count = neighbours(6), 16 if method == "fork" else 4
    load(source()).functions["total"]  # Numba is up in the parent
    context = multiprocessing.get_context(method)
    out = context.Queue()
    workers = [context.Process(target=hexes, args=(scales, i % 6, out)) for i in range(count)]
    for worker in workers:
        worker.start()
    for _ in workers:
        first, seen = out.get(timeout=120)
        assert seen == in_turn(scales, first)
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0


@posix
@pytest.mark.parametrize("survives", [0, 1])
def test_killed_process_leaves_no_torn_entry(place, survives):
    """Killed at the first replace (the text), or at the second (the machine code)."""
    pid = os.fork()
    if pid == 0:
        replace, done = os.replace, []

        def killing(old, new):
            if len(done) == survives:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(new)
            replace(old, new)

        os.replace = killing
        try:
            value(load(source()))
        finally:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert len(list(place.glob("*.py"))) == survives and machine_code(place) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value(load(source())) == 6.0
    assert not quietly_right()


def test_threads_share_one_compilation(place):
    loaded, start, seen = load(source()), threading.Barrier(8), []

    def work():
        start.wait()
        seen.append(loaded.functions["value_and_grad"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and len(set(map(id, seen))) == 1 and len(machine_code(place)) == 1


@posix
def test_fork_while_another_thread_compiles():
    loaded, other = load(source()), load(source(body="y - x"))
    thread = threading.Thread(target=loaded.functions.__getitem__, args=("value_and_grad",))
    thread.start()
    time.sleep(0.01)
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        os._exit(int(value(other) != -6.0))
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# ---- the text in the docstring, and time


def test_head_is_python_of_our_width():
    ast.parse(head())
    assert max(map(len, head().splitlines())) <= 120


EMPTY = """
import time; start = time.perf_counter()
import sys; sys.path.insert(0, sys.argv[1])
import empty
print(time.perf_counter() - start)
"""
OURS = """
import time; start = time.perf_counter()
import sys; from symgrad.runtime.load import load; from symgrad.ir.source import *
load(Source(sys.argv[1], (Entry("value_and_grad", "(float64, float64, float64)"),))).functions["value_and_grad"](1., 2., 3.)
print(time.perf_counter() - start)
"""


@pytest.mark.slow
def test_costs_at_most_twice_an_empty_njit(tmp_path):
    """Import of Numba included, cold and cached, each in a fresh process: the smallest of three."""
    (tmp_path / "empty.py").write_text(
        "from numba import njit\n@njit('float64(float64, float64, float64)', cache=True)\ndef f(x, y, z):\n    return x\n"
        "f(1.0, 2.0, 3.0)\n"
    )
    cold, warm = [], []
    for i in range(3):
        places = {"SYMGRAD_CACHE_DIR": str(tmp_path / f"c{i}"), "NUMBA_CACHE_DIR": str(tmp_path / f"n{i}")}
        for times in (cold, warm):
            empty = float(answer(python(EMPTY, str(tmp_path), **places)))
            times.append((empty, float(answer(python(OURS, source().text, **places)))))
    for times in (cold, warm):
        assert min(ours for _, ours in times) <= 2.0 * min(empty for empty, _ in times)
