r"""Labels as numbers: the classes of the training labels, and the map from a label to its number or its one-hot row.

In: labels (words, whole numbers, booleans). Out: a ``Coding``: a pure function of other labels, with its inverse.
Invariant: a label that is none of the classes is refused, never coded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError, DtypeError, IndexRangeError, NumericError, ShapeError
from symgrad.ir.show import printable
from symgrad.runtime.border import listed

_SHOWN = 12  # classes that are printed
_KINDS = {"b": "booleans", "i": "numbers", "u": "numbers", "f": "numbers", "U": "words"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Coding:
    """Labels as numbers 0, 1, ..., or as rows with a 1 in the place of the class; ``inverse`` gives labels again.

    ``classes`` are the labels in the order of their numbers.
    """

    classes: np.ndarray
    is_hot: bool
    dtype: str = "float64"

    def __call__(self, y: Any) -> np.ndarray:
        """The numbers, or the one-hot rows, of labels.

        Raises:  IndexRangeError for a label that is none of the classes; NumericError, DtypeError, ShapeError
        """
        places = self._places(labels(y))
        if not self.is_hot:
            return places
        return (places[:, None] == np.arange(len(self.classes))).astype(self.dtype)

    def _places(self, found: np.ndarray) -> np.ndarray:
        mine, given = _KINDS[self.classes.dtype.kind], _KINDS[found.dtype.kind]
        if "words" in (mine, given) and mine != given:
            raise DtypeError("the labels are of another kind than the classes", ("classes", mine), ("labels", given))
        order = np.argsort(self.classes, kind="stable")
        place = np.minimum(np.searchsorted(self.classes, found, sorter=order), len(order) - 1)
        places = order[place]
        wrong = np.flatnonzero(self.classes[places] != found)
        if len(wrong):
            row = int(wrong[0])
            names = [str(c) for c in self.classes.tolist()]
            fix = "learn the coding from labels that hold every class, or name them: classes=[...]"
            if names == [str(k) for k in range(len(names))] and given == "numbers":
                fix = "number the classes from 0: sg.data.class_numbers(y)(y); or give more classes"
            raise IndexRangeError(
                f"the label {printable(str(found[row]))} is none of the {len(names)} classes", ("row", str(row)),
                ("classes", listed(names)), fix=fix,
            )  # fmt: skip
        return places

    def inverse(self, outputs: Any) -> np.ndarray:
        """The labels of class numbers, or of rows with a column for each class (one-hot, logits, probabilities).

        Raises:  ShapeError for another number of columns, IndexRangeError for a number that is no class

        >>> one_hot(["no", "yes"]).inverse([[0.2, 0.8], [0.9, 0.1]]).tolist()
        ['yes', 'no']
        """
        found, count = np.asarray(outputs), len(self.classes)
        if found.ndim == 2 and found.shape[1] == count:
            return self.classes[found.argmax(axis=1)]
        if self.is_hot or found.ndim != 1 or found.dtype.kind not in "biu":
            facts = ("classes", str(count)), ("given", f"{found.dtype} of shape {found.shape}")
            fix = "" if count != 2 else "make numbers of one logit a row: (z[:, 0] > 0).astype(int)"
            raise ShapeError("there is a column for each class" + " or a class number" * (not self.is_hot), *facts,
                             fix=fix)  # fmt: skip
        if found.size and not 0 <= int(found.min()) <= int(found.max()) < count:
            raise IndexRangeError("there is no class of that number", ("classes", f"0 to {count - 1}"))
        return self.classes[found.astype(int)]

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        head = "one_hot: t_k = 1 where y is class k, else 0" if self.is_hot else "class_numbers: k where y is class k"
        names = [printable(str(c)) for c in self.classes.tolist()]
        lines = [f"{k:>3}  {name}" for k, name in enumerate(names[:_SHOWN])]
        return "\n".join([f"{head}; {len(names)} classes", *lines, *["..."] * (len(names) > _SHOWN)])


def labels(y: Any) -> np.ndarray:
    """Labels as a vector of words, whole numbers or booleans.

    Raises:  ShapeError, DtypeError for what is no label, NumericError for one that is missing
    """
    if y is None or isinstance(y, (str, bytes, dict, set)) or hasattr(y, "node"):
        raise DtypeError("y is no array of labels", ("given", type(y).__name__))
    found = np.asarray(y)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim != 1 or not len(found):
        fix = "one-hot rows have their labels in y.argmax(axis=1)" if found.ndim == 2 else "give one label for each row"
        raise ShapeError("labels are one for each row", ("given", str(found.shape)), fix=fix)
    if found.dtype.kind == "O" or found.dtype.kind == "T":
        found = _of_objects(found)
    if found.dtype.kind not in _KINDS:
        raise DtypeError("labels are words, whole numbers or booleans", ("given", str(found.dtype)))
    if found.dtype.kind == "f":
        _check_whole(found)
    return found


def _of_objects(found: np.ndarray) -> np.ndarray:
    """Objects as words or numbers, all of one kind."""
    values = found.tolist()
    for row, value in enumerate(values):
        if value is None or type(value).__name__ == "NAType" or value != value:
            raise NumericError("a label is missing", ("row", str(row)), fix="drop such rows first")
    kinds = sorted({_kind(v) for v in values})
    if kinds not in (["numbers"], ["words"]):
        fix = "y.astype(str) makes words of all"
        raise DtypeError("labels are all words or all numbers", ("given", listed(kinds)), fix=fix)
    return np.array(values)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "words"
    return "numbers" if isinstance(value, (int, float, np.number)) else type(value).__name__


def _check_whole(found: np.ndarray) -> None:
    wrong = np.flatnonzero(~np.isfinite(found))
    if len(wrong):
        raise NumericError("a label is missing", ("row", str(wrong[0])), ("given", str(found[wrong[0]])),
                           fix="drop such rows first")  # fmt: skip
    wrong = np.flatnonzero(found != np.trunc(found))
    if len(wrong):
        raise DtypeError(
            "labels are words, whole numbers or booleans", ("row", str(wrong[0])), ("given", str(found[wrong[0]])),
            fix="numbers between are fitted, not classed: take a loss such as mse",
        )  # fmt: skip


def _coding(y: Any, classes: Any, is_hot: bool, dtype: str = "float64") -> Coding:
    found = labels(y)
    coding = Coding(_classes(found, classes), is_hot, dtype)
    coding._places(found)
    return coding


def _classes(found: np.ndarray, classes: Any) -> np.ndarray:
    """Those that are named, or numbered, or else those that occur, in order."""
    if classes is None:
        occur = np.unique(found)
        if len(occur) < 2:
            fix = "give labels of two classes or more, or name the classes: classes=[...]"
            raise DeclarationError("y holds one class only", ("class", printable(str(occur[0]))), fix=fix)
        return occur
    if isinstance(classes, (int, np.integer)) and not isinstance(classes, bool):
        if classes < 1:
            raise DeclarationError("classes is a whole number of 1 or more, or the classes", ("given", str(classes)))
        return np.arange(classes)
    if isinstance(classes, str) or not isinstance(classes, (Sequence, np.ndarray)):
        raise DeclarationError("classes is their number, or all of them in order", ("given", repr(classes)[:40]))
    named = labels(classes)
    if len(np.unique(named)) < len(named):
        raise DeclarationError("a class is named twice", ("classes", listed(list(map(str, named)))))
    return named


def one_hot(y: Any, classes: Any = None, dtype: str = "float64") -> Coding:
    """Learn the classes of labels, and code a label as a row with 1 in the place of its class and 0 elsewhere.

    ``classes`` is their number (labels are then 0, 1, ...) or all of them in the order of the columns; by default
    those that occur, sorted.

    Shapes:  labels (n,) to rows (n, classes)
    Raises:  IndexRangeError for a label that is none of the classes; DeclarationError where y holds one class only;
             NumericError for a missing label, DtypeError for numbers that are not whole, ShapeError

    >>> coding = one_hot(["rose", "lily", "rose"])
    >>> coding(["lily", "rose"])
    array([[1., 0.],
           [0., 1.]])
    >>> one_hot([0, 2], classes=3)([2]).tolist()
    [[0.0, 0.0, 1.0]]
    """
    return _coding(y, classes, True, dtype)


def class_numbers(y: Any, classes: Any = None) -> Coding:
    """Learn the classes of labels, and code a label as the number of its class: 0, 1, ...

    Shapes:  labels (n,) to whole numbers (n,)
    Raises:  as ``one_hot``

    >>> coding = class_numbers([1, 3, 3, 7])
    >>> coding([3, 7]).tolist(), coding.inverse([0, 2]).tolist()
    ([1, 2], [1, 7])
    """
    return _coding(y, classes, False)


__all__ = ["Coding", "class_numbers", "labels", "one_hot"]
