"""Simplification keeps values, fires where it should, ends, and leaves alone what it must."""

from __future__ import annotations

import random

import numpy as np
import pytest
import sympy as sp

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.show import label
from symgrad.ir.types import named, real
from symgrad.ir.walk import topological, variables
from symgrad.ops.contract import matmul
from symgrad.ops.leaf import size, variable
from symgrad.passes.differentiate import gradient
from symgrad.passes.eliminate import eliminate
from symgrad.passes.simplify import RULES, simplify
from tests.lower.graphs import Grower
from tests.passes.exact_values import at, exact
from tests.passes.examples import SIMPLIFY, Example, b, f, fired, x, y, z

EXAMPLES = pytest.mark.parametrize(("name", "example"), SIMPLIFY.items(), ids=list(SIMPLIFY))


def filled(output: Node, seed: int) -> dict[Node, np.ndarray]:
    draw = np.random.default_rng(seed)
    return {
        n: draw.normal(size=n.shape) if n.dtype == "real" else draw.integers(0, 3, n.shape) for n in variables([output])
    }


def test_every_rule_has_one_name_and_an_example() -> None:
    assert sorted(rule.name for rule in RULES) == sorted(SIMPLIFY)
    assert len(SIMPLIFY) == len(RULES)


@EXAMPLES
def test_rule_fires(name: str, example: Example) -> None:
    names, new = fired(simplify, example.formula)
    assert name in names
    assert new is not example.formula


@EXAMPLES
def test_rule_keeps_the_value(name: str, example: Example) -> None:
    new = simplify([example.formula])[example.formula]
    assert new.type == example.formula.type
    for seed in range(3):
        given = filled(example.formula, seed)
        before, after = evaluate([example.formula], given)[0], evaluate([new], given)[0]
        terms = (
            sum(np.abs(g).sum() for g in given.values()) if name.startswith("sum") else 0.0
        )  # another order of 12 terms
        np.testing.assert_allclose(
            np.broadcast_to(after, np.shape(before)), before, rtol=4e-16, atol=12 * 2.0**-53 * terms
        )


def random_formula(seed: int, steps: int = 40) -> Node:
    """Sums, products, powers and choices of x, y, z and numbers of all kinds."""
    draw = random.Random(seed)
    pool: list[Node] = [x, y, z, *(constant(c) for c in (0.0, 1.0, -1.0, 2.0, 0.5, 0.1, 3.0, -4.0))]
    for _ in range(steps):
        name = draw.choice(
            ["add", "sub", "mul", "neg", "square", "abs", "maximum", "minimum", "where", "power", "zmul", "half"]
        )
        p, q = draw.choice(pool), draw.choice(pool[-8:])
        if name == "where":
            pool.append(build("where", p < q, p, q))
        elif name == "power":
            pool.append(
                build("power", build("abs", p) + 1.0, constant(draw.choice([0.0, 1.0, 2.0, 0.5, -1.0, -2.0, 1.5])))
            )
        elif name == "half":
            pool.append(p / constant(draw.choice([2.0, 0.25, 3.0, -1.0, 1.0])))
        else:
            pool.append(build(name, *((p, q) if build_arity(name) == 2 else (p,))))
    return pool[-1] + pool[-2]


def build_arity(name: str) -> int:
    return 1 if name in ("neg", "square", "abs") else 2


@pytest.mark.parametrize("seed", range(30))
def test_random_formulas_are_equal_to_sixty_digits(seed: int) -> None:
    formula = random_formula(seed)
    new = simplify([formula])[formula]
    for point in ((0.7, -1.3, 2.5), (-0.2, 0.4, 1.1)):
        before = exact(formula, at(formula, point))
        after = exact(new, at(formula, point))
        assert abs(after - before) <= sp.Float("1e-45") * max(1, abs(before))


@pytest.mark.parametrize("seed", range(8))
def test_random_tensor_graphs_keep_their_values(seed: int) -> None:
    grower = Grower(seed, {"n": 3, "m": 4, "k": 2})
    grower.grow(25)
    outputs = [n for n in grower.pool if n.dtype == "real"][-6:]
    new = simplify(outputs)
    for before, after in zip(
        evaluate(outputs, grower.inputs), evaluate([new[n] for n in outputs], grower.inputs), strict=True
    ):
        assert np.shape(after) == np.shape(before)
        scale = np.abs(before[np.isfinite(before)]).max(initial=1.0)
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-12 * scale)


