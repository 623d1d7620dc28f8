"""The formula means what the code does: printed derivations are read back line by line, to fifty digits."""

import functools
import re

import numpy as np
import pytest
from functions import OTHERS, WORKED
from more_functions import MORE
from reader import Plain, Reader
from reader_values import OutOfRangeError, UnknownError, UnreadableError, Value, mp

import symgrad as sg
from symgrad.emit.latex_index import with_index
from symgrad.emit.latex_names import automatic
from symgrad.ir.element import letter
from symgrad.ir.evaluate import evaluate
from symgrad.ir.types import substitute as with_sizes
from symgrad.ir.walk import variables
from symgrad.pipeline import derive
from symgrad.view.derivation import Derivation
from symgrad.view.styles import _printed_sizes

ALL = {**WORKED, **OTHERS, **MORE}
SIZES = {"n": 3, "m": 2, "batch": 2}
RTOL = 1e-9  # the compiled gradient is in float64; what is read has fifty digits


@functools.cache
def made(name):
    """(derived, derivation) of a function of the lists."""
    f, wrt = ALL[name]()
    named = [sg.named(k, v) for k, v in f.items()] if isinstance(f, dict) else f
    outputs = [t.node for t in (named if isinstance(named, (list, tuple)) else [named])]
    derived = derive(outputs, [w.node for w in wrt], variables(outputs))
    return derived, Derivation(derived)


def values_of(nodes):
    """Values inside every domain, the same on every run."""
    rng = np.random.default_rng(11)
    found = {}
    for v in variables(nodes):
        shape = tuple(with_sizes(n, SIZES) for n in v.shape)
        found[v] = rng.integers(0, 2, shape) if v.dtype == "int" else rng.uniform(0.15, 0.9, shape)
    return found


def exact(array):
    return Value.of(np.frompyfunc(lambda x: mp.mpf(x), 1, 1)(np.asarray(array, dtype=object)))


def equations(text):
    """(left, right) of aligned lines, those below "where" first: the others are made of them."""
    body = text.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    rows = [row.split(" && ")[0] for row in body.split(" \\\\\n")]
    start = next((i for i, row in enumerate(rows) if row.startswith(r"\text{where}")), len(rows))
    for row in (*rows[start:], *rows[:start]):
        left, right = row.removeprefix(r"\text{where}\quad ").split(" &= ", 1)
        yield left, right


def sides(text):
    """The parts between = that are not inside brackets."""
    parts, depth = [""], 0
    for token in re.findall(r"\\begin|\\end|\\.|.", text, re.DOTALL):
        depth += (token in ("{", "[", "(", r"\begin")) - (token in ("}", "]", ")", r"\end"))
        if token == "=" and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [p.strip() for p in parts]


_HAND_FORM = re.compile(r"[a-z\\{}_0-9]+'?\(z\)")


