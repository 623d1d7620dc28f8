"""Every initializer of the table: its distribution, its fans, its seed; what else is taken as one. Regularizers."""

import copy
import math
import pickle

import numpy as np
import pytest
from scipy import stats

import symgrad as sg
from symgrad.nn import initializers, regularizers
from symgrad.nn.initializers import fans

ROWS = pytest.mark.parametrize("row", initializers.TABLE, ids=lambda row: row.name)
DENSE, CONV = (300, 200), (3, 3, 60, 80)
SIGMAS = 5.0  # of an estimate: a right row fails once in two million
CUT = stats.truncnorm(-2, 2)
VARIANCE = {  # as a function of (fan in, fan out)
    "random_uniform": lambda i, o: 0.1**2 / 12,
    "random_normal": lambda i, o: 0.05**2,
    "truncated_normal": lambda i, o: 0.05**2 * CUT.var(),
    "variance_scaling": lambda i, o: 1 / i,
    "glorot_uniform": lambda i, o: 2 / (i + o),
    "glorot_normal": lambda i, o: 2 / (i + o),
    "he_uniform": lambda i, o: 2 / i,
    "he_normal": lambda i, o: 2 / i,
    "lecun_uniform": lambda i, o: 1 / i,
    "lecun_normal": lambda i, o: 1 / i,
}
KURTOSIS = {"uniform": 9 / 5, "normal": 3.0, "cut": float(CUT.stats(moments="k")) + 3}
LAW = {
    "random_uniform": "uniform", "glorot_uniform": "uniform", "he_uniform": "uniform", "lecun_uniform": "uniform",
    "random_normal": "normal", "truncated_normal": "cut", "variance_scaling": "cut", "glorot_normal": "cut",
    "he_normal": "cut", "lecun_normal": "cut",
}  # fmt: skip


@pytest.mark.parametrize("shape", [DENSE, CONV], ids=["dense", "conv"])
@pytest.mark.parametrize("name", VARIANCE)
def test_mean_and_variance(name, shape):
    """Keras's fans; the estimates' own standard errors are the tolerances."""
    drawn = initializers.get(name)(shape, np.random.default_rng(0))
    field = math.prod(shape[:-2])
    variance = VARIANCE[name](field * shape[-2], field * shape[-1])
    kurtosis = KURTOSIS[LAW[name]]
    assert drawn.shape == shape
    assert abs(drawn.mean()) < SIGMAS * math.sqrt(variance / drawn.size)
    assert abs(drawn.var() - variance) < SIGMAS * variance * math.sqrt((kurtosis - 1) / drawn.size)
    assert abs(stats.kurtosis(drawn, axis=None) + 3 - kurtosis) < 0.2  # tells the three laws apart


@pytest.mark.parametrize("name", VARIANCE)
def test_bounds(name):
    """A uniform law reaches its limit and no further, a cut one two of its standard deviations before the cut."""
    i, o = fans(DENSE)
    drawn = np.abs(initializers.get(name)(DENSE, np.random.default_rng(0))).max()
    variance = VARIANCE[name](i, o)
    if LAW[name] == "uniform":
        assert 0.999 < drawn / math.sqrt(3 * variance) <= 1
    elif LAW[name] == "cut":
        assert 0.99 < drawn / (2 * math.sqrt(variance / CUT.var())) <= 1


def test_the_correction_of_a_cut_normal():
    assert pytest.approx(CUT.std(), rel=1e-12) == initializers._CUT_STDDEV
    assert pytest.approx(0.87962566103423978, rel=1e-15) == initializers._CUT_STDDEV


def test_constants():
    rng = np.random.default_rng(0)
    assert np.array_equal(initializers.get("zeros")((2, 3), rng), np.zeros((2, 3)))
    assert np.array_equal(initializers.get("ones")((2, 3), rng), np.ones((2, 3)))
    assert np.array_equal(initializers.Constant(2.5)((2,), rng), [2.5, 2.5])
    assert np.array_equal(initializers.Identity(gain=2)((2, 3), rng), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (3, 3, 2, 7)])
def test_orthogonal(shape):
    drawn = initializers.Orthogonal(gain=2.0)(shape, np.random.default_rng(0)).reshape(-1, shape[-1]) / 2
    gram = drawn @ drawn.T if drawn.shape[0] < drawn.shape[1] else drawn.T @ drawn
    assert np.allclose(gram, np.eye(len(gram)), rtol=0, atol=32 * np.finfo(float).eps)


