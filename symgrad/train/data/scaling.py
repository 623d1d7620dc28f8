r"""TABLE: scalings, one row each: the affine map of the training rows' statistics, formula, source.

In: rows to learn from. Out: a ``Scaling``: a pure function of other rows (arrays or symbolic tensors) with its inverse
and its formula. Invariant: a column without spread is shifted, never divided by 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError, NumericError, ShapeError
from symgrad.frontend.tensor import Tensor
from symgrad.ir.show import printable
from symgrad.runtime.border import listed, shown
from symgrad.train.data.table import Names, check_finite, chunks, table

_SHOWN = 12  # columns that are printed


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Of every column (or whatever ``axes`` leave): arrays with the reduced axes kept at size 1."""

    rows: int
    axes: tuple[int, ...]
    columns: Names
    mean: np.ndarray
    spread: np.ndarray  # standard deviation, of n and not n - 1
    least: np.ndarray
    most: np.ndarray


def learned(x: Any, axis: Any) -> Statistics:
    """Mean, standard deviation, least and largest, in two passes over portions of the rows.

    The deviations are divided by the range before they are squared: no square overflows or vanishes.

    Raises:  DtypeError, ShapeError, NumericError for NaN and infinity; DeclarationError for an axis that is none
    """
    array, columns = table(x)
    axes = _axes(axis, array.ndim)
    count = np.prod([array.shape[i] for i in axes])
    total, least, most = 0.0, np.inf, -np.inf
    for rows, chunk in chunks(array):
        check_finite(chunk, rows, columns)
        total = total + (chunk / count).sum(axis=axes, keepdims=True)
        least = np.minimum(least, chunk.min(axis=axes, keepdims=True))
        most = np.maximum(most, chunk.max(axis=axes, keepdims=True))
    mean = np.clip(total, least, most)  # a constant column is its own mean, to the bit
    with np.errstate(over="ignore"):
        width = np.asarray(most - least)
    if not np.isfinite(width).all():
        raise NumericError("the spread of a column is beyond the largest float", fix="divide the numbers first")
    unit = np.where(width > 0, width, 1.0)
    square = sum((((chunk - mean) / unit) ** 2).sum(axis=axes, keepdims=True) / count for _, chunk in chunks(array))
    return Statistics(len(array), axes, columns, mean, unit * np.sqrt(square), np.asarray(least), np.asarray(most))


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes that a statistic is taken over; the rows are among them."""
    given = range(rank) if axis is None else axis if isinstance(axis, Sequence) else (axis,)
    wrong = [a for a in given if isinstance(a, bool) or not isinstance(a, int) or not -rank <= a < rank]
    if wrong:
        raise DeclarationError("X has no such axis", ("axis", repr(wrong[0])[:40]), ("axes", str(rank)))
    axes = tuple(sorted({a % rank for a in given}))
    if 0 not in axes:
        fix = "take axis=0 (each column), (0, 1, 2) (each channel of images) or None (all together)"
        raise DeclarationError("a scaling is learned over the rows, axis 0", ("axis", repr(axis)[:40]), fix=fix)
    return axes


@dataclass(frozen=True, slots=True)
class Row:
    """``affine`` gives (shift, unit) of z = (x - shift) / unit; ``shows`` are the statistics that are printed."""

    name: str
    affine: Callable[[Statistics], tuple[Any, Any]]
    formula: str
    latex: str
    shows: tuple[tuple[str, str], ...]
    source: str


def _by_mean(s: Statistics) -> tuple[Any, Any]:
    return s.mean, 1.0


def _by_spread(s: Statistics) -> tuple[Any, Any]:
    return s.mean, s.spread


def _by_largest(s: Statistics) -> tuple[Any, Any]:
    return 0.0, np.maximum(abs(s.least), abs(s.most))


def _by_range(s: Statistics) -> tuple[Any, Any]:
    return s.least, s.most - s.least


_CENTRED, _SPREAD = ("μ", "mean"), ("σ", "spread")
_LEAST, _MOST = ("min", "least"), ("max", "most")
_RANGE = r"a + (b - a)\,\frac{x - \min x}{\max x - \min x}"
_LARGEST = r"\frac{x}{\max |x|}"
TABLE = [
    Row("centre", _by_mean, "x - μ", r"x - \mu", (_CENTRED,), "LeCun et al. 1998, Efficient BackProp"),
    Row("standardise", _by_spread, "(x - μ) / σ", r"\frac{x - \mu}{\sigma}", (_CENTRED, _SPREAD),
        "LeCun et al. 1998, Efficient BackProp"),
    Row("divide_by_maximum", _by_largest, "x / max |x|", _LARGEST,
        (_LEAST, _MOST), "keeps 0 at 0"),
    Row("min_max", _by_range, "a + (b - a) (x - min) / (max - min)", _RANGE,
        (_LEAST, _MOST), "a range without bounds becomes one from a to b"),
]  # fmt: skip
ROWS = {row.name: row for row in TABLE}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Scaling:
    """z = low + span (x - shift) / unit, as it was learned; ``inverse`` goes back.

    ``constant`` says which columns had no spread: they are shifted only. Floats keep their type, whole numbers and
    booleans become float64. A symbolic tensor gives a symbolic tensor, so that a scaling may be a model's first step:
    ``sg.nn.Activation(scaling)``.
    """

    row: Row
    statistics: Statistics
    shift: np.ndarray
    unit: np.ndarray
    constant: np.ndarray
    low: float = 0.0
    span: float = 1.0

    def __call__(self, x: Any) -> Any:
        """Other rows, by what was learned.

        Raises:  ShapeError for other columns, NumericError for NaN and infinity, DtypeError
        """
        return self._mapped(x, self._forward)

    def inverse(self, z: Any) -> Any:
        """The rows that became z."""
        return self._mapped(z, self._backward)

    def _forward(self, x: Any) -> Any:
        y = (x - self.shift) / self.unit
        return y if (self.low, self.span) == (0.0, 1.0) else self.low + self.span * y

    def _backward(self, z: Any) -> Any:
        y = z if (self.low, self.span) == (0.0, 1.0) else (z - self.low) / self.span
        return y * self.unit + self.shift

    def _mapped(self, x: Any, step: Callable[[Any], Any]) -> Any:
        if isinstance(x, Tensor):
            self._check(x.shape, None)
            return step(x)
        array, columns = table(x)
        self._check(array.shape, columns)
        out = np.empty(array.shape, array.dtype if array.dtype.kind == "f" else float)
        for rows, chunk in chunks(array):
            check_finite(chunk, rows, columns or self.statistics.columns)
            out[rows] = step(chunk)
        return out

    def _check(self, shape: Any, columns: Names) -> None:
        """The same columns as those that were learned from."""
        mine, learned_shape = self.statistics.columns, self.shift.shape
        if mine is not None and columns is not None and mine != columns:
            raise ShapeError(
                "the columns are not those that were learned from", ("learned", listed(mine)),
                ("given", listed(columns)), fix="give them in that order: frame[list(scaling.columns)]",
            )  # fmt: skip
        if self.shift.size == 1 and len(self.statistics.axes) == self.shift.ndim:
            return  # one number for all
        if len(shape) != len(learned_shape) or any(
            n != m for i, (n, m) in enumerate(zip(shape, learned_shape, strict=True)) if i not in self.statistics.axes
        ):
            wanted = ["n" if i in self.statistics.axes else str(n) for i, n in enumerate(learned_shape)]
            fix = "give one row as x.reshape(1, -1)" if len(shape) == len(learned_shape) - 1 else ""
            facts = ("learned", f"({', '.join(wanted)})"), ("given", shown(tuple(shape)))
            raise ShapeError("the rows have other columns than those that were learned from", *facts, fix=fix)

    @property
    def columns(self) -> Names:
        """The columns' names, where the training rows had some."""
        return self.statistics.columns

    def latex(self) -> str:
        """The formula of a column."""
        return f"z = {self._with_ends(self.row.latex)}"

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"

    def _with_ends(self, formula: str) -> str:
        """The formula with the ends of the range as numbers, left out where they are 0 and 1."""
        if self.row.name != "min_max":
            return formula
        if (self.low, self.span) == (0.0, 1.0):
            return formula.replace("a + (b - a) ", "").replace(r"a + (b - a)\,", "")
        return formula.replace("a + (b - a)", f"{self.low:g} + {self.span:g}")

    def __repr__(self) -> str:
        rows = self.statistics.rows
        head = f"{self.row.name}: z = {self._with_ends(self.row.formula)}, of {rows} row{'s' * (rows != 1)}"
        labels = [label for label, _ in self.row.shows]
        values = [np.ravel(getattr(self.statistics, name)) for _, name in self.row.shows]
        names = self.columns if self.columns and len(self.columns) == self.shift.size else range(self.shift.size)
        lines = [["", *labels]]
        for i, name in zip(range(min(_SHOWN, self.shift.size)), names, strict=False):
            lines.append([printable(str(name)), *(f"{v[i]:.6g}" for v in values)])
            if np.ravel(self.constant)[i]:
                lines[-1].append("constant: shifted only")
        widths = [max(len(line[k]) for line in lines) for k in range(1 + len(labels))]
        text = [head, *("  ".join(_aligned(line, widths)).rstrip() for line in lines)]
        return "\n".join(text) + ("\n..." if self.shift.size > _SHOWN else "")


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=False)),
            *cells[len(widths):]]  # fmt: skip


