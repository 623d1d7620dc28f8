"""A claim that is a function of NumPy arrays: called with the variables by name, else in order of declaration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from symgrad.errors import CallError, DtypeError
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node
from symgrad.ir.show import printable
from symgrad.view.agreement import (
    FLOAT_DIGITS,
    largest_term,
    plain_value,
    rounded_mismatch,
    shown_point,
    tried,
)
from symgrad.view.comparison import Comparison
from symgrad.view.digits import count, referenced
from symgrad.view.infix import infix
from symgrad.view.points import Point

_ROUNDED = 1e-8
_KEYWORD = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_NAMED = (*_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


def against_function(name: str, formulas: tuple[Node, Node, Node], claim: Callable[..., Any], seed: int) -> Comparison:
    """Compare a function's values with the derived ones.

    ``formulas``: f, the derivative, and the derivative as the rules give it, whose terms tell what rounding may leave.
    """
    f, derived, raw = referenced(formulas)
    found = tried([derived, f], [derived, f], seed)
    shown, digits = printable(getattr(claim, "__name__", "function")), FLOAT_DIGITS
    for p in found:
        b = evaluate([derived], p)[0]
        a = _numbers(_called(claim, p))
        wrong = Comparison(name, shown, infix(formulas[1]), False, counterexample=shown_point(p))
        if a.shape != b.shape:
            return replace(wrong, hint=f"a derivative has the shape {b.shape}, the function gave {a.shape}")
        apart = rounded_mismatch(a, b, largest_term([raw], p))
        if not apart <= _ROUNDED:
            return replace(wrong, claimed_value=plain_value(a), derived_value=plain_value(b))
        digits = min(digits, count(apart))
    return Comparison(name, shown, infix(formulas[1]), True, False, digits, len(found))


def _numbers(value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf" or (array.dtype.kind == "O" and value is not None):
            return array.astype(float)
    except (TypeError, ValueError):
        pass
    raise DtypeError("the claimed function gave no real numbers", ("given", type(value).__name__))


def _called(claim: Callable[..., Any], p: Point) -> Any:
    variables = {v["variable"].name: plain_value(x) for v, x in p.items() if v.op.name == "variable"}
    sizes = {str(v["size"]): plain_value(x) for v, x in p.items() if v.op.name == "size"}
    with np.errstate(all="ignore"):
        keywords = _keywords(claim, variables, sizes)
        return claim(*variables.values()) if keywords is None else claim(**keywords)


def _keywords(
    claim: Callable[..., Any], variables: Mapping[str, Any], sizes: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """What the function is called with by name; None where its arguments come in order.

    Raises:  CallError where its arguments are neither the formula's variables nor as many
    """
    try:
        parameters = inspect.signature(claim).parameters.values()
    except (TypeError, ValueError):
        return None
    kinds = {q.kind for q in parameters}
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return None
    known = {**sizes, **variables}
    required = [q for q in parameters if q.kind in _NAMED and q.default is inspect.Parameter.empty]
    if all(q.kind in _KEYWORD and q.name in known for q in required):
        if inspect.Parameter.VAR_KEYWORD in kinds:
            return {**variables, **{q.name: known[q.name] for q in required}}
        return {q.name: known[q.name] for q in parameters if q.kind in _KEYWORD and q.name in known}
    if len(required) != len(variables):
        raise CallError(
            "the claimed function's arguments are not the formula's variables",
            ("takes", ", ".join(printable(q.name) for q in required)),
            ("variables", ", ".join(map(printable, variables))),
            fix="name its arguments after the variables it needs, or take all of them in this order",
        )
    return None
