"""Matrix products of symgrad's own: compiled once for a CPU, kept in the cache, called by every emitted module.

In: nothing but the CPU. Out: ``matmul(a, b, out)`` in compiled code: out = a b for C-contiguous ``out`` and operands
that are contiguous, or such an array transposed; float32 or float64. Emitted code refers to the kernels by symbol, so
that no module compiles them again. On a CPU without fused multiply-add, products go to BLAS.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import binding, ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

from symgrad.runtime import cache
from symgrad.runtime.chains import matmul
from symgrad.runtime.product_kernels import text

KINDS = {"f32": types.float32, "f64": types.float64}
NAMES = ("product", "dots", "sums")
_I64 = ir.IntType(64)
_engines: dict[str, Any] = {}  # kept alive: their code is in use
_lock = threading.RLock()


def width(features: str) -> int:
    """Bytes of the vectors that a CPU multiplies and adds in one instruction; 0 where it has none.

    >>> width("+avx,+avx2,+fma"), width("+neon"), width("+sse2")
    (32, 16, 0)
    """
    has = set(features.split(","))
    if "+fma" in has and "+avx512f" in has:
        return 64
    if "+fma" in has and "+avx2" in has:
        return 32
    return 16 if has & {"+neon", "+fullfp16"} else 0


def provide(kind: str, target: tuple[str, str, str], folder: Path | None) -> bool:
    """Make the kernels of a float type callable by their symbols; True if they were in the cache, or in memory.

    ``target`` is (triple, cpu, features); ``folder`` the cache directory of that CPU.
    """
    with _lock:
        if kind in _engines or not width(target[2]):
            return True
        path = folder / f"products-{kind}.o" if folder else None
        stored = cache.read_sealed(path) if path else None
        code = stored if stored is not None else _compiled(kind, target)
        if stored is None and path:
            cache.publish(path, cache.seal(path, code))
        machine = _machine(target)
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        for name in NAMES:
            symbol = f"symgrad_{name}_{kind}"
            binding.add_symbol(symbol, engine.get_function_address(symbol))
        _engines[kind] = engine
        return stored is not None


def _machine(target: tuple[str, str, str]) -> Any:
    triple, cpu, features = target
    return binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features=features, opt=3, reloc="default", codemodel="jitdefault", jit=True
    )


def _compiled(kind: str, target: tuple[str, str, str]) -> bytes:
    machine = _machine(target)
    module = binding.parse_assembly(text(kind, width(target[2])))
    module.triple = target[0]
    module.data_layout = str(machine.target_data)
    options = binding.create_pipeline_tuning_options(speed_level=2)
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return machine.emit_object(module)


@type_callable(matmul)
def _type_matmul(context: Any) -> Any:
    def typer(a: Any, b: Any, out: Any) -> Any:
        arrays = all(isinstance(x, types.Array) for x in (a, b, out))
        same = arrays and a.dtype == b.dtype == out.dtype and a.dtype in KINDS.values()
        return types.none if same and out.layout == "C" and {a.layout, b.layout} <= {"C", "F"} else None

    return typer


@lower_builtin(matmul, types.Array, types.Array, types.Array)
def _lower_matmul(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    kind = "f32" if signature.args[0].dtype == types.float32 else "f64"
    if not width(context.codegen().magic_tuple()[2]):
        return context.compile_internal(builder, _by_blas, signature, args)
    a, b, out = (_view(context, builder, t, v) for t, v in zip(signature.args, args, strict=True))
    call = _Calls(builder, kind, out[0])
    if len(a[1]) == 1:
        _vector_times(call, a, b)
    elif len(b[1]) == 1:
        _times_vector(call, a, b)
    else:
        _matrices(call, a, b)
    return context.get_dummy_value()


def _by_blas(a: Any, b: Any, out: Any) -> None:
    np.dot(a, b, out)


def _view(context: Any, builder: Any, kind: Any, value: Any) -> tuple[Any, list[Any], list[Any]]:
    """(data, shape, strides in elements) of an array."""
    array = context.make_array(kind)(context, builder, value)
    size = context.get_constant(types.intp, 4 if kind.dtype == types.float32 else 8)
    shape = cgutils.unpack_tuple(builder, array.shape)
    strides = [builder.sdiv(s, size) for s in cgutils.unpack_tuple(builder, array.strides)]
    return array.data, shape, strides


class _Calls:
    """Calls of the kernels by symbol."""

    def __init__(self, builder: Any, kind: str, out: Any) -> None:
        self.builder, self.kind, self.out = builder, kind, out

    def __call__(self, name: str, *args: Any) -> None:
        types_ = [a.type for a in args]
        symbol = f"symgrad_{name}_{self.kind}"
        f = cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(ir.VoidType(), types_), symbol)
        self.builder.call(f, args)

    def choose(self, condition: Any) -> Any:
        """Two arms, the first where the condition holds."""
        return self.builder.if_else(condition)

    def is_one(self, x: Any) -> Any:
        """Whether an integer is 1."""
        return self.builder.icmp_signed("==", x, _I64(1))


View = tuple[Any, list[Any], list[Any]]


def _product(call: _Calls, a: View, b: View, sizes: tuple[Any, Any, Any]) -> None:
    call("product", a[0], *a[2], b[0], *b[2], call.out, *sizes)


def _matrices(call: _Calls, a: View, b: View) -> None:
    """A matrix with one column, or one row, is a vector."""
    (m, k), n = a[1], b[1][1]
    with call.choose(call.is_one(n)) as (column, other):
        with column:
            _times_vector(call, a, (b[0], b[1][:1], b[2][:1]))
        with other, call.choose(call.is_one(m)) as (row, both):
            with row:
                _vector_times(call, (a[0], a[1][1:], a[2][1:]), b)
            with both:
                _product(call, a, b, (m, n, k))


def _times_vector(call: _Calls, a: View, x: View) -> None:
    """out = a x: dot products of rows, or a sum of columns."""
    (m, k), (row, across), (step,) = a[1], a[2], x[2]
    is_rows = call.builder.and_(call.is_one(across), call.is_one(step))
    with call.choose(is_rows) as (dots, other):
        with dots:
            call("dots", a[0], row, x[0], call.out, m, k)
        with other, call.choose(call.is_one(row)) as (sums, strided):
            with sums:
                call("sums", x[0], step, a[0], across, call.out, m, k)
            with strided:
                _product(call, a, (x[0], [k, _I64(1)], [step, _I64(1)]), (m, _I64(1), k))


def _vector_times(call: _Calls, x: View, b: View) -> None:
    """out = x b = b^T x."""
    (k, n), (down, across) = b[1], b[2]
    _times_vector(call, (b[0], [n, k], [across, down]), x)
