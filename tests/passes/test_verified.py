"""What every pass makes is a graph of the same outputs; what is not is found."""

import sys
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.errors import InternalError
from symgrad.ir.node import build, intern
from symgrad.ir.types import ArrayType
from symgrad.ir.verify import verify
from symgrad.ir.walk import variables
from symgrad.passes.report import watch
from symgrad.pipeline import derive

sys.path.insert(0, str(Path(__file__).parents[1] / "view"))
from functions import OTHERS, WORKED
from more_functions import MORE

ALL = {**WORKED, **OTHERS, **MORE}


@pytest.mark.parametrize("name", ALL)
def test_what_passes_make_is_verified(name):
    f, wrt = ALL[name]()
    outputs = [t.node for t in (f.values() if isinstance(f, dict) else f if isinstance(f, (list, tuple)) else [f])]
    seen = []
    with watch(verify), watch(lambda name, before, after: seen.append(name)):
        derive(outputs, [w.node for w in wrt], variables(outputs))
    assert seen[:2] == ["rules", "stabilise"]
    assert seen[-1] == "eliminate"


def test_another_type_is_found():
    x, v = sg.symbol("x").node, sg.parameter("v", (3,)).node
    wrong = intern(build("neg", v).op, (v,), {}, ArrayType((4,), "real"))
    for before, after in (([x], [build("sum", v, axes=(0,))]), ([v], [x * v + x]), ([wrong], [wrong]), ([v], [wrong])):
        with pytest.raises(InternalError, match="simplify"):
            verify("simplify", before, after)
