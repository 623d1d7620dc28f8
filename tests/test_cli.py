"""The command line: what it prints and how it ends. Two runs are processes, the others call ``main``."""

import subprocess
import sys
from pathlib import Path

import pytest

from symgrad.__main__ import main

ROOT = Path(__file__).parents[1]


def run(capsys, *argv):
    try:
        code = main(argv)
    except SystemExit as end:  # argparse
        code = end.code
    done = capsys.readouterr()
    return code, done.out, done.err


def process(*argv):
    command = [sys.executable, "-W", "error", "-m", "symgrad", *argv]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def test_derive_as_a_process():
    done = process("derive", "(x + y)*z", "--wrt", "x,y,z", "--at", "x=-2,y=5,z=-4")
    assert (done.returncode, done.stderr) == (0, "")
    for line in ("  f     = -12", "  df/dx = -4", "  df/dy = -4", "  df/dz = 3"):
        assert line in done.stdout.split("\n")


def test_bad_text_as_a_process():
    done = process("derive", "x +")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("ExpressionError: ")
    assert "Traceback" not in done.stderr


def test_sigmoid_neuron(capsys):
    formula = "1/(1+exp(-(w0*x0+w1*x1+w2)))"
    code, out, _ = run(capsys, "derive", formula, "--wrt", "w0,w1,w2", "--at", "w0=2,x0=-1,w1=-3,x1=-2,w2=-3")
    assert code == 0
    values = dict(line.strip().split(" = ") for line in out.split("\n") if line.startswith("  "))
    found = {name.strip(): float(value) for name, value in values.items()}
    assert found == pytest.approx(
        {"f": 0.7310585786, "df/dw0": -0.1966119332, "df/dw1": -0.3932238665, "df/dw2": 0.1966119332}
    )


@pytest.mark.parametrize(
    "at",
    [("--at", "x=1/4,y=-2*pi"), ("--at", "x=1/4", "--at", "y=-2*pi"), ("--at=x=0.25", "--at=y=-6.283185307179586")],
)
def test_a_point_is_given_in_parts_and_in_formulas(capsys, at):
    code, out, _ = run(capsys, "derive", "x*y", *at)
    assert code == 0
    assert "  f     = -1.570796327" in out.split("\n")
    code, _, err = run(capsys, "derive", "x*y", "--at", "x=1/4", "--at", "y=z")
    assert (code, "'y=z' is not a value" in err) == (2, True)


def test_a_formula_after_two_dashes(capsys):
    code, out, _ = run(capsys, "derive", "--at", "x=3", "--", "-x**2")
    assert code == 0
    assert "df/dx = -6" in out


def test_version(capsys):
    assert run(capsys, "--version") == (0, "symgrad 0.1.0\n", "")


@pytest.mark.parametrize(("option", "begins"), [("--latex", r"\begin{aligned}"), ("--source", '"""')])
def test_latex_and_source(capsys, option, begins):
    code, out, _ = run(capsys, "derive", "x*y", option)
    assert code == 0
    assert out.startswith(begins)


def test_digits(capsys):
    assert "f     = 0.33333\n" in run(capsys, "derive", "1/x", "--at", "x=3", "--digits", "5")[1]


def test_constants_that_are_wanted_as_variables(capsys):
    code, out, _ = run(capsys, "derive", "e*x + pi", "--wrt", "e", "--at", "e=2,x=3")
    assert code == 0
    assert "f     = 9.141592654\n" in out
    assert "df/de = 3\n" in out
    assert run(capsys, "check", "e**2*x", "--wrt", "e", "--claim", "2*e*x")[0] == 0
    assert "df/dpi = 2\n" in run(capsys, "derive", "2*pi", "--wrt", "pi", "--at", "pi=3")[1]


def test_words_that_begin_with_a_minus(capsys):
    assert run(capsys, "check", "-x/y", "--wrt", "y", "--claim", "x/y**2")[0] == 0
    assert run(capsys, "check", "-x/y", "--wrt", "x", "--claim", "-1/y")[0] == 0


def test_claims(capsys):
    code, out, _ = run(capsys, "check", "(x+y)*z", "--wrt", "x", "--claim", "z")
    assert (code, "right" in out) == (0, True)
    code, out, _ = run(capsys, "check", "(x+y)*z", "--wrt", "x", "--claim", "y")
    assert (code, "wrong" in out) == (1, True)


def test_a_formula_without_variables(capsys):
    assert run(capsys, "derive", "3")[:2] == (0, "f = 3\n")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["derive", "x*y", "--wrt", "q"], "q is not in the formula"),
        (["derive", "x*y", "--wrt", ""], "--wrt names no variable"),
        (["derive", "x*y", "--at", "x=1"], "--at gives no value of y"),
        (["derive", "x*y", "--at", "x=1,y=2,q=3"], "q is not in the formula"),
        (["derive", "x*y", "--at", "x=a"], "'x=a' is not a value"),
        (["derive", "x*y", "--at", "x"], "'x' is not a value"),
        (["derive", "x*y", "--at", ""], "'' is not a value"),
        (["derive", "x*y", "--at", "x=1,x=2,y=3"], "x is given twice"),
        (["derive", "x", "--digits", "0"], "0 is not from 1 to 17"),
        (["derive", "x", "--digits", "a"], "invalid digits value"),
        (["derive", "x", "--foo"], "unrecognized arguments: --foo"),
        (["derive", "x", "--wrt"], "expected one argument"),
        (["derive"], "required: formula"),
        (["derive", '__import__("os").getcwd()'], "ExpressionError"),
        (["derive", "9**9**9"], "ExpressionError"),
        (["check", "x*y", "--wrt", "x,y", "--claim", "y"], "check takes one variable"),
        (["check", "x*y", "--wrt", "q", "--claim", "y"], "q is not in the formula"),
        (["check", "x*y", "--wrt", "x", "--claim", "x;y"], "ExpressionError"),
        (["check", "x*y", "--wrt", "x"], "required: --claim"),
        (["frob"], "invalid choice"),
        ([], "required: COMMAND"),
    ],
)
def test_errors_end_with_two_and_a_message(capsys, argv, said):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("argv", [["--help"], ["derive", "--help"], ["check", "-h"]])
def test_help(capsys, argv):
    code, out, _ = run(capsys, *argv)
    assert code == 0
    assert out.startswith("usage: python -m symgrad")
