"""``sg.compile``: from an expression to a CompiledFunction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from symgrad.api.bundle import DTYPES
from symgrad.api.differentiate import resolve
from symgrad.api.function import CompiledFunction, Definition
from symgrad.errors import DeclarationError, DtypeError
from symgrad.frontend.sympy import from_sympy, is_sympy
from symgrad.frontend.tensor import as_node
from symgrad.frontend.text import parse
from symgrad.ir.evaluate import linear
from symgrad.ir.node import Node, build
from symgrad.ir.show import described, printable
from symgrad.ir.walk import named_sizes, variables
from symgrad.pipeline import check_size


def compile(
    f: Any,
    wrt: Any = None,
    *,
    inputs: Any = None,
    dtype: str = "float64",
    parallel: bool = False,
    accurate: bool = False,
) -> CompiledFunction:
    """Compile an expression with its gradient.

    ``f`` is a tensor, a SymPy expression or matrix, text, or a list or dict of these. ``wrt`` (what gradients are
    taken with respect to) defaults to the parameters, or where there are none to the scalar symbols; ``inputs`` is
    the order of positional arguments, by default that of declaration. Both take tensors, names and SymPy symbols.
    ``accurate`` carries rounding errors beside the values of a formula of scalars, as if its arithmetic had twice the
    digits: for formulas that cancel; the code is longer.

    Raises:  DeclarationError for two variables of one name, or an input that is needed but not listed

    >>> import symgrad as sg
    >>> x, y, z = sg.symbols("x y z")
    >>> fn = sg.compile((x + y) * z, wrt=[x, y, z])
    >>> fn.value_and_grad(-2.0, 5.0, -4.0)
    (-12.0, (-4.0, -4.0, 3.0))
    """
    dtype = getattr(dtype, "__name__", str(dtype))  # numpy.float32 is "float32"
    if dtype not in DTYPES:
        raise DtypeError(f"unknown dtype {dtype!r}", fix='use "float64" or "float32"')
    single = not isinstance(f, (list, tuple, Mapping))
    keys = tuple(map(str, f)) if isinstance(f, Mapping) else None
    outputs = [_output(item) for item in ([f] if single else f.values() if isinstance(f, Mapping) else f)]
    if not outputs:
        raise DeclarationError("there is nothing to compile", fix="give at least one expression")
    if keys is not None:
        outputs = [
            n if n.op.name in ("named", "variable") else build("named", n, name=k, latex=None)
            for k, n in zip(keys, outputs, strict=True)
        ]
    check_size(outputs)
    targets = _targets(wrt, outputs)
    order = _inputs(inputs, outputs, targets, wrt)
    one = wrt is not None and not isinstance(wrt, (list, tuple))
    return CompiledFunction(
        Definition(
            tuple(outputs), keys, single, tuple(targets), one, tuple(order), dtype, bool(parallel), bool(accurate)
        )
    )


def _output(item: Any) -> Node:
    if isinstance(item, str):
        return parse(item).node
    return from_sympy(item).node if is_sympy(item) else as_node(item)


def _targets(wrt: Any, outputs: Sequence[Node]) -> list[Node]:
    if wrt is not None:
        targets = resolve(wrt, outputs)
        if len(set(targets)) < len(targets):
            raise DeclarationError("wrt lists a variable twice")
        return targets
    found = variables(outputs)
    parameters = [v for v in found if v["variable"].kind == "parameter"]
    return parameters or [v for v in found if v["variable"].kind == "symbol"]


def _inputs(inputs: Any, outputs: Sequence[Node], targets: Sequence[Node], wrt: Any) -> list[Node]:
    needed = variables([*outputs, *targets])
    order = _default_order(needed, targets, wrt) if inputs is None else _listed(inputs, outputs, targets)
    _unique([v["variable"].name for v in order], order)
    listed = set(order)
    missing = [v for v in needed if v not in listed]
    if missing:
        raise DeclarationError(
            f"{', '.join(printable(v['variable'].name) for v in missing[:8])} is needed but not among the inputs",
            ("inputs", ", ".join(printable(v["variable"].name) for v in order[:12])),
            fix="add it to inputs",
        )
    _shown(outputs, order)
    return order


def _shown(outputs: Sequence[Node], order: Sequence[Node]) -> None:
    """Every named size is the length of some input's axis."""
    lengths = {parts[0] for v in order for n in v.shape if (parts := linear(n)) is not None}
    hidden = [name for name in named_sizes(outputs) if name not in lengths]
    if hidden:
        raise DeclarationError(
            f"no input shows the size {hidden[0]}",
            ("inputs", ", ".join(printable(v["variable"].name) for v in order[:12]) or "none"),
            fix=f"list one that has an axis of length {hidden[0]}, though its elements are not needed: inputs=[...]",
        )


def _default_order(needed: Sequence[Node], targets: Sequence[Node], wrt: Any) -> list[Node]:
    """Declaration order; for SymPy symbols those of wrt in its order, then the rest by name."""
    if needed and all(v["variable"].origin is not None for v in needed):
        first = [x for x in targets if x.op.name == "variable"] if wrt is not None else []
        done = set(first)
        rest = sorted((v for v in needed if v not in done), key=lambda v: (v["variable"].name, v["variable"].order))
        return [*first, *rest]
    return list(needed)


def _listed(inputs: Any, outputs: Sequence[Node], targets: Sequence[Node]) -> list[Node]:
    items = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    nodes = []
    for item in items:
        node = resolve(item, [*outputs, *targets])[0] if isinstance(item, str) else as_node(item)
        if node.op.name != "variable":
            raise DeclarationError("an input must be a variable", ("given", described(node)))
        nodes.append(node)
    return nodes


def _unique(names: Sequence[str], order: Sequence[Node]) -> None:
    twice = {name: None for name, count in Counter(names).items() if count > 1}
    dummies = all(getattr(v["variable"].origin, "is_Dummy", False) for v in order if v["variable"].name in twice)
    if len(set(order)) < len(order):
        raise DeclarationError("inputs lists a variable twice", ("inputs", ", ".join(map(printable, names[:12]))))
    if twice and not dummies:
        raise DeclarationError(
            f"two variables are called {printable(next(iter(twice)))}",
            ("inputs", ", ".join(map(printable, names[:12]))),
            fix="declare a variable once and use it everywhere, or rename one",
        )
