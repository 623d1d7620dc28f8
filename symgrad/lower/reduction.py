"""Reductions as accumulators, and the small functions that fold a block of terms.

Sums of reals are folded pairwise in blocks of 256 and the blocks added with their rounding errors kept
(Knuth's TwoSum), in one fixed order that no CPU or thread count changes. An overflowing sum keeps its infinity.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from symgrad.ir.expression import Expr, apply, call, const, fma, load, select, var
from symgrad.ir.program import Accumulate, Assign, Function, If, Loop, Parameter, Return, Statement, Store
from symgrad.lower.frame import BLOCK
from symgrad.lower.sizes import integer


@dataclass(frozen=True, slots=True)
class Fold:
    """``augment`` is the accumulation of that kind, "" for an extreme; ``better`` its comparison."""

    name: str
    neutral: dict[str, float | int | bool]
    augment: str = ""
    better: str = ""


_GUARDED = 16  # halvings of at least this width are skipped where no term is left in the upper half
_LEAST = {"f64": -math.inf, "f32": -math.inf, "i64": -(2**63), "bool": False}
_MOST = {"f64": math.inf, "f32": math.inf, "i64": 2**63 - 1, "bool": True}
_ZERO: dict[str, float | int | bool] = {"f64": 0.0, "f32": 0.0, "i64": 0, "bool": False}
_ONE: dict[str, float | int | bool] = {"f64": 1.0, "f32": 1.0, "i64": 1, "bool": True}
FOLDS = {
    "sum": Fold("sum", _ZERO, "add"),
    "prod": Fold("product", _ONE, "mul"),
    "max_reduce": Fold("top", _LEAST, better="gt"),
    "min_reduce": Fold("least", _MOST, better="lt"),
    "any_reduce": Fold("found", {"bool": False}, "or"),
    "all_reduce": Fold("holds", {"bool": True}, "and"),
}


def is_folded(op: str, dtype: str) -> bool:
    """Whether blocks of terms are folded: integers and truth values add up in any order, in plain loops."""
    return dtype in ("f64", "f32") and op in FOLDS


def start(op: str, dtype: str) -> Expr:
    """The value of no terms."""
    return const(FOLDS[op].neutral[dtype], dtype)


def combined(op: str, a: Expr, b: Expr) -> Expr:
    """a with b taken in; b is a name."""
    fold = FOLDS[op]
    if fold.augment:
        return apply(fold.augment, a, b)
    wins = apply(fold.better, b, a)
    return select(wins if b.dtype == "i64" else wins | apply("ne", b, b), b, a)


def take_in(op: str, target: str, index: tuple[Expr, ...] | None, term: Expr) -> Statement:
    """Take a term into an accumulator: a scalar, or an element of a buffer. A product is added by one fma."""
    old = var(target, term.dtype) if index is None else load(target, index, term.dtype)
    if op == "sum" and term.op == "mul" and term.dtype in ("f64", "f32"):
        value = fma(term.args[0], term.args[1], old)
    elif FOLDS[op].augment:
        return Accumulate(target, index, FOLDS[op].augment, term)
    else:
        value = combined(op, old, term)
    return Assign(target, value) if index is None else Store(target, index, value)


def take_in_exactly(target: str, rest: str, part: str, dtype: str) -> list[Statement]:
    """target += part, with the rounding error added to ``rest``."""
    total, piece = var(target, dtype), var(part, dtype)
    return [
        Accumulate(rest, None, "add", call("sum_error", (total, piece), dtype)),
        Accumulate(target, None, "add", piece),
    ]


def helper(name: str, dtype: str) -> Function | None:
    """A function that reductions call, by its name."""
    if name == "sum_error":
        return _sum_error(dtype)
    if name == "sum_with_error":
        return _sum_with_error(dtype)
    op = next((op for op, fold in FOLDS.items() if name == f"fold_{fold.name}"), None)
    return None if op is None else _fold(op, dtype)


def _sum_error(dtype: str) -> Function:
    a, b, s, t = (var(name, dtype) for name in "abst")
    body = (Assign("s", a + b), Assign("t", s - a), Return(((a - (s - t)) + (b - t),)))
    pair = (Parameter("a", dtype), Parameter("b", dtype))
    return Function("sum_error", pair, body, "a + b minus its rounded value (TwoSum, Knuth).")


def _sum_with_error(dtype: str) -> Function:
    total, rest = var("total", dtype), var("rest", dtype)
    value = select(apply("eq", rest, rest), total + rest, total)
    pair = (Parameter("total", dtype), Parameter("rest", dtype))
    return Function("sum_with_error", pair, (Return((value,)),), "total + rest; an overflowing total stays as it is.")


def _fold(op: str, dtype: str) -> Function:
    """Halve the block until one term is left; missing terms are neutral."""
    fold = FOLDS[op]
    neutral = -0.0 if op == "sum" else fold.neutral[dtype]
    lane = var("i", "i64")
    fill = Store("terms", (lane,), const(neutral, dtype))
    body: list[Statement] = [Loop("i", var("count", "i64"), integer(BLOCK), (fill,))]
    width = BLOCK // 2
    while width:
        upper = load("terms", (lane + width,), dtype)
        inner: tuple[Statement, ...] = (take_in(op, "terms", (lane,), upper),)
        if not fold.augment:
            inner = (Assign("t", upper), take_in(op, "terms", (lane,), var("t", dtype)))
        loop = Loop("i", integer(0), integer(width), inner, mark="vector")
        body.append(If(var("count", "i64") > width, (loop,)) if width >= _GUARDED else loop)
        width //= 2
    body.append(Return((load("terms", (integer(0),), dtype),)))
    doc = f"Fold ``count`` terms (at most {BLOCK}) pairwise, in place."
    return Function(f"fold_{fold.name}", (Parameter("terms", dtype, 1), Parameter("count", "i64")), tuple(body), doc)
