"""Text becomes the tensor that the operators would have built, and nothing else happens."""

import math
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import DtypeError, ExpressionError
from symgrad.frontend import functions
from symgrad.frontend.declare import input as declare_input
from symgrad.frontend.declare import symbol
from symgrad.frontend.tensor import Tensor
from symgrad.frontend.text import CONSTANTS, parse
from symgrad.frontend.text_exact import MOST_BITS
from symgrad.frontend.text_functions import ALIASES, FUNCTIONS
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import constant
from symgrad.ir.walk import variables
from symgrad.nn.activations import ACTIVATIONS, gelu, mish, selu, silu, step

FACTS = Path(__file__).parents[2] / ".." / "shared" / "facts"
NAMES = {name: symbol(name) for name in "xyz"}
X, Y, Z = NAMES.values()
NEGATED = -X
T = functions.TABLE


def read(text: str) -> Tensor:
    return parse(text, NAMES)


MEANINGS = {
    "(x + y)*z": (X + Y) * Z,
    "x + y*z": X + Y * Z,
    "x - y - z": (X - Y) - Z,
    "x - y + z - 1.5": ((X - Y) + Z) - 1.5,
    "x / y / z": (X / Y) / Z,
    "x/y*z": (X / Y) * Z,
    "x**y**z": X ** (Y**Z),
    "-x**2": -(X**2),
    "x**-2": X**-2,
    "x**(1/3)": X ** (1 / 3),
    "2*x": 2 * X,
    "- -x": -NEGATED,
    "+x": X,
    "  x\t+ y ": X + Y,
    "x < y": X < Y,
    "x >= 0.5": X >= 0.5,
    "0 <= x < y": T["logical_and"](X >= 0, X < Y),
    "x < y and y < z": (X < Y) & (Y < Z),
    "x < y or y < z and x < z": (X < Y) | ((Y < Z) & (X < Z)),
    "not x < y": ~(X < Y),
    "(x < y) & ~(y <= z) | (z > 1)": ((X < Y) & ~(Y <= Z)) | (Z > 1),
    "where(x > 0, x, y)": T["where"](X > 0, X, Y),
    "equal(x, 1)": T["equal"](X, 1),
    "max(x, y, z)": T["maximum"](T["maximum"](X, Y), Z),
    "Min(x, 0)": T["minimum"](X, 0),
    "clip(x, -1, 1)": T["clip"](X, -1, 1),
    "step(x) + step(x, y)": step(X) + step(X, Y),
    "relu6(x)": ACTIVATIONS["relu6"](X),
    "elu(x)*elu(x, 0.5)": ACTIVATIONS["elu"](X) * ACTIVATIONS["elu"](X, 0.5),
    "selu(silu(x)) + gelu(mish(x))": selu(silu(X)) + gelu(mish(X)),
    "atan2(y, x)": T["arctan2"](Y, X),
    "fmod(x, y)".replace("fmod", "Mod"): T["mod"](X, Y),
    "sin(x)**2 + cos(x)**2": T["sin"](X) ** 2 + T["cos"](X) ** 2,
    "1/(1 + exp(-x))": 1 / (1 + T["exp"](-X)),
    "pi*x": math.pi * X,
    "e**x + E": math.e**X + math.e,
    ".5*x + 5.*y + 1e-3": 0.5 * X + 5.0 * Y + 1e-3,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_text_means_what_operators_build(text):
    assert read(text) == MEANINGS[text]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_is_called_by_its_name(name):
    function = FUNCTIONS[name]
    arguments = [X, Y, Z][: function.fewest]
    condition = name == "where" or name.startswith("logical_")
    built = [a > 0 for a in arguments] if condition else arguments
    text = ", ".join(f"{a.name} > 0" if condition else a.name for a in arguments)
    assert read(f"{name}({text})") == function.apply(*built)
    with pytest.raises(ExpressionError, match=f"{name} takes"):
        read(f"{name}({', '.join(['x'] * (function.fewest - 1 or 4))})")


def test_aliases_are_other_names_of_known_functions():
    assert all(FUNCTIONS[alias] is FUNCTIONS[name] for alias, name in ALIASES.items())


_LEAVES = st.sampled_from([("x", X), ("y", Y), ("z", Z), ("0.1", 0.1), ("2.5e-3", 2.5e-3), ("pi", math.pi)])
_BINARY = {"+": (1, 1, 2), "-": (1, 1, 2), "*": (2, 2, 3), "/": (2, 2, 3), "**": (4, 5, 3)}  # own, left, right binding
_APPLY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
}


def _as_tensor(value):
    return value if isinstance(value, Tensor) else Tensor(constant(value))


def _leaf(pair):
    return pair[0], 6, _as_tensor(pair[1])


def _enclosed(part, binding):
    text, own, _ = part
    return text if own >= binding else f"({text})"


def _joined(parts):
    sign, left, right, space = parts
    own, left_binding, right_binding = _BINARY[sign]
    text = f"{_enclosed(left, left_binding)}{space}{sign}{space}{_enclosed(right, right_binding)}"
    return text, own, _APPLY[sign](left[2], right[2])


