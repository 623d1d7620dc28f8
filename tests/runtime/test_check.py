"""The gradient check: it catches every wrong rule, and never cries wolf, on kinks neither."""

import dataclasses
import math

import numpy as np
import pytest

from symgrad.api.compile import compile as compile_function
from symgrad.api.gradcheck import check_grads, gradcheck
from symgrad.errors import CallError, NumericError
from symgrad.frontend.declare import symbol
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.text import parse
from symgrad.ir.node import build
from symgrad.passes import reverse
from symgrad.runtime.check import Effort, Subject, Tolerance, check
from tests.runtime.subjects import op_cases, placed, random_scalar, row_cases, subject, weighted

CASES = [*row_cases(), *op_cases()]
MUTATIONS = {
    "sign": lambda bar: -bar,
    "factor 2": lambda bar: 2.0 * bar,
    "dropped": lambda bar: None,
    "constant": lambda bar: bar * (1.0 + 1e-6),
}


def at(*values):
    return [np.asarray(v, float) for v in values]


def checked(text, *values):
    return check(subject(parse(text).node), at(*values))


# Right rules pass


@pytest.mark.parametrize(("name", "f", "point"), CASES, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(CASES)])
def test_every_rule_is_confirmed_at_its_samples(name, f, point):
    report = check(subject(f), point)
    assert [row.status for row in report.rows] == ["ok"] * len(report.rows), str(report)


def test_no_false_alarm_on_random_functions_with_kinks():
    """A failure is only ever a gradient that is NaN (infinite intermediates), never a finite one."""
    counted = 0
    for seed in range(300):
        case = random_scalar(seed)
        if case is None:
            continue
        with np.errstate(all="ignore"):
            report = check(subject(case[0]), case[1])
        counted += 1
        for row in report.rows:
            assert row.status != "FAIL" or math.isnan(row.worst.slope), f"seed {seed}\n{report}"
    assert counted > 200


# Wrong rules are caught


def _mutated(monkeypatch, name, place, change):
    original = reverse.pull

    def pull(node, y_bar, *how):
        bars = list(original(node, y_bar, *how))
        if node.op.name == name and place < len(bars) and bars[place] is not None:
            bars[place] = change(bars[place])
        return bars

    monkeypatch.setattr(reverse, "pull", pull)


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_every_mutated_rule_is_caught(monkeypatch, mutation):
    tried = 0
    for name, f, point in CASES:
        right = subject(f)
        for place in range(3):
            with monkeypatch.context() as patch:
                _mutated(patch, name, place, MUTATIONS[mutation])
                wrong = subject(f)
            pairs = zip(right.gradient(point), wrong.gradient(point), strict=True)
            if all(np.array_equal(a, b) for a, b in pairs):
                continue
            tried += 1
            assert check(wrong, point).failed, f"{mutation} of {name}, argument {place}, at {point}"
    assert tried > 200


_OTHER_BRANCH = {
    "relu_slope": lambda n: 1.0 - n,
    "gate": lambda n: n.args[0] - n,
    "sign": lambda n: -n,
    "where": lambda n: build("where", n.args[0], n.args[2], n.args[1]),
    "dmaximum": lambda n: build("dminimum", *n.args),
    "dminimum": lambda n: build("dmaximum", *n.args),
    "dclip": lambda n: 1.0 - n,
    "equal": lambda n: build("logical_not", n),
}


@pytest.mark.parametrize("values", [(0.3, -0.7), (-1.3, 0.2), (1.4, 2.1)])
@pytest.mark.parametrize(
    "text",
    [
        "relu(x)*y",
        "abs(x)*y",
        "maximum(x, y)",
        "minimum(x, y)",
        "clip(x, -1, 1)*y",
        "where(x < y, x*y, x + y)",
        "hypot(relu(x), relu(-x))*y",
    ],
)
def test_the_wrong_branch_is_caught(text, values):
    f = parse(text).node
    wrong = subject(f, lambda n: _OTHER_BRANCH[n.op.name](n) if n.op.name in _OTHER_BRANCH else n)
    assert check(subject(f), at(*values)).ok
    assert check(wrong, at(*values)).failed


def test_the_wrong_element_of_a_maximum_is_caught():
    x = placed("x", (3,))
    f = build("max_reduce", x, axes=(0,))
    wrong = subject(f, lambda n: _OTHER_BRANCH["equal"](n) if n.op.name == "equal" else n)
    assert check(wrong, [np.array([1.0, 3.0, 2.0])]).failed


