"""Estimators: scikit-learn's own checks, and data that it ships."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import symgrad as sg

Classifier, Regressor = sg.sklearn.SymgradClassifier, sg.sklearn.SymgradRegressor
SMALL = {"hidden_layer_sizes": (8,), "random_state": 0, "optimizer": sg.optimizers.Adam(0.02), "epochs": 300}


ITERATIVE = {  # as scikit-learn documents it for its own stochastic estimators
    "check_sample_weight_equivalence_on_dense_data": "weights are not the same as repeated rows: batches differ",
    "check_sample_weight_equivalence_on_sparse_data": "weights are not the same as repeated rows: batches differ",
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks([Classifier(**SMALL), Regressor(**SMALL)], expected_failed_checks=lambda _: ITERATIVE)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_iris_in_a_search():
    X, y = load_iris(return_X_y=True)
    names = np.array(["a", "b", "c"])[y]
    pipe = make_pipeline(StandardScaler(), Classifier(**SMALL))
    search = GridSearchCV(pipe, {"symgradclassifier__alpha": [0.0001, 0.01]}, cv=3).fit(X, names)
    assert search.best_score_ > 0.93
    best = search.best_estimator_[-1]
    assert len(best.loss_curve_) == best.n_iter_ <= 300
    assert best.loss_curve_[-1] < best.loss_curve_[0]
    assert np.allclose(search.predict_proba(X).sum(axis=1), 1.0)


def test_diabetes_as_good_as_scikit_learns_network():
    X, y = load_diabetes(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    y = (y - y.mean()) / y.std()
    train_x, test_x, train_y, test_y = train_test_split(X, y, random_state=0)
    common = {"hidden_layer_sizes": (16,), "alpha": 0.01, "random_state": 0}
    theirs = MLPRegressor(max_iter=60, learning_rate_init=0.01, n_iter_no_change=100, **common)
    ours = Regressor(epochs=60, optimizer=sg.optimizers.Adam(0.01), n_iter_no_change=100, **common)
    for model in (theirs, ours):
        with pytest.warns(ConvergenceWarning):
            model.fit(train_x, train_y)
    assert ours.score(test_x, test_y) > theirs.score(test_x, test_y) - 0.02


def test_partial_fit_goes_on():
    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    net = Classifier(**SMALL)
    for _ in range(30):
        net.partial_fit(X, y, classes=[0, 1, 2])
    assert net.n_iter_ == 30 == len(net.loss_curve_)
    assert net.score(X, y) > 0.9
    with pytest.raises(ValueError, match="not named"):
        net.partial_fit(X, y + 1)


@pytest.mark.parametrize("loss", ["mse", "hinge", "categorical_crossentropy"])
def test_any_loss_and_activation(loss):
    import sympy as sp

    X, y = load_iris(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    net = Classifier(loss=loss, activation=lambda t: t * sp.tanh(t), **SMALL).fit(X, y)
    assert net.score(X, y) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_two_classes_under_any_loss_of_classes():
    """One output or two: the same classes, and probabilities only where the loss is one of probabilities."""
    X, y = load_iris(return_X_y=True)
    X, y = X[:100] - X[:100].mean(axis=0), np.array(["no", "yes"])[y[:100]]
    for loss in ("sparse_categorical_crossentropy", "categorical_hinge", "mse"):
        net = Classifier(loss=loss, **SMALL | {"hidden_layer_sizes": (), "epochs": 40, "tol": -np.inf})
        net.fit(X, y)
        assert net.decision_function(X).shape == (100,)
        assert net.score(X, y) > 0.9
        assert hasattr(net, "predict_proba") == (loss == "sparse_categorical_crossentropy")
