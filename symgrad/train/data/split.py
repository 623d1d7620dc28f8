"""Two parts of the rows: those to learn from, and those kept apart.

In: arrays, lists, frames with as many rows. Out: the same in two parts, in an order drawn from a seed. Invariant: each
row is in one part, and stratified parts hold each class by its share, to within one row.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from symgrad.errors import CallError, DeclarationError, ShapeError
from symgrad.train.data.labels import labels


def split(*arrays: Any, share: float = 0.2, seed: int = 0, stratify: Any = None) -> tuple[Any, Any]:
    """The rows in two parts: ``train, validation = split(X, y)``; ``net.fit(*train, validation_data=validation)``.

    The second part is ``share`` of the rows (to the nearest row). The order is drawn from ``seed``. With ``stratify``,
    labels such as y, each part has each class by its share, to within one row, and the first part has every class.
    Arrays give arrays, frames give frames, lists give lists; one array gives two arrays, several two tuples.

    Raises:  CallError without arrays, ShapeError for other numbers of rows, DeclarationError for a share or seed that
             makes no sense or leaves one side empty
    Source:  largest remainders (Hamilton)

    >>> train, validation = split([10, 20, 30, 40, 50], ["a", "b", "a", "b", "a"], share=0.4, seed=1)
    >>> len(train[0]), len(validation[1])
    (3, 2)
    >>> kept = split([0, 0, 0, 0, 1, 1], share=0.5, stratify=[0, 0, 0, 0, 1, 1])[1]
    >>> sorted(kept)
    [0, 0, 1]
    """
    if not arrays:
        raise CallError("split takes the arrays to split", fix="train, validation = sg.data.split(X, y)")
    rows = [_rows(a) for a in arrays]
    if len(set(rows)) > 1:
        raise ShapeError("the arrays have different numbers of rows", ("rows", ", ".join(map(str, rows))))
    parts = indices(rows[0], share, seed, stratify)
    first, second = (tuple(_taken(a, part) for a in arrays) for part in parts)
    return (first[0], second[0]) if len(arrays) == 1 else (first, second)


def indices(rows: int, share: float, seed: int, stratify: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The row numbers of the two parts.

    >>> [len(part) for part in indices(10, 0.25, seed=0)]
    [8, 2]
    """
    if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0.0 < share < 1.0:
        raise DeclarationError("share is between 0 and 1", ("given", repr(share)[:40]), fix="share=0.2 is a fifth")
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise DeclarationError("seed is a whole number of 0 or more", ("given", repr(seed)[:40]))
    kept = round(rows * float(share))
    if not 0 < kept < rows:
        raise DeclarationError("share leaves no rows on one side", ("rows", str(rows)), ("share", f"{share:g}"))
    order = np.random.default_rng(int(seed)).permutation(rows)
    if stratify is None:
        return order[kept:], order[:kept]
    found = labels(stratify)
    if len(found) != rows:
        raise ShapeError("stratify has another number of rows", ("rows", str(rows)), ("stratify", str(len(found))))
    _, number, counts = np.unique(found, return_inverse=True, return_counts=True)
    own = number[order]
    place = np.empty(rows, int)  # of each row among those of its class, in the drawn order
    for k in range(len(counts)):
        place[own == k] = np.arange(counts[k])
    is_kept = place < _quotas(counts, kept)[own]
    return order[~is_kept], order[is_kept]


def _quotas(counts: np.ndarray, kept: int) -> np.ndarray:
    """How many rows of each class are kept: ``kept`` in all, by largest remainders, never a class whole."""
    if kept > counts.sum() - len(counts):
        raise DeclarationError(
            "too few rows remain to learn every class from", ("rows", str(counts.sum() - kept)),
            ("classes", str(len(counts))), fix="take a smaller share, or leave stratify out",
        )  # fmt: skip
    exact = counts * (kept / counts.sum())
    quota = np.minimum(np.floor(exact).astype(int), counts - 1)
    while (missing := kept - quota.sum()) > 0:
        rest = np.where(quota < counts - 1, exact - quota, -np.inf)
        quota[np.argsort(-rest, kind="stable")[: min(missing, int(np.isfinite(rest).sum()))]] += 1
    return quota


def _rows(a: Any) -> int:
    if a is None or isinstance(a, (str, bytes, dict, set)) or not hasattr(a, "__len__") or not np.ndim(a):
        raise CallError("split takes arrays with a row for each sample", ("given", type(a).__name__))
    return len(a)


def _taken(a: Any, rows: np.ndarray) -> Any:
    """Some rows, in what the whole was in."""
    if hasattr(a, "iloc"):
        return a.iloc[rows]
    if isinstance(a, (list, tuple)):
        return type(a)(a[i] for i in rows.tolist())
    return np.asarray(a[rows] if isinstance(a, np.ndarray) else np.asarray(a)[rows])


__all__ = ["indices", "split"]
