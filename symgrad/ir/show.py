"""A node in a few words, for messages and ``repr``; never longer than a line, whatever its depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from symgrad.ir.node import Node

_INFIX = {
    "add": "+", "sub": "-", "mul": "*", "zmul": "*", "div": "/", "zdiv": "/", "power": "**",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "logical_and": "&", "logical_or": "|",
}  # fmt: skip
_DEEP = 3


def label(node: Node, names: Mapping[Node, tuple] | None = None) -> str:
    """``W2``, ``X @ W1``, ``sum(...)``: names where there are any, three levels of operations otherwise.

    ``names`` are those of stripped nodes; the node asked for is written out.
    """
    return _written(node, names or {}, 0)[0]


def _written(node: Node, names: Mapping[Node, tuple], depth: int) -> tuple[str, int]:
    """(text, precedence)."""
    slides = bool(node.args) and node.args[0].op.name == "window"
    while node.op.name in ("window", "pad"):
        (node,) = node.args
    op = node.op.name
    if depth and node in names:
        return printable(names[node][0]), _ATOM
    if op in _LEAVES:
        text = _LEAVES[op](node)
        return text, _ATOM if text[:1] != "-" and (op != "size" or text.isidentifier()) else _PRECEDENCE["-"]
    if depth >= _DEEP:
        return "...", _ATOM
    parts = [_written(a, names, depth + 1) for a in node.args]
    if op in ("broadcast", "cast", "stop_gradient", "reshape"):
        return parts[0]
    sign = "@" if _is_matmul(node) else _INFIX.get(op)
    if sign:
        level = _PRECEDENCE[sign]
        left, right = _within(parts[0], level + (sign == "**")), _within(parts[1], level + (sign != "**"))
        return f"{left} {sign} {right}", level
    if op == "neg":
        return f"-{_within(parts[0], _PRECEDENCE['*'])}", _PRECEDENCE["-"]
    if op == "transpose":
        return f"{_within(parts[0], _ATOM)}.T", _ATOM
    name = _SLIDING.get(op, op) if slides else op
    return f"{name}({', '.join(text for text, _ in parts)})", _ATOM


def _within(part: tuple[str, int], level: int) -> str:
    """In parentheses where it binds less than ``level``."""
    return part[0] if part[1] >= level else f"({part[0]})"


_ATOM = 9
_SLIDING = {"einsum": "conv", "max_reduce": "max_pool", "sum": "sum_pool"}  # of windows
_PRECEDENCE = {
    "<": 0, "<=": 0, ">": 0, ">=": 0, "|": 1, "&": 2, "+": 3, "-": 3, "*": 4, "/": 4, "@": 4, "**": 6,
}  # fmt: skip
_LEAVES: dict[str, Callable[[Node], str]] = {
    "variable": lambda node: printable(node["variable"].name),
    "named": lambda node: printable(node["name"]),
    "constant": lambda node: _number(node),
    "size": lambda node: str(node["size"]),
}


def _is_matmul(node: Node) -> bool:
    return node.op.name == "einsum" and node["spec"] in ("ij,jk->ik", "ij,j->i", "j,jk->k", "i,i->")


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
