"""What stands in a model file, which may be anything.

In: a path. Out: the description and the arrays. What is not, to the byte, a file that ``files.write`` makes is a
DamageError, found before anything of the claimed size is allocated: sizes are computed from the description, compared
with the file's, and every byte that is no data with what must stand there. The description is data, and stays data.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
import zlib
from io import RawIOBase
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import ModelFileError
from symgrad.ir.show import printable
from symgrad.train.storage import document as json
from symgrad.train.storage.document import DamageError
from symgrad.train.storage.layout import DTYPES, Array, Member, claimed, directory, local_header

FORMAT, VERSION = "symgrad", 1
KINDS = ("model", "checkpoint")
DESCRIPTION = "symgrad.json"  # the first member
MOST_AXES, LONGEST_NAME = 32, 1000
_FIELDS = {"format", "version", "kind", "arrays", "document"}
_ARRAY_FIELDS = {"name", "dtype", "shape", "sha256"}
_DIGEST = re.compile("[0-9a-f]{64}")
_LARGEST = 1 << 48  # elements
_AT_ONCE = 1 << 20
_OPEN = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
_ITSELF, _ANOTHER = "give the path of the file itself", "give a file that save or a checkpoint has written"
_FOREIGN = {
    b"PK": "a zip archive or npz of other contents", b"\x80": "a pickle, which could run any code",
    b"\x93NUMPY": "a single array of NumPy's", b"\x89HDF": "an HDF5 file, as Keras writes them", b"{": "JSON text",
}  # fmt: skip


def seal(text: bytes) -> bytes:
    """The checksum of the description, which holds those of the arrays: the archive's comment."""
    return b"symgrad " + hashlib.sha256(text).hexdigest().encode()


def refusal(path: Path, why: str, fix: str) -> ModelFileError:
    """Why a file is not taken, in one layout."""
    return ModelFileError(f"{printable(path.name, 80)}: {why}", ("file", printable(str(path), 200)), fix=fix)


def contents(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description and the arrays. Raises: DamageError; ModelFileError for a later version; OSError."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise DamageError("it is not a regular file (but a link, a directory or a device)", _ITSELF)
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise DamageError("it is a link", _ITSELF) from None
        raise
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise DamageError("it is not a regular file", _ITSELF)
        text = _description_text(file, status.st_size)
        description = json.loads(text)
        _check_version(path, description)
        specs = _specs(description)
        return description, _arrays(file, status.st_size, text, specs)


def _description_text(file: RawIOBase, size: int) -> bytes:
    """The first member."""
    template = local_header(Member(DESCRIPTION, 0, 0))
    header = file.read(len(template)) or b""
    if not header:
        raise DamageError("it is empty")
    if len(header) < len(template) and template.startswith(header[:14]):
        raise DamageError(f"it is cut short: {size} bytes")
    member = claimed(header, DESCRIPTION) if len(header) == len(template) else None
    if member is None or local_header(member) != header:
        known = [text for start, text in _FOREIGN.items() if header.startswith(start)]
        raise DamageError(f"it is not a model file of symgrad's{f', but {known[0]}' if known else ''}", _ANOTHER)
    if member.size > size - len(header):
        raise DamageError(f"it is cut short: {size} bytes, of which its description alone has {member.size}")
    if member.size > json.MOST_BYTES:
        raise DamageError(f"its description has {member.size} bytes; the limit is {json.MOST_BYTES}")
    text = _taken(file, member.size)
    if zlib.crc32(text) != member.crc:
        raise DamageError("its description is damaged")
    return text


def _check_version(path: Path, description: Any) -> None:
    """The fields of this version."""
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise DamageError("it is not a model file of symgrad's")
    version = description.get("version")
    if type(version) is int and version > VERSION:
        fix = "update symgrad: pip install --upgrade symgrad"
        raise refusal(path, f"a later symgrad wrote it (version {version}; this one reads version {VERSION})", fix)
    if version != VERSION or type(version) is not int or description.keys() != _FIELDS:
        raise DamageError(f"it does not have the fields of version {VERSION}")
    if description["kind"] not in KINDS or not isinstance(description["document"], dict):
        raise DamageError("its kind or its document is unknown")


def _specs(description: dict[str, Any]) -> list[Array]:
    """What the file says of its arrays, checked."""
    listed = description["arrays"]
    if not isinstance(listed, list) or not all(isinstance(a, dict) and a.keys() == _ARRAY_FIELDS for a in listed):
        raise DamageError("its list of arrays is damaged")
    if not all(_is_array(**a) for a in listed) or len({a["name"] for a in listed}) < len(listed):
        raise DamageError("its list of arrays is damaged")
    return [Array(a["name"], a["dtype"], tuple(a["shape"]), a["sha256"]) for a in listed]


def _is_array(name: Any, dtype: Any, shape: Any, sha256: Any) -> bool:
    if not all(isinstance(v, str) for v in (name, dtype, sha256)) or not isinstance(shape, list):
        return False
    sizes = len(shape) <= MOST_AXES and all(type(n) is int and n >= 0 for n in shape)
    fits = sizes and prod(max(n, 1) for n in shape) <= _LARGEST
    return fits and 0 < len(name) <= LONGEST_NAME and dtype in DTYPES and _DIGEST.fullmatch(sha256) is not None


def _arrays(file: RawIOBase, size: int, text: bytes, specs: list[Array]) -> dict[str, np.ndarray]:
    """The arrays, and that nothing else is in the file; memory is taken only for what is there."""
    members = [Member(DESCRIPTION, zlib.crc32(text), len(text)), *(s.member(i) for i, s in enumerate(specs))]
    whole = sum(len(local_header(m)) + m.size for m in members) + len(directory(members, seal(text)))
    if size != whole:
        raise DamageError(f"it is {'cut short' if size < whole else 'too long'}: {size} bytes of {whole}")
    found = {}
    for i, spec in enumerate(specs):
        header = _taken(file, len(local_header(members[i + 1])))
        found[spec.name], members[i + 1] = _array(file, spec, i)
        if header != local_header(members[i + 1]):
            raise DamageError(f"the array {printable(spec.name)} is damaged")
    end = directory(members, seal(text))
    if _taken(file, len(end)) != end or file.read(1):
        raise DamageError("its end is damaged, or it changed while it was read")
    return found


def _array(file: RawIOBase, spec: Array, place: int) -> tuple[np.ndarray, Member]:
    header = _taken(file, len(spec.header))
    array = np.empty(spec.shape, DTYPES[spec.dtype])
    view = memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]
    digest, crc = hashlib.sha256(), zlib.crc32(header)
    for start in range(0, len(view), _AT_ONCE):
        part = view[start : start + _AT_ONCE]
        _read_into(file, part)
        digest.update(part)
        crc = zlib.crc32(part, crc)
    is_truth = spec.dtype != "bool" or np.max(np.frombuffer(view, np.uint8), initial=0) <= 1
    if header != spec.header or digest.hexdigest() != spec.sha256 or not is_truth:
        raise DamageError(f"the array {printable(spec.name)} is damaged")
    return array, spec.member(place, crc)


def _taken(file: RawIOBase, count: int) -> bytes:
    taken = bytearray(count)
    _read_into(file, memoryview(taken))
    return bytes(taken)


def _read_into(file: RawIOBase, view: memoryview) -> None:
    while view:
        try:
            count = file.readinto(view)
        except OSError as error:
            raise DamageError(f"it cannot be read: {error.strerror}") from None
        if not count:
            raise DamageError("it is cut short, or changed while it was read")
        view = view[count:]
