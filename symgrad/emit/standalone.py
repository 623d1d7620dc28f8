"""A Source as one file that needs NumPy and Numba only, and that checks itself when it is run.

In: the Program and its Source, the text of the kernels, sample inputs. Out: the text, and the arrays of
the sibling .npz (hidden constants). Entries refuse arrays of other shapes than declared. Samples of at most ``MANY``
elements become literals, larger ones are drawn anew between their bounds by a seeded generator. By convention
``forward`` returns (outputs, residuals),
``backward`` takes the inputs it reads (by their names in forward), the residuals, a cotangent for each output;
``value_and_grad`` returns (value, gradients). Where scalars are packed, the vector's members are the samples.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.emit.names import display
from symgrad.emit.numba import wrapped
from symgrad.emit.scalar import literal
from symgrad.emit.selfcheck import AGREEMENT, HALVES, JOINT, LEAVES, SLOPES, VALUES
from symgrad.ir.program import Function, Program
from symgrad.ir.source import Source
from symgrad.ir.types import Shape, Size

MANY = 64
KINDS = {"float64": "f64", "float32": "f32", "int64": "i64", "int32": "i32", "bool": "bool"}
_PRODUCTS = "from symgrad.runtime.chains import matmul\n"
_BEGIN, _END = "# kernels: begin\n", "# kernels: end\n"
_IMPORT, _WRAPS, _MATH = "from symgrad.runtime.kernels import ", "from functools import wraps\n", "import math\n"


def standalone(
    program: Program,
    source: Source,
    *,
    kernels: str,
    samples: Mapping[str, Any],
    wrt: Sequence[str] = (),
    shapes: Mapping[str, Shape] | None = None,
) -> tuple[str, dict[str, np.ndarray]]:
    """The text of the file and the arrays of the .npz beside it (none: no such file is needed).

    ``kernels`` is the text of ``symgrad/runtime/kernels.py``; ``samples`` has the inputs in the order of the
    parameters, by any names; ``wrt`` names the gradients in their order, inputs by the same names; ``shapes`` has the
    declared shapes that are to be checked.
    """
    hidden = {name: np.asarray(value) for name, value in program.hidden}
    functions = {f.name: f for f in program.functions if f.name in program.entries}
    found = _identifiers(functions, samples)
    samples = {found[name]: value for name, value in samples.items()}
    wrt = [found.get(name, display(name)) for name in wrt]
    texts, calls = _checks(functions)
    text = guarded(source.text, functions, {found[name]: shape for name, shape in (shapes or {}).items()})
    parts = [with_kernels(text, kernels, bool(hidden)), _drawn(samples), _constants(program, functions, wrt)]
    verdict = f"    raise SystemExit(0 if all([{', '.join(calls)}]) else 1)\n"
    parts += [*texts, '\nif __name__ == "__main__":\n    inputs = samples()\n' + verdict]
    return "\n".join(parts), hidden


def _identifiers(functions: Mapping[str, Function], samples: Mapping[str, Any]) -> dict[str, str]:
    """The parameter that each input is: by its place, among the packed scalars or the others."""
    function = next(functions[n] for n in ("forward", "value_and_grad", *functions) if n in functions)
    packed = iter(function.packed)
    others = iter([p.name for p in function.parameters if p.name not in function.hidden][bool(function.packed) :])
    found = {}
    for name, value in samples.items():
        array = np.asarray(value)
        is_packed = bool(function.packed) and array.ndim == 0 and array.dtype.kind == "f"
        found[name] = next(packed if is_packed else others)
    return found


def _checks(functions: Mapping[str, Function]) -> tuple[list[str], list[str]]:
    """The checks that fit, and their calls; where arguments are packed only the joint function is checked."""
    joint = "value_and_grad" in functions
    if {"forward", "backward"} <= set(functions) and not any(f.packed for f in functions.values()):
        texts, calls = [LEAVES, SLOPES, HALVES, AGREEMENT], ["check_halves(inputs)", "check_agreement(inputs)"]
        return (texts, calls) if joint else (texts[:-1], calls[:-1])
    if joint:
        return [LEAVES, SLOPES, JOINT], ["check_joint(inputs)"]
    return [LEAVES, VALUES], ["check_values(inputs)"]


_MATMUL = '''


try:
    import scipy.linalg.cython_blas  # noqa: F401  what np.dot calls in Numba
except ImportError:  # then loops

    @helper
    def matmul(a, b, out):
        """out = a @ b, for matrices and vectors."""
        out[:] = 0.0
        if a.ndim == 1:
            for k in range(b.shape[0]):
                for j in range(b.shape[1]):
                    out[j] += a[k] * b[k, j]
        elif b.ndim == 1:
            for i in range(a.shape[0]):
                for k in range(a.shape[1]):
                    out[i] += a[i, k] * b[k]
        else:
            for i in range(a.shape[0]):
                for k in range(a.shape[1]):
                    for j in range(b.shape[1]):
                        out[i, j] += a[i, k] * b[k, j]
else:

    @helper
    def matmul(a, b, out):
        """out = a @ b, by BLAS."""
        np.dot(a, b, out)'''


def with_kernels(text: str, kernels: str, hidden: bool = False) -> str:
    """The text with its import of symgrad replaced by what is imported."""
    header, closed, body = text.partition('\n"""\n')  # a quote within the docstring is escaped
    before, wraps, after = body.partition(_WRAPS)
    after, products, rest = after.partition(f"\n{_PRODUCTS}")
    after += rest
    if products:
        head, gap, functions = after.partition("\n\n\n@")
        after = f"{head}{_MATMUL}{gap}{functions}"
    upper, found, lower = after.partition(f"\n{_IMPORT}")
    if found:
        after = f"{upper}\n\n{_pasted(kernels)}\n\n{lower.partition(chr(10))[2]}"
        before = before.removesuffix(_MATH) + _MATH
    path = "from pathlib import Path\n" if hidden else ""
    return "".join((header, closed, before, wraps, path, after))


