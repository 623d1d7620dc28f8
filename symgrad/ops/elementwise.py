"""TABLE: every element-wise function, one row each.

The columns are described at ``registry.Elementwise``. A row named ``d...`` is a derivative in a form that
keeps its value where the textbook form loses it (0/0, overflow, outside the domain); it is shown in
the textbook form. Sources: DLMF is the NIST Digital Library of Mathematical Functions, dlmf.nist.gov.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp

from symgrad.ir.expression import Expr, apply, call, const, select
from symgrad.ir.node import Node, as_node, build
from symgrad.ops.reference import special
from symgrad.ops.registry import Elementwise, Partial, register_row, zdiv
from symgrad.ops.tie import tie_weights

REAL_LINE = (-1.7, -0.3, 0.4, 2.1)
POSITIVE = (0.2, 0.9, 1.3, 4.5)
UNIT = (-0.8, -0.2, 0.3, 0.9)
PAIRS = ((-1.3, 0.7), (0.4, 2.5), (3.1, -0.6))
POSITIVE_PAIRS = ((0.4, 1.7), (1.3, -0.6), (2.5, 3.1))
TRUTHS = ((True, False), (True, True), (False, False))
C99 = "C99 / IEEE 754-2019, 9.2"
NAN = math.nan


def fn(name: str) -> Callable[..., Expr]:
    """Code that calls the elementary function of that name."""
    return lambda *xs: call(name, xs, xs[0].dtype)


def f(name: str) -> Callable[..., Node]:
    """The node of a row, in a partial."""
    return lambda *xs: build(name, *map(as_node, xs))


LINEAR, CHOOSES, MASK, EVEN, ACTIVATION = (
    frozenset({trait}) for trait in ("linear", "chooses", "mask", "even", "activation")
)


def zero(*_: Any, **__: Any) -> None:
    """A derivative that is 0 everywhere."""


def one(y: Node, *_: Node) -> Node:
    """A derivative that is 1 everywhere."""
    return as_node(1.0)


def basis(op: str) -> Callable[..., Expr]:
    """Code that is one basis operation."""
    return lambda *xs: apply(op, *xs)


def where(condition: Node, yes: Any, no: Any) -> Node:
    """A select node."""
    return build("where", condition, as_node(yes), as_node(no))


def _unary(
    name: str,
    symbolic: Callable[..., Any],
    slope: Partial | None,
    reference: Callable[..., Any],
    latex: Any,
    domain: tuple = REAL_LINE,
    **more: Any,
) -> Elementwise:
    code = more.pop("code", fn(name))
    partials = None if slope is None else (slope,)
    return Elementwise(name, 1, symbolic, partials, code, reference, latex, domain, **more)


def _signed(x: Expr) -> Expr:
    """sign(x), NaN for NaN."""
    return select(
        x > 0.0, 1.0, select(x < 0.0, const(-1.0, x.dtype), select(apply("eq", x, 0.0), const(0.0, x.dtype), x))
    )


def _round(op: str) -> Callable[[Expr], Expr]:
    return lambda x: x if x.dtype == "i64" else apply(op, x)


def _xpowy(x: sp.Expr, y: sp.Expr) -> sp.Expr:
    return x**y


def _max_weight(row: str) -> tuple[Partial, Partial]:
    """Weights of max (or min): 1, 0, and at a tie what ``tie`` says."""
    return (
        lambda y, a, b: f(row)(a, b, tie_weights(y)[0]),
        lambda y, a, b: f(row)(b, a, tie_weights(y)[1]),
    )


def _weigh(win: str) -> Callable[[Expr, Expr, Expr], Expr]:
    lose = "lt" if win == "gt" else "gt"
    zero_of = lambda a: const(0.0, a.dtype)  # noqa: E731
    return lambda a, b, tie: select(
        apply(win, a, b),
        const(1.0, a.dtype),
        select(apply(lose, a, b), zero_of(a), select(apply("eq", a, b), tie, a + b)),
    )


def _clip_code(x: Expr, lo: Expr, hi: Expr) -> Expr:
    floor = select(apply("lt", x, lo), lo, x)
    return select(apply("gt", floor, hi), hi, floor)


def _nan_or(x: Expr, yes: Expr) -> Expr:
    return select(apply("eq", x, x), yes, x)


def _inside(x: Expr, lo: Expr, hi: Expr) -> Expr:
    return _nan_or(x, select((lo < x) & (x < hi), const(1.0, x.dtype), const(0.0, x.dtype)))


def _extreme(win: str) -> Callable[[Expr, Expr], Expr]:
    """max or min that keeps NaN from either side."""
    return lambda a, b: (
        select(apply(win, a, b) | apply("ne", a, a), a, b) if a.dtype != "i64" else select(apply(win, a, b), a, b)
    )


def _half_even(x: sp.Expr) -> sp.Expr:
    """Round half to even: the half goes down where x = 1/2 modulo 2."""
    return sp.floor(x + sp.Rational(1, 2)) - sp.Piecewise((1, sp.Eq(sp.Mod(x, 2), sp.Rational(1, 2))), (0, True))


def _sinc_derivative(x: sp.Expr, order: int) -> sp.Expr:
    t = sp.Dummy("t", real=True)
    return sp.diff(sp.sin(sp.pi * t) / (sp.pi * t), t, order).xreplace({t: x})


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_WAVES = (np.cos, lambda u: -np.sin(u), lambda u: -np.cos(u), np.sin)  # cos(u + n pi/2)


def _sinc_derivative_reference(x: Any, order: int) -> Any:
    """The integral by 64 Gauss points near 0; beyond, x s_n = pi^(n-1) sin(pi x + n pi/2) - n s_(n-1)."""
    x = np.asarray(x, float)
    t = 0.5 * (_NODES + 1.0)
    near = np.clip(x, -order - 8.0, order + 8.0)
    integral = 0.5 * np.sum(_WEIGHTS * (np.pi * t) ** order * _WAVES[order % 4](np.pi * near[..., None] * t), axis=-1)
    with np.errstate(all="ignore"):
        u, s = np.pi * np.remainder(x, 2.0), np.sinc(x)
        for n in range(1, order + 1):
            s = (np.pi ** (n - 1) * _WAVES[(n - 1) % 4](u) - n * s) / x
    return np.where(near == x, integral, np.where(np.isinf(x), 0.0, s))[()]


_LN2, _LN10 = math.log(2.0), math.log(10.0)
_TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)
_ANY = ("real", "int")

_INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


def _normal_pdf(x: Expr) -> Expr:
    """exp(-x^2/2)/sqrt(2 pi): what the rounded square lost is put back, since exp magnifies it."""
    a = abs(x)
    a = select(a > 40.0, const(40.0, x.dtype), a)
    square = a * a
    e = fn("exp")(-0.5 * square)
    return _INVERSE_SQRT_2PI * apply("fma", e * -0.5, apply("fma", a, a, -square), e)


def _logistic_loss(x: Expr, t: Expr) -> Expr:
    return select(x > 0.0, x * (1.0 - t), -(x * t)) + fn("softplus")(-abs(x))


def _sigmoid_minus(x: Expr, t: Expr) -> Expr:
    small = fn("sigmoid")(-abs(x))
    return select(x >= 0.0, (1.0 - t) - small, small - t)


# fmt: off
ARITHMETIC = [
    Elementwise("add", 2, lambda a, b: a + b, (one, one), basis("add"), np.add, "{0} + {1}", PAIRS, result="same", takes=_ANY, precedence="add", source="IEEE 754", word="the sum", rule="the add gate passes the gradient on", traits=LINEAR),
    Elementwise("sub", 2, lambda a, b: a - b, (one, lambda y, a, b: as_node(-1.0)), basis("sub"), np.subtract, "{0} - {1}", PAIRS, result="same", takes=_ANY, precedence="add", source="IEEE 754", word="the difference", rule=("the add gate passes the gradient on", "the subtract gate passes the gradient on with its sign changed"), traits=LINEAR),
    Elementwise("mul", 2, lambda a, b: a * b, (lambda y, a, b: b, lambda y, a, b: a), basis("mul"), np.multiply, "{0} {1}", PAIRS, result="same", takes=_ANY, precedence="mul", source="IEEE 754", odd=(0, 1), word="the product", rule="product rule: the multiply gate swaps its inputs"),
    Elementwise("div", 2, lambda a, b: a / b, (lambda y, a, b: f("reciprocal")(b), lambda y, a, b: -(y / b)), basis("div"), np.divide, r"\frac{{{0}}}{{{1}}}", PAIRS, precedence="atom", source="IEEE 754; d(a/b)/db = -(a/b)/b", odd=(0, 1), word="the quotient", rule=("the divide gate divides the gradient", "quotient rule: d(a/b)/db = -a/b^2")),
    Elementwise("neg", 1, lambda a: -a, (lambda y, a: as_node(-1.0),), basis("neg"), np.negative, "-{0}", REAL_LINE, result="same", takes=_ANY, precedence="add", source="IEEE 754", word="the sign", rule="the sign changes", traits=LINEAR),
    Elementwise("zmul", 2, lambda g, p: g * p, (lambda y, g, p: p, lambda y, g, p: g), lambda g, p: select(apply("eq", g, 0.0) | apply("eq", p, 0.0), const(0.0, g.dtype), g * p),
                lambda g, p: np.where((g == 0) | (p == 0), 0.0, np.multiply(g, p)), "{0} {1}", PAIRS, "0 where either factor is 0: what is not taken contributes nothing", precedence="mul", odd=(0, 1), traits=CHOOSES),
    Elementwise("gate", 2, lambda g, z: sp.Piecewise((g, z > 0), (0, True)), (lambda y, g, z: f("relu_slope")(z), zero),
                lambda g, z: select(z > 0.0, g, select((z <= 0.0) | apply("eq", g, 0.0), const(0.0, g.dtype), z)),
                lambda g, z: np.where(z > 0, g, np.where((z <= 0) | (g == 0), 0.0, z)), r"{0} \mathbb{{1}}\left[{1} > 0\right]", PAIRS, "the pullback of relu", precedence="mul", odd=(0,), traits=CHOOSES),
    Elementwise("zdiv", 2, lambda g, p: g / p, (lambda y, g, p: f("reciprocal")(p), lambda y, g, p: -zdiv(y, p)), lambda g, p: select(apply("eq", g, 0.0), g, g / p),
                lambda g, p: np.where(g == 0, g, np.divide(g, p)), r"\frac{{{0}}}{{{1}}}", PAIRS, "the quotient of a branch that is not taken is 0", precedence="atom", odd=(0, 1), traits=CHOOSES),
    Elementwise("power", 2, _xpowy, (lambda y, a, b: f("dpower_dx")(a, b), lambda y, a, b: f("dpower_dy")(a, b)), fn("pow"), np.power, "{0}^{{{1}}}", POSITIVE_PAIRS, C99, precedence="pow", word="the power"),
    Elementwise("dpower_dx", 2, lambda a, b: b * a ** (b - 1), (lambda y, a, b: b * f("dpower_dx")(a, b - 1.0), lambda y, a, b: a ** (b - 1.0) + b * f("dpower_dy")(a, b - 1.0)),
                lambda a, b: select(apply("eq", b, 0.0), b, b * fn("pow")(a, b - 1.0)), lambda a, b: np.where(b == 0, 0.0, b * np.power(a, b - 1)), r"{1} {0}^{{{1} - 1}}", POSITIVE_PAIRS,
                "d(x^y)/dx = y x^(y-1), 0 at y = 0", precedence="mul"),
    Elementwise("dpower_dy", 2, lambda a, b: a**b * sp.log(a), (lambda y, a, b: f("dpower_dx")(a, b) * f("log")(a) + a ** (b - 1.0), lambda y, a, b: y * f("log")(a)),
                lambda a, b: select(apply("eq", a, 0.0), select(b >= 0.0, const(0.0, a.dtype), const(NAN, a.dtype)), fn("pow")(a, b) * fn("log")(a)),
                lambda a, b: np.where(a == 0, np.where(b >= 0, 0.0, NAN), np.power(a, b) * np.log(a)), r"{0}^{{{1}}} \ln {0}", POSITIVE_PAIRS,
                "d(x^y)/dy = x^y ln x, 0 at x = 0 <= y", precedence="mul"),
    _unary("square", lambda a: a**2, lambda y, a: 2.0 * a, np.square, "{0}^{{2}}", code=lambda a: a * a, precedence="pow", result="same", takes=_ANY, source="x^2 = x x", word="the square", traits=EVEN),
    _unary("reciprocal", lambda a: 1 / a, lambda y, a: -f("square")(y), np.reciprocal, r"\frac{{1}}{{{0}}}", code=lambda a: 1.0 / a, precedence="atom", source="d(1/x)/dx = -1/x^2", odd=(0,), word="1/x", rule="quotient rule: d(1/x)/dx = -1/x^2"),
    _unary("abs", sp.Abs, lambda y, a: f("sign")(a), np.abs, r"\left|{0}\right|", code=abs, precedence="atom", result="same", takes=_ANY, source="|x|' = sign x, 0 at 0 (minimum norm)", word="the absolute value", traits=EVEN | CHOOSES),
    _unary("sign", sp.sign, zero, np.sign, r"\operatorname{{sign}}{0}", code=_signed, source="0 at 0; derivative 0 by convention at the jump", odd=(0,), traits=CHOOSES | MASK),
    Elementwise("mod", 2, lambda a, b: sp.Mod(a, b), (one, lambda y, a, b: -f("floor")(a / b)), lambda a, b: apply("mod", a, b) if a.dtype == "i64" else fn("mod")(a, b), np.mod,
                r"{0} \bmod {1}", PAIRS, "a - b floor(a/b), the sign of b", precedence="mul", result="same", takes=_ANY),
]

ROUNDING = [
    _unary("floor", sp.floor, zero, np.floor, r"\left\lfloor {0} \right\rfloor", code=_round("floor"), precedence="atom", result="same", takes=_ANY, source="derivative 0, by convention also at the jumps"),
    _unary("ceil", sp.ceiling, zero, np.ceil, r"\left\lceil {0} \right\rceil", code=lambda x: x if x.dtype == "i64" else -apply("floor", -x), precedence="atom", result="same", takes=_ANY, source="derivative 0, by convention also at the jumps"),
    _unary("round", _half_even, zero, np.round, r"\operatorname{{round}}{0}", code=_round("rint"), source="half to even"),
    _unary("trunc", lambda x: sp.sign(x) * sp.floor(sp.Abs(x)), zero, np.trunc, r"\operatorname{{trunc}}{0}", code=_round("trunc"), source="towards 0; derivative 0, by convention also at the jumps"),
]

EXPONENTIAL = [
    _unary("exp", sp.exp, lambda y, x: y, np.exp, "e^{{{0}}}", precedence="pow", source="DLMF 4.2", rule="the exponential is its own derivative"),
    _unary("exp2", lambda x: 2**x, lambda y, x: _LN2 * y, np.exp2, "2^{{{0}}}", precedence="pow", source="2^x = e^(x ln 2)"),
    _unary("expm1", lambda x: sp.exp(x) - 1, lambda y, x: f("exp")(x), np.expm1, "e^{{{0}}} - 1", precedence="add", source="Kahan; exp(x)-1 without cancellation"),
    _unary("geometric", lambda x: 1 / (1 - sp.exp(-x)), lambda y, x: -(y / f("expm1")(x)), lambda x: 1 / -np.expm1(np.negative(x)), r"\frac{{1}}{{1 - e^{{-{0}}}}}", precedence="atom",
           code=lambda x: 1.0 / -fn("expm1")(-x), source="1 + e^-x + e^-2x + ..., e^x/(e^x - 1) without overflow, also in the slope"),
    _unary("log", sp.log, lambda y, x: f("dlog")(x), np.log, r"\ln {0}", POSITIVE, source="DLMF 4.2", word="ln"),
    _unary("dlog", lambda x: 1 / x, lambda y, x: -f("square")(y), lambda x: np.where(np.less(x, 0), NAN, 1 / np.abs(x)), r"\frac{{1}}{{{0}}}", POSITIVE, precedence="atom",
           code=lambda x: select(x < 0.0, const(NAN, x.dtype), 1.0 / abs(x)), source="1/x on the domain of the logarithm"),
    _unary("log1p", lambda x: sp.log(1 + x), lambda y, x: f("dlog")(1.0 + x), np.log1p, r"\ln\left(1 + {0}\right)", POSITIVE, precedence="fn", source="Kahan; ln(1+x) without cancellation"),
    _unary("log2", lambda x: sp.log(x, 2), lambda y, x: f("dlog")(x) / _LN2, np.log2, r"\log_{{2}} {0}", POSITIVE, source="DLMF 4.2"),
    _unary("log10", lambda x: sp.log(x, 10), lambda y, x: f("dlog")(x) / _LN10, np.log10, r"\log_{{10}} {0}", POSITIVE, source="DLMF 4.2"),
    _unary("sqrt", sp.sqrt, lambda y, x: f("dsqrt")(y), np.sqrt, r"\sqrt{{{0}}}", POSITIVE, code=basis("sqrt"), precedence="atom", source="IEEE 754", word="the root"),
    _unary("dsqrt", lambda y: 1 / (2 * y), lambda z, y: -2.0 * f("square")(z), lambda y: 0.5 / np.abs(y), r"\frac{{1}}{{2 {0}}}", POSITIVE, precedence="atom",
           code=lambda y: 0.5 / abs(y), source="sqrt'(x) = 1/(2 sqrt x), +inf at both zeros"),
    _unary("cbrt", lambda x: sp.real_root(x, 3), lambda y, x: f("reciprocal")(3.0 * f("square")(y)), np.cbrt, r"\sqrt[3]{{{0}}}", POSITIVE, precedence="atom", source="the real root, odd; x^(1/3)' = 1/(3 x^(2/3))", odd=(0,), word="the cube root"),
    Elementwise("hypot", 2, lambda a, b: sp.sqrt(a**2 + b**2), (lambda y, a, b: zdiv(a, y), lambda y, a, b: zdiv(b, y)), fn("hypot"), np.hypot, r"\sqrt{{{0}^2 + {1}^2}}", PAIRS,
                "without overflow; gradient 0 at the origin (minimum norm)", precedence="atom"),
    Elementwise("logaddexp", 2, lambda a, b: sp.log(sp.exp(a) + sp.exp(b)), (lambda y, a, b: f("sigmoid")(a - b), lambda y, a, b: f("sigmoid")(b - a)), fn("logaddexp"), np.logaddexp,
                r"\ln\left(e^{{{0}}} + e^{{{1}}}\right)", PAIRS, source="the larger argument is taken out; derivatives are logistic"),
    Elementwise("xlogy", 2, lambda a, b: a * sp.log(b), (lambda y, a, b: f("log")(b), lambda y, a, b: f("dxlogy")(a, b)),
                lambda a, b: select(apply("eq", a, 0.0) & apply("eq", b, b), const(0.0, a.dtype), a * fn("log")(b)), special.xlogy, r"{0} \ln {1}", POSITIVE_PAIRS[::2], "0 at x = 0", precedence="mul", traits=CHOOSES),
    Elementwise("dxlogy", 2, lambda a, b: a / b, (lambda y, a, b: f("dlog")(b), lambda y, a, b: -f("dxlogy")(y, b)),
                lambda a, b: select(apply("eq", a, 0.0) & apply("eq", b, b), const(0.0, a.dtype), select(b < 0.0, const(NAN, a.dtype), a / b)),
                lambda a, b: np.where((a == 0) & (b == b), 0.0, np.where(np.less(b, 0), NAN, np.divide(a, b))), r"\frac{{{0}}}{{{1}}}", POSITIVE_PAIRS[::2], precedence="atom", source="d(x ln y)/dy = x/y on the domain of the logarithm, 0 at x = 0"),
]

TRIGONOMETRIC = [
    _unary("sin", sp.sin, lambda y, x: f("cos")(x), np.sin, r"\sin {0}", source="DLMF 4.20", odd=(0,)),
    _unary("cos", sp.cos, lambda y, x: -f("sin")(x), np.cos, r"\cos {0}", source="DLMF 4.20", traits=EVEN),
    _unary("tan", sp.tan, lambda y, x: 1.0 + f("square")(y), np.tan, r"\tan {0}", source="DLMF 4.20", odd=(0,)),
    _unary("arcsin", sp.asin, lambda y, x: f("reciprocal")(f("sqrt")((1.0 - x) * (1.0 + x))), np.arcsin, r"\arcsin {0}", UNIT, source="DLMF 4.24(ii)", odd=(0,)),
    _unary("arccos", sp.acos, lambda y, x: -f("reciprocal")(f("sqrt")((1.0 - x) * (1.0 + x))), np.arccos, r"\arccos {0}", UNIT, source="DLMF 4.24(ii)"),
    _unary("arctan", sp.atan, lambda y, x: f("reciprocal")(1.0 + f("square")(x)), np.arctan, r"\arctan {0}", source="DLMF 4.24(ii)", odd=(0,)),
    Elementwise("arctan2", 2, sp.atan2, (lambda z, a, b: f("darctan2")(b, f("hypot")(a, b)), lambda z, a, b: -f("darctan2")(a, f("hypot")(a, b))), fn("arctan2"), np.arctan2,
                r"\operatorname{{atan2}}\left({0}, {1}\right)", PAIRS, "gradient 0 at the origin", precedence="atom"),
    Elementwise("darctan2", 2, lambda a, r: a / r**2, (lambda y, a, r: f("reciprocal")(f("square")(r)), lambda y, a, r: -2.0 * zdiv(y, r)),
                lambda a, r: select(apply("eq", a, 0.0), a, a / r / r), lambda a, r: np.where(a == 0, a, np.divide(np.divide(a, r), r)), r"\frac{{{0}}}{{{1}^2}}", PAIRS, precedence="atom", source="a/r^2, divided twice: no overflow; 0 at the origin"),
    _unary("sinh", sp.sinh, lambda y, x: f("cosh")(x), np.sinh, r"\sinh {0}", source="DLMF 4.34", odd=(0,)),
    _unary("cosh", sp.cosh, lambda y, x: f("sinh")(x), np.cosh, r"\cosh {0}", source="DLMF 4.34", traits=EVEN),
    _unary("tanh", sp.tanh, lambda y, x: f("tanh_slope")(x), np.tanh, r"\tanh {0}", source="DLMF 4.28", odd=(0,), traits=ACTIVATION),
    _unary("tanh_slope", lambda x: 1 - sp.tanh(x) ** 2, lambda y, x: -2.0 * f("tanh")(x) * y, lambda x: np.where(np.abs(x) > 350, 0.0, 1 / np.cosh(np.clip(x, -350, 350)) ** 2) + 0 * np.tanh(x),
           r"1 - \tanh^2 {0}", precedence="add", source="1/cosh^2, no cancellation", traits=EVEN),
    _unary("arcsinh", sp.asinh, lambda y, x: f("reciprocal")(f("hypot")(x, 1.0)), np.arcsinh, r"\operatorname{{arsinh}} {0}", source="DLMF 4.38(ii)", odd=(0,)),
    _unary("arccosh", sp.acosh, lambda y, x: f("reciprocal")(f("sqrt")(x - 1.0) * f("sqrt")(x + 1.0)), np.arccosh, r"\operatorname{{arcosh}} {0}", (1.2, 2.0, 5.0), source="DLMF 4.38(ii)"),
    _unary("arctanh", sp.atanh, lambda y, x: f("dlog")((1.0 - x) * (1.0 + x)), np.arctanh, r"\operatorname{{artanh}} {0}", UNIT, source="DLMF 4.38(ii)", odd=(0,)),
    _unary("sinc", lambda x: sp.sin(sp.pi * x) / (sp.pi * x), lambda y, x: build("sinc_derivative", x, order=1), np.sinc, r"\operatorname{{sinc}} {0}", source="normalised: sin(pi x)/(pi x)", traits=EVEN),
    Elementwise("sinc_derivative", 1, _sinc_derivative, (lambda y, x, order: build("sinc_derivative", x, order=order + 1),),
                lambda x, order: call(f"sinc_derivative_{order}", (x,), x.dtype), _sinc_derivative_reference, lambda x, order: rf"\operatorname{{sinc}}^{{({order})}} {x}", (*REAL_LINE, 30.25), params=("order",), source="n-th derivative of sin(pi x)/(pi x): int_0^1 (pi t)^n cos(pi x t + n pi/2) dt"),
]

SPECIAL = [
    _unary("erf", sp.erf, lambda y, x: _TWO_OVER_SQRT_PI * f("gaussian")(x), special.erf, r"\operatorname{{erf}} {0}", source="DLMF 7.2", odd=(0,)),
    _unary("erfc", sp.erfc, lambda y, x: -_TWO_OVER_SQRT_PI * f("gaussian")(x), special.erfc, r"\operatorname{{erfc}} {0}", source="DLMF 7.2"),
    _unary("gaussian", lambda x: sp.exp(-(x**2)), lambda y, x: -2.0 * x * y, lambda x: np.exp(-np.square(x)), "e^{{-{0}^2}}", precedence="pow", source="exp(-x^2), the square split in two", traits=EVEN),
    _unary("normal_cdf", lambda x: sp.erfc(-x / sp.sqrt(2)) / 2, lambda y, x: f("normal_pdf")(x), special.ndtr, r"\Phi\left({0}\right)", precedence="atom", source="the standard normal distribution; Abramowitz and Stegun 26.2"),
    _unary("normal_pdf", lambda x: sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi), lambda y, x: -x * y, lambda x: np.exp(-0.5 * np.square(x)) * _INVERSE_SQRT_2PI, r"\varphi\left({0}\right)", precedence="atom",
           code=_normal_pdf, source="DLMF 7.20; the square split in two"),
    _unary("lgamma", sp.loggamma, lambda y, x: f("digamma")(x), special.gammaln, r"\ln\Gamma\left({0}\right)", POSITIVE, source="DLMF 5.2"),
    _unary("digamma", sp.digamma, lambda y, x: build("polygamma", x, order=1), special.digamma, r"\psi\left({0}\right)", POSITIVE, precedence="atom", source="DLMF 5.2"),
    Elementwise("polygamma", 1, lambda x, order: sp.polygamma(order, x), (lambda y, x, order: build("polygamma", x, order=order + 1),),
                lambda x, order: call(f"polygamma_{order}", (x,), x.dtype), lambda x, order: special.polygamma(order, x), lambda x, order: rf"\psi^{{({order})}}\left({x}\right)", POSITIVE, "DLMF 5.15",
                precedence="atom", params=("order",)),
    _unary("logcosh", lambda x: sp.log(sp.cosh(x)), lambda y, x: f("tanh")(x), lambda x: np.logaddexp(x, -x) - _LN2, r"\ln\cosh {0}", source="|x| + ln(1 + e^(-2|x|)) - ln 2: no overflow", traits=EVEN),
    _unary("log1mexp", lambda x: sp.log(1 - sp.exp(-x)), lambda y, x: f("dlog")(f("expm1")(x)), lambda x: np.where(np.greater(x, _LN2), np.log1p(-np.exp(np.negative(x))), np.log(-np.expm1(np.negative(x)))), r"\ln\left(1 - e^{{-{0}}}\right)", POSITIVE, source="Maechler 2012, ln(1 - e^-x) for x > 0"),
    _unary("exprel", lambda x: (sp.exp(x) - 1) / x, lambda y, x: f("exprel_slope")(x), special.exprel, r"\frac{{e^{{{0}}} - 1}}{{{0}}}", precedence="atom", source="(e^x - 1)/x, 1 at 0"),
]

ACTIVATIONS = [
    _unary("sigmoid", lambda x: 1 / (1 + sp.exp(-x)), lambda y, x: f("sigmoid_slope")(x), special.expit, r"\sigma\left({0}\right)", precedence="atom", source="DLMF 4; logistic function", traits=ACTIVATION),
    _unary("sigmoid_slope", lambda x: sp.exp(-x) / (1 + sp.exp(-x)) ** 2, lambda y, x: -y * f("tanh")(0.5 * x), lambda x: special.expit(x) * special.expit(-x),
           r"\sigma\left({0}\right)\left(1 - \sigma\left({0}\right)\right)", precedence="mul", source="s(x) s(-x)", traits=EVEN),
    Elementwise("sigmoid_minus", 2, lambda x, t: 1 / (1 + sp.exp(-x)) - t, (lambda y, x, t: f("sigmoid_slope")(x), lambda y, x, t: as_node(-1.0)), _sigmoid_minus,
                lambda x, t: np.where(x >= 0, (1.0 - t) - special.expit(-np.abs(x)), special.expit(x) - t), r"\sigma\left({0}\right) - {1}", PAIRS, "(1 - t) - s(-x) for x >= 0: right where both are near 1", precedence="add"),
    Elementwise("logistic_loss", 2, lambda x, t: sp.log(1 + sp.exp(x)) - t * x, (lambda y, x, t: f("sigmoid_minus")(x, t), lambda y, x, t: -x), _logistic_loss,
                lambda x, t: np.where(x > 0, x * (1.0 - t), -(x * t)) + np.log1p(np.exp(-np.abs(x))), r"\ln\left(1 + e^{{{0}}}\right) - {1} {0}", PAIRS, "binary cross-entropy of a logit: max(x, 0) - x t + ln(1 + e^-|x|)", precedence="add"),
    _unary("softplus", lambda x: sp.log(1 + sp.exp(x)), lambda y, x: f("sigmoid")(x), lambda x: np.logaddexp(0, x), r"\ln\left(1 + e^{{{0}}}\right)", source="max(x, 0) + ln(1 + e^-|x|); derivative logistic", traits=ACTIVATION),
    _unary("log_sigmoid", lambda x: -sp.log(1 + sp.exp(-x)), lambda y, x: f("sigmoid")(-x), special.log_expit, r"\ln\sigma\left({0}\right)", source="-softplus(-x)"),
    _unary("relu", lambda x: sp.Max(x, 0), lambda y, x: f("relu_slope")(x), lambda x: np.where(x > 0, x, np.where(x <= 0, 0.0, x)), r"\max\left(0, {0}\right)", precedence="atom",
           code=lambda x: select(x > 0.0, x, select(x <= 0.0, const(0.0, x.dtype), x)), source="relu'(0) = 0 (minimum norm)", traits=ACTIVATION | CHOOSES, rule="the max gate lets the gradient through where its input is positive"),
    _unary("relu_slope", lambda x: sp.Piecewise((1, x > 0), (0, True)), zero, lambda x: np.where(x > 0, 1.0, np.where(x <= 0, 0.0, x)), r"\mathbb{{1}}\left[{0} > 0\right]", precedence="atom",
           code=lambda x: select(x > 0.0, const(1.0, x.dtype), select(x <= 0.0, const(0.0, x.dtype), x)), source="1 for x > 0, else 0; NaN for NaN"),
    Elementwise("prelu", 2, lambda x, a: sp.Piecewise((x, x > 0), (a * x, True)), (lambda y, x, a: where(x > 0.0, 1.0, where(x <= 0.0, a, x)), lambda y, x, a: where(x > 0.0, 0.0, x)),
                lambda x, a: select(x > 0.0, x, a * x), lambda x, a: np.where(x > 0, x, np.multiply(a, x)), r"\begin{{cases}} {0} & {0} > 0 \\ {1} {0} & \text{{otherwise}} \end{{cases}}", PAIRS, "He et al. 2015", precedence="fn", traits=ACTIVATION | CHOOSES),
]

CHOICE = [
    Elementwise("maximum", 2, sp.Max, _max_weight("dmaximum"), _extreme("gt"), np.maximum, r"\max\left({0}, {1}\right)", PAIRS, result="same", takes=_ANY, precedence="atom", source="ties: ops.tie", word="max", rule="the max gate routes the gradient to the larger input", traits=CHOOSES),
    Elementwise("minimum", 2, sp.Min, _max_weight("dminimum"), _extreme("lt"), np.minimum, r"\min\left({0}, {1}\right)", PAIRS, result="same", takes=_ANY, precedence="atom", source="ties: ops.tie", word="min", rule="the min gate routes the gradient to the smaller input", traits=CHOOSES),
    Elementwise("dmaximum", 3, lambda a, b, t: sp.Piecewise((1, a > b), (0, a < b), (t, True)), (zero, zero, zero), _weigh("gt"),
                lambda a, b, t: np.where(a > b, 1.0, np.where(a < b, 0.0, np.where(a == b, t, a + b))), r"\mathbb{{1}}\left[{0} > {1}\right]", ((1.0, 2.0, 0.5), (2.0, 1.0, 0.5)), precedence="atom", source="weight of the first of two in max; t at a tie", traits=MASK),
    Elementwise("dminimum", 3, lambda a, b, t: sp.Piecewise((1, a < b), (0, a > b), (t, True)), (zero, zero, zero), _weigh("lt"),
                lambda a, b, t: np.where(a < b, 1.0, np.where(a > b, 0.0, np.where(a == b, t, a + b))), r"\mathbb{{1}}\left[{0} < {1}\right]", ((1.0, 2.0, 0.5), (2.0, 1.0, 0.5)), precedence="atom", source="weight of the first of two in min; t at a tie", traits=MASK),
    Elementwise("clip", 3, lambda x, lo, hi: sp.Min(sp.Max(x, lo), hi),
                (lambda y, x, lo, hi: f("dclip")(x, lo, hi), lambda y, x, lo, hi: where(build("logical_and", x <= lo, lo < hi), 1.0, 0.0),
                 lambda y, x, lo, hi: where(build("logical_or", x >= hi, lo >= hi), 1.0, 0.0)),
                _clip_code, np.clip, r"\operatorname{{clip}}\left({0}, {1}, {2}\right)", ((0.3, -1.0, 1.0), (2.0, -1.0, 1.0)), precedence="atom", source="min(max(x, lo), hi); derivative 0 at both bounds (minimum norm)", traits=CHOOSES),
    Elementwise("dclip", 3, lambda x, lo, hi: sp.Piecewise((1, (lo < x) & (x < hi)), (0, True)), (zero, zero, zero), _inside,
                lambda x, lo, hi: np.where(x == x, ((lo < x) & (x < hi)) * 1.0, x), r"\mathbb{{1}}\left[{1} < {0} < {2}\right]", ((0.3, -1.0, 1.0), (2.0, -1.0, 1.0)), precedence="atom", source="1 strictly between the bounds, else 0", traits=MASK),
    Elementwise("where", 3, lambda c, a, b: sp.Piecewise((a, c), (b, True)), (zero, lambda y, c, a, b: where(c, 1.0, 0.0), lambda y, c, a, b: where(c, 0.0, 1.0)), select, np.where,
                r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}", ((True, 1.5, -2.0), (False, 0.3, 1.7)), result="same", takes=("real", "int", "bool"), precedence="atom", source="the branch taken; the other contributes nothing", word="the branch taken", rule="the gradient goes to the branch taken", traits=CHOOSES),
]
# fmt: on


def _comparison(name: str, op: str, symbol: str, symbolic: Any, reference: Any) -> Elementwise:
    return Elementwise(
        name,
        2,
        symbolic,
        (zero, zero),
        basis(op),
        reference,
        f"{{0}} {symbol} {{1}}",
        PAIRS,
        "IEEE 754; with NaN only != holds",
        result="bool",
        takes=("real", "int", "bool"),
        precedence="rel",
    )


# fmt: off
LOGIC = [
    _comparison("less", "lt", "<", sp.Lt, np.less),
    _comparison("less_equal", "le", r"\le", sp.Le, np.less_equal),
    _comparison("greater", "gt", ">", sp.Gt, np.greater),
    _comparison("greater_equal", "ge", r"\ge", sp.Ge, np.greater_equal),
    _comparison("equal", "eq", "=", sp.Eq, np.equal),
    _comparison("not_equal", "ne", r"\ne", sp.Ne, np.not_equal),
    Elementwise("logical_and", 2, sp.And, (zero, zero), basis("and"), np.logical_and, r"{0} \wedge {1}", TRUTHS, result="bool", takes=("bool",), precedence="and", source="Boolean algebra"),
    Elementwise("logical_or", 2, sp.Or, (zero, zero), basis("or"), np.logical_or, r"{0} \vee {1}", TRUTHS, result="bool", takes=("bool",), precedence="or", source="Boolean algebra"),
    Elementwise("logical_not", 1, sp.Not, (zero,), basis("not"), np.logical_not, r"\neg {0}", (True, False), result="bool", takes=("bool",), precedence="fn", source="Boolean algebra"),
]
# fmt: on

TABLE = [*ARITHMETIC, *ROUNDING, *EXPONENTIAL, *TRIGONOMETRIC, *SPECIAL, *ACTIVATIONS, *CHOICE, *LOGIC]
for _row in TABLE:
    register_row(_row)
