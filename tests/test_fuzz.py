"""Random graphs: every way of computing a value and a gradient agrees, within what rounding allows.

For each graph: the emitted module (``value``, ``forward`` and ``backward``, ``value_and_grad``, run as plain Python)
against the references of the ops, node by node on the graph as it was written (nothing simplified, nothing shared), in
reverse and by the forward sweep, at two sets of sizes, and against central differences along a random direction.
Two graphs in EVERY, one of arrays and one of scalars, are compiled too: their machine code, and that read back from
the cache, give the bits of plain Python, and ``fn.check`` finds no fault.

SYMGRAD_FUZZ=10000 sets how many graphs, SYMGRAD_FUZZ_SEED the first seed, SYMGRAD_FUZZ_EVERY how many of them are
compiled. A failure names the seed of its graph: ``tests.fuzz.graph(seed)`` is that graph again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.api.bundle import Bundle
from symgrad.api.function import CompiledFunction
from symgrad.frontend.tensor import Tensor
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Node, constant
from symgrad.ir.walk import topological
from symgrad.ops.registry import ROWS
from symgrad.passes.differentiate import gradient, pushforward
from symgrad.runtime.load import load
from tests.fuzz import ERROR_ROWS, LARGER, Graph, graph
from tests.lower.graphs import declare
from tests.rounding import spread

COUNT = int(os.environ.get("SYMGRAD_FUZZ", "200"))
FIRST = int(os.environ.get("SYMGRAD_FUZZ_SEED", "0"))
CHUNK = 10
EVERY = int(os.environ.get("SYMGRAD_FUZZ_EVERY", "20"))
ULP = 2.0**-52
TINY = 2.0**-1000  # subnormal numbers have no relative accuracy
ROUNDINGS = 32  # of the size that ``spread`` measures: other orders of sums, other forms of one formula
RESOLVED = 1e-7  # of a slope, by differences that decide
UNSAID = {"numbers": 0, "beyond rounding": 0, "directions": 0, "not smooth": 0}


def flat(results: Any) -> list[np.ndarray]:
    """The arrays of a result, in order."""
    return [a for r in results for a in flat(r)] if isinstance(results, (tuple, list)) else [np.asarray(results)]


def same_bits(ours: Any, theirs: Any, what: str) -> None:
    """Equal arrays, bit by bit (any NaN is equal to any)."""
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), what
        same = (a == b) & (np.signbit(a) == np.signbit(b)) | (a != a) & (b != b) if a.dtype.kind == "f" else a == b
        assert np.all(same), (what, a[~same][:3], b[~same][:3])


def near(ours: Any, wanted: Any, allowed: Any, what: str) -> None:
    """Equal within an allowance for each element; where that is infinite nothing can be said."""
    ours, wanted, allowed = np.asarray(ours), np.asarray(wanted), np.asarray(allowed)
    assert ours.shape == wanted.shape, what
    unsaid = ~np.isfinite(allowed) | ~np.isfinite(wanted)
    UNSAID["numbers"] += wanted.size
    UNSAID["beyond rounding"] += int(unsaid.sum())
    with np.errstate(all="ignore"):
        wrong = ~(np.abs(ours - wanted) <= allowed) & ~unsaid
    assert not wrong.any(), (what, ours[wrong][:3], wanted[wrong][:3], allowed[wrong][:3])


class Known:
    """What the references say of a graph, simplified in nothing: f, its gradient, a tangent, and the allowances."""

    def __init__(self, g: Graph, at: Mapping[Node, Any]) -> None:
        rng = np.random.default_rng(g.seed)
        self.graph, self.at = g, at
        self.dots = [rng.normal(size=np.shape(at[x])) for x in g.wrt]
        vectors = [declare(f"dot{i}", *x.shape) for i, x in enumerate(g.wrt)]
        nodes = [g.f, *gradient(g.f, g.wrt), pushforward(g.f, g.wrt, vectors)]
        point = {**at, **dict(zip(vectors, self.dots, strict=True))}
        self.f, *self.gradient, self.tangent = evaluate(nodes, point)
        fixed = [n for n in topological([g.f]) if n.op.name == "stop_gradient"]
        self.stopped = dict(zip(fixed, evaluate(fixed, at), strict=True))  # constant for differences too
        spreads = spread(nodes, point, g.seed)
        values = (self.f, *self.gradient, self.tangent)
        with np.errstate(all="ignore"):
            allowed = [ROUNDINGS * far + 8 * ULP * np.abs(v) + TINY for far, v in zip(spreads, values, strict=True)]
        self.f_allowed, *self.allowed, self.tangent_allowed = allowed

    def agrees(self, value: Any, gradients: Sequence[Any], what: str) -> None:
        """Value and gradient are those of the references; along the direction, the gradient is the tangent."""
        what = f"seed {self.graph.seed}, {what}"
        near(value, self.f, self.f_allowed, f"{what}: value")
        along, slack = 0.0, self.tangent_allowed
        columns = zip(self.graph.wrt, gradients, self.gradient, self.allowed, self.dots, strict=True)
        for x, g, known, allowed, dot in columns:
            near(g, known, allowed, f"{what}: gradient by {x['variable'].name}")
            with np.errstate(all="ignore"):
                along = along + np.sum(np.asarray(g) * dot)
                slack = slack + np.sum(allowed * np.abs(dot)) + 64 * ULP * np.sum(np.abs(np.asarray(g) * dot))
        near(along, self.tangent, slack, f"{what}: forward mode")

    def value_at(self, step: float) -> float:
        """f at the point moved along the direction."""
        moved = {x: self.at[x] + step * d for x, d in zip(self.graph.wrt, self.dots, strict=True)}
        return float(evaluate([self.graph.f], {**self.at, **moved, **self.stopped})[0])

    def slope(self, h: float) -> tuple[float, float]:
        """The slope along the direction by central differences with one extrapolation, and its error."""
        wide, narrow = ((self.value_at(s) - self.value_at(-s)) / (2 * s) for s in (h, h / 2))
        best = (4 * narrow - wide) / 3
        return best, abs(best - narrow) + 4 * float(self.f_allowed) / h + float(self.tangent_allowed)

    def differences(self) -> None:
        """Shorter steps until these resolve seven digits."""
        UNSAID["directions"] += 1
        found = []
        for h in (2.0**-8, 2.0**-12, 2.0**-16):
            best, error = self.slope(h)
            agree = abs(best - self.tangent) <= error + 1e-7 * abs(best)
            found.append((best, error, agree))
            if agree and error <= RESOLVED * (1 + abs(best)):
                return
        best, error, agree = min(found, key=lambda each: each[1] if np.isfinite(each[1]) else np.inf)
        if agree or (error > RESOLVED * (1 + abs(best)) and any(each[2] for each in found)):
            return
        if not error < 1e-3 * (1 + abs(best)) or self.is_rippled(best):
            UNSAID["not smooth"] += 1
            return
        raise AssertionError(f"seed {self.graph.seed}: differences {found} against {self.tangent}")

    def is_rippled(self, seen: float) -> bool:
        """Whether shorter steps see another slope, the tangent: long ones span the ripples of sin(1e5 + 1e8 t)."""
        for exponent in range(20, 40, 4):
            best, error = self.slope(2.0**-exponent)
            if abs(best - seen) > 4 * error and abs(best - self.tangent) <= error:
                return True
        return False


def compiled(g: Graph) -> CompiledFunction:
    """The graph's function, differentiated by all its real inputs."""
    return sg.compile(Tensor(g.f), wrt=[Tensor(x) for x in g.wrt], inputs=[Tensor(x) for x in g.inputs])


