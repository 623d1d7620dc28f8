"""``sg.latex``: anything that has a formula, as LaTeX."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symgrad.frontend.tensor import Tensor, as_node
from symgrad.view.tensors import latex_of, latex_of_list, latex_of_names, latex_of_rows


def latex(obj: Any) -> str:
    """A tensor (or what becomes one) as a formula; a compiled function or a derivation as its aligned lines.

    Several tensors are a tuple, rows of them (the Hessian by a list of variables) a matrix, a dict one line a name.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> latex((x + y) / 2)
    '\\\\frac{x + y}{2}'
    >>> latex([[2 * y, 2 * x], [2 * x, y + y]])
    '\\\\begin{pmatrix} 2 y & 2 x \\\\\\\\ 2 x & 2 y \\\\end{pmatrix}'
    """
    own = getattr(obj, "latex", None)
    if callable(own):
        return own()
    if isinstance(obj, Mapping):
        return latex_of_names({name: as_node(t) for name, t in obj.items()})
    if isinstance(obj, (list, tuple)) and any(isinstance(t, Tensor) for t in obj):
        return latex_of_list([as_node(t) for t in obj])
    rows = isinstance(obj, (list, tuple)) and all(isinstance(row, (list, tuple)) for row in obj)
    if rows and len({len(row) for row in obj}) == 1 and any(isinstance(t, Tensor) for row in obj for t in row):
        return latex_of_rows([[as_node(t) for t in row] for row in obj])
    return latex_of(as_node(obj))
