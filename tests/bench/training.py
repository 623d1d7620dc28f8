"""``python -m tests.bench.training``: training side by side on one thread: the compiled loop, NumPy by hand, PyTorch
eager and JAX stepping from Python (where installed).

Two tables. *Steps*: all contestants in one process, taken in turn, the minimum of several runs divided by the steps;
before that, all weights after twenty steps are compared. *Processes* (``... processes``): every contestant in a fresh
process, imports and compiling included. What counts are the ratios.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
for _name, _value in ONE_THREAD.items():
    os.environ.setdefault(_name, _value)

import numpy as np  # noqa: E402  (the number of threads must be set first)

RATE = 1e-3
Stepper = Callable[[int], list[np.ndarray]]


@dataclass(frozen=True)
class Net:
    """One row of the tables; ``steps``: how many a whole process takes."""

    sizes: tuple[int, ...]
    batch: int
    rows: int
    activation: str
    loss: str
    optimizer: str
    steps: int

    def __str__(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, batch {self.batch}, {self.optimizer}"


NETS = {
    net.sizes: net
    for net in (
        Net((2, 3, 1), 3, 60, "sigmoid", "mse", "SGD", 200_000),
        Net((8, 32, 1), 32, 640, "tanh", "mse", "SGD", 100_000),
        Net((784, 128, 10), 128, 2560, "relu", "categorical_crossentropy", "SGD", 4000),
        Net((1000, 100, 10), 64, 1280, "sigmoid", "mse", "SGD", 4000),
        Net((4, 32, 16, 4), 10_000, 10_000, "relu", "categorical_crossentropy", "Adam", 500),
    )
}
SLOPES = {"sigmoid": lambda a: a * (1 - a), "relu": lambda a: a > 0, "tanh": lambda a: 1 - a * a}
APPLY = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "relu": lambda z: np.maximum(z, 0), "tanh": np.tanh}


def data_of(net: Net) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets (rows of targets sum to 1)."""
    rng = np.random.default_rng(0)
    y = rng.random((net.rows, net.sizes[-1]))
    return rng.random((net.rows, net.sizes[0])).astype(np.float32), (y / y.sum(1, keepdims=True)).astype(np.float32)


def start_of(net: Net) -> list[np.ndarray]:
    """Weights and biases to begin with, layer by layer."""
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(size=s) * np.sqrt(1 / s[0]), np.zeros(s[1])) for s in pairwise(net.sizes)]
    return [a.astype(np.float32) for pair in pairs for a in pair]


def slices(net: Net, steps: int) -> list[slice]:
    """The batch of every step, in the order of the rows."""
    per_epoch = net.rows // net.batch
    return [slice(k % per_epoch * net.batch, (k % per_epoch + 1) * net.batch) for k in range(steps)]


def symgrad(net: Net) -> Stepper:
    """The compiled loop, called once for all steps."""
    import symgrad as sg
    from symgrad.train.loop import Course

    X, y = data_of(net)
    layers = [sg.nn.Dense(n, activation=net.activation) for n in net.sizes[1:-1]]
    model = sg.nn.Sequential([*layers, sg.nn.Dense(net.sizes[-1])], input_shape=net.sizes[:1], dtype="float32")
    model.compile(getattr(sg.optimizers, net.optimizer)(RATE), loss=net.loss, from_logits=net.loss != "mse")
    loop = model.loop(False, False)

    def run(steps: int) -> list[np.ndarray]:
        weights = start_of(net)
        state = [*weights, *model._fresh_slots().arrays]
        assert loop.run(Course(len(X), net.batch), loop.clock(len(X)), ((X, y), 0), state, (steps, RATE)) == -1
        return state[: len(weights)]

    return run


