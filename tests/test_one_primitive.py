"""One ``register(Op(...))`` adds one tensor primitive: derivatives, code, formulas, words and files follow.

The op added here is a mirror along an axis. What is stated is what a person knows of it: its shape, its pullback and
pushforward, how primitives make it, one element, LaTeX, a word, samples. No list anywhere else is touched.
"""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import symgrad as sg
from symgrad.frontend.tensor import Tensor
from symgrad.ir.element import Element
from symgrad.ir.evaluate import evaluate
from symgrad.ir.node import OPS, Op, build, register
from symgrad.ops.shape import lead, take_slice
from symgrad.passes.simplify import simplify


def _back(x, axis):
    """x[.., ::-1, ..] of slices."""
    axes = range(x.type.rank)
    start = tuple(x.shape[axis] - 1 if i == axis else 0 for i in axes)
    return take_slice(x, start, x.shape, tuple(-1 if i == axis else 1 for i in axes))


def _element(node, index, take):
    axis = node["axis"]
    mirrored = index[axis] * -1 + (node.shape[axis] - 1)
    return Element(((0, tuple(mirrored if i == axis else p for i, p in enumerate(index))),))


MIRROR = Op(
    "mirror",
    "composite",
    lambda t, axis: t,
    vjp=lambda y_bar, y, x, axis: (build("mirror", y_bar, axis=axis),),
    jvp=lambda xs_dot, y, x, axis: build("mirror", xs_dot[0], axis=axis + len(lead(xs_dot[0], x))),
    reference=lambda x, axis: np.flip(x, axis),
    lower=_back,
    latex=lambda x, axis: rf"\operatorname{{mirror}}\left({x}\right)",
    samples=((((4,),), {"axis": 0}), (((2, 3),), {"axis": 1})),
    source="numpy.flip",
    element=_element,
    word="the mirror",
    rule="the gradient is mirrored back",
    fits=lambda x, axis: type(axis) is int and 0 <= axis < x.rank,
    odd=(0,),
)


@pytest.fixture(autouse=True)
def primitive():
    """The op, for as long as a test runs."""
    before = list(OPS)
    register(MIRROR)
    yield
    del OPS[MIRROR.name]
    assert list(OPS) == before


def mirror(x, axis=0):
    return Tensor(build("mirror", x.node, axis=axis))


def weighted():
    """f = sum of w_i x_(n-1-i)^2."""
    x, w = sg.parameter("x", ("n",)), sg.input("w", ("n",))
    return sg.named("f", (w * mirror(x) ** 2).sum()), x, w


def test_value_gradient_and_check():
    f, x, _ = weighted()
    fn = sg.compile(f, wrt=x)
    xv, wv = np.array([0.5, -1.0, 2.0, 3.0]), np.array([1.0, 2.0, -1.0, 0.25])
    value, slope = fn.value_and_grad(x=xv, w=wv)
    assert value == pytest.approx((wv * xv[::-1] ** 2).sum(), rel=1e-15)
    np.testing.assert_allclose(slope, 2 * xv * wv[::-1], rtol=1e-15)
    assert fn.check(x=xv, w=wv).ok
    assert "def value_and_grad" in fn.source


def test_pullback_is_the_transpose_of_the_pushforward():
    rng = np.random.default_rng(3)
    for shapes, params in MIRROR.samples:
        (shape,) = shapes
        x, t, g = sg.input("x", shape), sg.input("t", shape), sg.input("g", shape)
        y = mirror(x, params["axis"])
        push, pull = sg.jvp(y, x, t), sg.vjp(y, x, g)
        at = {v.node: rng.normal(size=shape) for v in (x, t, g)}
        a, b = evaluate([(push * g).sum().node, (pull * t).sum().node], at)
        assert a == pytest.approx(b, rel=1e-14)


def test_higher_orders():
    f, x, w = weighted()
    hessian = sg.compile(sg.hessian(f, x), inputs=[x, w])
    xv, wv = np.arange(1.0, 4.0), np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(hessian(xv, wv), np.diag(2 * wv[::-1]), rtol=1e-15)


def test_formulas_in_every_style_and_words():
    x, w = sg.parameter("x", (4,)), sg.input("w", (4,))
    y = sg.named("y", mirror(x))
    fn = sg.compile(sg.named("f", (w * y**2).sum()), wrt=x)
    assert r"y &= \operatorname{mirror}(x)" in fn.latex()
    left, upstream = r"\frac{\partial f}{\partial x}", r"\frac{\partial f}{\partial y}"
    assert rf"{left} &= \operatorname{{mirror}}\left({upstream}\right)" in fn.latex()
    assert r"y_{i} &= x_{3-i}" in fn.latex("elementwise")
    assert r"\frac{\partial f}{\partial x_{i}} &= \frac{\partial f}{\partial y_{3-i}}" in fn.latex("elementwise")
    assert r"\operatorname{mirror}(2 w \odot \operatorname{mirror}(x))" in fn.latex("closed")
    assert r"\frac{\partial f}{\partial y} \frac{\partial y}{\partial x}" in fn.latex("chain")
    assert "the gradient is mirrored back" in str(fn.derivation())
    assert "chain rule through the sum over elements, the square, the mirror" in str(
        sg.compile((mirror(x) ** 2).sum(), wrt=x).derivation()
    )


def test_a_sign_comes_out_and_files_are_read_back():
    f, x, _ = weighted()
    even = (mirror(-x) ** 2).node
    assert simplify([even])[even] is simplify([(mirror(x) ** 2).node])[(mirror(x) ** 2).node]
    fn = pickle.loads(pickle.dumps(sg.compile(f, wrt=x)))
    np.testing.assert_array_equal(fn.grad(x=[1.0, 2.0], w=[3.0, 4.0]), [8.0, 12.0])
    assert copy.deepcopy(f) == f


def test_a_hand_gradient_is_judged():
    f, x, w = weighted()
    assert sg.check_formula(f, x, 2 * x * mirror(w))
    assert not sg.check_formula(f, x, 2 * x * w)
