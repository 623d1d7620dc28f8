r"""Reads printed derivations back: formulas of the styles "matrix", "closed" and "elementwise", to fifty digits.

A reader knows what a mathematician knows and nothing of the printer: juxtaposition is the product, of matrices where
both are arrays (a vector is a column), \odot, + and fractions act on elements and broadcast as NumPy does, \sum without
an index sums all elements, an index that runs does so as far as what it indexes reaches, e_k and 1 are as long as what
they meet. A function without parentheses takes the next factor. What can be read in two ways is refused.
"""

import itertools
import re

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 50


class Unreadable(AssertionError):
    """Not in the language, or not in one meaning."""


class Unknown(Unreadable):
    """A name that nothing stands for yet."""


class OutOfRange(IndexError):
    """An index beyond what it indexes."""


class Value:
    """An array of mpf whose unknown lengths (None) are settled by what it meets; ``row``: a transposed vector."""

    def __init__(self, shape, make, row=False):
        self.shape, self.make, self.row = tuple(shape), make, row

    @classmethod
    def of(cls, array, row=False):
        array = np.asarray(array, dtype=object)
        return cls(array.shape, lambda shape: array, row)

    @property
    def rank(self):
        return len(self.shape)

    def array(self, shape=None):
        """The elements; ``shape`` settles what is open."""
        shape = self.shape if shape is None else shape
        if None in shape:
            raise Unreadable("a length is open")
        return np.broadcast_to(np.asarray(self.make(shape), dtype=object), shape)


def _joined(a, b):
    """NumPy's rule for shapes with open lengths; a column is a column, with one axis or two."""
    if len(a) == 1 and len(b) == 2 and b[1] == 1 and a[0] == b[0] != 1:
        return b
    if len(b) == 1 and len(a) == 2 and a[1] == 1 and a[0] == b[0] != 1:
        return a
    rank = max(len(a), len(b))
    pairs = zip((1,) * (rank - len(a)) + tuple(a), (1,) * (rank - len(b)) + tuple(b), strict=True)
    shape = []
    for m, n in pairs:
        if m == n or m in (1, None) or n in (1, None):
            shape.append(n if m in (1, None) and not (m is None and n == 1) else m)
        else:
            raise Unreadable(f"shapes {a} and {b}")
    return tuple(shape)


def _own(value, whole):
    """The part of a whole shape that an operand fills."""
    if _is_column(value, whole):
        return whole[:1]
    tail = whole[len(whole) - value.rank :]
    return tuple(w if n is None else n for n, w in zip(value.shape, tail, strict=True))


def _is_column(value, whole):
    return value.rank == 1 and not value.row and len(whole) == 2 and whole[1] == 1 and value.shape[0] == whole[0]


def _operand(value, whole):
    """Its elements, beside other operands."""
    found = value.array(_own(value, whole))
    return found[:, None] if _is_column(value, whole) else found


def elementwise(function, *values):
    shape = ()
    for v in values:
        shape = _joined(shape, v.shape)
    rows = {v.row for v in values if v.rank == 1}
    if len(rows) > 1 and len(shape) == 1:
        raise Unreadable("a row beside a column")
    apply = np.frompyfunc(function, len(values), 1)
    return Value(shape, lambda s: apply(*(_operand(v, s) for v in values)), rows == {True} and len(shape) == 1)


