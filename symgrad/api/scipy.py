"""A compiled function as SciPy wants it: one flat vector in, numbers and flat arrays out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.api.differentiate import hessian, hvp, name_of
from symgrad.errors import CallError, ShapeError
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node
from symgrad.ir.types import Size, real, substitute
from symgrad.runtime.border import bind, check_shapes, convert, listed

if TYPE_CHECKING:
    from symgrad.api.function import CompiledFunction


@dataclass(repr=False)
class Problem:
    """``scipy.optimize.minimize(p.fun, p.x0, jac=p.jac, hess=p.hess)``.

    ``flatten`` joins the variables' arrays into one vector, ``unflatten`` takes it apart; value and gradient at one
    point are computed together, once. The Hessian is compiled when it is first asked for.
    """

    function: CompiledFunction
    variables: tuple[Node, ...]
    shapes: tuple[tuple[int, ...], ...]
    fixed: Mapping[Node, Any]
    x0: np.ndarray
    _last: tuple[bytes, float, np.ndarray] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        variables = ", ".join(f"{name_of(v)} {shape}" for v, shape in zip(self.variables, self.shapes, strict=True))
        held = f"; {listed([name_of(v) for v in self.fixed])} fixed" if self.fixed else ""
        return f"Problem({self.x0.size} unknowns: {variables}{held})"

    def __reduce__(self) -> tuple:
        return _restored, (self.function, self.shapes, tuple(self.fixed.values()), self.x0)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """A pair (least, most) for each element, in SciPy's form: here none is bounded."""
        return [(-np.inf, np.inf)] * self.x0.size

    def flatten(self, values: Any) -> np.ndarray:
        """Arrays of the variables (a sequence in their order, or a dict by name) as one vector."""
        return _flatten(self.variables, values, self.shapes)

    def unflatten(self, x: Any) -> Any:
        """One vector as the variables' arrays: a tuple (or one array, for one ``wrt``)."""
        parts = tuple(self._parts(x))
        return parts[0] if self.function._definition.wrt_single else parts

    def _parts(self, x: Any) -> list[Any]:
        x = np.asarray(x, dtype=float)
        sizes = [math.prod(shape) for shape in self.shapes]
        if x.shape != (sum(sizes),):
            raise ShapeError(f"the flat vector has {sum(sizes)} elements", ("given", str(x.shape)))
        pieces = np.split(x, np.cumsum(sizes)[:-1])
        return [float(p[0]) if shape == () else p.reshape(shape) for p, shape in zip(pieces, self.shapes, strict=True)]

    def _values(self, x: Any) -> list[Any]:
        """Every input, in the function's order."""
        values = {**self.fixed, **dict(zip(self.variables, self._parts(x), strict=True))}
        return [values[v] for v in self.function._definition.inputs]

    def _both(self, x: Any) -> tuple[float, np.ndarray]:
        key = np.asarray(x, dtype=float).tobytes()
        if self._last is None or self._last[0] != key:
            value, gradient = self.function.value_and_grad(*self._values(x))
            parts = (gradient,) if self.function._definition.wrt_single else gradient
            self._last = key, value, np.concatenate([np.ravel(np.asarray(g, float)) for g in parts])
        return self._last[1], self._last[2].copy()

    def fun(self, x: Any) -> float:
        """The value."""
        return self._both(x)[0]

    def jac(self, x: Any) -> np.ndarray:
        """The gradient as one vector."""
        return self._both(x)[1]

    @cached_property
    def _second(self) -> CompiledFunction:
        d = self.function._definition
        blocks = hessian(Tensor(d.outputs[0]), [Tensor(v) for v in self.variables])
        return _compiled(self.function, [h for row in blocks for h in row], d.inputs)

    def hess(self, x: Any) -> np.ndarray:
        """The Hessian as a square matrix."""
        blocks = iter(self._second(*self._values(x)))
        sizes = [math.prod(shape) for shape in self.shapes]
        return np.block([[np.reshape(np.asarray(next(blocks)), (m, n)) for n in sizes] for m in sizes])

    @cached_property
    def _product(self) -> CompiledFunction:
        d = self.function._definition
        vectors = [declare_input(f"p{i}_vector", v.shape) for i, v in enumerate(self.variables)]
        products = hvp(Tensor(d.outputs[0]), [Tensor(v) for v in self.variables], vectors)
        return _compiled(self.function, list(products), (*d.inputs, *(v.node for v in vectors)))

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """The Hessian times a vector."""
        parts = self._product(*self._values(x), *self._parts(p))
        return np.concatenate([np.ravel(np.asarray(part, float)) for part in parts])


def _restored(function: CompiledFunction, shapes: tuple, fixed: Sequence[Any], x0: np.ndarray) -> Problem:
    d = function._definition
    others = [v for v in d.inputs if v not in d.wrt]
    return Problem(function, d.wrt, shapes, dict(zip(others, fixed, strict=True)), x0)


