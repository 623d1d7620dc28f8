"""Metrics against NumPy and scikit-learn, of whole data and of the sums of batches; which accuracy a loss takes."""

import pickle

import numpy as np
import pytest
from sklearn import metrics as peer

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.nn import losses
from symgrad.train.rules import metrics

RNG = np.random.default_rng(11)
ROWS = 60
P = RNG.random((ROWS, 1))
LABELS = (RNG.random((ROWS, 1)) < P).astype(float)
SCORES = RNG.normal(size=(ROWS, 5)).round(1)  # with ties
SCORES[3] = [0.0, 1.0, 1.0, -1.0, 1.0]
CLASSES = RNG.integers(0, 5, ROWS)
ONE_HOT = np.eye(5)[CLASSES]
Z = RNG.normal(size=(ROWS, 2))
T = 0.7 * Z + RNG.normal(size=(ROWS, 2)) + [3.0, -1.0]
W = RNG.random(ROWS)
LOGITS = np.log(P) - np.log1p(-P)


def declared(y, yhat, weighted=False):
    kind = "int" if y.dtype.kind == "i" else "real"
    made = sg.input("y", ("n", *y.shape[1:]), dtype=kind), sg.input("yhat", ("n", *yhat.shape[1:]))
    return (*made, sg.input("w", ("n",)) if weighted else None)


def measured(metric, y, yhat, weights=None, batches=1):
    """The metric from the totals of batches."""
    ty, tyhat, tw = declared(y, yhat, weights is not None)
    sums = metric.sums(ty, tyhat, tw)
    totals = [0.0] * len(sums)
    for rows in np.array_split(np.arange(len(y)), batches):
        given = {
            "n": len(rows),
            "y": y[rows],
            "yhat": yhat[rows],
            **({"w": weights[rows]} if weights is not None else {}),
        }
        values = [np.asarray(sg.evaluate(s, **given)) for s in sums]
        assert all(s.shape == v.shape for s, v in zip(sums, values, strict=True))
        totals = [t + v for t, v in zip(totals, values, strict=True)]
    return metric.finish(*totals)


def keras_auc(y, p, w, thresholds=200):
    """Keras's sums at each threshold, compared one by one."""
    y, p, w = y.ravel(), p.ravel(), np.ones(y.size) if w is None else w
    at = np.array([-1e-7, *((i + 1) / (thresholds - 1) for i in range(thresholds - 2)), 1 + 1e-7])
    above = p[None, :] > at[:, None]
    recall = (above * (w * y)).sum(1) / (w * y).sum()
    fallout = (above * (w * (1 - y))).sum(1) / (w * (1 - y)).sum()
    return np.sum((fallout[:-1] - fallout[1:]) * (recall[:-1] + recall[1:]) / 2)


def mean(values, w):
    return np.average(values, weights=w)


def above(p, threshold):
    return (p > threshold).astype(float).ravel()


def in_top(k):
    own = np.take_along_axis(SCORES, CLASSES[:, None], 1)
    return (own >= np.sort(SCORES, axis=1)[:, [-k]]).ravel()  # ties are in


def sklearns(function, *args, **more):
    return lambda w: function(*args, sample_weight=w, **more)


