"""``x[...]``: integers, slices, ``...``, ``None``, one integer tensor.

Known sizes are checked now; named ones when the function runs, where a slice beyond the end is an
IndexRangeError (it is never cut short silently).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.errors import DtypeError, IndexRangeError, ShapeError
from symgrad.frontend.tensor import HOOKS, Tensor, as_node
from symgrad.ir.node import Frozen, Node, build
from symgrad.ir.show import described
from symgrad.ir.types import AnySize, Size
from symgrad.ops.shape import reshape, take_slice


def take_index(x: Node, index: Any) -> Node:
    """NumPy's basic indexing, and one integer tensor or array."""
    items = list(index) if isinstance(index, tuple) else [index]
    items = _expand_ellipsis(x, items)
    _check_together(x, items)
    starts: list[AnySize] = []
    sizes: list[AnySize] = []
    steps: list[int] = []
    shape: list[AnySize] = []
    gathers: list[tuple[int, Any]] = []
    axis = 0
    for item in items:
        if item is None:
            shape.append(1)
            continue
        n = x.shape[axis]
        start, size, step, keep = _one(x, axis, item, n)
        if keep is None:
            gathers.append((len(shape), item))
        starts.append(start)
        sizes.append(size)
        steps.append(step)
        if keep is not False:
            shape.append(size)
        axis += 1
    y = reshape(take_slice(x, tuple(starts), tuple(sizes), tuple(steps)), tuple(shape))
    return _gather(y, gathers, x)


def _check_together(x: Node, items: list) -> None:
    """NumPy moves an axis to the front where an index array and an integer are kept apart; that is refused."""
    arrays = [i for i, item in enumerate(items) if isinstance(item, (Tensor, np.ndarray, list))]
    chosen = [i for i, item in enumerate(items) if isinstance(item, (Tensor, np.ndarray, list, int, np.integer))]
    if arrays and chosen[-1] - chosen[0] >= len(chosen):
        raise ShapeError(
            "an index array and an integer with a slice between them",
            ("tensor", described(x)),
            fix="index in two steps: x[0][:, index]",
        )


def _expand_ellipsis(x: Node, items: list) -> list:
    used = sum(item is not None and item is not Ellipsis for item in items)
    if used > x.type.rank:
        fix = "give one index for each axis at most"
        raise ShapeError(f"{used} indices for {x.type.rank} axes", ("tensor", described(x)), fix=fix)
    at = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(at) > 1:
        raise ShapeError("an index may have one ... only", ("tensor", described(x)))
    fill = [slice(None)] * (x.type.rank - used)
    return items[: at[0]] + fill + items[at[0] + 1 :] if at else items + fill


def _one(x: Node, axis: int, item: Any, n: AnySize) -> tuple[AnySize, AnySize, int, bool | None]:
    """(start, size, step, keep) of one axis; keep None marks an index tensor."""
    if isinstance(item, slice):
        return (*_slice(x, item, n), True)
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return _integer(x, axis, int(item), n), 1, 1, False
    if isinstance(item, (Tensor, np.ndarray, list)):
        return 0, n, 1, None
    raise DtypeError(
        f"an index must be an integer, a slice, ..., None or an integer tensor, not {type(item).__name__}",
        ("tensor", described(x)),
    )


def _outside(x: Node, axis: int, i: int, n: int) -> IndexRangeError:
    fix = f"use {-n} to {n - 1}" if n else "the axis is empty"
    return IndexRangeError(f"index {i} is outside axis {axis} of size {n}", ("tensor", described(x)), fix=fix)


def _integer(x: Node, axis: int, i: int, n: AnySize) -> AnySize:
    if isinstance(n, int) and not -n <= i < n:
        raise _outside(x, axis, i, n)
    return i if i >= 0 else n + i


def _slice(x: Node, item: slice, n: AnySize) -> tuple[AnySize, AnySize, int]:
    for bound in (item.start, item.stop, item.step):
        if bound is not None and not isinstance(bound, (int, np.integer, Size)):
            raise DtypeError("slice bounds must be integers or sizes", ("tensor", described(x)))
    step = 1 if item.step is None else int(item.step)
    if step == 0:
        raise ShapeError("a slice's step must not be 0", ("tensor", described(x)))
    if isinstance(n, int) and not isinstance(item.start, Size) and not isinstance(item.stop, Size):
        begin, end, step = item.indices(n)
        return begin, len(range(begin, end, step)), step
    first, last = (0, n) if step > 0 else (n - 1, -1)
    start = first if item.start is None else _bound(item.start, n)
    stop = last if item.stop is None else _bound(item.stop, n)
    length = stop - start if step > 0 else start - stop
    count = (length + (abs(step) - 1)) // abs(step)
    return start, max(0, count) if isinstance(count, int) else count, step


def _bound(value: Any, n: AnySize) -> AnySize:
    return value if isinstance(value, Size) or value >= 0 else n + int(value)


def _gather(y: Node, gathers: list[tuple[int, Any]], x: Node) -> Node:
    if not gathers:
        return y
    if len(gathers) > 1:
        raise ShapeError(
            "one index tensor at a time",
            ("tensor", described(x)),
            fix="use sg.take for one axis after the other, or sg.one_hot and a product",
        )
    axis, item = gathers[0]
    index = index_node(item)
    if index.dtype == "bool":
        fix = "use sg.where(mask, x, 0)"
        raise DtypeError("a boolean mask has no size known in advance", ("mask", described(index)), fix=fix)
    check_range(y, index, axis)
    return build("gather", y, index, axis=axis)


def index_node(item: Any) -> Node:
    """Positions as a node; an empty list holds integers."""
    if isinstance(item, (list, tuple)) and not any(isinstance(i, Tensor) for i in item):
        array = np.asarray(item)
        item = array if array.size else array.astype(int)
    return as_node(item, "int")


def check_range(x: Node, index: Node, axis: int) -> None:
    """Known positions on an axis of known size are checked now, all others when the function runs."""
    n = x.shape[axis]
    if index.op.name != "constant" or index.dtype != "int" or not isinstance(n, int):
        return
    held = index["value"]
    positions = held.array.reshape(-1) if isinstance(held, Frozen) else np.array([held])
    for i in positions[(positions < -n) | (positions >= n)][:1]:
        raise _outside(x, axis, i, n)


HOOKS["index"] = take_index
