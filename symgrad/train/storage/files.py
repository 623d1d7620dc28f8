"""Model files: a document and arrays in one file, which is an npz that NumPy reads too.

    symgrad.json, array, array, ..., directory      nothing pickled or compressed, every byte covered by a checksum

Out: a file as ``publish`` puts it. In: what ``contents`` finds in a path. A file is read to the byte as it was written,
or refused by a ModelFileError. Nothing of the document is interpreted here: it is data.
"""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, ModelFileError
from symgrad.ir.show import printable
from symgrad.train.storage import document as json
from symgrad.train.storage.contents import (
    DESCRIPTION,
    FORMAT,
    KINDS,
    LONGEST_NAME,
    MOST_AXES,
    VERSION,
    contents,
    refusal,
    seal,
)
from symgrad.train.storage.document import DamageError
from symgrad.train.storage.layout import DTYPES, Array, Member, directory, local_header
from symgrad.train.storage.publish import previous, publish

_KIND_FIX = {"model": "load it with sg.nn.load", "checkpoint": "go on from it with fit(resume=...)"}


class ModelFileWarning(RuntimeWarning):
    """The newest generation of a file is damaged; the one before was read."""


def write(
    path: Any, document: Any, arrays: Mapping[str, np.ndarray], *, kind: str = "model", generations: int = 1
) -> None:
    """Put a document (of names, numbers, lists) and arrays in one file, at once: killed at any time, it is the old one.

    With ``generations=2`` the file that was there is kept as ``<name>.previous``. Equal contents give equal bytes.

    Raises:  OSError if it cannot be written (the file that was there is as it was); DtypeError, UnsupportedError for
             contents that could not be read back
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/net.npz", {"units": [3]}, {"W": np.eye(2)})
    ...     read(f"{folder}/net.npz")[0], np.load(f"{folder}/net.npz")["W"].tolist()
    ({'units': [3]}, [[1.0, 0.0], [0.0, 1.0]])
    """
    assert kind in KINDS
    assert isinstance(document, dict)
    views = [_bytes_of(name, array) for name, array in arrays.items()]
    specs = [_described(*item, view) for item, view in zip(arrays.items(), views, strict=True)]
    listed = [{"name": s.name, "dtype": s.dtype, "shape": list(s.shape), "sha256": s.sha256} for s in specs]
    text = json.dumps({"format": FORMAT, "version": VERSION, "kind": kind, "arrays": listed, "document": document})
    publish(Path(path), _pieces(text, specs, views), keep_previous=generations > 1)


def _bytes_of(name: Any, array: Any) -> memoryview:
    """The elements, little-endian, in C order."""
    array = np.asarray(array)
    if array.dtype.name not in DTYPES:
        fix = f"convert it to one of {', '.join(DTYPES)}"
        raise DtypeError(
            f"a model file does not hold arrays of {array.dtype}", ("array", printable(str(name))), fix=fix
        )
    flat = np.asarray(array, DTYPES[array.dtype.name], order="C").reshape(-1)
    return memoryview(flat.view(np.uint8))  # type: ignore[arg-type]


def _described(name: Any, array: Any, view: memoryview) -> Array:
    array = np.asarray(array)
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or array.ndim > MOST_AXES:
        facts = ("array", printable(str(name))), ("axes", str(array.ndim))
        raise DtypeError(f"an array in a model file has a name, and at most {MOST_AXES} axes", *facts)
    return Array(name, array.dtype.name, array.shape, hashlib.sha256(view).hexdigest())


def _pieces(text: bytes, specs: Sequence[Array], views: Sequence[memoryview]) -> Iterator[bytes | memoryview]:
    """The file, from its beginning."""
    members = [Member(DESCRIPTION, zlib.crc32(text), len(text))]
    yield local_header(members[0]) + text
    for i, (spec, view) in enumerate(zip(specs, views, strict=True)):
        members.append(spec.member(i, zlib.crc32(view, zlib.crc32(spec.header))))
        yield local_header(members[-1]) + spec.header
        yield view
    yield directory(members, seal(text))


def read(
    path: Any,
    *,
    kind: str | None = None,
    allow_nan: bool | Collection[str] | Callable[[str], bool] = False,
    generations: int = 1,
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The document and the arrays of a file.

    Arrays that hold NaN are refused; ``allow_nan`` takes them all, or those of some names. With ``generations=2`` a
    damaged file falls back to the one before, with a ModelFileWarning.

    Raises:  ModelFileError for a file that is damaged, foreign, of another kind or from a later version; OSError if
             there is none, or it may not be read
    """
    path = Path(path)
    description, arrays = _newest(path, generations)
    if kind not in (None, description["kind"]):
        raise refusal(path, f"it is a {description['kind']}, not a {kind}", _KIND_FIX[description["kind"]])
    for name, array in arrays.items():
        if not _takes(allow_nan, name) and array.dtype.kind == "f" and np.isnan(np.min(array, initial=0)):
            fix = "use a file from before training went wrong"
            raise refusal(path, f"the array {printable(name)} holds NaN", fix)
    return description["document"], arrays


def _takes(allowed: bool | Collection[str] | Callable[[str], bool], name: str) -> bool:
    """Whether an array of that name may hold NaN."""
    if isinstance(allowed, bool):
        return allowed
    return allowed(name) if callable(allowed) else name in allowed


def _newest(path: Path, generations: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The contents of the file, or of the generation before where it is damaged."""
    try:
        return contents(path)
    except DamageError as damage:
        refused, why = refusal(path, str(damage), damage.fix), str(damage)
    if generations == 1:
        raise refused
    try:
        found = contents(previous(path))
    except (DamageError, ModelFileError, OSError):
        raise refused from None
    warnings.warn(f"{path.name}: {why}; {previous(path).name} is read instead", ModelFileWarning, stacklevel=3)
    return found