CASES = {
    "binary": ("binary_accuracy", LABELS, P, sklearns(peer.accuracy_score, LABELS.ravel(), above(P, 0.5))),
    "binary of columns": ("binary_accuracy", LABELS.ravel(), P, lambda w: mean(above(P, 0.5) == LABELS.ravel(), w)),
    "binary of rows": (
        "binary_accuracy", LABELS.ravel(), P.ravel(), lambda w: mean(above(P, 0.5) == LABELS.ravel(), w),
    ),
    "threshold": (
        metrics.BinaryAccuracy(threshold=0.3), LABELS, P, lambda w: mean(above(P, 0.3) == LABELS.ravel(), w),
    ),
    "on logits": (
        metrics.BinaryAccuracy(threshold=0.3, from_logits=True), LABELS, LOGITS,
        lambda w: mean(above(P, 0.3) == LABELS.ravel(), w),
    ),
    "many labels": (
        "binary_accuracy", ONE_HOT, SCORES, lambda w: mean(((SCORES > 0.5) == ONE_HOT).mean(1), w),
    ),
    "categorical": (
        "categorical_accuracy", ONE_HOT, SCORES, sklearns(peer.accuracy_score, CLASSES, SCORES.argmax(1)),
    ),
    "sparse": (
        "sparse_categorical_accuracy", CLASSES, SCORES, sklearns(peer.accuracy_score, CLASSES, SCORES.argmax(1)),
    ),
    "sparse columns": (
        "sparse_categorical_accuracy", CLASSES[:, None] * 1.0, SCORES, lambda w: mean(SCORES.argmax(1) == CLASSES, w),
    ),
    "top 1": (metrics.TopKCategoricalAccuracy(k=1), ONE_HOT, SCORES, lambda w: mean(in_top(1), w)),
    "top 3": (metrics.TopKCategoricalAccuracy(3), ONE_HOT, SCORES, lambda w: mean(in_top(3), w)),
    "top 5": ("top_k_categorical_accuracy", ONE_HOT, SCORES, lambda w: 1.0),
    "sparse top 2": (metrics.SparseTopKCategoricalAccuracy(k=2), CLASSES, SCORES, lambda w: mean(in_top(2), w)),
    "mse": ("mse", T, Z, sklearns(peer.mean_squared_error, T, Z)),
    "rmse": ("rmse", T, Z, lambda w: np.sqrt(peer.mean_squared_error(T, Z, sample_weight=w))),
    "mae": ("mean_absolute_error", T, Z, sklearns(peer.mean_absolute_error, T, Z)),
    "r2": ("r2", T, Z, sklearns(peer.r2_score, T, Z)),
    "r2 of a column": ("r2_score", T[:, 0], Z[:, :1], sklearns(peer.r2_score, T[:, 0], Z[:, 0])),
    "auc": ("auc", LABELS, P, lambda w: keras_auc(LABELS, P, w)),
    "auc of 20": (metrics.AUC(num_thresholds=20), LABELS, P, lambda w: keras_auc(LABELS, P, w, 20)),
    "auc on logits": (metrics.AUC(from_logits=True), LABELS, LOGITS, lambda w: keras_auc(LABELS, P, w)),
    "precision": ("precision", LABELS, P, sklearns(peer.precision_score, LABELS.ravel(), above(P, 0.5))),
    "recall": (metrics.Recall(0.7), LABELS, P, sklearns(peer.recall_score, LABELS.ravel(), above(P, 0.7))),
    "a loss": ("binary_crossentropy", LABELS, P, sklearns(peer.log_loss, LABELS.ravel(), P.ravel())),
    "a row of a loss": (
        losses.Huber(0.5), T, Z,
        lambda w: mean(np.where(abs(T - Z) <= 0.5, (T - Z) ** 2 / 2, 0.5 * abs(T - Z) - 0.125).mean(1), w),
    ),
    "a function": (lambda y, yhat: sg.max(abs(y - yhat), axis=1), T, Z, lambda w: mean(abs(T - Z).max(1), w)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weights", [None, W], ids=["plain", "weighted"])
def test_metrics_are_those_of_numpy(case, weights):
    """Of the whole and of the sums over batches, also ragged ones: equal up to rounding of sums of 60 terms."""
    spec, y, yhat, expected = CASES[case]
    metric = metrics.get(spec)
    for batches in (1, 7):
        found = measured(metric, y, yhat, weights, batches)
        assert isinstance(found, float)
        assert found == pytest.approx(expected(weights), rel=1e-12)


def test_area_is_near_the_exact_one():
    for w in (None, W):
        exact = peer.roc_auc_score(LABELS.ravel(), P.ravel(), sample_weight=w)
        assert measured(metrics.get("auc"), LABELS, P, w) == pytest.approx(exact, abs=5e-3)


def test_ends_of_the_curve():
    """Probabilities 0 and 1, none of a class, NaN: numbers all the same, and no index out of range."""
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 1.0])
    assert measured(metrics.get("auc"), y, p) == pytest.approx(0.5)
    assert measured(metrics.get("auc"), np.ones(4), p) == 0.0
    assert measured(metrics.get("auc"), y, np.array([np.nan, 2.0, -1.0, np.inf])) == pytest.approx(0.5)
    assert measured(metrics.get("precision"), y, np.zeros(4)) == 0.0
    assert measured(metrics.get("recall"), np.zeros(4), p) == 0.0


def test_determination_of_constant_targets():
    y = np.full((5, 1), 3.0)
    assert measured(metrics.get("r2"), y, y) == 1.0
    assert measured(metrics.get("r2"), y, y + 1.0) == 0.0
    assert np.isnan(measured(metrics.get("r2"), y, np.full((5, 1), np.nan)))


def test_means_of_nothing_are_nan():
    assert np.isnan(metrics.get("mse").finish(np.float64(0.0), np.float64(0.0)))


def test_top_does_not_count_nan():
    scores = np.array([[np.nan, 1.0, 2.0], [0.0, 1.0, np.nan], [0.0, 1.0, 2.0]])
    assert measured(metrics.TopKCategoricalAccuracy(k=1), np.eye(3), scores) == pytest.approx(1 / 3)


# Which accuracy

n1, n3 = np.zeros((4, 1)), np.zeros((4, 3))
RESOLVED = {
    "column": ("mse", n1, n1, "binary_accuracy", {}),
    "cross-entropy": ("binary_crossentropy", n1, n1, "binary_accuracy", {"threshold": 0.5, "from_logits": False}),
    "many labels": ("binary_crossentropy", n3, n3, "binary_accuracy", {}),
    "one-hot": ("categorical_crossentropy", n3, n3, "categorical_accuracy", {}),
    "one-hot by shape": ("mse", n3, n3, "categorical_accuracy", {}),
    "labels": ("sparse_categorical_crossentropy", CLASSES, n3, "sparse_categorical_accuracy", {}),
    "labels in a column": ("sparse_categorical_crossentropy", CLASSES[:, None], n3, "sparse_categorical_accuracy", {}),
    "labels by shape": ("mse", CLASSES, n3, "sparse_categorical_accuracy", {}),
    "signs": ("hinge", n1, n1, "binary_accuracy", {"threshold": 0.0}),
}