@pytest.mark.parametrize("seed", range(20))
def test_simplify_is_idempotent(seed: int) -> None:
    formula = random_formula(seed)
    new = simplify([formula, *gradient(formula, [x, y, z])])
    once = list(new.values())
    assert all(again is node for node, again in simplify(once).items() if node in once)


@pytest.mark.parametrize("formula", [x - x, 0.0 * x, x / x, x * constant(np.nan), x + constant(np.inf)], ids=label)
def test_what_is_nan_somewhere_stays(formula: Node) -> None:
    new = simplify([formula])[formula]
    for value in (np.nan, np.inf, 0.0, 2.0):
        np.testing.assert_array_equal(evaluate([new], {x: value})[0], evaluate([formula], {x: value})[0])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0])
@pytest.mark.parametrize("name", ["relu", "leaky relu", "clip", "x^c", "a (-b) = -(a b)", "max(x, x) = x"])
def test_rules_agree_at_infinities_and_nan(name: str, value: float) -> None:
    formula = SIMPLIFY[name].formula
    given = dict.fromkeys(variables([formula]), value)
    new = simplify([formula])[formula]
    np.testing.assert_array_equal(evaluate([new], given)[0], evaluate([formula], given)[0])


def shown(output: Node) -> str:
    return label(output)


def test_a_named_constant_is_not_folded_away() -> None:
    formula = constant(np.pi) * 2.0 * x
    assert np.pi in [n["value"] for n in topological([simplify([formula])[formula]]) if n.op.name == "constant"]


def test_the_squared_error_has_the_gradient_that_a_person_writes() -> None:
    n, m = named("n"), 3
    a2, W2 = variable(Variable("a2", "input"), real(n, m)), variable(Variable("W2", "parameter"), real(m, 1))
    target = variable(Variable("y", "input"), real(n, 1))
    z3 = matmul(a2, W2)
    J = build("sum", (target - build("sigmoid", z3)) ** constant(2.0), axes=(0, 1)) / 2.0
    z3_bar, W2_bar = gradient(J, [z3, W2])
    new = simplify([z3_bar, W2_bar])
    error = target - build("sigmoid", z3)
    assert new[z3_bar] is -(error * build("sigmoid_slope", z3))
    assert new[W2_bar] is build("einsum", a2, new[z3_bar], spec="ij,ik->jk")


def test_the_cross_entropy_has_the_gradient_p_minus_y() -> None:
    n = named("n")
    logits, target = (variable(Variable(name, "input"), real(n, 4)) for name in ("z", "y"))
    J = -build("sum", target * build("log_softmax", logits, axes=(1,)), axes=(0, 1))
    (z_bar,) = gradient(J, [logits])
    new = simplify([z_bar])[z_bar]
    total = build("reshape", build("sum", target, axes=(1,)), shape=(n, 1))
    assert new is build("softmax", logits, axes=(1,)) * total - target


def test_a_mean_keeps_its_size_symbolic() -> None:
    n = named("n")
    v = variable(Variable("v", "input"), real(n))
    J = build("sum", v * v, axes=(0,)) / size(n)
    (v_bar,) = gradient(J, [v])
    new = simplify([v_bar])[v_bar]
    np.testing.assert_allclose(evaluate([new], {v: np.arange(5.0)})[0], 2 * np.arange(5.0) / 5)


def test_twenty_thousand_nested_sums_take_a_few_steps_each() -> None:
    formula, firings = x, []
    for _ in range(20_000):
        formula = formula * 1.0 + y
    simplify([formula], lambda rule, before, after: firings.append(rule))
    assert len(firings) == 20_000


def test_a_boolean_is_not_a_number() -> None:
    formula = f("where", f("logical_not", f("logical_not", b)), x, y)
    assert simplify([formula])[formula] is f("where", b, x, y)


def test_eliminate_shares_the_order_seen_first() -> None:
    formula = (y + x) * f("sin", x + y) + (x * y) * f("cos", y * x)
    new = eliminate([formula])
    assert new[x + y] is y + x
    assert new[y * x] is x * y
    again = eliminate(list(new.values()))
    assert all(again[n] is n for n in new.values())


def test_eliminate_keeps_what_does_not_commute() -> None:
    formula = (x - y) * (y - x) + x / y * (y / x)
    assert eliminate([formula])[formula] is formula
