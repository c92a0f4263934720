"""Searches that are fitted once for all tests of tables and pictures."""

import pytest
from scipy.stats import uniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from tests.helpers.estimators import Score

X, y = load_iris(return_X_y=True)
GRID = [{"kernel": ["linear"]}, {"kernel": ["rbf"], "C": [0.01, 1.0, 100.0]}]


@pytest.fixture(autouse=True)
def no_screen():
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("agg")
    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def search():
    return GridSearchCV(SVC(), GRID, cv=3).fit(X, y)


@pytest.fixture(scope="module")
def two_metrics():
    scoring = ["accuracy", "neg_log_loss"]
    trees = {"max_depth": [1, 2]}
    search = GridSearchCV(DecisionTreeClassifier(), trees, scoring=scoring, refit=False)
    return search.fit(X, y)


@pytest.fixture(scope="module")
def with_failures():
    search = GridSearchCV(SVC(), {"C": [-1.0, 1.0, -2.0]}, cv=3)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        return search.fit(X, y)


@pytest.fixture(scope="module")
def halving_with_failures():
    a = [0.1, 0.2, 0.3, 0.35, 0.4, 0.45, 0.5, 90.0, 7.0, 8.0]
    search = SuccessiveHalvingSearchCV(
        Score(bad=(7.0, 8.0)),
        {"a": a},
        resource="odd",  # plays no part
        n_candidates=len(a),
        max_resources=9,
        cv=2,
        return_train_score=False,
        random_state=0,
    )
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="non-finite"):
        return search.fit(X, y)


@pytest.fixture(scope="module")
def hyperband():
    search = HyperbandSearchCV(
        Score(),
        {"a": uniform(0, 1)},
        resource="odd",  # plays no part
        max_resources=9,
        cv=2,
        random_state=0,
    )
    return search.fit(*load_iris(return_X_y=True))
