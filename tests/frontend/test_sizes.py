"""A named size in a formula is a number: it stands beside scalars, tensors, floats and arrays on either side."""

import operator

import numpy as np
import pytest
import sympy as sp

from symgrad.api.compile import compile as compiled
from symgrad.api.differentiate import hessian, jacobian
from symgrad.api.evaluate import evaluate
from symgrad.errors import CallError, DeclarationError, DtypeError
from symgrad.frontend.declare import input as declared
from symgrad.frontend.declare import symbol
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.reductions import sum as total
from symgrad.frontend.tensor import Tensor
from symgrad.ir.types import Size

N = 4
X = declared("X", ("n", 3))
n = X.shape[0]
DATA = {"X": np.arange(12.0).reshape(N, 3), "v": np.array([1.0, -2.0, 3.0]), "x": 2.5}
PLACES = {"x": symbol("x"), "v": declared("v", (3,))}
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod]
BESIDE = [2.5, 0.5, np.float64(2.0), np.float32(0.5), np.array([1.0, 2.0, 3.0]), "x", "v", 2, np.int64(3), -1, True]


def _both(beside):
    """The operand in the formula, and its value."""
    return (PLACES[beside], DATA[beside]) if isinstance(beside, str) else (beside, beside)


@pytest.mark.parametrize("op", OPERATORS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("beside", BESIDE, ids=repr)
def test_a_size_beside_anything_is_its_number(op, beside):
    placed, value = _both(beside)
    for formula, number in (
        (lambda: op(n, placed), lambda: op(N, value)),
        (lambda: op(placed, n), lambda: op(value, N)),
    ):
        found = evaluate(total(X) * 0 + formula(), **DATA)
        with np.errstate(invalid="ignore"):
            wanted = np.asarray(number(), float)
        assert np.shape(found) == wanted.shape
        assert found == pytest.approx(wanted, rel=1e-15, nan_ok=True)


def test_sizes_and_integers_stay_sizes():
    assert str(n - 1) == "n-1"
    assert isinstance(2 * n + np.int64(3), Size)
    assert n**2 == n * n
    assert n**0 == 1
    assert (np.int64(2) * n) // np.int64(2) == n
    assert X.reshape(n * 3).shape == (n * 3,)
    for number in (n / 2, n * 0.5, 1 / n, n % 2, 2**n, n**9, -0.5 * n):
        assert isinstance(number, Tensor)
        assert number.shape == ()


def test_a_size_is_compared_with_a_number():
    for limit in (3, 4, 5):
        for op in (operator.lt, operator.le, operator.gt, operator.ge):
            assert evaluate(F["where"](op(n, limit), total(X) * 0 + 1, 0), **DATA) == float(op(N, limit))
    assert n != 4
    with pytest.raises(DtypeError, match="neither true nor false"):
        bool(n < 3)


def test_a_size_beside_what_is_no_number():
    with pytest.raises(DtypeError, match="text is not a tensor"):
        n * "a"
    with pytest.raises(TypeError, match="//"):
        n // 2.0
    u = sp.Symbol("u")
    assert evaluate(n * u + total(X) * 0, X=DATA["X"], u=3.0) == 12.0
    assert evaluate(u * n + total(X) * 0, X=DATA["X"], u=3.0) == 12.0


def test_the_log_likelihood_of_a_sample():
    """-sum((x - mu)^2)/(2 s^2) - n log(s): the maximum is at the mean and at the standard deviation."""
    x, mu, s = declared("x", ("m",)), symbol("mu"), symbol("s")
    m = x.shape[0]
    fn = compiled(-total((x - mu) ** 2) / (2 * s**2) - m * F["log"](s) - 0.5 * m * np.log(2 * np.pi), wrt=[mu, s])
    at = np.array([1.0, 2.0, 4.0, 9.0])
    assert fn.grad(x=at, mu=np.mean(at), s=np.std(at)) == pytest.approx((0.0, 0.0), abs=1e-14)


def test_sums_of_sizes_are_written_in_parentheses():
    x = symbol("x")
    assert repr((n - 1) * x) == "Tensor((n-1) * x: f64)"
    assert repr(x / (2 * n)) == "Tensor(x / (2*n): f64)"
    assert repr(n * x) == "Tensor(n * x: f64)"


def test_a_size_that_no_input_shows_is_asked_for():
    """The elements of A cancel out of the Hessian of its squared sum; its length does not."""
    A, x = declared("A", ("m",)), symbol("x")
    H = hessian(total(A) ** 2, A)
    for f in (H, jacobian(2 * A, A), x * n):
        with pytest.raises(DeclarationError, match="no input shows the size"):
            compiled(f)
        with pytest.raises(CallError, match="no value shows the size"):
            evaluate(f, x=1.0)
    assert np.array_equal(compiled(H, inputs=[A])(np.arange(2.0)), np.full((2, 2), 2.0))
    assert np.array_equal(evaluate(H, m=2), np.full((2, 2), 2.0))
    assert compiled(x * n, inputs=[x, X])(2.0, DATA["X"]) == 8.0
    assert evaluate(x * n, x=2.0, n=4) == 8.0
