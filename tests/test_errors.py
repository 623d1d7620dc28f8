"""Every message as a golden text, and the promises of the tree: built-in parents, one layout, whole copies."""

import copy
import pickle
import re
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest
import sympy

import symgrad.frontend.public  # noqa: F401  all hooks and operations in place
from symgrad import errors
from symgrad.errors import ExpressionError, SymgradError
from symgrad.frontend import arrays, declare, functions, products, reductions
from symgrad.frontend.sympy import from_sympy
from symgrad.frontend.text import parse
from symgrad.ir.node import Node, Variable, build
from symgrad.ir.types import ArrayType, named
from symgrad.ops import contract
from symgrad.ops.leaf import variable

BUILTINS = {
    "CallError": TypeError,
    "DeclarationError": ValueError,
    "ExpressionError": ValueError,
    "ShapeError": ValueError,
    "ModelFileError": ValueError,
    "DtypeError": TypeError,
    "NotDifferentiableError": TypeError,
    "UnsupportedError": NotImplementedError,
    "IndexRangeError": IndexError,
    "NumericError": ArithmeticError,
    "InternalError": RuntimeError,
}


def shown(error: SymgradError) -> str:
    """The message as the user reads it, with the class in front and a line of no particular file."""
    kind = type(error)
    return (
        f"{kind.__name__}: {kind(error.summary, *error.facts, fix=error.fix, at='script.py:1   the line of the user')}"
    )


def caught(make) -> SymgradError:
    with pytest.raises(SymgradError) as found:
        make()
    return found.value


def node(*shape, dtype="real", name="x") -> Node:
    sizes = tuple(named(n) if isinstance(n, str) else n for n in shape)
    return variable(Variable(name, "input"), ArrayType(sizes, dtype))


