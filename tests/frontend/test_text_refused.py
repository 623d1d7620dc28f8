"""What ``parse`` refuses, where it points, and how much it takes."""

import ast
import re
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symgrad.errors import ExpressionError, ShapeError
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.declare import symbol
from symgrad.frontend.tensor import Tensor
from symgrad.frontend.text import parse
from symgrad.frontend.text_scan import DEEPEST, LONGEST_NAME, LONGEST_NUMBER, MOST_BRACKETS, MOST_TOKENS
from symgrad.ir.walk import topological

NAMES = {name: symbol(name) for name in "xyz"}
X = NAMES["x"]


def mark(error: ExpressionError) -> int:
    """The position in the text that the mark points at, checked against the column that the summary names."""
    (_, shown), (_, line) = error.facts[:2]
    column = int(re.search(r"\(column (\d+)\)", error.summary)[1])
    assert line.strip() == "^"
    assert len(shown) <= 64 + 6
    if not shown.startswith("..."):
        assert column == len(line)
    return column - 1


POSITIONS = {
    "x +": 3, "x + )": 4, "x y": 2, "2x": 1, "(x": 0, "x)": 1, "x*(y+(z)": 2, "sin()": 4, "sin(x,)": 6, "x,y": 1,
    "x + foo(y)": 4, "x + sin": 4, "x(y)": 0, "2(x)": 1, "(x)(y)": 3, "x**^2": 3, "x[0]": 1, "x.T": 1, "x @ y": 2,
    "x if y else z": 2, "x and y": 0, "x + (y < 1 & z > 2)": 9, "1 + 2 + x/(1/0)": 11, "x + lambda": 4, "x + 007": 4,
    "sin(x, y)": 0, "'a'": 0, "x;y": 1, "x # y": 2, "x\\y": 1, "x\ny": 1, "x = 1": 2, "x != 1": 2, "x // 2": 2,
    "x % 2": 2, "x + not y": 4, "x! + 1": 1, "True": 0, "None": 0, "x\x00": 1, "x\u2212y": 1,
}  # fmt: skip


@pytest.mark.parametrize("text", POSITIONS)
def test_mark_stands_under_the_fault(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert mark(caught.value) == POSITIONS[text]


@pytest.mark.parametrize("before", [0, 10, 40, 300])
@pytest.mark.parametrize("after", [0, 10, 40, 300])
def test_mark_stands_under_the_fault_in_long_text(before, after):
    with pytest.raises(ExpressionError) as caught:
        parse("x+" * before + "x^2" + "+y" * after)
    shown, line = (text for _, text in caught.value.facts[:2])
    assert mark(caught.value) == 2 * before + 1
    assert shown[len(line) - 1] == "^"


@pytest.mark.parametrize("name", ["\u03bc", "\u00b5", "x\u00b2"])
def test_names_beyond_ascii_are_refused(name):
    with pytest.raises(ExpressionError, match=r"not ASCII|look-alike") as caught:
        parse(f"x*{name}")
    assert mark(caught.value) == 2


def test_look_alikes_are_refused_even_if_declared():
    with pytest.raises(ExpressionError, match="look-alike"):
        parse("\u00b5*x", {"\u00b5": X})


def test_mark_counts_characters_behind_greek_names():
    with pytest.raises(ExpressionError, match="division by zero") as caught:
        parse("\u03bc*\u03bc*sin(1/0)", {"\u03bc": X})
    assert mark(caught.value) == 8


def test_shapes_that_do_not_fit_are_shown_in_the_text():
    a, b = declare_input("A", (3,)), declare_input("B", (4,))
    with pytest.raises(ShapeError, match="shapes do not broadcast") as caught:
        parse("x + A*B", {"A": a, "B": b})
    assert mark(caught.value) == 4


@given(st.text(max_size=60))
@example("1if x else y")
@example("1_000*x")
@example("0x1f")
@example("1j")
@example("x.real")
@example("f'{x}'")
@example("(yield)")
@example("x:=1")
@example("\ud800")
@example("\u202ex")
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused(text):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            assert isinstance(parse(text), Tensor)
        except ExpressionError as error:
            str(error).encode("utf-8")


WORDS = "x y 1 0 2 0.5 .5 7e3 ( ) , + - * / ** < <= > >= & | ~ and or not sin( max( where( x( pi e ^ == = lambda if"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=14), st.sampled_from(["", " "]))
@settings(deadline=None, max_examples=600)
def test_what_passes_the_scan_is_python(words, space):
    text = space.join(words)
    try:
        parse(text)
    except ExpressionError as error:
        if "this is not an expression" in str(error):
            pytest.fail(str(error))
    else:
        ast.parse(text.strip(), mode="eval")


def test_budgets_are_accepted_to_the_last():
    terms = MOST_TOKENS // 2
    assert len(topological([parse("+".join(["x"] * terms)).node])) == terms
    assert parse("(" * MOST_BRACKETS + "x" + ")" * MOST_BRACKETS, NAMES) == X
    assert parse("-" * DEEPEST + "x", NAMES).dtype == "real"
    assert parse("**".join(["x"] * DEEPEST)).dtype == "real"
    assert parse("a" * LONGEST_NAME).name == "a" * LONGEST_NAME
    assert parse("0." + "3" * (LONGEST_NUMBER - 2)).node["value"] == 1 / 3
    nested = "sin(" * (MOST_BRACKETS - 1) + "x + 1" + " + 1)" * (MOST_BRACKETS - 1)
    assert parse(nested).dtype == "real"


@pytest.mark.parametrize(
    "text",
    [
        "+".join(["x"] * (MOST_TOKENS // 2 + 1)),
        "(" * (MOST_BRACKETS + 1) + "x" + ")" * (MOST_BRACKETS + 1),
        "-" * (DEEPEST + 2) + "x",
        "(" + "+".join(["x"] * (DEEPEST + 2)) + ")*2",
        "((x" + "*x" * (DEEPEST // 2) + ")" + "*x" * (DEEPEST // 2) + ")*y",
        "a" * (LONGEST_NAME + 1),
        "0." + "3" * LONGEST_NUMBER,
        "x + " * 30_000 + "x",
    ],
    ids=["words", "parentheses", "signs", "sum inside", "products inside", "name", "number", "text"],
)
def test_one_more_is_refused(text):
    with pytest.raises(ExpressionError, match="more than"):
        parse(text)


def test_a_full_stack_is_an_error_of_ours():
    def deep(n):
        return deep(n - 1) if n else parse("**".join(["x"] * DEEPEST))

    outcomes = set()
    for n in range(600, 990, 10):
        try:
            deep(n)
        except ExpressionError as error:
            outcomes.add(error.summary.partition(" (")[0])
        except RecursionError:  # the test's own calls, or the imports of the error, do not fit any more
            break
    assert outcomes <= {"parse: too deep for the stack that is left"}
