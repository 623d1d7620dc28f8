"""``sg.latex``: anything that has a formula, as LaTeX."""

from __future__ import annotations

from typing import Any

from symgrad.emit.latex import latex_of
from symgrad.frontend.tensor import as_node


def latex(obj: Any) -> str:
    """A tensor (or what becomes one) as a formula; a compiled function or a derivation as its aligned lines.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> latex((x + y) / 2)
    '\\\\frac{x + y}{2}'
    """
    own = getattr(obj, "latex", None)
    return own() if callable(own) else latex_of(as_node(obj))
