"""For each rule of the three tables formulas of scalars on which it fires: one at least for each op it looks at."""

from __future__ import annotations

import math

from symgrad.ir.node import OPS, Node
from symgrad.passes.increments import THEOREMS
from tests.passes.examples import c, e, f, x, y

zero, one, two = c(0.0), c(1.0), c(2.0)
TRUE, FALSE = f("less", 1.0, 2.0), f("less", 2.0, 1.0)


def log(u: Node) -> Node:
    return f("log", u)


def sqrt(u: Node) -> Node:
    return f("sqrt", u)


def square(u: Node) -> Node:
    return f("square", u)


def cosine(u: Node) -> Node:
    return f("cos", u)


def sine(u: Node) -> Node:
    return f("sin", u)


def _odd(name: str) -> list[Node]:
    arity = OPS[name].row.arity
    return [f(name, -x)] if arity == 1 else [f(name, *(-x if j == i else y for j in range(2))) for i in OPS[name].odd]


_SCALAR_ODD = [name for name, op in OPS.items() if op.odd and op.kind == "elementwise"]
_EVEN = [name for name, op in OPS.items() if "even" in op.traits]
_STEPPED = [name for name in THEOREMS if name != "dsqrt"]


def _increments() -> list[Node]:
    """f(b + h) - f(b) for a variable h and for numbers, in both orders; roots and logarithms inside."""
    found = [f(name, x + y) - f(name, x) for name in _STEPPED]
    found += [f(name, x) - f(name, x + y) for name in ("sqrt", "log", "exp", "reciprocal", "cbrt")]
    found += [f(name, x + 1.0) - f(name, x) for name in _STEPPED]
    found += [f(name, x - 3.0) - f(name, x) for name in ("sqrt", "log", "exp", "reciprocal", "arctan")]
    found += [f(name, 2.0 * x) - f(name, x) for name in ("sqrt", "log", "exp", "square", "arctan")]
    found += [f("reciprocal", sqrt(x)) - f("reciprocal", sqrt(x + y)), log(sqrt(x + 1.0)) - log(sqrt(x))]
    found += [f("log1p", x + y) - f("log1p", x), f("log1p", x) - log(x), log(x + y) - f("log1p", x)]
    found += [y / (x + 1.0) - y / x, 3.0 / (x + y) - 3.0 / x]
    found += [3.0 * sqrt(x + 1.0) - 3.0 * sqrt(x), (x + y) * square(x + y) - x * square(x)]
    found += [(x + y) ** c(0.3) - x ** c(0.3), (x + 1.0) ** y - x**y, (x + 1.0) ** c(-2.5) - x ** c(-2.5)]
    found += [f("dsqrt", sqrt(x + h)) - f("dsqrt", sqrt(x)) for h in (y, c(1.0), c(-3.0))]
    found += [log(x) - log(x + 1.0), log(x - 3.0) - log(x), 3.0 / (x + 3.0) - 3.0 / x, y / x - y / (x - 3.0)]
    found += [f("reciprocal", sqrt(x + 1.0)) - f("reciprocal", sqrt(x))]
    found += [
        sqrt(f("reciprocal", x + 1.0)) - sqrt(f("reciprocal", x)),
        f("reciprocal", square(x + 1.0)) - f("reciprocal", square(x)),
    ]
    return [*found, -(sqrt(x) - sqrt(x + 1.0))]


