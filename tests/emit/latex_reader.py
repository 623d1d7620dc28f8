"""Reads the LaTeX of scalar formulas back: a recursive-descent reader that knows nothing of the printer.

formula := [-] term {(+|-) term};  term := factor {[\\cdot] factor};  factor := atom [^{formula}].
A function takes the factors up to the next factor that is in parentheses or the end: sin x, sin (2 x), but
\\sin x y is refused, since a person could read it in two ways.
"""

import math
import re

_TOKEN = re.compile(r"\\[a-zA-Z]+|\d+(?:\.\d+)?|[a-z]|[-+^_{}(),\[\]]")
FUNCTIONS = {r"\sin": math.sin, r"\cos": math.cos, r"\ln": math.log, r"\tanh": math.tanh, r"\arctan": math.atan}


def read(text: str, values: dict[str, float]) -> float:
    """The value of a formula; names are letters with an index, ``x_{1}``."""
    plain = text.replace(r"\left|", "[").replace(r"\right|", "]").replace(r"\left", "").replace(r"\right", "")
    reader = _Reader(_TOKEN.findall(plain), values)
    result = reader.formula()
    assert reader.at_end(), f"left over: {reader.tokens[reader.i :]}"
    return result


class _Reader:
    def __init__(self, tokens: list[str], values: dict[str, float]) -> None:
        self.tokens, self.values, self.i = tokens, values, 0

    def at_end(self) -> bool:
        return self.i == len(self.tokens)

    def next_is(self, *wanted: str) -> bool:
        return not self.at_end() and self.tokens[self.i] in wanted

    def take(self, *wanted: str) -> str:
        token = self.tokens[self.i]
        assert not wanted or token in wanted, f"{token} where {wanted} should be"
        self.i += 1
        return token

    def group(self, opened: str = "{", closed: str = "}") -> float:
        self.take(opened)
        value = self.formula()
        self.take(closed)
        return value

    def formula(self) -> float:
        negative = self.next_is("-")
        if negative:
            self.take("-")
        total = -self.term() if negative else self.term()
        while self.next_is("+", "-"):
            total = total + self.term() if self.take() == "+" else total - self.term()
        return total

    def term(self) -> float:
        product = self.factor()
        while not self.at_end() and not self.next_is("+", "-", ")", "}", ",", "]"):
            follows = self.next_is(*FUNCTIONS)
            assert follows or not self.ended_in_function, "what follows a function could be read into it"
            if self.next_is(r"\cdot"):
                self.take()
            product *= self.factor()
        self.ended_in_function = False
        return product

    ended_in_function = False

    def factor(self) -> float:
        base = self.atom()
        while self.next_is("^"):
            self.take()
            base = base ** self.group()
        return base

    def atom(self) -> float:
        self.ended_in_function = False
        token = self.take()
        if token == "(":
            self.i -= 1
            return self.group("(", ")")
        if token == r"\frac":
            above = self.group()
            return above / self.group()
        if token == r"\sqrt":
            return math.sqrt(self.group())
        if token == r"\sigma":
            return 1 / (1 + math.exp(-self.group("(", ")")))
        if token == r"\max":
            self.take("(")
            largest = self.formula()
            while self.next_is(","):
                self.take()
                largest = max(largest, self.formula())
            self.take(")")
            return largest
        if token == "[":
            self.i -= 1
            return abs(self.group("[", "]"))
        if token in FUNCTIONS:
            return self.function(FUNCTIONS[token])
        if token[0].isdigit():
            return float(token)
        return self.name(token)

    def function(self, function) -> float:
        power = 1.0
        if self.next_is("^"):
            self.take()
            power = self.group()
        in_parentheses = self.next_is("(")
        value = function(self.atom())
        self.ended_in_function = not in_parentheses
        return value**power

    def name(self, token: str) -> float:
        if token == "e":
            return math.e
        if self.next_is("_"):
            self.take()
            self.take("{")
            token += self.take()
            self.take("}")
        return self.values[token]
