"""CompiledFunction: what ``sg.compile`` returns.

Calls are checked and converted at the border, then run compiled code. Where every input is a scalar symbol,
arrays are taken too, and the function is evaluated element by element in a compiled loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.api.bundle import Bundle, Diagonal
from symgrad.api.elementwise import lifted
from symgrad.api.views import Views
from symgrad.errors import CallError, NotDifferentiableError, ShapeError
from symgrad.frontend.freeze import restore_nodes, store
from symgrad.ir.node import Node
from symgrad.ir.show import described, printable
from symgrad.ops.diagonal import is_diagonal
from symgrad.pipeline import derive
from symgrad.runtime.border import bind, broadcast_together, check_shapes, convert, listed, numpy_dtype, plain_array


@dataclass(frozen=True, slots=True)
class Definition:
    """What a function is made of: enough to make it again."""

    outputs: tuple[Node, ...]
    keys: tuple[str, ...] | None  # of a dict of outputs
    single: bool  # one output, not a list
    wrt: tuple[Node, ...]
    wrt_single: bool
    inputs: tuple[Node, ...]
    dtype: str
    parallel: bool
    accurate: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """What ``forward`` keeps for ``backward``; its arrays are its own."""

    function: CompiledFunction
    values: tuple
    shapes: tuple  # of the outputs
    shape: tuple | None  # of the batch, where scalars came as arrays

    @property
    def bundle(self) -> Bundle:
        """The compiled entries that made it."""
        return self.function._bundle if self.shape is None else self.function._batch


class CompiledFunction(Views):
    """A compiled function with its gradient; call it with values of its inputs.

    ``fn(...)`` the value, ``fn.grad(...)``, ``fn.value_and_grad(...)``, ``fn.forward(...)`` and ``fn.backward(...)``;
    arguments by position (in the order of ``fn.inputs``) or by name.
    """

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        d = definition
        self._bundle = Bundle(derive(d.outputs, d.wrt, d.inputs), d.dtype, d.parallel, d.accurate)
        self._scalar = bool(d.inputs) and all(v["variable"].kind == "symbol" and v.dtype == "real" for v in d.inputs)
        self._count = len(d.inputs) if self._scalar and len(d.inputs) <= 64 else -1
        self._simple = d.single and self._scalar and d.dtype == "float64"
        self._fast: dict[str, Any] = {}

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """The value: floats for scalars, fresh arrays otherwise, in the structure that was compiled."""
        if self._simple and not kwargs and len(args) == self._count and all(type(a) is float for a in args):
            return self._quick("value")(*args)
        bundle, values, shape = self._arguments(args, kwargs)
        return self._structured(bundle.call("value", values), shape)

    def grad(self, /, *args: Any, **kwargs: Any) -> Any:
        """The gradient: one array for one ``wrt``, a tuple for a list."""
        return self.value_and_grad(*args, **kwargs)[1]

    def value_and_grad(self, /, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        """The value and the gradient together."""
        if self._simple and not kwargs and len(args) == self._count and all(type(a) is float for a in args):
            fast = self._fast.get("value_and_grad")
            if fast is not None:
                return fast(*args)
        self._need_scalar()
        bundle, values, shape = self._arguments(args, kwargs)
        if shape is None and self._is_quick("value_and_grad"):
            self._fast["value_and_grad"] = bundle.entry("value_and_grad")
        value, gradient = bundle.call("value_and_grad", values)
        if len(self._definition.wrt) == 1:
            gradient = (gradient,)
        gradient = tuple(_batched(g, shape) for g in gradient)
        return self._structured(value, shape), gradient[0] if self._definition.wrt_single else gradient

    def _is_quick(self, name: str) -> bool:
        d = self._definition
        return self._simple and self._bundle.is_plain(name) and (len(d.wrt) > 1 or d.wrt_single) and len(d.wrt) <= 64

    def _quick(self, name: str) -> Any:
        fast = self._fast.get(name)
        if fast is None:
            fast = self._bundle.entry(name)
            if not self._bundle.is_plain(name):
                return lambda *args: self._bundle.call(name, args)
            self._fast[name] = fast
        return fast

    def forward(self, /, *args: Any, **kwargs: Any) -> tuple[Any, Residuals]:
        """The value, and what ``backward`` needs."""
        self._need_wrt()
        bundle, values, shape = self._arguments(args, kwargs)
        outputs, stored = bundle.call("forward", values)
        by_node = dict(zip(bundle.targets["forward"].inputs, values, strict=True))
        read = tuple(np.array(by_node[n]) if n.shape else by_node[n] for n in bundle.halves.read)
        flat = outputs if len(self._definition.outputs) > 1 else (outputs,)
        shapes = tuple(np.shape(v) for v in flat)
        return self._structured(outputs, shape), Residuals(self, (*read, *stored), shapes, shape)

    def backward(self, residuals: Residuals, cotangent: Any = 1.0) -> Any:
        """The gradient for a cotangent of the output's structure and shape; may be called again."""
        if not isinstance(residuals, Residuals):
            raise CallError(
                "backward takes the residuals that forward returned",
                ("given", type(residuals).__name__),
                fix="outputs, residuals = fn.forward(...); fn.backward(residuals)",
            )
        if residuals.function is not self and residuals.function._definition != self._definition:
            raise CallError(
                "the residuals are another function's", ("this", repr(self)), ("theirs", repr(residuals.function))
            )
        bundle = residuals.bundle
        seeds = self._seeds(residuals, cotangent)
        gradient = bundle.call("backward", (*residuals.values, *seeds))
        if len(self._definition.wrt) == 1:
            gradient = (gradient,)
        gradient = tuple(_batched(g, residuals.shape) for g in gradient)
        return gradient[0] if self._definition.wrt_single else gradient

    def _seeds(self, residuals: Residuals, cotangent: Any) -> list[Any]:
        d = self._definition
        derived = residuals.bundle.derived
        seeds: list[Any] = []
        for i, item in enumerate(_items(d, cotangent)):
            shape = residuals.shapes[i]
            wanted = shape if residuals.shape is None else (*residuals.shape, *shape[1:])
            name = f"the cotangent of {d.keys[i] if d.keys else 'the output'}"
            if derived.seeds[i].dtype != "real":  # integers and booleans have none: whatever stands there is not read
                seeds.append(np.zeros(shape, numpy_dtype(derived.seeds[i].dtype, d.dtype))[()])
                continue
            if is_diagonal(derived.outputs[i]):
                seeds.append(convert(name, _diagonal_of(item, wanted), derived.seeds[i].type, d.dtype))
                continue
            array = convert(name, item, derived.seeds[i].type, d.dtype)
            if residuals.shape is not None and array.ndim == 0:
                array = np.full(wanted, array)
            _need_shape(array, wanted)
            seeds.append(array.reshape(shape) if array.ndim else array.item())
        return seeds

    def _arguments(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Bundle, list[Any], tuple | None]:
        """The bundle that fits, its converted values, and the batch's shape where scalars came as arrays."""
        variables = self._definition.inputs
        given = bind(variables, args, kwargs)
        names = [v["variable"].name for v in variables]
        if self._scalar and any(np.ndim(plain_array(n, g)) for n, g in zip(names, given, strict=True)):
            return self._broadcast(names, given)
        arrays = [convert(n, g, v.type, self.dtype) for n, g, v in zip(names, given, variables, strict=True)]
        check_shapes(variables, arrays)
        return self._bundle, [a if v.shape else a.item() for a, v in zip(arrays, variables, strict=True)], None

    def _broadcast(self, names: Sequence[str], given: Sequence[Any]) -> tuple[Bundle, list[Any], tuple]:
        variables = self._definition.inputs
        arrays = [convert(n, g, v.type, self.dtype) for n, g, v in zip(names, given, variables, strict=True)]
        together = broadcast_together(names, arrays)
        flat = [np.ascontiguousarray(a).reshape(-1) for a in together]
        return (
            self._batch,
            [convert(n, a, v.type, self.dtype) for n, a, v in zip(names, flat, variables, strict=True)],
            together[0].shape,
        )

    @cached_property
    def _batch(self) -> Bundle:
        """The same function over arrays, element by element."""
        d = self._definition
        return Bundle(lifted(d.outputs, d.wrt, d.inputs), d.dtype, d.parallel, d.accurate)

    def _structured(self, value: Any, shape: tuple | None) -> Any:
        d = self._definition
        flat = value if len(d.outputs) > 1 else (value,)
        flat = tuple(_batched(v, shape) for v in flat)
        if d.keys is not None:
            return dict(zip(d.keys, flat, strict=True))
        return flat[0] if d.single else flat

    def _need_wrt(self) -> None:
        if not self._definition.wrt:
            raise CallError("the function has nothing to differentiate", fix="compile it with wrt=[...]")

    def _need_scalar(self) -> None:
        self._need_wrt()
        d = self._definition
        if not d.single or d.outputs[0].shape or d.outputs[0].dtype != "real":
            shown = ", ".join(described(f) for f in d.outputs[:4])
            raise NotDifferentiableError(
                "grad needs one real scalar output",
                ("outputs", shown),
                fix="use fn.forward and fn.backward with a cotangent, or sg.jacobian",
            )

    def __reduce__(self) -> tuple:
        d = self._definition
        rows, places = store([*d.outputs, *d.wrt, *d.inputs])
        counts = (len(d.outputs), len(d.wrt))
        return _restored, (rows, places, counts, (d.keys, d.single, d.wrt_single, d.dtype, d.parallel, d.accurate))

    def __copy__(self) -> CompiledFunction:
        return self

    def __deepcopy__(self, memo: dict) -> CompiledFunction:
        return self

    def __repr__(self) -> str:
        outputs = ", ".join(described(f) for f in self._definition.outputs[:4])
        return f"CompiledFunction({listed(self.inputs)}) -> {outputs}"


