"""Rows of a table by name, and rows with other options.

In: tables whose rows have ``name``, ``names`` (other names), ``title`` (as Keras names the class) and ``options``,
pairs of name and value. Out: the row of any of its names (a wrong one is answered with the nearest right one), and the
row with options by position or name: ``Huber(0.5)``, ``Huber(delta=0.5)``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from symgrad.errors import CallError, DeclarationError
from symgrad.ir.show import printable

_LISTED = 8  # names that a message gives
Options = tuple[tuple[str, Any], ...]


class Row(Protocol):
    """What every row of a table with options has."""

    @property
    def name(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def title(self) -> str: ...
    @property
    def options(self) -> Options: ...


R = TypeVar("R", bound=Row)


def all_names(rows: Iterable[R]) -> dict[str, R]:
    """Each row under each of its names."""
    return {name: row for row in rows for name in (row.name, *row.names, row.title)}


def find(what: str, name: str, known: Mapping[str, Any]) -> Any:
    """The entry of that name.

    Raises:  DeclarationError for another name; the fix names the nearest right one
    """
    if name in known:
        return known[name]
    longer = [n for n in known if name and n.startswith(name.lower())]
    close = difflib.get_close_matches(name, known, 1) or difflib.get_close_matches(name.lower(), known, 1) or longer
    own = list(dict.fromkeys(getattr(row, "name", other) for other, row in known.items()))
    some = ", ".join(own[:_LISTED]) + ", ..." * (len(own) > _LISTED)
    fix = f'did you mean "{close[0]}"?' if close else f"use one of: {some}"
    raise DeclarationError(f"there is no {what} {printable(name)!r}", fix=fix)


def settled(title: str, options: Options, args: tuple, given: Mapping[str, Any]) -> Options:
    """The options with those that are given, by position or by name.

    >>> settled("Huber", (("delta", 1.0),), (0.5,), {})
    (('delta', 0.5),)

    Raises:  CallError for too many, unknown ones (with the nearest right one), and those given twice
    """
    known = [name for name, _ in options]
    if len(args) > len(known):
        raise CallError(f"{title} takes {len(known)} option{'s' * (len(known) != 1)}, not {len(args)}")
    chosen = dict(zip(known, args, strict=False))
    for name, value in given.items():
        if name in chosen:
            raise CallError(f"{title}: {name} is given twice")
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            fix = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}" if known else "it has none"
            raise CallError(f"{title} has no option {printable(name)}", fix=fix)
        chosen[name] = value
    return tuple((name, chosen.get(name, default)) for name, default in options)


def shown(row: Row) -> str:
    """A row as it would be written."""
    return f"{row.title}({', '.join(f'{name}={value!r}' for name, value in row.options if value is not None)})"


@dataclass(frozen=True, slots=True)
class Maker:
    """A row under its title: called with options it gives the row that has them."""

    row: Any

    def __call__(self, *args: Any, **options: Any) -> Any:
        return replace(self.row, options=settled(self.row.title, self.row.options, args, options))

    def __repr__(self) -> str:
        return shown(self.row)
