r"""The grammar of printed mathematics: pieces of LaTeX, and how they join with as few parentheses as are needed.

A piece is a sign, a numeric coefficient and a text of some level. From loose to tight: relations, sums, Hadamard
products (A \odot B), products by juxtaposition (numbers, scalars, matrices), big operators and functions without
parentheses, powers and raised names, fractions, atoms. Signs and numbers move to the front of a product, which
changes no value.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

RELATION, SUM, HADAMARD, PRODUCT, FUNCTION, POWER, FRACTION, ATOM = range(8)
ROW_LEVELS = {
    "or": RELATION,
    "and": RELATION,
    "rel": RELATION,
    "add": SUM,
    "mul": PRODUCT,
    "fn": FUNCTION,
    "pow": POWER,
    "atom": ATOM,
}
ONES = r"\mathbf{1}"
INDICES = "ijklpqrstuvwabcdefgh"
UNIT = r"\mathbf{e}"  # the unit vector, with its index
ONES_MATRIX = r"\mathbf{1} \mathbf{1}^\top"
_TALL = re.compile(r"\\(frac|sum|prod|begin|sqrt|left|int)(?![a-zA-Z])")
_NAMED_FUNCTION = re.compile(r"\\(sin|cos|tan|sinh|cosh|tanh|ln)(?= )")
_NAME = re.compile(r"(\\(hat|bar|tilde|dot|mathrm)\{[^{}]*\}|\\[a-zA-Z]+|[A-Za-z])(\^\{\(\d+\)\})?")
_NUMERIC_FRACTION = re.compile(r"\\frac\{\d")
_ENDS_IN_LOG = re.compile(r"(.* )?(\\ln \d+)")
_UPRIGHT = re.compile(r"\\(mathrm|text|operatorname)\{")


@dataclass(frozen=True, slots=True)
class Piece:
    """``-`` if negative, then ``lead`` (a product of numbers), then ``body``; either may be empty, not both."""

    body: str
    level: int = ATOM
    negative: bool = False
    lead: str = ""
    functions: str = ""  # the functions without parentheses that follow all other factors: x \sin x
    big: str = ""  # the sum or product that the body ends in
    factors: tuple[Piece, ...] = ()  # of a matrix product
    turned: Piece | None = None  # what the body is the transpose of
    parts: tuple[Piece, ...] = ()  # what windows and their products are made of
    symmetric: bool = False  # whether the body is its own transpose

    @property
    def unsigned(self) -> str:
        """The text without its sign."""
        logarithm = _ENDS_IN_LOG.fullmatch(self.lead) if self.body else None
        if logarithm is None:
            return joined(self.lead, self.body) if self.lead and self.body else self.lead or self.body
        front, log = logarithm[1] or "", logarithm[2]  # x \ln 10: what stands behind would be its argument
        if self.level <= FUNCTION:
            return f"{front}({log}) {self.body}"
        return f"{joined(front.strip(), self.body) if front else self.body} {log}"

    @property
    def text(self) -> str:
        """The whole."""
        return f"-{self.unsigned}" if self.negative else self.unsigned

    @property
    def bound(self) -> int:
        """How tightly the whole holds together."""
        if self.negative:
            return SUM
        if not self.lead:
            return self.level
        if self.body or r"\cdot" in self.lead or " " in self.lead:
            return min(self.level, PRODUCT)
        return FRACTION if self.lead.startswith(r"\frac") else POWER if "^" in self.lead else ATOM


ONE = Piece("", ATOM, False, "1")


def named_piece(latex: str, is_raised: bool) -> Piece:
    """A name as a piece."""
    return Piece(latex, POWER if is_raised else FRACTION if latex.startswith(r"\frac") else ATOM)


def is_tall(text: str) -> bool:
    """Whether parentheses around it must grow."""
    return _TALL.search(text) is not None


def fenced(text: str) -> str:
    """In parentheses that are as tall as what they hold."""
    return rf"\left({text}\right)" if is_tall(text) else f"({text})"


def at_least(piece: Piece, level: int) -> str:
    """The text, in parentheses if it is looser than ``level``."""
    return piece.text if piece.bound >= level else fenced(piece.text)


def joined(left: str, right: str) -> str:
    r"""Two factors side by side: a \cdot before a digit, a thin space beside a word."""
    if right[0].isdigit() or _NUMERIC_FRACTION.match(right):
        return rf"{left} \cdot {right}"
    wide = _UPRIGHT.match(right) or re.search(r"\\(mathrm|text)\{[^{}]*\}$", left)
    return rf"{left} \, {right}" if wide else f"{left} {right}"


def negated(p: Piece) -> Piece:
    """-p."""
    if p.negative or p.level > SUM or p.lead:
        return replace(p, negative=not p.negative)
    return Piece(fenced(p.body), ATOM, True)


def added(a: Piece, b: Piece) -> Piece:
    """a + b; a sum on the right loses its parentheses."""
    left = at_least(a, SUM)
    if b.negative:
        return Piece(f"{left} - {b.unsigned}", SUM)
    right = at_least(b, SUM)
    if right.startswith("-"):
        return Piece(f"{left} - {right[1:]}", SUM)
    turned = (a.turned is not None and a.turned.text == b.text) or (b.turned is not None and b.turned.text == a.text)
    return Piece(f"{left} + {right}", SUM, symmetric=turned)


def subtracted(a: Piece, b: Piece) -> Piece:
    """a - b."""
    left = at_least(a, SUM)
    if b.negative:
        return Piece(f"{left} + {b.unsigned}", SUM)
    return Piece(f"{left} - {at_least(b, HADAMARD)}", SUM)


def _factor(p: Piece, level: int, last: bool) -> str:
    """The body of a factor; a function that something follows is fenced, or it would swallow that."""
    loose = p.level < level or (p.level == FUNCTION and not last)
    return fenced(p.body) if loose else p.body


def _numbers(a: Piece, b: Piece) -> str:
    """The numbers of two factors; a 1 is not written."""
    one, other = (p.lead if p.lead != "1" else "" for p in (a, b))
    return joined(one, other) if one and other else one or other


def multiplied(a: Piece, b: Piece, matrix: bool = False) -> Piece:
    """a b: of numbers, a scalar with anything, or (``matrix``) a matrix product, whose operands no \\odot may split."""
    lead = _numbers(a, b)
    negative = a.negative != b.negative
    if not (a.body and b.body):
        loose = next((p for p in (a, b) if p.body), None)
        if loose is None:
            return Piece("", ATOM, negative, lead or "1")
        if loose.level <= SUM and lead:
            return Piece(fenced(loose.body), ATOM, negative, lead)
        return replace(loose, negative=negative, lead=lead)
    if not matrix:
        return replace(_side_by_side(*((b, a) if a.body.startswith(UNIT) else (a, b))), negative=negative, lead=lead)
    body = joined(_factor(a, PRODUCT, False), _factor(b, PRODUCT, True))
    return Piece(body, PRODUCT, negative, lead, factors=(*_matrices(a), *_matrices(b)))


def _side_by_side(a: Piece, b: Piece) -> Piece:
    """The bodies of two factors: functions without parentheses go behind all others, a big operator behind these."""
    if b.level == HADAMARD and not any(_split(a)[1:]):
        return Piece(joined(_split(a)[0], b.body), HADAMARD)
    (first, f, total), (second, g, other) = _split(a), _split(b)
    if total and other:
        first, total = _row(first, fenced(total)), ""
    front, functions, total = _row(first, second), _row(f, g), total or other
    alone = not front and bool(f) + bool(g) + bool(total) == 1
    return Piece(_row(front, functions, total), FUNCTION if alone else PRODUCT, functions=functions, big=total)


def _split(p: Piece) -> tuple[str, str, str]:
    """(factors, functions, big operator) of a body; what is looser than a product is fenced."""
    if p.level < PRODUCT:
        return fenced(p.body), "", ""
    functions = p.body if p.level == FUNCTION and not (p.functions or p.big) else p.functions
    return p.body.removesuffix(p.big).rstrip().removesuffix(functions).rstrip(), functions, p.big


def _row(*texts: str) -> str:
    return functools.reduce(lambda a, b: joined(a, b) if a and b else a or b, texts)


def _matrices(p: Piece) -> tuple[Piece, ...]:
    return p.factors or (replace(p, negative=False, lead=""),)


def hadamard(a: Piece, b: Piece) -> Piece:
    r"""a \odot b of two arrays; numbers are plain factors."""
    if not (a.body and b.body):
        return multiplied(a, b)
    lead = _numbers(a, b)
    body = rf"{_factor(a, HADAMARD, False)} \odot {_factor(b, HADAMARD, True)}"
    return Piece(body, HADAMARD, a.negative != b.negative, lead)


def divided(a: Piece, b: Piece, by_array: bool = False) -> Piece:
    """a/b as a fraction; a big operator, a matrix product or a derivative stands behind it.

    ``by_array``: b is an array.
    """
    negative = a.negative != b.negative
    if not a.body and not b.body:
        return Piece("", ATOM, negative, rf"\frac{{{a.lead}}}{{{b.lead}}}")
    if a.big:
        front = joined(a.lead, a.body) if a.lead else a.body
        share = rf"\frac{{{front.removesuffix(a.big).rstrip() or 1}}}{{{b.unsigned}}}"
        if a.big == a.body and not b.body:
            return Piece(a.body, FUNCTION, negative, share, big=a.big)
        return Piece(f"{share} {a.big}", PRODUCT, negative, big=a.big)
    if a.body.startswith(r"\frac{\partial") or (a.factors and "(" in a.body and not by_array):
        factor = Piece(rf"\frac{{{a.lead or 1}}}{{{b.unsigned}}}", FRACTION, negative)
        rest = replace(a, lead="", negative=False)
        return hadamard(factor, rest) if by_array else multiplied(factor, rest)
    return Piece(rf"\frac{{{a.unsigned}}}{{{b.unsigned}}}", FRACTION, negative)


def raised(base: Piece, exponent: str) -> Piece:
    r"""base^{exponent}; \sin^{2} x for functions that are so written."""
    named = _NAMED_FUNCTION.match(base.body) if base.level == FUNCTION and exponent.isdigit() else None
    if named and not base.negative and not base.lead:
        return Piece(f"{named[0]}^{{{exponent}}}{base.body[named.end() :]}", FUNCTION)
    return Piece(f"{at_least(base, ATOM)}^{{{exponent}}}", POWER)


def transposed(x: Piece) -> Piece:
    r"""x^\top; that of a product is the product of the transposes. Numbers and symmetric matrices need none."""
    if not x.body or x.symmetric or x.body == ONES_MATRIX:
        return x
    if x.turned is not None:
        return replace(x.turned, negative=x.negative, lead=x.lead)
    if x.factors:
        turned = functools.reduce(lambda a, b: multiplied(a, b, matrix=True), map(transposed, x.factors[::-1]))
        return replace(turned, negative=x.negative, lead=x.lead)
    bare = replace(x, negative=False, lead="")
    return Piece(rf"{at_least(bare, ATOM)}^\top", POWER, x.negative, x.lead, turned=bare)


def subscripted(x: Piece, index: str) -> Piece:
    r"""x_{index}; what already has an index, or is no name, is fenced."""
    plain = x.level in (ATOM, POWER) and not x.negative and not x.lead and _NAME.fullmatch(x.body)
    return Piece(f"{x.body if plain else fenced(x.text)}_{{{index}}}", POWER if plain and x.level == POWER else ATOM)


def big(operator: str, body: Piece) -> Piece:
    """A sum or product over what follows up to the next + or -."""
    inner = fenced(body.body) if body.level <= SUM and not body.lead else body.body
    if not inner:
        return Piece(f"{operator} {body.lead}", FUNCTION, body.negative)
    return Piece(f"{operator} {inner}", FUNCTION, body.negative, body.lead, big=f"{operator} {inner}")
