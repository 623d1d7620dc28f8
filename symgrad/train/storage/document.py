"""JSON that holds nothing but data, both ways: names, finite numbers, lists.

Out: ASCII without spaces, the same bytes for the same document. In: bytes that anybody may have written; NaN, infinity,
numbers that overflow, names given twice, and more or deeper parts than a document may have are a DamageError. What is
read takes at most about 100 MB, whatever the bytes are.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, UnsupportedError

MOST_BYTES, MOST_PARTS, DEEPEST = 8 << 20, 1_000_000, 100
_LARGEST = 10**20  # of an integer: above 2**64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = re.compile(rb"[^][{}]+")


class DamageError(Exception):
    """What is read is not what was written: what is wrong with it, and what to do."""

    def __init__(self, why: str, fix: str = "use another copy of it, or save the model again") -> None:
        self.fix = fix
        super().__init__(why)


def dumps(document: Any) -> bytes:
    """The document as text.

    Raises:  DtypeError for what is no data, UnsupportedError where it is too long to be read back
    >>> dumps({"units": [3, 0.5, None]})
    b'{"units":[3,0.5,null]}'
    """
    _check(document)
    text = json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")
    if len(text) > MOST_BYTES or _parts(text) > MOST_PARTS:
        limits = f"{MOST_BYTES} bytes or {MOST_PARTS} parts"
        raise UnsupportedError(f"a document in a model file has at most {limits}", fix="keep long lists as arrays")
    return text


def _check(document: Any) -> None:
    """Only what comes back as it was, but that tuples become lists."""
    level = [document]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict) and all(isinstance(key, str) for key in item):
                below.extend(item.values())
            elif isinstance(item, (list, tuple)):
                below.extend(item)
            elif not _is_plain(item):
                why = ("value", repr(item)[:80])
                raise DtypeError("a model file holds names, numbers that are finite, and lists of them", why)
        level = below
        if not level:
            return
    raise UnsupportedError(f"a document in a model file is nested at most {DEEPEST} deep")


def _is_plain(item: Any) -> bool:
    if isinstance(item, float):
        return math.isfinite(item)
    return item is None or isinstance(item, (str, bool)) or (isinstance(item, int) and abs(item) < _LARGEST)


def loads(text: bytes) -> Any:
    """The document again.

    Raises:  DamageError
    >>> loads(b'{"loss": NaN}')
    Traceback (most recent call last):
    symgrad.train.storage.document.DamageError: NaN is no number in a model file
    """
    if not text.isascii() or len(text) > MOST_BYTES or _parts(text) > MOST_PARTS or _depth(text) > DEEPEST:
        raise DamageError("its description is not ASCII, too long or nested too deep")
    try:
        return json.loads(
            text,
            parse_float=_finite,
            parse_int=_integer,
            parse_constant=_no_number,
            object_pairs_hook=_distinct,
        )
    except (ValueError, RecursionError):
        raise DamageError("its description is not JSON") from None


def _parts(text: bytes) -> int:
    """How many values there are at most."""
    return sum(text.count(c) for c in (b",", b"[", b"{"))


def _depth(text: bytes) -> int:
    """How deep brackets nest, up to the place where text stops being JSON."""
    brackets = np.frombuffer(_NOT_BRACKETS.sub(b"", _STRING.sub(b"", text)), np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    return int(np.cumsum(np.where(opens, np.int8(1), np.int8(-1)), dtype=np.int32).max(initial=0))


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _no_number(text[:40])
    return number


def _integer(text: str) -> int:
    if len(text) > 21 or abs(int(text)) >= _LARGEST:
        _no_number(f"{text[:30]}...")
    return int(text)


def _no_number(text: str) -> None:
    raise DamageError(f"{text} is no number in a model file")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DamageError("its description gives a name twice")
    return found