def _wrong_at(right, index, factor):
    def gradient(p):
        g = [np.array(v) for v in right.gradient(p)]
        g[0][index] *= factor
        return g

    return Subject(right.value, gradient, right.wrt, right.names, right.cells)


def test_one_wrong_element_among_many_is_caught_by_directions():
    """With 4000 elements only some are tried by themselves; a random signed direction meets every one."""
    x = placed("x", (4000,))
    f = weighted(build("sin", x), np.random.default_rng(1))
    point = [np.random.default_rng(2).normal(size=4000)]
    right = subject(f)
    assert check(right, point).ok
    for index in (0, 1777, 3999):
        assert check(_wrong_at(right, index, 1.1), point, Effort(coordinates=20)).failed


def test_few_coordinates_are_all_tried():
    x = placed("x", (150,))
    right = subject(weighted(build("exp", x), np.random.default_rng(1)))
    point = [np.random.default_rng(2).normal(size=150)]
    for index in (0, 77, 149):
        report = check(_wrong_at(right, index, 1.0 + 1e-6), point)
        assert report.failed
        assert report.rows[0].worst.where == f"[{index}]"


def test_forward_mode_is_compared_with_reverse():
    right = subject(parse("sin(x)*y").node)
    wrong = Subject(
        right.value, right.gradient, right.wrt, right.names, right.cells, lambda p, t: 1.01 * right.pushforward(p, t)
    )
    report = check(wrong, at(0.3, 2.0))
    assert [row.status for row in report.rows] == ["ok", "ok", "FAIL"]
    assert report.rows[-1].name == "forward mode"


# Kinks


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("abs(x)", (0.0,), "slopes -1 and 1: the gradient 0 lies between them"),
        ("relu(x)*y", (0.0, 2.0), "slopes 0 and 2: the gradient 0 lies between them"),
        ("maximum(x, y)", (1.0, 1.0), "slopes 0 and 1: the gradient 0.5 lies between them"),
        ("clip(x, -1, 1)", (1.0,), "slopes 1 and 0: the gradient 0 lies between them"),
        ("hypot(x, y)", (0.0, 0.0), "slopes -1 and 1: the gradient 0 lies between them"),
        ("cbrt(x)", (0.0,), "slopes inf and inf: the gradient inf lies between them"),
        ("sqrt(x)", (0.0,), "slopes nan and inf: the gradient inf lies between them"),
        ("where(x > 0, x**2, -x)", (0.0,), "slopes -1 and 0: the gradient -1 lies between them"),
        ("floor(x) + 2*x", (1.0,), "slopes 2 and 2: a jump"),
        ("where(x >= 1, x + 5, x)", (1.0,), "slopes 1 and 1: a jump"),
        ("abs(sin(x))*exp(y)", (0.0, 0.0), "slopes -1 and 1: the gradient 0 lies between them"),
    ],
)
def test_a_kink_is_reported_with_its_slopes(text, values, said):
    report = checked(text, *values)
    assert report.rows[0].status == "kink"
    assert report.rows[0].notes == (f": kink: {said}",)
    assert report.ok
    assert not report.failed
    report.raise_unless_ok()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("relu(x)**2", (0.0,)),
        ("abs(x)*x", (0.0,)),
        ("where(x > 0, x**2, -x**2)", (0.0,)),
        ("maximum(x, x**2)", (-0.3,)),
    ],
)
def test_a_guard_that_is_no_kink_is_no_kink(text, values):
    assert [row.status for row in checked(text, *values).rows] == ["ok", "ok"]


@pytest.mark.parametrize("x", [1e-14, -1e-14, 1e-8, 1e-300, -1e-300])
def test_beside_a_kink_the_branch_is_checked(x):
    """A step that would cross is not taken: the slope of the point's own side decides."""
    assert checked("abs(x)", x).rows[0].status == "ok"
    right = subject(parse("abs(x)").node)
    wrong = Subject(right.value, lambda p: [-g for g in right.gradient(p)], right.wrt, right.names, right.cells)
    assert check(wrong, at(x)).failed


def test_cancelled_sums_beside_a_kink():
    """0.1 + 0.2 - 0.3 is not 0 in floating point; either branch may be taken."""
    report = checked("relu(x + y + z)", 0.1, 0.2, -0.3)
    assert not report.failed


def test_ties_of_a_maximum_of_many():
    x = placed("x", (4,))
    f = build("max_reduce", x, axes=(0,))
    report = check(subject(f), [np.array([1.0, 2.0, 2.0, 0.0])])
    assert report.rows[0].status == "kink"
    assert len(report.rows[0].notes) == 2


