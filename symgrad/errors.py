"""What symgrad says when it says no: one tree, one layout.

SymgradError (Exception)
+-- DeclarationError        ValueError           a name or variable is declared wrongly
+-- ExpressionError         ValueError           text that is not an expression
+-- ShapeError              ValueError           shapes or sizes do not fit
+-- ModelFileError          ValueError           a model file is damaged or foreign
+-- CallError               TypeError            arguments that are missing, unknown or given twice
+-- DtypeError              TypeError            a number of the wrong kind
+-- NotDifferentiableError  TypeError            a derivative that does not exist
+-- UnsupportedError        NotImplementedError  known, but without a rule
+-- IndexRangeError         IndexError           an index outside its axis
+-- NumericError            ArithmeticError      NaN or infinity where it must not be
+-- InternalError           RuntimeError         a promise of symgrad itself is broken
"""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path
from types import FrameType

__all__ = [
    "CallError",
    "DeclarationError",
    "DtypeError",
    "ExpressionError",
    "IndexRangeError",
    "InternalError",
    "ModelFileError",
    "NotDifferentiableError",
    "NumericError",
    "ShapeError",
    "SymgradError",
    "UnsupportedError",
]

_HERE = str(Path(__file__).parent) + os.sep


class SymgradError(Exception):
    """A summary line, then aligned ``label  text`` lines, the user's own line, and the fix.

    ``facts`` are (label, text) pairs. ``at`` is found on the stack: the innermost
    frame outside symgrad, which is the line that the user wrote.
    """

    def __init__(self, summary: str, *facts: tuple[str, str], fix: str = "", at: str | None = None) -> None:
        self.summary = summary
        self.facts = facts
        self.fix = fix
        self.at = call_site() if at is None else at
        super().__init__(summary)

    def __str__(self) -> str:
        rows = [*self.facts]
        if self.at:
            rows.append(("at", self.at))
        if self.fix:
            rows.append(("fix", self.fix))
        width = max((len(label) for label, _ in rows), default=0)
        return "\n".join([self.summary, *(f"  {label:<{width}}  {text}" for label, text in rows)])

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), self.summary, self.facts, self.fix, self.at)


def _rebuild(kind: type[SymgradError], summary: str, facts: tuple, fix: str, at: str) -> SymgradError:
    return kind(summary, *facts, fix=fix, at=at)


def call_site() -> str:
    """``file.py:21   the line`` of the innermost caller outside symgrad and SymPy, or ''."""
    frame = sys._getframe(1)
    while frame is not None and _is_inside(frame):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    path, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(path, line).strip()
    return f"{Path(path).name}:{line}" + (f"   {text[:80]}" if text else "")


def _is_inside(frame: FrameType) -> bool:
    """Whether a frame is symgrad's own, or SymPy's between a user's line and symgrad."""
    name = frame.f_globals.get("__name__")
    return frame.f_code.co_filename.startswith(_HERE) or (isinstance(name, str) and name.startswith("sympy."))


class DeclarationError(SymgradError, ValueError):
    """A name or variable is declared wrongly."""


class ExpressionError(SymgradError, ValueError):
    """Text that is not an expression of the allowed kind."""


class ShapeError(SymgradError, ValueError):
    """Shapes or sizes do not fit."""


class ModelFileError(SymgradError, ValueError):
    """A model file is damaged, foreign or from the future."""


class CallError(SymgradError, TypeError):
    """Arguments that are missing, unknown or given twice."""


class DtypeError(SymgradError, TypeError):
    """A number of the wrong kind."""


class NotDifferentiableError(SymgradError, TypeError):
    """A derivative that does not exist."""


class UnsupportedError(SymgradError, NotImplementedError):
    """Known, but without a rule."""


class IndexRangeError(SymgradError, IndexError):
    """An index outside its axis."""


class NumericError(SymgradError, ArithmeticError):
    """NaN or infinity where it must not be."""


class InternalError(SymgradError, RuntimeError):
    """A promise of symgrad itself is broken: please report it."""
