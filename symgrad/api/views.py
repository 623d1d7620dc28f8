"""What a compiled function shows of itself: source, derivation, report, check."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.api.check import check
from symgrad.api.save import save_source
from symgrad.api.scipy import Problem, as_scipy
from symgrad.emit.count import count, shown
from symgrad.passes.report import PassReport
from symgrad.pipeline import wrt_names
from symgrad.runtime.check import CheckReport, Effort
from symgrad.view.derivation import Derivation

if TYPE_CHECKING:
    from symgrad.api.bundle import Bundle
    from symgrad.api.function import Definition


@dataclass(frozen=True, slots=True)
class Report:
    """What compiling did: a row a pass, operations of each entry, lines, and whether the cache had it all."""

    passes: tuple[PassReport, ...]
    operations: dict[str, str]
    lines: int
    cache_hit: bool

    def __str__(self) -> str:
        rows = [f"{'pass':<12} {'ms':>8} {'nodes':>8} {'after':>8} {'operations':>12} {'after':>8}"]
        for p in self.passes:
            sizes = f"{p.nodes_before:>8} {p.nodes_after:>8} {p.operations_before:>12} {p.operations_after:>8}"
            rows.append(f"{p.name:<12} {1e3 * p.seconds:>8.2f} {sizes}")
        rows += [f"{name}: {text}" for name, text in self.operations.items()]
        rows.append(f"{self.lines} lines, cache {'hit' if self.cache_hit else 'miss'}")
        return "\n".join(rows)

    __repr__ = __str__


class Views:
    """The reading half of CompiledFunction."""

    _bundle: Bundle
    _definition: Definition

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs, in the order of positional arguments."""
        return tuple(v["variable"].name for v in self._definition.inputs)

    @property
    def wrt(self) -> tuple[str, ...]:
        """The names of what gradients are taken with respect to."""
        return wrt_names(self._bundle.derived)

    @property
    def dtype(self) -> str:
        """The float type: "float64" or "float32"."""
        return self._definition.dtype

    @property
    def source(self) -> str:
        """The text of the emitted module."""
        return self._bundle.source.text

    @property
    def source_path(self) -> Path | None:
        """The importable file of the emitted module (None where no cache directory can be written)."""
        return self._bundle.loaded.path

    def save_source(self, path: str | Path, standalone: bool = False) -> Path:
        """Write the source to a file; ``standalone`` needs NumPy and Numba only, and running it checks itself."""
        return save_source(self._bundle, Path(path), standalone)

    @cached_property
    def _derivation(self) -> Derivation:
        return Derivation(self._bundle.derived)

    def derivation(self) -> Derivation:
        """The derivation as an object: steps with name, formula, rule and shape."""
        return self._derivation

    def latex(self, style: str = "matrix") -> str:
        """The derivation as LaTeX: "matrix" (a node a line), "closed" (formulas in the inputs), "elementwise"
        (with indices) or "chain" (the chain written out)."""
        return self._derivation.latex(style)

    def _repr_latex_(self) -> str:
        return self._derivation._repr_latex_()

    def report(self) -> Report:
        """What each pass did: seconds, nodes before and after, operations, lines, cache hit."""
        bundle = self._bundle
        entries = {name: shown(count(bundle.functions[name])) for name in bundle.program.entries}
        for name in filter(bundle.is_heavy, entries):
            entries[name] += " (too long to compile: runs as plain Python)"
        text = self._bundle.source.text
        return Report(self._bundle.derived.passes, entries, text.count("\n"), self._bundle.loaded.hit)

    def check(self, /, *args: Any, **kwargs: Any) -> CheckReport:
        """Compare every gradient with differences at a point: a table that prints, with ``ok``.

        ``seed=0`` draws the directions (an input of that name comes first).
        """
        seed = 0 if "seed" in self.inputs else kwargs.pop("seed", 0)
        return check(self, args, kwargs, Effort(seed=seed))  # type: ignore[arg-type]

    def as_scipy(self, x0: Any = None, /, **fixed: Any) -> Problem:
        """x0, fun, jac, hess, hessp, flatten, unflatten, bounds on one flat vector; other inputs are fixed by name.

        The start ``x0`` may be given by name as well, where no input that is to be fixed has that name.
        """
        if "x0" in fixed and ("x0" not in self.inputs or "x0" in self.wrt):
            x0 = fixed.pop("x0")
        return as_scipy(self, x0, fixed)  # type: ignore[arg-type]