def _compiled(function: CompiledFunction, outputs: Sequence[Tensor], inputs: Sequence[Node]) -> CompiledFunction:
    d = function._definition
    nodes = tuple(t.node for t in outputs)
    return type(function)(
        replace(d, outputs=nodes, keys=None, single=False, wrt=(), wrt_single=False, inputs=tuple(inputs))
    )


def _flatten(variables: Sequence[Node], values: Any, shapes: Sequence[tuple[int, ...]]) -> np.ndarray:
    return _joined(variables, _given(variables, values), shapes)


def _joined(variables: Sequence[Node], items: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> np.ndarray:
    """One array a variable, as one vector."""
    if len(items) != len(variables):
        raise ShapeError(f"{len(items)} arrays for {len(variables)} variables")
    arrays = [convert(name_of(v), item, v.type, "float64") for v, item in zip(variables, items, strict=True)]
    for v, array, shape in zip(variables, arrays, shapes, strict=True):
        if array.shape != shape:
            raise ShapeError(f"{name_of(v)} has another shape", ("declared", str(shape)), ("given", str(array.shape)))
    return np.concatenate([a.reshape(-1) for a in arrays]) if arrays else np.zeros(0)


def _given(variables: Sequence[Node], values: Any) -> list[Any]:
    """Values of the variables from a dict by name, a sequence in their order, or one array."""
    if isinstance(values, Mapping):
        names = [name_of(v) for v in variables]
        if set(values) != set(names):
            raise CallError(
                "the start names other variables",
                ("variables", listed(names)),
                ("given", listed(list(map(str, values)))),
            )
        return [values[name] for name in names]
    if isinstance(values, (list, tuple)) and (len(variables) > 1 or _is_one(variables[0], values)):
        return list(values)
    return [values]


def _is_one(variable: Node, values: Sequence[Any]) -> bool:
    """Whether a sequence holds the one variable's array, rather than being it."""
    return len(values) == 1 and np.ndim(values[0]) == variable.type.rank


def as_scipy(function: CompiledFunction, x0: Any, fixed: Mapping[str, Any]) -> Problem:
    """The problem of minimising a compiled scalar function over its ``wrt``; other inputs are fixed by name.

    ``x0`` is a start: arrays of the variables (a dict, or a sequence in their order), or the flat vector; by default
    the parameters' initial arrays, else zeros.
    """
    function._need_scalar()
    d = function._definition
    if any(x.op.name != "variable" for x in d.wrt):
        raise CallError("as_scipy needs variables as wrt, not intermediates")
    others = [v for v in d.inputs if v not in d.wrt]
    if both := [name_of(v) for v in d.wrt if name_of(v) in fixed]:
        raise CallError(
            f"{listed(both)} cannot be fixed: the function is compiled with respect to it",
            ("variables", listed([name_of(v) for v in d.wrt])),
            fix="compile with wrt=[...] of the others",
        )
    known = dict(zip(others, bind(others, (), fixed), strict=True))
    arrays = _arrays(d.wrt, x0)
    sizes = _sizes({**known, **arrays}, d.dtype)
    shapes = tuple(tuple(_known(n, sizes) for n in v.shape) for v in d.wrt)
    if x0 is None or arrays:
        start = _joined(d.wrt, [arrays.get(v, np.zeros(shape)) for v, shape in zip(d.wrt, shapes, strict=True)], shapes)
    else:
        start = np.array(convert("x0", x0, real(), "float64"))
        if start.shape != (sum(math.prod(shape) for shape in shapes),):
            raise ShapeError(
                "x0 does not fit the variables", ("shapes", ", ".join(map(str, shapes))), ("x0", str(start.shape))
            )
    return Problem(function, d.wrt, shapes, known, start)


def _arrays(variables: Sequence[Node], x0: Any) -> dict[Node, Any]:
    """The start of each variable, where it is given (or declared) variable by variable; {} for a flat vector."""
    if x0 is None:
        inits = {v: v["variable"].init for v in variables}
        return {v: init for v, init in inits.items() if isinstance(init, np.ndarray)}
    items = _given(variables, x0)
    fits = len(items) == len(variables) and all(
        np.ndim(a) == v.type.rank for a, v in zip(items, variables, strict=True)
    )
    if isinstance(x0, Mapping) or fits:
        return dict(zip(variables, items, strict=True))
    return {}


def _sizes(values: Mapping[Node, Any], dtype: str) -> dict[str, int]:
    return check_shapes(list(values), [convert(name_of(v), a, v.type, dtype) for v, a in values.items()])


def _known(n: int | Size, sizes: Mapping[str, int]) -> int:
    size = substitute(n, sizes)
    if not isinstance(size, int):
        raise ShapeError(
            f"the size {n} is not known", fix="give x0 as an array of each variable, or declare the size as a number"
        )
    return size
