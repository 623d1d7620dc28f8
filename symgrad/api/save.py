"""Write the emitted module to a file of the user's choice."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.emit.standalone import standalone as standalone_text
from symgrad.errors import SymgradError
from symgrad.ir.node import Node
from symgrad.ir.types import Size, substitute
from symgrad.pipeline import wrt_names
from symgrad.runtime.border import numpy_dtype

if TYPE_CHECKING:
    from symgrad.api.bundle import Bundle

# Intervals to draw real samples from, until value and gradient are finite.
_INTERVALS = ((-1.0, 1.0), (0.1, 0.9), (1.1, 3.0), (-3.0, -1.1))


def save_source(bundle: Bundle, path: Path, alone: bool) -> Path:
    """The module's text; ``alone`` adds what it imports from symgrad, sample inputs and a check of itself."""
    if not alone:
        path.write_text(bundle.source.text, encoding="utf-8")
        return path
    derived = bundle.derived
    inside = [x.op.name != "variable" for x in derived.asked]  # an intermediate, though it may have an input's name
    wrt = [f"{name} (inside)" if i else name for name, i in zip(wrt_names(derived), inside, strict=True)]
    text, arrays = standalone_text(
        bundle.program,
        bundle.source,
        kernels=kernels_text(),
        samples=samples(bundle),
        wrt=wrt,
        shapes={v["variable"].name: v.shape for v in derived.inputs},
    )
    path.write_text(text, encoding="utf-8")
    if arrays:
        np.savez(path.with_suffix(".npz"), allow_pickle=False, **arrays)  # type: ignore[arg-type]
    return path


def kernels_text() -> str:
    """The text of the kernels, read without importing them (they start Numba)."""
    spec = find_spec("symgrad.runtime.kernels")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def samples(bundle: Bundle) -> dict[str, Any]:
    """Inputs at which value and gradient are finite, drawn from a fixed seed; named sizes are small and differ."""
    inputs = bundle.derived.inputs
    names = sorted({name for v in inputs for n in v.shape if isinstance(n, Size) for name in n.names()})
    sizes: dict[str, Any] = {name: 5 + 2 * i for i, name in enumerate(names)}
    drawn: list[Any] = []
    for low, high in _INTERVALS:
        rng = np.random.default_rng(7)
        drawn = [_draw(v, sizes, (low, high), bundle.dtype, rng) for v in inputs]
        if _is_finite(bundle, drawn):
            break
    return {v["variable"].name: value for v, value in zip(inputs, drawn, strict=True)}


def _draw(v: Node, sizes: dict[str, Any], between: tuple[float, float], real: str, rng: np.random.Generator) -> Any:
    shape: Any = tuple(substitute(n, sizes) for n in v.shape)
    dtype = numpy_dtype(v.dtype, real)
    if v.dtype != "real":
        return rng.integers(0, 2, shape).astype(dtype)[()]
    return np.asarray(rng.uniform(*between, shape)).round(3).astype(dtype)[()]


def _is_finite(bundle: Bundle, values: list[Any]) -> bool:
    name = "value_and_grad" if "value_and_grad" in bundle.targets else "value"
    try:
        result = bundle.call(name, values)
    except SymgradError:
        return False
    leaves, stack = [], [result]
    while stack:
        item = stack.pop()
        stack.extend(item) if isinstance(item, tuple) else leaves.append(np.asarray(item))
    return all(np.all(np.isfinite(leaf)) for leaf in leaves if leaf.dtype.kind == "f")
