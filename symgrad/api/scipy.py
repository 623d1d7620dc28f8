"""A compiled function as SciPy wants it: one flat vector in, numbers and flat arrays out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.api.differentiate import hessian, hvp
from symgrad.errors import CallError, ShapeError
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.tensor import Tensor
from symgrad.ir.node import Node
from symgrad.ir.types import Size, substitute
from symgrad.runtime.border import check_shapes, convert

if TYPE_CHECKING:
    from symgrad.api.function import CompiledFunction


@dataclass
class Problem:
    """``scipy.optimize.minimize(p.fun, p.x0, jac=p.jac, hess=p.hess)``.

    ``flatten`` joins the variables' arrays into one vector, ``unflatten`` takes it apart; value and gradient at one
    point are computed together, once. The Hessian is compiled when it is first asked for.
    """

    function: CompiledFunction
    variables: tuple[Node, ...]
    shapes: tuple[tuple[int, ...], ...]
    fixed: Mapping[str, Any]
    x0: np.ndarray
    _last: tuple[bytes, float, np.ndarray] | None = field(default=None, repr=False)

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """A pair (least, most) for each element, in SciPy's form: here none is bounded."""
        return [(-np.inf, np.inf)] * self.x0.size

    def flatten(self, values: Any) -> np.ndarray:
        """Arrays of the variables (a sequence in their order, or a dict by name) as one vector."""
        return _flatten([v["variable"].name for v in self.variables], values, self.shapes)

    def unflatten(self, x: Any) -> Any:
        """One vector as the variables' arrays: a tuple (or one array, for one ``wrt``)."""
        parts = tuple(self._parts(x))
        return parts[0] if self.function._definition.wrt_single else parts

    def _parts(self, x: Any) -> list[Any]:
        x = np.asarray(x, dtype=float)
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        if x.shape != (sum(sizes),):
            raise ShapeError(f"the flat vector has {sum(sizes)} elements", ("given", str(x.shape)))
        pieces = np.split(x, np.cumsum(sizes)[:-1])
        return [float(p[0]) if shape == () else p.reshape(shape) for p, shape in zip(pieces, self.shapes, strict=True)]

    def _values(self, x: Any) -> dict[str, Any]:
        return {**self.fixed, **{v["variable"].name: p for v, p in zip(self.variables, self._parts(x), strict=True)}}

    def _both(self, x: Any) -> tuple[float, np.ndarray]:
        key = np.asarray(x, dtype=float).tobytes()
        if self._last is None or self._last[0] != key:
            value, gradient = self.function.value_and_grad(**self._values(x))
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
        blocks = iter(self._second(**self._values(x)))
        sizes = [int(np.prod(shape)) for shape in self.shapes]
        return np.block([[np.reshape(np.asarray(next(blocks)), (m, n)) for n in sizes] for m in sizes])

    @cached_property
    def _product(self) -> CompiledFunction:
        d = self.function._definition
        vectors = [declare_input(f"p{i}_vector", v.shape) for i, v in enumerate(self.variables)]
        products = hvp(Tensor(d.outputs[0]), [Tensor(v) for v in self.variables], vectors)
        return _compiled(self.function, list(products), (*d.inputs, *(v.node for v in vectors)))

    def hessp(self, x: Any, p: Any) -> np.ndarray:
        """The Hessian times a vector."""
        vectors = {f"p{i}_vector": part for i, part in enumerate(self._parts(p))}
        parts = self._product(**self._values(x), **vectors)
        return np.concatenate([np.ravel(np.asarray(part, float)) for part in parts])


def _compiled(function: CompiledFunction, outputs: Sequence[Tensor], inputs: Sequence[Node]) -> CompiledFunction:
    d = function._definition
    nodes = tuple(t.node for t in outputs)
    return type(function)(
        replace(d, outputs=nodes, keys=None, single=False, wrt=(), wrt_single=False, inputs=tuple(inputs))
    )


def _flatten(names: Sequence[str], values: Any, shapes: Sequence[tuple[int, ...]]) -> np.ndarray:
    items = (
        [values[name] for name in names]
        if isinstance(values, Mapping)
        else list(values)
        if isinstance(values, (list, tuple))
        else [values]
    )
    if len(items) != len(names):
        raise ShapeError(f"{len(items)} arrays for {len(names)} variables")
    arrays = [np.asarray(item, dtype=float) for item in items]
    for name, array, shape in zip(names, arrays, shapes, strict=True):
        if array.shape != tuple(shape):
            raise ShapeError(f"{name} has another shape", ("declared", str(shape)), ("given", str(array.shape)))
    return np.concatenate([a.reshape(-1) for a in arrays])


def as_scipy(function: CompiledFunction, x0: Any = None, **fixed: Any) -> Problem:
    """The problem of minimising a compiled scalar function over its ``wrt``; other inputs are fixed by name.

    ``x0`` is a start: arrays of the variables (a dict, or a sequence in their order), or the flat vector; by default
    the parameters' initial arrays, else zeros.
    """
    function._need_scalar()
    d = function._definition
    if any(x.op.name != "variable" for x in d.wrt):
        raise CallError("as_scipy needs variables as wrt, not intermediates")
    missing = [v["variable"].name for v in d.inputs if v not in d.wrt and v["variable"].name not in fixed]
    if missing:
        raise CallError(
            f"fix the inputs that are not varied: {', '.join(missing)}", ("inputs", ", ".join(function.inputs))
        )
    sizes = _sizes(d, fixed)
    shapes = tuple(tuple(_known(n, sizes) for n in v.shape) for v in d.wrt)
    start = _start([v["variable"] for v in d.wrt], shapes, x0)
    return Problem(function, d.wrt, shapes, dict(fixed), start)


def _sizes(d: Any, fixed: Mapping[str, Any]) -> dict[str, int]:
    given = [v for v in d.inputs if v["variable"].name in fixed]
    arrays = [convert(v["variable"].name, fixed[v["variable"].name], v.type, d.dtype) for v in given]
    return check_shapes(given, arrays)


def _known(n: int | Size, sizes: Mapping[str, int]) -> int:
    size = substitute(n, sizes)
    if not isinstance(size, int):
        raise ShapeError(f"the size {n} is not known from the fixed inputs", fix="declare it as a number")
    return size


def _start(variables: Sequence[Any], shapes: Sequence[tuple[int, ...]], x0: Any) -> np.ndarray:
    total = sum(int(np.prod(shape)) for shape in shapes)
    if x0 is not None and not isinstance(x0, Mapping):
        flat = np.asarray(x0, dtype=float) if not _is_nested(x0, shapes) else None
        if flat is not None and flat.size == total and (len(shapes) == 1 or flat.ndim == 1):
            return flat.reshape(-1).copy()
    if x0 is not None:
        return _flatten([v.name for v in variables], x0, shapes)
    parts = [
        v.init if isinstance(v.init, np.ndarray) else np.zeros(shape)
        for v, shape in zip(variables, shapes, strict=True)
    ]
    return np.concatenate([np.ravel(p) for p in parts])


def _is_nested(x0: Any, shapes: Sequence[tuple[int, ...]]) -> bool:
    return isinstance(x0, (list, tuple)) and any(shape != () for shape in shapes) and any(np.ndim(item) for item in x0)
