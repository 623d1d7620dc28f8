"""Text to tokens, with the grammar of side-by-side checked: the first gate of ``parse``.

In: any text. Out: the tokens of an expression whose parentheses balance, whose operands and operators
alternate, whose size and depth are within the budgets, and that Python's own parser can be given without
a stack overflow, a warning or a surprise. Everything else is refused here, with its position.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

from symgrad.errors import DtypeError, ExpressionError

LONGEST_TEXT = 100_000  # characters
MOST_TOKENS = 20_000  # words; each may become a node, and the answer is due within a second
LONGEST_NUMBER = 400  # characters; a double is told from its neighbours by 17 digits
LONGEST_NAME = 200
MOST_BRACKETS = 100  # CPython's parser gives up at 200 open parentheses
DEEPEST = 500  # operations of one term, which may all stand inside each other; CPython's parser takes some 1000

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[^\W0-9]\w*)"
    r"|(?P<op>\*\*|<=|>=|==|!=|//|<<|>>|&&|\|\||[-+*/<>()&|~,])"
)
_PARTS = "parse a part by itself, and give it a name: parse(text, {name: part})"
_SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_PRODUCT = "write a product with *: 2*x"
_PREFIX = {"+", "-", "~", "not"}
_LOOSE = {"<", "<=", ">", ">=", "&", "|", "and", "or", "not"}  # bind less than a sum
_REFUSED = {
    "==": ("'==' would be a Python truth value", "write equal(a, b)"),
    "!=": ("'!=' would be a Python truth value", "write not_equal(a, b)"),
    "//": ("'//' is not allowed", "write floor(a/b)"),
    "<<": ("'<<' is not allowed", "write a * 2**b"),
    ">>": ("'>>' is not allowed", "write a / 2**b"),
    "&&": ("'&&' is not allowed", "write (a) & (b), or a and b"),
    "||": ("'||' is not allowed", "write (a) | (b), or a or b"),
    "^": ("'^' is not a power here (in Python it is a bitwise exclusive or)", "write x**2"),
    "%": ("'%' is not allowed", "write mod(a, b)"),
    "@": ("'@' is not allowed", "matrix products are built with tensors, not in text"),
    "=": (
        "'=' is not allowed: an expression has no assignment",
        "give the right side only (equal(a, b) compares), and arguments without names",
    ),
    "!": ("'!' is not allowed", "the logarithm of the factorial of n is lgamma(n + 1)"),
    ".": ("attribute access is not allowed", "use names, numbers, operators and functions only"),
    "[": ("'[' is not allowed: no lists, no indexing", "declare each element under its own name"),
    "{": ("'{' is not allowed", "use parentheses"),
    ":": ("':' is not allowed: no lambda, no slices", "use names, numbers, operators and functions only"),
    ";": ("';' is not allowed: one expression only", "parse each expression by itself"),
    "#": ("a comment is not allowed", "leave it out"),
    "\\": ("a backslash is not allowed", "leave it out"),
    '"': ("a string is not allowed", "use names, numbers, operators and functions only"),
    "'": ("a string is not allowed", "use names, numbers, operators and functions only"),
    "\n": ("a line break is not allowed", "write the expression on one line"),
    "\r": ("a line break is not allowed", "write the expression on one line"),
    "\u2212": ("this minus sign is not ASCII", "write -"),
    "\u00d7": ("this product sign is not ASCII", "write *"),
    "\u00b7": ("this product sign is not ASCII", "write *"),
    "\u22c5": ("this product sign is not ASCII", "write *"),
    "\u00f7": ("this division sign is not ASCII", "write /"),
    "\u221a": ("a root sign is not allowed", "write sqrt(x)"),
    "if": ("'if' is a reserved word", "write where(condition, a, b)"),
    "else": ("'else' is a reserved word", "write where(condition, a, b)"),
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its kind ("number", "name", "function", "op"), its text, where it starts."""

    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is known of a text before it is parsed: its words, and the + and - that join the terms of the whole."""

    text: str
    tokens: tuple[Token, ...]
    joints: tuple[int, ...]


def refuse(text: str, position: int, what: str, fix: str = "") -> NoReturn:
    """Raise an ExpressionError that shows the text with a mark under the position."""
    raise ExpressionError(f"parse: {what} (column {position + 1})", *pointed(text, position), fix=fix)


def pointed(text: str, position: int, width: int = 64) -> tuple[tuple[str, str], tuple[str, str]]:
    """The facts of an error: the text on one line, cut to a window around the position, and a mark below it."""
    first = max(0, min(position - width // 2, len(text) - width))
    window = text[first : first + width]
    shown = "".join(c if c.isprintable() else "?" for c in window)
    head = "..." if first else ""
    tail = "..." if first + width < len(text) else ""
    return ("text", head + shown + tail), ("", " " * (len(head) + position - first) + "^")


def scan(text: str, declared: Container[str] = ()) -> Scanned:
    """The tokens of a text that passes every check; names outside ASCII must be ``declared``.

    Raises:  ExpressionError with the position of the first fault; DtypeError if it is no text
    """
    if not isinstance(text, str):
        raise DtypeError("parse takes text", ("given", type(text).__name__), fix="pass a SymPy expression as it is")
    if len(text) > LONGEST_TEXT:
        refuse(text, LONGEST_TEXT, f"the text has more than {LONGEST_TEXT} characters", _PARTS)
    tokens = _called(list(_words(text, declared)))
    if not tokens:
        raise ExpressionError("parse: the text is empty", fix="give an expression, such as x*y + 1")
    _check_order(text, tokens)
    joints = _joints(tokens)
    _check_depth(text, tokens, set(joints))
    return Scanned(text, tuple(tokens), joints)


def _words(text: str, declared: Container[str]) -> Iterable[Token]:
    """Cut into words, each of them allowed by itself."""
    position = count = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            what, fix = _REFUSED.get(text[position], (f"the character {text[position]!a} is not allowed", ""))
            refuse(text, position, what, fix)
        kind, word = match.lastgroup or "", match.group()
        if kind != "space":
            count += 1
            if count > MOST_TOKENS:
                refuse(text, position, f"the text has more than {MOST_TOKENS} words", _PARTS)
            _check_word(text, match, declared)
            yield Token("op" if word in ("and", "or", "not") else kind, word, position)
        position = match.end()


def _check_word(text: str, match: re.Match[str], declared: Container[str]) -> None:
    word, start = match.group(), match.start()
    if word in _REFUSED:
        refuse(text, start, *_REFUSED[word])
    if match.lastgroup == "number":
        _check_number(text, word, start)
    elif match.lastgroup == "name":
        _check_name(text, word, start, declared)


def _check_number(text: str, word: str, start: int) -> None:
    if len(word) > LONGEST_NUMBER:
        refuse(text, start, f"a number of more than {LONGEST_NUMBER} characters", "17 digits are enough for a double")
    if word.isdigit() and word != "0" and word[0] == "0":
        refuse(text, start, "a whole number begins with 0", f"write {word.lstrip('0') or '0'}")


def _check_name(text: str, word: str, start: int, declared: Container[str]) -> None:
    if len(word) > LONGEST_NAME:
        refuse(text, start, f"a name has more than {LONGEST_NAME} characters", "shorten it")
    if keyword.iskeyword(word) and word not in ("and", "or", "not"):
        refuse(text, start, f"'{word}' is a reserved word", "choose another name")
    if unicodedata.normalize("NFKC", word) != word:
        powers = word.rstrip(_SUPERSCRIPTS)
        fix = f"write {powers}**{unicodedata.normalize('NFKC', word[len(powers) :])}" if powers != word else ""
        refuse(text, start, "a name holds a look-alike of another character", fix or "write it in plain letters")
    if not word.isascii() and word not in declared:
        refuse(text, start, f"the name {word!a} is not ASCII and not declared", "declare it: parse(text, {name: ...})")
    if not word.isidentifier():
        refuse(text, start, f"the name {word!a} is not an identifier", "write it in plain letters")


def _called(tokens: list[Token]) -> list[Token]:
    """Names before a parenthesis become functions."""
    for i, (token, after) in enumerate(pairwise(tokens)):
        if token.kind == "name" and after.text == "(":
            tokens[i] = Token("function", token.text, token.start)
    return tokens


def _check_order(text: str, tokens: list[Token]) -> None:
    """Operands and operators alternate, parentheses pair, commas stand between arguments only."""
    opened: list[tuple[int, bool]] = []  # position, whether of a call
    before = None
    for token in tokens:
        if _wants_operand(before):
            _check_operand(text, token, before)
        else:
            _check_operator(text, token, before, opened)
        if token.text == "(":
            if len(opened) == MOST_BRACKETS:
                refuse(text, token.start, f"more than {MOST_BRACKETS} parentheses are open", _PARTS)
            opened.append((token.start, before is not None and before.kind == "function"))
        before = token
    if _wants_operand(before):
        refuse(text, len(text), "the text ends where a value is expected")
    if opened:
        refuse(text, opened[-1][0], "this parenthesis is never closed")


def _wants_operand(before: Token | None) -> bool:
    return before is None or (before.kind == "op" and before.text != ")")


def _check_operand(text: str, token: Token, before: Token | None) -> None:
    """Where a value must begin."""
    if token.kind != "op" or token.text == "(":
        return
    if token.text == "not" and before is not None and before.text not in ("(", ",", "and", "or", "not"):
        refuse(text, token.start, "'not' binds less than the operator before it", "put parentheses around not ...")
    if token.text not in _PREFIX:
        fix = "an absolute value is abs(x)" if token.text == "|" else ""
        refuse(text, token.start, f"a value is missing before '{token.text}'", fix)


def _check_operator(text: str, token: Token, before: Token | None, opened: list[tuple[int, bool]]) -> None:
    """Where a value has ended."""
    if token.kind != "op" or token.text in ("~", "not"):
        refuse(text, token.start, "an operator is missing before this", _joining(token, before))
    if token.text == "(" and before is not None and before.kind != "function":
        refuse(text, token.start, "an operator is missing before the parenthesis", "write a product with *: 2*(x + 1)")
    if token.text == ")":
        if not opened:
            refuse(text, token.start, "no parenthesis is open here")
        opened.pop()
    if token.text == "," and not (opened and opened[-1][1]):
        refuse(text, token.start, "a comma outside a function's arguments", "write a decimal number with a point")


def _joining(token: Token, before: Token | None) -> str:
    """What may have been meant by two values in a row."""
    if before is None or before.start + len(before.text) < token.start or token.kind != "name":
        named = before is not None and before.kind == "name"
        return "write a product with *, a function's argument in parentheses: sin(x)" if named else _PRODUCT
    if before.text == "0" and token.text[0] in "xXbBoO":
        return "write the number in decimal digits"
    return f"write {before.text}{token.text.replace('_', '')}" if token.text.strip("_").isdigit() else _PRODUCT


def _joints(tokens: list[Token]) -> tuple[int, ...]:
    """Where the + and - stand that join the terms of the whole text; none if a looser operator joins it."""
    found, open_count, before = [], 0, None
    for token in tokens:
        open_count += (token.text == "(") - (token.text == ")")
        if open_count == 0 and token.text in _LOOSE:
            return ()
        if open_count == 0 and token.text in "+-" and not _wants_operand(before):
            found.append(token.start)
        before = token
    return tuple(found)


def _check_depth(text: str, tokens: list[Token], joints: Container[int]) -> None:
    """Bound the height of the tree from above: operators in a row, plus the deepest parenthesis among them."""
    heights = [[0, 0]]  # of each open parenthesis: operators so far, the deepest closed inside
    for token in tokens:
        if token.start in joints:
            heights[-1] = [0, 0]
        elif token.text == "(":
            heights.append([0, 0])
        elif token.text == ")":
            inner = sum(heights.pop()) + 1
            heights[-1][1] = max(heights[-1][1], inner)
        elif token.kind == "op" and token.text != ",":
            heights[-1][0] += 1
        if sum(heights[-1]) > DEEPEST:
            refuse(text, token.start, f"one term has more than {DEEPEST} operations", _PARTS)
