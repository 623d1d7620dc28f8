"""Scalar expressions as Python text.

In: ``Expr``. Out: text that Numba compiles and that plain Python runs on NumPy scalars, to the same bits.
The module around it binds ``np``, ``math``, ``fma``, ``select`` and ``f64``, ``f32``, ``i64``, ``i32``.

A float32 literal is written ``f32(0.1)``, since Numba widens float32 with a bare number to float64;
an int32 result is cast back, since Numba computes integers in 64 bits.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from symgrad.ir.expression import Expr
from symgrad.ir.program import Assign, Function, Return

_ATOM, _UNARY = 20, 17
_BITWISE = range(10, 14)
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
Printed = tuple[str, int]


def text(expr: Expr) -> str:
    """The expression with no parentheses beyond those needed.

    >>> from symgrad.ir.expression import call, var
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
    left = f"({left})" if below < level or below == level == _INFIX["eq"][1] or _hard_to_read(below, level) else left
    right = f"({right})" if above <= level or _hard_to_read(above, level) else right
    if node.dtype == "i32":
        return f"i32({left} {sign} {right})", _ATOM
    return f"{left} {sign} {right}", level


def _hard_to_read(inner: int, outer: int) -> bool:
    """Around and inside shifts and bitwise operations parentheses stand even where Python needs none."""
    return (outer in _BITWISE and inner < _UNARY) or (inner in _BITWISE and outer == _INFIX["eq"][1])


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


def is_straight(function: Function) -> bool:
    """No branch, no loop and no call of the C library: inlined whole, so that a loop over it is vector code."""
    stack = [e for s in function.body for e in ((s.expr,) if isinstance(s, Assign) else getattr(s, "values", ()))]
    while stack:
        expr = stack.pop()
        if expr.op == "call" and str(expr.value).startswith("math."):
            return False
        stack.extend(expr.args)
    return all(isinstance(s, Assign | Return) for s in function.body)
