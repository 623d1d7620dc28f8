"""``python -m tests.bench``: side by side in one process, one thread, after all answers have been compared.

Every figure is the minimum and the median of many repeats taken in turn; what counts is the ratio.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import numpy as np  # noqa: E402  (the number of threads must be set first)

import symgrad as sg  # noqa: E402
from tests.bench import startup, workloads  # noqa: E402


def agree(w: workloads.Workload) -> None:
    """All answers against the first one's."""
    answers = {name: [np.asarray(p, np.float64) for p in run()] for name, run in w.contestants.items()}
    first, *others = answers
    for name in others:
        for a, b in zip(answers[first], answers[name], strict=True):
            scale = max(1.0, float(np.max(np.abs(a))))
            assert np.max(np.abs(a - b)) <= w.tolerance * scale, f"{w.name}: {name} differs from {first}"


def timed(w: workloads.Workload, repeats: int) -> dict[str, list[float]]:
    """Seconds of each contestant, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in w.contestants}
    for _ in range(repeats):
        for name, run in w.contestants.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return times


def call_overhead() -> float:
    """Microseconds of value and gradient of a scalar function of four floats, called from Python."""
    a, b, c, d = sg.symbols("a b c d")
    fn = sg.compile(sg.sin(a * b) + sg.exp(c) * d, wrt=[a, b, c, d])
    fn.value_and_grad(1.0, 2.0, 3.0, 4.0)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(10_000):
            fn.value_and_grad(1.0, 2.0, 3.0, 4.0)
        best = min(best, time.perf_counter() - start)
    return best * 100


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--no-startup", action="store_true", help="leave out the fresh processes")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| workload | contestant | min ms | median ms | its min / ours |\n|---|---|---|---|---|")
    for w in workloads.all_workloads():
        agree(w)
        times = timed(w, options.repeats)
        ours = min(times["symgrad"])
        for name, values in times.items():
            print(
                f"| {w.name} | {name} | {1e3 * min(values):.3f} | {1e3 * median(values):.3f} "
                f"| {min(values) / ours:.2f} |",
                flush=True,
            )
    print(f"\na call with four floats, value and gradient: {call_overhead():.2f} us\n")
    if not options.no_startup:
        print("| start | ratio of minima | median ratio | s | goal |\n|---|---|---|---|---|")
        for what, low, mid, seconds, goal in startup.rows():
            print(f"| {what} | {low:.2f} | {mid:.2f} | {seconds:.2f} | {goal} |")


if __name__ == "__main__":
    main()
