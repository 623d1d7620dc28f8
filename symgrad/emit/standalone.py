"""A Source as one file that needs NumPy and Numba only, and that checks itself when it is run.

In: the Program and its Source, the text of the kernels, sample inputs. Out: the text, and the arrays of
the sibling .npz (hidden constants). Samples of at most ``MANY`` elements become literals, larger ones are drawn
anew between their bounds by a seeded generator. By convention ``forward`` returns (outputs, residuals),
``backward`` takes the inputs it reads (by their names in forward), the residuals, a cotangent for each output;
``value_and_grad`` returns (value, gradients).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.emit.numba import wrapped
from symgrad.emit.scalar import literal
from symgrad.ir.program import Function, Program
from symgrad.ir.source import Source

MANY = 64
KINDS = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "bool"}
_BEGIN, _END = "# kernels: begin\n", "# kernels: end\n"
_IMPORT, _WRAPS, _MATH = "from symgrad.runtime.kernels import ", "from functools import wraps\n", "import math\n"

_LEAVES = '''
def leaves(value):
    """The arrays and numbers in nested tuples, in order; reals in the precision of the functions."""
    found, stack = [], [value]
    while stack:
        item = stack.pop()
        if isinstance(item, tuple):
            stack.extend(reversed(item))
        else:
            array = np.asarray(item)
            found.append(array.astype(REAL) if array.dtype.kind == "f" else array)
    return found
'''

_CHECK = '''
def pulled(inputs, residuals, cotangents):
    """The gradients by the backward half."""
    read = [inputs[name] for name in READ]
    return leaves(backward(*read, *(a[()] for a in [*leaves(residuals), *cotangents]), *HIDDEN["backward"]))


def check_gradients(inputs, rng):
    """Slopes along random directions: by backward, and by central differences of two steps, extrapolated."""
    outputs, residuals = forward(*inputs.values(), *HIDDEN["forward"])
    outputs = leaves(outputs)
    weights = [np.asarray(rng.uniform(0.5, 1.5, y.shape) * (y.dtype.kind == "f"), y.dtype) for y in outputs]

    def total(name, direction, h):
        moved = {**inputs, name: (inputs[name] + h * direction).astype(inputs[name].dtype)}
        found = leaves(forward(*moved.values(), *HIDDEN["forward"])[0])
        return sum(float(np.sum(w * y, dtype=np.float64)) for w, y in zip(weights, found))

    size = sum(float(np.sum(np.abs(w * y))) for w, y in zip(weights, outputs))
    good = True
    for name, gradient in zip(WRT, pulled(inputs, residuals, weights)):
        if name not in inputs:
            continue
        h = 1e-4 if REAL is np.float64 else 1.0 / 128.0
        for _ in range(3):
            direction = rng.standard_normal(gradient.shape)
            coarse = (total(name, direction, h) - total(name, direction, -h)) / (2.0 * h)
            fine = (total(name, direction, h / 2.0) - total(name, direction, -h / 2.0)) / h
            slope, expected = float(np.sum(gradient * direction)), (4.0 * fine - coarse) / 3.0
            scale = max(1.0, abs(slope))
            allowed = TOLERANCE * scale + 64.0 * np.finfo(REAL).eps * size / h + 2.0 * min(abs(fine - coarse), 1e-3 * scale)
            error = abs(slope - expected)
            right = bool(error <= allowed)
            good = good and right
            numbers = f"{slope:>16.9g} {expected:>16.9g} {error:>9.1e}"
            print(f"{name:<16} {gradient.shape!s:<14} {numbers}  {'ok' if right else 'WRONG'}")
    return good
'''

_JOINT = '''
def check_joint(inputs):
    """forward followed by backward gives what value_and_grad gives."""
    outputs, residuals = forward(*inputs.values(), *HIDDEN["forward"])
    (value,) = leaves(outputs)
    halves = [value, *pulled(inputs, residuals, [np.ones_like(value)])]
    joint = leaves(value_and_grad(*inputs.values(), *HIDDEN["value_and_grad"]))
    near = 4096.0 * np.finfo(REAL).eps
    scales = [max(1.0, float(np.max(np.abs(b), initial=0.0))) for b in joint]
    good = all(np.allclose(a, b, near, near * scale) for a, b, scale in zip(halves, joint, scales))
    print("forward and backward agree with value_and_grad:", "ok" if good else "WRONG")
    return good
'''

_VALUES = '''
def check_values(inputs):
    """Every function runs on the sample."""
    for result in leaves(value(*inputs.values(), *HIDDEN["value"])):
        print(f"{'value':<16} {result.shape!s:<14} {result.dtype}")
    return True
'''


def standalone(
    program: Program, source: Source, *, kernels: str, samples: Mapping[str, Any], wrt: Sequence[str] = ()
) -> tuple[str, dict[str, np.ndarray]]:
    """The text of the file and the arrays of the .npz beside it (none: no such file is needed).

    ``kernels`` is the text of ``symgrad/runtime/kernels.py``; ``samples`` has the inputs in the order of the
    parameters; ``wrt`` names the gradients in their order.
    """
    hidden = {name: np.asarray(value) for name, value in program.hidden}
    functions = {f.name: f for f in program.functions if f.name in program.entries}
    parts = [
        with_kernels(source.text, kernels, bool(hidden)),
        _drawn(samples),
        _constants(program, functions, wrt),
        _LEAVES,
    ]
    if {"forward", "backward"} <= set(functions):
        parts.append(_CHECK)
        calls = ["check_gradients(inputs, np.random.default_rng(1))"]
    else:
        parts.append(_VALUES)
        calls = ["check_values(inputs)"]
    if "value_and_grad" in functions:
        parts.append(_JOINT)
        calls.append("check_joint(inputs)")
    verdict = f"    raise SystemExit(0 if all([{', '.join(calls)}]) else 1)\n"
    parts.append('\nif __name__ == "__main__":\n    inputs = samples()\n' + verdict)
    return "\n".join(parts), hidden


def with_kernels(text: str, kernels: str, hidden: bool = False) -> str:
    """The text with its import of symgrad replaced by what is imported."""
    header, closed, body = text.partition('\n"""\n')  # a quote within the docstring is escaped
    before, wraps, after = body.partition(_WRAPS)
    upper, found, lower = after.partition(f"\n{_IMPORT}")
    if found:
        block = kernels.partition(_BEGIN)[2].partition(_END)[0]
        pasted = "".join(line for line in block.splitlines(keepends=True) if not line.startswith("import "))
        after = f"{upper}\n{pasted.strip()}\n{lower.partition(chr(10))[2]}"
        before = before.removesuffix(_MATH) + _MATH
    path = "from pathlib import Path\n" if hidden else ""
    return "".join((header, closed, before, wraps, path, after))


