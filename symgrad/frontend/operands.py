"""Operands as nodes: numbers and arrays become constants, and complaints get the operands' names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.errors import DtypeError, SymgradError
from symgrad.ir.node import Node, constant
from symgrad.ir.show import described, label
from symgrad.ops.numerals import nearest_double

_KINDS = "biuf"  # NumPy's booleans, integers, floats


def constant_node(value: Any, like: str | None = None) -> Node:
    """A number or an array as a constant; a Python integer is real unless ``like`` is "int".

    Raises:  DtypeError for text, masks, complex numbers, ragged lists, and what is no number
    """
    if isinstance(value, (bool, np.bool_)):
        return constant(bool(value), "bool")
    if isinstance(value, Fraction):
        return constant(nearest_double(value))
    if isinstance(value, (int, np.integer)):
        return constant(_checked_int(int(value), like), "int" if like == "int" else "real")
    if isinstance(value, float):
        return constant(float(value))
    return constant(_array(value))


def _checked_int(value: int, like: str | None) -> int:
    if abs(value) >= (2**63 if like == "int" else 2**1023):
        what = "64 bits" if like == "int" else "a float"
        raise DtypeError(f"an integer constant is too large for {what}", fix="write it as a float")
    return value


def _array(value: Any) -> np.ndarray:
    if isinstance(value, (str, bytes)):
        raise DtypeError("text is not a tensor", ("value", repr(value[:40])), fix="use sg.parse(text)")
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise DtypeError("masked arrays are not constants", fix="fill the masked elements first")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DtypeError("a constant must be a number or a regular array", ("value", type(value).__name__)) from error
    if array.dtype.kind == "O":
        raise _no_number(value)
    if array.dtype.kind not in _KINDS or array.dtype.itemsize > 8:
        facts = ("value", f"{type(value).__name__} of {array.dtype}")
        raise DtypeError("a constant must hold real numbers, integers or booleans", facts)
    if array.dtype == np.uint64 and array.size and array.max() > np.uint64(2**63 - 1):
        raise DtypeError("an integer constant is beyond 2**63 - 1", fix="convert with .astype(float)")
    return array


def _no_number(value: Any) -> DtypeError:
    """What is neither a tensor nor numbers, with what may have been meant."""
    fix = ""
    if callable(value):
        fix = "call it on symbols, and use what it gives"
    elif isinstance(value, (Mapping, Set, Iterator)):
        fix = "make a list of its elements first"
    elif isinstance(value, (list, tuple)):
        fix = "a list holds numbers, or tensors of one shape"
    elif isinstance(value, Decimal):
        fix = "convert it with float(...)"
    return DtypeError("neither a tensor nor an array of numbers", ("given", type(value).__name__), fix=fix)


def with_names(error: SymgradError, nodes: Sequence[Node]) -> SymgradError:
    """The complaint of a rule, which knows types only, in the user's terms: a type becomes ``W2: f64[10, 64]``."""
    by_type = {str(n.type): n for n in reversed(nodes)}
    used = iter(nodes)
    facts = []
    for text_label, text in error.facts:
        node = next(used, None) if text in by_type else None
        node = node if node is not None and str(node.type) == text else by_type.get(text)
        facts.append((text_label, described(node) if node is not None else text))
    return type(error)(error.summary, *facts, fix=_named_fix(error.fix, nodes), at=error.at)


def _named_fix(fix: str, nodes: Sequence[Node]) -> str:
    for which, node in zip(("left", "right"), nodes, strict=False):
        fix = fix.replace(f"the {which} operand", label(node))
    return fix