TEXTS = {
    "empty": " ",
    "attribute": "x.__class__",
    "string": '__import__("os").getcwd()',
    "unknown function": "sim(x) + 1",
    "unlike any function": "factorial(10**6)",
    "variable called": "x(y + 1)",
    "function as a variable": "1 + sin",
    "arguments": "atan2(y) + 1",
    "caret": "x^2",
    "equality": "x == 1",
    "assignment": "x = 1",
    "modulo": "x % 2",
    "floor division": "x // 2",
    "conditional": "x if y else z",
    "reserved word": "lambda + 1",
    "two lines": "x +\ny",
    "control character": "x + \x07y",
    "comment": "x + y # sum",
    "look-alike": "\uff45val(1)",
    "not ASCII": "2*\u03bc",
    "minus sign": "x \u2212 1",
    "product sign": "2 \u00d7 x",
    "root sign": "1 + \u221ax",
    "superscript": "1 + x_1\u00b2",
    "bars": "1 + |x|",
    "function without parentheses": "2*sin x",
    "hexadecimal": "0x10",
    "digits in groups": "1_000*x",
    "named argument": "leaky_relu(x, alpha=0.2)",
    "missing operator": "2x + 1",
    "missing product": "2(x + 1)",
    "missing value": "x + * y",
    "unfinished": "sin(x) +",
    "open parenthesis": "2*(x + (y*z)",
    "closed parenthesis": "x + y) * 2",
    "comma": "0,5*x",
    "zeros": "007*x",
    "not": "x + not y",
    "truth of a number": "x and y",
    "precedence of &": "x < 1 & y > 2",
    "division by zero": "x/(3 - 3)*(1/0)",
    "huge power": "1 + 9**9**9",
    "huge number": "x + 1e400",
    "long number": "x + 0." + "3" * 500,
    "long name": "x*" + "a" * 300,
    "long text": "x + " * 40_000,
    "many words": "x+" * 20_000 + "x",
    "deep": "x + " + "(" * 200 + "y" + ")" * 200,
    "long product": "x" + "*x" * 600,
    "far to the right": "alpha*beta + " * 20 + "gama(x)" + " + delta/epsilon" * 20,
}
A, B, V, T, M = node("n", 64), node(10, 64), node(3), node("n", dtype="int"), node(2, 3)
OPERATIONS = {
    "add: shapes": lambda: build("add", V, node(4)),
    "add: named sizes": lambda: build("add", node("n"), node("m")),
    "add: kinds": lambda: build("add", node(dtype="int"), node()),
    "sin: integers": lambda: build("sin", node(dtype="int")),
    "logical_and: reals": lambda: build("logical_and", node(), node()),
    "where: kinds": lambda: build("where", node(dtype="bool"), node(), node(dtype="int")),
    "matmul: inner sizes": lambda: contract.matmul(A, B),
    "matmul: no transpose helps": lambda: contract.matmul(M, node(5, 7)),
    "matmul: left transposed": lambda: contract.matmul(M, node(2, 7)),
    "matmul: a vector": lambda: contract.matmul(M, node(4)),
    "matmul: stacks": lambda: contract.matmul(node(2, 3, 4), node(5, 4, 3)),
    "einsum: two sizes": lambda: build("einsum", M, node(4, 5), spec="ij,jk->ik"),
    "reshape": lambda: build("reshape", M, shape=(4, 2)),
    "reshape: named": lambda: build("reshape", node("n"), shape=(named("n"), 2)),
    "diagonal": lambda: build("diagonal", M, axes=(0, 1)),
    "concatenate": lambda: build("concatenate", M, node(2, 4), axis=0),
    "concatenate: kinds": lambda: build("concatenate", V, node(3, dtype="int"), axis=0),
    "gather": lambda: build("gather", V, V, axis=0),
}
X, Y = declare.symbol("x"), declare.input("Y", ("n", 3))
TENSORS = {
    "truth": lambda: bool(X > 0),
    "float": lambda: float(X),
    "index": lambda: [1, 2][X],
    "len of a scalar": lambda: len(X),
    "len of a name": lambda: len(Y),
    "iteration": lambda: list(Y),
    "array": lambda: np.asarray(Y),
    "text": lambda: X + "1",
    "complex": lambda: X + np.complex128(1j),
    "masked": lambda: X + np.ma.masked_array([1.0], [True]),
    "ragged": lambda: declare.constant([[1.0], [1.0, 2.0]]),
    "shapes": lambda: Y + declare.input("Z", ("n", 4)),
    "product of scalars": lambda: X @ Y,
    "not of a real": lambda: ~X,
    "ufunc": lambda: np.gcd(X, 2),
    "index range": lambda: Y[0, 3],
    "many indices": lambda: Y[0, 0, 0],
    "index kind": lambda: Y["a"],
    "mask": lambda: Y[Y > 0],
    "step": lambda: Y[::0],
    "axis": lambda: reductions.sum(Y, axis=2),
    "axis of a scalar": lambda: reductions.sum(X, axis=0),
    "axis twice": lambda: reductions.sum(Y, axis=(0, -2)),
    "norm": lambda: reductions.norm(Y, ord=2),
    "norm: of one axis": lambda: reductions.norm(Y, ord="fro", axis=0),
    "trace: one axis": lambda: arrays.trace(Y, axis1=0, axis2=-2),
    "trace: a vector": lambda: arrays.trace(declare.input("v", (3,))),
    "diag: of a named size": lambda: arrays.diag(Y, 1),
    "diag: number": lambda: arrays.diag(Y, 0.5),
    "einsum: nothing": lambda: products.einsum("ij"),
    "einsum: words": lambda: products.einsum("...i->i", Y),
    "einsum: axes": lambda: products.einsum("...ij,j", declare.symbol("x"), Y),
    "reshape": lambda: Y.reshape(7, -1),
    "reshape: two free": lambda: Y.reshape(-1, -1),
    "transpose": lambda: arrays.transpose(Y, (0, 0)),
    "stack": lambda: arrays.stack([X, Y]),
    "concatenate": lambda: arrays.concatenate([X, X]),
    "squeeze": lambda: arrays.squeeze(Y, axis=1),
    "one_hot": lambda: arrays.one_hot(Y, 3),
    "where": lambda: functions.where(Y > 0, Y, declare.input("Z", (2,))),
    "no names": lambda: declare.symbols(" "),
    "empty name": lambda: declare.symbol(""),
    "long name": lambda: declare.symbol("a" * 300),
    "name kind": lambda: declare.symbol(3),
    "dtype": lambda: declare.input("X", (2,), dtype="float32"),
    "size": lambda: declare.input("X", (2.5,)),
    "size name": lambda: declare.input("X", ("2n",)),
    "size range": lambda: declare.input("X", (2**40,)),
    "init": lambda: declare.parameter("W", (2, 3), init=np.zeros(3)),
    "initializer": lambda: declare.parameter("W", (2, 3), init="he_normall"),
    "range": lambda: declare.symbols("x:"),
    "many symbols": lambda: declare.symbols("x:20000000000"),
    "gamma": lambda: from_sympy(sympy.gamma(sympy.Symbol("u"))),
    "SymPy's function": lambda: sympy.sin(X),
    "parse": lambda: parse(3),
    "parse: shapes": lambda: parse("1 + A*B", {"A": declare.input("A", (3,)), "B": declare.input("B", (4,))}),
}


