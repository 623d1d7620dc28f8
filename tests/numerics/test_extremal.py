"""Boundary cases: kinks, ties, end points, overflow, branches not taken. One rule decides them all (tests/facts)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

import symgrad as sg

CASES = json.loads((Path(__file__).parents[1] / "facts" / "extremal_cases.json").read_text())["cases"]
NOT_LISTED = {"i0", "log_ndtr", "nanvar"}  # functions that the contract does not list


def norm2(v):
    return sg.sqrt(sg.sum(v**2))


UNARY = {
    "abs": abs,
    "sign": sg.sign,
    "relu": sg.relu,
    "relu6": sg.relu6,
    "floor": sg.floor,
    "ceil": sg.ceil,
    "round": sg.round,
    "trunc": sg.trunc,
    "sqrt": sg.sqrt,
    "cbrt": sg.cbrt,
    "log": sg.log,
    "log1p": sg.log1p,
    "asin": sg.arcsin,
    "acos": sg.arccos,
    "acosh": sg.arccosh,
    "atanh": sg.arctanh,
    "sinc_pi": sg.sinc,
    "entropy": lambda x: -x * sg.log(x),
    "sigmoid": sg.sigmoid,
    "softplus": sg.softplus,
    "tanh": sg.tanh,
    "log_sigmoid": sg.log_sigmoid,
    "log1mexp": lambda x: sg.log(1 - sg.exp(-x)),
    "expm1": lambda x: sg.exp(x) - 1,
    "versine": lambda x: 1 - sg.cos(x),
    "exprel": lambda x: (sg.exp(x) - 1) / x,
    "sqrt_diff": lambda x: sg.sqrt(x + 1) - sg.sqrt(x),
    "gelu": sg.gelu,
    "silu": sg.silu,
    "mish": sg.mish,
    "logcosh": sg.logcosh,
    "elu": sg.elu,
    "exp_where": lambda x: sg.where(x <= 0, sg.exp(x), 1 + x),
    "exp": sg.exp,
    "sin": sg.sin,
    "atan": sg.arctan,
    "erf": sg.erf,
    "pow_int_exponent": lambda x: x**0,
    "square_sum_sqrt": lambda x: sg.sqrt(sg.square(x)),
    "max3_symbolic": lambda x: sg.maximum(sg.maximum(x, sg.exp(x) - 1), (x + 1) ** 2 / 2 - 0.5),
}
BINARY = {
    "maximum": sg.maximum,
    "minimum": sg.minimum,
    "mod": sg.mod,
    "hypot": sg.hypot,
    "atan2": sg.arctan2,
    "pow": sg.power,
    "xlogy": sg.xlogy,
    "logaddexp": sg.logaddexp,
}
VECTOR = {
    "reduce_max": sg.max,
    "max": sg.max,
    "logsumexp": sg.logsumexp,
    "prod": sg.prod,
    "std": sg.std,
    "sum": sg.sum,
    "mean": sg.mean,
    "norm2": norm2,
    "norm2_squared": lambda v: norm2(v) ** 2,
}
WHERE = {
    "where(x>0, log(x), 0)": lambda x: sg.where(x > 0, sg.log(x), 0),
    "where(x>0, sqrt(x), 0)": lambda x: sg.where(x > 0, sg.sqrt(x), 0),
    "where(x>2, log2(x), 2*x)": lambda x: sg.where(x > 2, sg.log2(x), 2 * x),
    "where(x<1, cos(x), 0)": lambda x: sg.where(x < 1, sg.cos(x), 0),
    "where(x>=t, x, t*(x/t))": lambda x, t: sg.where(x >= t, x, t * (x / t)),
    "where(x!=0, sin(x)/x, 1)": lambda x: sg.where(sg.not_equal(x, 0), sg.sin(x) / x, 1),
    "where(r>0, cos(r), 1), r=sqrt(x^2+y^2)": lambda x, y: sg.where(
        sg.sqrt(x**2 + y**2) > 0, sg.cos(sg.sqrt(x**2 + y**2)), 1
    ),
    "sqrt(max(0, x^2-z^2))": lambda x, z: sg.sqrt(sg.maximum(0, x**2 - z**2)),
    "where(x<=10, exp(x), 1)": lambda x: sg.where(x <= 10, sg.exp(x), 1),
    "where(mask, (x-y)**2, 0) with y=nan": lambda x, y, mask: sg.where(mask > 0, (x - y) ** 2, 0),
}


def built(case):
    """(function, inputs, wrt, values) of a case whose inputs are scalars or one vector."""
    op, names = case["op"], list(case["inputs"])
    if op in VECTOR:
        v = sg.parameter("v", ("n",))
        return VECTOR[op](v), [v], [v], [np.array([float(s) for s in case["inputs"]["v"]])]
    symbols = [sg.symbol(name) for name in names]
    values = [float(case["inputs"][name]) for name in names]
    x = symbols[0]
    if op == "where" and case["expr"].startswith("Piecewise"):
        s = sp.Symbol("x", real=True)
        f = sg.from_sympy(sp.Piecewise((sp.log(-s), s < 0), (sp.log(s), True)))
        symbols = [sg.from_sympy(s)]
    elif op == "where":
        f = WHERE[case["expr"]](*symbols)
    elif op == "clip":
        f = sg.clip(*symbols) if len(symbols) == 3 else sg.clip(x, -1, 1)
    elif op == "maximum" and len(symbols) == 1:
        f = sg.maximum(x, 0)
    elif op == "bce_with_logits":
        z = symbols[1]
        f = sg.maximum(x, 0) - x * z + sg.log1p(sg.exp(-abs(x)))
    elif op in UNARY:
        f = UNARY[op](x)
    else:
        f = BINARY[op](*symbols)
    return f, symbols, symbols, values


def close(actual, expected, ulps, dtype=np.float64):
    """Within so many ulp, NaN and infinities equal; below the smallest normal number an absolute error counts."""
    actual, expected = np.asarray(actual, dtype), np.asarray(expected, dtype)
    info = np.finfo(dtype)
    with np.errstate(all="ignore"):
        allowed = ulps * np.maximum(np.abs(expected) * info.eps, info.smallest_subnormal)
        near = np.abs(actual - expected) <= allowed
    return np.all(near | (actual == expected) | (np.isnan(actual) & np.isnan(expected)))


def expected_gradient(case):
    """The recommended gradient (decided as in ARCHITECTURE.md where the table leaves it open), or None."""
    decided = {10: "0.0", 13: "0.0", 14: "0.0", 15: ["0.0"], 222: "0.0"}
    if case["id"] in decided:
        stated = decided[case["id"]]
    elif case["recommended_f64"] is None:
        return [math.nan] if case["recommended"].startswith("nan") else None
    else:
        stated = case["recommended_f64"]
    return [None if s is None else float(s) for s in (stated if isinstance(stated, list) else [stated])]


SPECIAL = {50, 51, 52, 68, 69, 72, 93, 94, 95, 96, 129, 130, 208, 209, 211, 212, 213, 214, 216, 217}
PLAIN = [c for c in CASES if c["op"] not in NOT_LISTED and c["id"] not in SPECIAL]


def ids(case):
    return f"{case['id']}-{case['op']}"


def check_gradient(case, gradient, dtype):
    expected = expected_gradient(case)
    if expected is None:
        return
    flat = np.concatenate([np.ravel(g) for g in gradient])
    if case["op"] in VECTOR and len(expected) == 1 and len(flat) > 1:
        assert math.isnan(expected[0])
        assert np.isnan(flat).any()
        return
    for actual, wanted in zip(flat, expected, strict=False):
        if wanted is not None:
            assert close(actual, wanted, 8, dtype), (actual, wanted)


@pytest.mark.parametrize("case", [c for c in PLAIN if c["dtype"] == "float64"], ids=ids)
def test_float64(case):
    f, inputs, wrt, values = built(case)
    fn = sg.compile(f, wrt=wrt, inputs=inputs)
    value, gradient = fn.value_and_grad(*values)
    if case["value_f64"] is not None and case["value_f64"] != "ValueError":
        assert close(value, float(case["value_f64"]), 8), (value, case["value_f64"])
    check_gradient(case, gradient, np.float64)


def exact_in_float32(case, values):
    flat = np.concatenate([np.ravel(v) for v in values])
    with np.errstate(all="ignore"):
        same = flat.astype(np.float32).astype(np.float64)
    return bool(np.all((same == flat) | np.isnan(flat)))


@pytest.mark.parametrize("case", PLAIN, ids=ids)
def test_float32_agrees_with_float64(case):
    """float32 at float32 inputs is the rounded float64 answer (where that one is known by the test above)."""
    f, inputs, wrt, values = built(case)
    with np.errstate(all="ignore"):
        values = [np.asarray(v, np.float32).astype(np.float64) for v in values]
    if not exact_in_float32(case, [np.asarray(float(v)) if np.ndim(v) == 0 else v for v in values]):
        values = [np.asarray(v) for v in values]
    double = sg.compile(f, wrt=wrt, inputs=inputs).value_and_grad(*values)
    single = sg.compile(f, wrt=wrt, inputs=inputs, dtype="float32").value_and_grad(*values)
    with np.errstate(all="ignore"):
        assert close(single[0], np.float32(double[0]), 16, np.float32), (single, double)
        for a, b in zip(single[1], double[1], strict=True):
            assert close(a, np.asarray(b).astype(np.float32), 64, np.float32), (single, double)


def nth(f, x, order):
    for _ in range(order):
        f = sg.grad(f, x)
    return f


@pytest.mark.parametrize("case", [c for c in CASES if c["id"] in (50, 51, 52, 93, 94, 95, 96, 216)], ids=ids)
def test_higher_orders(case):
    x = sg.symbol("x")
    f, orders = {
        "sinc_pi": (sg.sinc, (case["id"] - 48,)),
        "softplus": (lambda x: sg.log(1 + sg.exp(x)), (2, 3)),
        "reciprocal": (lambda x: 1 / x, (6,)),
    }[case["op"]]
    stated = case["recommended_f64"]
    for order, expected in zip(orders, stated if isinstance(stated, list) else [stated], strict=True):
        assert close(sg.compile(nth(f(x), x, order))(float(case["inputs"]["x"])), float(expected), 16)


def test_hessian_of_power_at_exponent_zero():
    x, y = sg.symbols("x y")
    H = sg.compile([h for row in sg.hessian(x**y, [x, y]) for h in row])(4.0, 0.0)
    assert close(H, [0.0, 0.25, 0.25, math.log(4.0) ** 2], 8)


def test_integers_are_promoted():
    x = sg.input("x", (), dtype="int")
    assert sg.compile(x**-1)(2) == 0.5
    y = sg.symbol("y")
    assert sg.compile(1 / y, wrt=y).value_and_grad(2) == (0.5, -0.25)


def test_xlogy_of_zero_and_nan():
    x, y = sg.symbols("x y")
    value, gradient = sg.compile(sg.xlogy(x, y), wrt=[x, y]).value_and_grad(0.0, math.nan)
    assert math.isnan(value)
    assert all(map(math.isnan, gradient))


@pytest.mark.parametrize("function", [sg.softmax, sg.log_softmax])
def test_softmax_of_large_logits(function):
    v = sg.parameter("v", (3,))
    p = np.array([1.0, 0.0, 0.0])
    log = function is sg.log_softmax
    y, J = sg.compile([function(v), sg.jacobian(function(v), v)])([1000.0, 0.0, -1000.0])
    assert np.allclose(y, [0, -1000, -2000] if log else p, rtol=0, atol=0)
    assert np.allclose(J, np.eye(3) - p if log else 0.0, rtol=0, atol=0)


def test_empty_axes():
    v = sg.parameter("v", ("n",))
    empty = np.zeros(0)
    assert math.isnan(sg.compile(sg.mean(v), wrt=v)(empty))
    with pytest.raises(ValueError, match="empty"):
        sg.compile(sg.max(v), wrt=v)(empty)
    assert sg.compile(sg.softmax(v))(empty).shape == (0,)
    assert sg.compile(sg.sum(v), wrt=v).grad(empty).shape == (0,)


def test_sum_of_a_million_in_float32():
    v = sg.parameter("v", ("n",))
    fn = sg.compile(sg.sum(v), wrt=v, dtype="float32")
    value, gradient = fn.value_and_grad(np.full(1_000_000, 1 / 255, np.float32))
    exact = 1_000_000 * float(np.float32(1 / 255))
    assert abs(value - exact) <= 1e-6 * exact
    assert gradient.dtype == np.float32
    assert np.all(gradient == 1)


def test_broadcast_gradients_have_the_variables_shape():
    x, y = sg.parameter("x", (1, 5)), sg.parameter("y", (5, 5))
    gx, gy = sg.compile(sg.sum(x + y), wrt=[x, y]).grad(np.ones((1, 5)), np.ones((5, 5)))
    assert gx.shape == (1, 5)
    assert np.all(gx == 5)
    assert np.all(gy == 1)
    a, b = sg.parameter("a"), sg.parameter("b", (5, 4))
    ga, _ = sg.compile(sg.sum(a * b), wrt=[a, b]).grad(2.0, np.arange(20.0).reshape(5, 4))
    assert ga == 190.0


def test_second_derivative_of_x_abs_x():
    x = sg.symbol("x")
    assert sg.compile(nth(x * abs(x), x, 2))(0.0) == 0.0


def test_three_spellings_of_relu_agree():
    x = sg.symbol("x")
    at = [-1.0, -0.0, 0.0, 2.0, math.nan, math.inf]
    spellings = [sg.relu(x), sg.maximum(x, 0), sg.maximum(0, x), sg.from_sympy(sp.Max(0, sp.Symbol("x", real=True)))]
    results = [sg.compile(f).value_and_grad(np.array(at)) for f in spellings]
    for value, (gradient,) in results[1:]:
        assert np.array_equal(value, results[0][0], equal_nan=True)
        assert np.array_equal(gradient, results[0][1][0], equal_nan=True)
