"""sinc and its derivatives: sin(pi x) with the argument reduced exactly, and a recurrence in the stable direction.

With S(u) = sin(u)/u: u S_k + k S_(k-1) = sin(u + k pi/2), stable upwards for u > k, downwards for u < k.
"""

from __future__ import annotations

import math

from symgrad.ir.expression import Expr, apply, const, fma, select, var
from symgrad.ir.program import Accumulate, Assign, If, Loop, Return
from symgrad.lower.elementary.draft import Draft, Row, bits, equal
from symgrad.lower.elementary.trigonometric import cos_core, sin_core

_PI = (3.141592653589793, 3.1415927410125732)
_PI_LO = (1.2246467991473532e-16, -8.742277657347586e-08)


def sin_cos_pi(d: Draft, x: Expr) -> tuple[Expr, Expr]:
    """sin(pi x) and cos(pi x): x = 2 j + k/2 + r, every step of it exact."""
    turn = d.let("turn", x - 2.0 * apply("rint", 0.5 * x))
    s = d.let("s", 2.0 * turn + d.format.rounder)
    part = d.let("part", turn - 0.5 * (s - d.format.rounder))
    r = d.let("r", d.pick(*_PI) * part)
    low = d.let("low", fma(d.pick(-_PI[0], -_PI[1]), part, r) - d.pick(*_PI_LO) * part)
    z = d.let("z", r * r)
    (a, da), (b, db) = sin_core(d, r, z, low), cos_core(d, r, z, low)
    n = d.let("k", bits(s))
    even = d.let("even", equal(n & 1, 0))
    sine, cosine = d.let("sine", select(even, a - da, b + db)), d.let("cosine", select(even, b + db, a - da))
    sine = d.let("sine", select(equal(n & 2, 0), sine, -sine))
    return sine, d.let("cosine", select(equal((n + 1) & 2, 0), cosine, -cosine))


def sinc(d: Draft, x: Expr) -> Expr:
    """sin(pi x)/(pi x), 1 at 0."""
    sine, _ = sin_cos_pi(d, x)
    u = d.let("u", d.pick(*_PI) * x)
    low = d.let("low", fma(d.pick(*_PI), x, -u) + d.pick(*_PI_LO) * x)
    inverse = d.let("inverse", 1.0 / u)
    y = d.let("y", sine * inverse)
    y = d.let("y", fma(fma(-y, low, fma(-y, u, sine)), inverse, y))
    return select(abs(x) < 2.0 ** (-(d.format.shift // 2) - 2), d.real(1.0), y)


def _turned(d: Draft, k: Expr, sine: Expr, cosine: Expr) -> Expr:
    """sin(u + k pi/2)"""
    y = select(equal(k & 1, 0), sine, cosine)
    return select(equal(k & 2, 0), y, -y)


def _recur(name: str, k: Expr, body: list, factor: Expr, term: Expr) -> None:
    """name = name factor + term"""
    body += [Accumulate(name, None, "mul", factor), Accumulate(name, None, "add", term)]


def sinc_derivative(d: Draft, order: int, x: Expr) -> Expr:
    """pi^n S_n(pi x), to a few ulp of its largest value pi^n/(n+1)."""
    n, scale = order, math.pi**order
    sine, cosine = sin_cos_pi(d, x)
    u = d.let("u", math.pi * x)
    i = var("i", "i64")

    down = d.fork()
    down.body.append(Assign("value", d.real(0.0)))
    top = n + 40 + 2 * n
    k = top - i
    real = apply("to_real", k)
    step: list = []
    _recur("value", k, step, -u / real, _turned(d, k, sine, cosine) / real)
    down.body.append(Loop("i", const(0, "i64"), const(top - n, "i64"), tuple(step)))
    value, rising = var("value", "f64"), var("rising", "f64")
    down.body.append(Return((scale * value if n else value,)))
    d.body.append(If(abs(u) < n + 1.0, tuple(down.body)))

    d.body.append(Assign("rising", sine / u))
    k = i + 1
    step = []
    _recur("rising", k, step, -apply("to_real", k) / u, _turned(d, k, sine, cosine) / u)
    if n:
        d.body.append(Loop("i", const(0, "i64"), const(n, "i64"), tuple(step)))
    return scale * rising if n else rising


ROWS = (
    Row("sinc", sinc, "normalised: sin(pi x)/(pi x)"),
    Row("sinc_derivative", sinc_derivative, "DLMF 10.51.2, recurrence of the derivatives", order=True, through=True),
)
