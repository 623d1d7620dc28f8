"""Counter-based random numbers: element i of a stream is a hash of (key, i), so nothing is carried from step to step.

    random_bits(key, i) = finaliser(key + (i+1) g)       g = 2^64/golden ratio, all modulo 2^64
    mix(a, b)           = random_bits(random_bits(a, 0), b)
    uniform_bits        = the top 53 bits (24 in float32) as a fraction in [0, 1)

Keys and counters are integers; derivatives are 0. Source: Steele, Lea, Flood 2014, Fast splittable pseudorandom
number generators (splitmix64; the finaliser is Stafford's variant 13).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from symgrad.ir.expression import Expr, call
from symgrad.ir.node import Node, build, constant
from symgrad.ir.types import Shape
from symgrad.ops.registry import Elementwise, register_row
from symgrad.ops.shape import reshape

GOLDEN = 0x9E3779B97F4A7C15
# (right shift, factor) of the finaliser; the last step only shifts.
STEPS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))
WORD = 1 << 64
SOURCE = "splitmix64: Steele, Lea, Flood 2014"


def signed(word: int) -> int:
    """The 64-bit integer with those bits.

    >>> signed(2**64 - 1)
    -1
    """
    return (word & (WORD - 1)) - ((word << 1) & WORD)


def random_bits(key: Any, counter: Any) -> Any:
    """64 random bits for each pair, as NumPy's int64.

    >>> int(random_bits(0, 0)) == signed(0xE220A8397B1DCDAF)  # the first output of splitmix64 seeded with 0
    True
    """
    with np.errstate(over="ignore"):  # scalars warn where arrays wrap
        z = np.asarray(counter, np.int64).astype(np.uint64) + np.uint64(1)
        z = np.asarray(key, np.int64).astype(np.uint64) + z * np.uint64(GOLDEN)
        for shift, factor in STEPS:
            z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z.astype(np.int64)


def mix(a: Any, b: Any) -> Any:
    """A key from two integers (a seed and a step, a key and a layer's number), as NumPy's int64."""
    return random_bits(random_bits(a, 0), b)


def uniform_bits(key: Any, counter: Any) -> Any:
    """Numbers in [0, 1), multiples of 2^-53."""
    return (random_bits(key, counter).astype(np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _bits(key: sp.Integer, counter: sp.Integer) -> int:
    """``random_bits`` of exact integers."""
    z = (int(key) + (int(counter) + 1) * GOLDEN) % WORD
    for shift, factor in STEPS:
        z = (z ^ (z >> shift)) * factor % WORD
    return z


class Mix(sp.Function):
    """``mix`` of two integers; of symbols it stays as it is."""

    nargs = 2

    @classmethod
    def eval(cls, a: sp.Expr, b: sp.Expr) -> sp.Expr | None:
        """The integer, where both are known."""
        return sp.Integer(signed(_bits(sp.Integer(_bits(a, sp.S.Zero)), b))) if a.is_Integer and b.is_Integer else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """A hash has the derivative 0."""
        return sp.S.Zero


class Uniform(sp.Function):
    """``uniform_bits`` of two integers; of symbols it stays as it is."""

    nargs = 2

    @classmethod
    def eval(cls, key: sp.Expr, counter: sp.Expr) -> sp.Expr | None:
        """The fraction, where both are known."""
        return sp.Rational(_bits(key, counter) >> 11, 2**53) if key.is_Integer and counter.is_Integer else None

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """A hash has the derivative 0."""
        return sp.S.Zero


def _none(*_: Node) -> None:
    """The derivative of a hash."""


def _mix_code(a: Expr, b: Expr) -> Expr:
    return call("mix", (a, b), "i64")


def _uniform_code(key: Expr, counter: Expr, dtype: str) -> Expr:
    return call("uniform_bits", (key, counter), dtype)


_PAIRS = ((0, 0), (1, 5), (-3, 7), (2**62, 2**40))
TABLE = [
    Elementwise(
        "mix", 2, Mix, (_none, _none), _mix_code, mix, r"\operatorname{{mix}}\left({0}, {1}\right)", _PAIRS, SOURCE,
        result="same", takes=("int",), precedence="atom",
    ),
    Elementwise(
        "uniform_bits", 2, Uniform, (_none, _none), _uniform_code, uniform_bits,
        r"\operatorname{{uniform}}\left({0}, {1}\right)", _PAIRS, SOURCE,
        takes=("int",), precedence="atom", typed=True,
    ),
]  # fmt: skip
for _row in TABLE:
    register_row(_row)


def split(key: Node, number: int | Node) -> Node:
    """A key of its own for each number (a layer's), from an integer scalar key."""
    return build("mix", key, number if isinstance(number, Node) else constant(number, "int"))


def uniform(key: Node, shape: Shape) -> Node:
    """Independent numbers in [0, 1); the counter is the flat index in C order.

    Maths:   u_ij = uniform_bits(key, m i + j) for a shape (n, m)
    Shapes:  key (), result ``shape``
    """
    counter: Node = constant(0, "int")
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        behind = len(shape) - 1 - axis
        own = reshape(build("iota", size=n), (n, *(1,) * behind))
        counter = own if not counter.shape else build("add", build("mul", counter, _size(n)), own)
    drawn = build("uniform_bits", key, counter)
    return reshape(drawn, (*(1,) * (len(shape) - drawn.type.rank), *drawn.shape))


def _size(n: Any) -> Node:
    return constant(n, "int") if isinstance(n, int) else build("size", size=n)
