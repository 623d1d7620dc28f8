"""Names are shown, never run: the rows of facts/bad_inputs.json about symbols, functions and LaTeX."""

import ast
import os
import re
import subprocess
import sys

import pytest
import sympy as sp

import symgrad as sg
from symgrad.api import bundle
from symgrad.errors import DeclarationError, UnsupportedError

ROWS = [
    "x; import os", '__import__("os").getcwd()', "x)#", "[i for i in ().__class__.__base__.__subclasses__()]", "lambda",
    "None", "class", "sin", "exp", "math", "numpy", "np", "nb", "__builtins__", "", "a b", "1x", "a,b", "*args",
    "\ud800", "\u00b5", "\u03bc", "x\u200b", "x0", "x1", "v0", "v1", "_sg_0", "y" * 100_000,
    r"\input{/etc/passwd}", r"\immediate\write18{id}", r"\href{javascript:alert(1)}{x}", r"\def\a{\a\a}\a", "$x$",
    "a_b_c", "100%", "{", "x^", r"\begin{x}", "<script>alert(1)</script>", "&amp;",
]  # fmt: skip
# Names that the emitted module, or a call, has in use.
TAKEN = [
    "self",
    "t0",
    "f",
    "value",
    "forward",
    "n",
    "i",
    "values",
    "residuals",
    "f_bar",
    "b_bar",
    "helper",
    "jit",
    "args",
]
QUOTES = [
    "a\nimport os",
    "a\rb",
    'a"""b',
    "a'b",
    "a\\",
    "#",
    "%s",
    "{0}",
    "\\N{BULLET}",
    "\x00",
    "\u2028os",
    "\u202ebidi",
]
HOSTILE = [*ROWS, *TAKEN, *QUOTES]
OWN = [name for name in HOSTILE if name.strip() and len(name) <= 200]  # symgrad's own limits, stated in the message
# What TeX may read as a command: those that symgrad itself writes.
COMMANDS = set(
    r"""\sin \cos \exp \frac \left \right \bar \partial \cdot \begin \end \\ \, \; \text \mathrm \mathit \operatorname
    \quad \qquad \textbackslash \textasciitilde \textasciicircum \{ \} \_ \% \$ \# \& \dfrac \tfrac \ \! \: \textless
    \textgreater \backslash \lambda \hat \bullet \odot \delta \partial \ln \mu \char""".split()
)


@pytest.fixture(autouse=True)
def plain_python(monkeypatch):
    """The emitted text runs as it is: 250 modules would take long to compile."""
    monkeypatch.setattr(bundle, "HEAVIEST", 0)


def ids(name):
    return re.sub(r"[^\w]+", "_", name.encode("unicode_escape").decode())[:24] or "empty"


def formula(u, b, functions):
    return functions.sin(u * b) + functions.exp(u) / b


def compiled(name, symbol, functions):
    u, b = symbol(name), symbol("b")
    return sg.compile(formula(u, b, functions), wrt=[u, b])


WANTED = compiled("a", sg.symbol, sg).value_and_grad(0.3, 0.7)


@pytest.mark.parametrize("name", HOSTILE, ids=ids)
def test_sympy_symbol_of_any_name(name):
    fn = compiled(name, sp.Symbol, sp)
    assert fn.value_and_grad(0.3, 0.7) == WANTED
    assert fn.value_and_grad(**{name: 0.3, "b": 0.7}) == WANTED
    assert fn.inputs == (name, "b")
    check_source(fn.source, name)
    check_texts(fn, name)


@pytest.mark.parametrize("name", OWN, ids=ids)
def test_own_symbol_of_any_name(name):
    fn = compiled(name, sg.symbol, sg)
    assert fn.value_and_grad(0.3, 0.7) == WANTED
    check_source(fn.source, name)


@pytest.mark.parametrize("name", OWN, ids=ids)
def test_intermediate_and_output_of_any_name(name):
    a, b = sg.symbols("a b")
    u = sg.named(name, a + 0.0 * b)
    fn = sg.compile({name: sg.named(name, formula(u, b, sg))}, wrt=[a, b])
    outputs, residuals = fn.forward(0.3, 0.7)
    assert outputs == {name: WANTED[0]}
    assert fn.backward(residuals, {name: 1.0}) == pytest.approx(WANTED[1], rel=1e-15)
    check_source(fn.source, name)
    check_texts(fn, name)


def check_source(text, name):
    """ASCII, one module, and the name in it as an identifier only where it may be one."""
    assert text.isascii()
    used = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    assert not used & {"os", "sys", "open", "eval", "exec", "compile", "getcwd", "__import__", "__builtins__"}
    assert name.isidentifier() or name not in used


def check_texts(fn, name):
    for style in ("matrix", "closed", "elementwise"):
        check_latex(fn.latex(style))
    for text in (str(fn.derivation()), repr(fn), str(fn.report())):
        assert "\x00" not in text
        assert "\u202e" not in text


def check_latex(text):
    commands = set(re.findall(r"\\(?:[A-Za-z]+|.)", text.replace("\n", " ")))
    assert commands <= COMMANDS, commands - COMMANDS
    bare = re.sub(r"\\.", "", text)
    assert bare.count("{") == bare.count("}")
    assert "$" not in bare
    assert "%" not in bare


