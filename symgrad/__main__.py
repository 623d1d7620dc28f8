"""The command line: ``python -m symgrad derive | check``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import symgrad as sg
from symgrad.api.function import CompiledFunction
from symgrad.errors import CallError, ExpressionError, SymgradError
from symgrad.frontend.tensor import Tensor
from symgrad.ir.show import printable
from symgrad.ir.walk import variables


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    main_parser = argparse.ArgumentParser(
        prog="python -m symgrad", description="Gradients you can read, check and run."
    )
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    derive = commands.add_parser(
        "derive", help="print the derivation of a formula, and values and gradients at a point"
    )
    derive.add_argument("formula", help='such as "(x + y)*z"')
    derive.add_argument("--wrt", help="variables, separated by commas (default: all)")
    derive.add_argument("--at", help="a point: x=-2,y=5,z=-4")
    derive.add_argument("--digits", type=int, default=10, help="significant digits of printed numbers (default 10)")
    derive.add_argument("--latex", action="store_true", help="print the derivation as LaTeX")
    derive.add_argument("--source", action="store_true", help="print the compiled module")
    check = commands.add_parser("check", help="is a hand gradient right?")
    check.add_argument("formula", help='such as "(x + y)*z"')
    check.add_argument("--wrt", required=True, help="one variable")
    check.add_argument("--claim", required=True, help="the gradient as you have it")
    derive.set_defaults(run=run_derive)
    check.set_defaults(run=run_check)
    return main_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 done (or the claim holds), 1 the claim is wrong, 2 bad input."""
    options = parser().parse_args(argv)
    try:
        return options.run(options)
    except SymgradError as error:
        error.at = ""
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2


def run_derive(options: argparse.Namespace) -> int:
    """Derivation, then values and gradients at the point."""
    f = sg.parse(options.formula)
    wrt = chosen(options.wrt, f)
    fn = sg.compile(f, wrt=wrt)
    plain = not options.latex and not options.source
    if options.latex:
        print(fn.latex())
    if options.source:
        print(fn.source)
    if plain:
        print(fn.derivation())
    if options.at:
        print_values(fn, point(options.at, fn.inputs), options.digits)
    return 0


def chosen(text: str | None, f: Tensor) -> list[str]:
    """The variables to differentiate by."""
    names = [v["variable"].name for v in variables([f.node])]
    if text is None:
        return names
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    for name in wanted:
        if name not in names:
            raise CallError(f"{printable(name)} is not in the formula", ("variables", ", ".join(names)))
    return wanted


def point(text: str, inputs: Sequence[str]) -> dict[str, float]:
    """``x=-2,y=5`` as a dict."""
    values: dict[str, float] = {}
    for item in text.split(","):
        name, equals, number = (part.strip() for part in item.partition("="))
        try:
            values[name] = float(number)
        except ValueError:
            raise ExpressionError(f"{printable(item)!r} is not a value", fix="write x=1.5,y=2") from None
        if not equals or name not in inputs:
            raise CallError(f"{printable(name)} is not an input", ("inputs", ", ".join(inputs)))
    return values


def print_values(fn: CompiledFunction, at: dict[str, float], digits: int) -> None:
    """The value and each partial at the point."""
    value, gradients = fn.value_and_grad(**at)
    rows: list[tuple[str, Any]] = [
        ("f", value),
        *((f"df/d{name}", g) for name, g in zip(fn.wrt, gradients, strict=True)),
    ]
    width = max(len(name) for name, _ in rows)
    print("at " + ", ".join(f"{name} = {number:g}" for name, number in at.items()))
    for name, number in rows:
        print(f"  {name:<{width}} = {number:.{max(1, digits)}g}")


def run_check(options: argparse.Namespace) -> int:
    """Answer whether a claimed gradient is right."""
    f = sg.parse(options.formula)
    (name,) = chosen(options.wrt, f)[:1] or [""]
    report = sg.check_formula(f, name, options.claim)
    print(report)
    return 0 if report.equal else 1


if __name__ == "__main__":
    sys.exit(main())
