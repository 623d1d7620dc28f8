"""Functions under NumPy's names take NumPy's arguments: values as NumPy gives them, gradients as differences do."""

import numpy as np
import pytest

import symgrad as sg

RNG = np.random.default_rng(0)
INF = np.inf


def _cases():
    for k in (-5, -3, -1, 0, 1, 2, 5):
        yield "diag", (3,), (k,), {}
        yield "diag", (3, 4), (k,), {}
        yield "trace", (3, 4), (k,), {}
        yield "trace", (2, 3, 4), (), {"offset": k, "axis1": 1, "axis2": -1}
        yield "trace", (2, 3, 4), (k, 2, 0), {}
    yield "trace", (3, 4, 2), (), {}
    for p in (0, 0.5, 1, 2, 2.5, 3, -1, -2, INF, -INF):
        yield "norm", (4,), (p,), {}
        yield "norm", (3, 4), (p,), {"axis": 1, "keepdims": True}
    for p in (1, -1, INF, -INF, "fro", None):
        yield "norm", (3, 4), (p,), {}
        for axis in ((0, 1), (1, 0), (2, 0), (-1, 1)):
            yield "norm", (2, 3, 4), (p,), {"axis": axis}
            yield "norm", (2, 3, 4), (p,), {"axis": axis, "keepdims": True}
    yield "norm", (2, 3, 4), (), {}
    yield "norm", (), (), {}


CASES = list(_cases())


@pytest.mark.parametrize(("name", "shape", "args", "named"), CASES, ids=[f"{n} {s} {a} {k}" for n, s, a, k in CASES])
def test_values_and_slopes(name, shape, args, named):
    numpy = {"norm": np.linalg.norm}.get(name) or getattr(np, name)
    X, at = sg.input("X", shape), RNG.normal(size=shape)
    f = getattr(sg, name)(X, *args, **named)
    wanted = numpy(at, *args, **named)
    found = sg.evaluate(f, X=at)
    assert np.shape(found) == np.shape(wanted)
    assert found == pytest.approx(wanted, rel=1e-14, abs=1e-15)
    weights = RNG.normal(size=np.shape(wanted))
    slope = np.asarray(sg.evaluate(sg.grad(sg.sum(f * weights), X), X=at))
    step = 1e-6 * RNG.normal(size=shape)
    moved = np.sum((numpy(at + step, *args, **named) - numpy(at - step, *args, **named)) * weights)
    assert np.sum(slope * step) == pytest.approx(moved / 2, rel=1e-6, abs=1e-14)


@pytest.mark.parametrize(
    ("spec", "shapes"),
    [
        ("...ij,...jk->...ik", ((2, 3, 4), (2, 4, 5))),
        ("...ij,...jk", ((2, 1, 3, 4), (5, 4, 2))),
        ("...ij,jk", ((5, 2, 3), (3, 2))),
        ("...i->...", ((2, 3),)),
        ("...i,i->...", ((2, 3, 4), (4,))),
        ("i...,i...->...", ((2, 3, 4), (2, 4))),
        ("i...j,j...->i...", ((2, 3, 4), (4, 3))),
        ("...,...", ((3,), (2, 3))),
        ("...i,...i", ((1, 3), (4, 3))),
        ("...ii->...i", ((2, 3, 3),)),
        ("...ij", ((2, 3, 4),)),
        ("...", ((2, 3),)),
        (" ... i j , ... j -> ... i ", ((2, 3, 4), (4,))),
    ],
)
def test_an_ellipsis_of_einsum_stands_for_the_axes_between(spec, shapes):
    values = [RNG.normal(size=s) for s in shapes]
    tensors = [sg.input(f"X{i}", s) for i, s in enumerate(shapes)]
    found = sg.evaluate(sg.einsum(spec, *tensors), **{f"X{i}": v for i, v in enumerate(values)})
    assert found == pytest.approx(np.einsum(spec, *values), rel=1e-14)
    assert np.shape(found) == np.einsum(spec, *values).shape


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, INF])
def test_the_gradient_of_a_norm_at_the_origin_is_0(p):
    x = sg.input("x", (3,))
    assert np.array_equal(sg.evaluate(sg.grad(sg.norm(x, p), x), x=np.zeros(3)), np.zeros(3))
    assert np.isnan(sg.evaluate(sg.norm(x, p), x=[1.0, np.nan, 0.0]))


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_positions_of_the_largest_and_the_smallest(axis, keepdims):
    X, at = sg.input("X", (3, 4)), RNG.normal(size=(3, 4))
    for name in ("argmax", "argmin"):
        wanted = getattr(np, name)(at, axis=axis, keepdims=keepdims)
        assert np.array_equal(sg.evaluate(getattr(sg, name)(X, axis, keepdims), X=at), wanted)


def test_named_sizes():
    x, A, n = sg.input("x", ("n",)), sg.input("A", ("n", "n")), 4
    at, M = RNG.normal(size=n), RNG.normal(size=(n, n))
    for k in (-2, 0, 1):
        assert np.array_equal(sg.compile(sg.diag(x, k))(at), np.diag(at, k))
        assert np.array_equal(sg.compile(sg.diag(A, k))(M), np.diag(M, k))
        assert sg.compile(sg.trace(A, k))(M) == pytest.approx(np.trace(M, k))
    B = sg.einsum("...i,i->...", sg.input("B", ("batch", "n")), x)
    assert str(B.shape) == "(batch,)"
