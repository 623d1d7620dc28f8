"""What the examples emit, as files: ``python -m tests.generated`` brings ``generated/`` up to date.

Each example that compiles or shows a network's loss is run, with ``sg.compile`` and ``net.loss_function`` watched,
until it first trains. A function becomes ``<output's name>.py`` (its source), ``.tex`` (its
derivation) and ``.txt`` (the same for a terminal). Numbers that an example prints are not kept: they differ in
the last digit from one machine to another.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import symgrad as sg
from symgrad.train.model import Model

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(
    p
    for p in (ROOT / "examples").glob("*.py")
    if re.search(r"sg\.compile\(|loss_function", p.read_text(encoding="utf-8"))
)


class _TrainsError(Exception):
    """Raised where an example first trains: it emits nothing after that."""


def run(example: Path, whole: bool, arguments: Sequence[str] = ()) -> tuple[list[Any], str]:
    """The functions that an example compiles before it first trains, and what it prints (until then, or to its end)."""
    made: list[Any] = []
    trains = False
    real, loss_of, fit = sg.compile, Model.loss_function.fget, Model.fit  # type: ignore[attr-defined]

    def kept(fn: Any) -> Any:
        if not trains:
            made.append(fn)
        return fn

    def trained(*args: Any, **kwargs: Any) -> Any:
        nonlocal trains
        trains = True
        if whole:
            return fit(*args, **kwargs)
        raise _TrainsError

    with (
        mock.patch.object(sys, "argv", [str(example), *arguments]),
        mock.patch.object(sg, "compile", lambda *args, **kwargs: kept(real(*args, **kwargs))),
        mock.patch.object(Model, "loss_function", property(lambda net: kept(loss_of(net)))),
        mock.patch.object(Model, "fit", trained),
        contextlib.redirect_stdout(io.StringIO()) as printed,
        contextlib.suppress(_TrainsError),
    ):
        runpy.run_path(str(example), run_name="__main__")
    return made, printed.getvalue()


def files(example: Path, functions: list[Any]) -> dict[str, str]:
    """Relative path -> text, for everything that one example emits."""
    found: dict[str, str] = {}
    for number, fn in enumerate(functions, 1):
        stem = f"{example.stem}/{number}_{_title(fn)}"
        found[f"{stem}.py"] = fn.source
        if fn.wrt:
            found[f"{stem}.tex"] = fn.latex() + "\n"
            found[f"{stem}.txt"] = f"{fn.derivation()}\n"
    return found


def _title(fn: Any) -> str:
    names = [node["name"] for node in fn._definition.outputs if node.op.name == "named"]
    return re.sub(r"\W", "", names[0])[:20] if names else "f"


def main() -> int:
    """Write all files anew; what no example emits any more goes."""
    folder = ROOT / "generated"
    wanted: dict[str, str] = {}
    for example in EXAMPLES:
        wanted |= files(example, run(example, False)[0])
    for path in folder.rglob("*"):
        if path.is_file() and str(path.relative_to(folder)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    print(f"{len(wanted)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