SIMPLIFY: dict[str, list[Node]] = {
    "numbers": [x * (c(3.0) + 0.5), x * (c(3.0) - 0.5), x * (c(3.0) * 0.5), x * (c(3.0) / 0.5)],
    "functions of numbers": [x * f(name, 4.0) for name in ("neg", "abs", "square", "sqrt", "reciprocal")],
    "-(c)": [x + -c(0.3), x * -c(math.pi)],
    "x + 0 = x": [x + 0.0, zero + x],
    "x 1 = x": [1.0 * x, x * 1.0],
    "x - 0 = x": [x - 0.0],
    "x/1 = x": [x / 1.0],
    "0 - x = -x": [0.0 - x],
    "-(-x) = x": [f("neg", -x)],
    "x (-1) = -x": [x * -1.0],
    "x + x = 2 x": [x + x],
    "a + (-b) = a - b": [x + (-y), (-x) + y],
    "a - (-b) = a + b": [x - (-y), (-x) - y],
    "a (-b) = -(a b)": [g for name in _SCALAR_ODD for g in _odd(name)],
    "f(-x) = f(x)": [f(name, -x) for name in _EVEN] + [f(name, f("abs", x)) for name in _EVEN if name != "sinc"],
    "|x^2| = x^2": [f("abs", square(x))],
    "x x = x^2": [x * x],
    "c (d x) = (c d) x": [
        0.5 * ((2.0 * x) * y), 3.0 * (5.0 * x), 6.0 * (x / 3.0), (x / 4.0) * 8.0, (2.0 * x) / 4.0, (3.0 * x) / 0.5,
        2.0 * (3.0 / x),
        c(3.0) / x / 2.0, x / 4.0 / 2.0, 2.0 * -(3.0 * x), 4.0 * ((x * y) * 0.25), 0.25 * ((0.25 * x) / y),
        c(2.0**500) * (c(2.0**-900) * x),
    ],
    "a (c b) = c (a b)": [x * (2.0 * y), x * (-4.0 * y)],
    "x x x = x x^2": [x * x * x, x * x * x * x, x * (x * x) * x, x * (x * (x * x)) * x],
    "c x + d x = (c + d) x": [2.0 * x + x, x + 3.0 * x, 0.5 * x + 0.25 * x, x + x + x, c(-2.0) * x + c(-0.5) * x],
    "1/x": [1.0 / x],
    "a (1/b) = a/b": [x * f("reciprocal", y), f("reciprocal", x) * y, 3.0 * f("reciprocal", x)],
    "a/(1/b) = a b": [x / f("reciprocal", y), 3.0 / f("reciprocal", x)],
    "1/(a/b) = b/a": [f("reciprocal", x / y), f("reciprocal", f("reciprocal", x))],
    "guarded by a constant": [f("zmul", x, 3.0), f("zmul", 3.0, x), f("zdiv", x, 3.0), f("zdiv", 3.0, x)],
    "x^c": [x ** c(p) for p in (0.0, 1.0, 2.0, 3.0, 4.0, 0.5, -1.0, -2.0, -3.0, -4.0, -0.5)],
    "d(x^c)/dx = c x^(c-1)": [
        f("dpower_dx", x, p) for p in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 0.5, 1.5, -1.0, -2.0, -0.5, 0.3)
    ],
    "where of a constant": [
        f("where", TRUE, x, y), f("where", FALSE, x, y), f("where", x < y, x, x),
        f("where", f("logical_not", x < y), x, y),
    ],
    "logic of constants": [
        f("where", f(op, x < y, truth), x, y) for op in ("logical_and", "logical_or") for truth in (TRUE, FALSE, x < y)
    ],
    "not not c = c": [
        f("where", f("logical_not", f("logical_not", x < y)), x * y, y),
        f("where", f("logical_or", f("logical_not", TRUE), x < y), x, y),
    ],
    "comparison of numbers": [
        f("where", f(op, 2.0, 1.0), x, y)
        for op in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")
    ],
    "max(x, x) = x": [f("maximum", x, x), f("minimum", x, x)],
    "clip": [
        f("minimum", f("maximum", x, -1.0), 2.0), f("maximum", f("minimum", x, 2.0), -1.0),
        f("minimum", f("maximum", x, 0.0), 6.0),
        f("maximum", f("minimum", x, math.inf), 0.5),
    ],
    "relu": [f("maximum", x, 0.0), f("maximum", 0.0, x)],
    "leaky relu": [f("maximum", 0.1 * x, x), f("maximum", x, x / 4.0), f("maximum", x, x / 3.0)],
    "f(f(x)) = f(x)": [f(op, f(op, x)) for op in ("relu", "floor", "ceil", "round", "trunc", "sign", "relu_slope")],
}  # fmt: skip

