"""The command line: ``python -m symgrad derive | check | train``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import islice

import symgrad as sg
from symgrad.api.function import CompiledFunction
from symgrad.errors import CallError, ExpressionError, SymgradError
from symgrad.frontend.tensor import Tensor
from symgrad.frontend.text import CONSTANTS
from symgrad.ir.show import printable
from symgrad.ir.walk import variables
from symgrad.runtime.border import listed
from symgrad.train.console import command as console


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    main_parser = argparse.ArgumentParser(
        prog="python -m symgrad", description="Gradients you can read, check and run.", allow_abbrev=False
    )
    main_parser.add_argument("--version", action="version", version=f"symgrad {sg.__version__}")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    derive = commands.add_parser(
        "derive", help="print the derivation of a formula, and values and gradients at a point"
    )
    derive.add_argument("formula", help='such as "(x + y)*z"')
    derive.add_argument("--wrt", help="variables, separated by commas (default: all)")
    derive.add_argument("--at", action="append", help="a point: x=-2,y=1/3,z=pi (may be given several times)")
    derive.add_argument("--digits", type=digits, default=10, help="significant digits of printed numbers (default 10)")
    derive.add_argument("--latex", action="store_true", help="print the derivation as LaTeX")
    derive.add_argument("--source", action="store_true", help="print the compiled module")
    check = commands.add_parser("check", help="is a hand gradient right?")
    check.add_argument("formula", help='such as "(x + y)*z"')
    check.add_argument("--wrt", required=True, help="one variable")
    check.add_argument("--claim", required=True, help="the gradient as you have it")
    derive.set_defaults(run=run_derive)
    check.set_defaults(run=run_check)
    console.add(commands)
    return main_parser


def with_signs(argv: Sequence[str]) -> list[str]:
    """Arguments in which a formula or a value may begin with a minus, which argparse takes for an option.

    >>> with_signs(["check", "-x/y", "--wrt", "y", "--claim", "-x"])
    ['check', '--wrt=y', '--claim=-x', '--', '-x/y']
    """
    options: list[str] = []
    formulas: list[str] = []
    rest = iter(argv)
    for word in rest:
        if word == "--":
            formulas += rest
        elif word in ("--wrt", "--at", "--claim"):
            options.append("=".join([word, *islice(rest, 1)]))
        elif word.startswith("-") and not word.startswith("--") and word != "-h":
            formulas.append(word)
        else:
            options.append(word)
    return [*options, "--", *formulas] if formulas else options


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done (or the claim holds), 1 the claim is wrong, 2 bad input, 130 Ctrl-C."""
    options = parser().parse_args(with_signs(sys.argv[1:] if argv is None else argv))
    try:
        return options.run(options)
    except SymgradError as error:
        error.at = ""
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # such as ``... --source | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a full disk
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        goes_on = "; the same command with --resume goes on" if getattr(options, "checkpoint", None) else ""
        print(f"\nstopped by Ctrl-C{goes_on}", file=sys.stderr)
        return 130


def run_derive(options: argparse.Namespace) -> int:
    """Derivation, then values and gradients at the point."""
    at = point(None if options.at is None else ",".join(options.at))
    wanted = listed_names(options.wrt)
    f = formula(options.formula, [*(wanted or ()), *at])
    fn = sg.compile(f, wrt=chosen(wanted, f))
    if unknown := [name for name in at if name not in fn.inputs]:
        raise CallError(f"{printable(unknown[0])} is not in the formula", ("variables", listed(fn.inputs)))
    if at and (missing := [name for name in fn.inputs if name not in at]):
        raise CallError(f"--at gives no value of {listed(missing)}", ("variables", listed(fn.inputs)))
    if options.latex:
        print(fn.latex())
    if options.source:
        print(fn.source)
    if not options.latex and not options.source:
        print(fn.derivation())
    if at:
        print_values(fn, at, options.digits)
    return 0


def formula(text: str, names: Sequence[str]) -> Tensor:
    """The formula; a constant's name (e, pi) that an option uses as a variable is one."""
    return sg.parse(text, {name: sg.symbol(name) for name in names if name in CONSTANTS})


def listed_names(text: str | None) -> list[str] | None:
    """Names between commas, each once."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise CallError("--wrt names no variable", fix="write --wrt x,y, or leave it out for all")
    return list(dict.fromkeys(names))


def chosen(wanted: list[str] | None, f: Tensor) -> list[str]:
    """The variables to differentiate by: all, or those wanted."""
    names = [v["variable"].name for v in variables([f.node])]
    for name in wanted or ():
        if name not in names:
            raise CallError(f"{printable(name)} is not in the formula", ("variables", listed(names)))
    return names if wanted is None else wanted


def point(text: str | None) -> dict[str, float]:
    """``x=-2,y=5`` as a dict."""
    values: dict[str, float] = {}
    for item in (text or "").split(",") if text is not None else ():
        name, _, number = (part.strip() for part in item.partition("="))
        value = number_of(number)
        if value is None:
            raise ExpressionError(f"{printable(item)!r} is not a value", fix="write --at x=1.5,y=2")
        if name in values:
            raise CallError(f"{printable(name)} is given twice in --at")
        values[name] = value
    return values


def number_of(text: str) -> float | None:
    """A number, or a formula without variables: 1/3, pi/2; None for other text."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        value = sg.parse(text)
    except SymgradError:
        return None
    return None if variables([value.node]) else float(sg.evaluate(value))


def print_values(fn: CompiledFunction, at: dict[str, float], digits: int) -> None:
    """The value and each partial at the point."""
    if fn.wrt:
        value, gradients = fn.value_and_grad(**at)
        rows = [("f", value), *((f"df/d{name}", g) for name, g in zip(fn.wrt, gradients, strict=True))]
    else:
        rows = [("f", fn(**at))]
    width = max(len(name) for name, _ in rows)
    print("at " + ", ".join(f"{name} = {number:g}" for name, number in at.items()))
    for name, number in rows:
        print(f"  {name:<{width}} = {number:.{digits}g}")


def run_check(options: argparse.Namespace) -> int:
    """Answer whether a claimed gradient is right."""
    wanted = listed_names(options.wrt) or []
    if len(wanted) > 1:
        raise CallError("check takes one variable", ("given", listed(wanted)), fix="check the partials one by one")
    f = formula(options.formula, wanted)
    (name,) = chosen(wanted, f)
    report = sg.check_formula(f, name, options.claim)
    print(report)
    return 0 if report.equal else 1


def digits(text: str) -> int:
    """A number of significant digits."""
    number = int(text)
    if not 1 <= number <= 17:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to 17")
    return number


if __name__ == "__main__":
    sys.exit(main())