@pytest.mark.parametrize("name", TEXTS)
def test_message_about_text(name, snapshot):
    assert shown(caught(lambda: parse(TEXTS[name]))) == snapshot


@pytest.mark.parametrize("name", OPERATIONS)
def test_message_about_operation(name, snapshot):
    assert shown(caught(OPERATIONS[name])) == snapshot


@pytest.mark.parametrize("name", TENSORS)
def test_message_about_tensor(name, snapshot):
    assert shown(caught(TENSORS[name])) == snapshot


def all_errors():
    yield from (caught(lambda text=text: parse(text)) for text in TEXTS.values())
    yield from (caught(make) for make in [*OPERATIONS.values(), *TENSORS.values()])


def test_each_class_is_the_expected_builtin():
    assert set(errors.__all__) == {"SymgradError", *BUILTINS}
    for name, parent in BUILTINS.items():
        kind = getattr(errors, name)
        assert issubclass(kind, SymgradError)
        assert issubclass(kind, parent)
        with pytest.raises(parent, match="what"):
            raise kind("what")


def test_messages_have_one_layout():
    """A summary, then labels of one width, `at` before `fix`; one line each, short enough to read, printable."""
    for error in all_errors():
        summary, *rows = str(error).split("\n")
        assert 0 < len(summary) <= 120, summary
        labels = [label for label, _ in error.facts] + ["at"] + ["fix"] * bool(error.fix)
        width = max(map(len, labels))
        assert [row[2 : 2 + width].rstrip() for row in rows] == labels
        assert all(row.startswith("  ") and row[2 + width : 4 + width] == "  " and row[4 + width] for row in rows), (
            error
        )
        assert all(len(row) <= 160 for row in rows), error
        assert str(error).replace("\n", "").isprintable()
        assert not re.search(r"0x[0-9a-f]{6,}|<class|Traceback", str(error))


@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_errors_are_carried_whole(again):
    for error in all_errors():
        other = again(error)
        assert type(other) is type(error)
        assert str(other) == str(error)
        assert (other.summary, other.facts, other.fix, other.at) == (error.summary, error.facts, error.fix, error.at)


def test_at_is_the_line_outside_symgrad():
    with pytest.raises(ExpressionError) as found:
        parse("x^2")  # this line
    line = found.traceback[0].lineno + 1
    assert found.value.at == f'{Path(__file__).name}:{line}   parse("x^2")  # this line'
    with pytest.raises(SymgradError) as found:
        X @ Y  # that line
    assert re.fullmatch(r"test_errors\.py:\d+   X @ Y  # that line", found.value.at)


def test_at_may_lie_in_a_directory_of_like_name():
    """A user's /home/me/symgrad-demo/run.py is no part of /home/me/symgrad."""

    def refused():
        parse("x^2")

    beside = f"{Path(errors.__file__).parent}-demo/run.py"
    moved = FunctionType(refused.__code__.replace(co_filename=beside, co_firstlineno=6), globals())
    assert caught(moved).at == "run.py:7"


def test_at_names_no_directory():
    assert all("/" not in error.at.partition("   ")[0] for error in all_errors())