def _drawn(samples: Mapping[str, Any]) -> str:
    """The function that makes the sample inputs."""
    rows = []
    for name, value in samples.items():
        array = np.asarray(value)
        rows += wrapped(f'"{name}": ', _literal(array) if array.size <= MANY else _draw(array), ",", " " * 8)
    used = any(np.asarray(v).size > MANY for v in samples.values())
    lines = ["", "def samples():", '    """Inputs to check with."""']
    lines += ["    rng = np.random.default_rng(0)"] * used
    return "\n".join([*lines, "    return {", *rows, "    }", ""])


def _literal(array: np.ndarray) -> str:
    kind = KINDS[array.dtype.name]
    if array.ndim == 0:
        return f"np.{'bool_' if kind == 'bool' else array.dtype.name}({_number(array.item(), kind)})"
    values = ", ".join(_number(v, kind) for v in array.ravel().tolist())
    dtype = "np.bool_" if kind == "bool" else f"np.{array.dtype.name}"
    return f"np.array([{values}], {dtype})" + (f".reshape({array.shape})" if array.ndim > 1 else "")


def _number(value: Any, kind: str) -> str:
    spelled = literal(value, kind).replace("math.", "np.")
    return spelled[4:-1] if kind in ("f32", "i32") else spelled


def _draw(array: np.ndarray) -> str:
    """Numbers of the same kind, shape and range."""
    kind, low, high = array.dtype.kind, array.min().item(), array.max().item()
    if kind == "b":
        return f"rng.integers(0, 2, {array.shape}).astype(np.bool_)"
    if kind == "i":
        return f"rng.integers({low}, {high + 1}, {array.shape}).astype(np.{array.dtype.name})"
    return f"rng.uniform({low!r}, {high!r}, {array.shape}).astype(np.{array.dtype.name})"


def _constants(program: Program, functions: Mapping[str, Function], wrt: Sequence[str]) -> str:
    """Names that the checks read: precision, gradients, and the hidden arguments of each function."""
    lines = [f"REAL = np.{'float32' if program.dtype == 'f32' else 'float64'}"]
    if any(f.hidden for f in functions.values()):
        lines.append('CONSTANTS = np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False)')
    lines.append("HIDDEN = {")
    for name, f in functions.items():
        lines += wrapped(f'"{name}": [', ", ".join(f'CONSTANTS["{c}"]' for c in f.hidden), "],", "    ", bare=True)
    lines.append("}")
    if {"forward", "backward"} <= set(functions):
        given = {p.name for p in functions["forward"].parameters} - set(functions["forward"].hidden)
        lines += _quoted("READ", [p.name for p in functions["backward"].parameters if p.name in given])
        lines += [*_quoted("WRT", wrt), f"TOLERANCE = {'1e-3' if program.dtype == 'f32' else '1e-7'}"]
    return "\n".join([*lines, ""])


def _quoted(label: str, names: Sequence[str]) -> list[str]:
    return wrapped(f"{label} = [", ", ".join(f'"{name}"' for name in names), "]", bare=True)