@pytest.mark.parametrize("case", RESOLVED)
def test_accuracy_is_that_of_loss_and_shapes(case):
    loss, y, yhat, name, options = RESOLVED[case]
    metric = metrics.resolve("accuracy", losses.get(loss), *declared(y, yhat)[:2])
    assert metric.name == "accuracy"
    assert metric.of is metrics.METRICS[name].of
    assert options.items() <= dict(metric.options).items()
    assert metrics.resolve("acc", losses.get(loss), *declared(y, yhat)[:2]).name == "acc"


def test_metrics_follow_the_losss_logits():
    loss = losses.get("binary_crossentropy", from_logits=True)
    y, yhat, _ = declared(LABELS, LOGITS)
    for spec, of_p in (
        ("accuracy", "binary_accuracy"),
        ("auc", "auc"),
        ("precision", "precision"),
        ("recall", "recall"),
    ):
        metric = metrics.resolve(spec, loss, y, yhat)
        assert dict(metric.options)["from_logits"] is True
        assert measured(metric, LABELS, LOGITS) == pytest.approx(measured(metrics.get(of_p), LABELS, P), rel=1e-12)
    own = metrics.resolve("binary_crossentropy", loss, y, yhat)
    plain = metrics.get("binary_crossentropy")
    assert measured(own, LABELS, LOGITS) == pytest.approx(measured(plain, LABELS, P), rel=1e-12)
    chosen = metrics.resolve(metrics.BinaryAccuracy(from_logits=False), loss, y, yhat)
    assert measured(chosen, LABELS, LOGITS) == mean(above(LOGITS, 0.5) == LABELS.ravel(), None)


def test_signs_are_classes():
    signs, z = 2.0 * LABELS - 1.0, LOGITS
    for targets in (signs, LABELS):
        metric = metrics.resolve("accuracy", losses.get("hinge"), *declared(targets, z)[:2])
        assert measured(metric, targets, z) == mean((z > 0) == (LABELS > 0), None)


@pytest.mark.parametrize("row", metrics.TABLE, ids=lambda row: row.name)
def test_rows_are_whole(row):
    assert row.formula
    assert row.source
    assert row.formula.count("{") == row.formula.count("}")
    made = getattr(metrics, row.title)()
    assert made == row == pickle.loads(pickle.dumps(row)) == metrics.get(row.name) == metrics.get(row.title)
    assert eval(repr(row), {row.title: getattr(metrics, row.title)}) == row


def test_the_compiled_loop_adds_up_the_same():
    """Every kind of sum through the compiled evaluation, in ragged batches."""
    x = sg.input("x", ("n", 1))
    net = sg.Model(inputs=x, outputs=1.0 * x)
    names = ["accuracy", "mae", "rmse", "r2", "auc", "precision", "recall", "mse"]
    net.compile(loss="mse", metrics=names)
    logs = net.evaluate(P, LABELS, batch_size=7, return_dict=True)
    for name in names:
        metric = metrics.get("binary_accuracy" if name == "accuracy" else name)
        assert logs[name] == pytest.approx(measured(metric, LABELS, P), rel=1e-12), name
    scores = sg.input("scores", ("n", 5))
    net = sg.Model(inputs=scores, outputs=1.0 * scores)
    names = ["accuracy", "sparse_top_k_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy(2)]
    net.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy", metrics.SparseTopKCategoricalAccuracy(2)])
    logs = net.evaluate(SCORES, CLASSES, batch_size=16, return_dict=True)
    assert logs["accuracy"] == pytest.approx(np.mean(SCORES.argmax(1) == CLASSES))
    assert logs["sparse_top_k_categorical_accuracy"] == pytest.approx(in_top(2).mean())


Y, YHAT, _ = declared(T, Z)
MISTAKES = {
    "name": lambda: metrics.get("acuracy"),
    "nothing": lambda: metrics.get(3),
    "k": lambda: metrics.TopKCategoricalAccuracy(k=0),
    "text": lambda: metrics.AUC("many"),
    "threshold": lambda: metrics.Precision(threshold=1.5),
    "option": lambda: metrics.AUC(thresholds=3),
    "labels": lambda: metrics.resolve("sparse_categorical_accuracy", None, Y, YHAT),
    "one-hot": lambda: metrics.resolve("categorical_accuracy", None, declared(CLASSES, Z)[0], YHAT),
    "shapes": lambda: metrics.resolve("mse", None, Y, declared(T, SCORES)[1]),
    "one number": lambda: metrics.resolve(lambda y, yhat: sg.sum(y - yhat), None, Y, YHAT),
    "scalars": lambda: metrics.resolve("accuracy", None, sg.symbol("y"), sg.symbol("yhat")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_answered(name, snapshot):
    with pytest.raises(SymgradError) as caught:
        MISTAKES[name]()
    error = caught.value
    assert [type(error).__name__, error.summary, *map(list, error.facts), error.fix] == snapshot
