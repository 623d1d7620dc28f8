r"""Reads printed derivations back: formulas of the styles "matrix", "closed" and "elementwise", to fifty digits.

A reader knows what a mathematician knows and nothing of the printer: juxtaposition is the product, of matrices where
both are arrays (a vector is a column), \odot, + and fractions act on elements and broadcast as NumPy does, \sum without
an index sums all elements, an index that runs does so as far as what it indexes reaches, e_k and 1 are as long as what
they meet. A function without parentheses takes the next factor. What can be read in two ways is refused.
"""

import re

import numpy as np
from reader_places import Run, indexed, place_of, places_of, reach, running
from reader_values import (
    NAMED,
    PROBE,
    UnknownError,
    UnreadableError,
    Value,
    cases,
    constant,
    each,
    elementwise,
    fold,
    identity,
    joined_factors,
    matrix,
    mp,
    position,
    raised,
    running_sum,
    transposed,
    unit,
)

_FUNCTIONS = {
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "ln": mp.log, "exp": mp.exp, "tanh": mp.tanh, "sinh": mp.sinh,
    "cosh": mp.cosh, "arctan": mp.atan, "arcsin": mp.asin, "arccos": mp.acos, "Phi": mp.ncdf, "varphi": mp.npdf,
    "sigma": lambda x: 1 / (1 + mp.exp(-x)), "Gamma": mp.gamma, "psi": mp.digamma,
}  # fmt: skip
_OPERATORS = {
    "sign": mp.sign, "erf": mp.erf, "arsinh": mp.asinh, "sinc": lambda x: mp.sincpi(x),
}  # fmt: skip
_OF_SEVERAL = {"atan2": mp.atan2, "clip": lambda x, low, high: min(max(x, low), high)}
_RELATIONS = {
    "<": lambda a, b: a < b, ">": lambda a, b: a > b, "=": lambda a, b: a == b, r"\le": lambda a, b: a <= b,
    r"\ge": lambda a, b: a >= b, r"\ne": lambda a, b: a != b,
}  # fmt: skip
_TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|\d+(?:\.\d+)?|\S")
_LETTER = re.compile(r"[a-z](_\{\d+\})?")


