"""One derived function with its compiled entries: what runs, for one way of calling.

A ``Bundle`` takes arrays in the order of a target's inputs and gives back Python floats and fresh arrays in the
target's structure. How scalars are packed, and which constants travel as hidden arguments, ends here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.emit.count import weight
from symgrad.errors import IndexRangeError, InternalError, ShapeError
from symgrad.ir.node import Node
from symgrad.ir.program import Function, Loop, Program, statements
from symgrad.ir.source import Source
from symgrad.lower.target import is_packed
from symgrad.ops.diagonal import is_diagonal
from symgrad.pipeline import Derived, Halves, compile_source
from symgrad.runtime.load import Loaded, load

DTYPES = {"float64": "f64", "float32": "f32"}
# What is worth compiling: LLVM takes 5 ms a statement or operation, and more for many. Longer entries run as plain
# Python, at once; those with loops, which may turn a million times, are compiled for longer.
HEAVIEST, HEAVIEST_WITH_LOOPS = 3000, 30_000


@dataclass(frozen=True, slots=True)
class Diagonal:
    """A diagonal Jacobian, stored as its diagonal: element [i, i] is ``diagonal[i]``, all others are 0.

    ``np.asarray`` makes it dense; ``@`` multiplies without doing so.
    """

    diagonal: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the Jacobian it stands for."""
        return self.diagonal.shape * 2

    @property
    def nbytes(self) -> int:
        """Bytes held: those of the diagonal."""
        return self.diagonal.nbytes

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        dense = np.zeros(self.shape, dtype or self.diagonal.dtype)
        flat = dense.reshape(self.diagonal.size, self.diagonal.size)
        np.fill_diagonal(flat, self.diagonal.reshape(-1))
        return dense

    def __matmul__(self, vector: Any) -> np.ndarray:
        if self.diagonal.ndim != 1:
            return np.asarray(self) @ np.asarray(vector)
        v = np.asarray(vector)
        return self.diagonal.reshape((-1,) + (1,) * (v.ndim - 1)) * v


class Bundle:
    """The compiled entries of one derived function."""

    def __init__(self, derived: Derived, dtype: str, parallel: bool = False, accurate: bool = False) -> None:
        self.derived = derived
        self.dtype = dtype
        self.parallel = parallel
        parts, program, source = compile_source(derived, DTYPES[dtype], accurate)
        self.halves: Halves = parts
        self.program: Program = program
        self.source: Source = source
        self.targets = {t.name: t for t in parts.targets}
        self.functions: dict[str, Function] = {f.name: f for f in program.functions}
        self._hidden = {name: np.ascontiguousarray(value) for name, value in program.hidden}

    @cached_property
    def loaded(self) -> Loaded:
        """The module on disk, with its functions compiled when first asked for."""
        return load(self.source, parallel=self.parallel)

    def entry(self, name: str) -> Callable[..., Any]:
        """The compiled function as it is; one that is too long to compile as plain Python."""
        return self.loaded.python[name] if self.is_heavy(name) else self.loaded.functions[name]

    def is_heavy(self, name: str) -> bool:
        """Whether compiling an entry would take longer than running it for a minute."""
        function = self.functions[name]
        has_loops = any(isinstance(s, Loop) for s in statements(function.body))
        return weight(function) > (HEAVIEST_WITH_LOOPS if has_loops else HEAVIEST)

    def is_plain(self, name: str) -> bool:
        """Whether an entry's inputs and results are as they are: nothing packed, hidden or to be wrapped."""
        function = self.functions[name]
        return not function.packed and not function.hidden and not self._diagonal

    def call(self, name: str, values: Sequence[Any]) -> Any:
        """Run an entry on converted values; results in the target's structure."""
        function = self.functions[name]
        target = self.targets[name]
        scalar = np.float64 if self.dtype == "float64" else np.float32
        args: list[Any] = []
        packed = []
        for node, value in zip(target.inputs, values, strict=True):
            is_real = node.dtype == "real" and not node.shape
            if is_real and function.packed:
                packed.append(value)
            else:
                args.append(scalar(value) if is_real else value)
        if function.packed:
            args.insert(0, np.array(packed, dtype=scalar))
        args += [self._hidden[h] for h in function.hidden]
        result = unpacked(target.results, guarded(self.entry(name), args))
        return self._wrapped(name, result) if self._diagonal else result

    @cached_property
    def _diagonal(self) -> bool:
        return any(map(is_diagonal, self.derived.outputs))

    def _wrapped(self, name: str, result: Any) -> Any:
        """Outputs that are diagonal Jacobians, as such."""
        outputs = result[0] if name in ("forward", "value_and_grad") else result if name == "value" else None
        if outputs is None:
            return result
        flat = outputs if len(self.derived.outputs) > 1 else (outputs,)
        kinds = map(is_diagonal, self.derived.outputs)
        made = tuple(Diagonal(v) if k else v for v, k in zip(flat, kinds, strict=True))
        shaped = made if len(made) > 1 else made[0]
        return shaped if name == "value" else (shaped, *result[1:])


def guarded(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """Call compiled code; what it refuses is said in symgrad's words."""
    try:
        return function(*args)
    except IndexError as error:
        raise IndexRangeError(str(error)) from None
    except ValueError as error:
        raise ShapeError(str(error)) from None
    except TypeError as error:
        raise InternalError("compiled code refused its arguments", ("cause", str(error).split("\n")[0])) from error


def unpacked(structure: Any, result: Any) -> Any:
    """Results as users see them: packed vectors as tuples of floats, 0-d values as Python numbers."""
    if isinstance(structure, Node):
        return result.item() if isinstance(result, (np.generic,)) else result
    if is_packed(structure):
        return tuple(result.tolist())
    return tuple(unpacked(s, r) for s, r in zip(structure, result, strict=True))
