"""Nodes as LaTeX: parentheses, numbers, names, size; what is printed means what was built."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st
from latex_reader import read

import symgrad as sg
from symgrad.emit.latex import latex
from symgrad.emit.latex_names import GREEK, automatic, given, quoted
from symgrad.emit.latex_naming import Naming
from symgrad.emit.latex_numbers import number
from symgrad.emit.unicode import unicode
from symgrad.errors import DeclarationError
from symgrad.frontend.functions import TABLE as F
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import build, constant
from symgrad.ops.registry import ROWS
from symgrad.view.tensors import latex_of

FACTS = json.loads((Path(__file__).parent.parent / "facts" / "bad_inputs.json").read_text(encoding="utf-8"))["inputs"]
HOSTILE = [row["input"] for row in FACTS if row["category"] in ("latex", "symbol-name")]
HOSTILE += [
    "\ud800",
    "x\u200b",
    "x\n%",
    "`a`",
    "^^",
    "~",
    "}{",
    "\\",
    "\\text{",
    "\x1b[31m",
    "x" * 150,
    "''",
    "--",
    " x ",
    "\\left(",
    "%\n\\end{aligned}",
]
QUOTING = {r"\text", r"\mathrm", r"\hat", r"\backslash", r"\sim"}
x, y, z = sg.symbols("x y z")
X, B = sg.input("X", ("n", 2)), sg.input("B", ("n", 3))
W1, b, v = sg.parameter("W1", (2, 3)), sg.parameter("b", (3,)), sg.input("v", (3,))
Z = X @ W1

SCALARS = {
    "sum in product": (x + y) * z,
    "difference of difference": x - (y - z),
    "sum of differences": x + (y - z),
    "minus a sum": -(x + y),
    "minus a negative": x - (-y),
    "numbers in front": x * 2 * y * 3,
    "number times number": sg.constant(2.0) * 3.0 * x,
    "power of quotient": (x / y) ** 2,
    "power of negative": (-x) ** 2,
    "minus a power": -(x**2),
    "power of power": (x**y) ** z,
    "power in exponent": x ** (y**z),
    "power of product": (2 * x) ** 2,
    "half": 0.5 * (x - 1) ** 2,
    "function": sg.sin(x) * y,
    "function of product": sg.sin(2 * x),
    "function squared": sg.sin(x) ** 2,
    "log of sum": sg.log(x + 1) * y,
    "neuron": 1 / (1 + sg.exp(-(x * y + z))),
    "sigmoid": sg.sigmoid(x * y),
    "relu": sg.relu(z - 1),
    "max": 2 * (x * y + sg.maximum(z, x)),
    "root": sg.sqrt(x + 1) / 2,
    "cases": sg.where(x > 0, sg.sqrt(x), 0),
    "absolute": abs(x - y) * z,
    "small numbers": x * 0.1 + 1e-8 * y,
    "pi": math.pi / 2 * x,
    "comparison": (x > 0) & (y < 2),
}
ARRAYS = {
    "matrix product": Z,
    "layer": sg.sigmoid(Z + b),
    "loss": ((B - sg.sigmoid(Z)) ** 2).sum() / 2,
    "mean": ((B - Z) ** 2).mean(),
    "hadamard": Z * B,
    "transpose": Z.T,
    "transpose of hadamard": (Z * B).T @ X,
    "residual": X.T @ (Z - B),
    "scaled": 2 * Z @ W1.T,
    "column sums": Z.sum(axis=0),
    "row sums of difference": (Z - B).sum(axis=1),
    "row maxima": Z.max(axis=1),
    "log-sum-exp": sg.logsumexp(Z, axis=1),
    "softmax": sg.softmax(Z),
    "norm": sg.norm(Z),
    "row": W1[0],
    "column": W1[:, 1],
    "element": X[0, 1],
    "matrix vector": W1 @ v,
    "vector matrix": X[0] @ W1,
    "inner": (v @ b) * v,
    "outer": sg.outer(b, v),
    "full contraction": sg.einsum("ij,ij->", Z, B),
    "scaled columns": sg.einsum("ij,j->ij", Z, b),
    "cross entropy": -(B * sg.log(sg.softmax(Z))).sum(axis=1).mean(),
    "concatenate": sg.concatenate([Z, B], axis=0),
    "one hot": sg.one_hot(sg.input("t", ("n",), dtype="int"), 3),
    "sums": Z.sum() + 2 * B.sum(),
    "product of sums": Z.sum() * B.sum(),
}


def balanced(text: str) -> bool:
    depth = 0
    for token in re.findall(r"\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            return False
    return depth == 0


def test_scalars_are_as_read_in_review(snapshot):
    assert {name: latex_of(f.node) for name, f in SCALARS.items()} == snapshot


def test_arrays_are_as_read_in_review(snapshot):
    assert {name: latex_of(f.node) for name, f in ARRAYS.items()} == snapshot


@pytest.mark.parametrize("f", [*SCALARS.values(), *ARRAYS.values()], ids=[*SCALARS, *ARRAYS])
def test_unicode_is_one_printable_line(f):
    text = unicode(latex_of(f.node))
    assert text.isprintable()
    assert "\\" not in text


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_row_prints_with_balanced_braces(name):
    row = ROWS[name]
    kind = row.takes[0] if len(row.takes) == 1 else "real"
    symbols = [sg.input(letter, dtype=kind).node for letter in "xyz"[: row.arity]]
    if name == "where":
        symbols[0] = (x > 0).node
    params = dict.fromkeys(row.params, 2)
    sums = [build("add", s, constant(1.0)) if s.dtype == "real" else s for s in symbols]
    for args in (symbols, sums):
        text = latex(build(name, *args, **params))
        assert balanced(text)
        assert not re.search("[\ue000-\uf8ff]", text)


def expressions():
    leaves = st.one_of(st.sampled_from([x, y, z]), st.sampled_from([0.5, 2.0, 3.0, 0.1, 1.5]).map(sg.constant))
    unary = st.sampled_from(
        [
            lambda a: -a,
            sg.sin,
            sg.cos,
            sg.tanh,
            sg.sigmoid,
            abs,
            lambda a: sg.exp(-a),
            lambda a: a**2,
            lambda a: sg.log(1.5 + sg.cos(a)),
            sg.relu,
        ]
    )
    binary = st.sampled_from(
        [
            lambda a, c: a + c,
            lambda a, c: a - c,
            lambda a, c: a * c,
            lambda a, c: a / (2 + sg.sin(c)),
            sg.maximum,
            lambda a, c: (1 + a**2) ** sg.tanh(c),
        ]
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda f, a: f(a), unary, inner), st.builds(lambda f, a, c: f(a, c), binary, inner, inner)
        ),
        max_leaves=12,
    )


@settings(max_examples=300, deadline=None)
@hypothesis_given(expressions())
def test_what_is_printed_means_what_was_built(f):
    values = {"x": 0.7, "y": -1.3, "z": 2.1}
    (expected,) = evaluate([f.node], {s.node: values[s.name] for s in (x, y, z)})
    assert read(latex(f.node), values) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (-3.0, "3"),
        (0.5, r"\frac{1}{2}"),
        (1.5, r"\frac{3}{2}"),
        (1 / 3, r"\frac{1}{3}"),
        (0.1, "0.1"),
        (0.01, "0.01"),
        (0.2, "0.2"),
        (math.pi, r"\pi"),
        (2 * math.pi, r"2 \pi"),
        (math.pi / 4, r"\frac{\pi}{4}"),
        (math.e, "e"),
        (math.sqrt(2), r"\sqrt{2}"),
        (8**0.5, r"\sqrt{8}"),
        (1e-8, "10^{-8}"),
        (2.5e-9, r"2.5 \cdot 10^{-9}"),
        (6.02e23, r"6.02 \cdot 10^{23}"),
        (0.3333, "0.3333"),
        (math.inf, r"\infty"),
        (math.nan, r"\mathrm{NaN}"),
        (0.1 + 0.2, "0.30000000000000004"),
        (5e-324, r"5 \cdot 10^{-324}"),
        (True, r"\mathrm{true}"),
        (7, "7"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


@settings(max_examples=300, deadline=None)
@hypothesis_given(st.floats(min_value=1e-300, max_value=1e300))
def test_a_number_is_read_back_to_the_same_double_or_named_exactly(value):
    text = number(value)
    if r"\frac" in text or r"\pi" in text or r"\sqrt" in text or text == "e" or r"\ln" in text:
        return
    decimal = text.replace(r" \cdot 10^{", "e").replace("10^{", "1e").replace("}", "")
    assert float(decimal) == value


@pytest.mark.parametrize(
    ("name", "scalar", "array"),
    [
        ("x", "x", "x"),
        ("W1", "W_{1}", "W^{(1)}"),
        ("z2", "z_{2}", "z^{(2)}"),
        ("w0", "w_{0}", "w^{(0)}"),
        ("yhat", r"\hat{y}", r"\hat{y}"),
        ("y_hat", r"\hat{y}", r"\hat{y}"),
        ("x_bar", r"\bar{x}", r"\bar{x}"),
        ("alpha", r"\alpha", r"\alpha"),
        ("theta1", r"\theta_{1}", r"\theta^{(1)}"),
        ("mu", r"\mu", r"\mu"),
        ("μ", r"\mu", r"\mu"),
        ("µ", r"\text{µ}", r"\text{µ}"),
        ("x_i", "x_{i}", "x_{i}"),
        ("W_out", r"W_{\mathrm{out}}", r"W_{\mathrm{out}}"),
        ("loss", r"\mathrm{loss}", r"\mathrm{loss}"),
        ("conv1", r"\mathrm{conv}_{1}", r"\mathrm{conv}^{(1)}"),
        ("a_b_c", r"\mathrm{a\_b\_c}", r"\mathrm{a\_b\_c}"),
        ("100%", r"\text{100}\%", r"\text{100}\%"),
        ("lambda", r"\lambda", r"\lambda"),
        ("Gamma", r"\Gamma", r"\Gamma"),
        ("that", r"\mathrm{that}", r"\mathrm{that}"),
    ],
)
def test_digits_count_layers_of_arrays_and_index_scalars(name, scalar, array):
    assert automatic(name, 0).latex == scalar
    assert automatic(name, 2).latex == array


@pytest.mark.parametrize("name", HOSTILE)
def test_no_command_of_a_hostile_name_survives(name):
    text = automatic(name, 0).latex
    assert balanced(text)
    assert "$" not in text.replace(r"\$", "")
    assert "%" not in text.replace(r"\%", "")
    assert text.isprintable()
    assert set(re.findall(r"\\[a-zA-Z]+", text)) <= QUOTING | ({rf"\{name}"} if name in GREEK else set())
    assert balanced(latex_of((sg.symbol(name) ** 2).node))


@settings(max_examples=300, deadline=None)
@hypothesis_given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="`"), min_size=1, max_size=30)
)
def test_a_quoted_name_reads_back_as_it_was(name):
    text = automatic(name, 0).latex
    if text == quoted(name):
        assert unicode(text) == re.sub(" +", " ", name).strip()


def test_two_nodes_never_look_alike():
    naming = Naming()
    names = ("yhat", "y_hat", "yhat", "x1", "x_1", "x1")
    shown = [naming.of(sg.symbol(name).node).latex for name in names]
    assert len(set(shown)) == len(names)


def test_given_latex_is_taken_as_it_is():
    w = sg.symbol("w", latex=r"\omega^{\star}")
    assert latex((w * x).node) == r"\omega^{\star} x"
    assert latex((w**2).node) == r"(\omega^{\star})^{2}"


@pytest.mark.parametrize("text", ["{", "}", "x}{", r"\frac{1}{", "\\", " ", r"a\{}"])
def test_given_latex_must_balance(text):
    with pytest.raises(DeclarationError, match="balanced"):
        given(text, "x")


def test_named_parts_stand_on_lines_of_their_own(snapshot):
    z2 = sg.named("z2", X @ W1)
    assert latex_of((sg.sigmoid(z2) * z2).node) == snapshot


def test_a_tensor_shows_itself():
    assert (x * y)._repr_latex_() == "$$\nx y\n$$"


def test_20000_nested_calls_print_in_short_lines():
    e = x
    for i in range(20_000):
        e = sg.sin(e) if i % 2 else e * y
    lines = latex_of(e.node).splitlines()
    assert 200 < len(lines) < 2000
    assert max(map(len, lines)) < 2000


def test_a_graph_of_2_to_the_200_paths_prints_in_linear_size():
    e = x
    for _ in range(200):
        e = e * e + e
    text = latex_of(e.node)
    assert len(text) < 20_000
    assert balanced(text)


def test_long_constant_arrays_get_a_letter():
    long, short = sg.constant(np.arange(20.0)), sg.constant([[1.0, 2.0], [0.5, -1.0]])
    assert latex((long * v.sum()).node) == r"C_{1} \sum v"
    assert latex((short @ short).node).startswith(r"\begin{pmatrix} 1 & 2 \\ \frac{1}{2} & -1 \end{pmatrix}")


def test_functions_of_the_table_all_print():
    for name, function in F.items():
        if name in ROWS and ROWS[name].arity == 1 and ROWS[name].takes[0] == "real" and not ROWS[name].params:
            assert balanced(latex(function(x / 2).node)), name
