"""Indices of formulas that are read: the places they name, and how far the letters of a sum run."""

import itertools
import re

import numpy as np
from reader_values import PROBE, OutOfRangeError, UnreadableError, Value


def place_of(text, reader):
    """A position: letters, numbers, names of integers, their sums and multiples."""
    if re.fullmatch(r"-?\d+", text.strip()):
        return lambda env: int(text)
    formula = reader.part(text).whole()
    return lambda env: int(formula(env).array(()).item())


def places_of(text, reader):
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
            raise UnreadableError(f"the index {text}")
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
    inner = reader.part(mark).whole()

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


def indexed(v, index, env):
    if index and isinstance(index[0], tuple):
        return Value.of(np.transpose(v.array(), index[0][1]))
    a, places = v.array(), []
    for axis, p in enumerate(index):
        place = p if isinstance(p, slice) else p(env)
        if isinstance(place, int) and PROBE in env:
            place = max(place, 0)
        if isinstance(place, int) and not 0 <= place < a.shape[axis]:
            raise OutOfRangeError(f"{place} of {a.shape[axis]}")
        places.append(place)
    if len(places) > a.ndim:
        raise UnreadableError(f"{len(places)} indices of {a.ndim} axes")
    return Value.of(a[tuple(places)])


def running(text, reader):
    r"""(letters, condition or None) of i j, j \le i, ik:\ 2i+k=h, i < 3."""
    head, _, tail = text.partition(r":\ ")
    relation = next((r for r in (r"\le", r"\ge", r"\ne", "=", "<") if r in head), None)
    condition = tail or (head if relation else "")
    letters = re.findall(r"[a-z](?:_\{\d+\})?", head.split(relation)[0] if relation else head)
    bound = reader.part(condition).condition() if condition else None
    return letters, bound


def reach(body, limit=64):
    """0, 1, 2, ... as far as what a letter indexes has elements; None where nothing says how far."""
    body(0)  # what has no value here has none for another reason
    for n in range(1, limit):
        try:
            body(n)
        except OutOfRangeError:
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
        found = reach(lambda n: self.body({**start, c: n}))
        if found is not None:
            return found
        if self.condition is None:
            raise UnreadableError(f"nothing says how far {c} runs")
        return range(16)
