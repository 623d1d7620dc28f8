r"""TABLE: regularizers, one row each: a penalty of a parameter, to be added to the loss.

In: a parameter's tensor. Out: a scalar. Names and options are Keras 3's; the names "l1", "l2" and "l1_l2" mean 0.01.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symgrad.errors import DtypeError
from symgrad.frontend import reductions
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.tensor import Tensor
from symgrad.nn import rows
from symgrad.nn.rows import Maker, Options


@dataclass(frozen=True, slots=True, repr=False)
class Regularizer:
    """A row: ``penalty(w, **options)`` is a scalar."""

    name: str
    penalty: Callable[..., Tensor]
    formula: str
    source: str
    title: str
    options: Options = ()
    names: tuple[str, ...] = ()

    def __call__(self, w: Tensor) -> Tensor:
        return self.penalty(w, **dict(self.options))

    def __repr__(self) -> str:
        return rows.shown(self)


def _l1(w: Tensor, l1: float) -> Tensor:
    return l1 * reductions.sum(F["abs"](w))


def _l2(w: Tensor, l2: float) -> Tensor:
    return l2 * reductions.sum(w**2)


def _l1_l2(w: Tensor, l1: float, l2: float) -> Tensor:
    return _l1(w, l1) + _l2(w, l2)


TABLE = [
    Regularizer("l1", _l1, r"\lambda\sum|w|", "Tibshirani 1996", "L1", (("l1", 0.01),)),
    Regularizer("l2", _l2, r"\lambda\sum w^2", "Hoerl and Kennard 1970", "L2", (("l2", 0.01),)),
    Regularizer("l1_l2", _l1_l2, r"\lambda_1\sum|w| + \lambda_2\sum w^2", "Zou and Hastie 2005", "L1L2",
                (("l1", 0.0), ("l2", 0.0)), ("elastic_net",)),
]  # fmt: skip
REGULARIZERS = rows.all_names(TABLE)


def get(spec: Any) -> Callable[[Tensor], Tensor] | None:
    """A regularizer by name, as a row, or as a function of the tensor.

    >>> get("l2")
    L2(l2=0.01)
    >>> get("l1_l2")
    L1L2(l1=0.01, l2=0.01)
    """
    if isinstance(spec, str):
        row = rows.find("regularizer", spec, REGULARIZERS)
        return replace(row, options=tuple((name, value or 0.01) for name, value in row.options))
    if isinstance(spec, Maker):
        return spec.row
    if spec is None or callable(spec):
        return spec
    fix = 'write "l2", sg.regularizers.L2(0.001) or a function of the tensor'
    raise DtypeError("a regularizer is a name, a row or a function", ("given", type(spec).__name__), fix=fix)


def __getattr__(name: str) -> Any:
    """Rows under their names: ``L2(0.001)`` is a row with options."""
    if name.startswith("_") or name not in REGULARIZERS:
        raise AttributeError(f"there is no regularizer {name!r}")
    return Maker(REGULARIZERS[name])


def __dir__() -> list[str]:
    return sorted([*globals(), *REGULARIZERS])