def product(a, b):
    """Scalars multiply; matrices and vectors by the rule of lengths."""
    if not a.rank or not b.rank:
        return elementwise(lambda p, q: p * q, a, b)
    if a.rank == 1 and not a.row:
        if b.rank == 1 and b.row:
            return Value((a.shape[0], b.shape[0]), lambda s: np.multiply.outer(a.array(s[:1]), b.array(s[1:])))
        raise Unreadable("a column before what is no row")
    if b.rank == 1 and b.row:
        if a.rank == 2 and a.shape[1] == 1:
            return Value((a.shape[0], b.shape[0]), lambda s: a.array((s[0], 1)) * b.array(s[1:]))
        raise Unreadable("a row behind what is no column")
    inner = a.shape[-1] if a.shape[-1] is not None else b.shape[0 if b.rank == 1 else -2]
    other = b.shape[0 if b.rank == 1 else -2]
    if inner is None or (other is not None and other != inner):
        raise Unreadable(f"inner lengths of {a.shape} and {b.shape}")
    shape = (*a.shape[:-1], *(b.shape[-1:] if b.rank > 1 else ()))

    def make(s):
        left = a.array((*s[: a.rank - 1], inner))
        right = b.array((inner,) if b.rank == 1 else (*(b.shape[:-2]), inner, s[-1]))
        return np.matmul(left, right) if left.ndim > 2 or right.ndim > 2 else np.dot(left, right)

    return Value(shape, make, a.rank == 1 and a.row and len(shape) == 1)


def transposed(a):
    if a.rank == 1:
        return Value(a.shape, a.make, not a.row)
    if a.rank < 2:
        raise Unreadable("the transpose of a scalar")
    turn = lambda s: (*s[:-2], s[-1], s[-2])  # noqa: E731
    return Value(turn(a.shape), lambda s: np.swapaxes(a.array(turn(s)), -1, -2))


_FUNCTIONS = {
    "sin": mp.sin, "cos": mp.cos, "tan": mp.tan, "ln": mp.log, "exp": mp.exp, "tanh": mp.tanh, "sinh": mp.sinh,
    "cosh": mp.cosh, "arctan": mp.atan, "arcsin": mp.asin, "arccos": mp.acos, "Phi": mp.ncdf, "varphi": mp.npdf,
    "sigma": lambda x: 1 / (1 + mp.exp(-x)), "Gamma": mp.gamma, "psi": mp.digamma,
}  # fmt: skip
_OPERATORS = {
    "sign": mp.sign, "erf": mp.erf, "arsinh": mp.asinh, "sinc": lambda x: mp.sincpi(x),
}  # fmt: skip
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
        while self.i < len(self.text) and self.text[self.i] == " " or self.text.startswith((r"\,", r"\ "), self.i):
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
            raise Unreadable(f"{starts} where {self.text[self.i : self.i + 40]!r} stands")
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
        found = self.formula()
        self.space()
        if self.i < len(self.text):
            raise Unreadable(f"left over: {self.text[self.i :]!r}")
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
        return _each(factors) if len(factors) > 1 else factors[0]

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
                raise Unreadable(f"what follows a function: {self.text[self.i : self.i + 30]!r}")
            if big:
                factors.append(self.big())
                break
            found, open_function = self.factor()
            factors.append(found)
        if not factors:
            raise Unreadable(f"nothing at {self.text[self.i : self.i + 30]!r}")
        return _product(factors)

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
            return lambda env: elementwise(_power, base(env), exponent(env))
        index = _places(self.inside(), self)
        return lambda env: _indexed(base(env), index, env)

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
            return _constant(mp.mpf(number[0])), False
        if self.at("e^"):
            self.i += 2
            exponent = self.part(self.inside()).whole()
            return (lambda env: elementwise(mp.exp, exponent(env))), False
        if self.at("e"):
            self.i += 1
            return _constant(mp.e), False
        if self.at("I"):
            self.i += 1
            return (lambda env: _identity()), False
        return self.function_or_letter()

    def function_or_letter(self):
        for letter in sorted(self.functions, key=len, reverse=True):
            if self.at(letter + "(", letter + r"\left("):
                self.take(letter)
                inner = self.group("(", ")")
                return (lambda env: elementwise(self.functions[letter], inner(env))), False
        found = _LETTER.match(self.text, self.i)
        if not found:
            raise Unreadable(f"no formula: {self.text[self.i : self.i + 40]!r}")
        self.i = found.end()
        return (lambda env, c=found[0]: Value.of(mp.mpf(_position(env, c)))), False

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
            ranges = [_reach(lambda n, c=c: inner({**start, c: n})) for c in letters]

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
            raise Unreadable(f"the command {name}")
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
        return (lambda env: elementwise(_power, whole(env), power(env))), not in_parentheses

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
            return lambda env: Value.of(_fold(join, start, body(env).array().ravel()))
        self.i += 1
        letters, bounds = _running(self.inside(), self)
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
            raise Unknown(f"no line before tells {self.text[self.i : self.i + 40]}")
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
        return _constant(mp.pi)

    def _infty(self):
        return _constant(mp.inf)

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
            return lambda env: _identity()
        assert kind == "e"
        self.take("_")
        place = _place(self.inside(), self)
        return lambda env: Value((None,), lambda s: _unit(s[0], place(env)))

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
        sides, signs = [self.formula()], []
        while self.at(*_RELATIONS):
            signs.append(_RELATIONS[self.take(*_RELATIONS)])
            sides.append(self.formula())
        assert signs, "a condition"

        def value(env):
            values = [s(env) for s in sides]
            return elementwise(lambda *v: all(f(p, q) for f, p, q in zip(signs, v, v[1:], strict=False)), *values)

        return value

    def _max(self):
        return self.extreme(max)

    def _min(self):
        return self.extreme(min)

    def extreme(self, choose):
        if self.text.startswith("_", self.i):
            self.i += 1
            letters, bounds = _running(self.inside(), self)
            body, _ = self.factor()
            run = Run(letters, bounds, body)

            def over(env):
                found = [body(place) for place in run.places(env)]
                return elementwise(lambda *v: choose(v), *found)

            return over, True
        self.space()
        if self.at("(", r"\left("):
            tall = self.at(r"\left(")
            self.take(tall or "(")
            parts = [self.formula()]
            while self.at(","):
                self.take(",")
                parts.append(self.formula())
            self.take(r"\right)" if tall else ")")
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
        return _cases(rows) if kind == "cases" else _matrix(rows)

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
            return (lambda env: _running_sum(inner(env), axis, name == "revcumsum")), True
        if name == "atan2":
            self.take("(")
            y = self.formula()
            self.take(",")
            x = self.formula()
            self.take(")")
            return lambda env: elementwise(mp.atan2, y(env), x(env))
        inner = self.group("(", ")")
        return lambda env: _NAMED[name](inner(env), mark)


