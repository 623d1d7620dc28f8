"""Whatever lies in the cache, the functions compute what their text says, with at most one warning."""

from __future__ import annotations

import os
import pickle
import random
import sys
import tempfile
from pathlib import Path

import pytest

from symgrad.runtime import cache
from symgrad.runtime.load import load

posix = pytest.mark.skipif(sys.platform == "win32", reason="fork, modes and signals of POSIX")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.py", "*/*.nbc"])
def test_truncated_or_flipped_entry_is_made_again(emitted, place, kind):
    emitted.value(load(emitted.source()))
    (path,) = place.glob(kind)
    good, draw = path.read_bytes(), random.Random(kind)
    for round_ in range(100):
        bad = bytearray(good)
        if round_ % 2:
            del bad[draw.randrange(len(good)) :]
        else:
            bad[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
        path.write_bytes(bad)
        assert emitted.remade()
        assert kind != "*.py" or path.read_bytes() == good
        path.write_bytes(good)
        assert not emitted.remade()


class Evil:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("sealed_elsewhere", [False, True])
def test_foreign_pickle_is_never_opened(emitted, place, tmp_path, sealed_elsewhere):
    emitted.value(load(emitted.source()))
    (path,) = emitted.machine_code()
    payload = pickle.dumps(Evil(tmp_path / "marker"))
    path.write_bytes(cache.seal(path.with_name("other"), payload) if sealed_elsewhere else payload)
    for numba_name in ("nbi", "1.nbc"):  # what Numba's own cache would look for
        (place / f"{path.stem}.{numba_name}").write_bytes(payload)
    assert emitted.remade()
    assert not (tmp_path / "marker").exists()


def test_code_of_another_function_is_not_taken_for_this_one(emitted, place):
    emitted.value(load(emitted.source()))
    (mine,) = emitted.machine_code()
    emitted.value(load(emitted.source(body="y - x")))
    (other,) = set(emitted.machine_code()) - {mine}
    mine.write_bytes(other.read_bytes())
    assert emitted.remade()


@posix
@pytest.mark.parametrize("kind", ["*.py", "*/*.nbc", "*/"])
def test_link_in_the_cache_is_not_followed(emitted, place, tmp_path, kind):
    emitted.value(load(emitted.source()))
    (path,) = (p for p in place.glob(kind) if p.is_dir() == (kind == "*/"))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    before = os.lstat(tmp_path / "elsewhere")
    assert emitted.remade()
    after = os.lstat(tmp_path / "elsewhere")
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


@posix
def test_world_writable_cache_is_not_used(emitted, place, tmp_path):
    emitted.value(load(emitted.source()))
    (path,) = emitted.machine_code()
    path.write_bytes(cache.seal(path, pickle.dumps(Evil(tmp_path / "marker"))))
    place.chmod(0o777)
    assert emitted.remade()
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("step", ["mkstemp", "replace", "mkdir"])
def test_no_file_can_be_written(emitted, monkeypatch, step):
    def fail(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr({"mkstemp": tempfile, "replace": os, "mkdir": Path}[step], step, fail)
    assert emitted.remade()
    assert load(emitted.source()).path is None
