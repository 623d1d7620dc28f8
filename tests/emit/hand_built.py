"""Hand-built Programs, one a shape of code, each with inputs to run it on."""

from __future__ import annotations

import numpy as np

from symgrad.ir.expression import apply, call, const, fma, load, select, var
from symgrad.ir.program import (
    Accumulate,
    Allocate,
    Assign,
    Call,
    Exit,
    Function,
    If,
    Loop,
    Parameter,
    Program,
    Return,
    Store,
)


def integer(value):
    return const(value, "i64")


def size(buffer, axis):
    return var(f"{buffer}.shape[{axis}]", "i64")


def bell(dtype):
    """A stand-in for an elementary function: basis operations only, 1/(1 + x^2)."""
    x = var("x", dtype)
    body = (Assign("y", 1.0 / fma(x, x, 1.0)), Return((var("y", dtype),)))
    return Function("bell", (Parameter("x", dtype),), body, "1/(1 + x^2)")


def scalar(dtype="f64"):
    """J = (bell(w x + b) - y)^2 / 2, forward, backward and joint."""

    def v(name):
        return var(name, dtype)

    inputs = tuple(Parameter(n, dtype) for n in ("w", "b", "x", "y"))
    primal = (
        Assign("z", fma(v("w"), v("x"), v("b")), node=1),
        Assign("a", call("bell", (v("z"),), dtype), node=2),
        Assign("e", v("a") - v("y"), node=3),
        Assign("J", v("e") * v("e") * 0.5, node=4),
    )
    pull = (
        Assign("e_bar", v("J_bar") * v("e"), "J = e*e/2", 5),
        Assign("z_bar", v("e_bar") * (-2.0 * v("z")) * v("a") * v("a"), "a = bell(z)", 6),
    )
    gradients = (v("z_bar") * v("x"), v("z_bar"))
    seed = (Assign("J_bar", const(1.0, dtype)),)
    residuals = tuple(Parameter(n, dtype) for n in ("x", "z", "a", "e", "J_bar"))
    return Program(
        (
            bell(dtype),
            Function("forward", inputs, (*primal, Return(("J", ("z", "a", "e"))))),
            Function("backward", residuals, (*pull, Return((gradients,)))),
            Function("value_and_grad", inputs, (*primal, *seed, *pull, Return(("J", gradients)))),
        ),
        ("forward", "backward", "value_and_grad"),
        dtype,
    )


def loop(dtype="f64"):
    """s = sum of select(x < 0, -x/scale[i % 2], x)^2 with its gradient, in a loop, and every other statement."""

    def v(name):
        return var(name, dtype)

    n, i = var("n", "i64"), var("i", "i64")
    x = load("x", (i,), dtype)
    body = (
        Assign("n", size("x", 0)),
        If(apply("eq", n, 0), (Exit("value", 'x is empty: "n" must be 1 or more'),)),
        Allocate("x_bar", (n,), dtype, 0.0, "the gradient"),
        Assign("s", const(0.0, dtype)),
        Assign("seen", const(False, "bool")),
        Loop(
            "i",
            integer(0),
            n,
            (
                If(apply("eq", i % 7, 6), (), (Accumulate("seen", None, "or", x < 0.0),)),
                Assign("u", select(x < 0.0, -x / load("SCALE", (i % 2,), dtype), x), node=7),
                Accumulate("s", None, "add", v("u") * v("u"), "s = sum(u*u)", 8),
                Store("x_bar", (i,), 2.0 * v("u") * select(x < 0.0, -1.0 / load("SCALE", (i % 2,), dtype), v("one"))),
                Accumulate("x_bar", (i,), "add", v("u") / apply("to_real", i + 1) if dtype == "f64" else v("u")),
            ),
        ),
        If(
            v("s") < 0.0,
            (Exit("index", "out of range"),),
            (If(v("s") > 1e30, (Assign("s", const(float("inf"), dtype)),), (Accumulate("s", None, "mul", v("one")),)),),
        ),
        Return(("s", ("x_bar",), "seen")),
    )
    kind = {"f64": np.float64, "f32": np.float32}[dtype]
    function = Function("value", (Parameter("x", dtype, 1), Parameter("one", dtype)), body, "The sum.")
    return Program((function,), ("value",), dtype, (("SCALE", np.array([0.1, 3.0], kind)),))


def matmul(dtype="f64"):
    """Y = X W, J = sum(Y^2)/2, W_bar = X^T Y."""

    def v(name):
        return var(name, dtype)

    k, total = var("k", "i64"), var("total", "i64")
    x, w = Parameter("X", dtype, 2), Parameter("W", dtype, 2)
    product = (
        Allocate("Y", (size("X", 0), size("W", 1)), dtype),
        Call("dot", ("X", "W", "Y"), "Y = X W", 11),
    )
    half = (
        Call("flat", ("Y", "y")),
        Assign("total", size("Y", 0) * size("Y", 1)),
        Assign("J", const(0.0, dtype)),
        Loop("k", integer(0), total, (Accumulate("J", None, "add", load("y", (k,), dtype) * load("y", (k,), dtype)),)),
        Accumulate("J", None, "mul", const(0.5, dtype)),
    )
    pull = (
        Allocate("W_bar", (size("W", 0), size("W", 1)), dtype),
        Call("dot", ("T:X", "Y", "W_bar"), "Y = X W", 12),
    )
    return Program(
        (
            Function("value_and_grad", (x, w), (*product, *half, *pull, Return(("J", "W_bar")))),
            Function("forward", (x, w), (*product, *half, Return(("J", ("Y",))))),
            Function(
                "backward",
                (x, w, Parameter("Y", dtype, 2), Parameter("J_bar", dtype)),
                (
                    *pull,
                    Assign("total", size("W", 0) * size("W", 1)),
                    Call("flat", ("W_bar", "rows")),
                    Loop("k", integer(0), total, (Accumulate("rows", (k,), "mul", v("J_bar")),)),
                    Return(("W_bar",)),
                ),
            ),
        ),
        ("forward", "backward", "value_and_grad"),
        dtype,
    )


def straight(lines):
    """A function of that many assignments, each reading the two before it."""
    body = [Assign("t0", var("x", "f64")), Assign("t1", var("x", "f64") * 0.5)]
    for n in range(2, lines):
        body.append(Assign(f"t{n}", fma(var(f"t{n - 1}", "f64"), 0.5, var(f"t{n - 2}", "f64")), node=n))
    body.append(Return((var(f"t{lines - 1}", "f64"),)))
    return Program((Function("value", (Parameter("x", "f64"),), tuple(body)),), ("value",))
