"""Every activation of the table: value and slope to 50 digits, at random points and boundary cases; what is taken."""

import math
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import sympy as sp

import symgrad as sg
from symgrad.nn import activations

# The values that PyTorch and Stan test every function at (facts/extremal_cases.json), and saturated ones.
_HALF = [
    0.001,
    0.25,
    0.5,
    1.0,
    math.pi / 2,
    math.pi - 1e-5,
    math.pi,
    math.pi + 1e-5,
    1.3,
    0.49,
    0.99,
    1.01,
    6.0,
    40.0,
    1e3,
]
BOUNDARY = np.array([0.0, -0.0, *_HALF, *(-x for x in _HALF)])
RANDOM = np.random.default_rng(0).normal(0, 2, 20)


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def clip(x, lo, hi):
    return min(max(x, lo), hi)


def elu(x):
    return x if x > 0 else mp.expm1(x)


def selu(x):
    return mp.mpf("1.0507009873554804934193349852946") * (
        x if x > 0 else mp.mpf("1.6732632423543772848170429916717") * mp.expm1(x)
    )


# name -> (function, {kink: slope there})
SCALAR = {
    "linear": (lambda x: x, {}),
    "step": (lambda x: mp.mpf(x > 0) if x else mp.mpf(0.5), {0.0: 0.0}),
    "sign": (mp.sign, {0.0: 0.0}),
    "piecewise_linear": (lambda x: clip(x + 0.5, 0, 1), {-0.5: 0.0, 0.5: 0.0}),
    "sigmoid": (sigmoid, {}),
    "tanh": (mp.tanh, {}),
    "relu": (lambda x: max(x, 0), {0.0: 0.0}),
    "relu6": (lambda x: clip(x, 0, 6), {0.0: 0.0, 6.0: 0.0}),
    "leaky_relu": (lambda x: x if x > 0 else mp.mpf(0.01) * x, {0.0: 0.01}),
    "elu": (elu, {}),
    "selu": (selu, {0.0: 1.0507009873554805 * 1.6732632423543772}),
    "softplus": (lambda x: mp.log1p(mp.exp(x)), {}),
    "gelu": (lambda x: x * mp.ncdf(x), {}),
    "silu": (lambda x: x * sigmoid(x), {}),
    "mish": (lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), {}),
    "exponential": (mp.exp, {}),
    "softsign": (lambda x: x / (1 + abs(x)), {}),
    "hard_sigmoid": (lambda x: clip(x + 3, 0, 6) / 6, {}),
}
VECTOR = {"softmax", "log_softmax", "maxout"}
ROWS = pytest.mark.parametrize("name", SCALAR)


def rounded(function, x):
    """The function's value as a float64; what overflows is infinite."""
    with mp.workdps(60):
        return float(function(mp.mpf(float(x))))


def slope(name, x):
    """The derivative from a difference at 60 digits; at a kink what the table states."""
    function, kinks = SCALAR[name]
    if float(x) in kinks:
        return kinks[float(x)]
    with mp.workdps(60):
        return float(mp.diff(function, mp.mpf(float(x)), h=mp.mpf(10) ** -25))


@cache
def evaluated(dtype):
    """{name: value, name': slope} at all points, from one compiled function of that precision."""
    x = sg.input("x", ("n",))
    f = {name: activations.get(name)(x) for name in SCALAR}
    slopes = {f"{name}'": sg.grad(sg.sum(y), x) for name, y in f.items()}
    at = np.concatenate([BOUNDARY, RANDOM]).astype(dtype)
    return at, sg.compile({**f, **slopes}, wrt=[], dtype=dtype)(x=at)


