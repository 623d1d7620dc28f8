"""Each row of the elementary functions against 40 digits, its special values, and its three ways to run."""

import importlib.util
import platform
import re
from functools import cache
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

from symgrad.emit.numba import function_lines
from symgrad.emit.scalar import is_straight, text
from symgrad.ir.expression import var
from symgrad.ir.program import Assign, Function, Return, statements
from symgrad.lower import elementary
from tests.lower.elementary_mathematics import DIGITS, WITHIN, samples, special, ulps_off

DTYPES = ("f64", "f32")
KIND = {"f64": np.float64, "f32": np.float32}
CASES = [pytest.param(name, dtype, id=f"{name}-{dtype}") for name in WITHIN for dtype in DTYPES]
HEAD = """\
import math
import numpy as np
from numba import njit
from symgrad.runtime.kernels import fma, select
f64, f32, i64, i32 = np.float64, np.float32, np.int64, np.int32
"""
VECTOR = ("exp", "log", "log1p", "expm1", "sin_fast", "cos_fast", "tanh", "sigmoid", "erf", "pow", "sigmoid_slope")


def arity(name: str) -> int:
    return elementary.find(name.removesuffix("_fast"))[0].arity


@cache
def functions(dtype: str) -> dict[str, Function]:
    found: dict[str, Function] = {}
    for name in WITHIN:
        for function in elementary.build(name, dtype):
            assert found.setdefault(function.name, function) is function
    return found


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """(dtype, compiled) -> the module of all functions, with a loop over each; compiled on use."""
    folder = tmp_path_factory.mktemp("elementary")
    return {(d, c): load(folder / f"elementary_{d}_{c}.py", d, c) for d in DTYPES for c in (True, False)}


def load(path: Path, dtype: str, compiled: bool):
    parts = [HEAD]
    for function in functions(dtype).values():
        inline = ", forceinline=True" if is_straight(function) else ""
        decorator = f'@njit(error_model="numpy"{inline})' if compiled else ""
        names = ", ".join(p.name for p in function.parameters)
        parts += [line for line, _ in function_lines(function, decorator)]
        parts += ['@njit(error_model="numpy")'] if compiled else []
        parts += [f"def loop_{function.name}({names}, out):", "    for i in range(out.size):"]
        parts += [f"        out[i] = {function.name}({', '.join(f'{p.name}[i]' for p in function.parameters)})"]
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(module, name: str, xs: list[np.ndarray]) -> np.ndarray:
    out = np.empty_like(xs[0])
    with np.errstate(all="ignore"):
        getattr(module, f"loop_{name}")(*xs, out)
    return out


def test_every_row_has_a_source_and_a_claim():
    for name, row in elementary.FUNCTIONS.items():
        assert row.source
        assert name in WITHIN or any(re.fullmatch(rf"{name}_\d+", claim) for claim in WITHIN), name


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_value_is_within_its_ulps(modules, name, dtype):
    claim, xs = WITHIN[name], samples(name, dtype, arity(name))
    got = run(modules[dtype, True], name, xs)
    with mp.workdps(DIGITS):
        for y, *x in zip(got, *xs, strict=True):
            point = [mp.mpf(float(v)) for v in x]
            assert ulps_off(y, claim.exact(*point), claim.floor(*point)) <= claim.ulps, (x, y)


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_interpreted_gives_the_bits_of_compiled(modules, name, dtype):
    xs = [
        np.concatenate(v) for v in zip(special(dtype, arity(name)), samples(name, dtype, arity(name), 20), strict=True)
    ]
    if name.startswith(("lgamma_positive", "digamma_positive", "polygamma_positive")):
        xs = [np.abs(x) for x in xs]
    compiled, plain = (run(modules[dtype, c], name, xs) for c in (True, False))
    same = (compiled == plain) & (np.signbit(compiled) == np.signbit(plain)) | (np.isnan(compiled) & np.isnan(plain))
    assert same.all(), [(*(x[~same] for x in xs), compiled[~same], plain[~same])]


