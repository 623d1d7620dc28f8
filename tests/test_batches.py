"""Functions of scalars called with arrays: element by element, also through tensors built from the scalars."""

import multiprocessing
import pickle

import numpy as np
import pytest
import sympy as sp

import symgrad as sg

x, y = sg.symbols("x y")
v = sg.stack([x, y])
POINTS = np.random.default_rng(0).uniform(0.5, 2.0, (2, 4))
THROUGH_TENSORS = [
    sg.sum(x * np.ones(1)),
    sg.sum(v**2),
    sg.max(x * np.ones((1,)) + y),
    sg.logsumexp(sg.stack([x, y, x * y])),
    sg.sum(sg.softmax(v) * np.array([1.0, 2.0])),
    sg.prod(sg.stack([x, y, x + y])),
    sg.sum(np.arange(6.0).reshape(2, 3) @ sg.stack([x, y, x * y])),
    v @ sg.stack([y, x * x]),
    sg.sum(sg.cumsum(v) ** 2),
    sg.stack([x, y, x])[::-1][0] * x,
    sg.norm(sg.outer(v, sg.stack([x, x * y]))),
    sg.trace(sg.outer(v, sg.stack([x, x * y]))),
    sg.sum(sg.take(v, [0, 1, 1]) ** 2),
    sg.sum(sg.concatenate([v, np.array([1.0, 2.0])]) * x),
    sg.sum(sg.diag(v) @ v),
    sg.sum(sg.sin(sg.jacobian(sg.exp(2 * v) / 3, v)) + v),
    sg.constant(3.0) * 1.0,
]


@pytest.mark.parametrize("f", THROUGH_TENSORS, ids=range(len(THROUGH_TENSORS)))
def test_each_element_is_a_call(f):
    fn = sg.compile(f, wrt=[x, y], inputs=[x, y])
    values, gradients = fn.value_and_grad(*POINTS)
    for k, point in enumerate(POINTS.T):
        value, gradient = fn.value_and_grad(*map(float, point))
        assert np.isclose(values[k], value, rtol=1e-13)
        assert np.allclose([g[k] for g in gradients], gradient, rtol=1e-12)


def test_matrices_over_arrays():
    u, w = sp.symbols("u w")
    fn = sg.compile(sp.Matrix([[sp.sin(u * w), u**2]]), wrt=[u, w])
    outputs, residuals = fn.forward(np.ones((2, 3)), 2.0)
    assert outputs.shape == (2, 3, 1, 2)
    assert np.allclose(outputs[..., 0, 0], np.sin(2.0))
    du, dw = fn.backward(residuals, np.ones(outputs.shape))
    assert np.allclose(du, 2 * np.cos(2.0) + 2.0)
    assert np.allclose(dw, np.cos(2.0))


def test_diagonal_jacobians_over_arrays_are_a_dense_stack():
    q = sg.named("q", v * x)
    fn = sg.compile(sg.jacobian(sg.sin(q), q), wrt=[x, y])
    assert isinstance(fn(1.0, 2.0), sg.Diagonal)
    outputs, residuals = fn.forward(*POINTS)
    cotangent = np.random.default_rng(1).normal(size=outputs.shape)
    gradients = fn.backward(residuals, cotangent)
    for k, point in enumerate(POINTS.T):
        alone, kept = fn.forward(*point)
        assert np.allclose(outputs[k], np.asarray(alone), rtol=1e-14)
        assert np.allclose([g[k] for g in gradients], fn.backward(kept, cotangent[k]), rtol=1e-13)


QUANTITY = sg.named("q", x * y + 1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "point", [(np.linspace(0.1, 1.0, 4), 2.0), (np.ones((2, 3)) / 3, np.arange(1.0, 4.0))], ids=[1, 2]
)
def test_check_takes_arrays(point, dtype):
    """Element by element, with an intermediate, several outputs, forward mode, and float32."""
    shape = np.broadcast_shapes(*map(np.shape, point))
    fn = sg.compile([sg.sin(x) * QUANTITY**2, sg.stack([x, QUANTITY])], wrt=[x, y, QUANTITY], dtype=dtype)
    report = fn.check(*point)
    assert report.ok, report
    rows = {row.name: row for row in report.rows}
    assert all(rows[name].shape == shape and rows[name].checked == np.prod(shape) for name in ("x", "y", "q"))
    assert rows["forward mode"].status == "ok"
    assert ("x float32" in rows) == (dtype == "float32")


