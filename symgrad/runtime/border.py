"""The border between users' arrays and compiled code.

In: whatever a caller hands over. Out: C-contiguous, aligned arrays (or floats) of the declared kinds, checked
against the declared shapes; one name is one size. Nothing that came in is ever written to.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from symgrad.errors import CallError, DtypeError, ShapeError
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.ir.types import SHOWN, ArrayType, Shape, Size, substitute

_DTYPES = {"real": np.float64, "int": np.int64, "bool": np.bool_}
_ACCEPTED = {"real": "biuf", "int": "biu", "bool": "b"}  # NumPy's kinds
_MISSING = object()
_SPELLED = 6  # inputs that a message spells out
_TAKES = {"real": "real numbers", "int": "integers", "bool": "booleans"}


def numpy_dtype(kind: str, real: str) -> Any:
    """The NumPy type of a kind, where ``real`` is "float64" or "float32"."""
    return np.dtype(real if kind == "real" else _DTYPES[kind])


def bind(variables: Sequence[Node], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """Positional and keyword arguments in the order of the variables."""
    names = [v["variable"].name for v in variables]
    if len(args) > len(names):
        raise CallError(
            f"{len(args)} arguments for {len(names)} inputs", ("inputs", listed(names)), fix=_as_keywords(names, ())
        )
    values = [*args, *[_MISSING] * (len(names) - len(args))]
    place = {name: i for i, name in enumerate(names)}
    for name, value in kwargs.items():
        if name not in place:
            raise CallError(f"{printable(name)} is not an input", ("inputs", listed(names)), fix=_meant(name, names))
        if len(place) < len(names) and names.count(name) > 1:  # SymPy's Dummies may share a name
            raise CallError(
                f"{printable(name)} names several inputs", ("inputs", listed(names)), fix="pass it by position"
            )
        if values[place[name]] is not _MISSING:
            fix = "give it by position or by name, not both"
            raise CallError(f"{printable(name)} is given twice", ("inputs", listed(names)), fix=fix)
        values[place[name]] = value
    missing = [name for name, value in zip(names, values, strict=True) if value is _MISSING]
    if missing:
        fix = _as_keywords(names, args)
        raise CallError(
            f"missing input{'s' * (len(missing) > 1)} {listed(missing)}", ("inputs", listed(names)), fix=fix
        )
    return values


def _as_keywords(names: Sequence[str], args: Sequence[Any]) -> str:
    """How the inputs are given."""
    if len(args) == 1 and isinstance(args[0], dict):
        return "give a dictionary with ** before it"
    if len(names) > _SPELLED or not all(n.isidentifier() for n in names):
        return "give every input, by position or by name"
    return f"call it with {', '.join(f'{n}=...' for n in names)}"


def _meant(name: str, names: Sequence[str]) -> str:
    """The input whose name is nearest."""
    near = next((n for n in names if n.lower() == name.lower()), None)
    near = near or next(iter(difflib.get_close_matches(name, names, 1)), None)
    return f"did you mean {printable(near)}?" if near else ""


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in a row, shortened."""
    shown = ", ".join(printable(n) for n in names[:most])
    return shown + (", ..." if len(names) > most else "")


def convert(name: str, value: Any, kind: ArrayType, real: str) -> np.ndarray:
    """A value as a contiguous, aligned array of the declared kind (its shape is not checked here)."""
    array = plain_array(name, value)
    target = numpy_dtype(kind.dtype, real)
    accepted = _ACCEPTED[kind.dtype]
    if array.size == 0 and array.dtype.kind == "f" and not isinstance(value, np.ndarray):
        array = array.astype(target)
    if array.dtype.kind not in accepted or (array.dtype.kind == "f" and array.dtype.itemsize > 8):
        raise DtypeError(
            f"{printable(name)} takes {_TAKES[kind.dtype]}",
            ("declared", f"{printable(name)}: {kind}"),
            ("given", f"{type(value).__name__} of {array.dtype}"),
            fix=_cast_fix(kind.dtype, array, value),
        )
    if array.dtype == np.uint64 and kind.dtype == "int" and array.size and array.max() > np.uint64(2**63 - 1):
        raise DtypeError(
            f"{printable(name)} holds integers beyond 2**63 - 1", ("declared", f"{printable(name)}: {kind}")
        )
    with np.errstate(over="ignore", invalid="ignore"):
        return writable(np.require(array, target, ["C", "A"]))


def _cast_fix(kind: str, array: np.ndarray, value: Any) -> str:
    if isinstance(value, Iterator):
        return "make a list of it first"
    if hasattr(value, "toarray"):  # SciPy's sparse arrays and matrices
        return "make it dense: x.toarray()"
    given, number = array.dtype.kind, array.ndim == 0
    if kind == "bool":
        return "compare first: values != 0"
    if kind == "int" and given == "f":
        return "convert with int(...) if it is whole" if number else "convert with .astype(int) if the values are whole"
    if given == "c":
        return "take .real or abs(...), or give real and imaginary part as two inputs"
    if given in "OUS" or (given == "f" and array.dtype.itemsize > 8):
        return "convert with float(...)" if number else "convert with .astype(float)"
    return ""


