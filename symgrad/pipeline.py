"""THE ordered pass lists; reading this is reading the compiler.

    outputs, wrt  --PRIMAL-->  stable, shared primal  --reverse-->  cotangents  --GRADIENT-->  Derived
    Derived  --targets-->  value, forward, backward, value_and_grad  --lower-->  Program  --emit-->  Source

Each pass is a pure function from outputs to a map old node -> new node. ``passes.report.watch`` sees every pass: its
name, and the outputs before and after; ``ir.verify`` is what the tests watch with.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symgrad.emit.module import emit
from symgrad.emit.names import Names as Identifiers
from symgrad.errors import UnsupportedError
from symgrad.ir.memory import uncollected
from symgrad.ir.node import Node, Variable, build, constant
from symgrad.ir.show import label, printable
from symgrad.ir.source import Source
from symgrad.ir.types import Size
from symgrad.ir.walk import substitute, topological, transform
from symgrad.lower import lower
from symgrad.lower.target import Target
from symgrad.ops.diagonal import held, held_as
from symgrad.ops.leaf import variable
from symgrad.ops.shape import broadcast
from symgrad.ops.symbolic import expand_row
from symgrad.passes.compensate import compensate
from symgrad.passes.differentiate import zeros
from symgrad.passes.eliminate import eliminate
from symgrad.passes.names import Names, strip
from symgrad.passes.partition import residuals
from symgrad.passes.report import PassReport, counted, tell
from symgrad.passes.reverse import bars as sweep
from symgrad.passes.reverse import with_rules
from symgrad.passes.simplify import simplify
from symgrad.passes.stabilise import stabilise

LARGEST = 100_000  # nodes of one function: a minute
_AGAIN = "symgrad.compile(...).save_source(...)"

Pass = Callable[[Sequence[Node]], dict[Node, Node]]
PRIMAL: list[tuple[str, Pass]] = [("stabilise", stabilise), ("simplify", simplify), ("eliminate", eliminate)]
GRADIENT: list[tuple[str, Pass]] = [("simplify", simplify), ("eliminate", eliminate)]


@dataclass(frozen=True, slots=True)
class Derived:
    """A function with its derivation: everything that the four views are printed from.

    ``bars`` maps each primal node on the way to its cotangent, from the output back (seed 1 for a scalar, else the
    cotangent variables); ``gradients`` are those of ``wrt``. ``pulled`` are the gradients for the cotangent variables
    ``seeds``, for the separate backward half. ``written`` and ``asked`` are outputs and ``wrt`` as the user wrote them.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    wrt: tuple[Node, ...]
    names: Names
    bars: Mapping[Node, Node]
    gradients: tuple[Node, ...]
    seeds: tuple[Node, ...]
    pulled: tuple[Node, ...]
    pulled_bars: Mapping[Node, Node]
    passes: tuple[PassReport, ...] = field(default=())
    written: tuple[Node, ...] = field(default=())
    asked: tuple[Node, ...] = field(default=())


def run(passes: list[tuple[str, Pass]], outputs: Sequence[Node], reports: list[PassReport]) -> dict[Node, Node]:
    """The passes one after the other; the result maps each first node to its last form."""
    final: dict[Node, Node] | None = None
    current = list(outputs)
    after = counted(current)
    for name, apply in passes:
        start, before = time.perf_counter(), after
        new = apply(current)
        made = [new[n] for n in current]
        tell(name, current, made)
        current = made
        final = new if final is None else {old: new.get(mid, mid) for old, mid in final.items()}
        seconds, after = time.perf_counter() - start, counted(current)
        reports.append(PassReport(name, seconds, before[0], after[0], before[1], after[1]))
    assert final is not None
    return final


def check_size(outputs: Sequence[Node]) -> None:
    """Refuse a function that no compiler would finish."""
    count = len(topological(outputs))
    if count > LARGEST:
        raise UnsupportedError(
            f"the function has {count} nodes; the limit is {LARGEST}", fix="use whole arrays instead of scalars"
        )


