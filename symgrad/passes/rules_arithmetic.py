"""Simplification of sums, products and powers.

Each rule keeps the value in IEEE arithmetic (the sign of a zero and the payload of a NaN apart) or rounds
once where the original rounds twice. x - x, 0*x and x/x stay: they are NaN where x is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from symgrad.ir.node import Node, build, constant, is_constant, rebuild
from symgrad.passes.rewrite import Rule, either, has_value, split, value

_LARGEST = 2.0**53
_DEEP = 4  # factors of a product that are searched for a constant


def number(like: Node, x: float) -> Node:
    """A constant of the kind of ``like``."""
    return constant(x, like.dtype)


def is_power_of_two(x: float) -> bool:
    """Whether products with x are exact (short of overflow)."""
    return x != 0 and math.isfinite(x) and abs(math.frexp(x)[0]) == 0.5


def _plain(x: float) -> bool:
    """A number that a reader writes out: folding it hides nothing (pi or 0.3 stay as they are)."""
    return math.isfinite(x) and abs(x) < _LARGEST and float(x) * 1024 == int(float(x) * 1024)


_EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
}


def _exactly(op: str, a: float, b: float) -> float | None:
    """a op b where no rounding is needed; None otherwise."""
    if not (math.isfinite(a) and math.isfinite(b)) or (op == "div" and b == 0):
        return None
    exact = _EXACT[op](Fraction(a), Fraction(b))
    if abs(exact) >= 2**1000 or (exact and abs(exact) < Fraction(1, 2**1000)) or Fraction(float(exact)) != exact:
        return None
    return float(exact)


def _fold(node: Node) -> Node | None:
    if node.type.rank or not all(is_constant(a) for a in node.args):
        return None
    a, b = (n["value"] for n in node.args)
    if not (_plain(a) and _plain(b)):
        return None
    folded = _exactly(node.op.name, a, b)
    return None if folded is None else number(node, folded)


def _fold_unary(node: Node) -> Node | None:
    (x,) = node.args
    if not is_constant(x) or not _plain(x["value"]):
        return None
    if node.op.name in ("sqrt", "reciprocal"):
        return _fold_inverse(node, x["value"])
    after = number(node, {"neg": lambda v: -v, "abs": abs, "square": lambda v: v * v}[node.op.name](x["value"]))
    return after if _plain(after["value"]) else None


def _fold_inverse(node: Node, x: float) -> Node | None:
    if node.op.name == "sqrt":
        root = math.sqrt(x) if x >= 0 else math.nan
        return number(node, root) if root * root == x and _plain(root) else None
    return number(node, 1.0 / x) if is_power_of_two(x) else None


def _negate_constant(node: Node) -> Node | None:
    (x,) = node.args
    return number(node, -x["value"]) if is_constant(x) and math.isfinite(x["value"]) else None


def _neutral(op: str) -> Callable[[Node], Node | None]:
    """x + 0, 0 + x; x * 1, 1 * x."""
    neutral = 0.0 if op == "add" else 1.0

    def change(node: Node) -> Node | None:
        found = either(node, lambda a: has_value(a, neutral))
        return found[1] if found else None

    return change


def _right_neutral(op: str) -> Callable[[Node], Node | None]:
    neutral = 0.0 if op == "sub" else 1.0
    return lambda node: node.args[0] if has_value(node.args[1], neutral) else None


def _minus_from_zero(node: Node) -> Node | None:
    return -node.args[1] if has_value(node.args[0], 0.0) else None


def _double(node: Node) -> Node | None:
    a, b = node.args
    return number(node, 2.0) * a if a is b and not is_constant(a) else None


def _add_negative(node: Node) -> Node | None:
    a, b = node.args
    if b.op.name == "neg":
        return a - b.args[0]
    if a.op.name == "neg":
        return b - a.args[0]
    return None


def _subtract_negative(node: Node) -> Node | None:
    a, b = node.args
    if b.op.name == "neg":
        return a + b.args[0]
    if a.op.name == "neg":
        return -(a.args[0] + b)
    return None


def _times_minus_one(node: Node) -> Node | None:
    found = either(node, lambda a: has_value(a, -1.0))
    return -found[1] if found else None


def _sign_out(node: Node) -> Node | None:
    """(-a) b, a (-b), (-a)/b, a/(-b), and the same through ops that are odd in an argument."""
    odd = _ODD[node.op.name]
    for i in odd:
        if node.args[i].op.name == "neg":
            inner = [a.args[0] if j == i else a for j, a in enumerate(node.args)]
            return -rebuild(node, inner)
    return None


_ODD = {
    "mul": (0, 1), "div": (0, 1), "zmul": (0, 1), "zdiv": (0, 1), "gate": (0,), "sum": (0,), "reciprocal": (0,),
    "sin": (0,), "tan": (0,), "arcsin": (0,), "arctan": (0,), "sinh": (0,), "tanh": (0,), "arcsinh": (0,), "arctanh": (0,),
    "erf": (0,), "cbrt": (0,), "sign": (0,), "broadcast": (0,), "reshape": (0,),
}  # fmt: skip
# Not through a contraction: z_bar = -(y - yhat) s stays the one thing that W_bar = a^T z_bar is made of.
_EVEN = ("abs", "square", "cos", "cosh", "logcosh", "gaussian", "tanh_slope", "sigmoid_slope", "sinc")


def _sign_away(node: Node) -> Node | None:
    """f(-x) = f(x) for even f; f(|x|) = f(x) too."""
    (x,) = node.args
    if x.op.name == "neg" or (x.op.name == "abs" and node.op.name != "sinc"):
        return rebuild(node, x.args)
    return None


def _twice_negated(node: Node) -> Node | None:
    (x,) = node.args
    return x.args[0] if x.op.name == "neg" else None


def _square_of_square(node: Node) -> Node | None:
    (x,) = node.args
    return x if x.op.name == "square" else None


def _equal_factors(node: Node) -> Node | None:
    """x x is x^2, one node for both spellings."""
    a, b = node.args
    return build("square", a) if a is b and not is_constant(a) else None


def _merge(node: Node) -> Node | None:
    """c (d x), (x/d) c, (d x)/c: one constant where the product or quotient of the two is exact."""
    op = node.op.name
    if op == "div":
        found = (node.args[1], node.args[0])
    else:
        found = either(node, lambda a: value(a) is not None)  # type: ignore[assignment]
    c = value(found[0]) if found else None
    if c is None or not math.isfinite(c) or c == 0 or node.dtype != "real":
        return None
    return _absorb(found[1], c, op, _DEEP)


def _absorb(x: Node, c: float, op: str, depth: int) -> Node | None:
    """x with its constant factor changed by c, where there is one and the result is exact."""
    name = x.op.name
    if name == "neg":
        inner = _absorb(x.args[0], c, op, depth)
        return None if inner is None else -inner
    if name not in ("mul", "div") or depth == 0:
        return None
    a, b = x.args
    for i, (factor, other) in enumerate(((a, b), (b, a))):
        d = value(factor)
        if d is None:
            continue
        return _combine(other, c, d, op, below=name == "div" and i == 1, above=name == "div" and i == 0)
    inner = _absorb(a, c, op, depth - 1)
    if inner is not None:
        return build(name, inner, b)
    inner = _absorb(b, c, op, depth - 1) if name == "mul" else None
    return None if inner is None else a * inner


def _combine(other: Node, c: float, d: float, op: str, below: bool, above: bool) -> Node | None:
    """c op' d on ``other``: d was a factor, a numerator (``above``) or a divisor (``below``)."""
    if below:
        ratio = _exactly("mul", c, d) if op == "div" else _exactly("div", c, d)
        if ratio is not None:
            return other / ratio if op == "div" else ratio * other
        inverse = _exactly("div", d, c) if op == "mul" else None
        return None if inverse is None else other / inverse
    inverse = _exactly("div", c, d) if op == "div" and not above else None
    if inverse is not None and inverse.is_integer():
        return other / inverse
    merged = _exactly(op, d, c)
    if merged is None:
        return None
    return build("div", constant(merged), other) if above else merged * other


