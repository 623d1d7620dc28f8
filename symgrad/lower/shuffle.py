"""Random orders in the loop program, computed where they are used: a function of seed and epoch alone."""

from __future__ import annotations

from symgrad.ir.expression import Expr, call, const, length, load, var
from symgrad.ir.program import Assign, Function, Loop, Parameter, Return, Store

DOMAIN = 0x53687566666C65  # sets these keys apart from those that ``mix`` gives to other uses of seed and epoch
NAME = "permutation"


def permutation() -> Function:
    """``permutation(order, seed, epoch)`` fills an int64 vector with 0, ..., n-1 in random order; n up to 2^31.

    Maths:   for i = 0, ..., n-1:  j = (32 random bits)(i+1) >> 32;  order[i] = order[j];  order[j] = i.
             Each order has the probability 1/n!, but for the rounding of j: relative n/2^32 at most
    Source:  Fisher and Yates 1938, in the inside-out form of Knuth, TAOCP 2, 3.4.2; Lemire 2019 for j
    """
    seed, epoch, key, i, j = (var(name, "i64") for name in ("seed", "epoch", "key", "i", "j"))
    bits = (_hash("random_bits", key, i) >> 32) & (2**32 - 1)
    step = (
        Assign("j", (bits * (i + 1)) >> 32),
        Store("order", (i,), load("order", (j,), "i64")),
        Store("order", (j,), i),
    )
    body = (
        Assign("key", _hash("mix", _hash("mix", seed, epoch), const(DOMAIN, "i64"))),
        Loop("i", const(0, "i64"), length("order", 0), step),
        Return(()),
    )
    formal = (Parameter("order", "i64", 1), Parameter("seed", "i64"), Parameter("epoch", "i64"))
    return Function(NAME, formal, body, "Fill ``order`` with 0, ..., n-1 in an order that seed and epoch give.")


def _hash(name: str, a: Expr, b: Expr) -> Expr:
    return call(name, (a, b), "i64")