INF, NAN = np.inf, np.nan
AT = {  # name -> {argument: value}; the same for both types
    "exp": {0: 1, -INF: 0, INF: INF, 1e300: INF, -1e300: 0, NAN: NAN},
    "exp2": {0: 1, 10: 1024, -3: 0.125, -INF: 0, INF: INF, NAN: NAN},
    "expm1": {0: 0, -INF: -1, INF: INF, NAN: NAN, 5e-324: 5e-324},
    "exprel": {0: 1, -INF: 0, INF: INF, NAN: NAN},
    "log": {0: -INF, 1: 0, -1: NAN, INF: INF, -INF: NAN, NAN: NAN},
    "log2": {0: -INF, 1: 0, 8: 3, 2.0**-140: -140, -1: NAN, INF: INF, NAN: NAN},
    "log10": {0: -INF, 1: 0, 1000: 3, -1: NAN, INF: INF, NAN: NAN},
    "log1p": {0: 0, -1: -INF, -2: NAN, INF: INF, -INF: NAN, NAN: NAN, 5e-324: 5e-324},
    "log1mexp": {0: -INF, -1: NAN, INF: 0, NAN: NAN},
    "sin": {0: 0, INF: NAN, -INF: NAN, NAN: NAN},
    "cos": {0: 1, INF: NAN, -INF: NAN, NAN: NAN},
    "tan": {0: 0, INF: NAN, NAN: NAN},
    "arcsin": {0: 0, 2: NAN, NAN: NAN, INF: NAN},
    "arccos": {1: 0, -2: NAN, NAN: NAN},
    "arctan": {0: 0, NAN: NAN},
    "sinh": {INF: INF, -INF: -INF, 1e300: INF, NAN: NAN, 5e-324: 5e-324},
    "cosh": {0: 1, -INF: INF, 1e300: INF, NAN: NAN},
    "tanh": {0: 0, INF: 1, -INF: -1, NAN: NAN, 5e-324: 5e-324},
    "tanh_slope": {0: 1, INF: 0, -INF: 0, NAN: NAN},
    "sech": {0: 1, INF: 0, -INF: 0, NAN: NAN},
    "arcsinh": {INF: INF, -INF: -INF, NAN: NAN},
    "arccosh": {1: 0, 0.5: NAN, -INF: NAN, INF: INF, NAN: NAN},
    "arctanh": {1: INF, -1: -INF, 2: NAN, NAN: NAN},
    "sigmoid": {0: 0.5, INF: 1, -INF: 0, NAN: NAN},
    "sigmoid_slope": {0: 0.25, INF: 0, -INF: 0, NAN: NAN},
    "softplus": {INF: INF, -INF: 0, NAN: NAN},
    "log_sigmoid": {INF: 0, -INF: -INF, NAN: NAN},
    "logcosh": {0: 0, INF: INF, -INF: INF, NAN: NAN},
    "gaussian": {0: 1, INF: 0, -INF: 0, NAN: NAN},
    "erf": {INF: 1, -INF: -1, NAN: NAN},
    "erfc": {INF: 0, -INF: 2, NAN: NAN},
    "normal_cdf": {0: 0.5, INF: 1, -INF: 0, NAN: NAN},
    "log_normal_cdf": {INF: 0, -INF: -INF, NAN: NAN},
    "cbrt": {27: 3, -8: -2, INF: INF, -INF: -INF, NAN: NAN},
    "sinc": {0: 1, 3: 0, NAN: NAN},
    "lgamma": {0: INF, 1: 0, 2: 0, -3: INF, INF: INF, -INF: INF, NAN: NAN},
    "digamma": {0: -INF, -3: NAN, INF: INF, NAN: NAN},
    "polygamma_1": {0: INF, -3: INF, INF: 0, NAN: NAN},
    "polygamma_2": {0: -INF, INF: 0, NAN: NAN},
    "sinc_derivative_0": {0: 1, NAN: NAN},
    "sinc_derivative_1": {0: 0, NAN: NAN},
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", AT)
def test_special_values(modules, name, dtype):
    with np.errstate(all="ignore"):
        given, wanted = (np.array(v, KIND[dtype]) for v in (list(AT[name]), list(AT[name].values())))
    got = run(modules[dtype, True], name, [given])
    assert ((got == wanted) | (np.isnan(got) & np.isnan(wanted))).all(), (given, got)


ODD = {"expm1", "log1p", "sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh", "erf", "cbrt"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(ODD))
def test_odd_functions_keep_the_sign_of_zero(modules, name, dtype):
    got = run(modules[dtype, True], name, [np.array([0.0, -0.0], KIND[dtype])])
    assert got.tolist() == [0.0, 0.0]
    assert np.signbit(got).tolist() == [False, True]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "same"), [("pow", np.power), ("arctan2", np.arctan2), ("mod", np.mod), ("hypot", np.hypot)]
)
def test_special_pairs_are_those_of_numpy(modules, name, same, dtype):
    xs = special(dtype, 2)
    got = run(modules[dtype, True], name, xs)
    with np.errstate(all="ignore"):
        wanted = same(*xs)
        close = np.abs(got - wanted) <= 2 * np.spacing(np.abs(wanted))
    equal = (got == wanted) & (np.signbit(got) == np.signbit(wanted)) | (np.isnan(got) & np.isnan(wanted))
    assert (equal | close & (wanted != 0)).all(), [v[~(equal | close)] for v in (*xs, got, wanted)]