class Reader:
    """One line: names with their values, functions with their letters."""

    def __init__(self, text, names, functions=()):
        self.text, self.names, self.functions, self.i = text, names, dict(functions), 0
        self.order = sorted(names, key=len, reverse=True)

    # tokens

    def space(self):
        while (self.i < len(self.text) and self.text[self.i] == " ") or self.text.startswith((r"\,", r"\ "), self.i):
            self.i += 1 if self.text[self.i] == " " else 2

    def at(self, *starts):
        self.space()
        return next((s for s in starts if self.text.startswith(s, self.i) and not self._longer(s)), None)

    def _longer(self, s):
        """Whether a command only begins like this."""
        after = self.text[self.i + len(s) : self.i + len(s) + 1]
        return s[-1:].isalpha() and s.startswith("\\") and after.isalpha()

    def take(self, *starts):
        found = self.at(*starts)
        if found is None:
            raise UnreadableError(f"{starts} where {self.text[self.i : self.i + 40]!r} stands")
        self.i += len(found)
        return found

    def inside(self, opened="{", closed="}"):
        """The text of a group, behind which the reader then stands."""
        self.take(opened)
        start, depth = self.i, 1
        while depth:
            if self.text[self.i] == "\\":
                self.i += 1
            elif self.text[self.i] in "{}":
                depth += 1 if self.text[self.i] == "{" else -1
            self.i += 1
        assert closed == "}"
        return self.text[start : self.i - 1]

    def part(self, text):
        return Reader(text, self.names, self.functions)

    # grammar: each method gives a function of an environment (letter -> position)

    def whole(self):
        """All of the text: a formula, or a condition."""
        try:
            return self.all_of(self.formula)
        except UnreadableError as e:
            self.i, known = 0, e
        try:
            return self.all_of(self.condition)
        except UnreadableError:
            raise known from None

    def all_of(self, read):
        found = read()
        self.space()
        if self.i < len(self.text):
            raise UnreadableError(f"left over: {self.text[self.i :]!r}")
        return found

    def formula(self):
        sign = -1 if self.at("-") else 1
        if sign < 0:
            self.take("-")
        parts = [(sign, self.term())]
        while self.at("+", "-"):
            parts.append((1 if self.take("+", "-") == "+" else -1, self.term()))
        if len(parts) == 1 and sign > 0:
            return parts[0][1]

        def value(env):
            total = None
            for k, part in parts:
                v = elementwise(lambda x, k=k: k * x, part(env))
                total = v if total is None else elementwise(lambda p, q: p + q, total, v)
            return total

        return value

    def term(self):
        factors = [self.product()]
        while self.at(r"\odot"):
            self.take(r"\odot")
            factors.append(self.product())
        return each(factors) if len(factors) > 1 else factors[0]

    _ENDS = ("+", "-", ")", "}", "]", ",", "&", r"\\", r"\odot", r"\right", r"\end", r"\quad", *_RELATIONS, r"\wedge")

    def product(self):
        factors, open_function = [], False
        while True:
            self.space()
            if self.i >= len(self.text) or (factors and self.at(*self._ENDS)):
                break
            if self.at(r"\cdot"):
                self.take(r"\cdot")
                continue
            big = self.at(r"\sum", r"\prod")
            if open_function and not (big or self._at_function()):
                raise UnreadableError(f"what follows a function: {self.text[self.i : self.i + 30]!r}")
            if big:
                factors.append(self.big())
                break
            found, open_function = self.factor()
            factors.append(found)
        if not factors:
            raise UnreadableError(f"nothing at {self.text[self.i : self.i + 30]!r}")
        return joined_factors(factors)

    def _at_function(self):
        names = [rf"\{n}" for n in _FUNCTIONS if n not in ("Phi", "varphi", "sigma", "Gamma", "psi")]
        return self.at(*names, r"\operatorname", r"\max", r"\min", r"\begin{cases}", r"\log")

    def factor(self):
        """(a factor with what stands behind it, whether it ends in an argument without parentheses)."""
        base, is_open = self.atom()
        while self.i < len(self.text) and self.text[self.i] in "^_'":
            base = self.behind(base)
        return base, is_open

    def behind(self, base):
        mark = self.text[self.i]
        self.i += 1
        if mark == "^":
            if self.at(r"\top"):
                self.take(r"\top")
                return lambda env: transposed(base(env))
            exponent = self.part(self.inside()).whole()
            return lambda env: elementwise(raised, base(env), exponent(env))
        index = places_of(self.inside(), self)
        return lambda env: indexed(base(env), index, env)

    def atom(self):
        self.space()
        for name in self.order:
            found = self.names[name].match(self, name)
            if found is not None:
                return found, False
        if self.at("(", r"\left("):
            return self.group("(", ")"), False
        if self.at("[", r"\left["):
            return self.bracket(), False
        if self.at("\\"):
            return self.command()
        number = re.compile(r"\d+(?:\.\d+)?").match(self.text, self.i)
        if number:
            self.i = number.end()
            return constant(mp.mpf(number[0])), False
        if self.at("e^"):
            self.i += 2
            exponent = self.part(self.inside()).whole()
            return (lambda env: elementwise(mp.exp, exponent(env))), False
        if self.at("e"):
            self.i += 1
            return constant(mp.e), False
        if self.at("I"):
            self.i += 1
            return (lambda env: identity()), False
        return self.function_or_letter()

    def function_or_letter(self):
        for letter in sorted(self.functions, key=len, reverse=True):
            if self.at(letter + "(", letter + r"\left("):
                self.take(letter)
                inner = self.group("(", ")")
                return self._called(self.functions[letter], inner), False
        found = _LETTER.match(self.text, self.i)
        if not found:
            raise UnreadableError(f"no formula: {self.text[self.i : self.i + 40]!r}")
        self.i = found.end()
        return (lambda env, c=found[0]: Value.of(mp.mpf(position(env, c)))), False

    @staticmethod
    def _called(function, inner):
        return lambda env: elementwise(function, inner(env))

    def group(self, opened, closed):
        tall = self.at(rf"\left{opened}")
        self.take(tall or opened)
        inner = self.formula()
        self.take(rf"\right{closed}" if tall else closed)
        return inner

    def bracket(self):
        r"""\left[ formula \right]_{ij}: the array of these elements."""
        tall = self.at(r"\left[")
        self.take(tall or "[")
        inner = self.formula()
        self.take(r"\right]" if tall else "]")
        self.take("_")
        letters = [c for c in self.inside() if c != " "]

        def value(env):
            start = {**env, **dict.fromkeys(letters, 0), PROBE: True}
            ranges = [reach(lambda n, c=c: inner({**start, c: n})) for c in letters]

            def make(shape):
                found = np.empty(shape, dtype=object)
                for place in np.ndindex(*shape):
                    found[place] = inner({**env, **dict(zip(letters, place, strict=True))}).array(()).item()
                return found

            return Value([r if r is None else len(r) for r in ranges], make)

        return value

    def command(self):
        name = self.take(re.compile(r"\\[a-zA-Z]+|\\.").match(self.text, self.i)[0])[1:]
        if name in _FUNCTIONS:
            return self.applied(_FUNCTIONS[name])
        method = getattr(self, f"_{name}", None)
        if method is None:
            raise UnreadableError(f"the command {name}")
        found = method()
        return found if isinstance(found, tuple) else (found, False)

    def applied(self, function):
        """A function, its power, its argument."""
        power = None
        if self.text.startswith("^", self.i):
            self.i += 1
            power = self.part(self.inside()).whole()
        self.space()
        in_parentheses = self.at("(", r"\left(")
        inner = self.big() if self.at(r"\sum") else self.group("(", ")") if in_parentheses else self.argument()
        whole = lambda env: elementwise(function, inner(env))  # noqa: E731
        if power is None:
            return whole, not in_parentheses
        return (lambda env: elementwise(raised, whole(env), power(env))), not in_parentheses

    def argument(self):
        """One factor with its index, and no power that could be the function's."""
        base, _ = self.atom()
        while self.text.startswith("_", self.i):
            base = self.behind(base)
        return base

    def big(self):
        operator = self.take(r"\sum", r"\prod")
        join = (lambda p, q: p + q) if operator == r"\sum" else (lambda p, q: p * q)
        start = mp.mpf(operator == r"\prod")
        if not self.text.startswith("_", self.i):
            body = self.term()
            return lambda env: Value.of(fold(join, start, body(env).array().ravel()))
        self.i += 1
        letters, bounds = running(self.inside(), self)
        body = self.term()
        run = Run(letters, bounds, body)

        def value(env):
            total = None
            for place in run.places(env):
                v = body(place)
                total = v if total is None else elementwise(join, total, v)
            return Value.of(start) if total is None else total

        return value

    # commands

    def _frac(self):
        if self.text.startswith(r"{\partial", self.i):
            raise UnknownError(f"no line before tells {self.text[self.i : self.i + 40]}")
        above, below = self.part(self.inside()).whole(), self.part(self.inside()).whole()
        return lambda env: elementwise(lambda p, q: p / q, above(env), below(env))

    def _sqrt(self):
        order = mp.mpf(2)
        if self.text.startswith("[", self.i):
            order = mp.mpf(self.text[self.i + 1])
            self.i += 3
        inner = self.part(self.inside()).whole()
        return lambda env: elementwise(lambda x: mp.sqrt(x) if order == 2 else mp.cbrt(x), inner(env))

    def _log(self):
        self.take("_")
        base = mp.mpf(self.inside())
        return self.applied(lambda x: mp.log(x) / mp.log(base))

    def _pi(self):
        return constant(mp.pi)

    def _infty(self):
        return constant(mp.inf)

    def _left(self):
        if self.at("|"):
            self.take("|")
            inner = self.formula()
            self.take(r"\right|")
            return lambda env: elementwise(abs, inner(env))
        if self.at(r"\lVert"):
            self.take(r"\lVert")
            inner = self.formula()
            self.take(r"\right\rVert")
            return lambda env: Value.of(mp.sqrt(sum((x * x for x in inner(env).array().ravel()), mp.mpf(0))))
        if self.at(r"\langle"):
            self.take(r"\langle")
            a = self.formula()
            self.take(",")
            b = self.formula()
            self.take(r"\right\rangle")
            return lambda env: Value.of((a(env).array() * b(env).array()).sum())
        opened = self.take(r"\lfloor", r"\lceil")
        inner = self.formula()
        self.take(r"\right" + opened.replace("l", "r", 1))
        return lambda env: elementwise(mp.floor if opened == r"\lfloor" else mp.ceil, inner(env))

    def _mathbf(self):
        kind = self.inside()
        if kind == "1":
            return lambda env: Value((None,), lambda s: np.full(s, mp.mpf(1), dtype=object))
        if kind == "I":
            return lambda env: identity()
        assert kind == "e"
        self.take("_")
        place = place_of(self.inside(), self)
        return lambda env: Value((None,), lambda s: unit(s[0], place(env)))

    def _mathbb(self):
        assert self.inside() == "1"
        tall = self.at(r"\left[")
        self.take(tall or "[")
        held = self.condition()
        self.take(r"\right]" if tall else "]")

        def indicator(env):
            return elementwise(lambda t: mp.mpf(bool(t)), held(env))

        indicator.is_indicator = True
        return indicator

    def condition(self):
        r"""a < b, a \le i < b, with commas or \wedge between."""
        parts = [self.chain()]
        while self.at(",", r"\wedge"):
            self.take(",", r"\wedge")
            parts.append(self.chain())
        return lambda env: elementwise(lambda *t: all(t), *(p(env) for p in parts))

    def chain(self):
        if self.at("("):  # a condition in parentheses, or a formula
            start = self.i
            self.take("(")
            try:
                inner = self.condition()
                self.take(")")
                return inner
            except (UnreadableError, AssertionError):
                self.i = start
        sides, signs = [self.formula()], []
        while self.at(*_RELATIONS):
            signs.append(_RELATIONS[self.take(*_RELATIONS)])
            sides.append(self.formula())
        if not signs:
            return sides[0]  # a name that stands for a condition

        def value(env):
            values = [s(env) for s in sides]
            return elementwise(lambda *v: all(f(p, q) for f, p, q in zip(signs, v, v[1:], strict=False)), *values)

        return value

    def _max(self):
        return self.extreme(max)

    def _min(self):
        return self.extreme(min)

    def several(self):
        """Formulas in parentheses, with commas between."""
        tall = self.at(r"\left(")
        self.take(tall or "(")
        parts = [self.formula()]
        while self.at(","):
            self.take(",")
            parts.append(self.formula())
        self.take(r"\right)" if tall else ")")
        return parts

    def extreme(self, choose):
        if self.text.startswith("_", self.i):
            self.i += 1
            letters, bounds = running(self.inside(), self)
            body, _ = self.factor()
            run = Run(letters, bounds, body)

            def over(env):
                found = [body(place) for place in run.places(env)]
                return elementwise(lambda *v: choose(v), *found)

            return over, True
        self.space()
        if self.at("(", r"\left("):
            parts = self.several()
            if len(parts) > 1:
                return lambda env: elementwise(lambda *v: choose(v), *(p(env) for p in parts))
            return lambda env: Value.of(choose(parts[0](env).array().ravel()))
        inner = self.argument()
        return (lambda env: Value.of(choose(inner(env).array().ravel()))), True

    def _begin(self):
        kind = self.inside()
        rows = [[]]
        while True:
            if kind == "cases" and len(rows[-1]) == 1:
                rows[-1].append(None if self.otherwise() else self.condition())
            else:
                rows[-1].append(self.formula())
            sign = self.take("&", r"\\", rf"\end{{{kind}}}")
            if sign == r"\\":
                rows.append([])
            elif sign != "&":
                break
        return cases(rows) if kind == "cases" else matrix(rows)

    def otherwise(self):
        found = self.at(r"\text{otherwise}")
        if found:
            self.take(found)
        return found

    def _operatorname(self):
        name = self.inside()
        if name in _OPERATORS:
            return self.applied(_OPERATORS[name])
        mark = ""
        if self.text.startswith("_", self.i):
            self.i += 1
            mark = self.inside()
        if name in ("cumsum", "revcumsum"):
            inner = self.group("(", ")") if self.at("(", r"\left(") else self.argument()
            axis = "ij".index(mark) if mark else -1
            return (lambda env: running_sum(inner(env), axis, name == "revcumsum")), True
        if name in _OF_SEVERAL:
            parts = self.several()
            return lambda env: elementwise(_OF_SEVERAL[name], *(p(env) for p in parts))
        inner = self.group("(", ")")
        return lambda env: NAMED[name](inner(env), mark)


class Plain:
    """A name that stands for a value; with ``indexed`` the way it is written with an index."""

    def __init__(self, value, before=None, after=""):
        self.value, self.before, self.after = value, before, after

    def match(self, reader, name):
        if self.before is None:
            if not reader.text.startswith(name, reader.i) or _goes_on(reader.text, reader.i + len(name), name):
                return None
            reader.i += len(name)
            return lambda env: self.value
        if not reader.text.startswith(self.before, reader.i):
            return None
        start, depth, k = reader.i + len(self.before), 0, reader.i + len(self.before)
        while depth or not reader.text.startswith(self.after, k):
            depth += (reader.text[k] == "{") - (reader.text[k] == "}")
            k += 1
            if depth < 0 or k > len(reader.text):
                return None
        index = places_of(reader.text[start:k], reader)
        reader.i = k + len(self.after)
        return lambda env: indexed(self.value, index, env)


def _goes_on(text, i, name):
    return name[-1].isalpha() and "\\" in name and text[i : i + 1].isalpha()
