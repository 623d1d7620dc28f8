"""Saving: whatever fails, and whenever a process is killed, the file is the old one or the new one, and is alone."""

from __future__ import annotations

import errno
import functools
import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.train.storage import publish as publishing
from symgrad.train.storage.files import read, write
from symgrad.train.storage.publish import previous, publish

KILLS, WRITERS = 50, 4


def state(k: int) -> tuple[dict, dict]:
    """The k-th contents: all elements say which."""
    return {"k": k}, {"W": np.full(20_000, float(k)), "step": np.array(k)}


def saved(path: Path) -> int:
    """Which contents a file has."""
    document, arrays = read(path)
    assert (arrays["W"] == document["k"]).all()
    assert arrays["step"] == document["k"]
    return document["k"]


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_generations(tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    for k in range(4):
        write(path, *state(k), generations=2)
        assert saved(path) == k
        assert not k or saved(previous(path)) == k - 1
    write(path, *state(9))
    assert (saved(path), saved(previous(path))) == (9, 2)
    assert names(tmp_path) == ["net.npz", "net.npz.previous"]


# Failures


class Failing:
    """Lets some function of ``os`` fail at its n-th call."""

    def __init__(self, function: str, at: int, error: BaseException) -> None:
        self.real, self.left, self.error = getattr(os, function), at, error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left == -1:
            raise self.error
        return self.real(*args, **kwargs)


FAILURES = {
    "a full disk": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    "a quota": OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
    "a broken disk": OSError(errno.EIO, os.strerror(errno.EIO)),
    "a read-only file system": OSError(errno.EROFS, os.strerror(errno.EROFS)),
    "no permission": PermissionError(errno.EACCES, os.strerror(errno.EACCES)),
    "Ctrl-C": KeyboardInterrupt(),
}
CALLS = {"open": 1, "write": 6, "fsync": 1, "replace": 1, "fchmod": 1, "lstat": 1, "fstat": 1}


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("function", CALLS)
def test_whatever_fails_the_old_file_stays_alone(
    function: str, failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.npz"
    write(path, *state(0))
    write(path, *state(1), generations=2)
    error = FAILURES[failure]
    for call in range(CALLS[function]):
        with monkeypatch.context() as patched:
            patched.setattr(os, function, Failing(function, call, error))
            with pytest.raises(type(error)) as caught:
                write(path, *state(2), generations=2)
        assert (saved(path), saved(previous(path))) == (1, 0)
        assert names(tmp_path) == ["net.npz", "net.npz.previous"]
        if isinstance(error, OSError):
            assert caught.value.errno == error.errno
            assert caught.value.filename == str(path)
            assert str(caught.value).startswith(f"[Errno {error.errno}] the file cannot be written: {error.strerror}")


def test_a_file_that_was_not_there_is_not_there_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", Failing("write", 1, FAILURES["a full disk"]))
    with pytest.raises(OSError, match="No space left"):
        write(tmp_path / "net.npz", *state(0))
    assert names(tmp_path) == []


def test_file_systems_without_second_names_and_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(publishing.fcntl, "flock", refuse)
    for k in range(3):
        write(tmp_path / "net.npz", *state(k), generations=2)
    assert (saved(tmp_path / "net.npz"), saved(previous(tmp_path / "net.npz"))) == (2, 1)
    monkeypatch.setattr(publishing, "fcntl", None)  # Windows
    write(tmp_path / "net.npz", *state(3), generations=2)
    assert (saved(tmp_path / "net.npz"), saved(previous(tmp_path / "net.npz"))) == (3, 2)
    assert len(names(tmp_path)) == 2


def child(task: Callable[[], Any]) -> str:
    """What a task gives or raises in a forked process, as text."""
    receiver, sender = os.pipe()
    if not (pid := os.fork()):
        try:
            said = repr(task())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(sender, said.encode())
        os._exit(0)
    os.close(sender)
    with open(receiver, "rb") as file:
        said = file.read().decode()
    os.waitpid(pid, 0)
    return said


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the child of a process with threads only writes
def test_a_limit_of_the_file_size(tmp_path: Path) -> None:
    """A real refusal of the system in the middle of a write."""
    path = tmp_path / "net.npz"
    write(path, *state(0))

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        write(path, *state(1))

    assert child(limited).startswith("OSError: [Errno 27] the file cannot be written: File too large")
    assert saved(path) == 0
    assert names(tmp_path) == ["net.npz"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_directory_that_may_not_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.npz")
        write(path, *state(0))
        os.chmod(folder, 0o555)

        def unprivileged() -> None:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            write(path, *state(1))

        assert child(unprivileged).startswith(
            "PermissionError: [Errno 13] the file cannot be written: Permission denied"
        )
        assert (saved(path), names(Path(folder))) == (0, ["net.npz"])
        os.chmod(folder, 0o755)


def test_a_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"cannot be written.*missing/net\.npz"):
        write(tmp_path / "missing" / "net.npz", *state(0))
    assert names(tmp_path) == []


# What a path leads to


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for name in ("net.npz", "net.npz.previous"):
        (inside / name).symlink_to(outside / "secret")
    for k in range(2):
        write(inside / "net.npz", *state(k), generations=2)
    assert (saved(inside / "net.npz"), saved(inside / "net.npz.previous")) == (1, 0)
    assert not any(p.is_symlink() for p in inside.iterdir())
    assert ((outside / "secret").read_text(), names(outside)) == ("secret", ["secret"])


def test_a_link_to_a_directory_on_the_way_is_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    write(tmp_path / "runs" / "net.npz", *state(1))
    assert saved(tmp_path / "disk" / "net.npz") == 1


@pytest.mark.parametrize("of_the_previous", [False, True])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced(make: Any, of_the_previous: bool, tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    make(previous(path) if of_the_previous else path)
    before = names(tmp_path)
    with pytest.raises(OSError, match="it is a"):
        write(path, *state(0), generations=2)
    assert names(tmp_path) == before


def test_the_folder_itself_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("", ".", "/", tmp_path):
        with pytest.raises(IsADirectoryError):
            write(path, *state(0))
    write("net.npz", *state(1))
    assert names(tmp_path) == ["net.npz"]


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def test_permissions(tmp_path: Path, umask: Callable[[int], int]) -> None:
    """A new file has those of the umask, a replaced one keeps its own."""
    path = tmp_path / "net.npz"
    for mask, mode in ((0o077, 0o600), (0o022, 0o644)):
        umask(mask)
        write(path, *state(0))
        assert stat.S_IMODE(path.stat().st_mode) == mode
        path.unlink()
    write(path, *state(0))
    path.chmod(0o640)
    write(path, *state(1), generations=2)
    assert {stat.S_IMODE(p.stat().st_mode) for p in (path, previous(path))} == {0o640}


def test_a_long_name(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 251 + ".npz")
    write(path, *state(1))
    assert (saved(path), len(names(tmp_path))) == (1, 1)


def test_bytes_are_on_the_disk_before_they_have_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order that a power failure needs: write, fsync, rename, fsync of the directory."""
    done: list[str] = []
    for function in ("write", "fsync", "replace", "link"):
        real = getattr(os, function)

        def noted(*args: Any, name: str = function, real: Any = real, **kwargs: Any) -> Any:
            is_folder = name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode)
            done.append("fsync of the folder" if is_folder else name)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, function, noted)
    publish(tmp_path / "x", [b"one"])
    publish(tmp_path / "x", [b"two"], keep_previous=True)
    first = ["write", "fsync", "replace", "fsync of the folder"]
    assert done == [*first, "write", "fsync", "link", "replace", "replace", "fsync of the folder"]


# Kills, and many at once


def forever(path: Path, first: int) -> None:
    """Save the contents first, first + 1, ... until killed."""
    for k in range(first, 10**9):
        write(path, *state(k), generations=2)


def forked(task: Callable[[], None]) -> int:
    """The number of a process that runs a task; an error of it is its exit status."""
    pid = os.fork()
    if not pid:
        try:
            task()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def kill_at_random(folder: Path) -> dict[str, Any]:
    """Kill a saving process again and again; what is found after each kill."""
    path, r, found, left = folder / "run.npz", random.Random(5), [], []
    write(path, *state(0))
    for _ in range(KILLS):
        pid = forked(functools.partial(forever, path, saved(path) + 1))
        time.sleep(r.uniform(0.0, 0.05))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        older = previous(path)
        found.append((saved(path), saved(older) if older.exists() else None))
        left.append(len(names(folder)))
    write(path, *state(0))
    return {"found": found, "left": left, "names": names(folder)}


def write_together(folder: Path) -> dict[str, Any]:
    """Several processes that save to one path, and a reader."""
    path = folder / "run.npz"
    write(path, *state(0))
    pids = [forked(functools.partial(forever, path, 1)) for _ in range(WRITERS)]
    end, count = time.monotonic() + 3, 0
    try:
        while time.monotonic() < end:
            saved(path)
            count += 1
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        ends = [os.waitpid(pid, 0)[1] for pid in pids]
    write(path, *state(0))
    return {"ends": ends, "count": count, "names": names(folder)}


def apart(task: str, folder: Path) -> dict[str, Any]:
    """A task of this file in a process of its own, which has no threads and may be forked."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "tests.train.test_publish", task, str(folder)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_file_that_was_written(tmp_path: Path) -> None:
    result = apart("kill_at_random", tmp_path)
    newest = [k for k, _ in result["found"]]
    assert len(newest) == KILLS
    assert newest == sorted(newest)  # nothing that was there is lost
    assert newest[-1] > 0  # kills did not all come before the first save
    assert all(older is None or k - older in (1, 2) for k, older in result["found"])
    assert max(result["left"]) <= 4  # two generations, and what one kill leaves: the next save removes it
    assert result["names"] == ["run.npz", "run.npz.previous"]


@pytest.mark.slow
def test_many_may_save_to_one_path(tmp_path: Path) -> None:
    result = apart("write_together", tmp_path)
    assert result["ends"] == [signal.SIGKILL] * WRITERS  # none had an error before
    assert result["count"] > 10
    assert result["names"] == ["run.npz", "run.npz.previous"]


if __name__ == "__main__":
    tasks = {"kill_at_random": kill_at_random, "write_together": write_together}
    print(json.dumps(tasks[sys.argv[1]](Path(sys.argv[2]))))