def plain_array(name: str, value: Any) -> np.ndarray:
    """Anything with numbers in it as an array; masks and text are refused."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise DtypeError(
            f"{printable(name)} is a masked array with masked elements", fix="fill them first: values.filled(...)"
        )
    if value is None or isinstance(value, (str, bytes, dict, set)) or hasattr(value, "node"):
        fix = _number_fix(value)
        raise DtypeError(f"{printable(name)} is not an array of numbers", ("given", type(value).__name__), fix=fix)
    try:
        if _is_plain_number(value):
            return np.asarray(float(value))
        return np.asarray(value)
    except OverflowError:
        raise DtypeError(f"{printable(name)} is beyond the largest float") from None
    except (ValueError, TypeError) as error:
        raise DtypeError(
            f"{printable(name)} is not a regular array of numbers",
            ("given", type(value).__name__),
            fix="give rows of equal length",
        ) from error


def _number_fix(value: Any) -> str:
    """What to give instead."""
    if hasattr(value, "node"):
        return "give its value, an array; what is symbolic stands in the expression itself"
    return "convert with float(...)" if isinstance(value, (str, bytes)) else "give a number or an array"


def _is_plain_number(value: Any) -> bool:
    """Fractions, SymPy's numbers and integers beyond 64 bits, of which NumPy would make objects."""
    if isinstance(value, int):
        return not -(2**63) <= value < 2**63
    return isinstance(value, Real) and not isinstance(value, (float, np.generic))


class _Writable:
    """The same memory, declared writable: compiled code takes one array type, and never writes to inputs."""

    def __init__(self, array: np.ndarray) -> None:
        self._kept = array
        pointer, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (pointer, False)}


def writable(array: np.ndarray) -> np.ndarray:
    """A view that may be written to, without a copy."""
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    return array if array.flags.writeable else np.asarray(_Writable(array))


def check_shapes(variables: Sequence[Node], arrays: Sequence[np.ndarray]) -> dict[str, int]:
    """Check every array against its declaration and solve the named sizes."""
    sizes: dict[str, int] = {}
    origin: dict[str, str] = {}
    for v, array in zip(variables, arrays, strict=True):
        name = v["variable"].name
        if array.ndim != v.type.rank:
            raise wrong_shape(v, array, "another number of axes")
        for n, m in zip(v.shape, array.shape, strict=True):
            if isinstance(n, Size) and (single := solve(n, m, sizes)) is not None and single[0] not in sizes:
                sizes[single[0]] = single[1]
                origin[single[0]] = name
    for v, array in zip(variables, arrays, strict=True):
        for n, m in zip(v.shape, array.shape, strict=True):
            expected = substitute(n, sizes)
            if expected != m:
                raise mismatch(v, array, n, expected, origin)
    return sizes


def broadcast_together(names: Sequence[str], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The arrays in one shape by NumPy's rule, not copied."""
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        facts = [(printable(n), str(a.shape)) for n, a in zip(names, arrays, strict=True)]
        raise ShapeError(
            "the arrays do not broadcast together", *facts[:12], fix="give them shapes that NumPy broadcasts"
        ) from None
    return [np.broadcast_to(a, shape) for a in arrays]


def solve(n: Size, m: int, known: Mapping[str, int]) -> tuple[str, int] | None:
    """The one unknown name of a size that is linear in it, from its value."""
    unknown = [name for name in n.names() if name not in known]
    if len(unknown) != 1:
        return None
    at = [substitute(n, {**known, unknown[0]: value}) for value in (0, 1, 2)]
    if not all(isinstance(value, int) for value in at) or at[2] - at[1] != at[1] - at[0] or at[1] == at[0]:
        return None
    quotient, rest = divmod(m - at[0], at[1] - at[0])  # type: ignore[operator]
    return (unknown[0], quotient) if rest == 0 else None


def wrong_shape(v: Node, array: np.ndarray, what: str) -> ShapeError:
    """An array of another shape than declared."""
    name = printable(v["variable"].name)
    fix = f"give an array of shape {shown(v.shape)}" if v.shape else "give a number"
    if array.ndim == 1 and v.type.rank == 2 and v.shape[1] == 1:
        fix = f"reshape it to a column: {name}.reshape(-1, 1)"
    return ShapeError(f"{name} has {what}", ("declared", f"{name}: {v.type}"), ("given", f"{given(array)}"), fix=fix)


def mismatch(v: Node, array: np.ndarray, n: Any, expected: Any, origin: Mapping[str, str]) -> ShapeError:
    """A size that differs from the declared one, or from the same name elsewhere."""
    error = wrong_shape(v, array, "another shape")
    if isinstance(n, Size):
        where = sorted({printable(origin[name]) for name in n.names() if name in origin})
        error.facts = (*error.facts, ("size", f"{n} is {expected}" + (f", from {', '.join(where)}" if where else "")))
    return error


def given(array: np.ndarray) -> str:
    """A given array in the notation of types."""
    short = {"f": "f", "i": "i", "u": "u", "b": "bool"}[array.dtype.kind]
    kind = short if short == "bool" else f"{short}{8 * array.dtype.itemsize}"
    return f"{kind}[{', '.join(map(str, array.shape))}]" if array.ndim else kind


def shown(shape: Shape) -> str:
    """A shape as people write it."""
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


__all__ = ["SHOWN", "bind", "broadcast_together", "check_shapes", "convert", "numpy_dtype", "writable"]