def _negated(part):
    assert isinstance(part[2], Tensor)
    folded = part[2].node.op.name == "constant"
    value = Tensor(constant(-part[2].node["value"])) if folded else -part[2]
    return "-" + _enclosed(part, 4), 3, value


def _called(pair):
    name, part = pair
    return f"{name}({part[0]})", 6, FUNCTIONS[name].apply(part[2])


EXPRESSIONS = st.recursive(
    _LEAVES.map(_leaf),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(_BINARY)), inner, inner, st.sampled_from(["", " "])).map(_joined),
        inner.map(_negated),
        st.tuples(st.sampled_from(["sin", "exp", "ln", "Abs"]), inner).map(_called),
    ),
    max_leaves=25,
)


@given(EXPRESSIONS)
@settings(deadline=None, max_examples=300)
def test_any_expression_is_read_as_it_is_written(expression):
    text, _, tensor = expression
    assert read(text) == tensor


def test_new_names_are_symbols_in_order_of_appearance():
    tensor = parse("b*a + sin(c) + a", {"c": X})
    assert [n["variable"].name for n in variables([tensor.node])] == ["x", "b", "a"]
    assert {n["variable"].kind for n in variables([tensor.node])} == {"symbol"}


def test_declared_names_win_over_constants_and_functions():
    assert parse("e + pi + E", {"e": X, "pi": Y, "E": Z}) == (X + Y) + Z
    assert parse("sin(sin)", {"sin": X}) == T["sin"](X)
    assert set(CONSTANTS) == {"e", "E", "pi"}


def test_a_name_may_stand_for_a_number_or_an_expression():
    assert parse("k*x", {"k": 3, "x": X}) == 3 * X
    assert parse("q**2", {"q": X + Y}) == (X + Y) ** 2


def test_declared_names_may_be_greek():
    mu = symbol("\u03bc")
    assert parse("\u03bc*x", {"\u03bc": mu, "x": X}) == mu * X


def test_tensors_keep_their_shape():
    assert parse("2*A + 1", {"A": declare_input("A", (3,))}).shape == (3,)


def test_integers_keep_their_kind():
    t = declare_input("t", ("n",), dtype="int")
    assert parse("2*t + 1", {"t": t}) == 2 * t + 1
    assert parse("2*t + 1", {"t": t}).dtype == "int"
    assert parse("t/2", {"t": t}).dtype == "real"


@pytest.mark.parametrize("value", [None, b"x", 1, X, ["x"]])
def test_only_text_is_parsed(value):
    with pytest.raises(DtypeError, match="parse takes text"):
        parse(value)


NUMBERS = {
    "1/3": 1 / 3,
    "2/3 - 1/3 - 1/3": 0.0,
    "1/10 + 2/10": 0.3,
    "2**-1": 0.5,
    "-2**2": -4.0,
    "(-2)**3": -8.0,
    "0**0": 1.0,
    "(-1)**(10**300)": 1.0,
    "1**(10**300) + 0**(10**300)": 1.0,
    "10**400/10**399": 10.0,
    "2**1023": 2.0**1023,
    "(1/3)**2": float(Fraction(1, 9)),
    "-0.0": -0.0,
    "9007199254740993": 9007199254740992.0,
    "0.1": 0.1,
    "123456789012345678901234567890": 1.2345678901234568e29,
}


@pytest.mark.parametrize("text", NUMBERS)
def test_whole_numbers_are_exact_and_rounded_once(text):
    node = parse(text).node
    assert node.op.name == "constant"
    assert node["value"].hex() == NUMBERS[text].hex()


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6), st.sampled_from("+-*/"))
def test_exact_arithmetic_is_that_of_fractions(a, b, sign):
    if sign == "/" and b == 0:
        return
    exact = {"+": a + b, "-": a - b, "*": a * b, "/": a / b if b else a}[sign]
    assert parse(f"({a}) {sign} ({b})").node["value"] == float(exact)


def test_sums_beyond_the_budget_of_bits_go_on_as_doubles():
    terms = range(1, 4000)
    (value,) = evaluate([parse("+".join(f"1/{n}" for n in terms)).node], {})
    assert math.isclose(value, math.fsum(1 / n for n in terms), rel_tol=4000 * 2**-53)


@pytest.mark.parametrize(
    "text", ["1/0", "0**-1", "x/(1-1)/0*0 + 2/(3-3)", "1e999", "10**309", "1" + "0" * 309, "(1/3)**5000"]
)
def test_numbers_without_a_double_are_refused(text):
    with pytest.raises(ExpressionError, match=r"column \d+"):
        parse(text)


@pytest.mark.parametrize(
    "power", [f"2**{MOST_BITS + 1}", "3**4096", "(1/3)**-4096", "10**10**10", "9**9**9**9**9", "(2**64)**64*x"]
)
def test_powers_beyond_the_budget_of_bits_are_refused(power):
    with pytest.raises(ExpressionError, match="bits"):
        parse(power)