def run(bundle: Bundle, name: str, values: Sequence[Any], functions: Mapping[str, Any]) -> Any:
    """An entry of a module by given callables."""
    saved, bundle.entry = bundle.entry, functions.__getitem__  # type: ignore[method-assign]
    try:
        with np.errstate(all="ignore"):
            return bundle.call(name, values)
    finally:
        bundle.entry = saved  # type: ignore[method-assign]


def converted(at: Mapping[Node, Any]) -> list[Any]:
    """Values as entries take them."""
    return [np.ascontiguousarray(v) if x.shape else v for x, v in at.items()]


def every_entry(bundle: Bundle, at: Mapping[Node, Any], functions: Mapping[str, Any]) -> dict[str, Any]:
    """value, forward, backward of a cotangent 1, value_and_grad."""
    values = converted(at)
    results = {name: run(bundle, name, values, functions) for name in ("value", "forward", "value_and_grad")}
    known = dict(zip(bundle.targets["forward"].inputs, values, strict=True))
    read = [known[n] for n in bundle.halves.read]
    results["backward"] = run(bundle, "backward", [*read, *results["forward"][1], 1.0], functions)
    return results


def examine(g: Graph) -> None:
    """All that the module's docstring says, for one graph."""
    fn = compiled(g)
    bundle = fn._bundle
    for at in (g.inputs, g.at(LARGER)):
        known = Known(g, at)
        plain = every_entry(bundle, at, bundle.loaded.python)
        known.agrees(plain["value"], plain["backward"], "value and backward")
        known.agrees(plain["forward"][0], plain["backward"], "forward and backward")
        known.agrees(*plain["value_and_grad"], "value_and_grad")
        known.differences()
        if g.seed % EVERY in (0, 7):
            machine_code(fn, at, plain, check=not known.stopped)
    if g.scalars:
        over_arrays(fn, known)