def _position(env, letter):
    if letter not in env:
        raise Unknown(f"nothing is called {letter}")
    return env[letter]


def _constant(x):
    return lambda env: Value.of(x)


def _power(x, k):
    return mp.mpf(1) if k == 0 else x ** (int(k) if k == int(k) else k)


def _fold(join, start, items):
    for x in items:
        start = join(start, x)
    return start


def _each(factors):
    """Element by element; what is 0 takes out what it multiplies."""

    def value(env):
        total = factors[0](env)
        for f in factors[1:]:
            total = elementwise(lambda p, q: mp.mpf(0) if p == 0 or q == 0 else p * q, total, f(env))
        return total

    return value


def _product(factors):
    """Factors from left to right; where an indicator says 0, the others are not looked at."""
    if len(factors) == 1:
        return factors[0]
    indicators = [f for f in factors if getattr(f, "is_indicator", False)]

    def value(env):
        for f in indicators if PROBE not in env else ():
            v = f(env)
            if not v.rank and v.array(()).item() == 0:
                return Value.of(mp.mpf(0))
        found = factors[0](env)
        for f in factors[1:]:
            found = _times(found, f(env))
        return found

    return value


def _times(a, b):
    if getattr(a, "is_identity", False) and b.rank:
        return b
    return a if getattr(b, "is_identity", False) and a.rank else product(a, b)


def _identity():
    found = Value((None, None), lambda s: np.array([[mp.mpf(i == j) for j in range(s[1])] for i in range(s[0])]))
    found.is_identity = True
    return found


def _unit(n, k):
    found = np.full(n, mp.mpf(0), dtype=object)
    found[k] = mp.mpf(1)
    return found