def _batched(value: Any, shape: tuple | None) -> Any:
    """A result with its leading axis in the batch's shape."""
    if shape is None:
        return value
    array = np.asarray(value)
    return array.reshape((*shape, *array.shape[1:]))


def _need_shape(cotangent: Any, wanted: tuple) -> None:
    if np.shape(cotangent) != wanted:
        raise ShapeError(
            "the cotangent has another shape than the output",
            ("output", str(wanted)),
            ("cotangent", str(np.shape(cotangent))),
            fix="give one number for each number of the output",
        )


def _diagonal_of(cotangent: Any, wanted: tuple) -> Any:
    """The diagonal of a cotangent of a diagonal output, which is given as such or dense."""
    _need_shape(cotangent, wanted)
    if isinstance(cotangent, Diagonal):
        return cotangent.diagonal
    half = wanted[: len(wanted) // 2]
    n = int(np.prod(half))
    return np.asarray(cotangent).reshape(n, n).diagonal().reshape(half)


def _items(d: Definition, cotangent: Any) -> list[Any]:
    """One cotangent an output, given in the outputs' structure."""
    if d.single:
        return [cotangent]
    if d.keys is not None and isinstance(cotangent, Mapping):
        if set(cotangent) != set(d.keys):
            given = ", ".join(printable(str(k)) for k in cotangent)
            facts = ("outputs", ", ".join(map(printable, d.keys[:12]))), ("given", given)
            raise CallError("the cotangents have other names than the outputs", *facts, fix="give one for each output")
        return [cotangent[k] for k in d.keys]
    if not isinstance(cotangent, (list, tuple)) or len(cotangent) != len(d.outputs):
        fix = "give a list of them" + (", or a dict by name" if d.keys else "")
        raise ShapeError(f"backward takes {len(d.outputs)} cotangents, one an output", fix=fix)
    return list(cotangent)


def _restored(rows: list, places: list, counts: tuple[int, int], rest: tuple) -> CompiledFunction:
    nodes = tuple(restore_nodes(rows, places))
    m, n = counts
    keys, single, wrt_single, *options = rest
    return CompiledFunction(Definition(nodes[:m], keys, single, nodes[m : m + n], wrt_single, nodes[m + n :], *options))
