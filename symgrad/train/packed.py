"""What callbacks remember, as data for a file: numbers, text, lists, and arrays beside them.

{...} -> {"fields": {...}}    array -> {"array": name}    NaN, infinity -> {"float": "nan"}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DtypeError
from symgrad.ir.show import printable


def pack(value: Any, arrays: dict[str, np.ndarray], name: str) -> Any:
    """The value as data; its arrays are added to ``arrays``, under names that begin with ``name``.

    Raises:  DtypeError for anything that is no data
    >>> pack({"best": np.float64(0.5), "wait": 2}, {}, "stop")
    {'fields': {'best': 0.5, 'wait': 2}}
    """
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"fields": {key: pack(v, arrays, f"{name}/{key}") for key, v in value.items()}}
    if isinstance(value, (list, tuple)):
        return [pack(v, arrays, f"{name}/{i}") for i, v in enumerate(value)]
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise DtypeError("a callback's state is numbers, text, lists and arrays", (printable(name), type(value).__name__))


def unpack(data: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The value again.

    Raises:  ValueError, KeyError for what ``pack`` does not make
    >>> unpack({"fields": {"best": {"float": "-inf"}}}, {})
    {'best': -inf}
    """
    if isinstance(data, list):
        return [unpack(d, arrays) for d in data]
    if not isinstance(data, dict):
        return data
    ((kind, value),) = data.items()
    if kind == "fields":
        return {key: unpack(d, arrays) for key, d in value.items()}
    return arrays[value] if kind == "array" else float(value)
