"""The allow-list of ``parse``: for each kind of syntax node, its parts and the rule that joins their values.

A value is an exact number or a tensor. What the operations below complain of is raised again with its place
in the text.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import Any, NoReturn

from symgrad.errors import ExpressionError, ShapeError, SymgradError
from symgrad.frontend.functions import logical_and, logical_not, logical_or
from symgrad.frontend.tensor import Tensor, same_op
from symgrad.frontend.text_exact import MOST_BITS, exact
from symgrad.frontend.text_functions import FUNCTIONS
from symgrad.frontend.text_scan import pointed, refuse
from symgrad.ir.node import constant, is_constant

Value = Fraction | Tensor


@dataclass(frozen=True, slots=True)
class Context:
    """What a rule may ask: the text, for error messages; the signs between its terms; the value of each name."""

    text: str
    signs: str
    names: Mapping[str, Tensor]

    def refuse(self, node: ast.AST, what: str, fix: str = "") -> NoReturn:
        refuse(self.text, self.position(node), what, fix)

    def position(self, node: ast.AST) -> int:
        """The index of a node's first character (``ast`` counts bytes, and the text stands in parentheses)."""
        column = max(0, node.col_offset - 1)  # type: ignore[attr-defined]
        return column if self.text.isascii() else len(self.text.encode()[:column].decode())


def value_of(tree: ast.expr, context: Context) -> Tensor:
    """The tensor that a tree states."""
    return _as_tensor(_walk(tree, context), context, tree)


def _walk(root: ast.expr, context: Context) -> Value:
    """The value of a tree, arguments first, with a stack."""
    pending = [(root, False)]
    values: list[Value] = []
    while pending:
        node, ready = pending.pop()
        parts, rule = _RULES.get(type(node), _REFUSE)
        below = parts(node)
        if ready or not below:
            start = len(values) - len(below)
            values[start:] = [_pointing(rule, context, node, values[start:])]
        else:
            pending.append((node, True))
            pending.extend((part, False) for part in reversed(below))
    return values.pop()


def _pointing(rule: Callable[..., Value], context: Context, node: ast.expr, values: list[Value]) -> Value:
    """Apply a rule; what the operations below complain of is shown in the text."""
    try:
        return rule(context, node, *values)
    except ExpressionError:
        raise
    except SymgradError as error:
        kind = ShapeError if isinstance(error, ShapeError) else ExpressionError
        position = context.position(node)
        facts = (*pointed(context.text, position), *error.facts)
        raise kind(f"parse: {error.summary} (column {position + 1})", *facts, fix=error.fix) from None


def _number(context: Context, node: ast.Constant) -> Value:
    value = node.value
    if type(value) is int:
        return Fraction(value)
    if type(value) is not float:
        context.refuse(node, "only numbers are allowed as constants")
    if math.isinf(value):
        context.refuse(node, "this number is beyond the largest double, 1.8e308")
    return Tensor(constant(value))


def _name(context: Context, node: ast.Name) -> Value:
    return context.names[node.id]


def _as_tensor(value: Value, context: Context, node: ast.expr) -> Tensor:
    """An exact number as a constant: the nearest double."""
    if isinstance(value, Tensor):
        return value
    try:
        return Tensor(constant(float(value)))
    except OverflowError:
        context.refuse(node, "this number is beyond the largest double, 1.8e308")


def _operands(context: Context, node: ast.expr, *values: Value) -> list[Any]:
    """Exact numbers as Python numbers, which take the kind of the tensor beside them; tensors where there is none."""
    if not any(isinstance(v, Tensor) for v in values):
        return [_as_tensor(v, context, node) for v in values]
    return [int(v) if isinstance(v, Fraction) and _is_small_int(v) else _as_tensor(v, context, node) for v in values]


def _is_small_int(value: Fraction) -> bool:
    return value.denominator == 1 and abs(value.numerator) <= 2**53


