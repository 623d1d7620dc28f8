"""A small interpreter of the loop program, over NumPy arrays: what lowered programs are checked with."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symgrad.errors import IndexRangeError
from symgrad.ir.expression import Expr
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, Exit, Function, If, Loop, Program, Return, Store
from symgrad.runtime.kernels import fma

NUMPY = {"f64": np.float64, "f32": np.float32, "i64": np.int64, "i32": np.int32, "bool": np.bool_}
BITS = {np.dtype("f8"): np.int64, np.dtype("f4"): np.int32, np.dtype("i8"): np.float64, np.dtype("i4"): np.float32}
BASIS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "neg": np.negative, "fma": fma,
    "sqrt": np.sqrt, "abs": np.abs, "floor": np.floor, "rint": np.rint, "trunc": np.trunc, "copysign": np.copysign,
    "floordiv": np.floor_divide, "mod": np.mod, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or,
    "not": np.logical_not, "select": lambda c, a, b: a if c else b, "shl": np.left_shift, "shr": np.right_shift,
    "iand": np.bitwise_and, "ior": np.bitwise_or, "ixor": np.bitwise_xor,
    "bits": lambda x: x.view(BITS[x.dtype]), "from_bits": lambda x: x.view(BITS[x.dtype]),
    "to_int": lambda x: (np.int64 if x.dtype == np.float64 else np.int32)(x),
    "to_real": lambda x: (np.float64 if x.dtype == np.int64 else np.float32)(x),
    "widen": np.float64, "narrow": np.float32,
}  # fmt: skip


class _LeftError(Exception):
    def __init__(self, values: tuple) -> None:
        self.values_left = values


class Machine:
    """Runs the functions of one program; every index must be in range and every name known."""

    def __init__(self, program: Program) -> None:
        self.functions = {f.name: f for f in program.functions}
        self.constants = dict(program.constants)
        self.hidden = dict(program.hidden)

    def run(self, name: str, *args: Any) -> Any:
        """The results of a function, in their structure."""
        function = self.functions[name]
        with np.errstate(all="ignore"):
            values = self._enter(function, [*args, *(self.hidden[h] for h in function.hidden)])
        return values[0] if len(values) == 1 else values

    def _enter(self, function: Function, args: list) -> tuple:
        scope = dict(self.constants)
        for parameter, value in zip(function.parameters, args, strict=True):
            wanted = NUMPY[parameter.dtype]
            if parameter.rank:
                assert (value.dtype, value.ndim) == (wanted, parameter.rank)
                assert value.flags.c_contiguous
            scope[parameter.name] = value if parameter.rank else wanted(value)
        try:
            self._body(function.body, scope)
        except _LeftError as left:
            return left.values_left
        raise AssertionError("no Return")

    def _body(self, body: tuple, scope: dict) -> None:
        for s in body:
            getattr(self, f"_{type(s).__name__.lower()}")(s, scope)

    def _assign(self, s: Assign, scope: dict) -> None:
        scope[s.target] = self._value(s.expr, scope)

    def _store(self, s: Store, scope: dict) -> None:
        scope[s.buffer][self._spot(scope[s.buffer], s.index, scope)] = self._value(s.expr, scope)

    def _accumulate(self, s: Accumulate, scope: dict) -> None:
        new = self._value(s.expr, scope)
        if s.index is None:
            scope[s.target] = BASIS[s.op](scope[s.target], new)
        else:
            spot = self._spot(scope[s.target], s.index, scope)
            scope[s.target][spot] = BASIS[s.op](scope[s.target][spot], new)

    def _loop(self, s: Loop, scope: dict) -> None:
        for i in range(int(self._value(s.start, scope)), int(self._value(s.stop, scope)), s.step):
            scope[s.var] = np.int64(i)
            self._body(s.body, scope)

    def _if(self, s: If, scope: dict) -> None:
        self._body(s.body if self._value(s.condition, scope) else s.orelse, scope)

    def _exit(self, s: Exit, scope: dict) -> None:
        raise (IndexRangeError if s.kind == "index" else ValueError)(s.message)

    def _call(self, s: Call, scope: dict) -> None:
        operand = lambda name: scope[name[2:]].T if name.startswith("T:") else scope[name]  # noqa: E731
        if s.kernel == "dot":
            a, b, out = map(operand, s.args)
            out[...] = np.dot(a, b)
        elif s.kernel in self.functions:
            self._enter(self.functions[s.kernel], [scope[name] for name in s.args])
        elif s.kernel == "flat":
            scope[s.args[1]] = operand(s.args[0]).reshape(-1)
        elif s.kernel == "row":
            scope[s.args[1]] = operand(s.args[0])[int(scope[s.args[2]])]
        elif s.kernel == "same":
            scope[s.args[1]] = scope[s.args[0]]
            scope[s.args[1]][...] = math.nan if scope[s.args[1]].dtype.kind == "f" else 77
        else:
            assert s.kernel == "reshape"
            sizes = tuple(int(n) if n.isdigit() else int(scope[n]) for n in s.args[2:])
            view = scope[s.args[0]].reshape(sizes)
            assert np.shares_memory(view, scope[s.args[0]]) or not view.size
            scope[s.args[1]] = view

    def _allocate(self, s: Allocate, scope: dict) -> None:
        shape = tuple(int(self._value(n, scope)) for n in s.shape)
        garbage = math.nan if s.dtype in ("f64", "f32") else 77
        scope[s.name] = np.full(shape, garbage if s.fill is None else s.fill, NUMPY[s.dtype])

    def _return(self, s: Return, scope: dict) -> None:
        raise _LeftError(tuple(self._result(v, scope) for v in s.values))

    def _result(self, value: Any, scope: dict) -> Any:
        if isinstance(value, tuple):
            return tuple(self._result(v, scope) for v in value)
        return self._value(value, scope) if isinstance(value, Expr) else scope[value]

    def _spot(self, buffer: np.ndarray, index: tuple, scope: dict) -> tuple:
        spot = tuple(int(self._value(e, scope)) for e in index)
        assert all(0 <= i < n for i, n in zip(spot, buffer.shape, strict=True)), (spot, buffer.shape)
        return spot

    def _value(self, e: Expr, scope: dict) -> Any:
        if e.op == "const":
            return NUMPY[e.dtype](e.value)
        if e.op == "var":
            value = scope[e.value]
            assert isinstance(value, np.ndarray) or value.dtype == NUMPY[e.dtype], (e, value.dtype)
            return value
        if e.op == "load":
            return scope[e.value][self._spot(scope[e.value], e.args, scope)]
        if e.op == "length":
            return np.int64(scope[e.value[0]].shape[e.value[1]])
        args = [self._value(a, scope) for a in e.args]
        if e.op == "call":
            return self._function(e, args)
        return NUMPY[e.dtype](BASIS[e.op](*args))

    def _function(self, e: Expr, args: list) -> Any:
        if str(e.value).startswith("math."):
            return np.float64(getattr(math, str(e.value)[5:])(args[0]))
        (value,) = self._enter(self.functions[e.value], args)
        assert value.dtype == NUMPY[e.dtype]
        return value
