"""Confusion matrices of out-of-fold predictions."""

import numpy as np
import pytest
from matplotlib import pyplot
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from sktune import GridSearchCV
from sktune.inspection import confusion_matrix_display

X, y = load_iris(return_X_y=True)
y = np.array(["setosa", "versicolor", "virginica"])[y]
TREE = DecisionTreeClassifier(random_state=0)


@pytest.fixture(scope="module")
def kept():
    grid = {"max_depth": [1, 2]}
    return GridSearchCV(TREE, grid, cv=3, keep="best", random_state=0).fit(X, y)


def test_is_that_of_cross_val_predict(kept):
    display = confusion_matrix_display(kept, X, y)
    tree = kept.kept_[0].estimators[0]
    predicted = cross_val_predict(TREE.set_params(**kept.best_params_), X, y, cv=3)
    np.testing.assert_array_equal(
        display.confusion_matrix, confusion_matrix(y, predicted)
    )
    assert tree.get_depth() == 2
    labels = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert labels == ["setosa", "versicolor", "virginica"]


def test_shares_and_where_to_draw(kept):
    _, ax = pyplot.subplots()
    display = confusion_matrix_display(kept, X, y, ax=ax, normalize="true", cmap="Reds")
    assert display.ax_ is ax
    np.testing.assert_allclose(display.confusion_matrix.sum(axis=1), 1.0)


def test_rows_that_are_tested_twice():
    cv = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    search = GridSearchCV(TREE, {"max_depth": [2]}, cv=cv, keep="best").fit(X, y)
    display = confusion_matrix_display(search, X, y)
    classes = search.kept_[0].estimators[0].classes_
    mean = search.kept_[0].out_of_fold(X, "predict_proba")
    expected = confusion_matrix(y, classes[mean.argmax(axis=1)])
    np.testing.assert_array_equal(display.confusion_matrix, expected)


def test_what_cannot_be_drawn(kept):
    plain = GridSearchCV(TREE, {"max_depth": [2]}, cv=3).fit(X, y)
    for search in (plain, plain.best_estimator_):
        with pytest.raises(
            ValueError, match=r"has kept no .*keep='best'|is not fitted"
        ):
            confusion_matrix_display(search, X, y)
    number = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=3, keep="best")
    number.fit(X, X[:, 0])
    with pytest.raises(ValueError, match="Ridge is no classifier"):
        confusion_matrix_display(number, X, X[:, 0])
    with pytest.raises(ValueError, match=r"normalize='tru'.*Did you mean 'true'"):
        confusion_matrix_display(kept, X, y, normalize="tru")