class Reading:
    """One style of one derivation, read line by line: what is found under each name."""

    def __init__(self, name, style):
        self.derived, self.d = made(name)
        plan, written = self.d.plan, self.d.written
        self.naming, self.style, self.by_element = plan.naming, style, style == "elementwise"
        given = values_of([*self.derived.outputs, *(s.node for s in plan.stations)])
        self.names, self.functions, self.shapes, self.lefts = {}, {}, {}, {}
        for op, letter_ in self.naming.functions.items():
            self.functions[letter_], self.functions[f"{letter_}'"] = ACTIVATIONS[op]
        automatic_names = style != "closed"  # there parts have names of their own
        for s in plan.stations:
            if s.body is not None and s.user_name is None and s not in plan.outputs and not automatic_names:
                continue
            self.know(s.node if s.body is None else s.stand, given.get(s.node) if s.body is None else None)
        for nodes in written.terms.values() if automatic_names else ():
            for n in nodes:
                self.know(n)
        for c in written.cotangents:
            self.know(c.stand)
        seeds = self.seeded(written.seeds)
        for size in _printed_sizes(plan, written):
            self.names[automatic(size, 0).latex] = Plain(Value.of(mp.mpf(SIZES[size])))
        self.expected = self.gradients(given, seeds)
        self.found = {}
        waiting = [(left, right) for left, right in equations(self.d.latex(style)) if not _HAND_FORM.fullmatch(left)]
        while waiting:
            waiting = self.round(waiting)

    def round(self, lines):
        """The lines that cannot be read yet: in closed form a gradient may be told by one below it."""
        later, missing = [], None
        for left, right in lines:
            try:
                self.line(left, right)
            except UnknownError as e:
                later.append((left, right))
                missing = e
        if len(later) == len(lines) or (later and self.style != "closed"):
            raise missing
        return later

    def seeded(self, seeds):
        rng, found = np.random.default_rng(5), {}
        for s, node in seeds.items():
            found[s] = 1.0
            if node.op.name == "variable":
                found[s] = rng.uniform(0.2, 0.8, [with_sizes(n, SIZES) for n in node.shape])
                self.know(node, found[s])
        return found

    def know(self, node, value=None):
        """A name that will be met, and its value if it is given."""
        name = self.naming.of(node)
        if name is None:
            return
        shape = tuple(with_sizes(n, SIZES) for n in node.shape)
        before, after = name.latex, ""
        if self.by_element and shape:
            before, after = with_index(name.latex, name.raised, (letter("@"),)).text.split("@")
        self.lefts[name.latex] = (before, after, shape)
        if value is not None:
            self.put(name.latex, exact(value))

        for other in self.d.plan.same.get(self.station(node), ()):
            self.lefts[other.latex] = self.lefts[name.latex]

    def station(self, node):
        return next((s for s in self.d.plan.stations if node in (s.node, s.stand)), None)

    def put(self, latex, value):
        before, after, shape = self.lefts.get(latex, (latex, "", value.shape))
        self.names[latex] = Plain(value, before, after) if self.by_element and shape else Plain(value)

    def gradients(self, given, seeds):
        """Name -> what the compiled gradient is made of (or the outputs, where no gradient is asked for)."""
        d, plan = self.derived, self.d.plan
        at, first = dict(given), set()
        for s, node in zip(plan.outputs, d.seeds, strict=True):
            at[node] = seeds.get(s, 0.0) if s not in first else np.zeros_like(seeds.get(s, 0.0))
            first.add(s)
        if not plan.wrt:
            values = evaluate(d.outputs, given)
            return {self.naming.of(s.node).latex: v for s, v in zip(plan.outputs, values, strict=True)}
        values = evaluate(d.gradients or d.pulled, at)
        stands = {c.station: c.stand for c in self.d.written.cotangents}
        return {self.naming.of(stands[s]).latex: v for s, v in zip(plan.wrt, values, strict=True)}

    def line(self, left, right):
        latex, index, shape = self.left(left)
        if self.by_element and shape:
            formula = Reader(right, self.names, self.functions).whole()
            array = np.empty(shape, dtype=object)
            for place in np.ndindex(*shape):
                env = {c: k for c, k in zip(index, place, strict=True) if c != "0"}
                array[place] = formula(env).array(()).item()
            values = [Value.of(array)]
        else:
            values = [Reader(side, self.names, self.functions).whole()({}) for side in sides(right)]
            values = [fitted(v, v.shape if shape is None else shape) for v in values]
        for other in values[1:]:
            close(values[0].array(), other.array(), mp.mpf(10) ** -40)
        self.found[latex] = values[0]
        self.put(latex, values[0])

    def left(self, text):
        """(name, its letters, its shape)."""
        if text in self.lefts and not (self.by_element and self.lefts[text][2]):
            return text, (), self.lefts[text][2]
        for latex, (before, after, shape) in sorted(self.lefts.items(), key=lambda item: -len(item[1][0])):
            if self.by_element and shape and text.startswith(before) and text.endswith(after):
                inside = text[len(before) : len(text) - len(after)]
                letters = re.findall(r"[a-z](?:_\{\d+\})?|0", inside)
                if len(letters) == len(shape):
                    return latex, letters, shape
        assert not self.by_element, text
        return text, (), None


def fitted(value, shape):
    """The value of a line as an array of that shape: a column is one with one axis or two."""
    bare = [n for n in shape if n != 1]
    if value.rank != len(shape) and None not in value.shape and [n for n in value.shape if n != 1] == bare:
        return Value.of(value.array().reshape(shape))
    return Value.of(value.array(shape))


def close(a, b, rtol):
    for x, y in zip(np.ravel(a), np.ravel(b), strict=True):
        assert abs(x - y) <= rtol * max(1, abs(x), abs(y)), (x, y)


ACTIVATIONS = {
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), lambda x: 1 / (2 + mp.exp(x) + mp.exp(-x))),
    "tanh": (mp.tanh, lambda x: 1 / mp.cosh(x) ** 2),
    "relu": (lambda x: max(x, mp.mpf(0)), lambda x: mp.mpf(x > 0)),
}


@pytest.mark.parametrize("name", ALL)
def test_what_is_printed_has_the_value_of_the_gradient(name):
    for style in ("matrix", "closed", "elementwise"):
        reading = Reading(name, style)
        assert reading.expected
        for latex, expected in reading.expected.items():
            value = np.broadcast_to(reading.found[latex].array(), np.shape(expected))
            close(value, exact(expected).array(), RTOL)


_KNOWN = {"A": Plain(exact([[1, 2], [3, 5]])), "x": Plain(exact([1, 2])), "y": Plain(exact(2.0))}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (r"2 (A + A^\top) x", r"2 (A - A^\top) x"),
        (r"2 (A + A^\top) x", r"4 A x"),
        (r"\sum_{i} x_{i}^{2}", r"\sum_{i} x_{i}"),
        (r"A - x \mathbf{1}^\top", r"A - x"),
    ],
)
def test_the_reader_sees_what_is_wrong(right, wrong):
    values = [Reader(text, _KNOWN).whole()({}).array() for text in (right, wrong)]
    with pytest.raises(AssertionError):
        close(*values, RTOL)


@pytest.mark.parametrize("text", [r"x \sin y y", r"A x^\top", "x x", r"\sum_{i} 3", r"A x +", r"\unheard x", "x_{2}"])
def test_the_reader_refuses_what_has_no_meaning(text):
    with pytest.raises((UnreadableError, OutOfRangeError)):
        Reader(text, _KNOWN).whole()({})
