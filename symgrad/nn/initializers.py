r"""TABLE: initializers, one row each: how an array is drawn, formula, source.

In: a shape and a ``numpy.random.Generator``. Out: a float64 array. Names, options and defaults are Keras 3's. A kernel
has its inputs in the last axis but one and its outputs in the last; the axes before are those of a receptive field.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from symgrad.errors import DeclarationError, DtypeError, ShapeError
from symgrad.frontend.tensor import HOOKS
from symgrad.ir.node import Node
from symgrad.ir.show import described, printable
from symgrad.nn import rows
from symgrad.nn.rows import Maker, Options

Rng = np.random.Generator
Sizes = tuple[int, ...]
_CUT = 2.0  # a truncated normal keeps what is within so many standard deviations
# Standard deviation of a unit normal cut at 2: sqrt(1 - 4 phi(2)/(2 Phi(2) - 1)).
_CUT_STDDEV = math.sqrt(1.0 - 4.0 * math.exp(-2.0) / math.sqrt(2.0 * math.pi) / math.erf(math.sqrt(2.0)))


@dataclass(frozen=True, slots=True, repr=False)
class Initializer:
    """A row: ``draw(rng, shape, **options)``. A ``seed`` of its own goes before the generator it is given."""

    name: str
    draw: Callable[..., np.ndarray]
    formula: str
    source: str
    title: str
    options: Options = ()
    names: tuple[str, ...] = ()

    def __call__(self, shape: Sizes, rng: Rng | int | None = None) -> np.ndarray:
        options = dict(self.options)
        seed = options.pop("seed", None)
        generator = np.random.default_rng(rng if seed is None else seed)  # a generator stays what it is
        return np.asarray(self.draw(generator, tuple(shape), **options), float)

    def __repr__(self) -> str:
        return rows.shown(self)


def fans(shape: Sizes) -> tuple[float, float]:
    """(fan in, fan out) of a kernel: channels times the receptive field.

    >>> fans((3, 5)), fans((3, 3, 4, 8)), fans((7,))
    ((3, 5), (36, 72), (7, 7))
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def _constant(rng: Rng, shape: Sizes, value: Any = 0.0) -> np.ndarray:
    return np.full(shape, value, float)


def _ones(rng: Rng, shape: Sizes) -> np.ndarray:
    return np.ones(shape)


def _uniform(rng: Rng, shape: Sizes, minval: float, maxval: float) -> np.ndarray:
    return rng.uniform(minval, maxval, shape)


def _normal(rng: Rng, shape: Sizes, mean: float, stddev: float) -> np.ndarray:
    return rng.normal(mean, stddev, shape)


def _truncated_normal(rng: Rng, shape: Sizes, mean: float, stddev: float) -> np.ndarray:
    z = rng.standard_normal(shape)
    while (outside := np.abs(z) > _CUT).any():
        z = np.where(outside, rng.standard_normal(shape), z)
    return mean + stddev * z


def _variance_scaling(rng: Rng, shape: Sizes, scale: float, mode: str, distribution: str) -> np.ndarray:
    fan_in, fan_out = fans(shape)
    counts = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}
    variance = scale / max(1.0, rows.find("mode", mode, counts))
    stddev = math.sqrt(variance)
    draws = {
        "truncated_normal": lambda: _truncated_normal(rng, shape, 0.0, stddev / _CUT_STDDEV),
        "untruncated_normal": lambda: _normal(rng, shape, 0.0, stddev),
        "uniform": lambda: _uniform(rng, shape, -math.sqrt(3.0 * variance), math.sqrt(3.0 * variance)),
    }
    return rows.find("distribution", distribution, draws)()


@dataclass(frozen=True, slots=True)
class _Scaled:
    """Variance scaling with its options settled; a record, so that rows can be pickled."""

    scale: float
    mode: str
    distribution: str

    def __call__(self, rng: Rng, shape: Sizes) -> np.ndarray:
        return _variance_scaling(rng, shape, self.scale, self.mode, self.distribution)


def _orthogonal(rng: Rng, shape: Sizes, gain: float) -> np.ndarray:
    if len(shape) < 2:
        raise ShapeError("an orthogonal start needs two axes or more", ("shape", str(shape)))
    wide = math.prod(shape[:-1]), shape[-1]
    q, r = np.linalg.qr(rng.standard_normal((max(wide), min(wide))))
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)  # so that the distribution is Haar's
    return gain * (q.T if wide[0] < wide[1] else q).reshape(shape)


def _identity(rng: Rng, shape: Sizes, gain: float) -> np.ndarray:
    if len(shape) != 2:
        raise ShapeError("an identity has two axes", ("shape", str(shape)))
    return gain * np.eye(*shape)


