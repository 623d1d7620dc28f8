r"""Which parentheses the arguments of an op need, read off its LaTeX.

In: an op's ``latex`` (a format of {0}, {1}, ... or a function of texts). Out: its text with slots, and for each slot
the loosest level that may stand there bare: what is delimited takes anything, a base of a power only an atom. A new
row so gets its parentheses without saying anything.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from symgrad.emit.latex_pieces import (
    ATOM,
    FRACTION,
    FUNCTION,
    HADAMARD,
    PRODUCT,
    RELATION,
    ROW_LEVELS,
    SUM,
    Piece,
    at_least,
    is_tall,
)
from symgrad.ir.node import Node, Op

_FACTOR = "x"
_SLOT = re.compile("[\ue000-\ue0ff]")
_FUNCTION_BEFORE = re.compile(r"(\\[a-zA-Z]+|\\operatorname\{[a-z0-9]+\}|\})(\^\d|_\{\d+\})?\s*$")
_OPENS, _CLOSES = (
    (r"\begin{cases}", "{", "(", "[", "|", ",", "&", ",\\", r"\lfloor", r"\lceil", r"\lVert", r"\\"),
    ("}", r"\right", "]", ")", ",", "&", r"\\"),
)


@functools.lru_cache(maxsize=1024)
def slots(
    op: Op, count: int, params: tuple[tuple[str, Any], ...]
) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
    """(texts between slots, (argument, level) of each slot)."""
    marks = [chr(0xE000 + i) for i in range(count)]
    latex = op.row.latex if op.row is not None else op.latex
    assert latex is not None, f"{op.name} has no LaTeX"
    text = latex.format(*marks) if isinstance(latex, str) else latex(*marks, **dict(params))
    pieces = _SLOT.split(text)
    found = []
    for i, mark in enumerate(_SLOT.findall(text)):
        before, after = pieces[i].rstrip(), pieces[i + 1].lstrip()
        before = _FACTOR if i and not before else before  # slots side by side are factors
        after = _FACTOR if i + 2 < len(pieces) and not after else after
        found.append((ord(mark) - 0xE000, _level(before, after)))
    return tuple(pieces), tuple(found)


def _level(before: str, after: str) -> int:
    if after.startswith(("^", "_")):
        return ATOM
    if before.endswith(("+", "-")) or after.startswith(("+", "-")):
        return HADAMARD if before.endswith("-") else SUM
    if before.endswith(("<", ">", "=", r"\le", r"\ge", r"\ne")) or after.startswith(
        ("<", ">", "=", r"\le ", r"\ge", r"\ne")
    ):
        return SUM
    if before.endswith((r"\wedge", r"\vee")) or after.startswith((r"\wedge", r"\vee")):
        return SUM
    if (not before or before.endswith(_OPENS)) and (not after or after.startswith(_CLOSES)) and (before or after):
        return RELATION
    if before and _FUNCTION_BEFORE.search(before) and not before.endswith("{"):
        return FRACTION
    return PRODUCT


def by_template(node: Node, args: list[Piece]) -> Piece:
    """The op's LaTeX with its arguments put in."""
    texts, found = slots(node.op, len(args), tuple(sorted(node.params.items())))
    if not any(is_tall(a.text) for a in args):
        texts = tuple(re.sub(r"\\(left|right)([()\[\]])", r"\2", t) for t in texts)
    parts = [texts[0]]
    for (i, level), text in zip(found, texts[1:], strict=True):
        sum_of = args[i].big == args[i].text and parts[-1].rstrip().endswith(r"\ln") and not text  # \ln \sum x
        parts += [at_least(args[i], FUNCTION if sum_of else level), text]
    return Piece(
        "".join(parts), ROW_LEVELS[node.op.row.precedence] if node.op.row is not None else _own_level(texts[-1])
    )


def _own_level(end: str) -> int:
    """A primitive whose text ends in its argument is a function, one in delimiters an atom."""
    return ATOM if end else ROW_LEVELS["fn"]
