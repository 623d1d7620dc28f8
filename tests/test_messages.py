"""What symgrad says to a person who writes what one might: the whole message as a golden text."""

import math
from decimal import Decimal

import numpy as np
import pytest
import sympy as sp

import symgrad as sg

x, y = sg.symbols("x y")
u, v = sp.symbols("u v")
V, X = sg.input("V", (3,)), sg.input("X", ("n", 3))
k = sg.input("k", (2,), dtype="int")
fn, of_vector = sg.compile(x * y), sg.compile(sg.sum(V))
two = sg.compile(sg.sum(V * X) + x, wrt=[V, x])

CASES = {
    "compile: nothing": lambda: sg.compile(None),
    "compile: a function": lambda: sg.compile(lambda t: t),
    "compile: a set": lambda: sg.compile({u, v}),
    "compile: nested dict": lambda: sg.compile({"a": u, "b": {"c": v}}),
    "compile: size of no input": lambda: sg.compile(x * X.shape[0]),
    "wrt: names in one text": lambda: sg.compile(u * v, wrt="u,v"),
    "wrt: near name": lambda: sg.compile(V[0] * x, wrt="V1"),
    "wrt: a set": lambda: sg.compile(u * v, wrt={u, v}),
    "operand: a Decimal": lambda: x * Decimal("0.1"),
    "operand: a generator": lambda: sg.sum(i for i in [1, 2]),
    "clip without bounds": lambda: sg.clip(V),
    "dtype": lambda: sg.input("X", (2,), dtype=np.float32),
    "dtype: Python's": lambda: sg.input("X", (2,), dtype=bool),
    "call: a Decimal": lambda: fn(Decimal(1), 1),
    "call: a generator": lambda: of_vector(i for i in range(3)),
    "call: too long a float": lambda: of_vector(np.ones(3, np.longdouble)),
    "call: not whole": lambda: sg.compile(k * 2)([1.0, 2.5]),
    "call: a whole number": lambda: sg.compile(sg.input("m", (), dtype="int") * 2)(2.5),
    "call: text in a list": lambda: of_vector(["a"] * 3),
    "call: arrays that do not broadcast": lambda: fn([1, 2], [1, 2, 3]),
    "evaluate: size of no value": lambda: sg.evaluate(x * X.shape[0], x=1.0),
    "elementwise: NumPy inside": lambda: sg.elementwise(lambda t: math.sin(t), V),
    "elementwise: an expression": lambda: sg.elementwise(sp.sin(u), x),
    "elementwise: arguments": lambda: sg.elementwise(lambda a: a, V, x),
    "SymPy: not worked out": lambda: sg.compile(sp.Derivative(sp.sin(u), u)),
    "SymPy: no rule": lambda: sg.compile(sp.zeta(u)),
    "to_sympy: named sizes": lambda: sg.to_sympy(X * 2),
    "as_scipy: fixed variable": lambda: two.as_scipy(X=np.ones((2, 3)), x=1.0),
    "jvp: vectors": lambda: sg.jvp(V * x, [V, x], [np.ones(3)]),
    "check_formula: arguments": lambda: sg.check_formula("x*y", "x", lambda q: q),
    "check_formula: no numbers": lambda: sg.check_formula("x*y", "x", lambda x, y: None),
}


@pytest.mark.parametrize("name", CASES)
def test_message(name, snapshot):
    with pytest.raises(sg.SymgradError) as found:
        CASES[name]()
    error = found.value
    text = f"{type(error).__name__}: {type(error)(error.summary, *error.facts, fix=error.fix, at='line')}"
    assert text == snapshot


def test_what_is_taken():
    assert sg.compile([u, [v, u * v]])(1.0, 2.0)[1].tolist() == [2.0, 2.0]
    assert repr(two.as_scipy(X=np.ones((2, 3)))) == "Problem(4 unknowns: V (3,), x (); X fixed)"


@pytest.mark.parametrize("bounds", [(None, 1.0), (0.0, None), (0.0, 1.0)])
def test_the_slope_of_clip_is_0_at_a_bound_also_where_the_other_is_none(bounds):
    slope = sg.compile(sg.clip(x, *bounds), wrt=x)
    for bound in (b for b in bounds if b is not None):
        assert slope.value_and_grad(bound) == (bound, 0.0)
    assert slope.grad(0.5) == 1.0
    assert sg.evaluate(sg.clip(k, *bounds), k=[-3, 3]).tolist() == np.clip([-3, 3], *bounds).tolist()
