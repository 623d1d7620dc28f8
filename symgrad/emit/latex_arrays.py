r"""Printers of what acts on whole axes: sums, reshapes, transposes, concatenations.

What only repeats, or adds and drops axes of length 1, is not shown. Along some of the axes a sum has an index:
\sum_{i} x_{i}, \sum_{j} x_{\cdot j}.
"""

from __future__ import annotations

from dataclasses import replace

from symgrad.emit.latex_naming import Naming, Printer
from symgrad.emit.latex_pieces import (
    ATOM,
    FRACTION,
    FUNCTION,
    INDICES,
    Piece,
    at_least,
    big,
    fenced,
    raised,
    subscripted,
    transposed,
)
from symgrad.emit.latex_templates import by_template
from symgrad.ir.node import Node

_DIAGONAL = r"\operatorname{diag}"
_MOST_SHOWN = 6  # operands of a concatenation


def _reducer(operator: str, is_sum: bool = False) -> Printer:
    def reduce(node: Node, args: list[Piece], naming: Naming) -> Piece:
        x, inner = args[0], node.args[0]
        if is_sum and x.body.startswith(_DIAGONAL) and inner.op.name == "diagonal" and inner.type.rank == 1:
            return replace(x, body=x.body.replace(_DIAGONAL, r"\operatorname{tr}", 1))
        index, body = along(node, x, naming)
        symbol = rf"{operator}_{{{index}}}" if index else operator
        if is_sum:
            return big(symbol, body)
        return Piece(f"{symbol} {at_least(body, ATOM)}", FUNCTION)

    return reduce


def along(node: Node, x: Piece, naming: Naming) -> tuple[str, Piece]:
    """The index that runs, and the operand with that index; neither where all axes are reduced."""
    axes, rank = node["axes"], node.args[0].type.rank
    real = [i for i in range(rank) if node.args[0].shape[i] != 1]
    if all(i in axes for i in real):
        return "", x
    free = [c for c in INDICES if naming.is_free(c)]
    marks = [free[i] if i in axes else r"\cdot" for i in real]
    running = " ".join(m for m in marks if m != r"\cdot")
    while marks and marks[-1] == r"\cdot":
        marks.pop()
    inner = Piece(x.body, x.level)
    piece = subscripted(inner, " ".join(marks)) if x.body else inner
    return running, Piece(piece.body, piece.level, x.negative, x.lead)


def _log_sum_exp(node: Node, args: list[Piece], naming: Naming) -> Piece:
    index, body = along(node, args[0], naming)
    symbol = rf"\ln \sum_{{{index}}}" if index else r"\ln \sum"
    return big(symbol, raised(Piece("e", ATOM), body.text))


def _reshape(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Axes of length 1 come and go unseen."""
    (x,) = node.args
    if [n for n in x.shape if n != 1] == [n for n in node.shape if n != 1]:
        return args[0]
    return Piece(rf"\operatorname{{reshape}}({args[0].text})", ATOM)


def _transpose(node: Node, args: list[Piece], naming: Naming) -> Piece:
    if node.type.rank == 2:
        return transposed(args[0])
    order = "".join(INDICES[i] for i in node["perm"])
    return subscripted(args[0], rf"{INDICES[: len(order)]} \to {order}")


def _concatenate(node: Node, args: list[Piece], naming: Naming) -> Piece:
    r"""Parts one below the other, or side by side; of more axes in a row, with the index of the axis."""
    texts = [a.text for a in args]
    if len(texts) > _MOST_SHOWN:
        dots = r"\vdots" if node["axis"] == 0 else r"\ldots"
        texts = [*texts[: _MOST_SHOWN - 2], dots, texts[-1]]
    if node.type.rank > 2:
        row = r",\ ".join(texts)
        return Piece(rf"\left[{row}\right]_{{{INDICES[node['axis']]}}}", ATOM)
    rows = (" & " if node["axis"] else r" \\ ").join(texts)
    return Piece(rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}", ATOM)


def _cumsum(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """From the first element on, or (its transpose) to the last."""
    name = "revcumsum" if node["reverse"] else "cumsum"
    mark = _along_axes(node, (node["axis"],))
    return Piece(rf"\operatorname{{{name}}}{mark} {at_least(args[0], FRACTION)}", FUNCTION)


def _along_axes(node: Node, axes: tuple[int, ...]) -> str:
    """The index along which an op runs; the last goes without saying."""
    return "" if axes == (node.type.rank - 1,) else f"_{{{''.join(INDICES[i] for i in axes)}}}"


def _soft(name: str, level: int) -> Printer:
    def printer(node: Node, args: list[Piece], naming: Naming) -> Piece:
        return Piece(f"{name}{_along_axes(node, node['axes'])}{fenced(args[0].text)}", level)

    return printer


def _norm(node: Node, args: list[Piece], naming: Naming) -> Piece:
    """Of all elements; along some of the axes the root of the sum of squares."""
    if not along(node, args[0], naming)[0]:
        return by_template(node, args)
    index, body = along(node, raised(args[0], "2"), naming)
    inside = big(rf"\sum_{{{index}}}", body)
    return Piece(rf"\sqrt{{{inside.text}}}", ATOM)


def _others(node: Node, args: list[Piece], naming: Naming) -> Piece:
    r"""\left[\prod_{k \ne i} x_{k}\right]_{i}."""
    if node.type.rank != 1:
        return by_template(node, args)
    i, k = [c for c in "ikjlpq" + INDICES if naming.is_free(c)][:2]
    return Piece(rf"\left[\prod_{{{k} \ne {i}}} {subscripted(args[0], k).text}\right]_{{{i}}}", ATOM)


def _same(node: Node, args: list[Piece], naming: Naming) -> Piece:
    return args[0]


ARRAYS: dict[str, Printer] = {
    "sum": _reducer(r"\sum", is_sum=True),
    "prod": _reducer(r"\prod", is_sum=True),
    "max_reduce": _reducer(r"\max"),
    "min_reduce": _reducer(r"\min"),
    "argmax": _reducer(r"\operatorname{argmax}"),
    "argmin": _reducer(r"\operatorname{argmin}"),
    "logsumexp": _log_sum_exp,
    "reshape": _reshape,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "cumsum": _cumsum,
    "softmax": _soft(r"\operatorname{softmax}", ATOM),
    "log_softmax": _soft(r"\ln\operatorname{softmax}", FUNCTION),
    "norm": _norm,
    "prod_others": _others,
    "broadcast": _same,
    "named": _same,
}