def _coefficient_first(node: Node) -> Node | None:
    """a (c b) = c (a b) for c a power of two."""
    a, b = node.args
    if value(a) is not None or value(b) is not None:
        return None
    for x, other, left in ((b, a, False), (a, b, True)):
        if x.op.name == "mul" and not left:
            c = value(x.args[0])
            if c is not None and is_power_of_two(c):
                return x.args[0] * (other * x.args[1])
    return None


def _times_reciprocal(node: Node) -> Node | None:
    found = either(node, lambda a: a.op.name == "reciprocal")
    if found is None or value(found[1]) is not None and abs(value(found[1])) == 1.0:  # type: ignore[arg-type]
        return None
    return found[1] / found[0].args[0]


def _one_over(node: Node) -> Node | None:
    a, b = node.args
    return build("reciprocal", b) if has_value(a, 1.0) else None


def _over_reciprocal(node: Node) -> Node | None:
    a, b = node.args
    return a * b.args[0] if b.op.name == "reciprocal" else None


def _reciprocal_of_quotient(node: Node) -> Node | None:
    (x,) = node.args
    if x.op.name == "reciprocal":
        return x.args[0]
    return x.args[1] / x.args[0] if x.op.name == "div" else None


def _guarded_by_constant(node: Node) -> Node | None:
    """zmul(g, c) = c g and zdiv(g, c) = g/c for a finite c other than 0: nothing is left to guard."""
    a, b = node.args
    c = value(b)
    if c is not None and math.isfinite(c) and c != 0:
        return b * a if node.op.name == "zmul" else a / b
    c = value(a)
    if c is not None and math.isfinite(c) and c != 0:
        return a * b if node.op.name == "zmul" else a / b
    return None


