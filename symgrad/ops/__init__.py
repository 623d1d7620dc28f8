"""The primitives: importing this fills the registry."""

from symgrad.ops import (
    choose,
    composite,
    contract,
    diagonal,
    elementwise,
    errorfree,
    join,
    leaf,
    random,
    reduce,
    removable,
    shape,
    window,
)

__all__ = [
    "choose",
    "composite",
    "contract",
    "diagonal",
    "elementwise",
    "errorfree",
    "join",
    "leaf",
    "random",
    "reduce",
    "removable",
    "shape",
    "window",
]