def _cases(rows):
    def value(env):
        found = rows[-1][0](env)
        for yes, held in reversed(rows[:-1]):
            found = elementwise(lambda t, p, q: p if t else q, held(env), yes(env), found)
        return found

    assert rows[-1][1] is None
    return value


def _matrix(rows):
    """Numbers, or blocks: vectors below each other, matrices beside or below each other."""

    def value(env):
        blocks = [[v(env).array() for v in row] for row in rows]
        if len(rows[0]) == 1:
            return Value.of(np.concatenate([np.atleast_1d(row[0]) for row in blocks]))
        lines = [np.concatenate([np.atleast_1d(b) for b in row], axis=-1) for row in blocks]
        return Value.of(np.concatenate(lines) if lines[0].ndim == 2 else np.stack(lines))

    return value


def _along(x, mark):
    return tuple("ijkl".index(c) for c in mark) if mark else (-1,)


def _softmax(x, mark):
    a = x.array()
    e = np.frompyfunc(mp.exp, 1, 1)(a)
    return Value.of(e / e.sum(axis=_along(x, mark), keepdims=True))


def _diag(x, mark):
    a = x.array()
    if a.ndim == 2:
        return Value.of(np.array([a[i, i] for i in range(len(a))], dtype=object))
    return Value.of(np.array([[a[i] if i == j else mp.mpf(0) for j in range(len(a))] for i in range(len(a))]))


def _triangle(x, keeps):
    a = x.array()
    return Value.of(np.array([[v if keeps(i, j) else mp.mpf(0) for j, v in enumerate(r)] for i, r in enumerate(a)]))


def _pad(x, mark):
    """Zeros, with x at the positions that stand below."""
    marks = [m.strip() for m in mark.split(",")]
    parts = [[int(p) if p else None for p in m.split(":")] for m in marks]
    def make(s):
        whole = np.full(s, mp.mpf(0), dtype=object)
        spots = tuple(slice(p[0], p[1], *(p[2:] or ())) if len(p) > 1 else p[0] for p in parts)
        whole[spots] = x.array(np.shape(whole[spots]) if None in x.shape or not x.rank else None)
        return whole

    return Value((None,) * max(len(parts), x.rank), make)


def _onehot(x, mark):
    t = np.asarray(x.array(), dtype=object)

    def make(s):
        found = np.full(s, mp.mpf(0), dtype=object)
        for place in np.ndindex(*t.shape):
            found[(*place, int(t[place]))] = mp.mpf(1)
        return found

    return Value((*t.shape, None), make)


_NAMED = {
    "softmax": _softmax,
    "diag": _diag,
    "onehot": _onehot,
    "pad": _pad,
    "tr": lambda x, mark: Value.of(sum((x.array()[i, i] for i in range(len(x.array()))), mp.mpf(0))),
    "tril": lambda x, mark: _triangle(x, lambda i, j: i + int(mark or 0) >= j),
    "triu": lambda x, mark: _triangle(x, lambda i, j: i + int(mark or 0) <= j),
    "stop": lambda x, mark: x,
}


def _running_sum(x, axis, reverse):
    a = x.array()
    turned = np.flip(a, axis) if reverse else a
    found = np.add.accumulate(turned, axis)
    return Value.of(np.flip(found, axis) if reverse else found)


# indices


def _place(text, reader):
    """A position: letters, numbers, names of integers, their sums and multiples."""
    if re.fullmatch(r"-?\d+", text.strip()):
        return lambda env: int(text)
    formula = Reader(text, reader.names, reader.functions).whole()
    return lambda env: int(formula(env).array(()).item())


