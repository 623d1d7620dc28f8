"""Every rule at special points: zeros, infinities, NaN, the ends of the range, and where exponentials overflow.

The rules are taken from the tables themselves, so that one without examples fails; what is right is decided by exact
arithmetic (``verdict``). A rule whose note says "the sign of 0 apart" may give an infinity the other sign at -0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Node
from symgrad.ir.show import label
from symgrad.ir.walk import topological, variables
from symgrad.passes import rules_diagonal, rules_kink
from symgrad.passes.differentiate import gradient
from symgrad.passes.rewrite import Rule, rewrite
from symgrad.passes.rules_removable import VALUE_RULES
from symgrad.passes.simplify import RULES as SIMPLIFY_RULES
from symgrad.passes.simplify import simplify
from symgrad.passes.stabilise import RULES as STABILISE_RULES
from symgrad.passes.stabilise import stabilise
from tests.passes import special_examples
from tests.passes.examples import c, e, f, x, y
from tests.passes.extended import number, value
from tests.passes.special_tensors import SOFTMAX, TENSORS, filled
from tests.passes.verdict import slope_verdict, verdict


def value_forms(outputs: Sequence[Node], watch: Callable | None = None) -> dict[Node, Node]:
    return rewrite(outputs, VALUE_RULES, watch)


TABLES = [
    (SIMPLIFY_RULES, special_examples.SIMPLIFY, simplify),
    (STABILISE_RULES, special_examples.STABILISE, stabilise),
    (VALUE_RULES, special_examples.VALUES, value_forms),
]
SCALAR = [(name, run) for _, examples, run in TABLES for name in examples]
EACH_RULE = pytest.mark.parametrize(("name", "run"), SCALAR, ids=[name for name, _ in SCALAR])
RULE: dict[str, Rule] = {rule.name: rule for rules, _, _ in TABLES for rule in rules}
EXAMPLES = {name: formulas for _, examples, _ in TABLES for name, formulas in examples.items()}

_SIZES = (1.0, 1e200, 1e-200, 1e308, 1e-308, 5e-324, 800.0)
SPECIAL = [*(s * v for v in (0.0, math.inf, *_SIZES) for s in (1.0, -1.0)), math.nan, 0.7, -2.5, 3.0]
_MORE = (1e-8, 0.5, 2.0, 30.0, 709.5, 745.0, 1e16, 1e-16, 1e103, 1e-103, 1e155, 1e-155, 1e160, 1e-160)
ALONE = [*SPECIAL, *(s * v for v in _MORE for s in (1.0, -1.0))]  # of formulas of one variable
INSIDE = [v for v in SPECIAL if math.isfinite(v) and not 0 < abs(v) < 1e-307]


KINKED = ("leaky relu", "max(0, x) + ln(1 + e^-|x|)")  # as written they have another slope at 0: see KNOWN
TIED = {rule.name for rule in rules_kink.RULES}  # their aim is another slope at ties, see tests/numerics/test_ties.py
OF_FINITE = ("x ln of a sigmoid or softmax",)  # 0 ln sigmoid(-inf) is 0, but what replaces it is 0 times infinity


def named(formula: Node) -> list[Node]:
    return sorted(variables([formula]), key=lambda n: n["variable"].name)


def values(output: Node, points: Sequence[tuple], of: Sequence[Node]) -> list[float]:
    """The value by the references at many points at once."""
    done: dict = dict(zip(of, np.array(points).T, strict=True))
    with np.errstate(all="ignore"):
        for n in topological([output], stop=done):
            if n not in done:
                args = [done[a] for a in n.args]
                done[n] = np.asarray(n["value"]) if n.op.name == "constant" else n.op.row.reference(*args, **n.params)
    return np.broadcast_to(done[output], len(points)).tolist()


def looked_at(rule: Rule) -> list[str]:
    return [name for name, op in OPS.items() if rule.ops(op)] if callable(rule.ops) else list(rule.ops)


def test_every_rule_fires_on_an_example_at_each_of_its_ops() -> None:
    seen: set[tuple[str, str]] = set()
    for _, examples, run in TABLES:
        for formula in itertools.chain(*examples.values()):
            run([formula], lambda rule, before, after: seen.add((rule.name, before.op.name)))
    for formula in (*TENSORS, SOFTMAX):
        stabilise([formula], lambda rule, before, after: seen.add((rule.name, before.op.name)))
    wanted = {(rule.name, op) for rule in RULE.values() if rule not in rules_diagonal.RULES for op in looked_at(rule)}
    assert wanted - seen == set()
    assert {rule.name for rule in rules_diagonal.RULES} <= {name for name, _ in seen}


@EACH_RULE
def test_every_example_is_one_of_its_rule(name: str, run: Callable) -> None:
    for formula in EXAMPLES[name]:
        names: list[str] = []
        run([formula], lambda rule, before, after, names=names: names.append(rule.name))
        assert name in names, label(formula)


@EACH_RULE
def test_a_rule_is_no_worse_at_any_special_point(name: str, run: Callable) -> None:
    complaints = []
    for formula in EXAMPLES[name]:
        of = named(formula)
        points = list(itertools.product(ALONE if len(of) == 1 else SPECIAL, repeat=len(of)))
        points = [p for p in points if name not in OF_FINITE or all(map(math.isfinite, p))]
        new = run([formula])[formula]
        for point, before, after in zip(points, values(formula, points, of), values(new, points, of), strict=True):
            wrong = verdict(formula, dict(zip(of, point, strict=True)), before, after)
            if wrong is not None and not is_sign_of_zero(name, point, before, after):
                complaints.append((label(formula), label(new), point, before, after, wrong))
    assert not complaints, "\n".join(map(str, complaints))


def is_sign_of_zero(name: str, point: tuple, before: float, after: float) -> bool:
    """Whether only the sign of an infinity at -0 is different, and the rule says so."""
    minus = any(v == 0 and math.copysign(1.0, v) < 0 for v in point)
    return minus and math.isinf(before) and after == -before and "the sign of 0 apart" in RULE[name].note


def is_structured(formula: Node) -> bool:
    """Whether zeros are known by structure: those of a diagonal, or a contraction with nothing."""
    names = {n.op.name for n in topological([formula])}
    return "diagonal_matrix" in names or {"einsum", "constant"} <= names


@pytest.mark.parametrize("formula", TENSORS, ids=label)
def test_index_maps_keep_every_special_value(formula: Node) -> None:
    new = stabilise([formula])[formula]
    assert new.type == formula.type
    for shift in range(0, len(SPECIAL), 5):
        pool = [v for v in SPECIAL if not is_structured(formula) or abs(v) <= 1]  # such a 0 is 0 beside infinities
        given = filled(formula, pool, shift)
        before, after = evaluate([formula], given)[0], evaluate([new], given)[0]
        np.testing.assert_array_equal(np.broadcast_to(after, np.shape(before)), before)


@EACH_RULE
def test_slopes_are_right_where_the_value_is_finite(name: str, run: Callable) -> None:
    complaints = []
    for formula in EXAMPLES[name] if run is not value_forms and name not in TIED else []:
        of = named(formula)
        points = regular(formula, run([formula])[formula], list(itertools.product(INSIDE, repeat=len(of))))
        points = [p for p in points if name not in KINKED or p[0] != 0]
        for n, slope, new in slopes(formula, run):
            pairs = zip(values(slope, points, of), values(new, points, of), strict=True)
            for point, pair in zip(points, pairs, strict=True):
                wrong = slope_verdict(formula, (n, slope), dict(zip(of, point, strict=True)), pair)
                if wrong is not None:
                    complaints.append((label(formula), n["variable"].name, label(new), point, *pair, wrong))
    assert not complaints, "\n".join(map(str, complaints))


def slopes(formula: Node, run: Callable) -> list[tuple[Node, Node, Node]]:
    """For each variable the partial as written, and as the compiler makes it: stable form first, then simplified."""
    of = named(formula)
    new = run([formula])[formula]
    after = gradient(simplify([new])[new], of)
    better = simplify(after)
    return list(zip(of, gradient(formula, of), (better[g] for g in after), strict=True))


def regular(formula: Node, new: Node, points: list[tuple]) -> list[tuple]:
    """The points at which the value is finite, in exact arithmetic and as it is computed."""
    of = named(formula)
    kept = [p for p, after in zip(points, values(new, points, of), strict=True) if math.isfinite(after)]
    return [p for p in kept if math.isfinite(float(value(formula, dict(zip(of, map(number, p), strict=True)))))]


INF = math.inf
# The slope in x at x, beside y = 0: limits, one-sided where the domain ends, and the conventions for kinks.
KNOWN = [
    (x ** c(-1.0), 0.0, -INF), (x ** c(-2.0), 0.0, -INF), (x ** c(-2.0), -0.0, INF), (x ** c(-3.0), 0.0, -INF),
    (x ** c(-3.0), -0.0, -INF),
    (x ** c(-4.0), 0.0, -INF), (x ** c(-4.0), -0.0, INF), (x ** c(-0.5), 0.0, -INF), (x ** c(0.5), 0.0, INF),
    (x ** c(1.5), 0.0, 0.0),
    (x ** c(2.0), 0.0, 0.0), (x ** c(3.0), 0.0, 0.0), (x ** c(0.0), 0.0, 0.0), (x ** c(1.0), 0.0, 1.0),
    (x**y, 0.0, 0.0),
    (x * f("log", x), 0.0, -INF), (f("log", 1.0 + x), 0.0, 1.0), (f("log", 1.0 + x), -1.0, INF),
    (f("sqrt", x + 1.0) - f("sqrt", x), 0.0, -INF),
    (f("sqrt", x + y) - f("sqrt", y), 0.0, INF), (f("cbrt", x + y) - f("cbrt", y), 0.0, INF),
    (f("sin", x) / x, 0.0, 0.0),
    ((e(x) - 1.0) / x, 0.0, 0.5), (x / f("tanh", x), 0.0, 0.0), ((1.0 - f("cos", x)) / (x * x), 0.0, 0.0),
    (x - f("sin", x), 0.0, 0.0),
    (e(x) / (e(x) - 1.0), -800.0, 0.0), (e(x) / (e(x) - 1.0), 800.0, 0.0), (1.0 / (1.0 + e(-x)), -800.0, 0.0),
    (e(x) ** y, 3.0, 0.0),
    (f("sqrt", x * x), 0.0, 0.0), (f("sqrt", x * x + y * y), 0.0, 0.0), (f("maximum", x, 0.0), 0.0, 0.0),
    (f("maximum", 0.1 * x, x), 0.0, 0.1),
    (f("maximum", x, x / 4.0), 0.0, 0.25), (f("minimum", f("maximum", x, -1.0), 2.0), -1.0, 0.0),
    (f("minimum", f("maximum", x, -1.0), 2.0), 2.0, 0.0),
    (f("maximum", x, x), 1.0, 1.0), (f("relu", x) + f("log", 1.0 + e(-f("abs", x))), 0.0, 0.5),
    (f("abs", -x), 0.0, 0.0),
    (f("sqrt", 1.0 + x) - 1.0, -1.0, INF), (f("sqrt", x * x + 1.0) - x, 1e200, 0.0),
    (f("log", x + 1.0) - f("log", x), 0.0, -INF),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "at", "slope"), KNOWN, ids=lambda p: label(p) if isinstance(p, Node) else str(p))
def test_slopes_at_ends_and_kinks(formula: Node, at: float, slope: float) -> None:
    new = next(new for n, _, new in slopes(formula, stabilise) if n is x)
    assert values(new, [(at, 0.0)], (x, y)) == [slope]


@pytest.mark.parametrize("shift", range(0, len(SPECIAL), 3))
def test_softmax_is_no_worse_at_special_values(shift: int) -> None:
    """Where it is finite as written it is the same; and always weights that add up to 1, or NaN."""
    given = filled(SOFTMAX, [v for v in SPECIAL if abs(v) not in (1e200, 1e308)], shift)
    new = stabilise([SOFTMAX])[SOFTMAX]
    before, after = evaluate([SOFTMAX, new.op.lower(*new.args, **new.params)], given)
    kept = np.isfinite(before)
    np.testing.assert_allclose(after[kept], before[kept], rtol=8e-16, atol=1e-300)
    assert all(np.isnan(row).all() or abs(row.sum() - 1) < 1e-15 for row in after)
