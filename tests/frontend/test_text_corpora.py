"""Published formulas are read to the last one, and have their published values."""

import json
import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import mpmath
import pytest

from symgrad.frontend.text import parse
from symgrad.ir.node import Node
from symgrad.ir.walk import topological, variables

FACTS = Path(__file__).parents[2] / ".." / "shared" / "facts"
SMALL = mpmath.mpf("1e-20")


def corpus(name: str, key: str) -> list[dict]:
    path = FACTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))[key] if path.exists() else []


def plain(text: str) -> str:
    """The corpora write an exact decimal as mpf("0.1")."""
    return re.sub(r'mpf\("?([^")]*)"?\)', r"\1", text)


FORMULAS = [*corpus("fpbench_exprs", "exprs"), *corpus("herbie_exprs", "exprs")]
PROGRAMS = [row for row in corpus("hock_schittkowski", "problems") if row["f"]]
needs_corpora = pytest.mark.skipif(not FORMULAS, reason="the corpora lie in ../shared/facts, which is not there")

MP = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "neg": lambda a: -a,
    "abs": abs,
    "maximum": max,
    "minimum": min,
    "cbrt": lambda a: mpmath.sign(a) * mpmath.cbrt(abs(a)),
    "arctan": mpmath.atan,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan2": mpmath.atan2,
}
for _name in ["exp", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "erf", "hypot"]:
    MP[_name] = getattr(mpmath, _name)


def evaluated(output: Node, given: dict[str, mpmath.mpf], number: Callable[[float], mpmath.mpf]) -> mpmath.mpf:
    """The value of a graph of scalars; ``number`` says what was written where a double now stands."""
    found: dict[Node, mpmath.mpf] = {}
    for node in topological([output]):
        if node.op.name == "variable":
            found[node] = given[node["variable"].name]
        elif node.op.name == "constant":
            found[node] = number(node["value"])
        else:
            found[node] = MP[node.op.name](*(found[a] for a in node.args))
    return found[output]


def decimals(text: str) -> Callable[[float], mpmath.mpf]:
    """pi and e to all digits, the decimals of a text as they were written, other doubles as they are."""
    exact = {float(digits): mpmath.mpf(digits) for digits in re.findall(r'mpf\("-?([^"]*)"\)', text)}
    exact |= {math.pi: +mpmath.pi, math.e: +mpmath.e}
    return lambda value: mpmath.sign(value) * exact.get(abs(value), mpmath.mpf(abs(value)))


def rational(value: float) -> mpmath.mpf:
    """pi, or the short fraction that a double stands for."""
    if abs(value) == math.pi:
        return mpmath.sign(value) * mpmath.pi
    for digits in range(13):
        short = Fraction(value).limit_denominator(10**digits)
        if float(short) == value:
            return mpmath.mpf(short.numerator) / short.denominator
    return mpmath.mpf(value)


def coordinate(text: str) -> mpmath.mpf:
    """A fraction such as 49/100, or a formula such as sqrt(2)/2."""
    if re.fullmatch(r"[-0-9/]+", text):
        return mpmath.mpf(Fraction(text).numerator) / Fraction(text).denominator
    return evaluated(parse(text).node, {}, rational)


@needs_corpora
def test_corpora_are_read_to_the_last_formula():
    assert len(FORMULAS) == 96 + 573
    for row in FORMULAS:
        found = variables([parse(plain(row["expr"])).node])
        assert {n["variable"].name for n in found} <= set(row["args"])


@needs_corpora
def test_conditions_of_corpora_are_read():
    """Their == and != are equal(a, b) and not_equal(a, b) here: those are refused, all others are boolean."""
    conditions = [row["pre"] for row in FORMULAS if row["pre"]]
    assert len(conditions) > 150
    for text in conditions:
        if "==" in text or "!=" in text:
            with pytest.raises(ValueError, match="equal"):
                parse(plain(text))
        else:
            assert parse(plain(text).replace("PI", "pi")).dtype == "bool"


@needs_corpora
def test_formulas_have_their_published_values():
    """In 60 digits, with decimals as they were written: what is left is how the text was read.

    A formula without variables (Rump's, which cancels 36 digits) is whole numbers, which are rounded to doubles.
    """
    tried = 0
    with mpmath.workdps(60):
        for row in (r for r in FORMULAS if r["args"]):
            node = parse(plain(row["expr"])).node
            number = decimals(row["expr"])
            for point in row["points"]:
                given = dict(zip(row["args"], (mpmath.mpf(float.fromhex(x)) for x in point["x"]), strict=True))
                value = evaluated(node, given, number)
                assert mpmath.almosteq(value, mpmath.mpf(point["f"]), rel_eps=SMALL), row["expr"]
                tried += 1
    assert tried > 1000


@needs_corpora
def test_programs_have_their_published_values():
    """Hock and Schittkowski's objectives, whose numbers are fractions."""
    assert len(PROGRAMS) == 99
    with mpmath.workdps(60):
        for row in PROGRAMS:
            assert all(parse(c["g"]).dtype == "real" for c in row["constraints"] or ())
            node = parse(row["f"]).node
            for point in row["points"]:
                given = {f"x{i}": coordinate(x) for i, x in enumerate(point["x"])}
                value = evaluated(node, given, rational)
                assert mpmath.almosteq(value, mpmath.mpf(point["f"]), rel_eps=SMALL), row["name"]