def _scaling(name: str, x: Any, axis: Any, low: float = 0.0, high: float = 1.0) -> Scaling:
    row, statistics = ROWS[name], learned(x, axis)
    shift, unit = (np.broadcast_to(np.asarray(v, float), statistics.mean.shape) for v in row.affine(statistics))
    constant = unit == 0
    if constant.all():
        fix = "give more rows" if statistics.rows == 1 else "these columns tell nothing: leave them out"
        raise NumericError(f"{name}: no column varies, there is nothing to divide by", fix=fix)
    return Scaling(
        row, statistics, shift, np.where(constant, 1.0, unit), constant, float(low), float(high) - float(low)
    )


def centre(X: Any, axis: Any = 0) -> Scaling:
    """Zero-centring, z = x - μ: every column has mean 0.

    Maths:   μ = sum_i x_i / n
    Shapes:  X (n, ...); ``axis`` 0 for a number a column, None for one number for all, (0, 1, 2) for one a channel
    Raises:  DtypeError, ShapeError, NumericError for NaN and infinity
    Source:  LeCun et al. 1998, Efficient BackProp

    >>> centre([[1.0, 10.0], [3.0, 30.0]])([[2.0, 50.0]])
    array([[ 0., 30.]])
    """
    return _scaling("centre", X, axis)


