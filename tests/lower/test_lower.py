"""What a lowered program promises besides its values: passes over memory, names, checks, order of summation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from symgrad.errors import IndexRangeError
from symgrad.ir.node import Node, build, constant
from symgrad.ir.program import Allocate, Assign, Call, Function, Loop, statements
from symgrad.ir.types import named
from symgrad.lower import Target, lower
from symgrad.ops.contract import einsum, matmul
from symgrad.ops.leaf import cast, size
from symgrad.ops.shape import reshape, take_slice, transpose
from tests.lower.graphs import agree, declare, program, run
from tests.lower.interpret import Machine

RNG = np.random.default_rng(7)


def entry(results: object, *inputs: Node, dtype: str = "f64") -> Function:
    return program(results, inputs, dtype).functions[-1]


def outer_loops(function: Function) -> list[Loop]:
    return [s for s in function.body if isinstance(s, Loop)]


def total(x: Node) -> Node:
    return build("sum", x, axes=tuple(range(x.type.rank)))


def test_value_and_gradient_read_the_data_in_one_loop() -> None:
    x = declare("x", "n", "m")
    e = build("exp", x)
    function = entry((total(e), e * constant(2.0), total(build("square", e))), x)
    assert len(outer_loops(function)) == 1
    calls = [s for s in statements(function.body) if isinstance(s, Assign) and s.expr.value == "exp"]
    assert len(calls) == 1


def test_full_arrays_are_walked_in_one_flat_loop() -> None:
    x, y = declare("x", "n", "m"), declare("y", "n", "m")
    (loop,) = outer_loops(entry(x * y + constant(1.0), x, y))
    assert not any(isinstance(s, Loop) for s in loop.body)


def test_softmax_merges_into_one_loop_over_rows_and_stores_one_array() -> None:
    x = declare("x", "n", "m")
    function = entry(build("softmax", x, axes=(1,)), x)
    assert len(outer_loops(function)) == 1
    big = [s for s in function.body if isinstance(s, Allocate) and len(s.shape) == 2]
    assert len(big) == 1


def test_nothing_is_allocated_in_a_loop() -> None:
    x, w = declare("x", "k", "n", "m"), declare("w", "k", "m", 3)
    y = build("softmax", matmul(build("tanh", x), w), axes=(2,))
    function = entry((y, build("cumsum", y, axis=0, reverse=True)), x, w)
    for loop in outer_loops(function):
        assert not any(isinstance(s, Allocate) for s in statements(loop.body))


def test_text_does_not_grow_with_width() -> None:
    def lines(width: int) -> int:
        x, w = declare("x", "n", width), declare("w", width, width)
        return len(list(statements(entry(build("tanh", matmul(x, w)), x, w).body)))

    assert lines(40) == lines(4000)


def test_user_names_stand_in_the_program() -> None:
    x = declare("x", "n")
    function = entry(total(x), x)
    assert [p.name for p in function.parameters] == ["x"]
    assert function.body[0].target == "n"


def test_transposed_operands_are_folded_into_the_product() -> None:
    a, b = declare("a", "n", "m"), declare("b", "n", "k")
    calls = [s.args[:2] for s in entry(einsum("ij,ik->jk", a, b), a, b).body if isinstance(s, Call)]
    assert calls == [("T:a", "b")]
    calls = [s.args[:2] for s in entry(einsum("ij,ik->kj", a, b), a, b).body if isinstance(s, Call)]
    assert calls == [("T:b", "a")]


SPECS = ["ij,jk->ik", "ij,jk->ki", "ji,kj->ik", "bij,bjk->bik", "ijb,jkb->bik", "ij,j->i", "i,ij->j", "abj,jc->abc"]
SPECS += ["ajb,cj->bca", "i,i->", "ij,ij->", "i,j->ij", "bi,bi->b", "bij,bj->bi", "ij,ij->ji"]


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("known", [True, False])
def test_contractions_of_every_form(spec: str, known: bool) -> None:
    lengths = {"a": 2, "b": 3, "c": 4, "i": 3, "j": 5, "k": 2}
    symbols = {"i": "n", "j": "m", "k": "k"}
    left, right = spec.split("->")[0].split(",")
    shape = lambda word: [lengths[c] if known or c not in symbols else symbols[c] for c in word]  # noqa: E731
    a, b = declare("a", *shape(left)), declare("b", *shape(right))
    values = {x: RNG.normal(size=[lengths[c] for c in word]) for x, word in ((a, left), (b, right))}
    agree([einsum(spec, a, b)], values)


def test_integer_products_are_exact() -> None:
    a, b = declare("a", "n", "m", dtype="int"), declare("b", "m", "k", dtype="int")
    values = {a: RNG.integers(-9, 9, (3, 4)), b: RNG.integers(-9, 9, (4, 5))}
    agree([einsum("ij,jk->ik", a, b)], values)


@pytest.mark.parametrize("n", [0, 1, 2, 255, 256, 257, 1000])
def test_blocked_reductions_at_every_tail(n: int) -> None:
    x = declare("x", "n")
    results = [total(x), build("prod", build("cos", x), axes=(0,)), total(build("sin", x))]
    if n:
        results += [build("max_reduce", x, axes=(0,)), build("min_reduce", x, axes=(0,)), build("argmin", x, axes=(0,))]
    agree(results, {x: RNG.normal(size=n)})


def test_float32_sums_keep_their_digits() -> None:
    x = declare("x", "n")
    data = RNG.random(30_000).astype(np.float32)
    exact = math.fsum(data.astype(float))
    assert abs(float(run(total(x), {x: data}, "f32")) - exact) <= 1e-7 * exact
    rows = declare("r", "n", 2)
    table = RNG.random((5_000, 2)).astype(np.float32)
    summed = run(build("sum", rows, axes=(0,)), {rows: table}, "f32")
    np.testing.assert_allclose(summed, table.astype(float).sum(0), rtol=6e-8)


def test_sums_that_overflow_or_cancel() -> None:
    x = declare("x", "n")
    assert run(total(x), {x: np.full(600, 1e308)}) == np.inf
    assert np.isnan(run(total(x), {x: np.array([np.inf, -np.inf])}))
    far_apart = np.zeros(1024)
    far_apart[[0, 300, 600]] = 1.0, 1e100, -1e100
    assert run(total(x), {x: far_apart}) == 1.0


def test_extremes_keep_nan_and_refuse_nothing() -> None:
    x = declare("x", "n", "m")
    data = RNG.normal(size=(3, 400))
    data[1, 399] = np.nan
    top = run(build("max_reduce", x, axes=(1,)), {x: data})
    assert np.isnan(top[1])
    assert np.isfinite(top[[0, 2]]).all()
    assert run(build("argmax", x, axes=(1,)), {x: data})[1] == 399
    with pytest.raises(ValueError, match="max of an empty axis"):
        run(build("max_reduce", x, axes=(1,)), {x: np.zeros((3, 0))})


def test_a_lane_outside_the_fast_range_changes_no_other() -> None:
    x = declare("x", "n")
    data = RNG.normal(size=300)
    plain = run(build("sin", x), {x: data})
    data[17] = 1e22
    mixed = run(build("sin", x), {x: data})
    assert mixed[17] == math.sin(1e22)
    np.testing.assert_array_equal(np.delete(mixed, 17), np.delete(plain, 17))


def test_long_chains_are_cut_without_changing_a_bit() -> None:
    x = declare("x", "n")
    y = build("tanh", build("exp", build("sin", build("tanh", x))))
    data = RNG.normal(size=300)
    function = entry((y, total(y)), x)
    lanes = [s for s in statements(function.body) if isinstance(s, Loop) and s.mark == "vector"]
    assert len(lanes) > 3
    whole, summed = run((y, total(y)), {x: data})
    s = declare("s")
    step = build("tanh", build("exp", build("sin", build("tanh", s))))
    one = program(step, (s,))
    assert [Machine(one).run("value", float(v)) for v in data[:20]] == list(whole[:20])
    assert summed == pytest.approx(math.fsum(whole), rel=1e-15)


def test_take_leaves_before_it_reads_out_of_range() -> None:
    x, i = declare("x", 4, "n"), declare("i", 2, dtype="int")
    y = build("gather", x, i, axis=0)
    agree([y, total(y)], {x: RNG.normal(size=(4, 3)), i: np.array([-1, 0])})
    for bad in (4, -5):
        with pytest.raises(IndexRangeError, match="axis 0 of size 4"):
            run(y, {x: np.zeros((4, 3)), i: np.array([0, bad])})


def test_slices_by_named_sizes_are_checked() -> None:
    x = declare("x", "n")
    y = take_slice(x, (2,), (named("n") - 2,), (1,))
    agree([y], {x: RNG.normal(size=5)})
    z = take_slice(x, (3,), (1,), (1,))
    agree([z], {x: RNG.normal(size=4)})
    with pytest.raises(IndexRangeError):
        run(z, {x: np.zeros(3)})


def test_results_are_fresh_and_separate() -> None:
    x = declare("x", "n", "m")
    double = x + x
    flat = reshape(double, (named("n") * named("m"),))
    agree([x, x, double, double, flat, transpose(x, (1, 0))], {x: RNG.normal(size=(3, 2))})


def test_structure_of_results_is_kept() -> None:
    x = declare("x")
    got = run((x * x, (x, ()), ((x + x,),)), {x: 3.0})
    assert got == (9.0, (3.0, ()), ((6.0,),))
    assert run((x,), {x: 2.0}) == (2.0,)
    assert run((), {x: 2.0}) == ()


def test_many_scalars_travel_as_vectors() -> None:
    xs = tuple(declare(f"x{i}") for i in range(70))
    y = xs[0]
    for x in xs[1:]:
        y = y * x
    made = program((y, tuple(x + x for x in xs)), xs)
    function = made.functions[-1]
    assert function.packed == tuple(f"x{i}" for i in range(70))
    assert [p.rank for p in function.parameters] == [1]
    value, doubled = Machine(made).run("value", np.full(70, 1.5))
    assert value == pytest.approx(1.5**70)
    np.testing.assert_array_equal(doubled, np.full(70, 3.0))


def test_large_constants_are_hidden_parameters_and_small_ones_stand_in_the_module() -> None:
    x = declare("x", 100)
    small, large = constant(np.arange(3.0)), constant(np.arange(100.0))
    made = program((x * large, small), (x,))
    assert [len(v) for _, v in made.constants] == [3]
    assert [len(v) for _, v in made.hidden] == [100]
    assert made.functions[-1].parameters[-1].name == made.functions[-1].hidden[0]
    agree([x * large, small], {x: RNG.normal(size=100)})


def test_twenty_thousand_nested_operations() -> None:
    x = declare("x")
    y = x
    for i in range(20_000):
        y = y * 0.5 + x if i % 2 else build("square", y)
    made = program(y, (x,))
    assert len(made.functions[-1].body) > 100
    exact = 0.25
    for i in range(20_000):
        exact = exact * 0.5 + 0.25 if i % 2 else exact * exact
    assert Machine(made).run("value", 0.25) == exact


def test_kinds_are_cast_as_numpy_casts() -> None:
    x, k, b = declare("x", "n"), declare("k", "n", dtype="int"), declare("b", "n", dtype="bool")
    results = [cast(x, "int"), cast(k, "real"), cast(b, "real"), cast(b, "int"), cast(k, "bool")]
    results += [build("sum", b, axes=(0,))]
    values = {x: RNG.normal(size=9) * 9, k: RNG.integers(-2, 3, 9), b: RNG.random(9) < 0.5}
    agree(results, values)
    agree(results, values, "f32")


def test_sizes_come_from_the_arrays() -> None:
    x = declare("x", "n", "m")
    mean = total(x) / size(named("n") * named("m"))
    agree([mean], {x: RNG.normal(size=(3, 4))})
    y = declare("y", named("n") * 2 + 1)
    agree([total(y) * size(named("n"))], {y: RNG.normal(size=7)})


def test_lowering_twice_gives_the_same_program() -> None:
    x = declare("x", "n", "m")
    y = build("softmax", build("tanh", x), axes=(1,))
    assert repr(program((y, total(y)), (x,))) == repr(program((y, total(y)), (x,)))


def test_functions_of_one_program_share_constants_and_callees() -> None:
    from symgrad.emit.names import Names

    x = declare("x", 3)
    c = constant(np.array([1.0, 2.0, 3.0]))
    targets = tuple(Target(name, (x,), build("exp", x * c)) for name in ("first", "second"))
    made = lower(targets, Names({x: "x"}), "f64")
    assert [f.name for f in made.functions] == ["exp", "first", "second"]
    assert made.entries == ("first", "second")
    assert len(made.constants) == 1