@pytest.mark.parametrize("name", ["x; import os", 'a"""b', "\ud800", "self", "{", "x\u200b", "../../etc/x"], ids=ids)
def test_saved_file_checks_itself_and_nothing_else_is_written(name, tmp_path):
    fn = compiled(name, sp.Symbol, sp)
    path = fn.save_source(tmp_path / "net.py", standalone=True)
    done = subprocess.run([sys.executable, "-I", str(path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(os.listdir(tmp_path)) <= {"net.py", "__pycache__"}


@pytest.mark.parametrize("name", ["../../etc/x", "CON", "nul", "a:b", "/abs"])
def test_names_of_functions_are_not_names_of_files(name):
    x = sg.symbol("x")
    fn = sg.compile({name: x * 2}, wrt=x)
    assert fn(3.0) == {name: 6.0}
    assert re.fullmatch(r"sg_[0-9a-f]{64}\.py", fn.source_path.name)


@pytest.mark.parametrize(
    "pair",
    [
        ("\u00b5", "\u03bc"),
        ("x", "x\u200b"),
        ("x", "X"),
        ("x_2", "x"),
        ("v0", "a b"),
        ("x0", "x1"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_names_that_look_alike_are_two_variables(pair):
    for make, functions in ((sp.Symbol, sp), (sg.symbol, sg)):
        u, v = make(pair[0]), make(pair[1])
        fn = sg.compile(functions.sin(u) - 2 * v, wrt=[u, v])
        assert fn.inputs == pair
        assert fn(**{pair[0]: 0.0, pair[1]: 3.0}) == -6.0
        assert fn.grad(0.0, 3.0) == (1.0, -2.0)


@pytest.mark.parametrize("name", ["sin", "exp", "cos", "log", "tanh", "sqrt"])
def test_symbol_and_function_of_one_name(name):
    u = sp.Symbol(name)
    fn = sg.compile(getattr(sp, name)(u) * u, wrt=u)
    plain = sg.compile(getattr(sp, name)(sp.Symbol("u")) * sp.Symbol("u"), wrt="u")
    assert fn.value_and_grad(0.5) == plain.value_and_grad(0.5)


def test_temporaries_do_not_meet_symbols():
    names = ["x0", "x1", "t0", "t1", "v0", "v1", "r0", "i", "f", "f_bar", "x0_bar"]
    symbols = sg.symbols(names)
    total = sum(sg.sin(s * k) ** 2 + sg.exp(s) for k, s in enumerate(symbols, 1))
    others = sg.symbols([f"q{k}" for k in range(len(names))])
    same = sum(sg.sin(s * k) ** 2 + sg.exp(s) for k, s in enumerate(others, 1))
    at = [0.1 * k for k in range(len(names))]
    assert sg.compile(total).value_and_grad(*at) == sg.compile(same).value_and_grad(*at)


def test_two_symbols_of_one_name():
    x, positive = sp.Symbol("x"), sp.Symbol("x", positive=True)
    with pytest.raises(DeclarationError, match="two variables are called x"):
        sg.compile(x + positive)
    with pytest.raises(DeclarationError, match="two variables are called x"):
        sg.compile(sg.symbol("x") + sg.symbol("x"))


def test_dummies_of_one_name_go_by_position():
    a, b = sp.Dummy("x"), sp.Dummy("x")
    fn = sg.compile(a - 2 * b, wrt=[a, b])
    assert fn(2.0, 3.0) == -4.0
    assert fn.grad(2.0, 3.0) == (1.0, -2.0)
    with pytest.raises(TypeError, match="names several inputs"):
        fn(x=1.0)


def test_free_symbol_that_is_no_argument():
    x, y = sg.symbols("x y")
    with pytest.raises(DeclarationError, match="y is needed but not among the inputs"):
        sg.compile(x * y, inputs=[x])


def test_argument_listed_twice():
    x = sg.symbol("x")
    with pytest.raises(ValueError, match="twice"):
        sg.compile(x * 2, inputs=[x, x])
    with pytest.raises(ValueError, match="twice"):
        sg.compile(x * 2, wrt=[x, x])


@pytest.mark.parametrize(("name", "argument"), [("f", "x"), ("__import__", "os"), ("eval", "x")])
def test_undefined_function_is_an_error_when_built(name, argument):
    with pytest.raises(UnsupportedError, match=re.escape(name)):
        sg.compile(sp.Function(name)(sp.Symbol(argument)))


@pytest.mark.parametrize("name", ['print("hi") or A', "A", "__import__('os')"])
def test_elements_of_matrices_and_indexed_bases(name):
    for u in (sp.MatrixSymbol(name, 1, 1)[0, 0], sp.IndexedBase(name)[0]):
        fn = sg.compile(sp.sin(u) * u, wrt=u)
        assert fn(0.5) == sg.compile(sp.sin(sp.Symbol("u")) * sp.Symbol("u"))(0.5)
        check_source(fn.source, name)
        check_latex(fn.latex())


def test_own_names_have_stated_limits():
    for name, said in [("", "empty"), ("  ", "empty"), ("y" * 201, "200 characters"), (3, "must be text")]:
        with pytest.raises(DeclarationError, match=said):
            sg.symbol(name)
    with pytest.raises(DeclarationError, match="latex must be text"):
        sg.symbol("x", latex=3)


@pytest.mark.parametrize("name", ["n; import os", "1n", "", "lambda n: 1", "\u00b5"])
def test_names_of_sizes_are_identifiers(name):
    with pytest.raises(DeclarationError, match="identifier"):
        sg.input("X", (name,))


@pytest.mark.parametrize("name", ["lambda", "None", "np", "range", "f", "X", "i", "__builtins__"])
def test_size_of_any_identifier(name):
    X = sg.input("X", (name,))
    assert sg.compile(sg.mean(X), wrt=X).value_and_grad([1.0, 3.0])[0] == 2.0