def standardise(X: Any, axis: Any = 0) -> Scaling:
    """Standardising, z = (x - μ) / σ: every column has mean 0 and standard deviation 1.

    Maths:   σ^2 = sum_i (x_i - μ)^2 / n; a column without spread is centred only
    Shapes:  X (n, ...); ``axis`` 0 for numbers of each column, None for all together, (0, 1, 2) for each channel
    Raises:  DtypeError, ShapeError, NumericError for NaN and infinity and where no column varies
    Source:  LeCun et al. 1998, Efficient BackProp

    >>> scaling = standardise([[1.0, 5.0], [3.0, 5.0]])
    >>> scaling
    standardise: z = (x - μ) / σ, of 2 rows
       μ  σ
    0  2  1
    1  5  0  constant: shifted only
    >>> scaling([[4.0, 5.0]]), scaling.inverse([[2.0, 0.0]])
    (array([[2., 0.]]), array([[4., 5.]]))
    """
    return _scaling("standardise", X, axis)


def divide_by_maximum(X: Any, axis: Any = 0) -> Scaling:
    """Dividing by the maximum, z = x / max |x|: every column lies from -1 to 1, and 0 stays 0.

    Shapes:  X (n, ...); ``axis`` 0 for a number a column, None for one number for all, (0, 1, 2) for one a channel
    Raises:  DtypeError, ShapeError, NumericError for NaN and infinity and where all is 0

    >>> divide_by_maximum([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]])([[8.0, 3.0]])
    array([[0.8, 0.6]])
    """
    return _scaling("divide_by_maximum", X, axis)


def min_max(X: Any, low: float = 0.0, high: float = 1.0, axis: Any = 0) -> Scaling:
    """z = low + (high - low) (x - min) / (max - min): every column goes from ``low`` to ``high``.

    Shapes:  X (n, ...); ``axis`` 0 for numbers of each column, None for all together, (0, 1, 2) for each channel
    Raises:  DtypeError, ShapeError, NumericError for NaN and infinity and where no column varies; DeclarationError
             where ``low`` is not below ``high``

    >>> min_max([[0.0], [4.0]], low=-1, high=1)([[1.0], [6.0]])
    array([[-0.5],
           [ 2. ]])
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise DeclarationError("low is below high", ("low", repr(low)[:40]), ("high", repr(high)[:40]))
    return _scaling("min_max", X, axis, low, high)


center, standardize = centre, standardise  # as they are spelled elsewhere

__all__ = ["TABLE", "Scaling", "center", "centre", "divide_by_maximum", "min_max", "standardise", "standardize"]
