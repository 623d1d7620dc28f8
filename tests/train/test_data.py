"""Preparation of data: what a scaling does, what it must not see, and what is refused."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symgrad as sg
from symgrad.errors import (
    CallError,
    DeclarationError,
    DtypeError,
    IndexRangeError,
    NumericError,
    ShapeError,
    SymgradError,
)
from symgrad.train.data import scaling as rows
from symgrad.train.data import table
from symgrad.train.data.split import indices

EPS = np.finfo(float).eps
X = np.random.default_rng(0).normal([3.0, -20.0, 1e6], [0.1, 40.0, 1.0], size=(57, 3))
MAKERS = {row.name: getattr(sg.data, row.name) for row in rows.TABLE}


@pytest.mark.parametrize("name", MAKERS)
class TestEveryScaling:
    def test_inverse_goes_back(self, name):
        scaling = MAKERS[name](X[:40])
        # (x - shift) / unit errs by 1 ulp of x at most; so do the product and the sum, of numbers up to |x| + |shift|
        np.testing.assert_allclose(scaling.inverse(scaling(X)), X, rtol=0, atol=4 * EPS * 2 * abs(X).max())

    def test_only_the_rows_it_was_learned_from_have_a_part(self, name):
        """No leak: other rows are mapped one by one, whatever stands beside them."""
        scaling = MAKERS[name](X[:40])
        assert np.array_equal(scaling(X)[40:], scaling(X[40:]))
        assert np.array_equal(np.vstack([scaling(x[None]) for x in X]), scaling(X))
        assert not np.allclose(scaling(X), MAKERS[name](X)(X), rtol=1e-6) or name == "divide_by_maximum"

    def test_shift_and_unit_do_not_matter(self, name):
        """Scaled data are free of the unit of measurement (and of the zero, where it is subtracted)."""
        powers = X * 2.0**10
        got, wanted = MAKERS[name](powers)(powers), MAKERS[name](X)(X)
        np.testing.assert_allclose(got, wanted * 2.0**10 if name == "centre" else wanted, rtol=1e-13)

    @pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "bool"])
    def test_floats_keep_their_type(self, name, dtype):
        x = np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)
        kept = x.copy()
        z = MAKERS[name](x)(x)
        assert z.dtype == (dtype if dtype.startswith("float") else "float64")
        assert np.array_equal(x, kept)

    def test_portions_give_what_the_whole_gives(self, name, monkeypatch):
        whole = MAKERS[name](X)
        monkeypatch.setattr(table, "CHUNK", 12)  # four rows at a time
        parts = MAKERS[name](X)
        np.testing.assert_allclose(parts.shift, whole.shift, rtol=8 * EPS)
        np.testing.assert_allclose(parts.unit, whole.unit, rtol=1e-9)  # of a column at 1e6 with deviations of 1
        assert parts(X).shape == X.shape

    def test_columns_without_spread_are_shifted_only(self, name):
        x = np.column_stack([X[:, 0], np.full(57, 0.1), np.zeros(57)])  # the mean of 0.1s is not 0.1 by summing
        scaling = MAKERS[name](x)
        z = scaling(x)
        assert np.isfinite(z).all()
        assert (z[:, 2] == 0).all()
        assert (z[:, 1] == (1 if name == "divide_by_maximum" else 0)).all()
        assert scaling.constant.tolist() == [
            {"centre": [False] * 3, "divide_by_maximum": [False, False, True]}.get(name, [False, True, True])
        ]

    def test_a_frame_is_its_numbers_and_its_names(self, name):
        frame = pd.DataFrame(X, columns=["age", "debt", "income"])
        scaling = MAKERS[name](frame)
        assert np.array_equal(scaling(frame), MAKERS[name](X)(X))
        assert scaling.columns == ("age", "debt", "income")
        assert "debt" in repr(scaling)
        assert np.array_equal(scaling(X.tolist()), scaling(frame))
        with pytest.raises(ShapeError, match="not those that were learned from"):
            scaling(frame[["debt", "age", "income"]])

    def test_a_tensor_gives_the_same_symbolically(self, name):
        scaling = MAKERS[name](X)
        t = sg.input("X", ("n", 3))
        for step in (scaling, scaling.inverse):
            np.testing.assert_allclose(sg.evaluate(step(t), X=X), step(X), rtol=4 * EPS)
        with pytest.raises(ShapeError):
            scaling(sg.input("X", ("n", 4)))

    def test_copies_and_pickles(self, name):
        scaling = MAKERS[name](X)
        for other in (copy.deepcopy(scaling), pickle.loads(pickle.dumps(scaling))):
            assert np.array_equal(other(X), scaling(X))
            assert repr(other) == repr(scaling)

    def test_other_shapes(self, name):
        images = np.random.default_rng(1).uniform(1, 2, size=(5, 4, 4, 3))
        for axis, shape in ((0, (1, 4, 4, 3)), ((0, 1, 2), (1, 1, 1, 3)), (None, (1, 1, 1, 1))):
            scaling = MAKERS[name](images, axis=axis)
            assert scaling.shift.shape == shape
            assert scaling(images).shape == images.shape
        vector = MAKERS[name](X[:, 0])
        assert np.array_equal(vector(X[:, 0]), MAKERS[name](X[:, :1])(X[:, :1])[:, 0])
        with pytest.raises(ShapeError):
            MAKERS[name](images)(images[:, :3])


def test_each_scaling_does_what_it_says():
    n = len(X)
    tolerance = {"rtol": 0, "atol": 1e-9}  # the third column lies 1e6 deviations from 0: 1e6 eps sqrt(n)
    np.testing.assert_allclose(sg.data.centre(X)(X).mean(axis=0), 0, atol=n * EPS * 1e6)
    z = sg.data.standardise(X)(X)
    np.testing.assert_allclose(z.mean(axis=0), 0, **tolerance)
    np.testing.assert_allclose(z.std(axis=0), 1, **tolerance)
    assert (abs(sg.data.divide_by_maximum(X)(X)).max(axis=0) == 1).all()
    z = sg.data.min_max(X, low=-1, high=3)(X)
    assert (z.min(axis=0).tolist(), z.max(axis=0).tolist()) == ([-1] * 3, [3] * 3)


def test_agrees_with_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    for ours, theirs in (
        (sg.data.standardise, preprocessing.StandardScaler()),
        (sg.data.divide_by_maximum, preprocessing.MaxAbsScaler()),
        (sg.data.min_max, preprocessing.MinMaxScaler()),
    ):
        np.testing.assert_allclose(ours(X[:30])(X), theirs.fit(X[:30]).transform(X), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_no_square_overflows_or_vanishes(size):
    z = sg.data.standardise(size * np.array([1.0, 2.0, 4.0]))
    assert z.unit[0] == pytest.approx(size * np.std([1.0, 2.0, 4.0]), rel=4 * EPS)


def test_a_scaling_can_be_the_first_step_of_a_model():
    """Raw rows go in, and the statistics go with the weights."""
    scaling = sg.data.standardise(X)
    net = sg.nn.Sequential([sg.nn.Activation(scaling), sg.nn.Dense(2)], input_shape=(3,))
    bare = sg.nn.Sequential([sg.nn.Dense(2)], input_shape=(3,))
    bare.load_state_dict(dict(zip(bare.state_dict(), net.state_dict().values(), strict=True)))
    np.testing.assert_allclose(net.predict(X), bare.predict(scaling(X)), rtol=1e-12)
    assert np.array_equal(pickle.loads(pickle.dumps(net)).predict(X), net.predict(X))


@pytest.mark.parametrize("kind", ["Int64", "Float64", "boolean", "int8", "object"])
def test_columns_of_every_kind_of_pandas(kind):
    frame = pd.DataFrame({"a": pd.array([1, 0, 1], kind), "b": [0.5, 1.0, 2.0]})
    np.testing.assert_allclose(sg.data.centre(frame)(frame)[:, 0], [1 / 3, -2 / 3, 1 / 3], rtol=4 * EPS)


def test_a_memory_map_is_not_read_whole(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", X.astype("float32"))
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    monkeypatch.setattr(table, "CHUNK", 12)
    read, real = [], np.ascontiguousarray

    def watched(value, *args, **kwargs):
        if isinstance(value, np.memmap):
            read.append(len(value))
        return real(value, *args, **kwargs)

    monkeypatch.setattr(np, "ascontiguousarray", watched)
    z = sg.data.standardise(mapped)(mapped)
    assert z.dtype == np.float32
    assert max(read) == 4


FRAME = pd.DataFrame({"age": [20, 30], "sex": ["f", "m"]})
REFUSED = {
    "nan": (lambda: sg.data.standardise([[1.0, 2.0], [3.0, np.nan]]), NumericError),
    "nan_of_a_frame": (lambda: sg.data.min_max(pd.DataFrame({"a": [1.0, 2.0], "b": [np.inf, 1.0]})), NumericError),
    "nan_later": (lambda: sg.data.centre([1.0, 2.0])([np.nan]), NumericError),
    "words": (lambda: sg.data.standardise(FRAME), DtypeError),
    "missing": (lambda: sg.data.standardise(pd.DataFrame({"a": [1, None]}, dtype=object)), DtypeError),
    "complex": (lambda: sg.data.centre([1j, 2j]), DtypeError),
    "no_rows": (lambda: sg.data.centre(np.empty((0, 2))), ShapeError),
    "no_axis": (lambda: sg.data.centre(X, axis=2), DeclarationError),
    "not_over_rows": (lambda: sg.data.centre(X, axis=1), DeclarationError),
    "one_row": (lambda: sg.data.standardise([[1.0, 2.0]]), NumericError),
    "all_constant": (lambda: sg.data.min_max(np.ones((4, 2))), NumericError),
    "all_zero": (lambda: sg.data.divide_by_maximum(np.zeros((4, 2))), NumericError),
    "ends": (lambda: sg.data.min_max(X, low=1, high=1), DeclarationError),
    "one_row_later": (lambda: sg.data.centre(X)(X[0]), ShapeError),
    "too_far_apart": (lambda: sg.data.standardise([-1.7e308, 1.7e308]), NumericError),
    "unknown_label": (lambda: sg.data.one_hot(["a", "b"])(["b", "c"]), IndexRangeError),
    "from_one": (lambda: sg.data.one_hot([1, 2, 3], classes=3), IndexRangeError),
    "one_class": (lambda: sg.data.class_numbers(["a", "a"]), DeclarationError),
    "no_labels": (lambda: sg.data.one_hot([0.5, 1.5]), DtypeError),
    "missing_label": (lambda: sg.data.one_hot(pd.Series(["a", None, "b"])), NumericError),
    "nan_label": (lambda: sg.data.one_hot([0.0, np.nan]), NumericError),
    "mixed_labels": (lambda: sg.data.one_hot(np.array([1, "a"], object)), DtypeError),
    "other_kind": (lambda: sg.data.one_hot(["a", "b"])([0, 1]), DtypeError),
    "already_hot": (lambda: sg.data.one_hot(np.eye(3)), ShapeError),
    "twice": (lambda: sg.data.one_hot([0, 1], classes=[0, 1, 1]), DeclarationError),
    "other_width": (lambda: sg.data.one_hot([0, 1]).inverse([[1.0, 2.0, 3.0]]), ShapeError),
    "no_such_number": (lambda: sg.data.class_numbers([0, 1]).inverse([2]), IndexRangeError),
    "nothing_to_split": (lambda: sg.data.split(), CallError),
    "other_rows": (lambda: sg.data.split(X, [1, 2]), ShapeError),
    "share": (lambda: sg.data.split(X, share=20), DeclarationError),
    "empty_side": (lambda: sg.data.split([1, 2, 3], share=0.1), DeclarationError),
    "too_many_classes": (lambda: sg.data.split([1, 2, 3, 4], share=0.5, stratify=[1, 2, 3, 4]), DeclarationError),
    "stratify_rows": (lambda: sg.data.split(X, stratify=[0, 1]), ShapeError),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case, snapshot):
    call, kind = REFUSED[case]
    with pytest.raises(SymgradError) as caught:
        call()
    assert isinstance(caught.value, kind)
    caught.value.at = ""
    assert f"{kind.__name__}: {caught.value}" == snapshot


def test_what_is_printed(snapshot):
    frame = pd.DataFrame({"hours asleep": [3, 5, 10], "hours of study": [5, 1, 2], "school": [1, 1, 1]})
    made = [maker(frame) for maker in MAKERS.values()] + [sg.data.min_max(frame, -1, 1)]
    made += [sg.data.one_hot(["rose", "lily"]), sg.data.class_numbers(range(20))]
    assert "\n\n".join(repr(m) for m in made) == snapshot
    assert [m.latex() for m in made[:5]] == snapshot


LABELS = st.one_of(
    st.lists(st.integers(-3, 3), min_size=2, max_size=30),
    st.lists(st.sampled_from(["rose", "lily", "", "Ä", "a b"]), min_size=2, max_size=30),
    st.lists(st.booleans(), min_size=2, max_size=30),
).filter(lambda y: len(set(y)) > 1)


@given(LABELS, st.sampled_from([list, np.array, pd.Series, lambda y: np.array(y, object)]))
def test_codings_go_there_and_back(y, container):
    held = container(y)
    hot, numbers = sg.data.one_hot(held), sg.data.class_numbers(held)
    assert hot.inverse(hot(held)).tolist() == numbers.inverse(numbers(held)).tolist() == y
    assert (hot(held).sum(axis=1) == 1).all()
    assert np.array_equal(hot(held).argmax(axis=1), numbers(held))
    assert sorted(set(y)) == hot.classes.tolist()


def test_labels_may_come_as_floats_and_columns():
    assert sg.data.class_numbers([1.0, 2.0])([[2], [1]]).tolist() == [1, 0]
    assert sg.data.one_hot(["b", "a"], classes=["b", "a"], dtype="float32")(["b"]).tolist() == [[1.0, 0.0]]


@given(st.lists(st.integers(0, 3), min_size=4, max_size=60), st.floats(0.05, 0.95), st.integers(0, 5))
def test_parts_hold_each_row_once_and_each_class_by_its_share(y, share, seed):
    n, kept = len(y), round(len(y) * share)
    classes, counts = np.unique(y, return_counts=True)
    if not 0 < kept <= n - len(classes):
        return
    train, test = indices(n, share, seed, y)
    assert sorted([*train, *test]) == list(range(n))
    assert len(test) == kept
    own = np.array([np.sum(np.array(y)[test] == c) for c in classes])
    assert (own < counts).all()
    exact = counts * kept / n
    free = own < counts - 1  # of a class that is not cut to leave a row to learn from
    if free.all() or (exact <= counts - 1).all():
        assert (abs(own - exact) < 1).all()
    again = indices(n, share, seed, y)
    assert np.array_equal(train, again[0])
    assert np.array_equal(test, again[1])


def test_parts_are_of_the_kind_that_was_split():
    frame, y, words = pd.DataFrame({"a": range(10)}), np.arange(10), [str(i) for i in range(10)]
    (train, ty, tw), (test, _, _) = sg.data.split(frame, y, words, share=0.3, seed=4)
    assert isinstance(train, pd.DataFrame)
    assert isinstance(tw, list)
    assert train["a"].tolist() == ty.tolist() == [int(w) for w in tw]
    assert len(test) == 3
    assert ty.tolist() != sorted(ty.tolist())
    assert not np.array_equal(ty, sg.data.split(y, share=0.3, seed=5)[0])
