"""Element-wise functions under their NumPy and SciPy names, from the table of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symgrad.frontend.tensor import HOOKS, Tensor, as_node, compare, logical, named_errors, power, real_op, same_op, unify
from symgrad.ir.node import build
from symgrad.ops.leaf import cast
from symgrad.ops.registry import ROWS


def _function(name: str) -> Callable[..., Tensor]:
    row = ROWS[name]
    apply = same_op if row.result == "same" else real_op

    def function(*xs: Any) -> Tensor:
        if len(xs) != row.arity:
            raise TypeError(f"{name}() takes {row.arity} argument{'s' * (row.arity > 1)}, not {len(xs)}")
        return apply(name, *xs)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}, element by element." + (f" {row.source}." if row.source else "")
    return function


_PLAIN = (
    "exp log log1p expm1 log2 log10 exp2 sqrt cbrt square reciprocal sin cos tan arcsin arccos arctan arctan2 "
    "sinh cosh tanh arcsinh arccosh arctanh sinc abs sign floor ceil round trunc mod maximum minimum hypot "
    "logaddexp erf erfc lgamma digamma xlogy logcosh log_sigmoid sigmoid softplus relu"
).split()
TABLE: dict[str, Callable[..., Tensor]] = {name: _function(name) for name in _PLAIN}


def clip(x: Any, lo: Any = None, hi: Any = None) -> Tensor:
    """min(max(x, lo), hi); a bound may be None. The derivative is 0 at both bounds."""
    if lo is None or hi is None:
        return same_op("minimum", x, hi) if lo is None else same_op("maximum", x, lo)
    return same_op("clip", x, lo, hi)


def where(condition: Any, yes: Any, no: Any) -> Tensor:
    """``yes`` where the condition holds, else ``no``; the branch not taken contributes nothing to a gradient."""
    test = as_node(condition)
    test = test if test.dtype == "bool" else compare("not_equal", Tensor(test), 0).node
    return named_errors(lambda c, a, b: build("where", c, a, b), test, *unify(yes, no))


def equal(a: Any, b: Any) -> Tensor:
    """Whether elements are equal."""
    return compare("equal", a, b)


def not_equal(a: Any, b: Any) -> Tensor:
    """Whether elements differ."""
    return compare("not_equal", a, b)


def logical_and(a: Any, b: Any) -> Tensor:
    """Both, of booleans."""
    return logical("logical_and", a, b)


def logical_or(a: Any, b: Any) -> Tensor:
    """Either, of booleans."""
    return logical("logical_or", a, b)


def logical_not(a: Any) -> Tensor:
    """Not, of a boolean."""
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


TABLE |= {"power": power, "clip": clip, "where": where, "equal": equal, "not_equal": not_equal, "logical_and": logical_and,
          "logical_or": logical_or, "logical_not": logical_not, "stop_gradient": stop_gradient, "polygamma": polygamma}  # fmt: skip

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
