"""A notebook shows scikit-learn's diagram of a search, and the best once fitted."""

import re

import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV as SklearnsGridSearchCV
from sklearn.tree import DecisionTreeClassifier

from sktune import GridSearchCV

X, Y = load_iris(return_X_y=True)
ESTIMATOR = DecisionTreeClassifier(random_state=0)
GRID = {"max_depth": [1, 2], "criterion": ["gini"]}


def shown(search):
    html = search._repr_html_()
    assert search._repr_mimebundle_()["text/html"].count("<details") == html.count(
        "<details"
    )
    return html


def without_ids(html):
    return re.sub(r"sk-[\w-]*id-\d+", "id", html)


def test_before_fit_nothing_changes():
    ours, theirs = (
        without_ids(shown(of(ESTIMATOR, GRID, cv=2)))
        for of in (GridSearchCV, SklearnsGridSearchCV)
    )
    assert "Best score" not in ours
    assert ours.count("<div") == theirs.count("<div")


def test_a_fitted_search_shows_its_best_behind_the_diagram():
    search = GridSearchCV(ESTIMATOR, GRID, cv=2).fit(X, Y)
    html = shown(search)
    diagram, _, summary = html.rpartition("</body>")
    assert "sk-top-container" in diagram
    assert f"Best score {search.best_score_:.4g} (candidate 1, " in summary
    assert ">max_depth</td>" in summary and "<b>gini</b>" in summary
    assert ", 2 candidates, 4 fits, " in summary
    assert "Best score" not in shown(clone(search))


def test_a_search_that_shows_text_shows_text():
    search = GridSearchCV(ESTIMATOR, GRID, cv=2).fit(X, Y)
    with config_context(display="text"):
        assert not hasattr(search, "_repr_html_")
        assert list(search._repr_mimebundle_()) == ["text/plain"]


def test_searches_without_a_best():
    scoring = ["accuracy", "f1_macro"]
    search = GridSearchCV(ESTIMATOR, GRID, cv=2, scoring=scoring, refit=False)
    assert "Best accuracy" in shown(search.fit(X, Y))
    search = GridSearchCV(ESTIMATOR, {"max_depth": [1, -1]}, cv=2)
    with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="finite"):
        search.fit(X, Y)
    assert "1 failed" in shown(search)


def test_what_a_user_gave_is_text():
    evil = "</details><script>alert(1)</script>"
    search = GridSearchCV(ESTIMATOR, {"max_depth": [1], "criterion": ["gini"]}, cv=2)
    search.fit(X, Y).cv_results_["params"][0][evil] = evil
    assert evil not in shown(search)