def _binary(context: Context, node: ast.BinOp, a: Value, b: Value) -> Value:
    if type(node.op) not in _BINARY:
        context.refuse(node, "this operator is not allowed")
    return _arithmetic(context, node, _BINARY[type(node.op)], a, b)


def _arithmetic(context: Context, node: ast.expr, sign: str, a: Value, b: Value) -> Value:
    """a sign b: exact for exact numbers, a node of the graph otherwise."""
    if isinstance(a, Fraction) and isinstance(b, Fraction) and sign not in "&|":
        try:
            result = exact(sign, a, b)
        except ZeroDivisionError:
            context.refuse(node, "division by zero")
        except OverflowError:
            context.refuse(node, f"a power of more than {MOST_BITS} bits", "write it as a double: 2.0**n")
        if result is not None:
            return result
    return _OPERATORS[sign](*_operands(context, node, a, b))


def _sum(context: Context, node: ast.Tuple, *terms: Value) -> Value:
    total = terms[0]
    for sign, part, term in zip(context.signs, node.elts[1:], terms[1:], strict=True):
        total = _arithmetic(context, part, sign, total, term)
    return total


def _unary(context: Context, node: ast.UnaryOp, value: Value) -> Value:
    if isinstance(node.op, (ast.Not, ast.Invert)):
        return logical_not(_as_tensor(value, context, node))
    if isinstance(node.op, ast.UAdd):
        return value
    if isinstance(value, Fraction):
        return -value
    return Tensor(constant(-value.node["value"])) if is_constant(value.node) else same_op("neg", value)


def _comparison(context: Context, node: ast.Compare, *values: Value) -> Value:
    """a < b < c: the comparisons of neighbours, all of them."""
    found = []
    for op, (a, b) in zip(node.ops, pairwise(values), strict=True):
        if type(op) not in _COMPARISONS:
            context.refuse(node, "this comparison is not allowed", "write equal(a, b) or not_equal(a, b)")
        found.append(_COMPARISONS[type(op)](*_operands(context, node, a, b)))
    return reduce(logical_and, found)


def _boolean(context: Context, node: ast.BoolOp, *values: Value) -> Value:
    join = logical_and if isinstance(node.op, ast.And) else logical_or
    return reduce(join, [_as_tensor(v, context, node) for v in values])


def _call(context: Context, node: ast.Call, *values: Value) -> Value:
    if not isinstance(node.func, ast.Name) or node.keywords or node.func.id not in FUNCTIONS:
        context.refuse(node, "only known functions can be called, with plain arguments")
    function = FUNCTIONS[node.func.id]
    if not function.fewest <= len(values) <= function.most:
        context.refuse(node, f"{node.func.id} takes {function.arguments}, not {len(values)}")
    return function.apply(*_operands(context, node, *values))


def _refuse_kind(context: Context, node: ast.expr) -> NoReturn:
    context.refuse(node, "this is not allowed", "use names, numbers, operators and functions only")


def _none(node: ast.expr) -> Sequence[ast.expr]:
    return ()


_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|"}
_OPERATORS: dict[str, Callable[..., Tensor]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "&": logical_and,
    "|": logical_or,
}
_COMPARISONS = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}

# The allow-list: for each kind of syntax node, its parts and the rule that joins their values.
_REFUSE: tuple[Callable[..., Sequence[ast.expr]], Callable[..., Value]] = (_none, _refuse_kind)
_RULES: dict[type[ast.expr], tuple[Callable[..., Sequence[ast.expr]], Callable[..., Value]]] = {
    ast.Constant: (_none, _number),
    ast.Name: (_none, _name),
    ast.UnaryOp: (lambda node: (node.operand,), _unary),
    ast.BinOp: (lambda node: (node.left, node.right), _binary),
    ast.Compare: (lambda node: (node.left, *node.comparators), _comparison),
    ast.BoolOp: (lambda node: node.values, _boolean),
    ast.Call: (lambda node: node.args, _call),
    ast.Tuple: (lambda node: node.elts, _sum),
}
