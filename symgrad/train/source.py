"""Where the rows of a batch come from.

In: whatever has a row for each sample (arrays, lists, pandas, memory maps). Out: contiguous arrays of the declared
kinds, whole, or for data larger than ``BUFFER`` that lie in a file the rows of the next few steps only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symgrad.errors import NumericError, ShapeError
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.train.data.given import check_rows_of_table, check_targets, other_shape, prepared
from symgrad.train.data.table import where
from symgrad.train.loop import Course

BUFFER = 32 * 2**20  # bytes of rows that are held at a time, where the data are not held whole
Permutation = Callable[[np.ndarray, int, int], Any]


class Source:
    """Arrays by variable, checked against the declarations; ``rows`` is how many each has.

    ``table_rows`` is the size of the table whose rows the first variable names, if it names some.
    """

    def __init__(
        self, variables: Sequence[Node], given: Sequence[Any], dtype: str, table_rows: int | None = None
    ) -> None:
        self.variables, self.dtype = tuple(variables), dtype
        self.is_streamed = any(is_mapped(g) for g in given)
        self.given = [
            g if self.is_streamed and is_mapped(g) else self._converted(v, g)
            for v, g in zip(variables, given, strict=True)
        ]
        self._check()
        self.rows = len(self.given[0])
        if table_rows is not None and not is_mapped(self.given[0]):
            check_rows_of_table(self.variables[0], self.given[0], table_rows)
        self._order: tuple[int, np.ndarray] | None = None

    def _converted(self, v: Node, value: Any) -> np.ndarray:
        array = prepared(v, value, self.dtype)
        if v.type.rank == 2 and v.shape[1] == 1 and array.ndim == 1:
            array = array.reshape(-1, 1)  # a column
        if v.type.rank == 1 and array.ndim == 2 and array.shape[1] == 1:
            array = array.reshape(-1)
        return array

    def _check(self) -> None:
        """Shapes as declared, one number of rows.

        Raises:  ShapeError
        """
        for v, a in zip(self.variables, self.given, strict=True):
            part = self._converted(v, a[:1]) if is_mapped(a) and a.ndim else a
            if part.ndim != v.type.rank or any(
                isinstance(n, int) and n != m for n, m in zip(v.shape, part.shape, strict=True)
            ):
                raise other_shape(v, a)
            if len(a) != len(self.given[0]):
                facts = [
                    (printable(w["variable"].name), f"{len(b)} rows")
                    for w, b in zip(self.variables, self.given, strict=True)
                ]
                raise ShapeError("the arrays have different numbers of rows", *facts[:8])
        if not len(self.given[0]):
            raise ShapeError("there are no rows", fix="give at least one sample")

    def check_finite(self) -> None:
        """Refuse data with NaN or infinity before anything is changed (data in files are not read for it).

        Raises:  NumericError
        """
        for v, a in zip(self.variables, self.given, strict=True):
            if isinstance(a, np.memmap) or a.dtype.kind != "f" or np.isfinite(a).all():
                continue
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(a))[0])
            raise NumericError(
                f"{printable(v['variable'].name)} holds NaN or infinity", *where(place, None),
                fix="drop such rows, or fill them first",
            )  # fmt: skip

    def check_targets(self, place: int, classes: int | None, ignored: Any = None) -> None:
        """Refuse labels that name no class, and probabilities (no ``classes``) outside 0 to 1.

        Raises:  IndexRangeError
        """
        if not is_mapped(self.given[place]):
            check_targets(self.variables[place], self.given[place], classes, ignored)

    def rows_of(self, place: int, begin: int, end: int) -> np.ndarray:
        """Some rows of one of the arrays."""
        return self._converted(self.variables[place], self.given[place][begin:end])

    def sample(self, count: int) -> list[np.ndarray]:
        """As many rows of every array, evenly chosen; all of them where there are no more."""
        chosen = np.linspace(0, self.rows - 1, min(count, self.rows)).round().astype(np.int64)
        return [self._converted(v, a[chosen]) for v, a in zip(self.variables, self.given, strict=True)]

    def limit(self, course: Course, first: int, last: int) -> int:
        """The step up to which one call can run."""
        if not self.is_streamed:
            return last
        row = sum(_row_bytes(a) for a in self.given)
        steps = max(1, BUFFER // max(1, row * course.size))
        return min(last, first + steps, (first // course.per_epoch + 1) * course.per_epoch)

    def arrays(
        self, course: Course, span: tuple[int, int], permutation: Permutation | None
    ) -> tuple[list[np.ndarray], int]:
        """The arrays for steps span[0]..span[1]-1, and the row of the epoch that they start with."""
        if not self.is_streamed:
            return self.given, 0  # type: ignore[return-value]
        first, last = span
        epoch = first // course.per_epoch
        begin = (first - epoch * course.per_epoch) * course.size
        end = min((last - epoch * course.per_epoch) * course.size, course.rows)
        wanted: Any = slice(begin, end)
        if permutation is not None:
            wanted = self._drawn(course, epoch, permutation)[begin:end]
        return [self._converted(v, a[wanted]) for v, a in zip(self.variables, self.given, strict=True)], begin

    def _drawn(self, course: Course, epoch: int, permutation: Permutation) -> np.ndarray:
        if self._order is None or self._order[0] != epoch:
            order = np.empty(course.rows, np.int64)
            permutation(order, course.seed, epoch)
            self._order = epoch, order
        return self._order[1]


def is_mapped(value: Any) -> bool:
    """Whether the value lies in a file, and is too large to be held as it is."""
    return isinstance(value, np.memmap) and value.nbytes > BUFFER


def _row_bytes(a: Any) -> int:
    return max(1, a.nbytes // max(1, len(a)))


def split_last(arrays: Sequence[Any], share: float) -> tuple[list[Any], list[Any]]:
    """The first rows, and the last ``share`` of them: the split is made before anything is shuffled, as Keras does."""
    rows = len(arrays[0])
    cut = int(rows * (1.0 - share))
    return [a[:cut] for a in arrays], [a[cut:] for a in arrays]
