"""Scalar expressions and plain statements as Python text.

In: ``Expr`` and the statements of ``ir/program.py``. Out: text that Numba compiles and that plain
Python runs on NumPy scalars, to the same bits. The module around it binds the names of ``GLOBALS``.

A float32 literal is written ``f32(0.1)``, since Numba widens float32 with a bare number to float64;
an int32 result is cast back, since Numba computes integers in 64 bits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from symgrad.ir.program import Accumulate, Assign, Expr, Function, If, Loop, Return, Statement

GLOBALS = """\
import math

import numpy as np
from numba import njit

from symgrad.runtime.kernels import fma, select

f64 = np.float64
f32 = np.float32
i64 = np.int64
i32 = np.int32
"""

_ATOM, _UNARY = 20, 17
_BITWISE = range(10, 14)  # whose operands get parentheses, though Python needs few of them
# op -> (operator, precedence); all are printed left-associative, and comparisons never chain.
_INFIX = {
    "mul": ("*", 15), "div": ("/", 15), "floordiv": ("//", 15), "mod": ("%", 15),
    "add": ("+", 14), "sub": ("-", 14), "shl": ("<<", 13), "shr": (">>", 13),
    "iand": ("&", 12), "and": ("&", 12), "ixor": ("^", 11), "ior": ("|", 10), "or": ("|", 10),
    "lt": ("<", 9), "le": ("<=", 9), "gt": (">", 9), "ge": (">=", 9), "eq": ("==", 9), "ne": ("!=", 9),
}  # fmt: skip
_CALLED = {
    "fma": "fma", "select": "select", "sqrt": "np.sqrt", "abs": "abs", "floor": "np.floor",
    "rint": "np.rint", "trunc": "np.trunc", "copysign": "np.copysign",
}  # fmt: skip
_SHORT = {"f64": "f64", "f32": "f32", "i64": "i64", "i32": "i32"}
_ACCUMULATED = {"add": "+=", "mul": "*=", "or": "|=", "and": "&="}
Printed = tuple[str, int]


def text(expr: Expr) -> str:
    """The expression with no parentheses beyond those needed.

    >>> from symgrad.ir.program import call, var
    >>> x = var("x", "f64")
    >>> text(1 / (1 + call("exp", (-x,), "f64")))
    '1.0 / (1.0 + exp(-x))'
    """
    done: list[Printed] = []
    stack = [(expr, False)]
    while stack:
        node, ready = stack.pop()
        if ready or not node.args:
            parts = done[len(done) - len(node.args) :]
            del done[len(done) - len(node.args) :]
            done.append(_spell(node, parts))
        else:
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))
    return done[0][0]


def literal(value: object, dtype: str) -> str:
    """A number of the given type."""
    if dtype == "bool":
        return str(bool(value))
    if dtype in ("i64", "i32"):
        return str(int(value)) if dtype == "i64" else f"i32({int(value)})"  # type: ignore[call-overload]
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        name = "math.nan" if math.isnan(number) else "math.inf" if number > 0 else "-math.inf"
    else:
        name = repr(number) if dtype == "f64" else _shortest(number)
    return name if dtype == "f64" else f"f32({name})"


def _shortest(number: float) -> str:
    """The fewest digits that Python reads as a float64 which rounds to the same float32."""
    rounded = _as_f32(number)
    return next(s for s in (repr(float(f"{rounded:.{n}g}")) for n in range(1, 18)) if _as_f32(float(s)) == rounded)


def _as_f32(number: float) -> float:
    return struct.unpack("f", struct.pack("f", number))[0]


def _spell(node: Expr, parts: list[Printed]) -> Printed:
    if node.op in _INFIX:
        return _infix(node, parts)
    if node.op in _CALLED or node.op == "call":
        return f"{_CALLED.get(node.op, node.value)}({', '.join(part for part, _ in parts)})", _ATOM
    return _SPELL[node.op](node, parts)


def _infix(node: Expr, parts: list[Printed]) -> Printed:
    sign, level = _INFIX[node.op]
    (left, below), (right, above) = (_bare(arg, part) for arg, part in zip(node.args, parts, strict=True))
    left = f"({left})" if below < level or (below < _UNARY and level in _BITWISE) else left
    right = f"({right})" if above <= level or (above < _UNARY and level in _BITWISE) else right
    if node.dtype == "i32":
        return f"i32({left} {sign} {right})", _ATOM
    return f"{left} {sign} {right}", level


def _bare(arg: Expr, part: Printed) -> Printed:
    """An int32 literal inside an operation needs no cast: the result has one, or is a truth value."""
    return (str(arg.value), _UNARY) if arg.op == "const" and arg.dtype == "i32" else part


def _const(node: Expr, parts: list[Printed]) -> Printed:
    spelled = literal(node.value, node.dtype)
    return spelled, _UNARY if spelled.startswith("-") else _ATOM


def _load(node: Expr, parts: list[Printed]) -> Printed:
    return f"{node.value}[{', '.join(part for part, _ in parts) or '()'}]", _ATOM


def _neg(node: Expr, parts: list[Printed]) -> Printed:
    inner, level = parts[0]
    spelled = f"-{inner}" if level > _UNARY else f"-({inner})"
    return (f"i32({spelled})", _ATOM) if node.dtype == "i32" else (spelled, _UNARY)


def _view(node: Expr, parts: list[Printed]) -> Printed:
    inner, cast = parts[0][0], _SHORT[node.args[0].dtype]
    is_cast = node.args[0].dtype == "i32" and node.args[0].op in _INFIX
    return f"{inner if is_cast else f'{cast}({inner})'}.view({_SHORT[node.dtype]})", _ATOM


_SPELL: dict[str, Callable[[Expr, list[Printed]], Printed]] = {
    "const": _const,
    "var": lambda node, parts: (str(node.value), _ATOM),
    "load": _load,
    "length": lambda node, parts: (f"{node.value[0]}.shape[{node.value[1]}]", _ATOM),  # type: ignore[index]
    "neg": _neg,
    "not": lambda node, parts: (f"not {parts[0][0]}" if parts[0][1] >= 8 else f"not ({parts[0][0]})", 8),
    "bits": _view,
    "from_bits": _view,
    "to_int": lambda node, parts: (f"{_SHORT[node.dtype]}({parts[0][0]})", _ATOM),
    "to_real": lambda node, parts: (f"{_SHORT[node.dtype]}({parts[0][0]})", _ATOM),
    "widen": lambda node, parts: (f"f64({parts[0][0]})", _ATOM),
    "narrow": lambda node, parts: (f"f32({parts[0][0]})", _ATOM),
}


def statement_lines(body: tuple[Statement, ...], indent: int = 1) -> list[str]:
    """The lines of a body of Assign, Accumulate on scalars, Loop, If and Return."""
    lines: list[str] = []
    stack: list[tuple[Statement | str, int]] = [(s, indent) for s in reversed(body)]
    while stack:
        item, depth = stack.pop()
        pad = "    " * depth
        if isinstance(item, str):
            lines.append(pad + item)
            continue
        if note := getattr(item, "note", ""):
            lines.append(f"{pad}# {note}")
        if isinstance(item, If):
            lines.append(f"{pad}if {text(item.condition)}:")
            if item.orelse:
                stack.extend((s, depth + 1) for s in reversed(item.orelse))
                stack.append(("else:", depth))
            stack.extend((s, depth + 1) for s in reversed(item.body))
        elif isinstance(item, Loop):
            lines.append(f"{pad}for {item.var} in range({_range(item)}):")
            stack.extend((s, depth + 1) for s in reversed(item.body))
        else:
            lines.append(pad + _LINE[type(item)](item))
    return lines


def _range(loop: Loop) -> str:
    """The arguments of ``range``, without a start of 0 or a step of 1."""
    start, stop, step = text(loop.start), text(loop.stop), loop.step
    if step != 1:
        return f"{start}, {stop}, {step}"
    return stop if start == "0" else f"{start}, {stop}"


def assign(statement: Assign) -> str:
    """``target = expr``."""
    return f"{statement.target} = {text(statement.expr)}"


def _accumulate(statement: Accumulate) -> str:
    assert statement.index is None, "buffers are printed by the module printer"
    return f"{statement.target} {_ACCUMULATED[statement.op]} {text(statement.expr)}"


def _return(statement: Return) -> str:
    return "return " + ", ".join(text(v) if isinstance(v, Expr) else str(v) for v in statement.values)


_LINE: dict[type, Callable] = {Assign: assign, Accumulate: _accumulate, Return: _return}


def is_straight(function: Function) -> bool:
    """No branch, no loop and no call of the C library: inlined whole, so that a loop over it is vector code."""
    stack = [e for s in function.body for e in ((s.expr,) if isinstance(s, Assign) else getattr(s, "values", ()))]
    while stack:
        expr = stack.pop()
        if expr.op == "call" and str(expr.value).startswith("math."):
            return False
        stack.extend(expr.args)
    return all(isinstance(s, Assign | Return) for s in function.body)


def function_text(function: Function, decorate: bool = True) -> str:
    """A scalar function as Python text, compiled on its first call where ``decorate`` holds."""
    names = ", ".join(parameter.name for parameter in function.parameters)
    inline = ", forceinline=True" if is_straight(function) else ""
    lines = [f'@njit(error_model="numpy"{inline})'] if decorate else []
    lines.append(f"def {function.name}({names}):")
    if function.doc:
        lines.append(f'    """{function.doc}"""')
    return "\n".join([*lines, *statement_lines(function.body)]) + "\n"
