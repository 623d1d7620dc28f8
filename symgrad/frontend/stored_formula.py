"""SymPy expressions of one symbol as plain data, to the form in which they are written.

    formula = [row, ...], the last is the expression      row = [function, place, ...] of rows before it
            | ["Integer", "0x10"] | ["Rational", "0x1", "0x3"] | ["Float", sign, "mantissa", exponent, precision]
            | ["symbol"]

Functions are those that have a numeric rule (``ops.symbolic.heads``), by the names of SymPy's classes. Reading trusts
nothing: it makes no other class, and parses no text but integers.
"""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean, BooleanFunction

from symgrad.errors import UnsupportedError
from symgrad.ir.show import printable
from symgrad.ops.symbolic import heads

MOST_ROWS, DEEPEST = 10_000, 150  # written out as a tree
_LONGEST, _PRECISE = 5000, 20_000  # hexadecimal digits, bits
_WORD = 2**63


def formula_to_plain(expr: sp.Basic, symbol: sp.Symbol) -> list:
    """The expression as rows.

    Raises:  UnsupportedError for what could not be read back
    >>> t = sp.Symbol("t")
    >>> formula_to_plain(1 / (1 + t), t)
    [['Integer', '0x1'], ['symbol'], ['Add', 0, 1], ['Integer', '-0x1'], ['Pow', 2, 3]]
    """
    rows: list[list] = []
    places: dict[int, int] = {}
    parts: list[sp.Basic] = []  # alive, so that their ids are theirs
    stack: list[tuple[sp.Basic, bool]] = [(expr, False)]
    while stack:
        part, is_open = stack.pop()
        if id(part) in places:
            continue
        row = _leaf(part, symbol)
        if row is None and not is_open:
            stack.append((part, True))
            stack.extend((a, False) for a in reversed(part.args))
            continue
        rows.append(row or [_head(part), *(places[id(a)] for a in part.args)])
        places[id(part)] = len(rows) - 1
        parts.append(part)
    if len(rows) > MOST_ROWS:
        raise UnsupportedError(f"a formula of {len(rows)} parts is not stored; the limit is {MOST_ROWS}")
    return rows


def _leaf(part: Any, symbol: sp.Symbol) -> list | None:
    if part == symbol:
        return ["symbol"]
    if isinstance(part, sp.Integer):
        return ["Integer", hex(part.p)]
    if isinstance(part, sp.Rational):
        return ["Rational", hex(part.p), hex(part.q)]
    if isinstance(part, sp.Float):
        sign, mantissa, exponent, _ = part._mpf_
        return ["Float", sign, hex(mantissa), exponent, part._prec]
    return None if part.args else [_head(part)]


def _head(part: Any) -> str:
    name = type(part).__name__
    if heads().get(name) is not type(part):
        raise UnsupportedError(f"a formula with {printable(name)} is not stored")
    return name


def formula_from_plain(data: Any, symbol: sp.Symbol) -> sp.Basic:
    """The expression again; a ValueError says what is wrong with the data.

    >>> t = sp.Symbol("t")
    >>> formula_from_plain([["symbol"], ["Integer", "0x2"], ["Mul", 1, 0]], t)
    2*t
    """
    if not isinstance(data, list) or not 0 < len(data) <= MOST_ROWS:
        raise ValueError("a formula is a list of rows")
    made: list[sp.Basic] = []
    grown: list[tuple[int, int]] = []  # parts of each as a tree, and its depth
    with sp.evaluate(False):  # a number that is computed could be of any length
        for row in data:
            if not isinstance(row, list) or not row or not isinstance(row[0], str):
                raise ValueError("a row of a formula is [function, place, ...]")
            made.append(_made(row[0], row[1:], made, symbol))
            below = [grown[i] for i in row[1:]] if made[-1].args else []
            grown.append((1 + sum(n for n, _ in below), 1 + max((d for _, d in below), default=0)))
            if grown[-1][0] > MOST_ROWS or grown[-1][1] > DEEPEST:
                raise ValueError("a formula is too long or nested too deep")
    return made[-1]


def _made(name: str, rest: list, made: list[sp.Basic], symbol: sp.Symbol) -> sp.Basic:
    if name == "symbol" and not rest:
        return symbol
    if name in ("Integer", "Rational") and len(rest) == 1 + (name == "Rational"):
        return sp.Rational(*map(_integer, rest)) if len(rest) == 2 else sp.Integer(_integer(rest[0]))
    if name == "Float" and len(rest) == 4:
        return _float(*rest)
    if name not in heads() or not all(type(i) is int and 0 <= i < len(made) for i in rest):
        raise ValueError(f"{printable(name)} of these parts is no formula")
    parts = [made[i] for i in rest]
    if not _fit(heads()[name], parts):
        raise ValueError(f"{printable(name)} of these parts is no formula")
    return heads()[name](*parts)


def _fit(kind: type, parts: list[sp.Basic]) -> bool:
    """Whether the parts are of the kind that the function takes: numbers, truths, or cases."""
    if kind is ExprCondPair:
        return len(parts) == 2 and isinstance(parts[0], sp.Expr) and isinstance(parts[1], Boolean)
    wanted = ExprCondPair if kind is sp.Piecewise else Boolean if issubclass(kind, BooleanFunction) else sp.Expr
    return all(isinstance(p, wanted) for p in parts)


def _integer(text: Any) -> int:
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise ValueError("an integer of a formula is stored as hexadecimal text")
    return int(text, 16)


def _float(sign: Any, mantissa: Any, exponent: Any, precision: Any) -> sp.Float:
    fits = sign in (0, 1) and type(sign) is int and type(exponent) is int and -_WORD < exponent < _WORD
    if not fits or type(precision) is not int or not 1 <= precision <= _PRECISE:
        raise ValueError("a number of a formula is stored as sign, mantissa, exponent and precision")
    value = _integer(mantissa)
    if value < 0:
        raise ValueError("a mantissa is not negative")
    return sp.Float((sign, f"{value:x}", exponent, value.bit_length()), precision=precision)


__all__ = ["formula_from_plain", "formula_to_plain"]