STABILISE: dict[str, list[Node]] = {
    "ln(1 + e^x) - x t": [f("softplus", x) - x * y, f("softplus", x) - y * x, log(1.0 + e(x)) - x * y],
    "max(0, x) + ln(1 + e^-|x|)": [
        f("relu", x) + log(1.0 + e(-f("abs", x))), (f("relu", x) - y) + f("log1p", e(-f("abs", x))),
    ],
    "e^x": [c(math.e) ** x],
    "ln(e^a + e^b)": [log(e(x) + e(y)), log(1.0 + e(x)), log(1.0 + x), log(e(x) + f("reciprocal", e(y))), log(x + 1.0)],
    "ln(1 - x)": [log(1.0 - x), log(1.0 - x * y)],
    "ln(1 - e^-x)": [
        log(-f("expm1", -x)), log(-f("expm1", x)), log(1.0 - e(-x)), log(1.0 - e(x)),
        log(1.0 - f("reciprocal", e(x))),
    ],
    "log1p(e^x)": [f("log1p", e(x)), f("log1p", -e(-x)), f("log1p", f("reciprocal", e(x)))],
    "ln of a known function": [log(f("cosh", x)), log(f("sigmoid", x)), log(e(x)), log(1.0 / (1.0 + e(-x)))],
    "ln((1+x)/(1-x))": [log((1.0 + x) / (1.0 - x)), log((1.0 - x) / (1.0 + x))],
    "e^(ln f)": [e(f("log_sigmoid", x))],
    "e^x - 1": [e(x) - 1.0, e(x) + c(-1.0), 1.0 - e(x), 1.0 - e(-x), f("reciprocal", e(x)) - 1.0, -(1.0 - e(x))],
    "e^x - e^-x": [e(x) - e(-x), e(-x) - e(x), e(x) - f("reciprocal", e(x))],
    "e^x - c + e^-x": [(e(x) - 2.0) + e(-x), (e(x) - 3.0) + e(-x), e(-x) + (e(x) - 2.0)],
    "e^x + e^-x": [e(x) + e(-x), e(-x) + e(x)],
    "cosh x - 1": [
        f("cosh", x) - 1.0, (e(x) + e(-x)) - 2.0, 1.0 - f("cosh", x), -(1.0 - f("cosh", x)), f("cosh", x) + -1.0,
    ],
    "1/(1 + e^-x)": [1.0 / (1.0 + e(-x)), 1.0 / (1.0 + e(x))],
    "e^x/(1 + e^x)": [
        e(x) / (1.0 + e(x)), 3.0 / (1.0 + e(-x)), y / (1.0 + e(x)), e(x) / (e(x) - 1.0), (e(x) - 1.0) / x,
        (e(x) - 1.0) / (e(x) + 1.0),
    ],
    "sinh x/cosh x": [f("sinh", x) / f("cosh", x), (e(x) - e(-x)) / (e(x) + e(-x))],
    "1 - sigmoid, tanh, tanh^2, erf": [
        1.0 - f("sigmoid", x), 1.0 - f("tanh", x), 1.0 - f("erf", x), 1.0 - f("erfc", x), 1.0 - square(f("tanh", x)),
        -(f("tanh", x) - 1.0),
    ],
    "sigmoid(x) sigmoid(-x)": [f("sigmoid", x) * (1.0 - f("sigmoid", x)), f("sigmoid", -x) * f("sigmoid", x)],
    "x ln x": [x * log(x), log(x) * x],
    "1 - cos x": [1.0 - cosine(x), cosine(x) + c(-1.0), cosine(x) - 1.0, -(cosine(x) - 1.0)],
    "(1 - cos x)/sin x": [(1.0 - cosine(x)) / sine(x)],
    "1 - sin^2": [1.0 - square(sine(x)), 1.0 - square(cosine(x)), -(square(sine(x)) - 1.0)],
    "sin x/cos x": [sine(x) / cosine(x)],
    "sqrt(x^2 + y^2)": [sqrt(x * x + y * y), sqrt(x * x), sqrt(x * x + 4.0), sqrt(9.0 + x * x)],
    "sin(x)/x, sinh(x)/x": [sine(x) / x, f("sinh", x) / x, (y * sine(x)) / x, (f("sinh", x) * y) / x],
    "a/tanh(v), a/sinh(v)": [
        x / f("tanh", x), x / f("sinh", x), x / f("tanh", x * y), (x * y) / f("sinh", x),
        square(x) / square(f("sinh", x)), -x / f("tanh", x),
        x / square(f("sinh", x)), (x * x) / f("tanh", x), x / f("tanh", 2.0 * x), x / f("sinh", square(x)),
    ],
    "ln(1 + q (e^u - 1))": [log((1.0 - y) + y * e(x)), log(0.25 * e(x) + 0.75), log(2.0 - e(x))],
    "(1 - cos x)/x^2": [(1.0 - cosine(x)) / (x * x)],
    "x - sin x, tan x - x, 1/x - 1/tan x": [
        x - sine(x), sine(x) - x, f("tan", x) - x, x - f("tan", x), f("reciprocal", x) - f("reciprocal", f("tan", x)),
        -(x - sine(x)),
        1.0 / f("tan", x) - 1.0 / x,
    ],
    "ln tan(pi/4 + x/2)": [log(f("tan", c(math.pi) / 4.0 + 0.5 * x)), log(f("tan", c(math.pi) / 4.0 - x))],
    "(e^u)^p": [e(x) ** y, e(x) ** c(0.3), e(-x) ** y, e(x) ** c(1e200)],
    "(1 + u)^p - 1": [
        (1.0 + x) ** y - 1.0, (1.0 + x) ** c(0.3) + c(-1.0), (1.0 + x) ** c(-2.5) - 1.0, 1.0 - (1.0 + x) ** y,
        -(1.0 - (x + 1.0) ** c(0.3)),
    ],
    "f(b + h) - f(b)": _increments(),
    "u + sqrt(u^2 + h)": [
        sqrt(x * x - y) - x, x + sqrt(square(x) + y), x - sqrt(square(x) + 1.0), sqrt(x * x + 1.0) - x,
        x + sqrt(x * x + y * y), f("hypot", x, y) - y, sqrt(x * x - x * y) - x, sqrt(x + 1.0) - 1.0,
        f("hypot", x, 2.0) - 2.0, 1.0 - sqrt(1.0 - x),
    ],
    "x ln of a sigmoid or softmax": [f("xlogy", y, f("sigmoid", x)), f("xlogy", 3.0, f("sigmoid", x))],
    "max(x, -x) = |x|": [
        f("maximum", x, -x), f("minimum", x, -x), f("maximum", x - y, y - x), f("minimum", 2.0 * x, -2.0 * x),
    ],
    "x + |x| = 2 max(x, 0)": [
        x + f("abs", x), x - f("abs", x), f("abs", x) - x, f("relu", x) + f("relu", -x), f("relu", x) - f("relu", -x),
        f("relu", x) + f("minimum", x, 0.0), 0.5 * x + 0.5 * f("abs", x), x - f("relu", x), 2.0 * f("relu", x) - x,
        (x - y) + f("abs", y - x),
    ],
    "max(a, b) + min(a, b) = a + b": [f("maximum", x, y) + f("minimum", x, y), f("minimum", x, y) + f("maximum", y, x)],
    "clip at dependent bounds": [f("clip", x, x * y, 2.0), f("clip", x, -1.0, 2.0 * x), f("clip", x, -x, x)],
    "(x + h) - x = h": [
        (x + y) - x, (x + 1.0) - x, (1.0 + (x + y)) - (x + y), x - (x + y), -(x - (x + 1.0)), 3.0 * x - 2.0 * x,
    ],
}  # fmt: skip

VALUES: dict[str, list[Node]] = {
    "arctan u - pi/4": [f("arctan", x) - c(math.pi / 4), f("arctan", e(x)) - c(math.pi / 4)],
    "e^(r + p ln q)": [
        e(y * log(x) - x), e(x + log(y)), e(log(x) + log(y)), e(2.0 * log(x) - y), e(f("xlogy", x, y) - x),
    ],
    "e^a - e^b": [e(x) - e(y), e(x * y) - e(x)],
}  # fmt: skip
