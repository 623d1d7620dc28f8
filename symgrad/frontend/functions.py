"""Element-wise functions under their NumPy and SciPy names, from the table of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from symgrad.errors import CallError
from symgrad.frontend.tensor import (
    HOOKS,
    Tensor,
    as_node,
    compare,
    logical,
    named_errors,
    power,
    real_op,
    same_op,
    unify,
)
from symgrad.ir.node import build
from symgrad.ops.leaf import cast
from symgrad.ops.registry import ROWS

TABLE: dict[str, Callable[..., Tensor]] = {}  # name -> function, for text and for NumPy's ufuncs


def _function(name: str) -> Callable[..., Tensor]:
    """The function of a row, entered into the table."""
    row = ROWS[name]
    apply = same_op if row.result == "same" else real_op

    def function(*xs: Any) -> Tensor:
        if len(xs) != row.arity:
            raise CallError(f"{name} takes {row.arity} argument{'s' * (row.arity > 1)}, not {len(xs)}")
        return apply(name, *xs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}, element by element." + (f" {row.source}." if row.source else "")
    TABLE[name] = function
    return function


exp = _function("exp")
log = _function("log")
log1p = _function("log1p")
expm1 = _function("expm1")
log2 = _function("log2")
log10 = _function("log10")
exp2 = _function("exp2")
sqrt = _function("sqrt")
cbrt = _function("cbrt")
square = _function("square")
reciprocal = _function("reciprocal")
sin = _function("sin")
cos = _function("cos")
tan = _function("tan")
arcsin = _function("arcsin")
arccos = _function("arccos")
arctan = _function("arctan")
arctan2 = _function("arctan2")
sinh = _function("sinh")
cosh = _function("cosh")
tanh = _function("tanh")
arcsinh = _function("arcsinh")
arccosh = _function("arccosh")
arctanh = _function("arctanh")
sinc = _function("sinc")
abs = _function("abs")
sign = _function("sign")
floor = _function("floor")
ceil = _function("ceil")
round = _function("round")
trunc = _function("trunc")
mod = _function("mod")
maximum = _function("maximum")
minimum = _function("minimum")
hypot = _function("hypot")
logaddexp = _function("logaddexp")
erf = _function("erf")
erfc = _function("erfc")
lgamma = _function("lgamma")
digamma = _function("digamma")
xlogy = _function("xlogy")
logcosh = _function("logcosh")
log_sigmoid = _function("log_sigmoid")
sigmoid = _function("sigmoid")
softplus = _function("softplus")
relu = _function("relu")


def clip(x: Any, lo: Any = None, hi: Any = None) -> Tensor:
    """min(max(x, lo), hi); one bound may be None. The derivative is 0 at a bound.

    Raises:  CallError if both are None

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> clip(x, 0, 1)
    Tensor(clip(x, 0, 1): f64)
    """
    if lo is None and hi is None:
        raise CallError("clip needs a bound", fix="write clip(x, lo, hi); one of them may be None")
    if lo is not None and hi is not None:
        return same_op("clip", x, lo, hi)
    node, bound = unify(x, hi if lo is None else lo)
    if node.dtype != "real":
        return same_op("minimum" if lo is None else "maximum", Tensor(node), Tensor(bound))
    return same_op("clip", *((Tensor(node), -math.inf, hi) if lo is None else (Tensor(node), lo, math.inf)))


def where(condition: Any, yes: Any, no: Any) -> Tensor:
    """``yes`` where the condition holds, else ``no``; the branch not taken contributes nothing to a gradient.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> where(x > 0, x, -x)
    Tensor(where(x > 0, x, -x): f64)
    """
    test = as_node(condition)
    test = test if test.dtype == "bool" else compare("not_equal", Tensor(test), 0).node
    return named_errors(lambda c, a, b: build("where", c, a, b), test, *unify(yes, no))


def equal(a: Any, b: Any) -> Tensor:
    """Whether elements are equal.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> equal(x, y)
    Tensor(equal(x, y): bool)
    """
    return compare("equal", a, b)


def not_equal(a: Any, b: Any) -> Tensor:
    """Whether elements differ.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> not_equal(x, 1)
    Tensor(not_equal(x, 1): bool)
    """
    return compare("not_equal", a, b)


def logical_and(a: Any, b: Any) -> Tensor:
    """Both, of booleans.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> logical_and(x > 0, y > 0)
    Tensor((x > 0) & (y > 0): bool)
    """
    return logical("logical_and", a, b)


def logical_or(a: Any, b: Any) -> Tensor:
    """Either, of booleans.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> logical_or(x > 0, y > 0)
    Tensor((x > 0) | (y > 0): bool)
    """
    return logical("logical_or", a, b)


def logical_not(a: Any) -> Tensor:
    """Not, of a boolean.

    >>> from symgrad.frontend.declare import symbols
    >>> x, y = symbols("x y")
    >>> logical_not(x > 0)
    Tensor(logical_not(x > 0): bool)
    """
    return logical("logical_not", a)


def stop_gradient(x: Any) -> Tensor:
    """x, taken as a constant by derivatives."""
    return Tensor(build("stop_gradient", as_node(x)))


def polygamma(order: int, x: Any) -> Tensor:
    """The order-th derivative of digamma."""
    return real_op("polygamma", x, order=int(order))


def to_real(x: Any) -> Tensor:
    """Integers and booleans as reals."""
    return Tensor(cast(as_node(x), "real"))


for _other in (power, clip, where, equal, not_equal, logical_and, logical_or, logical_not, stop_gradient, polygamma):
    TABLE[_other.__name__] = _other

_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "add": lambda a, b: same_op("add", a, b),
    "subtract": lambda a, b: same_op("sub", a, b),
    "multiply": lambda a, b: same_op("mul", a, b),
    "divide": lambda a, b: real_op("div", a, b),
    "negative": lambda a: same_op("neg", a),
    "remainder": lambda a, b: same_op("mod", a, b),
    "matmul": lambda a, b: HOOKS["matmul"](a, b),
    "less": lambda a, b: compare("less", a, b),
    "less_equal": lambda a, b: compare("less_equal", a, b),
    "greater": lambda a, b: compare("greater", a, b),
    "greater_equal": lambda a, b: compare("greater_equal", a, b),
    "bitwise_and": logical_and,
    "bitwise_or": logical_or,
    "float_power": power,
}
for _name, _fn in {**TABLE, **_OPERATORS}.items():
    HOOKS[f"numpy.{_name}"] = _fn
for _name, _ours in {"absolute": "abs", "fabs": "abs", "rint": "round"}.items():
    HOOKS[f"numpy.{_name}"] = TABLE[_ours]

__all__ = [  # all but abs and round, which ``from symgrad import *`` leaves to Python
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cbrt",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "digamma",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "hypot",
    "lgamma",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_sigmoid",
    "logaddexp",
    "logcosh",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "mod",
    "not_equal",
    "polygamma",
    "power",
    "reciprocal",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "stop_gradient",
    "tan",
    "tanh",
    "trunc",
    "where",
    "xlogy",
]  # fmt: skip
