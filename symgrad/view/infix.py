"""A node as one line of text, in the operators that a person would type: ``-(y - yhat)*sigmoid(z3)``.

Names stand where there are any; what would make a line too long becomes ``...``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sympy as sp

from symgrad.ir.node import Frozen, Node
from symgrad.ir.show import printable
from symgrad.ir.types import is_monomial
from symgrad.ir.walk import topological
from symgrad.ops.contract import split
from symgrad.ops.numerals import from_double
from symgrad.view.infix_calls import by_first_place, called

Written = tuple[str, int]  # text, and how strongly it holds together

_COMPARISON, _SUM, _MINUS, _PRODUCT, _DIVISOR, _POWER, _ATOM = range(7)
_LONGEST = 240
_LONG_NUMBER = 10  # characters; what is longer is written as the fraction or root that it is the rounding of
_INFIX = {
    "add": (" + ", _SUM, _SUM), "sub": (" - ", _SUM, _PRODUCT), "mul": ("*", _MINUS, _PRODUCT),
    "zmul": ("*", _MINUS, _PRODUCT), "div": ("/", _MINUS, _DIVISOR), "zdiv": ("/", _MINUS, _DIVISOR),
    "power": ("**", _ATOM, _POWER), "less": (" < ", _SUM, _SUM), "less_equal": (" <= ", _SUM, _SUM),
    "greater": (" > ", _SUM, _SUM), "greater_equal": (" >= ", _SUM, _SUM), "logical_and": (" & ", _SUM, _SUM),
    "logical_or": (" | ", _SUM, _SUM),
}  # fmt: skip
_SILENT = ("broadcast", "cast", "stop_gradient", "constant_like", "reshape", "named")
_PRODUCTS = {  # letters by their first place
    "ij,jk->ik": "{0} @ {1}", "ij,j->i": "{0} @ {1}", "i,ij->j": "{0} @ {1}", "i,i->": "{0} @ {1}",
    "ij,ik->jk": "{0}.T @ {1}", "ij,i->j": "{0}.T @ {1}", "ij,kj->ik": "{0} @ {1}.T", "ij,ki->jk": "{0}.T @ {1}.T",
    "i,ji->j": "{1} @ {0}",
}  # fmt: skip
_COMPARISONS = ("less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or")

# Derivatives that are computed in a form of their own, in the textbook's
_SHOWN = {
    "dlog": ("1/{0}", _DIVISOR, _PRODUCT),
    "dsqrt": ("1/(2*{0})", _PRODUCT, _PRODUCT),
    "gaussian": ("exp(-{0}**2)", _ATOM, _ATOM),
    "sigmoid_slope": ("sigmoid({0})*(1 - sigmoid({0}))", _SUM, _PRODUCT),
    "tanh_slope": ("1 - tanh({0})**2", _SUM, _SUM),
    "dpower_dx": ("{1}*{0}**({1} - 1)", _ATOM, _PRODUCT),
    "dpower_dy": ("{0}**{1}*log({0})", _ATOM, _PRODUCT),
    "dmaximum": ("({0} > {1})", _SUM, _ATOM),
    "dminimum": ("({0} < {1})", _SUM, _ATOM),
    "relu_slope": ("({0} > 0)", _SUM, _ATOM),
    "dclip": ("({1} < {0} < {2})", _SUM, _ATOM),
    "gate": ("{0}*({1} > 0)", _PRODUCT, _PRODUCT),
}


def infix(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """The text of a node; ``names`` are written in place of the nodes they name."""
    named = names or {}
    done: dict[Node, Written] = {}
    for n in topological([node], stop=named):
        text, strength = (printable(named[n]), _ATOM) if n in named else _write(n, [done[a] for a in n.args])
        done[n] = (text, strength) if len(text) <= _LONGEST or n is node else ("...", _ATOM)
    return done[node][0]


def _write(node: Node, args: list[Written]) -> Written:
    name = node.op.name
    if name in _LEAVES:
        return _LEAVES[name](node)
    if name in _SILENT:
        return args[0] if name != "constant_like" else (f"{node['value']:g}", _ATOM)
    if name in _SHOWN:
        pattern, held, strength = _SHOWN[name]
        return pattern.format(*(_held(x, held) for x in args)), strength
    if name in _INFIX:
        return _between(name, args)
    if name in ("neg", "square", "reciprocal", "transpose"):
        return _unary(name, args[0])
    if name == "einsum":
        return _contraction(node, args)
    return called(node, [text for text, _ in args]), _ATOM


def _contraction(node: Node, args: list[Written]) -> Written:
    spec = by_first_place(node["spec"])
    if spec in _PRODUCTS:
        factors = [_held(_filled(a, x), _POWER) for a, x in zip(node.args, args, strict=True)]
        return _PRODUCTS[spec].format(*factors), _PRODUCT
    left, right, out = split(spec)
    if (left == out and out.endswith(right)) or (right == out and not left):  # as NumPy broadcasts
        return _between("mul", args) if "1" not in (args[0][0], args[1][0]) else args[args[0][0] == "1"]
    return called(node, [text for text, _ in args]), _ATOM


def _between(name: str, args: list[Written]) -> Written:
    symbol, left, right = _INFIX[name]
    first, second = _held(args[0], left), _held(args[1], right)
    if name == "add" and second.startswith("-"):
        symbol, second = " - ", second[1:]
    second = f"({second})" if second.startswith("-") else second
    if symbol == "*" and second.startswith("1/"):
        symbol, second = "", second[1:]
    strength = _POWER if name == "power" else _COMPARISON if name in _COMPARISONS else left
    return f"{first}{symbol}{second}", _PRODUCT if left == _MINUS and not first.startswith("-") else strength


def _filled(node: Node, x: Written) -> Written:
    """A number as an array of it, where a product would read it as a scalar."""
    if node.op.name != "broadcast" or node.args[0].shape:
        return x
    return ("ones", _ATOM) if x[0] == "1" else (f"{_held(x, _PRODUCT)}*ones", _PRODUCT)


def _unary(name: str, x: Written) -> Written:
    if name == "neg":
        return f"-{_held(x, _PRODUCT)}", _MINUS
    if name == "square":
        return f"{_held(x, _ATOM)}**2", _POWER
    return (f"1/{_held(x, _DIVISOR)}", _PRODUCT) if name == "reciprocal" else (f"{_held(x, _ATOM)}.T", _ATOM)


def _held(x: Written, strength: int) -> str:
    text, own = x
    return text if own >= strength else f"({text})"


def _constant(node: Node) -> Written:
    value = node["value"]
    if isinstance(value, Frozen):
        return f"<{node.type}>", _ATOM
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    text = repr(int(value)) if whole else repr(value)
    known = from_double(value) if len(text) > _LONG_NUMBER and isinstance(value, float) else None
    if known is not None and not known.is_Float and known.atoms(sp.NumberSymbol) <= {sp.pi}:
        text = str(known)  # log(10), sqrt(2)/2
    return text, _MINUS if text.startswith("-") else _PRODUCT if "/" in text or "*" in text else _ATOM


def _size(node: Node) -> Written:
    size = node["size"]
    if str(size).isidentifier():
        return str(size), _ATOM
    return str(size), _PRODUCT if is_monomial(size) else _SUM


_LEAVES: dict[str, Callable[[Node], Written]] = {
    "constant": _constant,
    "variable": lambda node: (printable(node["variable"].name), _ATOM),
    "size": _size,
    "iota": lambda node: (f"arange({node['size']})", _ATOM),
}
