"""No user text reaches the source: hostile names, collisions, temporaries."""

from __future__ import annotations

import ast
import json
import keyword
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad.emit.module import emit
from symgrad.emit.names import RESERVED, Names, display, is_safe
from symgrad.ir.expression import var
from symgrad.ir.node import Variable, constant
from symgrad.ir.program import Assign, Function, Parameter, Program, Return
from symgrad.ir.types import real
from symgrad.lower.elementary import FUNCTIONS
from symgrad.lower.reduction import FOLDS, helper
from symgrad.ops.leaf import variable

FACTS = Path(__file__).parents[2] / "../shared/facts/bad_inputs.json"
HOSTILE = [
    "x; import os", '__import__("os").getcwd()', "x)#", "[i for i in ().__class__.__base__.__subclasses__()]",
    "lambda", "None", "class", "match", "sin", "exp", "math", "numpy", "np", "nb", "__builtins__", "", "a b", "1x",
    "a,b", "*args", "\ud800", "\u00b5", "\u03bc", "x\u200b", "_sg_0", "a" * 100_000, "../../etc/x", "a:b",
    "x\nimport os",
    'x"""\nimport os', "\\input{/etc/passwd}", "$x$", "100%", "{", "x^", "<script>alert(1)</script>", "&amp;", "\x00",
    "\u2028", "fma", "f64", "jit", "range", "x\\",
]  # fmt: skip


def nodes(count):
    return [constant(float(n) + 0.5) for n in range(count)]


def named(*wanted):
    keys = nodes(len(wanted))
    names = Names(dict(zip(keys, wanted, strict=True)))
    return [names.of(key) for key in keys], names


def facts():
    if not FACTS.exists():
        return []
    return [r["input"] for r in json.loads(FACTS.read_text())["inputs"] if r["category"] in ("symbol-name", "latex")]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_name_becomes_v0(name):
    assert named(name)[0] == ["v0"]


def test_hostile_names_of_the_facts_are_safe_or_replaced():
    if not FACTS.exists():
        pytest.skip("shared/facts/bad_inputs.json is not beside this checkout")
    wanted = facts()
    found, names = named(*wanted)
    assert len(set(found)) == len(wanted) >= 30
    assert all(f == w or names.legend[f] == w for f, w in zip(found, wanted, strict=True))
    assert all(is_safe(f) for f in found)


@given(st.lists(st.text() | st.sampled_from(["x", "x_2", "v0", "v1", "t0", "i", "lambda", "exp"])))
def test_identifiers_are_distinct_safe_and_kept_where_possible(wanted):
    found, names = named(*wanted)
    temporaries = [names.fresh(stem) for stem in ("t", "v", "i", "t", "acc", "acc", "exp")]
    assert len({*found, *temporaries}) == len(wanted) + 7
    assert all(is_safe(f) for f in found)
    assert all(w in found for w in wanted if is_safe(w))


@given(st.text())
def test_displayed_text_is_one_short_line_of_ascii(text):
    line = display(text)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 60
    assert compile(f"# {line}\npass", "line", "exec").co_code == compile("pass", "line", "exec").co_code


def test_users_names_win_over_temporaries():
    found, names = named("t0", "v0", "i", "lambda", "t1")
    assert found == ["t0", "v0", "i", "v1", "t1"]
    assert [names.fresh("t"), names.fresh("i"), names.fresh("v")] == ["t2", "j", "v2"]


def test_a_temporary_may_be_named_after_any_user_name():
    (long,), names = named("a" * 40)
    assert names.fresh(f"{long}_flat") == "a" * 40 + "_flat"
    assert [names.fresh("exp"), names.fresh("terms")] == ["exp1", "terms"]


def test_a_second_variable_of_one_name_gets_a_number():
    assert named("x", "x", "x_2", "x")[0] == ["x", "x_3", "x_2", "x_4"]


def test_loops_are_i_j_k_and_then_numbered():
    names = Names()
    assert [names.fresh("i") for _ in range(5)] == ["i", "j", "k", "i1", "i2"]


def test_scopes_count_anew_and_see_what_surrounds_them():
    names = Names({}, sizes=("n", "j"))
    first, second = names.scope(), names.scope()
    assert [first.fresh("i"), first.fresh("i"), second.fresh("i")] == ["i", "k", "i"]
    assert names.fresh("t") == "t0"
    assert first.fresh("t") == "t1"
    assert first.scope().fresh("i") == "i1"


def test_names_given_later_avoid_temporaries():
    (x, y), names = nodes(2), Names()
    assert names.fresh("t") == "t0"
    assert names.of(x) is None
    assert [names.adopt(x, "x_bar"), names.adopt(x, "other"), names.adopt(y, "t0")] == ["x_bar", "x_bar", "t0_2"]
    assert [names.size("n"), names.size("n"), names.size("a b")] == ["n", "n", "v0"]


def test_keywords_and_called_functions_are_reserved():
    assert set(keyword.kwlist) <= RESERVED
    folds = {f"fold_{fold.name}": next(iter(fold.neutral)) for fold in FOLDS.values()}
    helpers = {"sum_error": "f64", "sum_with_error": "f64", **folds}
    assert all(helper(name, dtype) for name, dtype in helpers.items())
    for name in (*FUNCTIONS, *helpers):
        assert not any(is_safe(f"{name}{suffix}") for suffix in ("", "_fast", "_wide", "_f64", "_2", "_2_f64"))


def test_a_long_name_is_replaced_and_forty_characters_are_kept():
    assert named("a" * 40, "a" * 41)[0] == ["a" * 40, "v0"]


@pytest.mark.parametrize("name", [*HOSTILE, *facts()])
def test_printed_function_of_a_hostile_name_is_that_of_a_harmless_one(name):
    node = variable(Variable(name, "symbol"), real())
    identifier = Names({node: name}).of(node)
    note = f"{identifier} is {name}"
    body = (Assign("y", var(identifier, "f64") * 2.0, note), Return((var("y", "f64"),)))
    program = Program((Function("value", (Parameter(identifier, "f64"),), body),), ("value",))
    doc = f"y = 2 {identifier}; {identifier} is {display(name)}"
    module = {"__name__": "printed"}
    text = emit(program, doc=doc, regenerate="-").text
    exec(compile(text, "printed", "exec"), module)
    assert text.isascii()
    assert module["value"](np.float64(1.5)) == 3.0
    identifiers = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
    assert name == identifier or name not in identifiers or name in RESERVED
