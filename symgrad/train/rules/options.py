"""What one may choose of a row: names, defaults, letters in formulas, and which values make sense.

In: a row's options and the arguments of a call. Out: pairs (name, value), each checked and in the row's order, which
compare, hash, print and pickle as they stand.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp

from symgrad.emit.latex_numbers import number
from symgrad.errors import CallError, DeclarationError, DtypeError, SymgradError
from symgrad.ir.node import Node, Variable, constant
from symgrad.ir.show import printable
from symgrad.ir.types import real
from symgrad.nn import rows
from symgrad.ops.leaf import variable

REQUIRED = inspect.Parameter.empty
Pairs = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """Which values an option takes: in words, and as a function that gives the value to keep.

    ``keep`` raises TypeError for something of another kind, ValueError for a value out of range.
    """

    words: str
    keep: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Option:
    """An option: ``letter`` stands for it in formulas and is written ``latex``."""

    name: str
    kind: Kind
    default: Any = REQUIRED
    letter: sp.Symbol | None = None
    latex: str = ""
    alias: str = ""


def plain(value: Any) -> float:
    """A finite real number as a float.

    Raises:  TypeError for anything but a number, ValueError for NaN and infinity
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError
    try:
        kept = float(value)
    except OverflowError:
        raise ValueError from None
    if not math.isfinite(kept):
        raise ValueError
    return kept


def within(holds: Callable[[float], bool], words: str) -> Kind:
    """Finite numbers for which a condition holds."""

    def keep(value: Any) -> float:
        kept = plain(value)
        if not holds(kept):
            raise ValueError
        return kept

    return Kind(words, keep)


def whole(least: int) -> Kind:
    """Integers from ``least`` on."""

    def keep(value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
            raise TypeError
        if value < least:
            raise ValueError
        return int(value)

    return Kind(f"a whole number of {least} or more", keep)


def _truth(value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError
    return bool(value)


def one_of(*names: str) -> Kind:
    """One of these texts."""

    def keep(value: Any) -> str:
        if not isinstance(value, str):
            raise TypeError
        if value not in names:
            raise ValueError
        return value

    return Kind(" or ".join(map(repr, names)), keep)


def optional(kind: Kind) -> Kind:
    """That kind, or None."""
    return Kind(f"{kind.words}, or None", lambda value: None if value is None else kind.keep(value))


NOT_NEGATIVE = within(lambda x: x >= 0.0, "a number of 0 or more")
POSITIVE = within(lambda x: x > 0.0, "a number above 0")
SHARE = within(lambda x: 0.0 <= x <= 1.0, "a number from 0 to 1")
BELOW_ONE = within(lambda x: 0.0 <= x < 1.0, "a number from 0 to 1, 1 excluded")
FLAG = Kind("True or False", _truth)


def configured(title: str, options: Sequence[Option], args: tuple, given: Mapping[str, Any]) -> Pairs:
    """The options' values from a call's arguments.

    Raises:  CallError for an unknown, a missing or a doubled option; DtypeError for a value of another kind;
             DeclarationError for a value out of range
    """
    named = dict(given)
    for o in options:
        if o.alias and o.alias in named:
            if o.name in named:
                raise CallError(f"{title}: {o.name} is given twice, also as {o.alias}")
            named[o.name] = named.pop(o.alias)
    pairs = rows.settled(title, tuple((o.name, o.default) for o in options), args, named)
    for o, (_, value) in zip(options, pairs, strict=True):
        if value is REQUIRED:
            raise CallError(f"{title} needs {o.name}", ("it is", o.kind.words))
    return tuple((o.name, kept(title, o.name, o.kind, v)) for o, (_, v) in zip(options, pairs, strict=True))


def kept(title: str, name: str, kind: Kind, value: Any) -> Any:
    """The value of an option as it is kept.

    Raises:  DtypeError, DeclarationError
    """
    try:
        return kind.keep(value)
    except SymgradError:
        raise
    except (TypeError, ValueError) as error:
        wrong = DtypeError if isinstance(error, TypeError) else DeclarationError
        raise wrong(f"{title}: {name} is {kind.words}", ("given", printable(repr(value), 60))) from None


def signature(options: Sequence[Option]) -> inspect.Signature:
    """What ``help`` shows of a maker."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(o.name, kind, default=o.default) for o in options])


def namespace(pairs: Pairs) -> SimpleNamespace:
    """The values by attribute."""
    return SimpleNamespace(**dict(pairs))


def spelled(title: str, options: Sequence[Option], pairs: Pairs, always: Sequence[str] = ()) -> str:
    """The call that makes it: options with other values than the default, and those named in ``always``."""
    values = dict(pairs)
    shown = [o for o in options if o.name in always or values[o.name] != o.default]
    return f"{title}({', '.join(f'{o.name}={values[o.name]!r}' for o in shown)})"


def constants(options: Sequence[Option], pairs: Pairs) -> dict[sp.Symbol, Node]:
    """The nodes of the letters: numbers, folded into what is computed."""
    values = dict(pairs)
    return {o.letter: constant(float(values[o.name])) for o in lettered(options, pairs) if o.letter is not None}


def letters(options: Sequence[Option]) -> dict[sp.Symbol, Node]:
    """The nodes of the letters as they are printed."""
    return {o.letter: sign(o.latex) for o in options if o.letter is not None}


def sign(latex: str) -> Node:
    """A scalar that is only printed."""
    return variable(Variable(latex, "symbol", latex), real())


def lettered(options: Sequence[Option], pairs: Pairs) -> list[Option]:
    """The options whose values are numbers that have a letter."""
    values = dict(pairs)
    return [o for o in options if o.letter is not None and isinstance(values[o.name], (int, float))]


def where_clause(options: Sequence[Option], pairs: Pairs, used: Iterable[sp.Symbol]) -> str:
    r"""The values of the letters that a formula uses: ``\eta = 0.01,\ \mu = 0.9``."""
    values, seen = dict(pairs), set(used)
    shown = [o for o in lettered(options, pairs) if o.letter in seen]
    return r",\ ".join(f"{o.latex} = {signed(values[o.name])}" for o in shown)


def signed(value: float) -> str:
    """A number in LaTeX, as a decimal where that is short: options are set as 0.5, not as 1/2."""
    size = abs(value)
    text = repr(float(size)).removesuffix(".0") if 1e-4 <= size < 1e7 else number(size)
    return ("-" if value < 0 else "") + text