def gradients_by_hand(net: Net, w: list[np.ndarray], X: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """The textbook's lines."""
    a = [X]
    for k in range(0, len(w) - 2, 2):
        a.append(APPLY[net.activation](a[-1] @ w[k] + w[k + 1]))
    z = a[-1] @ w[-2] + w[-1]
    if net.loss == "mse":
        delta = 2 * (z - y) / np.float32(z.size)
    else:
        e = np.exp(z - z.max(1, keepdims=True))
        delta = (e / e.sum(1, keepdims=True) - y) / np.float32(len(y))
    found = []
    for k in range(len(w) - 2, -1, -2):
        found = [a[k // 2].T @ delta, delta.sum(0), *found]
        if k:
            delta = (delta @ w[k].T) * SLOPES[net.activation](a[k // 2])
    return found


def numpy_by_hand(net: Net) -> Stepper:
    """NumPy, updated in place."""
    X, y = data_of(net)

    def run(steps: int) -> list[np.ndarray]:
        w = start_of(net)
        m, v = ([np.zeros_like(a) for a in w] for _ in range(2))
        for t, at in enumerate(slices(net, steps), 1):
            g = gradients_by_hand(net, w, X[at], y[at])
            if net.optimizer == "SGD":
                for a, d in zip(w, g, strict=True):
                    a -= np.float32(RATE) * d
                continue
            rate = np.float32(RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
            for a, d, mean, square in zip(w, g, m, v, strict=True):
                mean += np.float32(0.1) * (d - mean)
                square += np.float32(0.001) * (d * d - square)
                a -= rate * mean / (np.sqrt(square) + np.float32(1e-7))
        return w

    return run


def pytorch(net: Net) -> Stepper:
    """Eager PyTorch."""
    import torch

    torch.set_num_threads(1)
    X, y = (torch.from_numpy(a) for a in data_of(net))
    cost = torch.nn.functional.mse_loss if net.loss == "mse" else torch.nn.functional.cross_entropy
    activation = getattr(torch, net.activation)

    def run(steps: int) -> list[np.ndarray]:
        w = [torch.tensor(a, requires_grad=True) for a in start_of(net)]
        optimizer = getattr(torch.optim, net.optimizer)(w, lr=RATE)
        for at in slices(net, steps):
            optimizer.zero_grad()
            a = X[at]
            for k in range(0, len(w) - 2, 2):
                a = activation(a @ w[k] + w[k + 1])
            cost(a @ w[-2] + w[-1], y[at]).backward()
            optimizer.step()
        return [a.detach().numpy() for a in w]

    return run


def jax_steps(net: Net) -> Stepper:
    """JAX, one compiled step called from Python."""
    import jax
    import jax.numpy as jnp

    X, y = (jnp.asarray(a) for a in data_of(net))
    activation = {"sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "tanh": jnp.tanh}[net.activation]

    def cost(w, a, b):
        for k in range(0, len(w) - 2, 2):
            a = activation(a @ w[k] + w[k + 1])
        z = a @ w[-2] + w[-1]
        return jnp.mean((z - b) ** 2) if net.loss == "mse" else -jnp.mean(jnp.sum(b * jax.nn.log_softmax(z), axis=1))

    @jax.jit
    def sgd(w, m, v, t, a, b):
        return [p - RATE * g for p, g in zip(w, jax.grad(cost)(w, a, b), strict=True)], m, v

    @jax.jit
    def adam(w, m, v, t, a, b):
        g = jax.grad(cost)(w, a, b)
        m = [p + 0.1 * (d - p) for p, d in zip(m, g, strict=True)]
        v = [p + 0.001 * (d * d - p) for p, d in zip(v, g, strict=True)]
        rate = RATE * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        return [p - rate * a / (jnp.sqrt(b) + 1e-7) for p, a, b in zip(w, m, v, strict=True)], m, v

    step = {"SGD": sgd, "Adam": adam}[net.optimizer]
    batches = [(X[at], y[at]) for at in slices(net, net.rows // net.batch)]

    def run(steps: int) -> list[np.ndarray]:
        w = [jnp.asarray(a) for a in start_of(net)]
        m, v = ([jnp.zeros_like(a) for a in w] for _ in range(2))
        for k in range(steps):
            w, m, v = step(w, m, v, k + 1.0, *batches[k % len(batches)])
        return [np.asarray(a) for a in w]

    return run


PEERS = {"symgrad": symgrad, "NumPy by hand": numpy_by_hand, "PyTorch eager": pytorch, "JAX step by step": jax_steps}


def present(net: Net) -> dict[str, Stepper]:
    """The contestants that are installed; all of them reach the same weights."""
    runners = {}
    for name, make in PEERS.items():
        try:
            runners[name] = make(net)
        except ImportError:
            print(f"({name} is not installed)", file=sys.stderr)
    wanted = runners["NumPy by hand"](20)
    for name, run in runners.items():
        # PyTorch's Adam adds epsilon after the correction of the second moment: weights with tiny gradients differ
        allowed = 2e-2 if (name, net.optimizer) == ("PyTorch eager", "Adam") else 2e-5
        for a, b in zip(wanted, run(20), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=allowed)
    return runners


def steps_table() -> None:
    """Microseconds of a step."""
    print("| network | contestant | us a step | ratio to ours |\n|---|---|---|---|")
    for net in NETS.values():
        runners = present(net)
        best = dict.fromkeys(runners, float("inf"))
        for _ in range(7):
            for name, run in runners.items():
                steps = net.steps // 40 if name != "symgrad" else net.steps // 10
                begun = time.perf_counter()
                run(steps)
                best[name] = min(best[name], (time.perf_counter() - begun) / steps)
        for name, seconds in best.items():
            print(f"| {net} | {name} | {1e6 * seconds:.2f} | {seconds / best['symgrad']:.2f} |", flush=True)


def process(name: str, sizes: str, cache: str) -> float:
    """Seconds of a whole process."""
    command = [sys.executable, "-m", "tests.bench.training", "one", name, sizes]
    begun = time.perf_counter()
    subprocess.run(command, check=True, env={**os.environ, "XDG_CACHE_HOME": cache})
    return time.perf_counter() - begun


def processes_table(repeats: int = 3) -> None:
    """Seconds of whole processes; symgrad with an empty cache and with a filled one."""
    print("| network | contestant | s a process | ratio to ours, cached |\n|---|---|---|---|")
    for net in NETS.values():
        sizes, names = "-".join(map(str, net.sizes)), list(present(net))
        with tempfile.TemporaryDirectory() as kept:
            process("symgrad", sizes, kept)
            best = dict.fromkeys([*names, "symgrad, empty cache"], float("inf"))
            for _ in range(repeats):
                for name in best:
                    with tempfile.TemporaryDirectory() as empty:
                        cache = empty if "empty" in name else kept
                        best[name] = min(best[name], process(name.partition(",")[0], sizes, cache))
        for name, seconds in best.items():
            print(
                f"| {net}, {net.steps} steps | {name} | {seconds:.2f} | {seconds / best['symgrad']:.2f} |", flush=True
            )


def main() -> None:
    """Print a table, or be one of the processes."""
    match sys.argv[1:]:
        case []:
            steps_table()
        case ["processes"]:
            processes_table()
        case ["one", name, sizes]:
            net = NETS[tuple(map(int, sizes.split("-")))]
            PEERS[name](net)(net.steps)


if __name__ == "__main__":
    main()