def _power(base: Node, exponent: float) -> Node | None:
    """base ** exponent as products and roots; None where a power it stays."""
    square, sqrt = (lambda x: build("square", x)), (lambda x: build("sqrt", x))
    forms: dict[float, Callable[[Node], Node]] = {
        0.0: lambda x: constant(1.0),
        1.0: lambda x: x,
        2.0: square,
        3.0: lambda x: x * square(x),
        4.0: lambda x: square(square(x)),
        0.5: sqrt,
        1.5: lambda x: x * sqrt(x),
    }
    if exponent in forms:
        return forms[exponent](base)
    if -exponent in forms:
        return build("reciprocal", forms[-exponent](base))
    return None


def _constant_power(node: Node) -> Node | None:
    base, exponent = node.args
    n = value(exponent)
    return None if n is None else _power(base, n)


def _constant_power_slope(node: Node) -> Node | None:
    """d(x^c)/dx = c x^(c-1)."""
    base, exponent = node.args
    c = value(exponent)
    if c is None or not math.isfinite(c):
        return None
    if c == 0:
        return constant(0.0)
    return constant(c) * base ** constant(c - 1.0)


RULES = [
    Rule("numbers", ("add", "sub", "mul", "div"), _fold, "of plain numbers, where no rounding is needed"),
    Rule("functions of numbers", ("neg", "abs", "square", "sqrt", "reciprocal"), _fold_unary, "where no rounding is needed"),
    Rule("-(c)", ("neg",), _negate_constant),
    Rule("x + 0 = x", ("add",), _neutral("add"), "the sign of 0 apart"),
    Rule("x 1 = x", ("mul",), _neutral("mul")),
    Rule("x - 0 = x", ("sub",), _right_neutral("sub")),
    Rule("x/1 = x", ("div",), _right_neutral("div")),
    Rule("0 - x = -x", ("sub",), _minus_from_zero, "the sign of 0 apart"),
    Rule("-(-x) = x", ("neg",), _twice_negated),
    Rule("x (-1) = -x", ("mul",), _times_minus_one),
    Rule("x + x = 2 x", ("add",), _double),
    Rule("a + (-b) = a - b", ("add",), _add_negative),
    Rule("a - (-b) = a + b", ("sub",), _subtract_negative),
    Rule("a (-b) = -(a b)", tuple(_ODD), _sign_out, "odd functions and linear maps"),
    Rule("f(-x) = f(x)", _EVEN, _sign_away, "even functions"),
    Rule("|x^2| = x^2", ("abs",), _square_of_square),
    Rule("x x = x^2", ("mul",), _equal_factors),
    Rule("c (d x) = (c d) x", ("mul", "div"), _merge, "where c d or c/d is exact; one rounding less"),
    Rule("a (c b) = c (a b)", ("mul",), _coefficient_first, "c a power of two"),
    Rule("1/x", ("div",), _one_over, "one node for both spellings"),
    Rule("a (1/b) = a/b", ("mul",), _times_reciprocal, "one rounding less"),
    Rule("a/(1/b) = a b", ("div",), _over_reciprocal, "one rounding less"),
    Rule("1/(a/b) = b/a", ("reciprocal",), _reciprocal_of_quotient, "one rounding less"),
    Rule("guarded by a constant", ("zmul", "zdiv"), _guarded_by_constant),
    Rule("x^c", ("power",), _constant_power, "c in 0, 1/2, 1, 3/2, 2, 3, 4 and their negatives"),
    Rule("d(x^c)/dx = c x^(c-1)", ("dpower_dx",), _constant_power_slope),
]
