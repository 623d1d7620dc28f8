"""Parameters of nodes as plain data for JSON, to the bit.

    value = integer | true | false | null | "text" | [value, ...]
          | {"real": "0x1.8p+1"} | {"size": [[coefficient, atom, ...], ...]} | {"array": "name"}
    atom  = "name of a size" | [size, divisor]

Lists stand for tuples. Reading computes sizes anew, within bounds, so that they are in the form of this version.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symgrad.ir.node import Frozen
from symgrad.ir.show import printable
from symgrad.ir.types import AnySize, Quotient, Size
from symgrad.ir.types import named as named_size
from symgrad.ops.verify import DEEPEST_SIZE, MOST_AXES, is_moderate

_DEEPEST = 64  # lists in lists
_WORD = 2**63
_NAN = re.compile("nan [0-9a-f]{16}")


def to_plain(param: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A parameter as data; constant arrays are added to ``arrays``."""
    if isinstance(param, float):
        return {"real": _hexadecimal(param)}
    if isinstance(param, Frozen):
        return {"array": _kept(param.array, arrays)}
    if isinstance(param, Size):
        return {"size": _terms(param)}
    if isinstance(param, tuple):
        return [to_plain(p, arrays) for p in param]
    assert param is None or type(param) in (bool, int, str), f"a parameter of the type {type(param).__name__}"
    return param


def from_plain(data: Any, arrays: Mapping[str, np.ndarray], depth: int = 0) -> Any:
    """A parameter from data; a ValueError says what is wrong with it."""
    if depth > _DEEPEST:
        raise ValueError("lists are nested too deep")
    if isinstance(data, list):
        return tuple(from_plain(d, arrays, depth + 1) for d in data)
    if data is None or type(data) in (bool, str) or (type(data) is int and -_WORD <= data < _WORD):
        return data
    if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in _TAGGED:
        raise ValueError(f"no parameter has a value like this ({type(data).__name__})")
    ((tag, held),) = data.items()
    return _TAGGED[tag](held, arrays)


def _hexadecimal(value: float) -> str:
    """All bits of a number; of a NaN its bit pattern."""
    return value.hex() if value == value else f"nan {struct.pack('>d', value).hex()}"


def _real(text: Any, arrays: Any = None) -> float:
    if not isinstance(text, str) or len(text) > 40:
        raise ValueError("a real number is stored as hexadecimal text")
    value = struct.unpack(">d", bytes.fromhex(text[4:]))[0] if _NAN.fullmatch(text) else float.fromhex(text)
    if _hexadecimal(value) != text:
        raise ValueError(f"{printable(text)} is not how a real number is stored")
    return value


def _kept(array: np.ndarray, arrays: dict[str, np.ndarray]) -> str:
    """The name of a constant array, made of its content: equal arrays are kept once."""
    kept = np.asarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{kept.dtype.str}{kept.shape}".encode() + kept.tobytes()).hexdigest()
    name = f"constant_{digest[:16]}"
    arrays[name] = array
    return name


def _array(name: Any, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if not isinstance(name, str) or name not in arrays:
        raise ValueError(f"the array {printable(str(name))} is missing")
    return arrays[name]


# Sizes


def _terms(size: Size) -> list:
    return [[n, *(_atom(a) for a in atoms)] for atoms, n in size.terms]


def _atom(atom: str | Quotient) -> Any:
    return atom if isinstance(atom, str) else [_terms(atom.numerator), atom.divisor]


def _size(data: Any, arrays: Any = None, depth: int = 0) -> AnySize:
    """An expression of named sizes: the sum of its terms."""
    if not isinstance(data, list) or depth > DEEPEST_SIZE:
        raise ValueError("a size is a list of terms")
    total: AnySize = 0
    for term in data:
        total = _moderate(total + _term(term, depth))
    return total


def _term(data: Any, depth: int) -> AnySize:
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_AXES or type(data[0]) is not int:
        raise ValueError("a term of a size is [coefficient, atom, ...]")
    product: AnySize = data[0]
    for atom in data[1:]:
        product = _moderate(product * _atom_of(atom, depth))
    return product


def _atom_of(data: Any, depth: int) -> AnySize:
    if isinstance(data, str):
        if not (data.isascii() and data.isidentifier()):
            raise ValueError(f"{printable(data)} is not the name of a size")
        return named_size(data)
    if not isinstance(data, list) or len(data) != 2 or type(data[1]) is not int or data[1] < 1:
        raise ValueError("a quotient of sizes is [size, divisor]")
    return _size(data[0], None, depth + 1) // data[1]


def _moderate(size: AnySize) -> AnySize:
    """Sizes in a file must not multiply out to long ones."""
    if not is_moderate(size):
        raise ValueError("a size is too long")
    return size


_TAGGED: dict[str, Callable[[Any, Any], Any]] = {"real": _real, "size": _size, "array": _array}