def test_hypot_neither_overflows_nor_vanishes(modules):
    got = run(modules["f64", True], "hypot", [np.array([3e200, 3e-200]), np.array([4e200, 4e-200])])
    wanted = np.array([5e200, 5e-200])
    assert (np.abs(got - wanted) <= np.spacing(wanted)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", elementary.WIDE)
def test_wide_form_continues_the_fast_one(modules, name, dtype):
    parts, limit = elementary.wide(name, dtype), elementary.FUNCTIONS[name].limit[dtype]
    assert (
        text(parts.inside(var("x", dtype))) == f"abs(x) <= {'f32(' * (dtype == 'f32')}{limit}{')' * (dtype == 'f32')}"
    )
    inside, outside = (
        np.linspace(a, b, 99, dtype=KIND[dtype]) for a, b in ((-limit, limit), (limit * 1.01, limit * 50))
    )
    module = modules[dtype, True]
    fast, slow = (run(module, part, [inside]) for part in (parts.fast, parts.slow))
    assert np.abs(fast - slow).max() <= 2 * np.spacing(np.abs(slow).max())
    assert np.array_equal(run(module, name, [outside]), run(module, parts.slow, [outside]))
    assert np.array_equal(run(module, name, [inside]), fast)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", VECTOR)
def test_loop_is_vector_code(modules, name, dtype):
    loop = getattr(modules[dtype, True], f"loop_{name}")
    run(modules[dtype, True], name, [np.ones(8, KIND[dtype])] * arity(name))
    assembly = "\n".join(loop.inspect_asm().values())
    assert re.search(r"vfmadd\w*p[ds]|mulp[ds]", assembly)


@pytest.mark.parametrize("dtype", DTYPES)
def test_functions_come_after_those_they_call(dtype):
    for name in WITHIN:
        known: set[str] = set()
        for function in elementary.build(name, dtype):
            called = {e.value for e in expressions(function) if e.op == "call" and not str(e.value).startswith("math.")}
            assert called <= known, (function.name, called)
            assert not called & {s.target for s in statements(function.body) if isinstance(s, Assign)}
            known.add(function.name)


def expressions(function: Function):
    stack = [e for s in statements(function.body) for e in roots(s)]
    while stack:
        expr = stack.pop()
        yield expr
        stack.extend(expr.args)


def roots(statement):
    if isinstance(statement, Return):
        return statement.values
    return [e for e in (getattr(statement, f, None) for f in ("expr", "condition", "start", "stop")) if e is not None]


def test_a_float32_function_holds_no_float64_unless_it_goes_through_it():
    for name, row in elementary.FUNCTIONS.items():
        if not row.through and not row.order and not row.limit:
            *_, function = elementary.build(name, "f32")
            assert {e.dtype for e in expressions(function)} <= {"f32", "i32", "bool"}, name


def test_a_suffix_goes_to_every_name():
    names = [f.name for f in elementary.build("softplus", "f32", "_32")]
    assert names == ["exp_32", "softplus_32"]
