"""What each elementary function is, to 40 digits, where it is tried, and how many ulp it may be off.

``WITHIN[name]``: the function in mpmath, the stretches of arguments for float64 and for float32, the bound in
ulp, and below which value ulp are no longer counted smaller (near zeros that are not exact).
A stretch ("to", a, b) is uniform, ("log", a, b) is plus or minus e^a .. e^b.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

DIGITS = 40


class Claim(NamedTuple):
    """A function, where it is tried, and its accuracy."""

    exact: Callable[..., Any]
    wide: tuple
    narrow: tuple
    ulps: float = 2.0
    floor: Callable[..., Any] = lambda *xs: 0


def _sign(x: Any) -> int:
    return -1 if x < 0 else 1


def _log(x: Any) -> Any:
    return mp.nan if x < 0 else -mp.inf if x == 0 else mp.log(x)


def _log1p(x: Any) -> Any:
    return mp.nan if x < -1 else -mp.inf if x == -1 else mp.log1p(x)


def _log1mexp(x: Any) -> Any:
    return mp.nan if x < 0 else _log(-mp.expm1(-x)) if x < 1 else mp.log1p(-mp.exp(-x))


def _acosh(x: Any) -> Any:
    return mp.acosh(x) if x >= 1 else mp.nan


def _atanh(x: Any) -> Any:
    return _sign(x) * mp.inf if abs(x) == 1 else mp.atanh(x) if abs(x) < 1 else mp.nan


def _power(x: Any, y: Any) -> Any:
    whole = mp.isint(y)
    return mp.nan if x < 0 and not whole else _sign(x) ** int(y if whole else 0) * abs(x) ** y


def _log_normal_cdf(x: Any) -> Any:
    return mp.log(mp.erfc(-x / mp.sqrt(2)) / 2) if x < 0 else mp.log1p(-mp.erfc(x / mp.sqrt(2)) / 2)


def _polygamma(n: int, x: Any) -> Any:
    """By the sum up to 1, then Hurwitz' zeta; mpmath's own is slow for large and small arguments."""
    if x <= 0 and mp.isint(x):
        return (-1) ** (n + 1) * mp.inf
    total = mp.mpf(0)
    while x < 1:
        total += x ** -(n + 1)
        x += 1
    with mp.workdps(DIGITS + 30):
        return (-1) ** (n + 1) * mp.factorial(n) * (total + mp.zeta(n + 1, x))


def _sinc_derivative(n: int, x: Any) -> Any:
    u = mp.pi * x
    if abs(u) < n + 2:
        term = lambda k: mp.mpf(-1) ** k * u ** (2 * k - n) / ((2 * k + 1) * mp.factorial(2 * k - n))  # noqa: E731
        start = (n + 1) // 2
        return mp.pi**n * sum((term(k) for k in range(start, start + 40)), mp.mpf(0))
    terms = (
        mp.binomial(n, j) * mp.sin(u + (n - j) * mp.pi / 2) * (-1) ** j * mp.factorial(j) / u ** (j + 1)
        for j in range(n + 1)
    )
    return mp.pi**n * sum(terms, mp.mpf(0))


def _lgamma(x: Any) -> Any:
    return mp.inf if x <= 0 and mp.isint(x) else mp.re(mp.loggamma(x))


def _digamma(x: Any) -> Any:
    return mp.nan if x < 0 and mp.isint(x) else mp.psi(0, x)


def _one(*xs: Any) -> int:
    return 1


def _to(a: float, b: float) -> tuple:
    return (("to", a, b), ("to", -3.0, 3.0), ("log", -45.0, 0.0))


_ALL64, _ALL32 = (("log", -744.0, 709.0),), (("log", -103.0, 88.0),)
_ODD64, _ODD32 = (*_to(-8.0, 8.0), *_ALL64), (*_to(-8.0, 8.0), *_ALL32)
_EXP64, _EXP32 = _to(-750.0, 715.0), _to(-106.0, 92.0)
_COSH64, _COSH32 = _to(-711.0, 711.0), _to(-90.0, 90.0)
_UNIT = (("to", -1.0, 1.0), ("log", -45.0, 0.0))
_BELL64, _BELL32 = _to(-27.3, 27.3), _to(-10.2, 10.2)
_LEFT64, _LEFT32 = _to(-38.5, 9.0), _to(-14.2, 6.0)
_TURN64, _TURN32 = _to(-1e6, 1e6), _to(-8190.0, 8190.0)
_GAMMA = (("to", -20.0, 0.0), ("to", 0.0, 14.0), ("log", -40.0, 15.0))

WITHIN: dict[str, Claim] = {
    "exp": Claim(mp.exp, _EXP64, _EXP32, 1.0),
    "exp2": Claim(lambda x: mp.mpf(2) ** x, _to(-1080.0, 1030.0), _to(-152.0, 130.0), 1.0),
    "expm1": Claim(mp.expm1, _EXP64, _EXP32),
    "exprel": Claim(lambda x: mp.expm1(x) / x if x else mp.mpf(1), _to(-750.0, 720.0), _to(-106.0, 95.0)),
    "log": Claim(_log, (*_ALL64, ("to", 0.5, 2.0)), (*_ALL32, ("to", 0.5, 2.0)), 1.0),
    "log2": Claim(lambda x: _log(x) / mp.log(2), (*_ALL64, ("to", 0.5, 2.0)), (*_ALL32, ("to", 0.5, 2.0))),
    "log10": Claim(lambda x: _log(x) / mp.log(10), (*_ALL64, ("to", 0.5, 2.0)), (*_ALL32, ("to", 0.5, 2.0))),
    "log1p": Claim(_log1p, (*_ALL64, ("to", -1.1, 2.0)), (*_ALL32, ("to", -1.1, 2.0))),
    "log1mexp": Claim(_log1mexp, (*_ALL64, ("to", 0.0, 4.0)), (*_ALL32, ("to", 0.0, 4.0))),
    "logaddexp": Claim(
        lambda x, y: max(x, y) + mp.log1p(mp.exp(-abs(x - y))), _to(-40.0, 40.0), _to(-20.0, 20.0), 2.0,
        lambda x, y: max(abs(x), abs(y)),
    ),
    "xlogy": Claim(lambda x, y: x * _log(y) if x else mp.mpf(0), _ALL64, _ALL32),
    "pow": Claim(_power, (("to", 0.0, 40.0), ("log", -1.0, 6.5)), (("to", 0.0, 9.0), ("log", -1.0, 4.0)), 1.0),
    "cbrt": Claim(lambda x: _sign(x) * mp.cbrt(abs(x)), _ODD64, _ODD32, 1.0),
    "hypot": Claim(mp.hypot, _ODD64, _ODD32, 1.0),
    "mod": Claim(lambda x, y: x - y * mp.floor(x / y) if y else mp.nan, _to(-50.0, 50.0), _to(-50.0, 50.0), 0.5),
    "sin": Claim(mp.sin, _TURN64, _TURN32, 1.0),
    "cos": Claim(mp.cos, _TURN64, _TURN32, 1.0),
    "tan": Claim(mp.tan, _TURN64, _TURN32),
    "arcsin": Claim(lambda x: mp.asin(x) if abs(x) <= 1 else mp.nan, _UNIT, _UNIT),
    "arccos": Claim(lambda x: mp.acos(x) if abs(x) <= 1 else mp.nan, _UNIT, _UNIT),
    "arctan": Claim(mp.atan, _ODD64, _ODD32),
    "arctan2": Claim(mp.atan2, _ODD64, _ODD32),
    "sinh": Claim(mp.sinh, _COSH64, _COSH32),
    "cosh": Claim(mp.cosh, _COSH64, _COSH32),
    "tanh": Claim(mp.tanh, _to(-25.0, 25.0), _to(-12.0, 12.0)),
    "tanh_slope": Claim(lambda x: mp.sech(x) ** 2, _to(-375.0, 375.0), _to(-52.0, 52.0)),
    "sech": Claim(mp.sech, _EXP64, _EXP32),
    "arcsinh": Claim(mp.asinh, _ODD64, _ODD32),
    "arccosh": Claim(_acosh, (*_ALL64, ("to", 0.9, 3.0)), (*_ALL32, ("to", 0.9, 3.0))),
    "arctanh": Claim(_atanh, _UNIT, _UNIT),
    "sigmoid": Claim(lambda x: 1 / (1 + mp.exp(-x)), _EXP64, _EXP32),
    "sigmoid_slope": Claim(lambda x: mp.sech(x / 2) ** 2 / 4, _EXP64, _EXP32),
    "softplus": Claim(lambda x: mp.log1p(mp.exp(x)), _EXP64, _EXP32),
    "log_sigmoid": Claim(lambda x: -mp.log1p(mp.exp(-x)), _EXP64, _EXP32),
    "logcosh": Claim(lambda x: mp.log1p(2 * mp.sinh(x / 2) ** 2), _to(-40.0, 40.0), _to(-40.0, 40.0)),
    "gaussian": Claim(lambda x: mp.exp(-x * x), _BELL64, _BELL32),
    "erf": Claim(mp.erf, _to(-7.0, 7.0), _to(-5.0, 5.0)),
    "erfc": Claim(mp.erfc, _BELL64, _BELL32, 4.0),
    "normal_cdf": Claim(lambda x: mp.erfc(-x / mp.sqrt(2)) / 2, _LEFT64, _LEFT32, 4.0),
    "log_normal_cdf": Claim(_log_normal_cdf, (*_LEFT64, ("to", -1e9, 0.0)), (*_LEFT32, ("to", -1e9, 0.0)), 4.0),
    "sinc": Claim(lambda x: mp.sinpi(x) / (mp.pi * x) if x else mp.mpf(1), _to(-1e3, 1e3), _to(-1e3, 1e3)),
    "lgamma": Claim(_lgamma, _GAMMA, _GAMMA, 4.0, lambda x: max(1, abs(mp.re(mp.loggamma(abs(x)))))),
    "lgamma_positive": Claim(mp.loggamma, (("to", 0.0, 30.0),), (("to", 0.0, 30.0),), 4.0, _one),
    "digamma": Claim(_digamma, _GAMMA, _GAMMA, 4.0, lambda x: max(1, abs(mp.pi * mp.cot(mp.pi * x)) if x < 0 else 0)),
    "digamma_positive": Claim(_digamma, (("to", 0.0, 30.0),), (("to", 0.0, 30.0),), 4.0, _one),
}  # fmt: skip
for _n in (1, 2, 3, 10):
    _exact = lambda x, n=_n: _polygamma(n, x)  # noqa: E731
    _ulps = 4.0 + max(0, _n - 3) / 2  # the power n + 1 of x: half an ulp more a factor
    # The reflection for x < 0 takes powers up to n + 1 of the cotangent: 2 ulp more an order.
    _floor = lambda x, n=_n: abs(_polygamma(n, x)) * (1 + mp.mpf(n) / 2) if x < 0 else 0  # noqa: E731
    WITHIN[f"polygamma_{_n}"] = Claim(_exact, _GAMMA[:2], _GAMMA[:2], _ulps, _floor)
    WITHIN[f"polygamma_positive_{_n}"] = Claim(_exact, _GAMMA[1:2], _GAMMA[1:2], _ulps)
for _n in (0, 1, 2, 3, 8):
    WITHIN[f"sinc_derivative_{_n}"] = Claim(
        lambda x, n=_n: _sinc_derivative(n, x), _to(-30.0, 30.0), _to(-30.0, 30.0), 4.0,
        lambda x, n=_n: mp.pi**n / (n + 1),
    )  # fmt: skip

SPECIAL = (
    0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 3.0, 0.5, -0.5, 1e-7, -1e-7, 1e-30, -1e-30, 1e-40, -1e-40, 5e-324, -5e-324,
    1e-310, 20.0, -20.0, 100.0, -100.0, 1e6, 3e38, -3e38, 1e300, -1e300, np.inf, -np.inf, np.nan,
)  # fmt: skip


def samples(name: str, dtype: str, arity: int, count: int = 160) -> list[np.ndarray]:
    """Arguments of the given type: ``count`` from every stretch, the same in every run."""
    rng, kind = np.random.default_rng(len(name)), np.float64 if dtype == "f64" else np.float32
    claim = WITHIN[name]
    stretches = claim.wide if dtype == "f64" else claim.narrow

    def draw(stretch: tuple) -> np.ndarray:
        how, a, b = stretch
        x = rng.uniform(a, b, count)
        return x if how == "to" else np.exp(x) * rng.choice([-1.0, 1.0], count)

    columns = [np.concatenate([draw(stretch) for stretch in stretches]) for _ in range(arity)]
    columns = [columns[0], *(rng.permutation(c) for c in columns[1:])]
    with np.errstate(all="ignore"):
        return [c.astype(kind) for c in columns]


def special(dtype: str, arity: int) -> list[np.ndarray]:
    """Every special value, or every pair of them."""
    with np.errstate(all="ignore"):
        values = np.array(SPECIAL, np.float64 if dtype == "f64" else np.float32)
    return [values] if arity == 1 else [v.ravel() for v in np.meshgrid(values, values)]


def ulps_off(got: np.floating, exact: Any, floor: Any = 0) -> float:
    """|got - exact| in units of the last place of max(|exact|, floor); 0 where both are nan or the same infinity."""
    kind = type(got)
    if mp.isnan(exact) or np.isnan(got):
        return 0.0 if mp.isnan(exact) and np.isnan(got) else np.inf
    limit = np.finfo(kind)
    top = mp.mpf(float(limit.max)) * (1 + mp.mpf(2) ** (-limit.nmant - 2))
    if abs(exact) >= top or np.isinf(got):
        over = abs(exact) >= mp.mpf(float(limit.max)) * (1 - 4 * mp.mpf(float(limit.eps)))
        return 0.0 if over and (exact > 0) == (got > 0) else np.inf
    size = max(abs(exact), mp.mpf(floor))
    exponent = mp.frexp(size)[1] if size else -2000
    place = mp.mpf(2) ** max(exponent - limit.nmant - 1, limit.minexp - limit.nmant)
    return float(abs(mp.mpf(float(got)) - exact) / place)
