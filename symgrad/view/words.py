"""What a rule does, in words.

In: a station, and the stations that read it. Out: one phrase, as a teacher says it at the board.
"""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.ir.node import Node, is_constant
from symgrad.ir.show import printable
from symgrad.ir.walk import depends, topological
from symgrad.view.stations import Station

_PASS = "the add gate passes the gradient on"
# op -> phrase, or one for each argument
_PHRASES: dict[str, str | tuple[str, ...]] = {
    "add": _PASS,
    "sub": (_PASS, "the subtract gate passes the gradient on with its sign changed"),
    "neg": "the sign changes",
    "mul": "product rule: the multiply gate swaps its inputs",
    "div": ("the divide gate divides the gradient", "quotient rule: d(a/b)/db = -a/b^2"),
    "reciprocal": "quotient rule: d(1/x)/dx = -1/x^2",
    "exp": "the exponential is its own derivative",
    "einsum": "product rule: the matrix product hands back its other factor, transposed",
    "maximum": "the max gate routes the gradient to the larger input",
    "minimum": "the min gate routes the gradient to the smaller input",
    "max_reduce": "max routes the gradient to the largest element",
    "min_reduce": "min routes the gradient to the smallest element",
    "relu": "the max gate lets the gradient through where its input is positive",
    "where": "the gradient goes to the branch taken",
    "sum": "a sum hands its gradient to every term",
    "gather": "what was picked gets its gradient back, added up where it was picked twice",
    "transpose": "the transpose of the gradient",
    "concatenate": "each part gets its part of the gradient",
    "stop_gradient": "nothing passes",
}
_WORDS = {
    "add": "the sum",
    "sub": "the difference",
    "neg": "the sign",
    "mul": "the product",
    "div": "the quotient",
    "sum": "the sum over elements",
    "square": "the square",
    "power": "the power",
    "reciprocal": "1/x",
    "exp": "exp",
    "log": "ln",
    "sqrt": "the root",
    "einsum": "the matrix product",
    "maximum": "max",
    "minimum": "min",
    "relu": "relu",
    "slice": "the index",
    "gather": "the index",
    "norm": "the norm",
    "abs": "the absolute value",
    "max_reduce": "max",
    "min_reduce": "min",
    "where": "the branch taken",
    "concatenate": "the concatenation",
    "transpose": "the transpose",
    "window": "the windows",
    "pad": "the padding",
}
_SILENT = frozenset("broadcast reshape cast named".split())
_LINEAR = frozenset(("add", "sub", "neg", "window", "pad"))  # said only where nothing else is to be said
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MOST = 4  # ops that are listed


def rule(x: Station, readers: Sequence[Station]) -> str:
    """How the gradient gets to x."""
    if not readers:
        return f"the output does not depend on {printable(x.name)}"
    if len(readers) > 1:
        return f"{printable(x.name)} feeds {_count(len(readers))} nodes, so gradients add"
    body = readers[0].body
    assert body is not None
    way = depends([body], [x.stand])
    ops = [n for n in topological([body]) if n in way and n.args and n.op.name not in _SILENT]
    uses = [i for n in topological([body]) for i, a in enumerate(n.args) if a is x.stand]
    if len(ops) > 1 and all(n.op.name in _LINEAR for n in ops) and len(uses) == 1:
        return _PASS if _sign(ops, way) > 0 else f"{_PASS} with its sign changed"
    ops = [n for n in ops if n.op.name not in _LINEAR] or ops
    if len(ops) == 1 and len(uses) == 1:
        i = next(i for i, a in enumerate(ops[0].args) if a in way)
        return _phrase(ops[0], i)
    words = list(dict.fromkeys(word(n) for n in reversed(ops)))
    listed = ", ".join(words[:_MOST]) + (", ..." if len(words) > _MOST else "")
    text = f"chain rule through {listed}" if words else _PASS
    return text + (
        f"; {printable(x.name)} is used {_count(len(uses))} times, so gradients add" if len(uses) > 1 else ""
    )


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
    phrase = _PHRASES.get(node.op.name, f"chain rule through {word(node)}")
    return phrase if isinstance(phrase, str) else phrase[i]


def _is_convolution(node: Node) -> bool:
    return node.op.name == "einsum" and node.args[0].op.name == "window"


def word(node: Node) -> str:
    """An op in a sentence."""
    return "the convolution" if _is_convolution(node) else _WORDS.get(node.op.name, node.op.name)


def _count(n: int) -> str:
    return _NUMBERS[n] if n < len(_NUMBERS) else str(n)
