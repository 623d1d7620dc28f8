"""The bytes of a model file that are not data: a zip archive of .npy members, nothing compressed.

Every byte here is a function of the members' names, sizes and checksums. So a reader computes what must stand in a file
and compares: it never follows what an archive says of itself, and no bit of the file is unread. NumPy and any zip
program read the same file. Sizes have 64 bits throughout (ZIP64).

Source: PKWARE APPNOTE 6.3.10, 4.3; NumPy's format description (NEP 1), version 1.0
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

_ZIP64, _STORED, _DATE, _UNIX, _MODE = 45, 0, 0x21, 3 << 8, 0o600 << 16  # _DATE is 1 January 1980
_LATER16, _LATER32 = 0xFFFF, 0xFFFFFFFF  # the number stands in the 64-bit field
_LOCAL = struct.Struct("<4s5H3I2H")
_LOCAL_SIZES = struct.Struct("<2H2Q")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_CENTRAL_SIZES = struct.Struct("<2H3Q")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4s4H2IH")
DTYPES = {
    "float64": "<f8", "float32": "<f4", "int64": "<i8", "int32": "<i4", "uint64": "<u8", "uint32": "<u4",
    "uint8": "|u1", "bool": "|b1",
}  # fmt: skip
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:[./-]\w+)*", re.ASCII)  # what may name a member as it is: no path that leads out
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the archive: its name, CRC-32 and number of bytes."""

    name: str
    crc: int
    size: int


@dataclass(frozen=True, slots=True)
class Array:
    """An array in a file: its name, type and shape, and the checksum of its elements."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    sha256: str

    @property
    def header(self) -> bytes:
        """What stands before its elements."""
        return array_header(self.dtype, self.shape)

    def member(self, place: int, crc: int = 0) -> Member:
        """Its member of the archive, named by its place where its own name is not plain."""
        name = self.name if _PLAIN.fullmatch(self.name) and len(self.name) <= _LONGEST else str(place)
        size = prod(self.shape) * int(DTYPES[self.dtype][-1])
        return Member(f"{name}.npy", crc, len(self.header) + size)


def local_header(member: Member) -> bytes:
    """What stands before a member's bytes."""
    name = member.name.encode("ascii")
    fixed = _LOCAL.pack(
        b"PK\3\4", _ZIP64, 0, _STORED, 0, _DATE, member.crc, _LATER32, _LATER32, len(name), _LOCAL_SIZES.size
    )
    return fixed + name + _LOCAL_SIZES.pack(1, _LOCAL_SIZES.size - 4, member.size, member.size)


def claimed(header: bytes, name: str) -> Member:
    """The member of that name of which a local header speaks (or seems to)."""
    size = _LOCAL_SIZES.unpack_from(header, len(header) - _LOCAL_SIZES.size)[3]
    return Member(name, _LOCAL.unpack_from(header)[6], size)


def directory(members: Sequence[Member], comment: bytes) -> bytes:
    """What stands after the members: the central directory and its ends."""
    offset, entries = 0, b""
    for member in members:
        name = member.name.encode("ascii")
        fixed = _CENTRAL.pack(
            b"PK\1\2", _UNIX | _ZIP64, _ZIP64, 0, _STORED, 0, _DATE, member.crc, _LATER32, _LATER32,
            len(name), _CENTRAL_SIZES.size, 0, 0, 0, _MODE, _LATER32,
        )  # fmt: skip
        entries += fixed + name + _CENTRAL_SIZES.pack(1, _CENTRAL_SIZES.size - 4, member.size, member.size, offset)
        offset += len(local_header(member)) + member.size
    count = len(members)
    end64 = _END64.pack(b"PK\6\6", _END64.size - 12, _ZIP64, _ZIP64, 0, 0, count, count, len(entries), offset)
    locator = _LOCATOR.pack(b"PK\6\7", 0, offset + len(entries), 1)
    end = _END.pack(b"PK\5\6", _LATER16, _LATER16, _LATER16, _LATER16, _LATER32, _LATER32, len(comment))
    return entries + end64 + locator + end + comment


def array_header(dtype: str, shape: Sequence[int]) -> bytes:
    """What stands before the elements in a .npy file, in C order; its length is a multiple of 64.

    >>> array_header("float64", (2, 3))[10:68]
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), "
    """
    sizes = f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
    text = f"{{'descr': '{DTYPES[dtype]}', 'fortran_order': False, 'shape': {sizes}, }}"
    filled = text.ljust(-(len(text) + 11) % 64 + len(text)) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(filled)) + filled.encode("ascii")
