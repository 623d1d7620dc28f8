"""Matrix products in NumPy with the bits of the compiled kernels: chains of fused multiply-adds in one order.

In: arrays as emitted code hands them to ``matmul``. Out: out = a b. Slow, for running a module without Numba and for
testing; ``runtime.products`` replaces it in compiled code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symgrad.runtime.kernels import fma as exact

BLOCK, LANES = 256, 16  # as in ``product_kernels``
_SPLIT = 2.0**27 + 1


def matmul(a: Any, b: Any, out: Any) -> None:
    """out = a @ b, for matrices and vectors."""
    with np.errstate(all="ignore"):
        if a.ndim == 1:
            _times_vector(b.T, a, out)
        elif b.ndim == 1:
            _times_vector(a, b, out)
        elif b.shape[1] == 1:
            _times_vector(a, b[:, 0], out.reshape(-1))
        elif a.shape[0] == 1:
            _times_vector(b.T, a[0], out.reshape(-1))
        else:
            _product(a, b, out)


def _product(a: Any, b: Any, out: Any) -> None:
    """Blocks of the summed index, each a chain, added up."""
    for k0 in range(0, max(1, a.shape[1]), BLOCK):
        part = np.zeros_like(out)
        for k in range(k0, min(k0 + BLOCK, a.shape[1])):
            part = fma(a[:, k, None], b[None, k, :], part)
        out[...] = part if k0 == 0 else out + part


def _times_vector(a: Any, x: Any, out: Any) -> None:
    """out = a x: interleaved chains where rows lie in rows, else one chain."""
    if a.strides[1] != a.itemsize or x.strides[0] != x.itemsize:
        total = np.zeros_like(out)
        for k in range(len(x)):
            total = fma(a[:, k], x[k], total)
        out[...] = total
        return
    lanes = np.zeros((len(out), LANES), out.dtype)
    whole = len(x) // LANES * LANES
    for k in range(0, whole, LANES):
        lanes = fma(a[:, k : k + LANES], x[k : k + LANES], lanes)
    while lanes.shape[1] > 1:
        half = lanes.shape[1] // 2
        lanes = lanes[:, :half] + lanes[:, half:]
    total = lanes[:, 0]
    for k in range(whole, len(x)):
        total = fma(a[:, k], x[k], total)
    out[...] = total


def fma(x: Any, y: Any, z: Any) -> Any:
    """x*y + z element by element, rounded once.

    Maths:   the exact product as u + e, the exact sums t + l = z + e and v + w = u + t; then v + (w + l), where
             w + l is rounded to odd, so that the last rounding is the only one. float32 in float64, likewise
    Source:  Boldo and Melquiond 2008, Emulation of FMA and correctly rounded sums
    """
    x, y, z = np.broadcast_arrays(x, y, z)
    if z.dtype == np.float32:
        wide = x.astype(np.float64) * y
        return _odd(*_sum(wide, z.astype(np.float64))).astype(np.float32)
    u = x * y
    e = _product_error(x, y, u)
    t, low = _sum(z, e)
    v, w = _sum(u, t)
    found = v + _odd(*_sum(w, low))
    found = np.where((x == 0) | (y == 0), u + z, found)
    return np.where(_is_wild(x, y, z, u), _one_by_one(x, y, z, u), found)


def _sum(a: Any, b: Any) -> tuple[Any, Any]:
    """a + b and its rounding error (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _product_error(x: Any, y: Any, u: Any) -> Any:
    """x*y - u (Dekker)."""
    (p, q), (r, s) = _halves(x), _halves(y)
    return ((p * r - u) + p * s + q * r) + q * s


def _halves(x: Any) -> tuple[Any, Any]:
    c = _SPLIT * x
    high = c - (c - x)
    return high, x - high


def _odd(s: Any, error: Any) -> Any:
    """The sum s + error rounded to odd: where it is inexact, the neighbour whose last bit is 1."""
    s = np.ascontiguousarray(s)
    even = (s.view(np.int64) & 1) == 0
    away = np.nextafter(s, np.copysign(np.inf, error))
    return np.where((error != 0) & even & np.isfinite(s), away, s)


def _is_wild(x: Any, y: Any, z: Any, u: Any) -> Any:
    """Where something overflows or loses bits on the way."""
    far = np.logical_or.reduce([~(np.abs(v) <= 2.0**900) for v in (x, y, z, u)])
    tiny = np.logical_or.reduce([np.abs(v) < 2.0**-900 for v in (x, y, u)])
    return far | (tiny & (x != 0) & (y != 0))


def _one_by_one(x: Any, y: Any, z: Any, u: Any) -> Any:
    """The same by exact integers, where it must be."""
    found = np.array(z)
    for place in np.argwhere(_is_wild(x, y, z, u)):
        at = tuple(place)
        found[at] = exact(x[at], y[at], z[at])
    return found
