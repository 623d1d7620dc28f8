"""One line of text for a node says which elements, which axis, which product; precedence is Python's."""

import pytest

from symgrad.api.differentiate import grad
from symgrad.frontend.arrays import concatenate, diag, trace
from symgrad.frontend.declare import input as declared
from symgrad.frontend.declare import parameter, symbols
from symgrad.frontend.functions import TABLE as F
from symgrad.frontend.products import einsum, outer
from symgrad.frontend.reductions import cumsum, logsumexp, mean, softmax
from symgrad.frontend.reductions import max as largest
from symgrad.frontend.reductions import sum as total
from symgrad.view.formula import check_formula
from symgrad.view.infix import infix

x, y = symbols("x y")
v, A, X = parameter("v", (3,)), parameter("A", (3, 3)), declared("X", ("n", 3))
n = X.shape[0]


@pytest.mark.parametrize(
    ("tensor", "text"),
    [
        (v[0], "v[0]"),
        (v[1:], "v[1:]"),
        (v[::-1], "v[::-1]"),
        (X[:-1], "X[:n-1]"),
        (X[:, 0], "X[:, 0]"),
        (total(A), "sum(A)"),
        (total(A, axis=0), "sum(A, axis=0)"),
        (largest(X, axis=1), "max(X, axis=1)"),
        (softmax(X), "softmax(X)"),
        (softmax(X, axis=0), "softmax(X, axis=0)"),
        (logsumexp(X, axis=(0, 1)), "logsumexp(X)"),
        (mean(X, axis=0), "sum(X, axis=0)/n"),
        (cumsum(v), "cumsum(v)"),
        (diag(v), "diag(v)"),
        (trace(A), "sum(diag(A))"),
        (outer(v, v), "outer(v, v)"),
        (A @ v, "A @ v"),
        (v @ A, "v @ A"),
        (A.T @ A, "A.T @ A"),
        (einsum("ij,ij->", A, A), "sum(A*A)"),
        (einsum("bi,bj->bij", X, X), 'einsum("bi,bj->bij", X, X)'),
        (concatenate([v, v]), "concatenate([v, v])"),
        (grad(total(X @ v), v), "X.T @ ones"),
        (grad(total(X @ v) * n, v), "X.T @ (n*ones)"),
        (grad(trace(A @ A), A), "eye(3) @ A.T + A.T @ eye(3)"),
        (grad(v[0] * v[1], v), "pad(v[0], (1, 1)) + pad(v[1], (0, 2))"),
        ((n - 1) * x, "(n-1)*x"),
        (x / (2 * n), "x/(2*n)"),
        ((x < y) + 2 * (x >= y), "(x < y) + 2*(x >= y)"),
        (F["where"]((x > 0) & (y > 0), x, y), "where((x > 0) & (y > 0), x, y)"),
        (x + (-3), "x - 3"),
        (x + (-y), "x - y"),
        (x + -(x + y), "x - (x + y)"),
        (x - (-y), "x - (-y)"),
        (x / 2.302585092994046, "x/log(10)"),
        (x * 0.1, "x*0.1"),
    ],
    ids=lambda p: p if isinstance(p, str) else "",
)
def test_a_line_says_what_is_computed(tensor, text):
    assert infix(tensor.node) == text


def test_a_wrong_quadratic_form_is_answered_in_matrices():
    wrong = check_formula(v @ A @ v, v, 2 * A @ v).first
    assert wrong.expected == "(A + A.T) @ v"
