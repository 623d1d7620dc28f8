"""A node in a few words, for messages and ``repr``; never longer than a line, whatever its depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.ir.node import Node

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "div": "/", "power": "**", "less": "<", "less_equal": "<=",
    "greater": ">", "greater_equal": ">=", "logical_and": "&", "logical_or": "|",
}  # fmt: skip
_DEEP = 3


def label(node: Node, names: Mapping[Node, tuple] | None = None, depth: int = 0) -> str:
    """``W2``, ``X @ W1``, ``sum(...)``: names where there are any, three levels of operations otherwise.

    ``names`` are those of stripped nodes; the node asked for is written out.
    """
    op = node.op.name
    if depth and names and node in names:
        return printable(names[node][0])
    if op in _LEAVES:
        return _LEAVES[op](node)
    if depth >= _DEEP:
        return "..."
    bare = op not in _INFIX and op not in ("neg", "transpose") and not _is_matmul(node)
    inner = [label(a, names, depth + 1) for a in node.args]
    if bare:
        inner = [_unwrapped(text) for text in inner]
    if op in ("broadcast", "cast", "stop_gradient", "reshape"):
        return inner[0]
    sign = "@" if _is_matmul(node) else _INFIX.get(op)
    if sign:
        text = f"{inner[0]} {sign} {inner[1]}"
        return f"({text})" if depth else text
    if op in ("neg", "transpose"):
        return f"-{inner[0]}" if op == "neg" else f"{inner[0]}.T"
    return f"{op}({', '.join(inner)})"


_LEAVES: dict[str, Callable[[Node], str]] = {
    "variable": lambda node: printable(node["variable"].name),
    "named": lambda node: printable(node["name"]),
    "constant": lambda node: _number(node),
    "size": lambda node: str(node["size"]),
}


def _is_matmul(node: Node) -> bool:
    return node.op.name == "einsum" and node["spec"] in ("ij,jk->ik", "ij,j->i", "j,jk->k", "i,i->")


def _unwrapped(text: str) -> str:
    """Without parentheses that enclose it all."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def printable(name: str, limit: int = 40) -> str:
    """A user's name on one line, hostile characters escaped, at most ``limit`` characters."""
    safe = name if name.isprintable() and name.isascii() else name.encode("unicode_escape").decode()
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def described(node: Node) -> str:
    """``W2: f64[10, 64]``, as error messages print an operand."""
    text = label(node)
    return f"{text if len(text) <= 60 else text[:57] + '...'}: {node.type}"


def _number(node: Node) -> str:
    if node.type.rank:
        return f"<{node.type}>"
    value = node["value"]
    return repr(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else repr(value)
