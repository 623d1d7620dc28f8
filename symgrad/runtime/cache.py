"""The cache directory: who may write there, and how a file is read and published.

In: the environment ($SYMGRAD_CACHE_DIR, else the platform's per-user cache). Out: a directory
that no one else can write, files that are either whole or absent.
Invariant: nothing is written outside that directory, no link is followed inside it, and a
failure of the file system costs a recompilation and at most one CacheWarning, never an answer.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

__all__ = ["CacheWarning", "claim", "publish", "read", "read_sealed", "replace", "root", "seal"]

# A link is refused, a pipe must not block, a child must not inherit. Absent flags are those of Windows.
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_DIGEST = hashlib.sha256().digest_size
_warned = False


class CacheWarning(RuntimeWarning):
    """The cache cannot be used, or held something foreign: right answers, compiled again."""


def warn(message: str) -> None:
    """The one warning of a process; later ones would only repeat it."""
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(f"symgrad's cache: {message}", CacheWarning, stacklevel=2)


def root() -> Path | None:
    """The private per-user directory, a temporary one where that is refused, None where nothing can be written."""
    directory = _wanted()
    if directory is None:
        return None
    try:
        refusal = claim(directory)
    except OSError as error:
        warn(f"{directory} cannot be used ({error.strerror}); compiling without a cache")
        return None
    if refusal:
        warn(f"{directory} {refusal}; using a temporary directory instead")
        return _temporary()
    return directory


def _wanted() -> Path | None:
    chosen = os.environ.get("SYMGRAD_CACHE_DIR")
    if chosen:
        return Path(chosen).absolute()
    if sys.platform == "darwin":
        place = "~/Library/Caches"
    elif sys.platform == "win32":
        place = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        xdg = os.environ.get("XDG_CACHE_HOME", "")
        place = xdg if os.path.isabs(xdg) else "~/.cache"  # the XDG rule: a relative path is ignored
    place = os.path.expanduser(place)
    if not os.path.isabs(place):
        warn("this user has no home directory; set SYMGRAD_CACHE_DIR; compiling without a cache")
        return None
    return Path(place, "symgrad")


def claim(directory: Path) -> str:
    """Create the directory with mode 0700; return why it is refused, or "". Raises: OSError."""
    for missing in reversed([p for p in (directory, *directory.parents) if not os.path.lexists(p)]):
        with suppress(FileExistsError):  # another process was faster
            missing.mkdir(mode=0o700)
    status = os.lstat(directory)
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "is not a directory"
    return _exposed(status)


def _exposed(status: os.stat_result) -> str:
    if sys.platform == "win32":  # no owners and modes there; the profile directory is private by its ACL
        return ""
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    return "can be written by other users" if status.st_mode & _BY_OTHERS else ""


@functools.cache
def _temporary() -> Path | None:
    """A fresh directory with mode 0700 that this process removes when it ends."""
    try:
        directory = Path(tempfile.mkdtemp(prefix="symgrad-"))
    except OSError:
        return None
    atexit.register(_remove, directory, os.getpid())
    return directory


def _remove(directory: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child that exits must not take the parent's directory away
        shutil.rmtree(directory, ignore_errors=True)


def read(path: Path, size: int | None = None) -> bytes | None:
    """The bytes of a regular file of ours (of that size, if given); None for anything else."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or _exposed(status) or size not in (None, status.st_size):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(descriptor)


def publish(path: Path, data: bytes) -> bool:
    """Put a file (mode 0600) in place at once, over whatever is there; False, with a warning, if that fails.

    The bytes go to a fresh name in the same directory, then ``os.replace``: a reader sees the
    old file or the new one, and a process that is killed leaves at most the fresh name.
    """
    fresh = None
    try:
        descriptor, fresh = tempfile.mkstemp(prefix="new-", dir=path.parent)
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(fresh, path)
        fresh = None
        return True
    except OSError as error:
        warn(f"{path.parent} cannot be written ({error.strerror}); compiling without a cache")
        return False
    finally:  # an interrupt of the user's, too, leaves nothing behind
        if fresh is not None:
            with suppress(OSError):
                os.unlink(fresh)


def replace(path: Path, data: bytes) -> bool:
    """``publish``, with a warning if it replaces something: no file of ours has other bytes under that name."""
    if os.path.lexists(path):
        warn(f"{path} was damaged or foreign; written again")
    return publish(path, data)


def seal(path: Path, payload: bytes) -> bytes:
    """The payload after the SHA-256 of it and of its place: ``directory/name``.

    It finds damage and files that symgrad did not write there. Whoever can forge it can write
    in a directory of mode 0700, and so is the user; hence no key.
    """
    place = f"symgrad 1\0{path.parent.name}/{path.name}\0".encode()
    return hashlib.sha256(place + payload).digest() + payload


def read_sealed(path: Path) -> bytes | None:
    """The payload of a sealed file; a file that is not what was sealed is deleted, unread, and None returned."""
    data = read(path)
    if data is not None and seal(path, data[_DIGEST:]) == data:
        return data[_DIGEST:]
    if os.path.lexists(path):
        warn(f"{path} was damaged or foreign; deleted and compiled again")
        with suppress(OSError):
            os.unlink(path)
    return None
