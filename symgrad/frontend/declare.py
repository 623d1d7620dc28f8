"""Declarations: symbols, inputs, parameters, constants, names."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import sympy as sp

from symgrad.errors import DeclarationError
from symgrad.frontend.tensor import HOOKS, Tensor, as_node, compare, power, real_op, same_op
from symgrad.ir.node import Variable, build
from symgrad.ir.show import printable
from symgrad.ir.types import AS_NUMBER, AnySize, ArrayType, Size
from symgrad.ir.types import named as named_size
from symgrad.ops.leaf import variable
from symgrad.ops.verify import LONGEST_NAME

_KINDS = ("real", "int", "bool")
_PYTHON_KINDS = {"float": "real", "int": "int", "bool": "bool"}
_KINDS_FIX = 'use "real", "int" or "bool"; float32 is chosen at sg.compile'
LARGEST = 2**31 - 1  # of one declared size
LARGEST_ARRAY = 2**40 - 1  # elements of one declared array
MOST_SYMBOLS = 10_000  # of one range


def symbols(names: str) -> Tensor | tuple[Tensor, ...]:
    """Real scalars from names separated by spaces or commas, ranges as in SymPy; one name gives one tensor.

    >>> x, y = symbols("x y")
    >>> symbols("z").shape
    ()
    >>> symbols("w:3")
    (Tensor(w0: f64), Tensor(w1: f64), Tensor(w2: f64))

    Raises:  DeclarationError without a name, for a range without an end, or for too many symbols
    """
    is_text, is_list = isinstance(names, str), isinstance(names, (list, tuple))
    words = [w for w in re.split(r"[,\s]+", names) if w] if is_text else list(names) if is_list else []
    if is_text and ":" in names:
        words = [name for word in words for name in _ranged(word)]
    made = tuple(symbol(word) for word in words)
    if not made:
        raise DeclarationError("symbols needs at least one name", fix='write sg.symbols("x y")')
    return made[0] if len(made) == 1 and not (is_text and ":" in names) else made


def _ranged(word: str) -> tuple[str, ...]:
    """The names of ``x:3`` (x0, x1, x2), ``x2:5``, ``a:c``, ``x:2y:2``, as SymPy reads them."""
    fix = 'write sg.symbols("x:3") for x0, x1, x2'
    ends = [int(end) if len(end) < 9 else LARGEST for end in re.findall(r":(\d+)", word)]
    if math.prod(max(end, 1) for end in ends) > MOST_SYMBOLS:
        raise DeclarationError(f"{printable(word)} are more than {MOST_SYMBOLS} symbols", fix="declare an input")
    try:
        found = sp.symbols(word, cls=str)
    except ValueError as error:
        raise DeclarationError(f"{printable(word)!r} is no range of names: {error}", fix=fix) from None
    return (found,) if isinstance(found, str) else found


def symbol(name: str, *, latex: str | None = None) -> Tensor:
    """A real scalar variable; each call declares a new one.

    Raises:  DeclarationError if the name or its LaTeX cannot stand in a formula

    >>> symbol("t") * 2
    Tensor(t * 2: f64)
    """
    return Tensor(variable(_declared(name, "symbol", latex), ArrayType((), "real")))


def input(name: str, shape: Any = (), *, dtype: str = "real", latex: str | None = None) -> Tensor:
    """Data: a tensor whose sizes are integers or names; one name is one size everywhere in a function.

    >>> input("X", ("n", 2)).shape
    (n, 2)
    """
    return Tensor(variable(_declared(name, "input", latex), declared_type(name, shape, dtype)))


def parameter(name: str, shape: Any = (), *, init: Any = None, latex: str | None = None) -> Tensor:
    """What is learned: the default of ``wrt``. ``init`` is an initializer's name or an array.

    Raises:  DeclarationError if a name or a size is none, for an unknown initializer's name (with the nearest right
             one), or where ``init`` has another shape

    >>> parameter("W", (2, "n"))
    Tensor(W: f64[2, n])
    """
    kind = declared_type(name, shape, "real")
    if isinstance(init, str):
        HOOKS["initializer"](init)  # a wrong name is told at once
    elif init is not None and not callable(init):
        init = _initial(name, kind, init)
    return Tensor(variable(_declared(name, "parameter", latex, init), kind))


def _declared(name: Any, kind: str, latex: Any, init: Any = None) -> Variable:
    return Variable(checked_name(name), kind, checked_latex(latex), init)


def _initial(name: str, kind: ArrayType, init: Any) -> np.ndarray:
    """A start as an array of the declared shape; a named size takes any length."""
    try:
        start = np.array(init, dtype=float)
    except (TypeError, ValueError):
        raise DeclarationError(f"parameter {printable(name)}: init is not an array of real numbers") from None
    if start.ndim != kind.rank or any(
        isinstance(n, int) and n != m for n, m in zip(kind.shape, start.shape, strict=True)
    ):
        facts = ("declared", str(kind)), ("init", str(start.shape))
        raise DeclarationError(
            f"parameter {printable(name)}: init has another shape", *facts, fix="give init the declared shape"
        )
    return start


def constant(value: Any) -> Tensor:
    """A number or an array as a tensor (numbers and arrays are also taken as they are).

    >>> constant([1, 2])
    Tensor(<i64[2]>: i64[2])
    """
    return Tensor(as_node(value))


def named(name: str, tensor: Any, *, latex: str | None = None) -> Tensor:
    """The tensor under a name that the reader meets in formulas, drawing and code.

    >>> x = symbol("x")
    >>> named("q", x + 1).name
    'q'
    """
    return Tensor(build("named", as_node(tensor), name=checked_name(name), latex=checked_latex(latex)))


def checked_name(name: Any) -> str:
    """A name is a non-empty text; any characters are taken, and escaped where they are printed."""
    if not isinstance(name, str):
        raise DeclarationError(f"a name must be text, not {type(name).__name__}")
    if not name.strip():
        raise DeclarationError("a name must not be empty", fix="give it a letter")
    if len(name) > LONGEST_NAME:
        raise DeclarationError(f"a name must not be longer than {LONGEST_NAME} characters", ("name", printable(name)))
    return name


def checked_latex(latex: Any) -> str | None:
    """A name's own LaTeX is text, or None."""
    if latex is not None and not isinstance(latex, str):
        raise DeclarationError(f"latex must be text, not {type(latex).__name__}", fix='write latex=r"z^{(2)}"')
    return latex


