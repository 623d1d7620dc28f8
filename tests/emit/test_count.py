"""Operation counts: loops multiply, blocks and tails add up again, triangles are halved."""

from __future__ import annotations

import pytest
from hand_built import loop, matmul, scalar

from symgrad.emit.count import count, shown
from symgrad.ir.expression import apply, const, load, select, var
from symgrad.ir.program import Accumulate, Assign, Function, Loop

n, m, i, j = (var(name, "i64") for name in "nmij")
x = load("x", (i,), "f64")


def integer(value):
    return const(value, "i64")


REST = n * 2 - i * 256
BLOCK = select(REST < 256, REST, integer(256))
ADD = (Accumulate("s", None, "add", x),)


def counted(*body):
    return shown(count(Function("f", (), body)))


def over(name, start, stop, body, step=1):
    return Loop(name, start if not isinstance(start, int) else integer(start), stop, body, step)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ADD, "1 add"),
        ((over("i", 0, n, ADD),), "n add"),
        ((over("i", 2, n, ADD),), "n-2 add"),
        ((over("i", 0, n, (over("j", 0, m, ADD * 3),)),), "3*m*n add"),
        ((over("i", 0, integer(10), (over("j", 0, integer(4), ADD),)),), "40 add"),
        ((over("i", 0, n, (over("j", i, n, ADD),)),), "n*n/2+n/2 add"),
        ((over("i", 0, n, (over("j", 0, i, ADD),)),), "n*n/2-n/2 add"),
        ((over("i", 0, n // 8, (over("j", 0, integer(8), ADD),)), over("i", n // 8 * 8, n, ADD)), "n add"),
        ((over("i", 0, n - n % 4, (over("j", 0, integer(4), ADD),), 4), over("i", n - n % 4, n, ADD)), "n add"),
        ((over("i", 0, n, (over("j", i, select(i + 8 < n, i + 8, n), ADD),), 8),), "n add"),
        ((over("i", 0, (n * 2 + 255) // 256, (Assign("k", BLOCK), over("j", 0, var("k", "i64"), ADD))),), "2*n add"),
        ((Assign("total", n * m), over("i", 0, var("total", "i64"), ADD)), "m*n add"),
        ((Assign("n", var("x.shape[0]", "i64")), over("i", 0, n, ADD)), "n add"),
        ((over("i", 0, integer(0), ADD),), "none"),
        ((Assign("y", -abs(x)), Assign("k", i + 1)), "none"),
    ],
)
def test_count(body, expected):
    assert counted(*body) == expected


def test_counts_of_the_hand_built_programs():
    functions = {f.name: f for program in (scalar(), loop(), matmul()) for f in program.functions}
    assert shown(count(functions["bell"])) == "1 fma, 1 div"
    assert shown(count(functions["value"])) == "2*n add, 3*n+1 mul, 3*n div"


def test_deep_expressions_are_counted_without_recursion():
    deep = x
    for _ in range(30_000):
        deep = apply("mul", deep, x)
    assert counted(Assign("y", deep)) == "30000 mul"