@uncollected()
def derive(outputs: Sequence[Node], wrt: Sequence[Node], inputs: Sequence[Node], elementwise: bool = False) -> Derived:
    """Simplify, differentiate, simplify.

    ``elementwise`` is a function of scalars over vectors: its seed is 1 for each element.
    """
    check_size(outputs)
    reports: list[PassReport] = []
    kept = [marked(x) for x in wrt]
    plain, names, _ = strip(_replaced(outputs, wrt, kept), keep=frozenset(kept))
    plain_wrt, more, _ = strip(kept, keep=frozenset(kept))
    names = {**more, **names}
    new = run([("rules", with_rules_pass), *PRIMAL], [*plain, *plain_wrt, *names], reports)
    primal, variables = [new[n] for n in plain], [new[n] for n in plain_wrt]
    names = {new[n]: name for n, name in reversed(names.items()) if new[n].op.name not in ("variable", "constant")}
    seeds = tuple(_seed(f, i, names) for i, f in enumerate(primal))
    single = len(primal) == 1 and primal[0].dtype == "real" and (elementwise or not primal[0].shape)
    ones = sweep({primal[0]: broadcast(constant(1.0), primal[0].shape)}, variables) if single else {}
    pulled = sweep({f: held_as(s, f) for f, s in zip(primal, seeds, strict=True) if f.dtype == "real"}, variables)
    derived = _finished(primal, variables, names, (ones if single else None, pulled, seeds), reports)
    return replace(derived, inputs=tuple(inputs), written=tuple(outputs), asked=tuple(wrt))


def marked(x: Node) -> Node:
    """A ``wrt`` that is an intermediate keeps its place in the graph as a named node."""
    return x if x.op.name in ("variable", "named") else build("named", x, name=label(x)[:40], latex=None)


def wrt_names(derived: Derived) -> tuple[str, ...]:
    """What gradients are taken by, as the user named it: simplifying may have joined or folded it."""
    kept = map(marked, derived.asked)
    return tuple(x["variable"].name if x.op.name == "variable" else x["name"] for x in kept)


def _replaced(outputs: Sequence[Node], wrt: Sequence[Node], kept: Sequence[Node]) -> list[Node]:
    swap = {x: k for x, k in zip(wrt, kept, strict=True) if x is not k}
    if not swap:
        return list(outputs)
    return substitute(outputs, swap)


def with_rules_pass(outputs: Sequence[Node]) -> dict[Node, Node]:
    order = topological(outputs)
    return dict(zip(order, with_rules(order), strict=True))


def _seed(f: Node, i: int, names: Names) -> Node:
    name = names[f][0] if f in names else f"f{i or ''}"
    return variable(Variable(f"{name}_bar", "cotangent"), held(f).type)


def _finished(primal: list[Node], wrt: list[Node], names: Names, swept: tuple, reports: list) -> Derived:
    """The passes after differentiation; ``swept`` are the cotangents for seed 1 (if any), for the seeds, and those."""
    joint, pulled, seeds = swept
    ones = joint or {}
    everything = [*primal, *wrt, *ones, *ones.values(), *pulled, *pulled.values(), *names]
    _, _, bare = strip(everything)
    new = run(GRADIENT, [bare[n] for n in everything], reports)
    final = {n: new[bare[n]] for n in everything}
    zero = {x: zeros(x.shape) for x in wrt}
    return Derived(
        (),
        tuple(final[f] for f in primal),
        tuple(final[x] for x in wrt),
        {final[n]: name for n, name in reversed(names.items())} | _kept_names(wrt, final),
        {final[x]: final[bar] for x, bar in ones.items()},
        tuple(final[ones[x]] if x in ones else zero[x] for x in wrt) if joint is not None else (),
        seeds,
        tuple(final[pulled[x]] if x in pulled else zero[x] for x in wrt),
        {final[x]: final[bar] for x, bar in pulled.items()},
        tuple(reports),
    )


def _kept_names(wrt: list[Node], final: Mapping[Node, Node]) -> Names:
    return {
        final[x]: (x["name"], x["latex"])
        for x in wrt
        if x.op.name == "named" and final[x].op.name not in ("variable", "constant")
    }


def coded(nodes: Sequence[Node], accurate: bool) -> dict[Node, Node]:
    """The nodes in the form that is computed."""
    better = compensate(nodes) if accurate else {n: n for n in topological(nodes)}
    code = expanded([better[n] for n in nodes])
    return {n: code[b] for n, b in better.items() if b in code}


def expanded(nodes: Sequence[Node]) -> dict[Node, Node]:
    """Rows that have no code of their own are compiled from their SymPy expression."""

    def change(node: Node) -> Node:
        row = node.op.row
        return expand_row(node) if row is not None and row.code is None else node

    return transform(nodes, change)


@dataclass(frozen=True, slots=True)
class Halves:
    """The targets of a function, and what the border must carry between the halves."""

    targets: tuple[Target, ...]
    read: tuple[Node, ...]  # inputs that backward reads
    residuals: tuple[Node, ...]  # what forward computes for it
    code: Mapping[Node, Node]  # derived node -> the node that is computed for it