_UNIFORM = r"U(-\ell, \ell),\ \ell = \sqrt{%s}"
_NORMAL = r"N(0, %s) \text{ cut at } 2\sigma"
_SEED: Options = (("seed", None),)
_RANGE = (("minval", -0.05), ("maxval", 0.05), *_SEED)
_SPREAD = (("mean", 0.0), ("stddev", 0.05), *_SEED)
_GAIN = (("gain", 1.0),)
_SCALING = (("scale", 1.0), ("mode", "fan_in"), ("distribution", "truncated_normal"), *_SEED)
_GLOROT, _HE, _LECUN = "Glorot and Bengio 2010", "He et al. 2015", "LeCun et al. 1998"
TABLE = [
    Initializer("zeros", _constant, "0", "shows why symmetry must be broken", "Zeros", (), ("zero",)),
    Initializer("ones", _ones, "1", "scales of a normalisation", "Ones", (), ("one",)),
    Initializer("constant", _constant, "c", "a number, or an array that broadcasts", "Constant", (("value", 0.0),)),
    Initializer("random_uniform", _uniform, "U(a, b)", "Keras, 0.05", "RandomUniform", _RANGE, ("uniform",)),
    Initializer("random_normal", _normal, r"N(\mu, \sigma^2)", "Keras, 0.05", "RandomNormal", _SPREAD, ("normal",)),
    Initializer("truncated_normal", _truncated_normal, r"N(\mu, \sigma^2) \text{ cut at } \mu \pm 2\sigma", "Keras",
                "TruncatedNormal", _SPREAD),
    Initializer("variance_scaling", _variance_scaling, r"\operatorname{Var} = s/n", _HE, "VarianceScaling", _SCALING),
    Initializer("glorot_uniform", _Scaled(1.0, "fan_avg", "uniform"), _UNIFORM % r"6/(n_{in}+n_{out})", _GLOROT,
                "GlorotUniform", _SEED, ("xavier_uniform",)),
    Initializer("glorot_normal", _Scaled(1.0, "fan_avg", "truncated_normal"), _NORMAL % r"2/(n_{in}+n_{out})", _GLOROT,
                "GlorotNormal", _SEED, ("xavier_normal",)),
    Initializer("he_uniform", _Scaled(2.0, "fan_in", "uniform"), _UNIFORM % r"6/n_{in}", _HE, "HeUniform", _SEED),
    Initializer("he_normal", _Scaled(2.0, "fan_in", "truncated_normal"), _NORMAL % r"2/n_{in}", _HE, "HeNormal", _SEED),
    Initializer("lecun_uniform", _Scaled(1.0, "fan_in", "uniform"), _UNIFORM % r"3/n_{in}", _LECUN,
                "LecunUniform", _SEED),
    Initializer("lecun_normal", _Scaled(1.0, "fan_in", "truncated_normal"), _NORMAL % r"1/n_{in}", _LECUN,
                "LecunNormal", _SEED),
    Initializer("orthogonal", _orthogonal, r"Q \text{ of a normal matrix's } QR", "Saxe et al. 2014", "Orthogonal",
                (*_GAIN, *_SEED), ("orthogonal_matrix",)),
    Initializer("identity", _identity, "g I", "Le et al. 2015", "Identity", _GAIN, ("eye",)),
]  # fmt: skip
INITIALIZERS = rows.all_names(TABLE)


def get(spec: Any) -> Callable[[Sizes, Rng], np.ndarray]:
    """An initializer by name, as a row, as a function (shape, rng), as an array or number; None for Keras's default.

    >>> get("he_normal")
    HeNormal()
    >>> get(0.5)((2,), None)
    array([0.5, 0.5])
    """
    if spec is None:
        return _default
    if isinstance(spec, str):
        return rows.find("initializer", spec, INITIALIZERS)
    if isinstance(spec, Maker):
        return spec.row
    if callable(spec):
        return spec
    return _Given(_numbers(spec))


def _default(shape: Sizes, rng: Rng) -> np.ndarray:
    """Glorot's uniform for a matrix or a kernel, 0 for a vector or a scalar."""
    return INITIALIZERS["glorot_uniform" if len(shape) > 1 else "zeros"](shape, rng)


def _numbers(spec: Any) -> np.ndarray:
    try:
        return np.array(spec, float)
    except (TypeError, ValueError):
        fix = 'write "he_normal", sg.initializers.HeNormal(), an array or a function (shape, rng)'
        raise DtypeError("this is no initializer", ("given", type(spec).__name__), fix=fix) from None


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """An array as it is; a number fills the shape."""

    array: np.ndarray

    def __call__(self, shape: Sizes, rng: Rng) -> np.ndarray:
        return np.full(shape, self.array) if not self.array.ndim else self.array.copy()


def draw(spec: Any, parameter: Node, rng: Rng) -> np.ndarray:
    """The first value of a parameter.

    Raises:  DeclarationError where a size of the parameter is only a name, ShapeError for another shape
    """
    name = printable(parameter["variable"].name)
    if not all(isinstance(n, int) for n in parameter.shape):
        fix = "declare its sizes as numbers"
        raise DeclarationError(f"{name} has no known shape to draw", ("declared", described(parameter)), fix=fix)
    value = get(spec)(parameter.shape, rng)  # type: ignore[arg-type]
    array = _numbers(value)
    if array.shape != parameter.shape:
        facts = ("declared", described(parameter)), ("initial value", str(array.shape))
        raise ShapeError(f"{name}: the initial value has another shape", *facts)
    return array


HOOKS["initializer"] = get


def __getattr__(name: str) -> Any:
    """Rows under their names: ``RandomUniform(-0.1, 0.1)`` is a row with options."""
    if name.startswith("_") or name not in INITIALIZERS:
        raise AttributeError(f"there is no initializer {name!r}")
    return Maker(INITIALIZERS[name])


def __dir__() -> list[str]:
    return sorted([*globals(), *INITIALIZERS])
