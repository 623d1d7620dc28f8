"""What users give to a model, on its way in: converted where that is plain, refused with advice where it is not.

In: a declared variable, and whatever stands for it. Out: arrays of the declared kinds. Whole floats are class numbers
where those are wanted, objects that are numbers are numbers; words are not, and the message says how they become some.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError, DtypeError, IndexRangeError, NumericError, ShapeError
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.runtime.border import convert, listed, plain_array, wrong_shape
from symgrad.train.data.table import first_that_is_none, where

_NUMBERED = "number the classes: y = sg.data.class_numbers(y)(y)"
_CODED = "code them as numbers (sg.data.one_hot), or leave the column out"


def prepared(v: Node, value: Any, dtype: str) -> np.ndarray:
    """A value as an array of the declared kind.

    Raises:  DtypeError for what is no number of the kind, NumericError for a missing label
    """
    name, kind = v["variable"].name, v.type.dtype
    if hasattr(value, "toarray"):
        given = ("given", type(value).__name__)
        raise DtypeError(f"{printable(name)} is a sparse matrix", given, fix="make it dense: x.toarray()")
    if not isinstance(value, (Iterator, np.memmap)):
        array = plain_array(name, value)
        if array.ndim and array.dtype.kind in "OUST":
            value = _numbers(v, array, value)
        if array.ndim and kind == "int" and array.dtype.kind == "f":
            value = _whole(name, array)
    return convert(name, value, v.type, dtype)


def _numbers(v: Node, array: np.ndarray, value: Any) -> np.ndarray:
    """Objects that are numbers, as such: floats, or whole numbers where all of them are."""
    place = first_that_is_none(array)
    if place is None:
        floats = array.astype(float)
        return _whole(v["variable"].name, floats) if v.type.dtype == "int" else floats
    columns = getattr(value, "columns", None)
    is_label = v.type.dtype == "int" or (v.type.rank == 2 and v.shape[1] == 1)
    element = array[place]
    missing = element is None or type(element).__name__ == "NAType"
    what = "a missing value" if missing else "words" if isinstance(element, str) else type(element).__name__
    wanted = "integers" if v.type.dtype == "int" else "real numbers"
    raise DtypeError(
        f"{printable(v['variable'].name)} takes {wanted}, not {what}",
        *where(place, None if columns is None else tuple(map(str, columns))), ("given", printable(str(element))),
        fix="drop such rows, or fill them first" if missing else _NUMBERED if is_label else _CODED,
    )  # fmt: skip


def _whole(name: str, array: np.ndarray) -> np.ndarray:
    """Floats that are whole as integers; a label that is NaN is missing."""
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        raise NumericError(f"{printable(name)}: a label is missing", *where(tuple(map(int, wrong[0])), None),
                           fix="drop such rows first")  # fmt: skip
    wrong = np.argwhere(array != np.trunc(array))
    if len(wrong):
        place = tuple(map(int, wrong[0]))
        raise DtypeError(
            f"{printable(name)} takes class numbers", *where(place, None), ("given", f"{array[place]:g}"),
            fix="numbers between are fitted, not classed: take a loss such as mse",
        )  # fmt: skip
    return array.astype(np.int64)


def other_shape(v: Node, array: np.ndarray) -> ShapeError:
    """The error of an array that does not fit the declaration, with the usual reason."""
    error = wrong_shape(v, array, "another shape")
    width = v.shape[1] if v.type.rank == 2 else None
    if v.type.dtype == "int" and array.ndim == v.type.rank + 1:
        error.fix = 'one-hot rows have their class numbers in y.argmax(axis=1), or take loss="categorical_crossentropy"'
    elif v.type.dtype == "real" and array.ndim == 1 and width is not None and width != 1 and width != len(array):
        is_label = (array == np.trunc(array)).all()
        numbered = 'class numbers take loss="sparse_categorical_crossentropy", or become rows: sg.data.one_hot(y)(y)'
        error.fix = numbered if is_label else f"give each row {width} numbers"
    elif array.ndim == v.type.rank - 1 and array.shape == tuple(v.shape[1:]):
        error.fix = "give one row as a batch of one: row[None]"
    elif width == 1 and array.ndim == 2:
        error.fix = f"give one column, or the output {array.shape[1]} units"
    return error


def check_targets(v: Node, y: np.ndarray, classes: int | None, ignored: Any = None) -> None:
    """Refuse labels that name no class, and probabilities (``classes`` is None) that are none.

    Raises:  IndexRangeError
    """
    top = 1 if classes is None else classes - 1
    wrong = (y < 0) | (y > top)
    if ignored is not None:
        wrong &= y != ignored
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    name, row = printable(v["variable"].name), ("row", str(place[0]))
    if classes is not None:
        raise IndexRangeError(
            f"{name} holds the label {y[place]}, but there are {classes} classes", row, ("labels", f"0 to {top}"),
            fix="number the classes from 0 (y = sg.data.class_numbers(y)(y)), or give the output a unit for each",
        )  # fmt: skip
    is_label = bool((y == np.trunc(y)).all())
    fix = _NUMBERED + "; or take another loss" if is_label else "take a loss of numbers, such as mse"
    raise IndexRangeError(f"{name} holds {y[place]:g}, but this loss takes probabilities", row,
                          ("range", "0 to 1"), fix=fix)  # fmt: skip


def check_rows_of_table(v: Node, ids: np.ndarray, rows: int) -> None:
    """Refuse integers that name no row of an Embedding's table; -1 would be its last row, as in NumPy.

    Raises:  IndexRangeError
    """
    wrong = np.argwhere((ids < 0) | (ids >= rows))
    if not len(wrong):
        return
    place = tuple(int(i) for i in wrong[0])
    raise IndexRangeError(
        f"{printable(v['variable'].name)} holds {ids[place]}, but the Embedding has {rows} rows", *where(place, None),
        ("rows", f"0 to {rows - 1}"), fix="number what is embedded from 0, or give Embedding a larger input_dim",
    )  # fmt: skip


def class_weights(weights: Any, y: Any, rows: Any) -> np.ndarray:
    """A weight for each row from the weight of its class (labels, or one-hot rows), times the row's own.

    ``weights`` are by class, or "balanced": n / (classes times rows of the class), so that all classes count alike.
    A class that a dict leaves out weighs 1, as in Keras.

    Raises:  DeclarationError for a weight that is none, for a dict that names no class of y, for a list that is short

    >>> class_weights("balanced", [0, 0, 0, 1], None).round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    labels = np.asarray(y)
    if labels.ndim == 2 and labels.shape[1] > 1:
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1)
    if labels.dtype.kind == "f" and (labels == np.trunc(labels)).all():
        labels = labels.astype(np.int64)  # as the dict's keys are written
    occur, number, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(weights, str) and weights == "balanced":
        known: Mapping[Any, Any] = dict(zip(occur.tolist(), len(labels) / (len(occur) * counts), strict=True))
    else:
        known = _by_class(weights)
    missing = [label for label in occur.tolist() if label not in known]
    if missing and (known is not weights or len(missing) == len(occur)):
        fix = "its keys are the labels as they are in y" if known is weights else "give one for each class"
        raise DeclarationError(f"class_weight has no weight for class {missing[0]}",
                               ("classes", listed(list(map(str, known)))), fix=fix)  # fmt: skip
    found = np.array([known.get(label, 1.0) for label in occur.tolist()], float)[number]
    return found if rows is None else found * np.asarray(rows, float).reshape(-1)


def _by_class(weights: Any) -> Mapping[Any, float]:
    """Weights of classes, those of a list being of class 0, 1, ..."""
    if isinstance(weights, (Sequence, np.ndarray)) and not isinstance(weights, str):
        weights = dict(enumerate(weights))
    if not isinstance(weights, Mapping):
        fix = 'write class_weight={0: 1.0, 1: 5.0} or class_weight="balanced"'
        raise DeclarationError("class_weight has a weight for each class", ("given", repr(weights)[:40]), fix=fix)
    for label, weight in weights.items():
        is_number = isinstance(weight, (int, float, np.number)) and not isinstance(weight, bool)
        if not is_number or not 0 <= weight < np.inf:
            raise DeclarationError(f"the weight of class {printable(str(label))} is a number of 0 or more",
                                   ("given", repr(weight)[:40]))  # fmt: skip
    return weights


__all__ = ["check_rows_of_table", "check_targets", "class_weights", "other_shape", "prepared"]