def halves(derived: Derived, accurate: bool = False) -> Halves:
    """value, forward, backward, value_and_grad as targets; ``accurate`` carries rounding errors along."""
    code = coded([*derived.outputs, *derived.gradients, *derived.pulled], accurate)
    outputs = tuple(held(code[f]) for f in derived.outputs)
    gradients = tuple(code[g] for g in derived.gradients)
    pulled = tuple(code[g] for g in derived.pulled)
    seeds = tuple(s for s in derived.seeds)
    notes = _notes(derived)
    values: Any = outputs if len(outputs) > 1 else outputs[0]
    targets = [Target("value", derived.inputs, values)]
    if not derived.wrt:
        return Halves(tuple(targets), (), (), code)
    read, stored = residuals(pulled, seeds)
    targets.append(Target("forward", derived.inputs, (values, tuple(stored))))
    targets.append(Target("backward", (*read, *stored, *seeds), _one_or_many(pulled), notes))
    if gradients:
        targets.append(Target("value_and_grad", derived.inputs, (values, _one_or_many(gradients)), notes))
    return Halves(tuple(targets), tuple(read), tuple(stored), code)


def _one_or_many(nodes: tuple[Node, ...]) -> Any:
    return nodes if len(nodes) > 1 else nodes[0]


def _notes(derived: Derived) -> dict[Node, str]:
    """Above a cotangent's line, the primal line that it reverses."""
    notes: dict[Node, str] = {}
    for bars in (derived.pulled_bars, derived.bars):
        for x, bar in bars.items():
            named = derived.names.get(x)
            if named is not None and bar.op.kind != "leaf":
                notes.setdefault(bar, f"{printable(named[0])} = {label(x, derived.names)}")
    return notes


def identifiers(derived: Derived, stored: Sequence[Node] = ()) -> Identifiers:
    """Preferred names: variables, what the user named, <name>_bar for cotangents, <name>_slope for residuals."""
    preferred: dict[Node, str] = {}
    for v in (*derived.inputs, *derived.seeds):
        preferred.setdefault(v, v["variable"].name)
    for node, (name, _) in derived.names.items():
        preferred.setdefault(node, name)
    for i, f in enumerate(derived.outputs):
        if f.op.kind != "leaf":
            preferred.setdefault(f, f"f{i}" if len(derived.outputs) > 1 else "f")
    shown = dict(preferred)
    primal = {*topological(derived.outputs), *stored}  # a cotangent that is one of these keeps its own name
    for x, bar in (*derived.bars.items(), *derived.pulled_bars.items()):
        twin = derived.bars.get(x, bar)  # one name for both, if the other has one
        if x in shown and bar not in primal and bar.op.kind != "leaf" and (bar is twin or twin in primal):
            preferred.setdefault(bar, f"{shown[x]}_bar")
    for i, node in enumerate(stored):
        of = shown.get(node.args[0]) if node.op.name.endswith("_slope") else None
        size = f"{node['size']}_size" if node.op.name == "size" else None
        preferred.setdefault(node, f"{of}_slope" if of else size or f"r{i}")
    sizes = [name for v in derived.inputs for n in v.shape if isinstance(n, Size) for name in n.names()]
    names = Identifiers(preferred, dict.fromkeys(sizes))
    for x, bar in derived.pulled_bars.items():
        if x in derived.bars and bar not in primal and derived.bars[x] not in primal:
            names.share(bar, derived.bars[x])
    return names


@uncollected()
def compile_source(derived: Derived, dtype: str, accurate: bool = False) -> tuple[Halves, Any, Source]:
    """Targets, loop program, text."""
    parts = halves(derived, accurate)
    names = identifiers(derived, parts.residuals)
    for node, computed in parts.code.items():
        names.share(computed, node)
    program = lower(parts.targets, names, dtype)
    source = emit(program, doc=header(derived), regenerate=_AGAIN, shapes=_shapes(derived, parts, names))
    return parts, program, source


def header(derived: Derived) -> str:
    """What the module computes, in a line or two."""
    outputs = ", ".join(printable(derived.names.get(f, (label(f), None))[0]) for f in derived.outputs[:8])
    if not derived.wrt:
        return f"{outputs}."
    variables = ", ".join(map(printable, wrt_names(derived)[:8]))
    more = ", ..." if len(derived.wrt) > 8 else ""
    return f"{outputs}, and its gradient with respect to {variables}{more}."


def _shapes(derived: Derived, parts: Halves, names: Identifiers) -> dict[str, str]:
    """Sizes of array parameters, by identifier."""
    nodes = (*derived.inputs, *parts.residuals, *derived.seeds)
    return {names.of(v) or "": ", ".join(map(str, v.shape)) for v in nodes if v.shape}
