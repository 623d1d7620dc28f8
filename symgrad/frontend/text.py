"""Text to a tensor, without ``eval``: ``parse("(x + y)*z")``.

The text passes the budgets of ``text_scan``, is parsed by Python's ``ast``, and the tree is walked with a
stack over the allow-list of ``text_rules``; nothing is ever evaluated. Whole numbers are exact (1/3 is a
third, rounded once, to the nearest double) while they fit in 4096 bits; a number with a point or an exponent
is the nearest double.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from symgrad.frontend.declare import symbol
from symgrad.frontend.tensor import Tensor, as_node
from symgrad.frontend.text_functions import FUNCTIONS, nearest
from symgrad.frontend.text_rules import Context, value_of
from symgrad.frontend.text_scan import Scanned, Token, refuse, scan
from symgrad.ir.node import constant

CONSTANTS = {"pi": math.pi, "e": math.e, "E": math.e}


def parse(text: str, names: Mapping[str, Any] | None = None) -> Tensor:
    """The expression that the text states, through a safe parser.

    Allowed: numbers, names, ``+ - * / **``, parentheses, ``< <= > >=`` (also chained), ``and or not`` and
    ``& | ~`` on comparisons, ``where(condition, a, b)``, and the element-wise functions by their names in NumPy,
    SymPy, C or Python (``arcsin``, ``asin``, ``ln``, ``Max``, ``fabs``, ...), activations too (``elu(x, 0.5)``).
    A power is ``**``; ``^`` is refused.
    ``pi`` and ``e`` (also ``E``) are the constants, unless ``names`` says otherwise. ``names`` gives the meaning
    of names; each other name becomes a new symbol, in the order of appearance.

    >>> parse("(x + y)*z")
    Tensor((x + y) * z: f64)
    >>> x = symbol("x")
    >>> parse("x*x", {"x": x}) == x * x
    True

    Raises:  ExpressionError, with the position, for all other text; ShapeError if tensors in ``names`` do not fit
    """
    given = {} if names is None else {name: Tensor(as_node(value)) for name, value in names.items()}
    scanned = scan(text, given)
    signs = "".join(scanned.text[joint] for joint in scanned.joints)
    return value_of(_tree(scanned), Context(scanned.text, signs, _meanings(scanned, given)))


def _meanings(scanned: Scanned, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The value of each name of the text, new symbols in the order of appearance."""
    found: dict[str, Tensor] = {}
    for token in scanned.tokens:
        if token.kind == "function" and token.text not in FUNCTIONS:
            _refuse_function(scanned.text, token, given)
        if token.kind == "name" and token.text not in found:
            found[token.text] = _meaning(scanned.text, token, given)
    return found


def _meaning(text: str, token: Token, given: Mapping[str, Tensor]) -> Tensor:
    name = token.text
    if name in given:
        return given[name]
    if name in CONSTANTS:
        return Tensor(constant(CONSTANTS[name]))
    if name in FUNCTIONS:
        advice = f'write {name}(...); as a variable, declare it: parse(text, {{"{name}": ...}})'
        refuse(text, token.start, f"'{name}' is a function", advice)
    return symbol(name)


def _refuse_function(text: str, token: Token, given: Mapping[str, Tensor]) -> NoReturn:
    name = token.text
    if name in given:
        refuse(text, token.start, f"'{name}' is a variable, not a function", f"write a product with *: {name}*(...)")
    refuse(text, token.start, f"'{name}' is not a known function", nearest(name))


def _tree(scanned: Scanned) -> ast.expr:
    """Python's syntax tree. A sum is parsed as a tuple of its terms, for CPython nests each + in the one before it."""
    text = list(scanned.text)
    for joint in scanned.joints:
        text[joint] = ","
    try:
        return ast.parse(f"({''.join(text)})", mode="eval").body
    except (RecursionError, MemoryError):
        refuse(scanned.text, 0, "too deep for the stack that is left", "call parse from a shallower place")
    except SyntaxError as error:
        refuse(scanned.text, max(0, (error.offset or 2) - 2), "this is not an expression")
