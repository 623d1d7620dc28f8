"""Whatever holds a table of numbers, as an array with the names of its columns.

In: arrays, lists, pandas, anything with ``__array__``. Out: an array of numbers with a row for each sample. Nothing is
converted to floats here, and files stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, NumericError, ShapeError
from symgrad.ir.show import printable
from symgrad.runtime.border import plain_array

CHUNK = 2**22  # numbers that are looked at together: a memory map is never read as a whole
Names = tuple[str, ...] | None


def table(x: Any) -> tuple[np.ndarray, Names]:
    """The numbers, and the columns' names where the table has some.

    Raises:  DtypeError for what is not a number, ShapeError for no row
    """
    names = getattr(x, "columns", None)
    columns = None if names is None else tuple(map(str, names))
    array = x if isinstance(x, np.memmap) else plain_array("X", x)
    if array.dtype.kind == "O":
        array = _of_objects(array, columns)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        raise DtypeError("X takes real numbers", ("given", f"{type(x).__name__} of {array.dtype}"))
    if array.ndim == 0 or not array.size:
        raise ShapeError("X has no rows", ("given", str(array.shape)), fix="give an array with a row for each sample")
    return array, columns


def _of_objects(array: np.ndarray, columns: Names) -> np.ndarray:
    """Objects that are numbers, as floats: a frame of whole numbers and booleans arrives so."""
    place = first_that_is_none(array)
    if place is None:
        return array.astype(float)
    value = array[place]
    missing = value is None or type(value).__name__ == "NAType"
    raise DtypeError(
        "X holds a missing value" if missing else "X holds what is not a number",
        *where(place, columns), ("given", printable(str(value))),
        fix="drop such rows, or fill them first" if missing else
            "leave the column out, or make numbers of it: sg.data.one_hot(words)(words)",
    )  # fmt: skip


def first_that_is_none(array: np.ndarray) -> tuple[int, ...] | None:
    """The place of the first element that is no number."""
    for place, value in np.ndenumerate(array):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
            return place
    return None


def where(place: tuple[int, ...], columns: Names) -> list[tuple[str, str]]:
    """Row and column of an element, as a message names them."""
    found = [("row", str(place[0]))]
    if len(place) == 2:
        found.append(("column", printable(columns[place[1]]) if columns else str(place[1])))
    elif len(place) > 2:
        found.append(("place", str(tuple(map(int, place[1:])))))
    return found


def chunks(array: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """The rows in portions, as float64 in C order: sums do not depend on how the rows lie in memory."""
    step = max(1, CHUNK // max(1, array[:1].size))
    for begin in range(0, len(array), step):
        rows = slice(begin, begin + step)
        yield rows, np.ascontiguousarray(array[rows], float)


def check_finite(chunk: np.ndarray, rows: slice, columns: Names) -> None:
    """Refuse NaN and infinity.

    Raises:  NumericError that names the first such element
    """
    if np.isfinite(chunk).all():
        return
    place = tuple(int(i) for i in np.argwhere(~np.isfinite(chunk))[0])
    what = "NaN (a missing value)" if np.isnan(chunk[place]) else "infinity"
    raise NumericError(
        f"X holds {what}", *where((rows.start + place[0], *place[1:]), columns),
        fix="drop such rows (X[np.isfinite(X).all(axis=1)], frame.dropna()), or fill them first",
    )  # fmt: skip