@ROWS
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value_and_slope(name, dtype):
    at, found = evaluated(dtype)
    info = np.finfo(dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # exp overflows, as it should
        wanted = np.array([rounded(SCALAR[name][0], x) for x in at]).astype(dtype)
        derived = np.array([slope(name, x) for x in at]).astype(dtype)
        values, slopes = found[name], found[f"{name}'"]
        assert values.dtype == slopes.dtype == dtype
        tiny = 4 * info.smallest_subnormal
        near = (np.abs(values - wanted) <= 8 * info.eps * np.abs(wanted) + tiny) | (values == wanted)
        # a product rule adds two terms of the size of the value and of value/x
        size = np.maximum(np.abs(derived), np.abs(wanted) / np.maximum(1e-3, np.abs(at)))
        right = (np.abs(slopes - derived) <= 8 * info.eps * size + tiny) | (slopes == derived)
    assert near.all(), (at[~near], values[~near], wanted[~near])
    assert right.all(), (at[~right], slopes[~right], derived[~right])


@ROWS
def test_differences(name):
    """``check`` at random points, and at each boundary case, where kinks are told apart from failures."""
    x, s = sg.parameter("x", ("n",)), sg.symbol("s")
    assert sg.compile(activations.get(name)(x), wrt=x).check(x=RANDOM).ok
    fn = sg.compile(activations.get(name)(s), wrt=s)
    for at in BOUNDARY[np.abs(BOUNDARY) < 700]:
        report = fn.check(float(at))  # a slope of 1e-18 is beyond what differences can tell
        assert report.ok or (abs(at) > 10 and not report.failed), report


@ROWS
def test_nan_stays_nan(name):
    x = sg.symbol("x")
    assert math.isnan(sg.evaluate(activations.get(name)(x), x=math.nan))


def test_prelu_by_both_arguments():
    x, alpha = sg.symbols("x alpha")
    fn = sg.compile(sg.prelu(x, alpha), wrt=[x, alpha])
    assert fn.value_and_grad(-2.0, 0.25) == (-0.5, (0.25, -2.0))
    assert fn.value_and_grad(-2.0, 3.0) == (-6.0, (3.0, -2.0))
    assert fn.value_and_grad(2.0, 3.0) == (2.0, (1.0, 0.0))


@pytest.mark.parametrize("name", sorted(VECTOR - {"maxout"}))
def test_activations_of_a_row(name):
    z = sg.parameter("z", ("n", 4))
    fn = sg.compile(activations.get(name)(z), wrt=z)
    at = np.random.default_rng(0).normal(size=(3, 4)) * 3
    e = np.exp(at - at.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    assert np.allclose(fn(z=at), np.log(p) if name == "log_softmax" else p, rtol=32 * np.finfo(float).eps)
    assert fn.check(z=at).ok
    assert fn.check(z=np.zeros((2, 4))).ok


def test_the_table_is_whole():
    assert {row.name for row in activations.TABLE} == {*SCALAR, *VECTOR, "prelu"}
    assert all(row.formula and row.source for row in activations.TABLE)
    assert all(activations.get(row) is row.function for row in activations.TABLE)
    assert activations.get("swish") is activations.get("silu")


T = sp.Symbol("t")


@pytest.mark.parametrize(
    "spec",
    [
        lambda t: t * sp.tanh(t),
        T * sp.tanh(T),
        lambda t: t * sg.tanh(t),
        lambda t: t * np.tanh(t),
        lambda t: sp.Piecewise((t * sp.tanh(t), t > -100), (t, True)),
    ],
    ids=["sympy", "expression", "symgrad", "numpy", "piecewise"],
)
def test_an_activation_is_any_function(spec):
    x = sg.input("x", ("n",))
    assert np.allclose(sg.evaluate(activations.get(spec)(x), x=RANDOM), RANDOM * np.tanh(RANDOM), rtol=1e-15)


@pytest.mark.parametrize("spec", [sp.tanh, np.tanh, sg.tanh, "tanh"])
def test_known_functions(spec):
    x = sg.input("x", ("n",))
    assert activations.get(spec)(x) == sg.tanh(x)


def test_a_function_that_fails_says_so_itself():
    def broken(x):
        return x.no_such_method()

    with pytest.raises(AttributeError, match="no_such_method"):
        activations.get(broken)(sg.symbol("x"))
    with pytest.raises(TypeError, match="missing 1 required"):
        activations.get(lambda a, b: a)(sg.symbol("x"))


@pytest.mark.parametrize("name", ["silu", "gelu", "mish"])
def test_a_fading_share_has_its_limits_at_the_ends(name):
    """0 and x, with slopes 0 and 1, though they are inf * 0 as they stand."""
    x = sg.symbol("x")
    f = activations.get(name)(x)
    ends = [(float(sg.evaluate(t, x=end))) for end in (-math.inf, math.inf) for t in (f, sg.grad(f, x))]
    assert ends == [0.0, 0.0, math.inf, 1.0]
    assert all(math.isnan(sg.evaluate(t, x=math.nan)) for t in (f, sg.grad(f, x)))