def test_nan_for_a_gradient_fails():
    right = subject(parse("x*y").node)
    wrong = Subject(right.value, lambda p: [np.asarray(math.nan), p[0]], right.wrt, right.names)
    report = check(wrong, at(2.0, 3.0))
    assert [row.status for row in report.rows] == ["FAIL", "ok"]


def test_a_corner_without_known_guards_is_suspected():
    """A plain function has no graph: one-sided slopes that differ are a kink."""
    corner = Subject(lambda p: np.maximum(p[0], 0.0), lambda p: [np.asarray(0.0)], (0,), ("x",))
    assert check(corner, at(0.0)).rows[0].status == "kink"


# Scales and precision


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("log(x)", (1e-300,)),
        ("x*1e-300", (1.0,)),
        ("exp(x)*1e300", (1.0,)),
        ("x**2", (1e150,)),
        ("x**3", (0.0,)),
        ("exp(x)", (700.0,)),
        ("exp(x)", (1e-300,)),
        ("sin(1000*x)", (3.0,)),
        ("sin(2*pi*1024*x)", (0.0,)),
        ("1/x", (1e-100,)),
        ("tanh(x)", (5.0,)),
        ("1e6 + x*0.001", (1.0,)),
        ("sqrt(x - 1)", (1.0001,)),
    ],
)
def test_every_scale(text, values):
    assert [row.status for row in checked(text, *values).rows] == ["ok", "ok"]


@pytest.mark.parametrize("value", [1e-200, -3e-180, 1e-162])
def test_values_that_underflow_decide_nothing(value):
    """x^2 at 1e-200 is 0, and so are its differences, but not its gradient."""
    assert checked("x**2", value).rows[0].status == "undecided"
    assert checked("x**2*1e-300*0", value).ok


def test_what_differences_cannot_resolve_is_undecided():
    report = checked("(x + 1e16) - 1e16", 1.0)
    assert report.rows[0].status == "undecided"
    assert not report.ok
    assert not report.failed


def test_a_bounded_part_is_not_judged_from_afar():
    """Steps of value over slope, 1e12, see sin nowhere, and agree on a slope of 0."""
    for report in (checked("1 + 1e-12*sin(x)", 0.3), checked("tanh(x)**2 + 1e-13*sin(x + y)", 30.0, 0.4)):
        assert not report.failed, str(report)


@pytest.mark.parametrize("value", [19.0, 25.0, 300.0])
def test_rounding_that_a_cancelled_sum_hides_is_no_failure(value):
    """tanh(20) is 1 to the last bit: the difference of two is 0 all around, but its slope is not."""
    for text in ("tanh(x) - tanh(y)", "erf(x) - erf(y)", "tanh(x)*3 - tanh(y)*3"):
        assert not checked(text, value, value).failed
    assert [row.status for row in checked("tanh(x) - tanh(y)", value, value).rows[:2]] == ["undecided"] * 2


def test_a_wrong_slope_of_a_cancelled_sum_is_found():
    right = subject(parse("tanh(x) - tanh(y)").node)
    wrong = Subject(right.value, lambda p: [1.01 * g for g in right.gradient(p)], right.wrt, right.names, right.cells)
    assert check(dataclasses.replace(wrong, rounding=right.rounding), at(1.0, 1.0)).failed


def test_where_the_function_has_no_value_nothing_is_said():
    assert checked("log(x)", -1.0).rows[0].status == "undecided"


def test_what_is_not_confirmed_raises():
    x = symbol("x")
    with pytest.raises(NumericError, match="x is undecided: the function is not finite here") as caught:
        gradcheck(F["sqrt"](x), (-1.0,))
    assert "differences" in str(caught.value)
    with pytest.raises(NumericError, match="undecided: the differences are too coarse to tell"):
        check_grads((x + 1e16) - 1e16, (1.0,))
    assert gradcheck(F["abs"](x), (0.0,))
    assert check_grads(F["abs"](x), {"x": 0.0}).rows[0].status == "kink"


def test_a_given_step_is_taken():
    """(f(x+h) - f(x-h))/2h of x**3 is 3x^2 + h^2: 3% beside a step of 0.3, nothing beside one of 1e-5."""
    x = symbol("x")
    assert gradcheck(x**3, (1.0,))
    assert gradcheck(x**3, (1.0,), eps=1e-5)
    assert gradcheck(x**3, (1.0,), eps=0.3, rtol=0.05)
    with pytest.raises(NumericError, match=r"with step 0\.3 is 3\.09"):
        gradcheck(x**3, (1.0,), eps=0.3)
    with pytest.raises(NumericError, match="undecided: rounding drowns the step 1e-14"):
        gradcheck(x**3, (1.0,), eps=1e-14)
    assert gradcheck(F["abs"](x), (1e-3,), eps=0.5)
    assert gradcheck(F["abs"](x), (0.0,), eps=0.5), "a step across a kink is not taken"
    with pytest.raises(CallError, match="eps"):
        gradcheck(x, (1.0,), eps=0.0)