def guarded(text: str, functions: Mapping[str, Function], shapes: Mapping[str, Shape]) -> str:
    """The text with a test of the shapes at the head of each entry: compiled code does not look before it reads."""
    for name, function in functions.items():
        end = re.compile(rf'^def {name}\(.*?\n    """\n', re.DOTALL | re.MULTILINE)
        lines = "".join(f"{line}\n" for line in _guards(function, shapes))
        text = end.sub(lambda found, lines=lines: found.group() + lines, text, count=1)  # type: ignore[misc]
    return text


def _guards(function: Function, shapes: Mapping[str, Shape]) -> list[str]:
    """For each array whose shape is declared, what it must be: numbers, and lengths that others show first."""
    shown: dict[str, str] = {}
    lines = []
    for p in function.parameters:
        tests = []
        for axis, size in enumerate(shapes.get(p.name, ())):
            length = f"{p.name}.shape[{axis}]"
            wanted = str(size) if isinstance(size, int) else _measured(size, shown)
            if wanted is not None:
                tests.append(f"{length} != {wanted}")
            elif str(size).isidentifier():
                shown[str(size)] = length
        if tests:
            sizes = ", ".join(map(str, shapes[p.name]))
            lines += [f"    if {' or '.join(tests)}:", f'        raise ValueError("{p.name}: {p.dtype}[{sizes}]")']
    return lines


def _measured(size: Size, shown: Mapping[str, str]) -> str | None:
    """A named size in lengths that are known; None where one is not."""
    if not set(size.names()) <= set(shown):
        return None
    text = re.sub(r"[A-Za-z_]\w*", lambda found: shown[found.group()], str(size))
    return text if text in shown.values() else f"({text})"


def _pasted(kernels: str) -> str:
    """The operations that Python lacks, without their imports."""
    block = kernels.partition(_BEGIN)[2].partition(_END)[0]
    return "".join(line for line in block.splitlines(keepends=True) if not line.startswith("import ")).strip()


def _drawn(samples: Mapping[str, Any]) -> str:
    """The function that makes the sample inputs."""
    rows = []
    for name, value in samples.items():
        array = np.asarray(value)
        rows += wrapped(f'"{name}": ', _literal(array) if array.size <= MANY else _draw(array), ",", " " * 8)
    used = any(np.asarray(v).size > MANY for v in samples.values())
    lines = ["", "def samples():", '    """Inputs to check with."""']
    lines += ["    rng = np.random.default_rng(0)"] * used
    return "\n".join([*lines, "    return {", *rows, "    }", "", ""])


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
    pairs = [f'"{f.name}": [{", ".join(_quoted(f.packed))}]' for f in functions.values() if f.packed]
    lines += wrapped("PACKED = {", ", ".join(pairs), "}", bare=True)
    if {"forward", "backward"} <= set(functions):
        given = {p.name for p in functions["forward"].parameters} - set(functions["forward"].hidden)
        read = [p.name for p in functions["backward"].parameters if p.name in given]
        lines += wrapped("READ = [", ", ".join(_quoted(read)), "]", bare=True)
    if wrt:
        lines += wrapped("WRT = [", ", ".join(_quoted(wrt)), "]", bare=True)
        lines.append(f"TOLERANCE = {'1e-3' if program.dtype == 'f32' else '1e-7'}")
    return "\n".join([*lines, ""])


def _quoted(names: Sequence[str]) -> list[str]:
    """String literals of identifiers, or of what ``display`` makes of other text."""
    return ['"' + name.replace("\\", "\\\\").replace('"', r"\"") + '"' for name in names]
