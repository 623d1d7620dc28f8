"""Whether parts make a node: what every rule takes for granted of the arguments and parameters of its op.

In: an op, the types of its arguments, its parameters, from a place that may hold anything (a file). Out: why they
do not fit, or "". Element-wise rows are checked by what they say of themselves, every other op by its line in RULES or
by its own ``fits``.
``infer`` then finds the type, of which ``unbounded`` says whether it is of a size that arrays can have.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any

from symgrad.ir.node import Op
from symgrad.ir.types import AnySize, ArrayType, Quotient, Size, broadcast_shapes
from symgrad.ops.registry import Elementwise
from symgrad.ops.span import room
from symgrad.ops.window import count

KINDS = ("real", "int", "bool")
LARGEST = 2**62  # size or number of elements: positions are integers of 64 bits
LARGEST_ORDER = 64  # of the derivative that a row is
MOST_AXES, MOST_TERMS, DEEPEST_SIZE = 64, 64, 32
LONGEST_NAME, LONGEST_LATEX = 200, 10_000
_WORDS = re.compile(r"([A-Za-z]*),([A-Za-z]*)->([A-Za-z]*)")


def complaint(op: Op, types: Sequence[ArrayType], params: Mapping[str, Any]) -> str:
    """Why an op does not take these arguments and parameters, or "".

    >>> from symgrad.ir.node import OPS
    >>> from symgrad.ir.types import real
    >>> complaint(OPS["transpose"], [real(2, 3)], {"perm": (1, 0)})
    ''
    >>> complaint(OPS["transpose"], [real(2, 3)], {"perm": (0, 0)})
    'transpose does not take perm=(0, 0)'
    """
    if op.row is not None:
        fits = _row_fits(op.row, types, params)
    elif (rule := RULES.get(op.name, op.fits)) is not None:
        try:
            _signature(rule).bind(*types, **params)
        except TypeError as error:
            return f"{op.name}: {error}"
        fits = rule(*types, **params)
    else:
        return f"{op.name} is no operation on arguments"
    given = ", ".join(f"{name}={value!r}"[:80] for name, value in params.items()) if not fits else ""
    return "" if fits else f"{op.name} does not take {given or ', '.join(map(str, types)) or 'nothing'}"


@functools.cache
def _signature(rule: Callable[..., bool]) -> inspect.Signature:
    return inspect.signature(rule)


def unbounded(t: ArrayType) -> str:
    """Why no array has this type, or ""."""
    if len(t.shape) > MOST_AXES:
        return f"{len(t.shape)} axes"
    if not all(map(is_size, t.shape)):
        return f"a size of {str(t)[:80]} is not one"
    if prod(n for n in t.shape if isinstance(n, int)) > LARGEST:
        return f"more than {LARGEST} elements"
    return ""


def is_size(n: Any) -> bool:
    """Whether n is a size from 0 to LARGEST, or an expression of named sizes of moderate length."""
    return isinstance(n, Size) and is_moderate(n) if type(n) is not int else 0 <= n <= LARGEST


def is_moderate(n: AnySize) -> bool:
    """Few terms, coefficients of 64 bits, quotients not nested deep."""
    if isinstance(n, int):
        return -LARGEST <= n <= LARGEST
    below = [n]
    for _ in range(DEEPEST_SIZE):
        terms = [(atoms, c) for size in below for atoms, c in size.terms]
        if len(terms) > MOST_TERMS or any(abs(c) > LARGEST or len(atoms) > MOST_AXES for atoms, c in terms):
            return False
        quotients = [a for atoms, _ in terms for a in atoms if isinstance(a, Quotient)]
        if any(q.divisor > LARGEST for q in quotients):
            return False
        below = [q.numerator for q in quotients]
        if not below:
            return True
    return False


def _is_start(n: Any) -> bool:
    return -1 <= n <= LARGEST if type(n) is int else is_size(n)


def _whole(values: Any, low: int = 0, high: int = LARGEST) -> bool:
    """A tuple of integers between the bounds."""
    return isinstance(values, tuple) and all(type(v) is int and low <= v <= high for v in values)


def _shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and not unbounded(ArrayType(shape, "real"))


def _axis(axis: Any, rank: int) -> bool:
    return type(axis) is int and 0 <= axis < rank


def _axes(axes: Any, rank: int) -> bool:
    """Axes in ascending order."""
    return _whole(axes, 0, rank - 1) and all(a < b for a, b in pairwise(axes))


def _reduces(*kinds: str) -> Callable[..., bool]:
    return lambda t, axes: t.dtype in kinds and _axes(axes, t.rank)


def _extreme(t: ArrayType, axes: Any, lowest: Any = False) -> bool:
    return _axes(axes, t.rank) and (lowest is False or (lowest is True and t.dtype == "real"))


def _reshape(t: ArrayType, shape: Any) -> bool:
    """A product of sizes has as many terms as the product of their numbers of terms."""
    return _shape(shape) and all(
        prod(len(n.terms) for n in s if isinstance(n, Size)) <= MOST_TERMS**2 for s in (t.shape, shape)
    )


def _cut(sizes: Any, whole: Any, start: Any, step: Any) -> bool:
    """Whether start, start + step, ... lies in an axis, as far as numbers are known."""
    lengths = {len(sizes), len(whole), *(len(v) if isinstance(v, tuple) else -1 for v in (start, step))}
    if len(lengths) > 1 or not all(map(_is_start, start)) or not _whole(step, -LARGEST) or 0 in step:
        return False
    spare = [n for each in zip(sizes, whole, start, step, strict=True) for n in room(*each)]
    return all(n >= 0 for n in spare if isinstance(n, int))


def _pad(t: ArrayType, shape: Any, start: Any, step: Any, fill: Any = 0.0) -> bool:
    return _is_number(fill) and _shape(shape) and _cut(t.shape, shape, start, step)


def _is_number(value: Any) -> bool:
    return type(value) in (float, int, bool)


def _diagonal(t: ArrayType, axes: Any) -> bool:
    return _whole(axes, 0, t.rank - 1) and len(axes) == len(set(axes)) == 2


def _concatenate(*types: ArrayType, axis: Any) -> bool:
    return bool(types) and _axis(axis, types[0].rank)


def _scatter(index: ArrayType, v: ArrayType, axis: Any, size: Any) -> bool:
    fits = type(axis) is int and axis >= 0 and v.shape[axis : axis + index.rank] == index.shape
    return fits and axis <= v.rank - index.rank and index.dtype == "int" and v.dtype != "bool" and is_size(size)


def _einsum(a: ArrayType, b: ArrayType, spec: Any) -> bool:
    """No letter twice in a word, each in two words at least, one for each axis."""
    words = _WORDS.fullmatch(spec) if isinstance(spec, str) else None
    if words is None or a.dtype != b.dtype or a.dtype == "bool":
        return False
    left, right, _ = words.groups()
    letters = "".join(words.groups())
    apart = all(len(set(w)) == len(w) for w in words.groups())
    return apart and all(letters.count(c) > 1 for c in letters) and (len(left), len(right)) == (a.rank, b.rank)


def _window(t: ArrayType, axes: Any, sizes: Any, strides: Any, dilations: Any) -> bool:
    fits = _axes(axes, t.rank) and all(_whole(v, 1) and len(v) == len(axes) for v in (sizes, strides, dilations))
    return fits and bool(axes)


def _overlap(t: ArrayType, axes: Any, lengths: Any, strides: Any, dilations: Any) -> bool:
    """The offsets' axes stand behind the last windowed one, and their sizes are numbers."""
    steps = all(_whole(v, 1) and len(v) == len(axes) for v in (strides, dilations))
    if (
        not steps
        or not _axes(axes, t.rank)
        or not axes
        or not _shape(lengths)
        or len(lengths) != len(axes)
        or t.dtype == "bool"
    ):
        return False
    offsets: Any = t.shape[axes[-1] + 1 : axes[-1] + 1 + len(axes)]
    windows = tuple(t.shape[a] for a in axes)
    if len(offsets) != len(axes) or not _whole(offsets, 1):
        return False
    return windows == tuple(count(*each) for each in zip(lengths, offsets, strides, dilations, strict=True))