def machine_code(fn: CompiledFunction, at: Mapping[Node, Any], plain: dict[str, Any], check: bool) -> None:
    """Compiled, and compiled code read back from the cache, to the bit; ``fn.check`` where nothing is stopped."""
    bundle = fn._bundle
    made = every_entry(bundle, at, bundle.loaded.functions)
    for name, result in made.items():
        same_bits(result, plain[name], f"{name}, compiled against plain Python")
    sys.modules.pop(bundle.loaded.functions["value"].__module__)
    again = load(bundle.source)
    for name, result in every_entry(bundle, at, again.functions).items():
        same_bits(result, made[name], f"{name}, read back from the cache")
    assert again.hit
    if check:
        report = fn.check(*at.values())
        assert not report.failed, str(report)


def over_arrays(fn: CompiledFunction, known: Known) -> None:
    """A function of scalars over vectors, element by element."""
    rows = [np.array([v, v, 0.5 * v, v, v]) for v in known.at.values()]
    values, slopes = run(fn._batch, "value_and_grad", rows, fn._batch.loaded.python)
    for i in (0, 1, 3, 4):
        known.agrees(values[i], [s[i] for s in slopes], f"element {i} of a vector")


@pytest.mark.parametrize("first", range(FIRST, FIRST + COUNT, CHUNK))
def test_random_graphs(first: int) -> None:
    for seed in range(first, min(first + CHUNK, FIRST + COUNT)):
        try:
            examine(graph(seed))
        except Exception as error:
            error.add_note(f"graph({seed}) of tests.fuzz")
            raise


def test_little_is_left_unsaid() -> None:
    """Allowances are finite, and differences decide, nearly everywhere: over the graphs of this process."""
    if not UNSAID["directions"]:  # another process did
        for seed in range(FIRST, FIRST + 2 * CHUNK):
            examine(graph(seed))
    print(UNSAID)
    assert UNSAID["beyond rounding"] <= 0.02 * UNSAID["numbers"]
    assert UNSAID["not smooth"] <= 0.05 * UNSAID["directions"]


def test_graphs_hold_every_op() -> None:
    met = {node.op.name for seed in range(400) for node in topological([graph(seed).f])}
    assert set(OPS) - ERROR_ROWS - met == set()


@pytest.mark.parametrize("factor", [-1.0, 2.0, 1.0 + 1e-5])
def test_a_wrong_rule_is_found(factor: float) -> None:
    """tanh' off by a factor: a graph that holds tanh fails."""
    right = ROWS["tanh"].partials
    wrong = (lambda y, x: constant(factor) * right[0](y, x),)
    seed = next(s for s in range(100) if any(n.op.name == "tanh" for n in topological([graph(s).f])))
    object.__setattr__(ROWS["tanh"], "partials", wrong)  # the row is frozen
    try:
        with pytest.raises(AssertionError, match="differences"):
            examine(graph(seed))
    finally:
        object.__setattr__(ROWS["tanh"], "partials", right)


AGAIN = """
import hashlib, sys
from tests.fuzz import graph
from tests.test_fuzz import compiled
print(hashlib.sha256("".join(compiled(graph(seed)).source for seed in range(8)).encode()).hexdigest())
"""


def test_sources_are_the_same_in_every_process() -> None:
    """Byte-identical under any PYTHONHASHSEED."""
    found = set()
    for salt in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": salt, "PYTHONPATH": str(Path(__file__).parents[1])}
        command = [sys.executable, "-c", AGAIN]
        found.add(subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout)
    assert len(found) == 1
