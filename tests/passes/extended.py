"""Values of scalar graphs in exact arithmetic on the extended reals, for the rows that written formulas use.

In: a graph of scalars and doubles for its variables, infinities and NaN among them. Out: the value to ``DIGITS``
digits: nothing overflows, nothing cancels, 0/0 and what lies outside a domain is NaN. A zero has no sign.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import mpmath
import numpy as np

from symgrad.ir.node import Node
from symgrad.ir.walk import topological

DIGITS = 1300  # 1e950 + 5e-324 has 1274, x - sin x at 5e-324 has 971, 1e200 + 5e-324 has 524
REAL = mpmath.mp.clone()
REAL.dps = DIGITS
NAN, INF, ZERO, ONE = REAL.nan, REAL.inf, REAL.zero, REAL.one
_BEYOND = REAL.mpf(10) ** 950  # e to this is taken for infinite


def number(x: float) -> Any:
    return REAL.mpf(float(x))


_STAND_FOR = {math.pi: +REAL.pi, math.pi / 4: REAL.pi / 4, math.e: +REAL.e}  # these doubles mean the numbers


def is_finite(x: Any) -> bool:
    return bool(REAL.isfinite(x))


def _div(a: Any, b: Any) -> Any:
    if b == 0:
        return NAN if a == 0 or REAL.isnan(a) else INF * REAL.sign(a)
    return a / b


def _exp(x: Any) -> Any:
    return (INF if x > 0 else ZERO) if abs(x) > _BEYOND else REAL.exp(x)


def _log(x: Any) -> Any:
    return NAN if x < 0 else -INF if x == 0 else REAL.log(x)


def _log1p(x: Any) -> Any:
    return _log(1 + x)


def _root(x: Any) -> Any:
    return NAN if x < 0 else REAL.sqrt(x)


def _cbrt(x: Any) -> Any:
    return REAL.cbrt(x) if x >= 0 else -REAL.cbrt(-x)


def _power(a: Any, b: Any) -> Any:
    if b == 0 or a == 1:
        return ONE
    if not is_finite(b):
        return b if REAL.isnan(b) else ONE if abs(a) == 1 else INF if (abs(a) > 1) == (b > 0) else ZERO
    if a == 0:
        return ZERO if b > 0 else INF
    if a < 0:
        size = _exp(b * REAL.log(-a))
        return NAN if b != REAL.floor(b) else -size if b % 2 else size
    return _exp(b * REAL.log(a))


def _inside(f: Callable) -> Callable:
    """Of a function that is real on [-1, 1], infinite at an end."""
    return lambda x: NAN if abs(x) > 1 else INF * x if abs(x) == 1 else f(x)


def _ratio(f: Callable) -> Callable:
    """f(x)/x, 1 at 0."""
    return lambda x: ONE if x == 0 else f(x) / x


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + _exp(-x))


def _expm1(x: Any) -> Any:
    return REAL.expm1(x) if abs(x) < 1 else _exp(x) - 1


def _sinh(x: Any) -> Any:
    return REAL.sinh(x) if abs(x) < 1 else (_exp(x) - _exp(-x)) / 2


def _cosh(x: Any) -> Any:
    return (_exp(x) + _exp(-x)) / 2


def _tanh(x: Any) -> Any:
    return REAL.tanh(x) if abs(x) < 1 else REAL.sign(x) * (1 - 2 / (_exp(2 * abs(x)) + 1))


def _slope_of_tanh(x: Any) -> Any:
    return 4 / (_exp(x) + _exp(-x)) ** 2


def _zero_or(value: Callable) -> Callable:
    """A product or quotient that is 0 where its first factor is."""
    return lambda a, b: ZERO if a == 0 else value(a, b)


def _tie(wins: Callable) -> Callable:
    return lambda a, b, t: ONE if wins(a, b) else t if a == b else ZERO


FUNCTIONS: dict[str, Callable] = {
    "div": _div, "reciprocal": lambda x: _div(ONE, x), "mul": lambda a, b: a * b,
    "zmul": lambda a, b: ZERO if 0 in (a, b) else a * b, "zdiv": _zero_or(_div),
    "square": lambda x: x * x, "neg": lambda x: -x, "abs": abs, "sign": REAL.sign, "power": _power,
    "dpower_dx": lambda a, b: ZERO if b == 0 else b * _power(a, b - 1),
    "dpower_dy": lambda a, b: (ZERO if b >= 0 else NAN) if a == 0 else _power(a, b) * _log(a),
    "exp": _exp, "expm1": _expm1, "exp2": lambda x: _exp(x * REAL.log(2)), "log": _log, "log1p": _log1p,
    "dlog": lambda x: NAN if x < 0 else _div(ONE, x), "sqrt": _root, "dsqrt": lambda y: _div(ONE, 2 * abs(y)),
    "cbrt": _cbrt, "hypot": lambda a, b: REAL.sqrt(a * a + b * b),
    "xlogy": lambda a, b: ZERO if a == 0 else a * _log(b),
    "dxlogy": _zero_or(lambda a, b: NAN if b < 0 else _div(a, b)),
    "logaddexp": lambda a, b: _log(_exp(a) + _exp(b)), "softplus": lambda x: _log(1 + _exp(x)),
    "sin": REAL.sin, "cos": REAL.cos, "tan": REAL.tan, "arctan": REAL.atan, "arctan2": REAL.atan2,
    "darctan2": _zero_or(lambda a, r: _div(_div(a, r), r)),
    "arcsin": lambda x: NAN if abs(x) > 1 else REAL.asin(x), "arctanh": _inside(REAL.atanh), "arcsinh": REAL.asinh,
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "tanh_slope": _slope_of_tanh,
    "logcosh": lambda x: _log(_cosh(x)), "log1mexp": lambda x: _log(1 - _exp(-x)),
    "sigmoid": _sigmoid, "log_sigmoid": lambda x: -_log(1 + _exp(-x)),
    "sigmoid_slope": lambda x: 1 / ((1 + _exp(x)) * (1 + _exp(-x))), "sigmoid_minus": lambda x, t: _sigmoid(x) - t,
    "logistic_loss": lambda x, t: _log(1 + _exp(x)) - t * x, "gaussian": lambda x: _exp(-x * x),
    "erf": lambda x: REAL.sign(x) * ONE if abs(x) > 40 else REAL.erf(x),
    "erfc": lambda x: REAL.erfc(x) if abs(x) < 40 else ZERO if x > 0 else 2 * ONE,
    "exprel": _ratio(_expm1), "sin_ratio": _ratio(REAL.sin), "sinh_ratio": _ratio(_sinh),
    "coth_ratio": lambda x: ONE if x == 0 else x / _tanh(x), "csch_ratio": lambda x: ONE if x == 0 else x / _sinh(x),
    "sinc": lambda x: ONE if x == 0 else REAL.sinpi(x) / (REAL.pi * x),
    "sinc_derivative": lambda x: ZERO if x == 0 else (REAL.cospi(x) - REAL.sinpi(x) / (REAL.pi * x)) / x,
    "relu": lambda x: max(x, ZERO), "relu_slope": lambda x: ONE if x > 0 else ZERO,
    "gate": lambda g, z: g if z > 0 else ZERO, "prelu": lambda x, a: x if x > 0 else a * x,
    "maximum": max, "minimum": min, "clip": lambda x, lo, hi: min(max(x, lo), hi),
    "dclip": lambda x, lo, hi: ONE if lo < x < hi else ZERO,
    "dmaximum": _tie(lambda a, b: a > b), "dminimum": _tie(lambda a, b: a < b),
    "floor": REAL.floor, "ceil": REAL.ceil, "round": REAL.nint, "trunc": lambda x: REAL.sign(x) * REAL.floor(abs(x)),
}  # fmt: skip
FUNCTIONS |= {"add": lambda a, b: a + b, "sub": lambda a, b: a - b}
_ANYWHERE = frozenset("add sub mul div square reciprocal neg abs".split())  # also at infinities
_COMPARE = {
    "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b, "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b,
}  # fmt: skip


@functools.lru_cache(maxsize=100_000)
def _applied(name: str, args: tuple) -> Any:
    if all(map(is_finite, args)):
        return FUNCTIONS[name](*args)
    return None


def value_of(node: Node, args: tuple) -> Any:
    """One node: in exact arithmetic; by the reference where an argument is infinite or NaN, sums excepted."""
    name = node.op.name
    if node.op.name == "constant":
        held = node["value"]
        return held if isinstance(held, bool) else _STAND_FOR.get(held) or number(held)
    if name == "where":
        return args[1] if args[0] else args[2]
    if node.dtype == "bool":
        return _COMPARE[name](*args) if name in _COMPARE else bool(node.op.row.reference(*args))
    if name in ("power", "dpower_dx") and args[0] == -INF and args[1] != REAL.floor(args[1]):
        return NAN  # C99 gives what 1e400 would have, -1e400 is outside the domain
    anywhere = name in _ANYWHERE or (name == "power" and is_finite(args[0]))
    found = FUNCTIONS[name](*args) if anywhere else _applied(name, args)
    if found is None:
        with np.errstate(all="ignore"):
            found = number(node.op.row.reference(*map(float, args)))
    return found


def value(output: Node, given: Mapping[Node, Any]) -> Any:
    """The value of a graph at numbers of any size."""
    found: dict[Node, Any] = dict(given)
    for node in topological([output], stop=given):
        if node not in found:
            found[node] = value_of(node, tuple(found[a] for a in node.args))
    return found[output]