def declared_type(name: str, shape: Any, dtype: Any) -> ArrayType:
    """Check a declared shape and kind."""
    if not isinstance(dtype, str) or dtype not in _KINDS:
        word = getattr(dtype, "__name__", str(dtype))
        kind = _PYTHON_KINDS.get(word) if isinstance(dtype, type) else None
        fix = f'write it as text: dtype="{kind}"' if kind else _KINDS_FIX
        raise DeclarationError(f"{printable(str(name))}: unknown dtype {word!r}", fix=fix)
    if isinstance(shape, (int, str, np.integer, Size)):
        shape = (shape,)
    if not isinstance(shape, (tuple, list)):
        raise DeclarationError(f"{printable(name)}: a shape is a tuple of sizes", ("shape", repr(shape)[:40]))
    sizes = tuple(declared_size(name, n) for n in shape)
    total = math.prod(n for n in sizes if isinstance(n, int))
    if total > LARGEST_ARRAY:
        raise DeclarationError(f"{printable(name)} would have {total} elements; the limit is {LARGEST_ARRAY}")
    return ArrayType(sizes, dtype)


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
    if not 0 <= size <= LARGEST:
        raise DeclarationError(f"{printable(name)}: a size must be from 0 to {LARGEST}", ("size", str(size)))
    return int(size)


AS_NUMBER.update({name: lambda a, b, n=name: same_op(n, a, b) for name in ("add", "sub", "mul", "mod")})
AS_NUMBER.update({n: lambda a, b, n=n: compare(n, a, b) for n in ("less", "less_equal", "greater", "greater_equal")})
AS_NUMBER.update(div=lambda a, b: real_op("div", a, b), pow=power)

__all__ = ["constant", "named", "parameter", "symbol", "symbols"]  # all but input, which ``import *`` leaves to Python
