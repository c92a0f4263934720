"""Whether an estimator goes on, and how."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    RandomTreesEmbedding,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neural_network import MLPClassifier

from sktune._errors import EstimatorError, ParamNameError
from sktune.execution.estimators._continuation import counts_in_all
from sktune.execution.estimators._resource import Resource, find_resource
from tests.helpers.estimators import Net, blobs, net
from tests.helpers.resources import Rounds, Transformer, found, label, pipe


class Epochs(ClassifierMixin, BaseEstimator):
    """Has epochs, and is no net."""

    def __init__(self, max_epochs=3):
        self.max_epochs = max_epochs


# -- epochs of a net ----------------------------------------------------------------


@pytest.mark.parametrize(
    "dicts",
    [
        {"net": stats.randint(0, 3)},
        {"steps": stats.randint(0, 3)},
        {"steps": [[("net", Transformer(Net)), ("last", LogisticRegression())]]},
        {"net": [net(), Epochs()]},
    ],
    ids=["distribution", "drawn steps", "steps", "no net"],
)
def test_nothing_continues_where_some_value_cannot(dicts):
    assert found(pipe(), "net__max_epochs", 27, dicts).continuation == "from_scratch"


# -- warm_start ---------------------------------------------------------------------


def seeded(ensemble, **kwargs):
    return ensemble(random_state=0, **kwargs)


ENSEMBLES = [
    seeded(BaggingClassifier),
    seeded(BaggingRegressor, max_samples=0.5, max_features=0.5),
    seeded(ExtraTreesClassifier),
    seeded(ExtraTreesRegressor),
    seeded(GradientBoostingClassifier, subsample=0.5, max_features=2),
    seeded(GradientBoostingRegressor),
    seeded(HistGradientBoostingClassifier, max_features=0.5),
    seeded(HistGradientBoostingRegressor),
    seeded(IsolationForest),
    seeded(RandomForestClassifier),
    seeded(RandomForestRegressor),
    seeded(RandomTreesEmbedding),
]


@pytest.mark.parametrize("estimator", ENSEMBLES, ids=lambda e: type(e).__name__)
def test_ensembles_go_on_exactly(estimator):
    name = "max_iter" if hasattr(estimator, "max_iter") else "n_estimators"
    assert found(estimator, name) == Resource(name, "warm_start", 27)
    assert found(pipe(estimator, "e"), f"e__{name}").continuation == "warm_start"
    assert counts_in_all(estimator, name)
    X, y = blobs()
    at_once = clone(estimator).set_params(**{name: 5}).fit(X, y)
    in_steps = clone(estimator).set_params(warm_start=True)
    for n in (2, 3, 5):
        in_steps = pickle.loads(pickle.dumps(in_steps)).set_params(**{name: n})
        in_steps.fit(X, y)
    np.testing.assert_array_equal(outputs(in_steps, X), outputs(at_once, X))


def outputs(estimator, X):
    if hasattr(estimator, "transform"):
        return estimator.transform(X).toarray()
    proba = getattr(estimator, "predict_proba", None)
    return (proba or getattr(estimator, "score_samples", estimator.predict))(X)


@pytest.mark.parametrize(
    ("estimator", "dicts"),
    [
        (GradientBoostingClassifier(n_iter_no_change=2), {}),
        (GradientBoostingClassifier(), {"n_iter_no_change": [None, 2]}),
        (HistGradientBoostingClassifier(early_stopping=True), {}),
        (HistGradientBoostingClassifier(), {"early_stopping": [False, True]}),
        (BaggingClassifier(oob_score=True), {}),
        (RandomForestClassifier(random_state=np.random.RandomState(0)), {}),
        (RandomForestClassifier(), {"warm_start": [True, False]}),
        (RandomForestClassifier(), {"warm_start": stats.randint(0, 2)}),
    ],
    ids=label,
)
def test_ensembles_that_would_not_go_on_exactly_start_over(estimator, dicts):
    name = "max_iter" if hasattr(estimator, "max_iter") else "n_estimators"
    assert found(estimator, name, 27, dicts).continuation == "from_scratch"


def test_histograms_stop_early_by_themselves_where_samples_are_many():
    def continuation(n_samples, **kwargs):
        estimator = HistGradientBoostingClassifier(**kwargs)
        return found(estimator, "max_iter", n_samples=n_samples).continuation

    assert continuation(10_000) == "warm_start"
    assert continuation(10_001) == "from_scratch"
    assert continuation(10_001, early_stopping=False) == "warm_start"
    # Without it, the number of samples need not be known.
    estimator = HistGradientBoostingClassifier(early_stopping=False)
    assert find_resource(estimator, "max_iter", "auto", [], None).max_resources == 100


@pytest.mark.parametrize(
    ("estimator", "name", "dicts"),
    [
        (MLPClassifier(warm_start=True), "max_iter", {}),
        (SGDClassifier(warm_start=True), "max_iter", {}),
        (SGDClassifier(), "max_iter", {"warm_start": [True]}),
        (Rounds(warm_start=True), "n_rounds", {}),
        (pipe(Rounds(warm_start=True), "r"), "r__n_rounds", {}),
        (
            pipe(Rounds(), "r"),
            "r__n_rounds",
            {"r": [Rounds(7, warm_start=True), Rounds(8, warm_start=True)]},
        ),
    ],
    ids=label,
)
def test_warm_start_where_the_user_asks_for_it(estimator, name, dicts):
    assert found(estimator, name, 27, dicts) == Resource(name, "warm_start", 27)


def test_one_search_has_one_continuation():
    searched = {"r": [Rounds(warm_start=True), Rounds()]}
    assert (
        found(pipe(Rounds(), "r"), "r__n_rounds", 9, searched).continuation
        == "from_scratch"
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_an_mlp_counts_is_one_call():
    X, y = blobs()
    mlp = MLPClassifier(max_iter=3, warm_start=True, random_state=0).fit(X, y)
    mlp.set_params(max_iter=4).fit(X, y)
    assert len(mlp.loss_curve_) == 3 + 4
    assert not counts_in_all(mlp, "max_iter")
    assert not counts_in_all(pipe(mlp, "mlp"), "mlp__max_iter")


# -- partial_fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("estimator", "name", "dicts"),
    [
        (SGDClassifier(), "partial_fit", {"alpha": [0.1]}),
        (pipe(SGDClassifier(), "sgd"), "sgd__partial_fit", {}),
        (pipe(pipe(SGDClassifier(), "sgd"), "in"), "in__sgd__partial_fit", {}),
        (pipe(None), "net__partial_fit", {"net": [SGDClassifier(), MLPClassifier()]}),
    ],
    ids=["alone", "pipeline", "nested", "searched"],
)
def test_partial_fit(estimator, name, dicts):
    resource = found(estimator, name, 27, dicts)
    assert resource == Resource(name, "partial_fit", 27)
    assert resource.continues


@pytest.mark.parametrize(
    ("estimator", "name", "dicts", "message"),
    [
        (
            LogisticRegression(),
            "partial_fit",
            {},
            "^Cannot use resource=partial_fit which is not supported by estimator "
            "LogisticRegression. LogisticRegression has no 'partial_fit'. Name an "
            "integer parameter, or pass resource='n_samples'.$",
        ),
        (
            pipe(SGDClassifier(), "sgd"),
            "partial_fit",
            {},
            "by estimator Pipeline. Pipeline has no 'partial_fit'. Did you mean "
            r"'sgd__partial_fit'\?$",
        ),
        (
            pipe(SGDClassifier(), "sgd"),
            "sdg__partial_fit",
            {},
            "Pipeline has no 'sdg__partial_fit'. Did you mean 'sgd__partial_fit'",
        ),
        (
            pipe(),
            "partial_fit",
            {},
            "Pipeline has no 'partial_fit'. Name an integer parameter",
        ),
        (
            SGDClassifier(),
            "sgd__partial_fit",
            {},
            "has no 'sgd__partial_fit'. Did you mean 'partial_fit'",
        ),
        (
            pipe(SGDClassifier(), "sgd"),
            "sgd__partial_fit",
            {"sgd": [SGDClassifier(), LogisticRegression()]},
            "by estimator Pipeline. LogisticRegression has no 'partial_fit'",
        ),
        (
            pipe(SGDClassifier(), "sgd"),
            "sgd__partial_fit",
            {"sgd": stats.randint(0, 2)},
            "what a distribution gives has no 'partial_fit'",
        ),
        (
            pipe(),
            "scale__partial_fit",
            {},
            "^Cannot use resource=scale__partial_fit: partial_fit is only called of an "
            "estimator that stands alone or last in a Pipeline. Pass "
            "resource='n_samples'.$",
        ),
        (
            pipe(),
            "net__partial_fit",
            {},
            "^Cannot use resource=net__partial_fit: every partial_fit of a net begins "
            "its callbacks anew. Pass resource='net__max_epochs'.$",
        ),
    ],
)
def test_no_partial_fit(estimator, name, dicts, message):
    with pytest.raises((ParamNameError, EstimatorError), match=message):
        found(estimator, name, 27, dicts)
