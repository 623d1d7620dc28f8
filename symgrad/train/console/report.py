"""``--html``: the training as one page: its film, the network, the score, and the derivation of its gradient.

In: the parsed options, the trained network, what was printed of it. Out: the file. A place that cannot be written is
refused before the training, not after it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symgrad.errors import CallError
from symgrad.ir.show import printable
from symgrad.train.console.tables import Data
from symgrad.train.picture import page
from symgrad.train.picture.drawing import needs_matplotlib
from symgrad.train.storage.writable import check_writable
from symgrad.train.watching.film import Film
from symgrad.train.watching.statistics import LayerStatistics


def add(train: argparse.ArgumentParser) -> None:
    """The option."""
    train.add_argument("--html", metavar="FILE", help="write a page with curves, weights and the derivation")


def check(options: argparse.Namespace) -> None:
    """Refuse what would fail after the training.

    Raises:  DeclarationError
    """
    if options.html is None:
        return
    needs_matplotlib()
    check_writable("--html", Path(options.html))


def watchers(options: argparse.Namespace, data: Data) -> list[Any]:
    """The callbacks that see what the page shows; none without a page."""
    if options.html is None:
        return []
    names = data.features if len(data.features) == 2 else ("x1", "x2")
    return [LayerStatistics(), Film(features=[f"{name}, standardised" for name in names])]


def write(options: argparse.Namespace, net: Any, seen: Sequence[Any], printed: Sequence[tuple[str, str]]) -> None:
    """The page, if it is wanted.

    Raises:  CallError where it cannot be written
    """
    if options.html is None:
        return
    loss = net.loss_function
    sections = [
        *(page.text(title, body) for title, body in printed),
        "<section><h2>Film</h2>", next(c for c in seen if isinstance(c, Film)).section(), "</section>",
        page.text("The loss and its gradient, step by step", str(loss.derivation())),
        page.text("The same as LaTeX", loss.latex(), folded=True),
    ]  # fmt: skip
    title = f"Training on {options.data or Path(options.csv).name}"
    try:
        Path(options.html).write_text(page.page(title, sections), encoding="utf-8")
    except OSError as error:
        why = error.strerror or str(error)
        raise CallError(f"{printable(options.html)} is not written", ("reason", why)) from None
    print(f"the page is {options.html}")


__all__ = ["add", "check", "watchers", "write"]