def test_a_wrong_gradient_is_found_with_a_given_step():
    right = subject(parse("sin(x)").node)
    wrong = Subject(right.value, lambda p: [1.01 * g for g in right.gradient(p)], right.wrt, right.names, right.cells)
    how = Effort(tolerance=Tolerance(1e-3, 1e-5, 1e-6))
    assert check(right, at(0.7), how).ok
    assert check(wrong, at(0.7), how).failed


@pytest.mark.parametrize("keys", [None, ("a", "b")])
def test_errors_of_two_outputs_do_not_cancel(monkeypatch, keys):
    x = symbol("x")
    outputs = [F["sin"](x), F["exp"](x)]
    f = outputs if keys is None else dict(zip(keys, outputs, strict=True))
    assert check_grads(f, (0.4,)).ok
    function = compile_function(f, [x])
    backward = type(function).backward

    def wrong(self, residuals, cotangent=1.0):
        a, b = cotangent.values() if keys else cotangent
        (g,) = backward(self, residuals, cotangent)
        return (g + 0.5 * (a - b),)

    monkeypatch.setattr(type(function), "backward", wrong)
    with pytest.raises(NumericError, match="gradient of x differs"):
        check_grads(function, (0.4,))


def _single(f):
    """The same function computed in float32."""
    wide = subject(f)
    narrow = lambda arrays: [np.asarray(a, np.float32) for a in arrays]  # noqa: E731
    return Subject(wide.value, lambda p: narrow(wide.gradient(p)), wide.wrt, wide.names, wide.cells, twin=wide)


def test_float32_is_checked_by_its_float64_twin():
    f = parse("sin(x)*exp(y)").node
    point = [np.float32(0.3), np.float32(1.2)]
    report = check(_single(f), point)
    assert report.ok
    assert [row.name for row in report.rows] == ["x", "y", "forward mode", "x float32", "y float32"]
    good = _single(f)
    bad = Subject(good.value, lambda p: [1.001 * g for g in good.gradient(p)], good.wrt, good.names, twin=good.twin)
    assert [row.status for row in check(bad, point).rows][-2:] == ["FAIL", "FAIL"]


def test_given_tolerances_decide():
    right = subject(parse("exp(x)").node)
    off = Subject(right.value, lambda p: [1.0001 * g for g in right.gradient(p)], right.wrt, right.names, right.cells)
    assert check(off, at(1.0)).failed
    assert check(off, at(1.0), Effort(tolerance=Tolerance(1e-3, 1e-5))).ok
    assert check(off, at(1.0), Effort(tolerance=Tolerance(1e-5, 1e-5))).failed


# The report


def test_the_report_prints_a_table_and_raises():
    right = subject(parse("(x + y)*z").node)
    wrong = Subject(right.value, lambda p: [p[2], -p[2], p[0] + p[1]], right.wrt, right.names, right.cells)
    report = check(wrong, at(-2.0, 5.0, -4.0))
    lines = str(report).splitlines()
    assert lines[1].split() == ["variable", "shape", "checked", "max", "error", "differences", "worst", "at"]
    assert [line.split()[0] for line in lines[2:5]] == ["x", "y", "z"]
    assert "FAIL: gradient 4, differences -" in lines[-1]
    with pytest.raises(NumericError, match="gradient of y differs") as caught:
        report.raise_unless_ok()
    assert "differences" in str(caught.value)
    assert "&" not in report._repr_html_()


def test_the_same_seed_gives_the_same_report():
    x = placed("x", (500,))
    f = weighted(build("cos", x), np.random.default_rng(1))
    point = [np.random.default_rng(2).normal(size=500)]
    assert str(check(subject(f), point)) == str(check(subject(f), point))


def test_the_point_is_never_changed():
    point = [np.array([1.0, 2.0])]
    point[0].setflags(write=False)
    x = placed("x", (2,))
    check(subject(weighted(build("square", x), np.random.default_rng(0))), point)
    assert point[0].tolist() == [1.0, 2.0]


def test_an_empty_variable_is_ok():
    x = placed("x", (0,))
    assert check(subject(build("sum", x, axes=(0,))), [np.zeros(0)]).ok
