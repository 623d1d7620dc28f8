"""For each rule of both tables a formula on which it fires, and where it is tried: name -> (text, points)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.types import ArrayType, real
from symgrad.ops.leaf import variable

_scalar = {name: variable(Variable(name, "symbol"), real()) for name in "xyz"}
x, y, z = _scalar.values()
b = variable(Variable("b", "symbol"), ArrayType((), "bool"))
A = variable(Variable("A", "input"), real(3, 4))
B = variable(Variable("B", "input"), real(3, 4))
v = variable(Variable("v", "input"), real(4))
k = variable(Variable("k", "input"), ArrayType((4,), "int"))
S = variable(Variable("S", "input"), real(4, 4))
D = build("diagonal_matrix", build("sin", v))
c = constant


def f(name: str, *args: Node | float, **params: object) -> Node:
    return build(name, *(c(a) if isinstance(a, float) else a for a in args), **params)


class Example(NamedTuple):
    """The formula, and for scalars the points (x, y, z) at which its value is compared."""

    formula: Node
    points: tuple[tuple[float, ...], ...] = ((0.7, 1.3, -0.4), (-1.1, 0.6, 2.2), (3.25, -2.5, 0.3))


POSITIVE = ((0.7, 1.3, 0.4), (1e-3, 0.6, 2.2), (3.25, 2.5, 30.0), (1e5, 7.0, 1e-4))
SMALL = ((1e-3, 2e-3, 0.4), (-1e-6, 1e-5, 0.1), (0.3, 0.2, -0.2), (1.3, -0.9, 0.5))
WIDE = (*SMALL, (20.0, -15.0, 3.0), (-30.0, 12.0, 1.0))


def e(node: Node) -> Node:
    return f("exp", node)


SIMPLIFY: dict[str, Example] = {
    "reshape of reshape": Example(f("reshape", f("reshape", A, shape=(12,)), shape=(4, 3))),
    "transpose of transpose": Example(f("transpose", f("transpose", A, perm=(1, 0)), perm=(1, 0))),
    "broadcast of broadcast": Example(f("broadcast", f("broadcast", v, shape=(3, 4)), shape=(2, 3, 4))),
    "cast of cast": Example(f("cast", f("cast", f("less", A, B), to="int"), to="real")),
    "a constant's kind is known": Example(A + f("constant_like", A, value=2.0)),
    "f(broadcast(x)) = broadcast(f(x))": Example(f("sin", f("broadcast", v, shape=(3, 4)))),
    "sum of sum, of repeated": Example(f("sum", f("sum", A, axes=(1,)), axes=(0,))),
    "extreme of one": Example(f("max_reduce", f("reshape", v, shape=(1, 4)), axes=(0,))),
    "einsum of transpose": Example(f("einsum", f("transpose", A, perm=(1, 0)), B, spec="ij,jk->ik")),
    "product with a scalar": Example(f("einsum", x, A, spec=",ij->ji")),
    "(f(a, b^T))^T = f(a^T, b)": Example(
        f("transpose", f("reshape", v, shape=(4, 1)) * f("transpose", A, perm=(1, 0)), perm=(1, 0))
    ),
    "f(diag(d)) = diag(f(d))": Example(f("where", f("less", S, v), -2.0 * D * S, 0.0)),
    "transpose of a diagonal": Example(f("transpose", D, perm=(1, 0))),
    "sum of a diagonal": Example(f("sum", D, axes=(0,))),
    "diagonal of a diagonal": Example(f("diagonal", D, axes=(0, 1))),
    "product with a diagonal": Example(f("einsum", A, D, spec="ij,jk->ik")),
    "reshape of a diagonal": Example(f("reshape", D, shape=(2, 2, 2, 2))),
    "slice of a diagonal": Example(f("slice", D, start=(3, 1), size=(2, 3), step=(-2, 1))),
    "rows of a diagonal": Example(f("gather", D, k, axis=1)),
    "norm of a diagonal": Example(f("norm", D, axes=(0, 1))),
    "stopped diagonal": Example(f("stop_gradient", D)),
    "product with nothing": Example(f("einsum", f("broadcast", c(0.0), shape=(3, 4)), B, spec="ij,ij->i")),
    "slice of a repeated scalar": Example(f("slice", f("broadcast", x, shape=(5,)), start=(1,), size=(2,), step=(1,))),
    "numbers": Example(x * (c(3.0) + c(0.5))),
    "functions of numbers": Example(x * f("sqrt", 9.0)),
    "-(c)": Example(x + -c(0.3)),
    "x + 0 = x": Example(x + 0.0),
    "x 1 = x": Example(1.0 * x),
    "x - 0 = x": Example(x - 0.0),
    "x/1 = x": Example(x / 1.0),
    "0 - x = -x": Example(0.0 - x),
    "-(-x) = x": Example(f("neg", -x)),
    "x (-1) = -x": Example(x * -1.0),
    "x + x = 2 x": Example(x + x),
    "a + (-b) = a - b": Example(x + (-y)),
    "a - (-b) = a + b": Example(x - (-y)),
    "a (-b) = -(a b)": Example(x * (-y)),
    "f(-x) = f(x)": Example(f("cos", -x)),
    "|x^2| = x^2": Example(f("abs", f("square", x))),
    "x x = x^2": Example(x * x),
    "c (d x) = (c d) x": Example(0.5 * ((2.0 * x) * y)),
    "a (c b) = c (a b)": Example(x * (2.0 * y)),
    "x x x = x x^2": Example(x * x * x),
    "c x + d x = (c + d) x": Example(2.0 * x + x),
    "1/x": Example(1.0 / x),
    "a (1/b) = a/b": Example(x * f("reciprocal", y)),
    "a/(1/b) = a b": Example(x / f("reciprocal", y)),
    "1/(a/b) = b/a": Example(f("reciprocal", x / y)),
    "guarded by a constant": Example(f("zmul", x, 3.0)),
    "x^c": Example(x ** c(3.0)),
    "d(x^c)/dx = c x^(c-1)": Example(f("dpower_dx", x, 3.0)),
    "where of a constant": Example(f("where", f("less", 1.0, 2.0), x, y)),
    "logic of constants": Example(f("where", f("logical_and", x < y, f("less", 1.0, 2.0)), x, y)),
    "not not c = c": Example(f("where", f("logical_not", f("logical_not", x < y)), x * y, y)),
    "comparison of numbers": Example(f("where", f("less", 2.0, 1.0), x, y)),
    "max(x, x) = x": Example(f("maximum", x, x)),
    "clip": Example(f("minimum", f("maximum", x, -1.0), 2.0)),
    "relu": Example(f("maximum", x, 0.0)),
    "leaky relu": Example(f("maximum", 0.1 * x, x)),
    "f(f(x)) = f(x)": Example(f("floor", f("floor", x))),
}  # fmt: skip

STABILISE: dict[str, Example] = {
    "ln(1 + e^x) - x t": Example(f("softplus", x) - x * y, WIDE),
    "max(0, x) + ln(1 + e^-|x|)": Example(f("relu", x) + f("log", 1.0 + e(-f("abs", x))), WIDE),
    "e^x": Example(c(2.718281828459045) ** x),
    "ln(e^a + e^b)": Example(f("log", e(x) + e(y)), WIDE),
    "ln(1 - x)": Example(f("log", 1.0 - x), ((1e-9, 0, 0), (0.5, 0, 0), (-3.0, 0, 0))),
    "ln(1 - e^-x)": Example(f("log", -f("expm1", -x)), POSITIVE[:3]),
    "log1p(e^x)": Example(f("log1p", e(x)), WIDE),
    "ln of a known function": Example(f("log", f("cosh", x)), WIDE[3:]),
    "ln((1+x)/(1-x))": Example(f("log", (1.0 + x) / (1.0 - x)), ((1e-9, 0, 0), (0.5, 0, 0), (-0.3, 0, 0))),
    "e^(ln f)": Example(e(f("log_sigmoid", x)), WIDE),
    "softmax": Example(e(A) / f("reshape", f("sum", e(A), axes=(1,)), shape=(3, 1))),
    "e^x - 1": Example(e(x) - 1.0, WIDE),
    "e^x - e^-x": Example(e(x) - e(-x), WIDE),
    "e^x - c + e^-x": Example((e(x) - 2.0) + e(-x), WIDE),
    "e^x + e^-x": Example(e(x) + e(-x), WIDE),
    "cosh x - 1": Example(f("cosh", x) - 1.0, WIDE),
    "1/(1 + e^-x)": Example(1.0 / (1.0 + e(-x)), WIDE),
    "e^x/(1 + e^x)": Example(e(x) / (1.0 + e(x)), WIDE),
    "sinh x/cosh x": Example(f("sinh", x) / f("cosh", x), WIDE),
    "1 - sigmoid, tanh, tanh^2, erf": Example(1.0 - f("square", f("tanh", x)), ((0.5, 0, 0), (9, 0, 0), (-17, 0, 0))),
    "sigmoid(x) sigmoid(-x)": Example(f("sigmoid", x) * (1.0 - f("sigmoid", x)), ((0.5, 0, 0), (9, 0, 0), (-17, 0, 0))),
    "x ln of a sigmoid or softmax": Example(f("xlogy", y, f("sigmoid", x)), WIDE),
    "x ln x": Example(x * f("log", x), POSITIVE),
    "1 - cos x": Example(1.0 - f("cos", x), SMALL),
    "(1 - cos x)/sin x": Example((1.0 - f("cos", x)) / f("sin", x), SMALL),
    "1 - sin^2": Example(1.0 - f("square", f("sin", x)), ((0.5, 0, 0), (1.5, 0, 0))),
    "sin x/cos x": Example(f("sin", x) / f("cos", x), SMALL),
    "sqrt(x^2 + y^2)": Example(f("sqrt", x * x + y * y), POSITIVE),
    "sin(x)/x, sinh(x)/x": Example(f("sin", x) / x, SMALL),
    "a/tanh(v), a/sinh(v)": Example(x * y / f("tanh", (x * y) * z), SMALL),
    "ln(1 + q (e^u - 1))": Example(f("log", (1.0 - y) + y * e(x)), SMALL),
    "(1 - cos x)/x^2": Example((1.0 - f("cos", x)) / (x * x), SMALL),
    "x - sin x, tan x - x, 1/x - 1/tan x": Example(x - f("sin", x), SMALL),
    "ln tan(pi/4 + x/2)": Example(f("log", f("tan", c(np.pi) / 4.0 + 0.5 * x)), SMALL),
    "(e^u)^p": Example(e(x) ** y, WIDE[:4]),
    "(1 + u)^p - 1": Example((1.0 + x) ** y - 1.0, SMALL),
    "f(b + h) - f(b)": Example(f("sqrt", x + 1.0) - f("sqrt", x), POSITIVE),
    "u + sqrt(u^2 + h)": Example(f("sqrt", x * x - y * z) - x, ((3.0, 1e-9, 1.0), (-3.0, 1e-9, 1.0), (2.0, 0.5, -1.0))),
    "(x + h) - x = h": Example((x + y) - x),
    "max(x, -x) = |x|": Example(f("minimum", x - y, y - x)),
    "x + |x| = 2 max(x, 0)": Example(x - f("abs", x)),
    "max(a, b) + min(a, b) = a + b": Example(f("maximum", x, y) + f("minimum", y, x)),
    "clip at dependent bounds": Example(f("clip", x, x * y, 2.0)),
    "max of dependent pieces": Example(
        f("max_reduce", f("concatenate", *(f("reshape", g, shape=(1, 4)) for g in (v, 2.0 * v)), axis=0), axes=(0,))
    ),
}  # fmt: skip


def fired(run: Callable, formula: Node) -> tuple[list[str], Node]:
    """The names of the rules that fired, in order, and the new formula."""
    names: list[str] = []
    new = run([formula], lambda rule, before, after: names.append(rule.name))
    return names, new[formula]
