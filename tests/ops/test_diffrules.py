"""124 scalar derivative rules (tests/facts/diffrules.json: DiffRules.jl's list, values by mpmath to 25 digits).

Rules in functions that symgrad has: the value and every partial agree to 20 digits. The others are refused by name.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import sympy as sp

from symgrad.errors import UnsupportedError
from symgrad.ir.node import Node, Variable, as_node, build, constant
from symgrad.ir.types import real
from symgrad.ops.leaf import variable
from symgrad.ops.symbolic import to_node
from tests.ops.calculus import digits, slope

RULES = json.loads((Path(__file__).parents[1] / "facts" / "diffrules.json").read_text())["rules"]
x = sp.Symbol("x")

ROW = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh"}
ROW |= {"atan2": "arctan2", "logistic": "sigmoid", "max": "maximum", "min": "minimum"}
PLAIN = (
    "sqrt",
    "cbrt",
    "log",
    "log1p",
    "exp",
    "expm1",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "sinc",
    "abs",
    "floor",
    "trunc",
    "erf",
    "erfc",
    "digamma",
    "hypot",
)
ROW |= {name: name for name in PLAIN}
REWRITTEN = {
    name: getattr(sp, name)
    for name in ("sec", "csc", "cot", "asec", "acsc", "acot", "sech", "csch", "coth", "asech", "acsch", "acoth")
}
# What API.md does not list, as SymPy spells it
REFUSED = {
    "gamma": sp.gamma(x),
    "erfinv": sp.erfinv(x),
    "erfcinv": sp.erfcinv(x),
    "erfi": sp.erfi(x),
    "airyai": sp.airyai(x),
    "airyaip": sp.airyaiprime(x),
    "airybi": sp.airybi(x),
    "airybip": sp.airybiprime(x),
    "besselj": sp.besselj(2, x),
    "bessely": sp.bessely(2, x),
    "besseli": sp.besseli(2, x),
    "besselk": sp.besselk(2, x),
    "Si": sp.Si(x),
    "Ci": sp.Ci(x),
    "ellipk": sp.elliptic_k(x),
    "ellipe": sp.elliptic_e(x),
    "E1": sp.expint(1, x),
    "expint": sp.expint(2, x),
    "zeta": sp.zeta(2, x),
    "beta": sp.beta(x, 2),
}
UNKNOWN_TO_SYMPY = {"erfcx", "dawson", "invdigamma"}


def rewritten(name: str) -> Callable[[Node], Node]:
    return lambda node: to_node(REWRITTEN[name](x), {x: node})


CALLS: dict[str, Callable[..., Node]] = {theirs: (lambda *xs, n=ours: build(n, *xs)) for theirs, ours in ROW.items()}
CALLS |= {name: rewritten(name) for name in REWRITTEN}
CALLS |= {"mpf": lambda v: v, "trigamma": lambda v: build("polygamma", v, order=1)}
OPERATORS: dict[type, Callable[..., Node]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b, ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b, ast.USub: lambda a: -a, ast.UAdd: lambda a: a,
}  # fmt: skip


def read(tree: ast.expr, env: dict[str, Node]) -> Node:
    """A formula of the table as nodes; KeyError where it holds a function that symgrad has not."""
    if isinstance(tree, ast.Constant):
        return as_node(float(tree.value))
    if isinstance(tree, ast.Name):
        return env[tree.id]
    if isinstance(tree, ast.BinOp):
        return OPERATORS[type(tree.op)](read(tree.left, env), read(tree.right, env))
    if isinstance(tree, ast.UnaryOp):
        return OPERATORS[type(tree.op)](read(tree.operand, env))
    assert isinstance(tree, ast.Call)
    assert isinstance(tree.func, ast.Name)
    if tree.func.id == "polygamma":
        return build("polygamma", read(tree.args[1], env), order=int(env["order"]["value"]))
    return CALLS[tree.func.id](*(read(a, env) for a in tree.args))


def functions(rule: dict) -> set[str]:
    return {n.func.id for n in ast.walk(ast.parse(rule["f"], mode="eval")) if isinstance(n, ast.Call)}


def is_known(rule: dict) -> bool:
    return rule["name"] == "lgamma" or functions(rule) <= {*CALLS, "polygamma"}


KNOWN = [r for r in RULES if is_known(r)]
OTHERS = [r for r in RULES if not is_known(r)]


def value_node(rule: dict, env: dict[str, Node]) -> Node:
    if rule["name"] == "lgamma":  # stated as log(abs(gamma(x)))
        return build("lgamma", env["x"])
    return read(ast.parse(rule["f"], mode="eval").body, env)


def agree(value: sp.Expr, text: str) -> bool:
    truth = sp.Float(text, 40)
    return abs(value - truth) <= sp.Float("1e-20") * max(abs(truth), sp.Float("1e-5"))


@pytest.mark.parametrize("rule", KNOWN, ids=[r["name"] for r in KNOWN])
def test_value_and_partials_agree_to_20_digits(rule: dict) -> None:
    for sample in rule["reference_values"]:
        xs = {name: variable(Variable(name, "symbol"), real()) for name in rule["args"]}
        env = {**xs, "pi": constant(math.pi)}
        if rule["name"] == "polygamma":
            env["order"] = constant(float(sample["at"][0]))
        f = value_node(rule, env)
        at = {xs[name]: text for name, text in zip(rule["args"], sample["at"], strict=True)}
        assert agree(digits(f, at, 40), sample["f"]), sample
        for name, truth in zip(rule["args"], sample["df"], strict=True):
            if truth is not None:
                assert agree(digits(slope(f, xs[name]), at, 40), truth), (name, sample)


@pytest.mark.parametrize("name", REFUSED)
def test_other_functions_are_refused_by_name(name: str) -> None:
    expr = REFUSED[name]
    with pytest.raises(UnsupportedError, match=type(expr).__name__):
        to_node(expr + 1, {x: variable(Variable("x", "symbol"), real())})


def test_every_rule_is_known_or_refused() -> None:
    for rule in OTHERS:
        assert functions(rule) & {*REFUSED, *UNKNOWN_TO_SYMPY}, rule["name"]
    assert len(KNOWN) > 80
