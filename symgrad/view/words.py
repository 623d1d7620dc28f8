"""What a rule does, in words.

In: a station, and the stations that read it. Out: one phrase, as a teacher says it at the board.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, is_constant
from symgrad.ir.walk import depends, topological
from symgrad.view.stations import Station

_PASS = "the add gate passes the gradient on"
_SUMS = ("add", "sub", "neg")
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MOST = 4  # ops that are listed


def rule(x: Station, name: str, readers: Sequence[Station], in_jumps: bool = False) -> str:
    """How the gradient gets to x, which the reader calls ``name``."""
    if in_jumps:
        return f"{name} acts through jumps alone, or is held constant"
    if not readers:
        return f"the output does not depend on {name}"
    if len(readers) > 1:
        return f"{name} feeds {_count(len(readers))} nodes, so gradients add"
    body = readers[0].body
    assert body is not None
    way = depends([body], [x.stand])
    ops = [n for n in topological([body]) if n in way and _is_said(n)]
    uses = [i for n in topological([body]) for i, a in enumerate(n.args) if a is x.stand]
    if len(ops) > 1 and all(n.op.name in _SUMS for n in ops) and len(uses) == 1:
        return _PASS if _sign(ops, way) > 0 else f"{_PASS} with its sign changed"
    ops = [n for n in ops if "linear" not in n.op.traits] or ops
    if len(ops) == 1 and len(uses) == 1:
        i = next(i for i, a in enumerate(ops[0].args) if a in way)
        return _phrase(ops[0], i)
    words = list(dict.fromkeys(word(n) for n in reversed(ops)))
    listed = ", ".join(words[:_MOST]) + (", ..." if len(words) > _MOST else "")
    text = f"chain rule through {listed}" if words else _PASS
    return text + (f"; {name} is used {_count(len(uses))} times, so gradients add" if len(uses) > 1 else "")


def _is_said(n: Node) -> bool:
    return bool(n.args) and n.dtype == "real" and n.op.name != "constant_like" and "silent" not in n.op.traits


def _sign(ops: Sequence[Node], way: set[Node]) -> int:
    """Of the way through sums, differences and signs."""
    sign = 1
    for n in ops:
        sign *= -1 if n.op.name == "neg" or (n.op.name == "sub" and n.args[1] in way) else 1
    return sign


def _phrase(node: Node, i: int) -> str:
    if _is_convolution(node):
        return "product rule: the convolution hands back its other factor"
    if node.op.name == "mul" and is_constant(node.args[1 - i]):
        return "the constant factor multiplies the gradient"
    phrase = node.op.rule or f"chain rule through {word(node)}"
    return phrase if isinstance(phrase, str) else phrase[i]


def _is_convolution(node: Node) -> bool:
    return node.op.name == "einsum" and node.args[0].op.name == "window"


def word(node: Node) -> str:
    """An op in a sentence."""
    return "the convolution" if _is_convolution(node) else node.op.word or node.op.name


def _count(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else str(n)
