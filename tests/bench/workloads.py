"""Workloads: each builds its contestants, which must agree before they are timed.

A contestant is a function of no arguments that computes value and gradient and returns them as flat arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

import symgrad as sg

try:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
except ImportError:
    jax = None

Contestant = Callable[[], list[np.ndarray]]


@dataclass(frozen=True)
class Workload:
    """A name, what is computed, the contestants, and how far answers may differ (relative)."""

    name: str
    what: str
    contestants: dict[str, Contestant]
    tolerance: float


def flat(*parts: Any) -> list[np.ndarray]:
    """Results as float64 arrays."""
    return [np.asarray(p, np.float64) for p in parts]


def chain(m: Any, a: Any, b: Any) -> Any:
    """Twenty element-wise operations in the functions of module ``m``."""
    return m.log1p(m.exp(-a * b)) * m.tanh(a + b * b) + m.sqrt(1 + a * a) * m.exp(-b * b) + m.sin(a * b) * (a - b)


def chain_by_hand(a: np.ndarray, b: np.ndarray) -> list[np.ndarray]:
    """Value and both partials, each shared term once: what a careful NumPy user writes."""
    ab, bb = a * b, b * b
    e, t, r, g = np.exp(-ab), np.tanh(a + bb), np.sqrt(1 + a * a), np.exp(-bb)
    s, c, d, h = np.sin(ab), np.cos(ab), a - b, np.log1p(e)
    slope, dt = -e / (1 + e), 1 - t * t
    da = slope * b * t + h * dt + a / r * g + c * b * d + s
    db = slope * a * t + h * dt * 2 * b - 2 * b * r * g + c * a * d - s
    return [h * t + r * g + s * d, da, db]


def elementwise(dtype: str) -> Workload:
    """E1: value and both partials of the chain over a million elements."""
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 1_000_000)).astype(dtype)
    a, b = sg.symbols("a b")
    fn = sg.compile(chain(sg, a, b), wrt=[a, b], dtype=dtype)
    u, v = sp.symbols("u v")
    names = type(
        "m", (), {"log1p": lambda x: sp.log(1 + x), "exp": sp.exp, "tanh": sp.tanh, "sqrt": sp.sqrt, "sin": sp.sin}
    )
    f = chain(names, u, v)
    lambdified = sp.lambdify([u, v], [f, f.diff(u), f.diff(v)], modules="numpy", cse=True)
    contestants: dict[str, Contestant] = {
        "symgrad": lambda: (lambda r: [r[0], *r[1]])(fn.value_and_grad(A, B)),
        "NumPy by hand": lambda: chain_by_hand(A, B),
        "SymPy lambdify": lambda: lambdified(A, B),
    }
    if jax is not None:
        pull = jax.jit(lambda p, q: (chain(jnp, p, q), *jax.vjp(lambda *x: chain(jnp, *x), p, q)[1](jnp.ones_like(p))))
        P, Q = jnp.asarray(A), jnp.asarray(B)
        contestants["JAX"] = lambda: [x.block_until_ready() for x in pull(P, Q)]
    return Workload(
        f"chain {dtype}",
        "20 element-wise operations, value and 2 partials, 1e6 elements",
        contestants,
        2e-4 if dtype == "float32" else 1e-9,
    )


def logistic() -> Workload:
    """L1: gradient of logistic regression, 1000 x 500."""
    rng = np.random.default_rng(1)
    data, target, weights = (
        rng.normal(size=(1000, 500)),
        rng.integers(0, 2, 1000).astype(float),
        rng.normal(size=500) * 0.1,
    )
    X, y, w = sg.input("X", ("n", 500)), sg.input("y", ("n",)), sg.parameter("w", (500,))
    z = X @ w
    fn = sg.compile(sg.mean(sg.softplus(z) - y * z), wrt=w)

    def by_hand() -> list[np.ndarray]:
        z = data @ weights
        p = 1 / (1 + np.exp(-z))
        return [np.mean(np.logaddexp(0, z) - target * z), data.T @ (p - target) / len(target)]

    contestants: dict[str, Contestant] = {
        "symgrad": lambda: flat(*fn.value_and_grad(data, target, weights)),
        "NumPy by hand": by_hand,
    }
    if jax is not None:
        D, T, W = jnp.asarray(data), jnp.asarray(target), jnp.asarray(weights)
        step = jax.jit(jax.value_and_grad(lambda w, X, y: jnp.mean(jax.nn.softplus(X @ w) - y * (X @ w))))
        contestants["JAX"] = lambda: [x.block_until_ready() for x in step(W, D, T)]
    return Workload("logistic", "logistic regression, loss and gradient, 1000 x 500", contestants, 1e-9)


def two_layers() -> Workload:
    """One step of worked example 8: 64 x 1000-100-10, sigmoid, squared error, float32."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(64, 1000)).astype("f4"), rng.normal(size=(64, 10)).astype("f4")
    w1, w2 = rng.normal(size=(1000, 100)).astype("f4") * np.float32(0.1), rng.normal(size=(100, 10)).astype("f4")
    X, y = sg.input("X", ("n", 1000)), sg.input("y", ("n", 10))
    W1, W2 = sg.parameter("W1", (1000, 100)), sg.parameter("W2", (100, 10))
    fn = sg.compile(sg.sum((sg.sigmoid(X @ W1) @ W2 - y) ** 2), wrt=[W1, W2], dtype="float32")

    def by_hand() -> list[np.ndarray]:
        h = 1 / (1 + np.exp(-(x @ w1)))
        e = h @ w2 - t
        g = 2 * e
        gh = g @ w2.T
        return [np.square(e).sum(), x.T @ (gh * h * (1 - h)), h.T @ g]

    contestants: dict[str, Contestant] = {
        "symgrad": lambda: (lambda r: [np.asarray(r[0]), *r[1]])(fn.value_and_grad(x, t, w1, w2)),
        "NumPy by hand": by_hand,
    }
    if jax is not None:
        args = [jnp.asarray(v) for v in (w1, w2, x, t)]
        step = jax.jit(
            jax.value_and_grad(lambda a, b, X, y: jnp.sum((jax.nn.sigmoid(X @ a) @ b - y) ** 2), argnums=(0, 1))
        )
        contestants["JAX"] = lambda: [p.block_until_ready() for p in jax.tree.leaves(step(*args))]
    return Workload("two layers", "loss and gradient, 1000-100-10, batch 64, float32", contestants, 1e-3)


def all_workloads() -> list[Workload]:
    """Every workload, built."""
    return [elementwise("float64"), elementwise("float32"), logistic(), two_layers()]
