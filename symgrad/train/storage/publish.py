"""Put a file in place at once: a reader, or whoever comes after a crash, sees the old one or the new one, whole.

The bytes go to a fresh name in the same directory, are forced to the disk, and then take the name (``os.replace``).
A link of that name is replaced, never followed; so nothing is written outside the directory. A fresh file is locked
while it is written: one without a lock was left by a process that was killed, and is removed by the next.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from io import RawIOBase
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: no locks, and nothing is removed that was left
    fcntl = None  # type: ignore[assignment]

_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK", "O_BINARY"))
_AT_ONCE = 1 << 24  # bytes a call: an interrupt need not wait for the disk


def publish(path: Path, pieces: Iterable[bytes | memoryview], keep_previous: bool = False) -> None:
    """Write the pieces as the file of that name; the file that was there becomes ``previous(path)`` if wanted.

    A new file has the permissions that the umask gives, a replaced one keeps its own.

    Raises:  OSError (the kind that its number says) if that fails: the old file is as it was, and no other is left
    """
    left = [kept := _name(path)]  # names to remove if anything fails
    try:
        mode = _replaceable(path)
        if keep_previous:
            _replaceable(previous(path))
        _sweep(path)
        with _fresh(path, left) as file:  # locked until it has its name
            _fill(file.fileno(), pieces, mode)
            if keep_previous and mode is not None:
                _second_name(path, kept)
            if fcntl is None:
                file.close()
            os.replace(left[-1], path)
        if keep_previous and mode is not None:
            with suppress(FileNotFoundError):  # another process, saving the same, swept it away
                os.replace(kept, previous(path))
        _sync(path.parent)
    except OSError as error:
        text = f"the file cannot be written: {error.strerror or error}"
        raise OSError(error.errno or errno.EIO, text, str(path)) from error
    finally:  # an interrupt of the user's, too, leaves nothing behind
        for name in left:
            with suppress(OSError):
                os.unlink(name)


def previous(path: Path) -> Path:
    """Where the generation before is kept."""
    return path.with_name(f"{path.name}.previous")


def _replaceable(path: Path) -> int | None:
    """The permissions of the file that is there, None for none or a link. Raises: OSError for what is no file."""
    try:
        found = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if not stat.S_ISREG(found) and not stat.S_ISLNK(found):
        raise OSError(errno.EINVAL, "it is a device, a pipe or a socket")
    return found & 0o777 if stat.S_ISREG(found) else None


def _beside(path: Path) -> tuple[str, str]:
    """How names of fresh files begin and end."""
    return f".{path.name[:100]}.", ".new"


def _name(path: Path) -> Path:
    begin, end = _beside(path)
    return path.parent / f"{begin}{secrets.token_hex(8)}{end}"


def _open(name: str, flags: int) -> int:
    return os.open(name, flags | _FLAGS, 0o666)


def _fresh(path: Path, left: list[Path]) -> RawIOBase:
    """A new file beside the path, locked; its name is the last of ``left``."""
    while True:
        left.append(_name(path))
        file = open(left[-1], "xb", buffering=0, opener=_open)  # noqa: SIM115  the caller closes it
        try:
            if _lock(file.fileno()) and (fcntl is None or os.fstat(file.fileno()).st_nlink):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # another process took it for one that was left


def _lock(descriptor: int) -> bool:
    """Lock an open file; False if another process has."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        pass
    return True


def _sweep(path: Path) -> None:
    """Remove what killed processes left of this file."""
    if fcntl is None:
        return
    begin, end = _beside(path)
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(begin) and entry.name.endswith(end) and entry.is_file(follow_symlinks=False):
                _remove_unlocked(entry.path)


def _remove_unlocked(name: str) -> None:
    with suppress(OSError):
        descriptor = os.open(name, os.O_WRONLY | _FLAGS)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name)
        finally:
            os.close(descriptor)


def _fill(descriptor: int, pieces: Iterable[bytes | memoryview], mode: int | None) -> None:
    if mode is not None and hasattr(os, "fchmod"):
        os.fchmod(descriptor, mode)
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(descriptor, view[:_AT_ONCE]) :]
    os.fsync(descriptor)


def _second_name(path: Path, name: Path) -> None:
    """Another name of the file that is there, or a copy where the file system has no such names."""
    with suppress(FileNotFoundError):  # another process, saving the same, has replaced it just now
        try:
            os.link(path, name, follow_symlinks=False)
        except FileNotFoundError:
            raise
        except (OSError, NotImplementedError):
            shutil.copy2(path, name, follow_symlinks=False)


def _sync(directory: Path) -> None:
    """Force the new name to the disk, where directories can be."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