def test_check_of_arrays_finds_the_kink_and_the_wrong_element(monkeypatch):
    fn = sg.compile(abs(x) * y, wrt=[x, y])
    report = fn.check(np.array([-1.0, 0.0, 2.0]), 3.0)
    assert report.ok
    assert "x[1]: kink: slopes" in str(report)
    true_backward = type(fn).backward

    def wrong(self, residuals, cotangent=1.0):
        dx, dy = true_backward(self, residuals, cotangent)
        return dx * np.array([1.0, 1.0, 1 + 1e-6]), dy

    monkeypatch.setattr(type(fn), "backward", wrong)
    report = fn.check(np.array([-1.0, 0.5, 2.0]), 3.0)
    assert report.failed
    assert "x[2]: FAIL" in str(report)


def test_derivatives_by_intermediates_survive_rewriting():
    q = sg.named("q", 1 / (1 + sg.exp(-x)))
    expected = 2 / (1 + np.exp(-0.3))
    assert np.isclose(sg.evaluate(sg.grad(q**2, q), x=0.3), expected, rtol=1e-14)
    sum_of_exp = sg.named("s", 1 + sg.exp(x))
    assert sg.evaluate(sg.grad(sg.log(sum_of_exp), x), x=1000.0) == 1.0  # stable also through a name
    assert sg.grad(sum_of_exp**2, x).node.args[0].args[1].op.name == "named"  # which the derivative shows
    z = sg.named("z", x * 1.0)
    assert sg.evaluate(sg.hessian(z**2, z), x=0.3) == 2.0
    assert np.isclose(sg.evaluate(sg.jvp(q**2, q, 2.0), x=0.3), 2 * expected, rtol=1e-14)


def test_what_is_not_taken_contributes_nothing_through_reductions():
    t, b = sg.symbol("t"), sg.parameter("b", (2,))
    for f in (sg.prod(1 / b), sg.norm(1 / b), sg.logsumexp(sg.log(b))):
        fn = sg.compile(sg.where(t > 0, f, 0), wrt=b, inputs=[t, b])
        assert np.all(fn.grad(-1.0, [0.0, 2.0]) == 0)
    tangent = sg.jvp(sg.max(sg.sqrt(b)), b, np.ones(2))
    assert np.isclose(sg.evaluate(tangent, b=[0.0, 5.0]), 0.5 / np.sqrt(5.0))


def test_a_sum_of_deep_right_nested_products():
    c = sg.symbol("c")
    p = q = x
    for _ in range(3000):
        p, q = c * p, c * q + 0
    assert sg.grad(y * p + y * (q * 2), y).shape == ()


def test_small_things():
    assert np.isnan(sg.compile(sg.step(x))(float("nan")))
    assert sg.evaluate(sg.cumsum(sg.constant(np.array([True, True])))).tolist() == [1, 2]
    n = sg.input("n_values", ("n",))
    assert str(sg.concatenate([n, n])[::2].shape[0]) == "n"
    a, b = sg.parameter("a", (20, 3)), sg.parameter("b", (3, 4))
    assert sg.jacobian(sg.einsum("Aj,jB->AB", a, b), a).shape == (20, 4, 20, 3)
    with pytest.raises(sg.NotDifferentiableError):
        sg.compile(x > 0, wrt=x).grad(1.0)
    with pytest.raises(sg.UnsupportedError):
        sg.norm(a, ord=2)
    with pytest.raises(sg.ShapeError):
        sg.constant(np.ones((2, 3, 4)))[0, :, [1, 2]]


def _declared(name: str) -> bytes:
    return pickle.dumps(sg.symbol(name) * 2)


def test_variables_of_forked_children_differ():
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork on this system")
    queues = []
    context = multiprocessing.get_context("fork")
    for name in ("p", "q"):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=lambda s=sender, n=name: s.send_bytes(_declared(n)))
        child.start()
        queues.append(pickle.loads(receiver.recv_bytes()))
        child.join()
    assert queues[0] != queues[1]
    assert "p" in repr(queues[0])
    assert "q" in repr(queues[1])