def _named(t: ArrayType, name: Any, latex: Any) -> bool:
    return is_name(name) and (latex is None or (isinstance(latex, str) and len(latex) <= LONGEST_LATEX))


def is_name(name: Any) -> bool:
    """Whether a declaration takes it."""
    return isinstance(name, str) and bool(name.strip()) and len(name) <= LONGEST_NAME


def _row_fits(row: Elementwise, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
    """A row's parameters are orders of derivatives; kinds and shapes are checked by ``infer``."""
    is_condition = row.name != "where" or (bool(types) and types[0].dtype == "bool")
    fits = len(types) == row.arity and params.keys() == set(row.params) and is_condition
    return fits and _whole(tuple(params.values()), 0, LARGEST_ORDER)


RULES: dict[str, Callable[..., bool]] = {
    "all_reduce": _reduces("bool"),
    "any_reduce": _reduces("bool"),
    "argmax": lambda t, axes: _axes(axes, t.rank) and len(axes) == 1,
    "argmin": lambda t, axes: _axes(axes, t.rank) and len(axes) == 1,
    "broadcast": lambda t, shape: _shape(shape) and broadcast_shapes(t.shape, shape) == shape,
    "cast": lambda t, to: to in KINDS,
    "concatenate": _concatenate,
    "constant_like": lambda t, value: _is_number(value),
    "cumsum": lambda t, axis, reverse: t.dtype != "bool" and _axis(axis, t.rank) and type(reverse) is bool,
    "diagonal": _diagonal,
    "diagonal_matrix": lambda t: True,
    "einsum": _einsum,
    "gather": lambda x, index, axis: _axis(axis, x.rank),
    "iota": lambda size: is_size(size),
    "log_softmax": _reduces("real"),
    "logsumexp": _reduces("real"),
    "max_reduce": _extreme,
    "min_reduce": _extreme,
    "named": _named,
    "norm": _reduces("real"),
    "overlap_add": _overlap,
    "pad": _pad,
    "prod": _reduces("real"),
    "prod_others": _reduces("real"),
    "reshape": _reshape,
    "scatter_add": _scatter,
    "size": lambda size: is_size(size),
    "slice": lambda t, start, size, step: _shape(size) and _cut(size, t.shape, start, step),
    "softmax": _reduces("real"),
    "stop_gradient": lambda t: True,
    "sum": _reduces(*KINDS),
    "transpose": lambda t, perm: _whole(perm) and sorted(perm) == list(range(t.rank)),
    "window": _window,
}
