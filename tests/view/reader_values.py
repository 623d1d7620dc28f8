"""Arrays of fifty digits as a reader of formulas has them: lengths may be open, a vector is a column or a row.

What can be read in two ways is refused.
"""

import mpmath
import numpy as np

mp = mpmath.mp.clone()
mp.dps = 50
PROBE = "probing"  # in an environment: how far a letter runs is being asked, values do not matter


class UnreadableError(AssertionError):
    """Not in the language, or not in one meaning."""


class UnknownError(UnreadableError):
    """A name that nothing stands for yet."""


class OutOfRangeError(IndexError):
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
            raise UnreadableError("a length is open")
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
            raise UnreadableError(f"shapes {a} and {b}")
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
        raise UnreadableError("a row beside a column")
    apply = np.frompyfunc(function, len(values), 1)
    row = rows == {True} and len(shape) == 1
    if None not in shape:
        return Value.of(apply(*(_operand(v, shape) for v in values)), row)
    return Value(shape, lambda s: apply(*(_operand(v, s) for v in values)), row)


def product(a, b):
    """Scalars multiply; matrices and vectors by the rule of lengths."""
    if not a.rank or not b.rank:
        return elementwise(lambda p, q: p * q, a, b)
    if a.rank == 1 and not a.row:
        if b.rank == 1 and b.row:
            return Value((a.shape[0], b.shape[0]), lambda s: np.multiply.outer(a.array(s[:1]), b.array(s[1:])))
        raise UnreadableError("a column before what is no row")
    if b.rank == 1 and b.row:
        if a.rank == 2 and a.shape[1] == 1:
            return Value((a.shape[0], b.shape[0]), lambda s: a.array((s[0], 1)) * b.array(s[1:]))
        raise UnreadableError("a row behind what is no column")
    inner = a.shape[-1] if a.shape[-1] is not None else b.shape[0 if b.rank == 1 else -2]
    other = b.shape[0 if b.rank == 1 else -2]
    if inner is None or (other is not None and other != inner):
        raise UnreadableError(f"inner lengths of {a.shape} and {b.shape}")
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
        raise UnreadableError("the transpose of a scalar")
    turn = lambda s: (*s[:-2], s[-1], s[-2])  # noqa: E731
    return Value(turn(a.shape), lambda s: np.swapaxes(a.array(turn(s)), -1, -2))


def position(env, letter):
    if letter not in env:
        raise UnknownError(f"nothing is called {letter}")
    return env[letter]


def constant(x):
    return lambda env: Value.of(x)


def raised(x, k):
    return mp.mpf(1) if k == 0 else x ** (int(k) if k == int(k) else k)


def fold(join, start, items):
    for x in items:
        start = join(start, x)
    return start


def each(factors):
    """Element by element; what is 0 takes out what it multiplies."""

    def value(env):
        total = factors[0](env)
        for f in factors[1:]:
            total = elementwise(lambda p, q: mp.mpf(0) if p == 0 or q == 0 else p * q, total, f(env))
        return total

    return value


def joined_factors(factors):
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
            found = times(found, f(env))
        return found

    return value


def times(a, b):
    if getattr(a, "is_identity", False) and b.rank:
        return b
    return a if getattr(b, "is_identity", False) and a.rank else product(a, b)


def identity():
    found = Value((None, None), lambda s: np.array([[mp.mpf(i == j) for j in range(s[1])] for i in range(s[0])]))
    found.is_identity = True
    return found


def unit(n, k):
    found = np.full(n, mp.mpf(0), dtype=object)
    found[k] = mp.mpf(1)
    return found


def cases(rows):
    def value(env):
        found = rows[-1][0](env)
        for yes, held in reversed(rows[:-1]):
            found = elementwise(lambda t, p, q: p if t else q, held(env), yes(env), found)
        return found

    assert rows[-1][1] is None
    return value


def matrix(rows):
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


NAMED = {
    "softmax": _softmax,
    "diag": _diag,
    "onehot": _onehot,
    "pad": _pad,
    "tr": lambda x, mark: Value.of(sum((x.array()[i, i] for i in range(len(x.array()))), mp.mpf(0))),
    "tril": lambda x, mark: _triangle(x, lambda i, j: i + int(mark or 0) >= j),
    "triu": lambda x, mark: _triangle(x, lambda i, j: i + int(mark or 0) <= j),
    "stop": lambda x, mark: x,
}


def running_sum(x, axis, reverse):
    a = x.array()
    turned = np.flip(a, axis) if reverse else a
    found = np.add.accumulate(turned, axis)
    return Value.of(np.flip(found, axis) if reverse else found)