def _places(text, reader):
    r"""The places of an index: ij, i+1, 2, 1:3, \cdot j, {, k_{m}}."""
    text = text.strip()
    if r"\to" in text:
        before, after = (t.strip() for t in text.split(r"\to"))
        return [("to", tuple(before.index(c) for c in after))]
    marks = _split(text)
    if len(marks) == 1 and ":" not in text:
        marks = re.findall(r"\\cdot|\d+|[a-z](?:_\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})?|\\[a-zA-Z]+(?:\{[^{}]*\})?", text)
        if "".join(marks).replace(" ", "") != text.replace(" ", "") or any(c in text for c in "+-("):
            marks = [text]
        elif len(marks) > 1 and any(m.isdigit() and len(m) > 1 for m in marks):
            raise Unreadable(f"the index {text}")
    found = []
    for mark in marks:
        if mark == r"\cdot" or mark == ":":
            found.append(slice(None))
        elif ":" in mark:
            found.append(slice(*(int(p) if p.strip() else None for p in mark.split(":"))))
        else:
            found.append(_place_or_array(mark, reader))
    return found


def _place_or_array(mark, reader):
    if re.fullmatch(r"\d+", mark):
        return lambda env: int(mark)
    inner = Reader(mark, reader.names, reader.functions).whole()

    def value(env):
        found = inner(env)
        return int(found.array(()).item()) if not found.rank else found.array().astype(int)

    return value


def _split(text):
    parts, depth = [""], 0
    for c in text:
        depth += (c in "{(") - (c in "})")
        if c == "," and not depth:
            parts.append("")
        else:
            parts[-1] += c
    return [p.strip() for p in parts]


def _indexed(v, index, env):
    if index and isinstance(index[0], tuple):
        return Value.of(np.transpose(v.array(), index[0][1]))
    a, places = v.array(), []
    for axis, p in enumerate(index):
        place = p if isinstance(p, slice) else p(env)
        if isinstance(place, int) and PROBE in env:
            place = max(place, 0)
        if isinstance(place, int) and not 0 <= place < a.shape[axis]:
            raise OutOfRange(f"{place} of {a.shape[axis]}")
        places.append(place)
    if len(places) > a.ndim:
        raise Unreadable(f"{len(places)} indices of {a.ndim} axes")
    return Value.of(a[tuple(places)])


def _running(text, reader):
    r"""(letters, condition or None) of i j, j \le i, ik:\ 2i+k=h, i < 3."""
    head, _, tail = text.partition(r":\ ")
    relation = next((r for r in (r"\le", r"\ge", r"\ne", "=", "<") if r in head), None)
    condition = tail or (head if relation else "")
    letters = re.findall(r"[a-z](?:_\{\d+\})?", head.split(relation)[0] if relation else head)
    bound = Reader(condition, reader.names, reader.functions).condition() if condition else None
    return letters, bound


PROBE = "probing"  # in an environment: how far a letter runs is being asked, values do not matter


def _reach(body, limit=64):
    """0, 1, 2, ... as far as what a letter indexes has elements; None where nothing says how far."""
    body(0)  # what has no value here has none for another reason
    for n in range(1, limit):
        try:
            body(n)
        except OutOfRange:
            return range(n)
    return None


class Run:
    """The letters of a sum with the places that they take: their ranges, and a condition on them."""

    def __init__(self, letters, condition, body):
        self.letters, self.condition, self.body, self.ranges = letters, condition, body, None

    def places(self, env):
        """The environments over which the letters run; the first alone where nothing but a range is asked for."""
        if self.ranges is None:
            self.ranges = [self._range(c, env) for c in self.letters]
        for place in itertools.product(*self.ranges):
            here = {**env, **dict(zip(self.letters, place, strict=True))}
            if PROBE in env or self.condition is None or self.condition(here).array(()).item():
                yield here
            if PROBE in env:
                return

    def _range(self, c, env):
        start = {**env, **dict.fromkeys(self.letters, 0), PROBE: True}
        found = _reach(lambda n: self.body({**start, c: n}))
        if found is not None:
            return found
        if self.condition is None:
            raise Unreadable(f"nothing says how far {c} runs")
        return range(16)


# names


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
        index = _places(reader.text[start:k], reader)
        reader.i = k + len(self.after)
        return lambda env: _indexed(self.value, index, env)


def _goes_on(text, i, name):
    return name[-1].isalpha() and "\\" in name and text[i : i + 1].isalpha()
