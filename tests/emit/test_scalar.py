"""Expressions as text: few parentheses, the meaning kept, types kept, any depth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.emit.scalar import is_straight, literal, text
from symgrad.ir.expression import apply, call, const, fma, load, select, var
from symgrad.ir.program import Assign, Function, If, Parameter, Return

X, Y, K, N = var("x", "f64"), var("y", "f64"), var("k", "i64"), var("n", "i32")
S = var("s", "f32")
P, Q = var("p", "bool"), var("q", "bool")


@pytest.mark.parametrize(
    ("expr", "printed"),
    [
        (1 / (1 + call("exp", (-X,), "f64")), "1.0 / (1.0 + exp(-x))"),
        (X - (Y - 1.0), "x - (y - 1.0)"),
        (X - Y - 1.0, "x - y - 1.0"),
        (X / (Y * 2.0), "x / (y * 2.0)"),
        (-(X + Y), "-(x + y)"),
        (-X * Y, "-x * y"),
        (apply("neg", -X), "-(-x)"),
        (X + -1.5, "x + -1.5"),
        (abs(X - Y), "abs(x - y)"),
        (fma(X, Y, 1.0), "fma(x, y, 1.0)"),
        (select(X < Y, X, 0.0), "select(x < y, x, 0.0)"),
        (apply("sqrt", X), "np.sqrt(x)"),
        (apply("floor", X), "np.floor(x)"),
        (apply("copysign", X, Y), "np.copysign(x, y)"),
        (apply("bits", X), "f64(x).view(i64)"),
        (apply("from_bits", K + 1), "i64(k + 1).view(f64)"),
        (apply("from_bits", N << 23), "i32(n << 23).view(f32)"),
        (apply("to_real", N), "f32(n)"),
        (apply("to_int", X), "i64(x)"),
        (apply("widen", S), "f64(s)"),
        (apply("narrow", X), "f32(x)"),
        (S * 0.1, "s * f32(0.1)"),
        (N + 1, "i32(n + 1)"),
        (-N, "i32(-n)"),
        (apply("eq", N & 1, 0), "i32(n & 1) == 0"),
        (apply("eq", K & 1, 0), "(k & 1) == 0"),
        ((K - 1) << 2, "(k - 1) << 2"),
        ((X < 1.0) & (Y > 2.0), "(x < 1.0) & (y > 2.0)"),
        (P & Q | ~P, "(p & q) | (not p)"),
        (~(X < 1.0), "not x < 1.0"),
        (apply("eq", X < 1.0, Y < 1.0), "(x < 1.0) == (y < 1.0)"),
        (load("a", (K, K + 1), "f64") * 2.0, "a[k, k + 1] * 2.0"),
        (load("loss", (), "f64"), "loss[()]"),
        (const(math.inf, "f64"), "math.inf"),
        (const(math.nan, "f32"), "f32(math.nan)"),
        (const(True, "bool"), "True"),
    ],
)
def test_text(expr, printed):
    assert text(expr) == printed


def test_deep_trees_print():
    expr = X
    for _ in range(20_000):
        expr = 1.0 - expr
    assert text(expr).count("(") == 19_999


@given(st.floats(width=32))
def test_float32_literals_are_read_back_to_the_bit(value):
    printed = literal(value, "f32")
    inner = printed.removeprefix("f32(").removesuffix(")")
    read = np.float32({"math.inf": math.inf, "-math.inf": -math.inf, "math.nan": math.nan}.get(inner) or float(inner))
    assert read.tobytes() == np.float32(value).tobytes() or math.isnan(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float64_literals_are_read_back_to_the_bit(value):
    assert np.float64(literal(value, "f64")).tobytes() == np.float64(value).tobytes()


LEAVES = {"a": 3, "b": -7, "c": 5}
OPERATORS = ["add", "sub", "mul", "shl", "shr", "iand", "ior", "ixor"]


@st.composite
def trees(draw):
    stack = [var(name, "i64") for name in draw(st.lists(st.sampled_from(list(LEAVES)), min_size=2, max_size=7))]
    while len(stack) > 1:
        op, at = draw(st.sampled_from(OPERATORS)), draw(st.integers(0, len(stack) - 2))
        left, right = stack[at : at + 2]
        right = right & 3 if op in ("shl", "shr") else right
        stack[at : at + 2] = [-apply(op, left, right) if draw(st.booleans()) else apply(op, left, right)]
    return stack[0]


MEANING = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "shl": lambda a, b: a << b,
    "shr": lambda a, b: a >> b, "iand": lambda a, b: a & b, "ior": lambda a, b: a | b, "ixor": lambda a, b: a ^ b,
    "neg": lambda a: -a,
}  # fmt: skip


def meaning(expr):
    if expr.op in ("var", "const"):
        return LEAVES[expr.value] if expr.op == "var" else expr.value
    return MEANING[expr.op](*(meaning(arg) for arg in expr.args))


@given(trees())
def test_parentheses_keep_the_meaning(expr):
    assert eval(text(expr), {}, LEAVES) == meaning(expr)


def test_only_straight_functions_are_inlined():
    x = Parameter("x", "f64")
    assert is_straight(Function("f", (x,), (Assign("y", X + 1.0), Return((Y,)))))
    assert not is_straight(Function("f", (x,), (If(X < 0.0, (Return((X,)),)), Return((X,)))))
    assert not is_straight(Function("f", (x,), (Return((call("math.sin", (X,), "f64"),)),)))
