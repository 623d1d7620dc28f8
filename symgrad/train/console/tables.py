"""Data for ``python -m symgrad train``: built in, drawn, or from a CSV file, as one record.

In: a name or a file. Out: ``Data``: features as floats, and a target that is class numbers or numbers. Invariant:
every number is finite.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symgrad.errors import CallError, DeclarationError, ExpressionError
from symgrad.ir.show import printable
from symgrad.nn.rows import find
from symgrad.runtime.border import listed
from symgrad.train.console.datasets import DRAWN, generate

BUILT_IN = ("digits", "iris", "wine", "breast_cancer", "diabetes")
_FEW = 20  # as many whole numbers in a column are classes


@dataclass(frozen=True, slots=True)
class Data:
    """``classes`` are the names of class 0, 1, ...; none for a regression. ``features`` are names, where there are."""

    name: str
    x: np.ndarray
    y: np.ndarray
    classes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def named(name: str, noise: float, seed: int) -> Data:
    """A data set by name; noise and seed serve those that are drawn.

    Raises:  DeclarationError for an unknown name, or noise for one that is not drawn
    """
    find("data set", name, {**dict.fromkeys(BUILT_IN), **DRAWN})
    if name in DRAWN:
        x, y = generate(name, noise=noise, seed=seed)
        return Data(name, x, y, ("0", "1") if DRAWN[name].has_classes else ())
    if noise:
        raise DeclarationError("noise is for data that are drawn", ("given", name), ("drawn", listed(list(DRAWN))))
    try:
        from sklearn import datasets
    except ImportError:
        raise CallError(f"{name} comes with scikit-learn", fix="pip install scikit-learn") from None
    found = getattr(datasets, f"load_{name}")()
    classes = tuple(map(str, getattr(found, "target_names", ())))
    return Data(name, np.asarray(found.data, float), np.asarray(found.target), classes)


def read(path: str, target: str, is_number: bool = False) -> Data:
    """A CSV file with a line of names; the target's column holds words, few whole numbers (classes), or numbers.

    Cells are separated by commas, semicolons or tabs. ``is_number``: whole numbers are numbers, not classes.

    Raises:  CallError for a file that cannot be read, ExpressionError for a cell that is not a number
    """
    names, lines = _lines(path)
    if target not in names:
        raise CallError(f"{printable(path)} has no column {printable(target)}", ("columns", listed(names)))
    place = names.index(target)
    cells = [line[place].strip() for line in lines]
    columns = [i for i in range(len(names)) if i != place]
    if not columns:
        raise CallError(f"{printable(path)} has no column besides the target", ("columns", listed(names)))
    x = np.array(
        [[_number(line[i], names[i], row) for i in columns] for row, line in enumerate(lines, 2)], dtype=float
    )  # fmt: skip
    if "" in cells:
        raise ExpressionError(f"line {cells.index('') + 2} has no {printable(target)}")
    y, classes = _target(cells, target, is_number)
    return Data(Path(path).name, x, y, classes, tuple(names[i] for i in columns))


def _lines(path: str) -> tuple[list[str], list[list[str]]]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first.count)
            head, *lines = [line for line in csv.reader(file, delimiter=separator) if line] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise CallError(f"{printable(path)} cannot be read", ("reason", said)) from None
    names = [name.strip() for name in head]
    if len(lines) < 2:
        raise CallError(f"{printable(path)} has too few lines", ("needed", "a line of names, then a line a row"))
    if all(_is_number(name) for name in names):
        raise CallError(
            f"{printable(path)} begins with numbers, not with the names of its columns", ("line 1", listed(names[:6])),
            fix="put a line of names first",
        )  # fmt: skip
    if repeated := [name for name in names if names.count(name) > 1]:
        raise CallError(f"{printable(path)} names the column {printable(repeated[0])} twice")
    for row, line in enumerate(lines, 2):
        if len(line) != len(names):
            raise ExpressionError(
                f"line {row} has another number of cells", ("names", str(len(names))), ("cells", str(len(line)))
            )
    return names, lines


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _number(cell: str, column: str, row: int) -> float:
    if not _is_number(cell):
        raise ExpressionError(
            f"line {row}, column {printable(column)}: {printable(cell)!r} is not a number",
            fix="leave the column out, or write numbers for its words"
            if cell.strip()
            else "drop such lines, or fill them first",
        )
    return float(cell)


def _target(cells: Sequence[str], name: str, is_number: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """Class numbers with the classes' names in order, or numbers."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        order = sorted(set(cells))
        return np.array([order.index(cell) for cell in cells]), tuple(order)
    for row, cell in enumerate(cells, 2):
        _number(cell, name, row)
    found = sorted(set(values))
    if is_number or len(found) > _FEW or not all(v.is_integer() for v in found):
        return np.array(values), ()
    return np.searchsorted(found, values), tuple(f"{v:g}" for v in found)


__all__ = ["BUILT_IN", "Data", "named", "read"]