def test_orthogonal_has_no_preferred_sign():
    signs = [initializers.get("orthogonal")((3, 3), np.random.default_rng(i))[0, 0] > 0 for i in range(400)]
    assert abs(np.mean(signs) - 0.5) < SIGMAS * 0.5 / math.sqrt(400)


@ROWS
def test_seeds(row):
    """A seed gives the same array again; without one the generator that is given decides."""
    shape = (4, 3)
    one, two = (row(shape, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, two)
    if "seed" not in dict(row.options):
        return
    title = getattr(initializers, row.title)
    assert np.array_equal(
        title(seed=3)(shape, np.random.default_rng(0)), title(seed=3)(shape, np.random.default_rng(1))
    )
    assert not np.array_equal(one, row(shape, np.random.default_rng(8)))


@ROWS
def test_rows_are_whole(row):
    assert row.formula and row.source  # noqa: PT018
    assert all(initializers.get(name) is row for name in (row.name, *row.names, row.title))
    assert copy.deepcopy(row) == row == pickle.loads(pickle.dumps(row))
    assert initializers.get(getattr(initializers, row.title)) == getattr(initializers, row.name)() == row


def test_options_by_position_and_name():
    drawn = initializers.RandomUniform(-0.1, 0.1)((1000,), np.random.default_rng(0))
    assert 0.09 < np.abs(drawn).max() <= 0.1
    assert initializers.uniform(maxval=2.0) == initializers.RandomUniform(-0.05, 2.0)
    spread = initializers.VarianceScaling(scale=4.0, mode="fan_out", distribution="untruncated_normal")
    assert spread((100, 400), np.random.default_rng(0)).std() == pytest.approx(0.1, rel=0.02)
    assert repr(initializers.RandomNormal(stddev=2.0)) == "RandomNormal(mean=0.0, stddev=2.0)"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (0.5, np.full((2, 3), 0.5)),
        (np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)),
        ([[1, 2, 3], [4, 5, 6]], np.array([[1.0, 2, 3], [4, 5, 6]])),
        (lambda shape, rng: np.full(shape, 7), np.full((2, 3), 7.0)),
        ("one", np.ones((2, 3))),
    ],
)
def test_what_is_taken_as_a_start(spec, expected):
    W = sg.parameter("W", (2, 3))
    drawn = initializers.draw(spec, W.node, np.random.default_rng(0))
    assert drawn.dtype == float
    assert np.array_equal(drawn, expected)


def test_the_start_of_a_parameter_that_says_nothing():
    rng = np.random.default_rng
    W, b = sg.parameter("W", (2, 3)), sg.parameter("b", (3,))
    glorot = initializers.get("glorot_uniform")((2, 3), rng(0))
    assert np.array_equal(initializers.draw(None, W.node, rng(0)), glorot)
    assert np.array_equal(initializers.draw(None, b.node, rng(0)), np.zeros(3))


@pytest.mark.parametrize("row", regularizers.TABLE, ids=lambda row: row.name)
def test_penalties(row):
    w = sg.parameter("w", (3, 2))
    at = np.array([[1.0, -2.0], [0.5, 0.25], [-0.1, 3.0]])
    options = dict.fromkeys(dict(row.options), 0.3)
    chosen = getattr(regularizers, row.title)(**options)
    fn = sg.compile(chosen(w), wrt=w)
    l1, l2 = options.get("l1", 0), options.get("l2", 0)
    value, gradient = fn.value_and_grad(w=at)
    assert value == pytest.approx(l1 * np.abs(at).sum() + l2 * (at**2).sum(), rel=1e-15)
    assert np.allclose(gradient, l1 * np.sign(at) + 2 * l2 * at, rtol=1e-15)
    assert fn.check(w=at).ok
    assert row.formula and row.source  # noqa: PT018
    assert pickle.loads(pickle.dumps(chosen)) == copy.deepcopy(chosen) == chosen


def test_names_of_regularizers_mean_a_hundredth():
    assert regularizers.get("l2") == regularizers.L2() == regularizers.l2(0.01)
    assert regularizers.get("l1_l2") == regularizers.L1L2(l1=0.01, l2=0.01)
    assert regularizers.L1L2(l2=0.5) == regularizers.get(regularizers.L1L2(0.0, 0.5))
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
