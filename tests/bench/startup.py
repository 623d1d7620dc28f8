"""What starting costs: ratios of whole fresh processes, each against its yardstick, measured in turn."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from statistics import median

EMPTY = """
import time, numpy, sympy
from numba import njit
t = time.perf_counter()
@njit({cache})
def f(x):
    return x
f(1.0)
print(time.perf_counter() - t)
"""
GATES = """
import time, numpy, sympy, numba
t = time.perf_counter()
import symgrad as sg
x, y, z = sg.symbols("x y z")
sg.compile((x + y) * z, wrt=[x, y, z]).value_and_grad(1.0, 2.0, 3.0)
print(time.perf_counter() - t)
"""
DIGITS = """
import time, numpy as np, sympy, numba
t = time.perf_counter()
import symgrad as sg
X, Y = sg.input("X", ("n", 64)), sg.input("Y", ("n", 10))
W1, b1 = sg.parameter("W1", (64, 64)), sg.parameter("b1", (64,))
W2, b2 = sg.parameter("W2", (64, 10)), sg.parameter("b2", (10,))
J = -sg.mean(sg.sum(Y * sg.log_softmax(sg.relu(X @ W1 + b1) @ W2 + b2), axis=1))
fn = sg.compile(J)
fn.value_and_grad(np.ones((8, 64)), np.eye(10)[:8], np.ones((64, 64)), np.ones(64), np.ones((64, 10)), np.ones(10))
print(time.perf_counter() - t)
"""
IMPORT = "import time; t = time.perf_counter(); import {what}; print(time.perf_counter() - t)"


def seconds(code: str, cache: str) -> float:
    """What the process printed."""
    environment = {**os.environ, "SYMGRAD_CACHE_DIR": cache, "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages have theirs: compare like with like
    with tempfile.NamedTemporaryFile("w", suffix=".py", dir=cache, delete=False) as file:
        file.write(code)
    done = subprocess.run([sys.executable, file.name], capture_output=True, text=True, env=environment, check=True)
    return float(done.stdout.split()[-1])


def ratio(code: str, yardstick: str, repeats: int, warm: bool) -> tuple[float, float, float]:
    """(ratio of minima, median of ratios pair by pair, seconds): cold (a new cache each time) or from a warm cache."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as kept:
        os.chmod(kept, 0o700)
        for _ in range(repeats + warm):
            with tempfile.TemporaryDirectory() as fresh:
                cache = kept if warm else fresh
                ours.append(seconds(code, cache))
                theirs.append(seconds(yardstick, cache))
    ours, theirs = ours[warm:], theirs[warm:]
    return min(ours) / min(theirs), median(a / b for a, b in zip(ours, theirs, strict=True)), min(ours)


def rows(repeats: int = 5) -> list[tuple[str, float, float, float, str]]:
    """(what, ratio of minima, median ratio, seconds, goal)."""
    start = time.perf_counter()
    table = [
        (
            "import symgrad / import sympy, numpy",
            *ratio(IMPORT.format(what="symgrad"), IMPORT.format(what="sympy, numpy"), repeats, False),
            "1.6",
        ),
        ("(x+y)z with gradient / empty @njit, cold", *ratio(GATES, EMPTY.format(cache=""), repeats, False), "2"),
        (
            "(x+y)z with gradient / empty @njit, cached",
            *ratio(GATES, EMPTY.format(cache="cache=True"), repeats, True),
            "2",
        ),
        (
            "digits network with gradient / empty @njit, cold",
            *ratio(DIGITS, EMPTY.format(cache=""), repeats, False),
            "8",
        ),
    ]
    print(f"(startup measured in {time.perf_counter() - start:.0f} s)", file=sys.stderr)
    return table
