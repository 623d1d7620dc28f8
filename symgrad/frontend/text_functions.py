"""TABLE: the functions that text may call, under their names in NumPy, SymPy, C and Python."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from symgrad.frontend import functions
from symgrad.frontend.tensor import Tensor
from symgrad.ops.registry import ROWS

ALIASES = {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
    "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh",
    "ln": "log", "pow": "power", "ceiling": "ceil", "Abs": "abs", "fabs": "abs",
    "Mod": "mod", "remainder": "mod", "loggamma": "lgamma", "expit": "sigmoid",
    "fmax": "maximum", "fmin": "minimum",
}  # fmt: skip
_NOT_IN_TEXT = ("polygamma",)  # its order is no tensor


@dataclass(frozen=True, slots=True)
class Function:
    """A function of ``fewest`` to ``most`` tensors."""

    apply: Callable[..., Tensor]
    fewest: int
    most: int

    @property
    def arguments(self) -> str:
        """How many it takes, in words."""
        more = "more" if self.most == sys.maxsize else str(self.most)
        count = str(self.fewest) if self.most == self.fewest else f"{self.fewest} or {more}"
        return f"{count} argument{'s' * (self.most > 1)}"


def _folded(pair: Callable[..., Tensor]) -> Function:
    """A function of two as a function of many, from the left."""

    def fold(*xs: Any) -> Tensor:
        return reduce(pair, xs)

    return Function(fold, 2, sys.maxsize)


def _table() -> dict[str, Function]:
    found = {}
    for name, apply in functions.TABLE.items():
        if name not in _NOT_IN_TEXT:
            arity = ROWS[name].arity if name in ROWS else 1
            found[name] = Function(apply, arity, arity)
    found |= {alias: found[name] for alias, name in ALIASES.items()}
    for pair, names in (("maximum", ("max", "Max")), ("minimum", ("min", "Min"))):
        found |= dict.fromkeys(names, _folded(functions.TABLE[pair]))
    return found


FUNCTIONS = _table()  # a higher room adds its activations


def nearest(name: str) -> str:
    """The fix for an unknown function: the name that is most like it, if one is."""
    close = difflib.get_close_matches(name, FUNCTIONS, n=1)
    return (
        f"did you mean {close[0]}?" if close else f"help(sg.parse) lists the functions; a product is {name[:40]}*(...)"
    )
