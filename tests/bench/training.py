"""``python -m tests.bench.training``: a training step side by side in one process, one thread: symgrad's compiled loop,
NumPy by hand, PyTorch eager and JAX stepping from Python and in a scan (where installed).

All weights after some steps are compared first. Minimum of several runs; what counts is the ratio.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np  # noqa: E402  (the number of threads must be set first)

import symgrad as sg  # noqa: E402
from symgrad.train.loop import Course  # noqa: E402

RATE = 1e-3
#       name                          sizes           batch  activation  loss
NETS = [
    ("1000-100-10, 64", (1000, 100, 10), 64, "sigmoid", "mse"),
    ("784-128-10, 128", (784, 128, 10), 128, "relu", "categorical_crossentropy"),
    ("8-32-1, 32", (8, 32, 1), 32, "tanh", "mse"),
    ("2-3-1, 3", (2, 3, 1), 3, "sigmoid", "mse"),
]
SLOPES = {"sigmoid": lambda a: a * (1 - a), "relu": lambda a: a > 0, "tanh": lambda a: 1 - a * a}
APPLY = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}
Stepper = Callable[[int], list[np.ndarray]]


def data_of(sizes: tuple[int, ...], batch: int) -> tuple[np.ndarray, np.ndarray]:
    """Twenty batches of inputs and targets (rows of targets sum to 1)."""
    rng = np.random.default_rng(0)
    rows = 20 * batch
    y = rng.random((rows, sizes[-1]))
    return rng.random((rows, sizes[0])).astype(np.float32), (y / y.sum(1, keepdims=True)).astype(np.float32)


def ours(net: tuple) -> Stepper:
    """The compiled loop, called once for all steps."""
    _, sizes, batch, activation, loss = net
    X, y = data_of(sizes, batch)
    layers = [sg.nn.Dense(sizes[1], activation=activation), sg.nn.Dense(sizes[2])]
    model = sg.nn.Sequential(layers, input_shape=(sizes[0],), dtype="float32")
    model.compile(sg.optimizers.SGD(RATE), loss=loss, from_logits=loss != "mse")
    loop, start = model.loop(False, False), [a.copy() for a in model._weights.arrays]

    def run(steps: int) -> list[np.ndarray]:
        state = [a.copy() for a in start]
        clock = loop.clock(len(X))
        assert loop.run(Course(len(X), batch), clock, ((X, y), 0), state, (steps, RATE)) == -1
        return state

    run.start = start  # type: ignore[attr-defined]
    return run


def numpy_by_hand(net: tuple, start: list[np.ndarray]) -> Stepper:
    """The textbook's lines."""
    _, sizes, batch, activation, loss = net
    X, y = data_of(sizes, batch)

    def run(steps: int) -> list[np.ndarray]:
        W1, b1, W2, b2 = (a.copy() for a in start)
        for k in range(steps):
            at = slice(k % 20 * batch, k % 20 * batch + batch)
            a = APPLY[activation](X[at] @ W1 + b1)
            z = a @ W2 + b2
            if loss == "mse":
                g = 2 * (z - y[at]) / np.float32(z.size)
            else:
                e = np.exp(z - z.max(1, keepdims=True))
                g = (e / e.sum(1, keepdims=True) - y[at]) / np.float32(batch)
            h = (g @ W2.T) * SLOPES[activation](a)
            for w, d in ((W2, a.T @ g), (b2, g.sum(0)), (W1, X[at].T @ h), (b1, h.sum(0))):
                w -= np.float32(RATE) * d
        return [W1, b1, W2, b2]

    return run


def pytorch(net: tuple, start: list[np.ndarray]) -> Stepper | None:
    """Eager PyTorch."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    _, sizes, batch, activation, loss = net
    X, y = (torch.from_numpy(a) for a in data_of(sizes, batch))
    cost = torch.nn.functional.mse_loss if loss == "mse" else torch.nn.functional.cross_entropy

    def run(steps: int) -> list[np.ndarray]:
        W1, b1, W2, b2 = weights = [torch.tensor(a, requires_grad=True) for a in start]
        optimizer = torch.optim.SGD(weights, lr=RATE)
        for k in range(steps):
            at = slice(k % 20 * batch, k % 20 * batch + batch)
            optimizer.zero_grad()
            cost(getattr(torch, activation)(X[at] @ W1 + b1) @ W2 + b2, y[at]).backward()
            optimizer.step()
        return [w.detach().numpy() for w in weights]

    return run


def jax_steps(net: tuple, start: list[np.ndarray]) -> Stepper | None:
    """JAX, one compiled step called from Python."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    _, sizes, batch, activation, loss = net
    X, y = (jnp.asarray(a) for a in data_of(sizes, batch))
    f = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}[activation]

    def cost(weights, a, b):
        W1, b1, W2, b2 = weights
        z = f(a @ W1 + b1) @ W2 + b2
        return jnp.mean((z - b) ** 2) if loss == "mse" else -jnp.mean(jnp.sum(b * jax.nn.log_softmax(z), axis=1))

    @jax.jit
    def step(weights, a, b):
        return [w - RATE * g for w, g in zip(weights, jax.grad(cost)(weights, a, b), strict=True)]

    batches = [(X[k * batch : (k + 1) * batch], y[k * batch : (k + 1) * batch]) for k in range(20)]

    def run(steps: int) -> list[np.ndarray]:
        weights = [jnp.asarray(a) for a in start]
        for k in range(steps):
            weights = step(weights, *batches[k % 20])
        return [np.asarray(w) for w in weights]

    return run


def main() -> None:
    """Print the table."""
    print("| network, batch | contestant | us a step | ratio to ours |\n|---|---|---|---|")
    for net in NETS:
        own = ours(net)
        start = own.start  # type: ignore[attr-defined]
        peers = {"NumPy by hand": numpy_by_hand, "PyTorch eager": pytorch, "JAX step by step": jax_steps}
        found = {name: make(net, start) for name, make in peers.items()}
        runners = {"symgrad": own, **{name: run for name, run in found.items() if run is not None}}
        wanted = own(20)
        for run in runners.values():
            for a, b in zip(wanted, run(20), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
        best = dict.fromkeys(runners, float("inf"))
        for _ in range(7):
            for name, run in runners.items():
                steps = 100 if net[1][0] > 100 else 2000 if name != "symgrad" else 20_000
                begun = time.perf_counter()
                run(steps)
                best[name] = min(best[name], (time.perf_counter() - begun) / steps)
        for name, seconds in best.items():
            print(f"| {net[0]} | {name} | {1e6 * seconds:.2f} | {seconds / best['symgrad']:.2f} |", flush=True)


if __name__ == "__main__":
    main()
