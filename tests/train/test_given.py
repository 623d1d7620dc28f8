"""What users give to ``fit``: what is taken as it is meant, and what is refused with advice."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.train.data.given import class_weights
from symgrad.train.fit import Fit

X = np.random.default_rng(0).normal(size=(6, 2))
Y = np.array([0, 1, 2, 0, 1, 2])
WORDS = np.array(["iris", "lily", "rose"])[Y]


def network(units, loss, from_logits=True):
    net = sg.nn.Sequential([sg.nn.Dense(units)], input_shape=(2,))
    net.compile("sgd", loss=loss, from_logits=from_logits)
    return net


LABELS = network(3, "sparse_categorical_crossentropy")
HOT = network(3, "categorical_crossentropy")
LOGIT = network(1, "binary_crossentropy")
LINE = network(1, "mse", False)
PLANE = network(3, "mse", False)
IDS = sg.nn.Sequential([sg.nn.Embedding(3, 1), sg.nn.Flatten()], input_shape=(2,))
IDS.compile("sgd", loss="mse")
WRONG = {
    "words": lambda: LABELS.fit(X, WORDS),
    "words_for_a_logit": lambda: LOGIT.fit(X, pd.Series(WORDS)),
    "categories": lambda: LABELS.fit(X, pd.Series(WORDS).astype("category")),
    "labels_from_1": lambda: LABELS.fit(X, Y + 1),
    "labels_1_and_2": lambda: LOGIT.fit(X, Y % 2 + 1),
    "labels_of_signs": lambda: LOGIT.fit(X, 2 * (Y % 2) - 1),
    "no_probability": lambda: LOGIT.fit(X, Y / 1.5),
    "between": lambda: LABELS.fit(X, Y + 0.5),
    "missing_label": lambda: LABELS.fit(X, np.where(Y > 1, np.nan, Y)),
    "hot_for_labels": lambda: LABELS.fit(X, np.eye(3)[Y]),
    "ids_from_1": lambda: IDS.predict([[0, 2], [1, 3]]),
    "ids_below_0": lambda: IDS.fit([[0, 2], [1, -1]], np.zeros((2, 2))),
    "one_number_for_three": lambda: PLANE.fit(X, Y / 2),
    "labels_for_hot": lambda: HOT.fit(X, Y),
    "hot_for_a_logit": lambda: LOGIT.fit(X, np.eye(2)[Y % 2]),
    "a_column_of_words": lambda: LINE.fit(pd.DataFrame({"age": range(6), "sex": list("fmfmfm")}), Y),
    "a_missing_number": lambda: LINE.fit(pd.DataFrame({"a": pd.array([1, 2, None, 4, 5, 6], "object"), "b": 1}), Y),
    "nan": lambda: LINE.fit(np.where(X > 1, np.nan, X), Y),
    "one_row": lambda: LINE.predict(X[0]),
    "a_number": lambda: LINE.predict(1.0),
    "no_rows": lambda: LINE.predict(X[:0]),
    "sparse": lambda: LINE.fit(scipy.sparse.csr_matrix(X), Y),
    "validation_without_y": lambda: LINE.fit(X, Y, validation_data=X),
    "validation_nan": lambda: LINE.fit(X, Y, validation_data=(X * np.nan, Y)),
    "validation_label": lambda: LABELS.fit(X, Y, validation_data=(X, Y + 1)),
    "validation_split": lambda: LINE.fit(X, Y, validation_split="a fifth"),
    "batch_size": lambda: LINE.predict(X, batch_size=-1),
    "batch_size_of_evaluate": lambda: LINE.evaluate(X, Y, batch_size=0),
    "class_weight_of_no_class": lambda: LABELS.fit(X, Y, class_weight={"iris": 1.0}),
    "class_weight_too_short": lambda: LABELS.fit(X, Y, class_weight=[1.0]),
    "class_weight_below_0": lambda: LABELS.fit(X, Y, class_weight={0: 1, 1: -1, 2: 1}),
    "class_weight_word": lambda: LABELS.fit(X, Y, class_weight="even"),
    "forgotten_logits": lambda: network(1, "binary_crossentropy", False).fit(100 * X, Y % 2, verbose=0),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_refused(case, snapshot):
    with pytest.raises(SymgradError) as caught:
        WRONG[case]()
    caught.value.at = ""
    assert f"{type(caught.value).__name__}: {caught.value}" == snapshot


TAKEN = {
    "floats": Y.astype(float),
    "float32": Y.astype("float32"),
    "column": Y[:, None],
    "objects": Y.astype(object),
    "list": Y.tolist(),
    "series": pd.Series(Y, index=range(50, 56)),
    "nullable": pd.Series(Y, dtype="Int64"),
    "small": Y.astype("uint8"),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_labels_of_every_kind_are_class_numbers(kind):
    assert LABELS.evaluate(X, TAKEN[kind]) == LABELS.evaluate(X, Y)


def test_frames_of_several_kinds_are_numbers():
    frame = pd.DataFrame({"a": [True, False] * 3, "b": range(6)})
    assert np.array_equal(LINE.predict(frame), LINE.predict(frame.to_numpy(float)))


def test_an_ignored_label_need_not_be_a_class():
    net = network(3, sg.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1), False)
    net.source(net.task(False), X, np.where(Y == 2, -1, Y), None)
    with pytest.raises(sg.IndexRangeError):
        net.source(net.task(False), X, np.where(Y == 2, -2, Y), None)


def test_balanced_classes_count_alike():
    y = np.repeat([0, 1, 2], [7, 2, 1])
    weights = class_weights("balanced", y, None)
    assert [weights[y == k].sum() for k in range(3)] == pytest.approx([10 / 3] * 3)
    hot = class_weights([1.0, 2.0, 3.0], np.eye(3)[y], np.arange(10))
    assert hot.tolist() == [0, 1, 2, 3, 4, 5, 6, 14, 16, 27]


def test_classes_weigh_in_training_only():
    """A class that is left out weighs 1, and so does every row of the validation, but for its own weight."""
    y, own = np.array([0, 1, 1, 0, 2, 1]), np.arange(1.0, 7.0)
    fit = Fit(LABELS, X, y, class_weight={1: 5.0}, validation_split=0.34)
    assert fit.training.given[-1].tolist() == [1.0, 5.0, 5.0]
    assert len(fit.validation.given) == 2
    fit = Fit(LABELS, X, y, class_weight={1: 5.0}, sample_weight=own, validation_split=0.34)
    assert (fit.training.given[-1].tolist(), fit.validation.given[-1].tolist()) == ([1, 10, 15], [4, 5, 6])
    fit = Fit(LABELS, X, {"y": y}, class_weight="balanced", validation_data=(X, y, None))
    assert fit.training.given[-1].tolist() == [1.0, 2 / 3, 2 / 3, 1.0, 2.0, 2 / 3]
    assert len(fit.validation.given) == 2
