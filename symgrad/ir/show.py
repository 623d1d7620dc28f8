"""A node in a few words, for messages and ``repr``; never longer than a line, whatever its depth."""

from __future__ import annotations

from symgrad.ir.node import Node

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "power": "**", "less": "<", "less_equal": "<=", "greater": ">",
          "greater_equal": ">=", "logical_and": "&", "logical_or": "|"}  # fmt: skip
_DEEP = 3


def label(node: Node, depth: int = 0) -> str:
    """``W2``, ``X @ W1``, ``sum(...)``: names where there are any, three levels of operations otherwise."""
    name = node.op.name
    if name == "variable":
        return printable(node["variable"].name)
    if name == "named":
        return printable(node["name"])
    if name == "constant":
        return _number(node)
    if name == "size":
        return str(node["size"])
    if depth >= _DEEP:
        return "..."
    inner = [label(a, depth + 1) for a in node.args]
    if name in _INFIX:
        text = f"{inner[0]} {_INFIX[name]} {inner[1]}"
        return f"({text})" if depth else text
    if name in ("broadcast", "cast", "stop_gradient"):
        return inner[0]
    if name == "einsum" and node["spec"] in ("ij,jk->ik", "ij,j->i", "j,jk->k", "i,i->"):
        return f"({inner[0]} @ {inner[1]})" if depth else f"{inner[0]} @ {inner[1]}"
    if name == "neg":
        return f"-{inner[0]}"
    return f"{'.T' if name == 'transpose' else name}({', '.join(inner)})" if name != "transpose" else f"{inner[0]}.T"


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
