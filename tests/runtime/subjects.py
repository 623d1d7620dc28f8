"""Functions to check: graphs with their derived gradients, evaluated by reference (no compiling), and random graphs."""

from collections.abc import Callable, Sequence

import numpy as np

from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Node, Variable, build, constant
from symgrad.ir.types import ArrayType, real
from symgrad.ir.walk import transform, variables
from symgrad.ops.leaf import variable
from symgrad.ops.registry import ROWS
from symgrad.ops.symbolic import expand_row
from symgrad.passes.differentiate import gradient, pushforward
from symgrad.runtime.check import Subject
from symgrad.runtime.kinks import watch
from symgrad.runtime.rounding import movement

_SMOOTH = "exp log log1p expm1 sqrt cbrt square reciprocal sin cos tan arcsin arctan sinh tanh erf erfc lgamma logcosh"
_KINKED = "log_sigmoid sigmoid softplus abs sign floor ceil round trunc relu"
_PAIRED = "add sub mul div power maximum minimum hypot arctan2 logaddexp xlogy prelu mod"
UNARY, BINARY = f"{_SMOOTH} {_KINKED}".split(), _PAIRED.split()


def placed(name: str, shape: tuple = ()) -> Node:
    return variable(Variable(name, "input"), ArrayType(shape, "real"))


def _spelled(nodes: Sequence[Node]) -> list[Node]:
    def change(node: Node) -> Node:
        row = node.op.row
        return expand_row(node) if row is not None and row.reference is None else node

    new = transform(nodes, change)
    return [new[n] for n in nodes]


def subject(f: Node, change: Callable[[Node], Node] = lambda node: node) -> Subject:
    """The scalar f as a function of its variables, all differentiated; ``change`` spoils nodes of the gradient."""
    inputs = variables([f])
    wrt = [v for v in inputs if v.dtype == "real"]
    slopes = _spelled(gradient(f, wrt))
    spoiled = transform(slopes, change)
    slopes = [spoiled[n] for n in slopes]
    dots = [variable(Variable("dot", "cotangent"), v.type) for v in wrt]
    (tangent,) = _spelled([pushforward(f, wrt, dots)])

    def given(point):
        return dict(zip(inputs, point, strict=True))

    return Subject(
        value=lambda p: evaluate([f], given(p))[0],
        gradient=lambda p: evaluate(slopes, given(p)),
        wrt=tuple(inputs.index(v) for v in wrt),
        names=tuple(v["variable"].name for v in wrt),
        cells=watch([f], inputs, wrt),
        rounding=lambda p: movement([f], given(p), lambda values: float(values[0])),
        pushforward=lambda p, t: evaluate([tangent], given(p) | dict(zip(dots, t, strict=True)))[0],
    )


def weighted(y: Node, rng: np.random.Generator) -> Node:
    """A scalar that depends on every element."""
    total = y * constant(rng.standard_normal(y.shape) if y.shape else 1.7)
    return build("sum", total, axes=tuple(range(y.type.rank))) if y.shape else total


def row_cases() -> list[tuple[str, Node, list[np.ndarray]]]:
    """Every element-wise function at each of its sample points: (name, function, point)."""
    found = []
    for row in ROWS.values():
        if row.result == "bool" or row.name == "where" or "real" not in row.takes or row.reference is None:
            continue
        if row.name.endswith("_error"):  # what rounding lost: 0 in exact arithmetic, and so its derivative
            continue
        params = {"order": 1} if row.params else {}
        for sample in row.domain:
            values = sample if isinstance(sample, tuple) else (sample,)
            f = build(row.name, *(placed(f"x{i}") for i in range(row.arity)), **params)
            if len(variables([f])) == len(values):
                found.append((row.name, f, [np.asarray(v) for v in values]))
    a, b = placed("a"), placed("b")
    chosen = build("where", a < b, a * a, b * a)
    return [*found, *(("where", chosen, [np.asarray(u), np.asarray(v)]) for u, v in ((0.3, 0.7), (0.9, 0.2)))]


def op_cases() -> list[tuple[str, Node, list[np.ndarray]]]:
    """Every tensor primitive on its samples."""
    rng = np.random.default_rng(0)
    found = []
    for op in OPS.values():
        if op.row is not None or op.vjp is None or op.reference is None:
            continue
        for shapes, params in op.samples:
            y = build(op.name, *(placed(f"x{i}", s) for i, s in enumerate(shapes)), **params)
            if y.dtype == "real":
                found.append((op.name, weighted(y, rng), [rng.standard_normal(s) for s in shapes]))
    return found


def random_scalar(seed: int) -> tuple[Node, list[np.ndarray]] | None:
    """A random function of some scalars, full of kinks, at a point that is often on one; None where it has no value."""
    rng = np.random.default_rng(seed)
    pool = [variable(Variable(f"x{i}", "symbol"), real()) for i in range(3)]
    pool += [constant(float(rng.integers(-2, 3))) for _ in range(2)]
    pick = lambda: pool[rng.integers(len(pool))]  # noqa: E731
    for _ in range(int(rng.integers(2, 9))):
        kind = rng.random()
        if kind < 0.5:
            pool.append(build(UNARY[rng.integers(len(UNARY))], pick()))
        elif kind < 0.9:
            pool.append(build(BINARY[rng.integers(len(BINARY))], pool[-1], pick()))
        else:
            pool.append(build("where", build("less", pick(), pick()), pool[-1], pick()))
    f = pool[-1]
    on_kinks = seed % 2 == 1
    point = [np.asarray(float(rng.integers(-2, 3)) if on_kinks else rng.normal()) for _ in variables([f])]
    has_value = point and np.isfinite(evaluate([f], dict(zip(variables([f]), point, strict=True)))[0])
    return (f, point) if has_value else None
