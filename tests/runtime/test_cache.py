"""The directory is private or refused, a file is whole or absent, and no failure costs more than a warning."""

from __future__ import annotations

import errno
import os
import random
import signal
import stat
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from symgrad.runtime import cache

posix = pytest.mark.skipif(sys.platform == "win32", reason="owners, modes and signals of POSIX")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_warned", False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache._temporary.cache_clear()
    yield tmp_path / "cache"
    cache._temporary.cache_clear()


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def test_directory_is_created_private_whatever_the_umask(place, monkeypatch):
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(place / "deep" / "er"))
    before = os.umask(0)
    try:
        assert cache.root() == place / "deep" / "er"
        assert cache.publish(place / "deep" / "er" / "file", b"x")
    finally:
        os.umask(before)
    assert [mode(p) for p in (place, place / "deep", place / "deep" / "er")] == [0o700] * 3
    assert mode(place / "deep" / "er" / "file") == 0o600


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="the XDG rule of Linux")
@pytest.mark.parametrize(("xdg", "expected"), [(None, "home/.cache"), ("relative", "home/.cache"), ("{}/xdg", "xdg")])
def test_default_follows_xdg(tmp_path, monkeypatch, xdg, expected):
    monkeypatch.delenv("SYMGRAD_CACHE_DIR")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg:
        monkeypatch.setenv("XDG_CACHE_HOME", xdg.format(tmp_path))
    assert cache.root() == tmp_path / expected / "symgrad"


def test_no_home_means_no_cache_and_one_warning(monkeypatch):
    monkeypatch.delenv("SYMGRAD_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.warns(cache.CacheWarning, match="no home directory"):
        assert cache.root() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.root() is None


def _symlink(place):
    place.with_name("target").mkdir(mode=0o700)
    place.symlink_to(place.with_name("target"))


def _dangling(place):
    place.symlink_to(place.with_name("nowhere"))


def _world(place):
    place.mkdir()
    place.chmod(0o777)


def _group(place):
    place.mkdir()
    place.chmod(0o770)


@posix
@pytest.mark.parametrize("spoil", [_symlink, _dangling, _world, _group, Path.touch])
def test_exposed_directory_is_refused_for_a_temporary_one(place, spoil):
    spoil(place)
    with pytest.warns(cache.CacheWarning, match="temporary directory instead") as seen:
        directory = cache.root()
    assert len(seen) == 1
    assert directory.parent == place.parent
    assert directory.name.startswith("symgrad-")
    assert mode(directory) == 0o700
    assert cache.root() == directory
    assert not place.with_name("nowhere").exists()
    assert not (place.is_dir() and list(place.iterdir()))


@posix
def test_directory_of_another_user_is_refused(place, monkeypatch):
    place.mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.warns(cache.CacheWarning, match="another user"):
        assert cache.root() != place


def test_temporary_directory_goes_with_its_process_only(place):
    directory = cache._temporary()
    cache._remove(directory, os.getpid() + 1)
    assert directory.exists()
    cache._remove(directory, os.getpid())
    assert not directory.exists()


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("step", ["mkdir", "mkstemp", "replace"])
def test_failing_file_system_costs_one_warning(place, monkeypatch, step, code):
    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    where = {"mkdir": Path, "mkstemp": tempfile, "replace": os}[step]
    monkeypatch.setattr(where, step, fail)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        directory = cache.root()
        assert directory is None or not any(cache.publish(directory / name, b"x") for name in "ab")
    assert (directory is None) == (step == "mkdir")
    assert directory is None or list(directory.iterdir()) == []
    assert [w.category for w in seen] == [cache.CacheWarning]


@posix
def test_read_only_directory(monkeypatch):
    directory = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setenv("SYMGRAD_CACHE_DIR", str(directory))

    def child():
        warnings.simplefilter("ignore")
        if os.geteuid() == 0:  # root may write anywhere, so be someone else
            os.chown(directory, 65534, 65534)
            os.setuid(65534)
        directory.chmod(0o500)
        os._exit(int(cache.root() != directory or cache.publish(directory / "a", b"x")))

    try:
        assert os.waitstatus_to_exitcode(_forked(child)) == 0
        assert list(directory.iterdir()) == []
    finally:
        directory.rmdir()


@posix
def test_file_size_limit_leaves_nothing_behind(place):
    def child():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        warnings.simplefilter("ignore")
        os._exit(int(cache.publish(cache.root() / "a", b"x" * 1000)))

    assert os.waitstatus_to_exitcode(_forked(child)) == 0
    assert list(place.iterdir()) == []


def _forked(child):
    pid = os.fork()
    if pid == 0:
        try:
            child()
        finally:
            os._exit(99)
    return os.waitpid(pid, 0)[1]


@posix
@pytest.mark.parametrize("old", [None, b"the old file"])
def test_process_killed_before_the_replace_tears_nothing(place, old):
    path = cache.root() / "entry"
    if old:
        cache.publish(path, old)

    def child():
        os.replace = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
        cache.publish(path, b"the new file")

    assert os.waitstatus_to_exitcode(_forked(child)) == -signal.SIGKILL
    assert cache.read(path) == old
    assert cache.publish(path, b"the new file")
    assert cache.read(path) == b"the new file"


@posix
@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "exposed", "other size", "absent"])
def test_only_a_regular_private_file_is_read(place, kind):
    path = cache.root() / "entry"
    if kind == "link":
        cache.publish(place / "target", b"data")
        path.symlink_to("target")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind != "absent":
        cache.publish(path, b"data")
    if kind == "exposed":
        path.chmod(0o666)
    assert cache.read(path, 5 if kind == "other size" else None) is None


@posix
def test_link_is_replaced_and_its_target_untouched(place):
    path = cache.root() / "entry"
    victim = place.with_name("victim")
    victim.write_bytes(b"precious")
    path.symlink_to(victim)
    with pytest.warns(cache.CacheWarning, match="damaged or foreign"):
        assert cache.replace(path, b"data")
    assert cache.read(path) == b"data"
    assert victim.read_bytes() == b"precious"


@pytest.fixture
def sealed(place):
    path = cache.root() / "entry"
    data = cache.seal(path, bytes(range(256)) * 4)
    assert cache.publish(path, data)
    return path, data


def refused(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cache.read_sealed(path) is None and not path.exists()


def test_sealed_file_is_read_back(sealed):
    assert cache.read_sealed(sealed[0]) == bytes(range(256)) * 4


@pytest.mark.parametrize("seed", range(50))
def test_truncated_file_is_deleted(sealed, seed):
    path, data = sealed
    path.write_bytes(data[: random.Random(seed).randrange(len(data))])
    assert refused(path)


@pytest.mark.parametrize("seed", range(50))
def test_flipped_bit_is_found(sealed, seed):
    path, data = sealed
    damaged = bytearray(data)
    bit = random.Random(seed).randrange(8 * len(data))
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    assert refused(path)


def test_sealed_file_counts_only_in_its_place(sealed):
    path, data = sealed
    for other in (path.with_name("other"), path.parent / "versions" / path.name):
        other.parent.mkdir(mode=0o700, exist_ok=True)
        cache.publish(other, data)
        assert refused(other)
    assert cache.read_sealed(path)


def test_absent_file_is_no_reason_for_a_warning(place):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cache.read_sealed(cache.root() / "absent") is None
