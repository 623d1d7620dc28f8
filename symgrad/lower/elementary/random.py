"""Counter-based random numbers: a hash of (key, counter), in 64-bit integers that wrap around.

Integers are signed, so a right shift is followed by a mask. The fraction is put into the mantissa of a number in
[1, 2), which is vector code, unlike the conversion of 64-bit integers; its 53rd bit is added behind.
"""

from __future__ import annotations

from symgrad.ir.expression import Expr, apply, select
from symgrad.lower.elementary.draft import Draft, Row, from_bits
from symgrad.ops.random import GOLDEN, SOURCE, STEPS, signed

ONE = 0x3FF << 52  # the bits of 1.0
BIG = 0x433 << 52  # those of 2^52, where the last bit of the mantissa is 1


def shifted(z: Expr, places: int) -> Expr:
    """A right shift that brings in zeros."""
    return (z >> places) & ((1 << (64 - places)) - 1)


def _hashed(d: Draft, key: Expr, counter: Expr | None = None) -> Expr:
    """splitmix64's finaliser of key + (counter + 1) golden; the counter is 0 if none is given."""
    z = d.let("z", key + (signed(GOLDEN) if counter is None else (counter + 1) * signed(GOLDEN)))
    for shift, factor in STEPS:
        mixed = z ^ shifted(z, shift)
        z = d.let("z", mixed if factor == 1 else mixed * signed(factor))
    return z


def random_bits(d: Draft, key: Expr, counter: Expr) -> Expr:
    """64 random bits."""
    return _hashed(d, key, counter)


def mix(d: Draft, a: Expr, b: Expr) -> Expr:
    """A key from two integers: the second counts in the stream of the first, hashed."""
    return _hashed(d, _hashed(d, a), b)


def uniform_bits(d: Draft, key: Expr, counter: Expr) -> Expr:
    """The top 53 bits as a fraction, in float32 the top 24: exact, so never 1."""
    z = _hashed(d, key, counter)
    if d.dtype == "f32":
        return apply("narrow", (from_bits(shifted(z, 40) | BIG) - 2.0**52) * 2.0**-24)
    last = select(apply("ne", z & (1 << 11), 0), d.real(2.0**-53), d.real(0.0))
    return from_bits(shifted(z, 12) | ONE) - 1.0 + last


_STREAM = (("key", "i64"), ("counter", "i64"))
ROWS = (
    Row("random_bits", random_bits, SOURCE, takes=_STREAM),
    Row("mix", mix, SOURCE, takes=(("a", "i64"), ("b", "i64"))),
    Row("uniform_bits", uniform_bits, SOURCE, takes=_STREAM),
)
