"""Declarations: symbols, inputs, parameters, constants, names."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError
from symgrad.frontend.tensor import Tensor, as_node
from symgrad.ir.node import Variable, build
from symgrad.ir.show import printable
from symgrad.ir.types import AnySize, ArrayType, Shape, Size
from symgrad.ir.types import named as named_size
from symgrad.ops.leaf import variable

_KINDS = ("real", "int", "bool")
_LARGEST = 2**31 - 1  # of one declared size
_LONGEST_NAME = 200


def symbols(names: str) -> Tensor | tuple[Tensor, ...]:
    """Real scalars from names separated by spaces or commas; one name gives one tensor.

    >>> x, y = symbols("x y")
    >>> symbols("z").shape
    ()
    """
    words = re.split(r"[,\s]+", names.strip()) if isinstance(names, str) else list(names)
    made = tuple(symbol(word) for word in words if word)
    if not made:
        raise DeclarationError("symbols needs at least one name", fix='write sg.symbols("x y")')
    return made[0] if len(made) == 1 else made


def symbol(name: str, *, latex: str | None = None) -> Tensor:
    """A real scalar variable."""
    return Tensor(variable(Variable(checked_name(name), "symbol", latex), ArrayType((), "real")))


def input(name: str, shape: Any = (), *, dtype: str = "real", latex: str | None = None) -> Tensor:
    """Data: a tensor whose sizes are integers or names; one name is one size everywhere in a function.

    >>> input("X", ("n", 2)).shape
    (n, 2)
    """
    return Tensor(variable(Variable(checked_name(name), "input", latex), declared_type(name, shape, dtype)))


def parameter(name: str, shape: Any = (), *, init: Any = None, latex: str | None = None) -> Tensor:
    """What is learned: the default of ``wrt``. ``init`` is an initializer's name or an array."""
    kind = declared_type(name, shape, "real")
    if init is not None and not isinstance(init, str) and not callable(init):
        init = np.asarray(init, dtype=float)
        if init.shape != kind.shape:
            raise DeclarationError(
                f"parameter {printable(name)}: init has another shape",
                ("declared", str(kind)),
                ("init", str(init.shape)),
            )
    return Tensor(variable(Variable(checked_name(name), "parameter", latex, init), kind))


def constant(value: Any) -> Tensor:
    """A number or an array as a tensor (numbers and arrays are also taken as they are)."""
    return Tensor(as_node(value))


def named(name: str, tensor: Any, *, latex: str | None = None) -> Tensor:
    """The tensor under a name that the reader meets in formulas, drawing and code.

    >>> x = symbol("x")
    >>> named("q", x + 1).name
    'q'
    """
    return Tensor(build("named", as_node(tensor), name=checked_name(name), latex=latex))


def checked_name(name: Any) -> str:
    """A name is a non-empty text; any characters are taken, and escaped where they are printed."""
    if not isinstance(name, str):
        raise DeclarationError(f"a name must be text, not {type(name).__name__}")
    if not name.strip():
        raise DeclarationError("a name must not be empty", fix="give it a letter")
    if len(name) > _LONGEST_NAME:
        raise DeclarationError(f"a name must not be longer than {_LONGEST_NAME} characters", ("name", printable(name)))
    return name


def declared_type(name: str, shape: Any, dtype: str) -> ArrayType:
    """Check a declared shape and kind."""
    if dtype not in _KINDS:
        raise DeclarationError(
            f"{printable(str(name))}: unknown dtype {str(dtype)!r}",
            fix='use "real", "int" or "bool"; float32 is chosen at sg.compile',
        )
    if isinstance(shape, (int, str, np.integer, Size)):
        shape = (shape,)
    return ArrayType(tuple(declared_size(name, n) for n in shape), dtype)


def declared_size(name: str, size: Any) -> AnySize:
    """An int, a name, or an expression of named sizes."""
    if isinstance(size, Size):
        return size
    if isinstance(size, str):
        if not (size.isascii() and size.isidentifier()):
            raise DeclarationError(f"{printable(name)}: a size's name must be an identifier", ("size", repr(size[:40])))
        return named_size(size)
    if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer)):
        raise DeclarationError(f"{printable(name)}: a size must be an integer or a name", ("size", repr(size)[:40]))
    if not 0 <= size <= _LARGEST:
        raise DeclarationError(f"{printable(name)}: a size must be from 0 to {_LARGEST}", ("size", str(size)))
    return int(size)


def total_limit(shape: Shape) -> bool:
    """Whether an array of these known sizes could be held at all (2**40 elements)."""
    total = 1
    for n in shape:
        total *= n if isinstance(n, int) else 1
    return total <= 2**40


__all__ = ["constant", "named", "parameter", "symbol", "symbols"]  # all but input, which ``import *`` leaves to Python
