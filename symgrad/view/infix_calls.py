"""Array operations as one would call them: ``sum(X, axis=0)``, ``v[1:]``, ``outer(p, q)``, ``diag(p)``, ``eye(3)``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from symgrad.ir.node import Node, is_constant

_REDUCTIONS = (
    "sum prod max_reduce min_reduce any_reduce all_reduce argmax argmin norm logsumexp softmax log_softmax"
).split()
_ALONG = ("softmax", "log_softmax")  # the last axis is not written
_SILENT = ("reshape", "broadcast", "cast")


def called(node: Node, texts: Sequence[str]) -> str:
    """The call that makes the node, of arguments that are already written."""
    special = _CALLS.get(node.op.name)
    text = special(node, texts) if special else None
    return f"{node.op.name.removesuffix('_reduce')}({', '.join(texts)})" if text is None else text


def _reduction(node: Node, texts: Sequence[str]) -> str | None:
    axes, rank = node["axes"], node.args[0].type.rank
    usual = (rank - 1,) if node.op.name in _ALONG else tuple(range(rank))
    if tuple(axes) == usual:
        return None
    axis = axes[0] if len(axes) == 1 else tuple(axes)
    return f"{node.op.name.removesuffix('_reduce')}({texts[0]}, axis={axis})"


def _cumsum(node: Node, texts: Sequence[str]) -> str:
    name = "reverse_cumsum" if node["reverse"] else "cumsum"
    return f"{name}({texts[0]})" if node.type.rank == 1 else f"{name}({texts[0]}, axis={node['axis']})"


def _part(node: Node, texts: Sequence[str]) -> str | None:
    if not texts[0].isidentifier():
        return None
    places = zip(node["start"], node["size"], node["step"], node.args[0].shape, strict=True)
    written = [_place(*p) for p in places]
    while len(written) > 1 and written[-1] == ":":
        written.pop()
    return f"{texts[0]}[{', '.join(written)}]"


def _place(start: Any, size: Any, step: int, length: Any) -> str:
    if size == 1:
        return str(start)
    if (start, size, step) == (0, length, 1):
        return ":"
    stop = start + (size - 1) * step + (1 if step > 0 else -1)
    first = "" if start == (0 if step > 0 else length - 1) else str(start)
    last = "" if stop == (length if step > 0 else -1) else str(stop)
    return f"{first}:{last}" + ("" if step == 1 else f":{step}")


def _pad(node: Node, texts: Sequence[str]) -> str | None:
    """NumPy's pad: how many zeros come before and after, for each axis."""
    if any(step != 1 for step in node["step"]):
        return None
    axes = zip(node["start"], node.args[0].shape, node["shape"], strict=True)
    widths = [f"({before}, {length - before - n})" for before, n, length in axes]
    return f"pad({texts[0]}, {widths[0] if len(widths) == 1 else '(' + ', '.join(widths) + ')'})"


def _einsum(node: Node, texts: Sequence[str]) -> str:
    spec = by_first_place(node["spec"])
    if spec == "i,j->ij":
        return f"outer({texts[0]}, {texts[1]})"
    if spec == "ij,ij->":
        return (
            f"sum({texts[0]}*{texts[1]})" if all(t.isidentifier() for t in texts) else f"sum(({texts[0]})*({texts[1]}))"
        )
    return f'einsum("{node["spec"]}", {texts[0]}, {texts[1]})'


def by_first_place(spec: str) -> str:
    """The specification with its letters renamed i, j, k, ... in the order in which they come."""
    letters = dict.fromkeys(c for c in spec if c.isalpha())
    return spec.translate({ord(c): chr(ord("i") + n) for n, c in enumerate(letters)})


def _is_identity(node: Node) -> bool:
    """Whether a comparison is that of the row's number with the column's."""
    if node.op.name != "equal" or node.type.rank != 2:
        return False
    rows, columns = node.args
    return (
        all(_core(a).op.name == "iota" for a in node.args) and rows.shape[-1] == 1 and columns.shape[:-1] in ((), (1,))
    )


def _core(node: Node) -> Node:
    while node.op.name in _SILENT:
        node = node.args[0]
    return node


def _equal(node: Node, texts: Sequence[str]) -> str | None:
    return f"eye({node.shape[0]})" if _is_identity(node) and node.shape[0] == node.shape[1] else None


def _where(node: Node, texts: Sequence[str]) -> str | None:
    """The diagonal matrix of a vector."""
    condition, x, rest = node.args
    zero = is_constant(_core(rest), 0.0) or (_core(rest).op.name == "constant_like" and _core(rest)["value"] == 0)
    if not (_is_identity(condition) and zero):
        return None
    return f"diag({texts[1]})" if x.shape else f"{texts[1]}*{texts[0]}" if texts[1] != "1" else texts[0]


_CALLS: dict[str, Callable[[Node, Sequence[str]], str | None]] = {
    **dict.fromkeys(_REDUCTIONS, _reduction),
    "cumsum": _cumsum,
    "slice": _part,
    "pad": _pad,
    "einsum": _einsum,
    "equal": _equal,
    "where": _where,
    "diagonal": lambda node, texts: f"diag({texts[0]})",
    "gather": lambda node, texts: f"take({texts[0]}, {texts[1]}, axis={node['axis']})",
    "concatenate": lambda node, texts: f"concatenate([{', '.join(texts)}])",
}
