"""Single lines of the printer: wrapping, tuples, branches, allocations, messages."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.emit.numba import WIDTH, body_lines, structure, wrapped
from symgrad.emit.scalar import text
from symgrad.ir.expression import apply, call, const, fma, select, var
from symgrad.ir.program import Accumulate, Allocate, Assign, Call, Exit, If, Loop, Return

NAMES = [var(n, "f64") for n in ("x", "W2_bar", "a_rather_long_name_of_a_user", "t0")]


def lines(*body):
    return [line for line, _ in body_lines(body, 0)]


def expressions():
    pair = {"add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1}

    def grown(inner):
        basis = st.sampled_from(sorted(pair)).flatmap(
            lambda op: st.tuples(*[inner] * pair[op]).map(lambda args: apply(op, *args))
        )
        called = st.tuples(inner, inner, inner).map(lambda args: fma(*args))
        chosen = st.tuples(inner, inner, inner).map(lambda args: select(args[0] < args[1], args[1], args[2]))
        return basis | called | chosen | inner.map(lambda x: call("sigmoid", (x,), "f64"))

    return st.recursive(st.sampled_from([*NAMES, const(-0.1, "f64")]), grown, max_leaves=60)


@given(expressions(), st.integers(0, 6))
def test_wrapping_changes_nothing_but_white_space(expr, depth):
    rows = wrapped("x = ", text(expr), pad="    " * depth)
    assert ast.dump(ast.parse("\n".join(row[4 * depth :] for row in rows))) == ast.dump(ast.parse(f"x = {text(expr)}"))


@given(expressions())
def test_wrapped_lines_fit(expr):
    assert all(len(row) <= WIDTH or " " not in row.strip() for row in wrapped("x = ", text(expr)))


@given(expressions(), expressions())
def test_returned_tuples_keep_their_structure(a, b):
    rows = lines(Return((a, (b,), ("x", (b, ())))))
    (statement,) = ast.parse("\n".join(["def f():", *(f" {row}" for row in rows)])).body
    expected = ast.parse(f"({text(a)}, ({text(b)},), (x, ({text(b)}, ())))", mode="eval").body
    assert ast.dump(statement.body[0].value) == ast.dump(expected)


def test_long_sums_break_before_plus_and_not_inside_a_product():
    terms = [var(f"weight{n}", "f64") * var(f"value{n}", "f64") for n in range(9)]
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    rows = lines(Assign("total", total))
    assert rows[0] == "total = ("
    assert rows[-1] == ")"
    assert all(row.startswith("    + ") for row in rows[2:-1])


def test_a_long_call_is_broken_between_its_arguments():
    deep = var("x", "f64")
    for n in range(4):
        deep = fma(deep, var("a_rather_long_name", "f64"), var(f"coefficient{n}", "f64"))
    assert lines(Assign("q", deep)) == [
        "q = fma(",
        "    fma(fma(fma(x, a_rather_long_name, coefficient0), a_rather_long_name, coefficient1),",
        "    a_rather_long_name, coefficient2), a_rather_long_name, coefficient3",
        ")",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [((), "return ()"), (("x",), "return x"), ((("x",),), "return (x,)"), (("J", ()), "return J, ()"),
     (("J", ("a", ("b",))), "return J, (a, (b,))")],
)  # fmt: skip
def test_return(values, expected):
    assert lines(Return(values)) == [expected]


def test_structure_is_walked_without_recursion():
    nested = "x"
    for _ in range(50_000):
        nested = (nested,)
    assert structure(nested) == "(" * 50_000 + "x" + ",)" * 50_000


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (Allocate("b", (var("n", "i64"),), "f64"), "b = np.empty(n, f64)"),
        (Allocate("b", (var("n", "i64"), const(3, "i64")), "f32", 0.0), "b = np.zeros((n, 3), f32)"),
        (Allocate("b", (), "i64"), "b = np.empty((), i64)"),
        (Allocate("b", (const(2, "i64"),), "f64", -0.0), "b = np.full(2, -0.0, f64)"),
        (Allocate("b", (const(2, "i64"),), "f32", 0.1), "b = np.full(2, f32(0.1), f32)"),
        (Allocate("b", (const(2, "i64"),), "bool", True), "b = np.full(2, True, np.bool_)"),
        (Allocate("b", (const(2, "i64"),), "bool", False), "b = np.zeros(2, np.bool_)"),
        (Call("row", ("A", "A_part", "i")), "A_part = A[i]"),
        (Call("reshape", ("A", "A_view", "n", "3")), "A_view = A.reshape((n, 3))"),
        (Call("reshape", ("A", "A_view", "n")), "A_view = A.reshape((n,))"),
        (Call("dot", ("T:A", "B", "C")), "matmul(A.T, B, C)"),
        (Assign("s", const(0.0, "f64")), "s = f64(0.0)"),
        (Assign("s", const(0.0, "f32")), "s = f32(0.0)"),
        (Accumulate("k", None, "add", var("m", "i32")), "k = i32(k + m)"),
        (Accumulate("b", (var("i", "i64"),), "and", var("c", "bool")), "b[i] &= c"),
        (Exit("index", 'a "b" \\ c\n\u00b5'), "raise IndexError('a \"b\" \\\\ c\\n\\xb5')"),
        (Exit("value", "it's \\"), 'raise ValueError("it\'s \\\\")'),
    ],
)
def test_statement(statement, expected):
    assert lines(statement) == [expected]


def test_blocks():
    x, i = var("x", "f64"), var("i", "i64")
    step = Loop("i", const(2, "i64"), var("n", "i64"), (Accumulate("s", None, "add", x),), 4, note="four at a time")
    chain = If(x < 0.0, (step,), (If(x > 1.0, (), (Exit("value", "no"),)),))
    assert lines(Loop("i", const(0, "i64"), i, (chain,))) == [
        "for i in range(i):",
        "    if x < 0.0:",
        "        # four at a time",
        "        for i in range(2, n, 4):",
        "            s += x",
        "    elif x > 1.0:",
        "        pass",
        "    else:",
        '        raise ValueError("no")',
    ]


def test_a_long_chain_of_branches_stays_flat():
    branch = If(var("x", "f64") < 0.0, (Assign("y", var("x", "f64")),))
    for n in range(5000):
        branch = If(var("x", "f64") > float(n), (Assign("y", var("x", "f64")),), (branch,))
    assert max(len(line) - len(line.lstrip()) for line in lines(branch)) == 4
